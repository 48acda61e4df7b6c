//go:build linux

// The socket: opening one, and asking it about its interface.

package afpacket

import (
	"errors"
	"fmt"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/netif"
)

// ErrInterface is wrapped by the error that says that there is no such interface, or that it is of the wrong kind.
var ErrInterface = errors.New("unusable interface")

// socket is a packet socket and its interface.
type socket struct {
	*fd.FD
	name     string
	index    int
	warnings []string
}

// newSocket makes a socket for the interface of that name, which receives only once it is bound. c has its defaults.
func newSocket(name string, c Config) (s socket, err error) {
	if name == "" || len(name) >= unix.IFNAMSIZ {
		there, _ := netif.Names()
		return s, fmt.Errorf("%w %q: want the name of one, of 1 to %d bytes; there are %s", ErrInterface, name, unix.IFNAMSIZ-1, there)
	}
	num, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		err = fmt.Errorf("packet socket: %w", err)
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: it needs root or CAP_NET_RAW (sudo, or setcap cap_net_raw,cap_net_admin+ep on the program)", err)
		}
		return s, err
	}
	d, err := fd.New(num, "packet socket")
	if err != nil {
		return s, err
	}
	s = socket{FD: d, name: name}
	if err := errors.Join(s.find(), s.setUp(c)); err != nil {
		_ = d.Close()
		return s, err
	}
	return s, nil
}

// find finds the interface.
func (s *socket) find() error {
	r, err := unix.NewIfreq(s.name)
	if err == nil {
		err = unix.IoctlIfreq(s.Num(), unix.SIOCGIFINDEX, r)
	}
	if err != nil {
		there, _ := netif.Names()
		return fmt.Errorf("%w %q: %w; there are %s", ErrInterface, s.name, err, there)
	}
	s.index = int(int32(r.Uint32()))
	return nil
}

func (s *socket) setUp(c Config) error {
	if s.index == 0 {
		return nil // not found, which has been said
	}
	if hw, err := s.hardware(); err != nil || hw != unix.ARPHRD_ETHER && hw != unix.ARPHRD_LOOPBACK {
		return errors.Join(err, fmt.Errorf("%w %q: it is of hardware type %d, and Ethernet (1) is wanted", ErrInterface, s.name, hw))
	}
	set := func(what string, level, option, value int) error {
		if err := unix.SetsockoptInt(s.Num(), level, option, value); err != nil {
			return fmt.Errorf("packet socket: %s: %w", what, err)
		}
		return nil
	}
	errs := []error{
		set("PACKET_VNET_HDR", unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		set("PACKET_AUXDATA", unix.SOL_PACKET, unix.PACKET_AUXDATA, 1),
		set("PACKET_IGNORE_OUTGOING (Linux 4.20 has it)", unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
	}
	if c.Bypass {
		errs = append(errs, set("PACKET_QDISC_BYPASS", unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.buffer("receive", unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, c.ReceiveBuffer)
	s.buffer("send", unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, c.SendBuffer)
	if c.NotPromiscuous {
		return nil
	}
	// The kernel undoes this when the socket is closed, by a crash too.
	m := unix.PacketMreq{Ifindex: int32(s.index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(s.Num(), unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
		return fmt.Errorf("%s: promiscuous mode: %w", s.name, err)
	}
	return nil
}

// buffer sets the size of a buffer, and leaves a warning if the system allows less.
func (s *socket) buffer(what string, force, option, size int) {
	half := size / 2 // the kernel doubles it, for what it adds to each frame
	if unix.SetsockoptInt(s.Num(), unix.SOL_SOCKET, force, half) != nil {
		_ = unix.SetsockoptInt(s.Num(), unix.SOL_SOCKET, option, half)
	}
	if got, err := unix.GetsockoptInt(s.Num(), unix.SOL_SOCKET, option); err == nil && got < size-1 {
		s.warnings = append(s.warnings, fmt.Sprintf("the socket's %s buffer has %d bytes instead of %d, and bursts may be lost: CAP_NET_ADMIN lifts the limit", what, got, size))
	}
}

// start makes the socket receive, if it is to.
func (s *socket) start(receive bool, c Config) error {
	protocol := uint16(0)
	if receive {
		protocol = netif.NetworkOrder(unix.ETH_P_ALL)
	}
	if err := unix.Bind(s.Num(), &unix.SockaddrLinklayer{Ifindex: s.index, Protocol: protocol}); err != nil {
		return fmt.Errorf("%s: bind: %w", s.name, err)
	}
	if receive && c.Fanout > 0 {
		// Groups ignore what their interface sends only if all of them do.
		const ignoreOutgoing = unix.PACKET_FANOUT_FLAG_IGNORE_OUTGOING
		mode := fanoutType[c.FanoutMode] | ignoreOutgoing
		if err := unix.SetsockoptInt(s.Num(), unix.SOL_PACKET, unix.PACKET_FANOUT, c.Fanout|mode<<16); err != nil {
			return fmt.Errorf("%s: fanout group %d (%s): %w; is it used in another mode, or on another interface?", s.name, c.Fanout, c.FanoutMode, err)
		}
	}
	return nil
}

func (s *socket) hardware() (uint16, error) {
	r, err := unix.NewIfreq(s.name)
	if err == nil {
		err = unix.IoctlIfreq(s.Num(), unix.SIOCGIFHWADDR, r)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: its hardware type: %w", s.name, err)
	}
	return r.Uint16(), nil // of a struct sockaddr, the family
}

// mtu returns the interface's MTU in bytes, without link header, or 0 if it is not to be had.
func (s *socket) mtu() int {
	r, err := unix.NewIfreq(s.name)
	if err == nil {
		err = unix.IoctlIfreq(s.Num(), unix.SIOCGIFMTU, r)
	}
	if err != nil {
		return 0
	}
	return int(r.Uint32())
}

// exists reports whether the interface is still there, under whatever name.
func (s *socket) exists() bool {
	var r struct { // struct ifreq, by index
		name  [unix.IFNAMSIZ]byte
		index int32
		_     [20]byte
	}
	r.index = int32(s.index)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.Num()), unix.SIOCGIFNAME, uintptr(unsafe.Pointer(&r)))
	return errno == 0
}

// err returns the error that the socket is in, if any, and takes it out of it.
func (s *socket) err() error {
	n, err := unix.GetsockoptInt(s.Num(), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		return unix.Errno(n)
	}
	return nil
}

// drops returns how many frames found the socket's buffer full since it was last asked.
func (s *socket) drops() uint64 {
	st, err := unix.GetsockoptTpacketStats(s.Num(), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}

// hasAddress reports whether the host has an address on the interface, so that it answers too.
func hasAddress(name string) bool {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return false
	}
	addrs, err := i.Addrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); err == nil && ok && !ip.IP.IsLinkLocalUnicast() {
			return true
		}
	}
	return false
}
