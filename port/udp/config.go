//go:build unix

// Config: what a port is like, in Go and as keys of a port string.

package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/port"
)

// Link types of frames received.
const (
	linkEthernet = port.LinkTypeEthernet
	linkRaw      = 101
)

// Config says what a port is like. Remote is required.
type Config struct {
	// Name is what the port is called. Default "udp:LOCAL>REMOTE".
	Name string
	// Local is the address and port to send from and to receive at. An invalid address is any; port 0 is one that
	// is free.
	Local netip.AddrPort
	// Remote is the other end.
	Remote netip.AddrPort
	// LinkType is what Info says of frames received. Default Ethernet.
	LinkType uint16
	// MTU is the longest frame that is sent, in bytes, 1 to 65507. Default what the path takes in one piece.
	MTU int
	// SendBuf and RecvBuf are the sizes of the socket's buffers, in bytes. Default 4 MiB; without root the system's limit
	// may be less.
	SendBuf, RecvBuf int
	// Runs says whether runs of datagrams pass through the kernel as one: Auto, On (an error if it can't) or Off.
	Runs string
}

// What Config.Runs may be.
const (
	Auto = udpsock.Auto
	On   = udpsock.On
	Off  = udpsock.Off
)

// ErrConfig is wrapped by the errors about a Config.
var ErrConfig = errors.New("bad configuration")

func bad(field string, value any, want string) error {
	return fmt.Errorf("udp: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

func (c Config) withDefaults() (Config, error) {
	if !c.Remote.Addr().IsValid() || c.Remote.Port() == 0 {
		return c, bad("Remote", c.Remote, "an address and a port of 1 to 65535")
	}
	c.Remote = netip.AddrPortFrom(c.Remote.Addr().Unmap(), c.Remote.Port())
	if !c.Local.Addr().IsValid() {
		any := netip.IPv4Unspecified()
		if c.Remote.Addr().Is6() {
			any = netip.IPv6Unspecified()
		}
		c.Local = netip.AddrPortFrom(any, c.Local.Port())
	}
	c.Local = netip.AddrPortFrom(c.Local.Addr().Unmap(), c.Local.Port())
	if c.Name == "" {
		c.Name = fmt.Sprintf("udp:%v>%v", c.Local, c.Remote)
	}
	if c.LinkType == 0 {
		c.LinkType = linkEthernet
	}
	switch {
	case c.Local.Addr().Is4() != c.Remote.Addr().Is4():
		return c, bad("Local", c.Local, "an address of the family of Remote, "+c.Remote.String())
	case c.MTU < 0 || c.MTU > udpsock.MaxPayload:
		return c, bad("MTU", c.MTU, fmt.Sprintf("1 to %d", udpsock.MaxPayload))
	}
	t, err := udpsock.Tuning{SendBuf: c.SendBuf, RecvBuf: c.RecvBuf, Runs: c.Runs}.WithDefaults(bad)
	c.SendBuf, c.RecvBuf, c.Runs = t.SendBuf, t.RecvBuf, t.Runs
	return c, err
}

func init() {
	port.Register(port.Kind{
		Name:    "udp",
		Summary: "frames in UDP datagrams, as they are, to and from one other end",
		Target:  "LOCAL>REMOTE",
		Example: "udp:0.0.0.0:7000>192.0.2.1:7000",
		Does:    port.Both,
		Keys: []port.Key{
			{Name: "link", Default: "ethernet", Help: "what frames received are: ethernet, or raw, IP packets, as a tun port has them"},
			{Name: "mtu", Default: "what the path takes in one piece", Help: "longest frame sent, in bytes; one too long for the path goes in IP fragments"},
			{Name: "sndbuf", Default: "4194304", Help: "size of the socket's send buffer, in bytes"},
			{Name: "rcvbuf", Default: "4194304", Help: "size of the socket's receive buffer, in bytes"},
			udpsock.RunsKey,
		},
		Open:   openSpec,
		Doctor: udpsock.Doctor,
	})
}

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	c, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	p, err := Open(o, c)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	from, to, ok := strings.Cut(s.Target, ">")
	if !ok || to == "" {
		return c, s.Errorf("want udp:LOCAL>REMOTE, as in udp:0.0.0.0:7000>192.0.2.1:7000 or udp:>192.0.2.1:7000")
	}
	if from != "" {
		if c.Local, err = udpsock.LookupPort(from, netip.Addr{}); err != nil {
			return c, s.Errorf("LOCAL: %w", err)
		}
	}
	if c.Remote, err = udpsock.LookupPort(to, c.Local.Addr()); err != nil {
		return c, s.Errorf("REMOTE: %w", err)
	}
	if !c.Remote.Addr().IsValid() || c.Remote.Port() == 0 {
		return c, s.Errorf("REMOTE is %q, want a host and a port of 1 to 65535", to)
	}
	link, err := s.OneOf("link", "ethernet", "raw")
	if err != nil {
		return c, err
	}
	if link == "raw" {
		c.LinkType = linkRaw
	}
	mtu, err := s.Int("mtu", 0, 1, udpsock.MaxPayload)
	if err != nil {
		return c, err
	}
	c.MTU = int(mtu)
	t, err := udpsock.TuningOf(s)
	c.SendBuf, c.RecvBuf, c.Runs = t.SendBuf, t.RecvBuf, t.Runs
	return c, err
}
