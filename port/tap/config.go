//go:build linux

// The kinds and their keys.

package tap

import (
	"net"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// maxQueues is how many queues a device can have: MAX_TAP_QUEUES of the kernel.
const maxQueues = 256

// config is a port string's meaning.
type config struct {
	spec   *port.Spec
	tun    bool
	device string // "" or with %d: the kernel chooses
	queues int
	vnet   bool
	// What the device is made to be. Negative numbers, and nil: it stays as it is.
	mtu, txqlen, persist int
	up                   bool
	mac                  net.HardwareAddr
	addrs                []netip.Prefix
}

// header is how long the link header is, in bytes.
func (c *config) header() int {
	if c.tun {
		return 0
	}
	return 14
}

func init() {
	keys := []port.Key{
		{Name: "queues", Default: "1", Help: "queues of the device that are the port's, 1 to 256; more than 1 want a device made so"},
		{Name: "vnet", Default: "on", Help: "on: frames keep their offloads (large frames, open checksums); off: they are finished ones"},
		{Name: "mtu", Default: "as it is", Help: "MTU of the device in bytes, without the link header: 68 to 65535"},
		{Name: "up", Default: "on", Help: "on: the device is brought up; off: it stays as it is"},
		{Name: "addr", Help: "addresses that the device is given, joined by +, such as 10.0.0.1/24+fd00::1/64"},
		{Name: "txqlen", Default: "as it is", Help: "frames that the device holds for Rx before it drops, each queue: 1 to 65536"},
		{Name: "persist", Default: "as it is", Help: "on: the device stays when the port is closed; off: it goes"},
	}
	mac := port.Key{Name: "mac", Default: "as it is", Help: "MAC address of the device, such as 02:00:00:00:00:01"}
	port.Register(port.Kind{
		Name:         "tap",
		Summary:      "a network device of Linux whose other end is the port: Ethernet frames, with their offloads",
		Target:       "DEVICE",
		Example:      "tap:tap0,queues=2,mtu=9000",
		Does:         port.Both,
		Capabilities: []string{"cap_net_admin"},
		Keys:         append([]port.Key{mac}, keys...),
		Open:         func(s *port.Spec, o port.Options) (port.Port, error) { return openSpec(s, o, false) },
		Doctor:       func() []port.Finding { return doctor(false) },
	})
	port.Register(port.Kind{
		Name:         "tun",
		Summary:      "a network device of Linux whose other end is the port: IP packets, as a VPN has them",
		Target:       "DEVICE",
		Example:      "tun:vpn0,addr=10.0.0.1/24,mtu=1420",
		Does:         port.Both,
		Capabilities: []string{"cap_net_admin"},
		Keys:         keys,
		Open:         func(s *port.Spec, o port.Options) (port.Port, error) { return openSpec(s, o, true) },
		Doctor:       func() []port.Finding { return doctor(true) },
	})
}

func openSpec(s *port.Spec, o port.Options, tun bool) (port.Port, error) {
	c, err := parse(s, tun)
	if err != nil {
		return nil, err
	}
	p, err := open(c, o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func parse(s *port.Spec, tun bool) (*config, error) {
	c := &config{spec: s, tun: tun, device: s.Target, persist: -1}
	if err := checkName(s, c.device); err != nil {
		return nil, err
	}
	var err error
	number := s.Ints(&err)
	isOn := func(key, def, other string) (on bool) {
		if err == nil {
			var v string
			v, err = s.OneOf(key, def, other)
			on = v == "on"
		}
		return on
	}
	c.queues = int(number("queues", 1, 1, maxQueues))
	c.mtu = int(number("mtu", -1, 68, 65535))
	c.txqlen = int(number("txqlen", -1, 1, 65536))
	c.vnet = isOn("vnet", "on", "off")
	c.up = isOn("up", "on", "off")
	if s.Has("persist") {
		c.persist = 0
		if isOn("persist", "on", "off") {
			c.persist = 1
		}
	}
	if err != nil {
		return nil, err
	}
	if text := s.String("mac", ""); s.Has("mac") {
		if c.mac, err = net.ParseMAC(text); err != nil || len(c.mac) != 6 || c.mac[0]&1 != 0 {
			return nil, s.Errorf("key mac is %q, want the address of one station, such as 02:00:00:00:00:01", text)
		}
	}
	if text := s.String("addr", ""); s.Has("addr") {
		for part := range strings.SplitSeq(text, "+") {
			a, err := netip.ParsePrefix(part)
			if err != nil {
				return nil, s.Errorf("key addr is %q, want addresses with their prefix lengths, joined by +, such as 10.0.0.1/24+fd00::1/64", text)
			}
			c.addrs = append(c.addrs, a)
		}
	}
	return c, nil
}

// checkName says what is wrong with the name of a device.
func checkName(s *port.Spec, name string) error {
	switch {
	case len(name) >= unix.IFNAMSIZ:
		return s.Errorf("the device's name %q has %d bytes, and Linux takes %d", name, len(name), unix.IFNAMSIZ-1)
	case name == "." || name == ".." || strings.ContainsAny(name, "/: \t\n\v\f\r\x00"):
		return s.Errorf("%q is no name of a device: no slash, colon or space can be in it", name)
	case strings.Count(name, "%") > 1 || strings.Contains(strings.ReplaceAll(name, "%d", ""), "%"):
		return s.Errorf("%q is no name of a device: of %%, it may have one %%d, for which the kernel puts a number", name)
	}
	return nil
}
