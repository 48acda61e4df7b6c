//go:build linux

// The interface: what it is, and what is asked of it beside AF_XDP.

package afxdp

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netif"
)

// device is what is known of an interface.
type device struct {
	name      string
	index     int
	mtu       int // without link header
	rx, tx    int // queues
	namespace uint64
	addresses []string
}

// queues is how many queues can be bound.
func (d device) queues() int { return max(d.rx, d.tx) }

// lookup finds an interface. The error lists those that there are if there is none of that name.
func lookup(name string) (d device, err error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		if there, listErr := netif.Names(); listErr == nil {
			return d, fmt.Errorf("there is no interface %q here; there are %s: %w", name, there, unix.ENODEV)
		}
		return d, err
	}
	d = device{name: name, index: i.Index, mtu: i.MTU}
	d.rx, d.tx = channels(name)
	addresses, err := i.Addrs()
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			d.addresses = append(d.addresses, a.String())
		}
	}
	return d, err
}

// channels returns how many queues an interface receives and sends with: as its driver says, else as sysfs does, and
// at least one.
func channels(name string) (rx, tx int) {
	type ethtoolChannels struct{ cmd, maxRx, maxTx, maxOther, maxCombined, rx, tx, other, combined uint32 } // linux/ethtool.h
	c := ethtoolChannels{cmd: unix.ETHTOOL_GCHANNELS}
	if err := ethtool(name, unsafe.Pointer(&c)); err == nil {
		rx, tx = int(c.rx+c.combined), int(c.tx+c.combined)
	}
	if rx+tx == 0 {
		all, _ := filepath.Glob("/sys/class/net/" + name + "/queues/*")
		for _, q := range all {
			if strings.HasPrefix(filepath.Base(q), "rx-") {
				rx++
			} else {
				tx++
			}
		}
	}
	return max(rx, 1), max(tx, 1)
}

// ethtool asks the driver of an interface. what begins with a command and has room for the answer.
func ethtool(name string, what unsafe.Pointer) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	r := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte // the rest of the union in struct ifreq
	}{data: what}
	copy(r.name[:], request.Name())
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return errno
	}
	return nil
}

// linkWatch opens a packet socket that hears of the interface's end, which AF_XDP sockets do not: it has an error to
// fetch then. It receives nothing. If promiscuous, the interface is so until the socket is closed, by whomever.
func linkWatch(d device, promiscuous bool) (socket int, err error) {
	const none = unix.ETH_P_CONTROL // no frame on any wire has this EtherType
	s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a packet socket: %w", err)
	}
	err = unix.Bind(s, &unix.SockaddrLinklayer{Protocol: netif.NetworkOrder(none), Ifindex: d.index})
	if errors.Is(err, unix.ENETDOWN) { // bound all the same, and says so
		err = nil
	}
	if err == nil && promiscuous {
		err = unix.SetsockoptPacketMreq(s, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(d.index), Type: unix.PACKET_MR_PROMISC})
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("promiscuous mode: %w", err), unix.Close(s))
	}
	return s, nil
}

// explain adds to an error of the system what it most likely means here, and what to do.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (AF_XDP needs root, or the capabilities CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF)", err)
	case errors.Is(err, unix.EAFNOSUPPORT):
		return fmt.Errorf("%w (this kernel has no AF_XDP: it needs CONFIG_XDP_SOCKETS)", err)
	}
	return err
}
