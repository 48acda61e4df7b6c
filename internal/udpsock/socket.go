//go:build unix

// Socket: opened as a port needs it.

package udpsock

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
)

const (
	// MaxPayload is the longest payload of a datagram, in bytes, that IPv4 and IPv6 have room for.
	MaxPayload = 65507
	// DefaultBuffer is how large a socket's buffers are made if its user doesn't say, in bytes.
	DefaultBuffer = 4 << 20
)

// Config says how a socket is opened.
type Config struct {
	Local   netip.AddrPort // port 0: one that is free
	Remote  netip.AddrPort // if valid, the socket is connected to it: to nobody else it sends, from nobody else it receives
	Device  string         // an interface that it is bound to; "" is none
	TTL     int            // of what is sent, 1 to 255; 0: the system's
	TOS     int            // of what is sent, the whole byte
	SendBuf int            // bytes
	RecvBuf int            // bytes; 0: nothing is to be received, and what comes is thrown away
	// Fragment lets IP cut datagrams that are too long for the path. Otherwise they can't be sent (Linux; on other systems
	// datagrams are always cut).
	Fragment bool
}

// Socket is a UDP socket in the netpoller.
type Socket struct {
	*fd.FD
	Local netip.AddrPort
	// SendBuf and RecvBuf are the sizes that the system granted, in bytes.
	SendBuf, RecvBuf int

	remote netip.AddrPort
	closed atomic.Bool
	lost   uint32 // what Lost said last
}

// Open opens a socket. A system's error is in the error, with what helps against it.
func Open(c Config) (*Socket, error) {
	family, sixth := unix.AF_INET, !c.Local.Addr().Is4()
	if sixth {
		family = unix.AF_INET6
	}
	syscall.ForkLock.RLock()
	num, err := unix.Socket(family, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err == nil {
		unix.CloseOnExec(num)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("opening a UDP socket: %w", err)
	}
	s := &Socket{remote: c.Remote}
	if err := s.prepare(num, sixth, c); err != nil {
		return nil, errors.Join(err, unix.Close(num))
	}
	if s.FD, err = fd.New(num, "UDP socket"); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Socket) prepare(num int, sixth bool, c Config) error {
	set := func(what string, level, option, value int) error {
		if err := unix.SetsockoptInt(num, level, option, value); err != nil {
			return fmt.Errorf("%s %d: %w", what, value, err)
		}
		return nil
	}
	// Until it is connected it would take datagrams from anybody.
	if err := deafen(num); err != nil {
		return err
	}
	errs := []error{fragment(num, sixth, c.Fragment)}
	ttl, tos, level := unix.IP_TTL, unix.IP_TOS, unix.IPPROTO_IP
	if sixth {
		ttl, tos, level = unix.IPV6_UNICAST_HOPS, unix.IPV6_TCLASS, unix.IPPROTO_IPV6
		errs = append(errs, set("V6ONLY", level, unix.IPV6_V6ONLY, 1))
	}
	if c.TTL > 0 {
		errs = append(errs, set("TTL", level, ttl, c.TTL))
	}
	if c.TOS > 0 {
		errs = append(errs, set("TOS", level, tos, c.TOS))
	}
	if c.Device != "" {
		if err := bindToDevice(num, c.Device); err != nil {
			errs = append(errs, fmt.Errorf("binding to interface %s: %w", c.Device, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.SendBuf = setBuffer(num, unix.SO_SNDBUF, c.SendBuf)
	if c.RecvBuf > 0 {
		s.RecvBuf = setBuffer(num, unix.SO_RCVBUF, c.RecvBuf)
	}
	to, err := sockaddr(c.Local)
	if err != nil {
		return err
	}
	if err := unix.Bind(num, to); err != nil {
		return fmt.Errorf("binding to %v: %w", c.Local, err)
	}
	if c.Remote.IsValid() {
		if to, err = sockaddr(c.Remote); err != nil {
			return err
		}
		if err := unix.Connect(num, to); err != nil {
			return fmt.Errorf("connecting to %v: %w", c.Remote, err)
		}
	}
	if s.Local, err = local(num); err != nil {
		return err
	}
	if c.RecvBuf > 0 {
		return undeafen(num)
	}
	return nil
}

// PathMTU returns how long IP packets to the peer of a connected socket can be, in bytes, as far as the system knows now.
func (s *Socket) PathMTU() (int, error) {
	if mtu, err := pathMTU(s.Num(), s.remote.Addr().Is6()); !errors.Is(err, errors.ErrUnsupported) {
		return mtu, err
	}
	all, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, i := range all {
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, ok := a.(*net.IPNet); ok && p.IP.Equal(s.Local.Addr().AsSlice()) {
				return i.MTU, nil
			}
		}
	}
	return 0, fmt.Errorf("no interface has the address %v", s.Local.Addr())
}

// Overhead is the length of IP and UDP header in front of a datagram's payload to a, in bytes.
func Overhead(a netip.Addr) int {
	if a.Is4() {
		return 20 + 8
	}
	return 40 + 8
}

// Lost returns how many datagrams (those of one receive of GRO are one) came to the socket and were not taken into its
// buffer, mostly since that was full. Any goroutine may call it, one at a time; after Close it is what it was.
func (s *Socket) Lost() uint64 {
	if !s.closed.Load() {
		if n, ok := drops(s.Num()); ok {
			s.lost = n
		}
	}
	return uint64(s.lost)
}

// Close closes the socket. Nobody may be inside Lost.
func (s *Socket) Close() error {
	s.Lost()
	s.closed.Store(true)
	return s.FD.Close()
}

// setBuffer makes a buffer of a socket as large as it may be, up to size, and returns its size then.
func setBuffer(num, option, size int) int {
	if force(num, option, size) != nil {
		for ; size > 64<<10; size /= 2 { // systems that refuse what is above their limit
			if unix.SetsockoptInt(num, unix.SOL_SOCKET, option, size) == nil {
				break
			}
		}
	}
	got, err := unix.GetsockoptInt(num, unix.SOL_SOCKET, option)
	if err != nil {
		return 0
	}
	return granted(got)
}
