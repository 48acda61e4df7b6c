//go:build linux

// Config: what a port is like, in Go and as keys of a port string.

package afpacket

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netif"
	"github.com/ringway-net/ringway/port"
)

// Config says how an interface is used. The zero Config is a good one.
type Config struct {
	// Name is what the port is called. Default "afpacket:" and the interface.
	Name string
	// NotPromiscuous leaves the interface as it is: it receives what is sent to its own address, to groups that
	// somebody has joined, and to all.
	NotPromiscuous bool
	// Bypass sends past the interface's queueing discipline (tc). On that way the kernel cuts no frames that the
	// interface can't cut, and so the port cuts all itself.
	Bypass bool
	// Slots is how many frames, up to the MTU, can wait to be received: 1 to 65536. Default DefaultSlots.
	Slots int
	// ReceiveBuffer and SendBuffer are how many bytes of frames, with what the kernel adds to each, may wait in the
	// socket: to be received, those larger than the MTU alone. Default DefaultSocketBuffer.
	ReceiveBuffer, SendBuffer int
	// Fanout shares the interface's frames out among the sockets of all programs that name the same group, 1 to
	// 65535. Default 0, none.
	Fanout int
	// FanoutMode is how: "hash" (by flow, the default), "lb" (in turns), "cpu" (by the processor on which they came),
	// "rnd", "qm" (by the card's queue) or "rollover" (to one until it is full).
	FanoutMode string
}

// DefaultSlots is how many frames wait by default: 4 MiB of them, with an MTU of 1500.
const DefaultSlots = 2048

// maxSlots is what a port may ask for.
const maxSlots = 1 << 16

// DefaultSocketBuffer is the size of a socket's buffers in bytes: 64 large segments with what the kernel adds.
const DefaultSocketBuffer = 8 << 20

// ErrConfig is wrapped by the errors about a Config.
var ErrConfig = errors.New("bad configuration")

func bad(field string, value any, want string) error {
	return fmt.Errorf("afpacket: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

var fanoutModes = []string{"hash", "lb", "cpu", "rnd", "qm", "rollover"}

// fanoutType is what the kernel calls a mode.
var fanoutType = map[string]int{
	"hash": unix.PACKET_FANOUT_HASH, "lb": unix.PACKET_FANOUT_LB, "cpu": unix.PACKET_FANOUT_CPU,
	"rnd": unix.PACKET_FANOUT_RND, "qm": unix.PACKET_FANOUT_QM, "rollover": unix.PACKET_FANOUT_ROLLOVER,
}

// withDefaults returns c with its defaults filled in, or what is wrong with it.
func (c Config) withDefaults(target string) (Config, error) {
	if c.Name == "" {
		c.Name = "afpacket:" + target
	}
	for _, b := range []struct {
		field string
		size  *int
	}{{"ReceiveBuffer", &c.ReceiveBuffer}, {"SendBuffer", &c.SendBuffer}} {
		if *b.size == 0 {
			*b.size = DefaultSocketBuffer
		}
		if *b.size < minSocketBuffer || *b.size > math.MaxInt32/2 {
			return c, bad(b.field, *b.size, fmt.Sprintf("%d to %d bytes", minSocketBuffer, math.MaxInt32/2))
		}
	}
	if c.Slots == 0 {
		c.Slots = DefaultSlots
	}
	if c.Slots < 1 || c.Slots > maxSlots {
		return c, bad("Slots", c.Slots, fmt.Sprintf("1 to %d", maxSlots))
	}
	if c.FanoutMode == "" {
		c.FanoutMode = fanoutModes[0]
	}
	if _, ok := fanoutType[c.FanoutMode]; !ok {
		return c, bad("FanoutMode", c.FanoutMode, "one of "+strings.Join(fanoutModes, ", "))
	}
	if c.Fanout < 0 || c.Fanout > math.MaxUint16 {
		return c, bad("Fanout", c.Fanout, "1 to 65535, or 0 for none")
	}
	return c, nil
}

// offloads are what the kernel does behind a port.
func (c Config) offloads() port.Offloads {
	if c.Bypass {
		return port.OffloadChecksum // what the interface can't cut would be thrown away, and that may change at any time
	}
	return port.AllOffloads
}

// minSocketBuffer is room for one large segment.
const minSocketBuffer = 128 << 10

func init() {
	port.Register(port.Kind{
		Name:         "afpacket",
		Summary:      "a network interface, shared with the host, by a packet socket",
		Target:       "IF",
		Example:      "afpacket:eth0",
		Does:         port.Both,
		Capabilities: []string{"cap_net_raw", "cap_net_admin"},
		Keys: []port.Key{
			{Name: "promisc", Default: "on", Help: "on: receive what is for others too; off: as the interface is"},
			{Name: "qdisc", Default: "kernel", Help: "kernel: send through the queueing discipline; bypass: past it, large frames cut in software"},
			{Name: "slots", Default: fmt.Sprint(DefaultSlots), Help: "frames up to the MTU that can wait to be received"},
			{Name: "rcvbuf", Default: fmt.Sprint(DefaultSocketBuffer), Help: "bytes of frames larger than the MTU that can wait to be received"},
			{Name: "sndbuf", Default: fmt.Sprint(DefaultSocketBuffer), Help: "bytes of frames being sent that can wait in the socket"},
			{Name: "fanout", Help: "group, 1 to 65535, among whose sockets the interface's frames are shared out"},
			{Name: "fanoutmode", Default: fanoutModes[0], Help: "how they are: " + strings.Join(fanoutModes, ", ")},
		},
		Open:   openSpec,
		Doctor: doctor,
	})
}

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	if s.Target == "" {
		there, _ := netif.Names()
		return nil, s.Errorf("afpacket needs an interface, as in afpacket:eth0; there are %s", there)
	}
	c, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	return Open(s.Target, o, c)
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	promisc, err := s.OneOf("promisc", "on", "off")
	if err != nil {
		return c, err
	}
	qdisc, err := s.OneOf("qdisc", "kernel", "bypass")
	if err != nil {
		return c, err
	}
	c.NotPromiscuous, c.Bypass = promisc == "off", qdisc == "bypass"
	number := s.Ints(&err)
	c.Slots = int(number("slots", DefaultSlots, 1, maxSlots))
	c.ReceiveBuffer = int(number("rcvbuf", DefaultSocketBuffer, minSocketBuffer, math.MaxInt32/2))
	c.SendBuffer = int(number("sndbuf", DefaultSocketBuffer, minSocketBuffer, math.MaxInt32/2))
	c.Fanout = int(number("fanout", 0, 1, math.MaxUint16))
	if err != nil {
		return c, err
	}
	c.FanoutMode, err = s.OneOf("fanoutmode", fanoutModes...)
	return c, err
}
