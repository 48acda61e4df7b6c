//go:build unix

// Config: what a port is like, in Go and as keys of a port string.

package vxlan

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
)

const (
	// DefaultPort is VXLAN's UDP port.
	DefaultPort = 4789
	// DefaultAge is how long an address is known after it was last seen.
	DefaultAge = 300 * time.Second
	// MaxPeers is how many peers a port can have.
	MaxPeers = 1024

	defaultSockets = 16
	mostSockets    = 64
	leastMTU       = packet.EthernetLen + 68 // IPv4's
	mostMTU        = udpsock.MaxPayload - headerLen
)

// Config says what a port is like. Peers are required.
type Config struct {
	// Name is what the port is called. Default "vxlan:PEER,…,vni=N".
	Name string
	// Peers are the addresses of the other attached machines, 1 to MaxPeers, of one family.
	Peers []netip.Addr
	// VNI is the number of the network, 0 to 16777215.
	VNI uint32
	// Port is the UDP port that frames are received at and sent to. Default DefaultPort.
	Port uint16
	// Local is the address to receive at and to send from. Default any.
	Local netip.Addr
	// Device is an interface of the underlay that the sockets are bound to (Linux only). Default none.
	Device string
	// SourcePorts are the lowest and the highest port to send from. Default: 16 of 49152 to 65535. From a range that is
	// given, up to 64 are used.
	SourcePorts [2]uint16
	// TTL and TOS are the underlay's: 1 to 255, default the system's; 0 to 255.
	TTL, TOS int
	// Age is how long an address is known after it was last seen. Default DefaultAge.
	Age time.Duration
	// NoLearning sends all to all peers.
	NoLearning bool
	// MTU is the longest frame that is sent, in bytes, its Ethernet header included. Default what the underlay takes.
	MTU int
	// SendBuf and RecvBuf are the sizes of each socket's buffers, in bytes. Default 4 MiB; without root the system's limit
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
	return fmt.Errorf("vxlan: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Peers) == 0 || len(c.Peers) > MaxPeers {
		return c, bad("Peers", fmt.Sprintf("%d peers", len(c.Peers)), fmt.Sprintf("1 to %d", MaxPeers))
	}
	c.Peers = slices.Clone(c.Peers)
	for i, p := range c.Peers {
		c.Peers[i] = p.Unmap()
		switch p = c.Peers[i]; {
		case !p.IsValid() || p.IsUnspecified():
			return c, bad("Peers", p, "an address of one machine")
		case p.IsMulticast():
			return c, bad("Peers", p, "the addresses of the peers themselves: each gets a copy, and a multicast group is not used")
		case p.Is4() != c.Peers[0].Is4():
			return c, bad("Peers", p, "all peers to be IPv4, or all IPv6")
		case slices.Contains(c.Peers[:i], p):
			return c, bad("Peers", p, "each peer once")
		}
	}
	six := c.Peers[0].Is6()
	if !c.Local.IsValid() {
		c.Local = netip.IPv4Unspecified()
		if six {
			c.Local = netip.IPv6Unspecified()
		}
	}
	c.Local = c.Local.Unmap()
	if c.Name == "" {
		var peers []string
		for _, p := range c.Peers {
			peers = append(peers, p.String())
		}
		c.Name = fmt.Sprintf("vxlan:%s,vni=%d", strings.Join(peers, ","), c.VNI)
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	if c.Age == 0 {
		c.Age = DefaultAge
	}
	low, high := c.SourcePorts[0], c.SourcePorts[1]
	switch {
	case c.VNI > mostVNI:
		return c, bad("VNI", c.VNI, fmt.Sprintf("0 to %d", mostVNI))
	case c.Local.Is6() != six:
		return c, bad("Local", c.Local, "an address of the peers' family")
	case (low != 0 || high != 0) && (low == 0 || low > high):
		return c, bad("SourcePorts", c.SourcePorts, "the lowest and the highest, 1 to 65535")
	case c.TTL < 0 || c.TTL > 255:
		return c, bad("TTL", c.TTL, "1 to 255")
	case c.TOS < 0 || c.TOS > 255:
		return c, bad("TOS", c.TOS, "0 to 255")
	case c.Age < 0:
		return c, bad("Age", c.Age, "more than 0")
	case c.MTU != 0 && (c.MTU < leastMTU || c.MTU > mostMTU):
		return c, bad("MTU", c.MTU, fmt.Sprintf("%d to %d", leastMTU, mostMTU))
	}
	t, err := udpsock.Tuning{SendBuf: c.SendBuf, RecvBuf: c.RecvBuf, Runs: c.Runs}.WithDefaults(bad)
	c.SendBuf, c.RecvBuf, c.Runs = t.SendBuf, t.RecvBuf, t.Runs
	return c, err
}

func init() {
	port.Register(port.Kind{
		Name:    "vxlan",
		Summary: "an Ethernet network over UDP (RFC 7348): other Ringways, the Linux kernel, Open vSwitch",
		Target:  "PEER,PEER,…",
		Example: "vxlan:192.0.2.7,192.0.2.8,vni=7",
		Does:    port.Both,
		Keys: []port.Key{
			{Name: "vni", Help: "number of the network, 0 to 16777215; required"},
			{Name: "port", Default: strconv.Itoa(DefaultPort), Help: "UDP port, here and at the peers"},
			{Name: "local", Default: "any", Help: "address of this machine to receive at and to send from"},
			{Name: "dev", Help: "interface of the underlay to bind to, Linux only"},
			{Name: "sport", Default: "16 of 49152-65535", Help: "ports to send from, LOW-HIGH; a flow keeps to one of them"},
			{Name: "ttl", Default: "the system's", Help: "TTL or hop limit in the underlay, 1 to 255"},
			{Name: "tos", Default: "0", Help: "TOS or traffic class in the underlay, 0 to 255"},
			{Name: "age", Default: DefaultAge.String(), Help: "how long an address is known to be behind a peer after it was last seen there"},
			{Name: "learn", Default: "on", Help: "on: frames go to the peer that has their destination; off: all go to all peers"},
			{Name: "mtu", Default: "what the underlay takes", Help: "longest frame sent, in bytes, Ethernet header included"},
			{Name: "sndbuf", Default: strconv.Itoa(udpsock.DefaultBuffer), Help: "size of each socket's send buffer, in bytes"},
			{Name: "rcvbuf", Default: strconv.Itoa(udpsock.DefaultBuffer), Help: "size of the socket's receive buffer, in bytes"},
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
	switch {
	case errors.Is(err, ErrConfig):
		return nil, s.Errorf("%w", err)
	case err != nil:
		return nil, err
	}
	return p, nil
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	if s.Target == "" {
		return c, s.Errorf("vxlan needs the addresses of its peers, as in vxlan:192.0.2.7,192.0.2.8,vni=7")
	}
	for _, text := range strings.Split(s.Target, ",") {
		var like netip.Addr
		if len(c.Peers) > 0 {
			like = c.Peers[0]
		}
		peer, err := udpsock.Lookup(text, like)
		if err != nil {
			return c, s.Errorf("peer: %w", err)
		}
		c.Peers = append(c.Peers, peer)
	}
	if !s.Has("vni") {
		return c, s.Errorf("key vni is missing: the number of the network, 0 to %d, the same at all peers", mostVNI)
	}
	number := s.Ints(&err)
	c.VNI = uint32(number("vni", 0, 0, mostVNI))
	c.Port = uint16(number("port", DefaultPort, 1, 65535))
	c.TTL = int(number("ttl", 0, 1, 255))
	c.TOS = int(number("tos", 0, 0, 255))
	c.MTU = int(number("mtu", 0, leastMTU, mostMTU))
	if err != nil {
		return c, err
	}
	t, err := udpsock.TuningOf(s)
	if err != nil {
		return c, err
	}
	c.SendBuf, c.RecvBuf, c.Runs = t.SendBuf, t.RecvBuf, t.Runs
	if text := s.String("local", ""); text != "" {
		if c.Local, err = udpsock.Lookup(text, c.Peers[0]); err != nil {
			return c, s.Errorf("key local: %w", err)
		}
	}
	c.Device = s.String("dev", "")
	if text := s.String("sport", ""); text != "" {
		if c.SourcePorts, err = portRange(text); err != nil {
			return c, s.Errorf("key sport is %q, want LOW-HIGH, two numbers of 1 to 65535", text)
		}
	}
	if c.Age, err = s.Duration("age", DefaultAge); err != nil {
		return c, err
	}
	if c.Age == 0 {
		return c, s.Errorf("key age is 0: learn=off keeps no addresses")
	}
	learn, err := s.OneOf("learn", "on", "off")
	if err != nil {
		return c, err
	}
	c.NoLearning = learn == "off"
	return c, nil
}

// portRange reads LOW-HIGH.
func portRange(text string) (r [2]uint16, err error) {
	low, high, _ := strings.Cut(text, "-")
	for i, t := range []string{low, high} {
		n, err := strconv.ParseUint(t, 10, 16)
		if err != nil {
			return r, err
		}
		r[i] = uint16(n)
	}
	if r[0] == 0 || r[0] > r[1] {
		return r, ErrConfig
	}
	return r, nil
}
