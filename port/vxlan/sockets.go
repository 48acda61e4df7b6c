//go:build unix

// The sockets: one to receive, and a set to send.

package vxlan

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/udpsock"
)

func (c *Config) socket() udpsock.Config {
	return udpsock.Config{Local: netip.AddrPortFrom(c.Local, 0), Device: c.Device, TTL: c.TTL, TOS: c.TOS, SendBuf: c.SendBuf}
}

// openReceiver opens the socket that peers send to.
func openReceiver(c *Config) (*udpsock.Socket, error) {
	sc := c.socket()
	sc.Local = netip.AddrPortFrom(c.Local, c.Port)
	sc.RecvBuf = c.RecvBuf
	s, err := udpsock.Open(sc)
	if err != nil {
		return nil, c.help(err)
	}
	if c.Local.Is6() {
		if err := s.AcceptNoChecksum(); err != nil {
			return nil, errors.Join(fmt.Errorf("accepting datagrams without a checksum: %w", err), s.Close())
		}
	}
	return s, nil
}

// openSenders opens the sockets that datagrams are sent from, each with a port of its own. To a single peer they are connected,
// which saves the kernel a look at its routes with each datagram.
func openSenders(c *Config) (all []*udpsock.Socket, err error) {
	low, high, want := 49152, 65535, defaultSockets
	if c.SourcePorts[0] != 0 {
		low, high = int(c.SourcePorts[0]), int(c.SourcePorts[1])
		want = min(high-low+1, mostSockets)
	}
	sc := c.socket()
	if len(c.Peers) == 1 {
		sc.Remote = netip.AddrPortFrom(c.Peers[0], c.Port)
	}
	size := high - low + 1
	step := max(1, size/want) // spread over the range, and not those that another port has chosen
	first := rand.IntN(size)
	var last error
	for i := 0; i < size && len(all) < want; i++ {
		at := i * step
		at = (first + at + at/size) % size // each number once, if step divides size, and many of them otherwise
		sc.Local = netip.AddrPortFrom(c.Local, uint16(low+at))
		s, err := udpsock.Open(sc)
		switch {
		case err == nil:
			all = append(all, s)
		case errors.Is(err, unix.EADDRINUSE):
			last = err
		default:
			return nil, errors.Join(c.help(err), closeAll(all))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("all source ports of %d to %d are taken: %w", low, high, last)
	}
	return all, nil
}

func closeAll(sockets []*udpsock.Socket) error {
	var errs []error
	for _, s := range sockets {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// underlay returns the length of the longest IP packet that goes to all peers in one piece, in bytes. A peer without
// a route is not counted, and what is wrong with it is in warnings.
func underlay(c *Config) (mtu int, warnings []string) {
	for _, p := range c.Peers {
		sc := c.socket()
		sc.Remote = netip.AddrPortFrom(p, c.Port)
		s, err := udpsock.Open(sc)
		if err != nil {
			warnings = append(warnings, fmt.Sprintf("peer %v can't be reached now: %v", p, c.help(err)))
			continue
		}
		if path, err := s.PathMTU(); err == nil && (mtu == 0 || path < mtu) {
			mtu = path
		}
		_ = s.Close()
	}
	if mtu == 0 {
		mtu = 1500
		warnings = append(warnings, "the underlay's MTU is not known, and taken to be 1500")
	}
	return mtu, warnings
}

// help says what to do about an error of the system's.
func (c *Config) help(err error) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("UDP port %d is taken: %w. A vxlan device of the kernel has it (ip -d link show type vxlan), or Open vSwitch (ovs-vsctl show), "+
			"or another program (ss -ulnp). One of them can receive at a port: delete the other, give each an address of its own with local=, or choose another port with port=, the same at all peers", c.Port, err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%w: no interface has the address; ip addr shows them", err)
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH):
		return fmt.Errorf("%w: there is no route; ip route get ADDRESS shows what is missing", err)
	case errors.Is(err, unix.ENODEV):
		return fmt.Errorf("%w: ip link shows the interfaces", err)
	case errors.Is(err, errors.ErrUnsupported) && c.Device != "":
		return fmt.Errorf("%w: key dev works on Linux only; use local", err)
	}
	return err
}
