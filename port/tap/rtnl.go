//go:build linux

// Asking for a device and changing it: rtnetlink(7), as far as it is needed here.

package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// rtnl is a connection to the kernel of the network namespace in which it was opened, for any goroutine.
type rtnl struct {
	mu  sync.Mutex
	num int
	seq uint32
	buf [32 << 10]byte // one answer
}

// link is a device at one moment.
type link struct {
	mtu     int
	up      bool
	dropped uint64 // frames that the port's queues had no room for
}

var order = binary.NativeEndian

func openRtnl() (*rtnl, error) {
	num, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink socket: %w", err)
	}
	return &rtnl{num: num}, nil
}

func (r *rtnl) close() error { return unix.Close(r.num) }

// index returns the number of the device of that name, and false if there is none.
func (r *rtnl) index(name string) (uint32, bool) {
	req, err := unix.NewIfreq(name)
	if err != nil || unix.IoctlIfreq(r.num, unix.SIOCGIFINDEX, req) != nil {
		return 0, false
	}
	return req.Uint32(), true
}

// get asks for a device.
func (r *rtnl) get(index uint32) (l link, err error) {
	err = r.call(unix.RTM_GETLINK, 0, ifinfo(index, 0, 0), func(body []byte) {
		if len(body) < unix.SizeofIfInfomsg {
			return
		}
		l.up = order.Uint32(body[8:])&unix.IFF_UP != 0
		for attrs := body[unix.SizeofIfInfomsg:]; len(attrs) >= unix.SizeofRtAttr; {
			n := int(order.Uint16(attrs))
			if n < unix.SizeofRtAttr || n > len(attrs) {
				return
			}
			switch value := attrs[unix.SizeofRtAttr:n]; order.Uint16(attrs[2:]) {
			case unix.IFLA_MTU:
				if len(value) >= 4 {
					l.mtu = int(order.Uint32(value))
				}
			case unix.IFLA_STATS64:
				const txDropped = 7 * 8 // of struct rtnl_link_stats64
				if len(value) >= txDropped+8 {
					l.dropped = order.Uint64(value[txDropped:])
				}
			}
			attrs = attrs[min(align(n), len(attrs)):]
		}
	})
	return l, err
}

// set gives a device an attribute: IFLA_ and its value.
func (r *rtnl) set(index uint32, attr uint16, value []byte) error {
	return r.call(unix.RTM_SETLINK, unix.NLM_F_ACK, appendAttr(ifinfo(index, 0, 0), attr, value), nil)
}

// up brings a device up.
func (r *rtnl) up(index uint32) error {
	return r.call(unix.RTM_SETLINK, unix.NLM_F_ACK, ifinfo(index, unix.IFF_UP, unix.IFF_UP), nil)
}

// addr gives a device an address, which it may have already.
func (r *rtnl) addr(index uint32, a netip.Prefix) error {
	family := byte(unix.AF_INET6)
	if a.Addr().Is4() {
		family = unix.AF_INET
	}
	body := order.AppendUint32([]byte{family, byte(a.Bits()), 0, unix.RT_SCOPE_UNIVERSE}, index)
	body = appendAttr(body, unix.IFA_LOCAL, a.Addr().AsSlice())
	body = appendAttr(body, unix.IFA_ADDRESS, a.Addr().AsSlice())
	return r.call(unix.RTM_NEWADDR, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE, body, nil)
}

// ifinfo makes a struct ifinfomsg.
func ifinfo(index, flags, change uint32) []byte {
	b := order.AppendUint32(make([]byte, 4, 64), index)
	b = order.AppendUint32(b, flags)
	return order.AppendUint32(b, change)
}

func align(n int) int { return (n + 3) &^ 3 }

func appendAttr(b []byte, kind uint16, value []byte) []byte {
	b = order.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = order.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, align(len(value))-len(value))...)
}

var errAnswer = errors.New("netlink: an answer that makes no sense")

// call sends one message and reads the answer to it: an error or its absence, or a message that answer gets.
func (r *rtnl) call(kind, flags uint16, body []byte, answer func([]byte)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	msg := order.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	msg = order.AppendUint16(msg, kind)
	msg = order.AppendUint16(msg, flags|unix.NLM_F_REQUEST)
	msg = order.AppendUint32(msg, r.seq)
	msg = order.AppendUint32(msg, 0)
	msg = append(msg, body...)
	if err := unix.Sendto(r.num, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for {
		n, _, err := unix.Recvfrom(r.num, r.buf[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		m := r.buf[:n]
		if n < unix.SizeofNlMsghdr {
			return errAnswer
		}
		size := int(order.Uint32(m))
		if size < unix.SizeofNlMsghdr || size > n {
			return errAnswer
		}
		if order.Uint32(m[8:]) != r.seq {
			continue // the end of an answer to a call that has failed
		}
		m = m[:size]
		body := m[unix.SizeofNlMsghdr:]
		if order.Uint16(m[4:]) != unix.NLMSG_ERROR {
			if answer == nil {
				return errAnswer
			}
			answer(body)
			return nil
		}
		if len(body) < 4 {
			return errAnswer
		}
		if code := int32(order.Uint32(body)); code != 0 {
			return unix.Errno(-code)
		}
		return nil
	}
}
