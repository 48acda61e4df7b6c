//go:build linux

// Config: how a port works, in Go and as keys of a port string.

package afxdp

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/ringway-net/ringway/port"
)

// Mode says how frames get from the device into the pool's buffers.
type Mode uint8

// The modes, each with what it falls back to.
const (
	ModeAuto     Mode = iota // the best of the others that works
	ModeZeroCopy             // the device writes into the buffers; no other will do
	ModeCopy                 // the driver runs the XDP program, and the kernel copies; no other will do
	ModeGeneric              // the kernel's network stack runs it, and copies: works with every device
)

var modes = []string{"auto", "zerocopy", "copy", "generic"}

// String returns the mode's name, as port strings have it.
func (m Mode) String() string {
	if int(m) < len(modes) {
		return modes[m]
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

const (
	// DefaultRingSize is how many frames fit into each ring of a port that doesn't say.
	DefaultRingSize = 2048
	minRingSize     = 64
	maxRingSize     = 32768
	maxBusyPoll     = time.Second
)

// Config says how a port works. The zero Config is a good one.
type Config struct {
	// Name is what the port is called. Default "afxdp:" and the interface.
	Name string
	// Queues are the interface's queues that the port has. Default all.
	Queues []int
	// Mode is the only mode that will do. Default ModeAuto.
	Mode Mode
	// Filter says which frames come to the port; the kernel keeps the others. Nil: all of them come. Ports of one
	// process on one interface have the same filter.
	Filter *Filter
	// BusyPoll is how long WaitRx looks for frames before it sleeps, up to a second. It burns a core for
	// latency: the driver is polled instead of waited for. Default: not at all.
	BusyPoll time.Duration
	// RingSize is how many frames fit into each ring, a power of two of 64 to 32768. Default DefaultRingSize.
	RingSize int
	// NotPromiscuous leaves the interface as it is, instead of receiving frames for other stations too.
	NotPromiscuous bool
	// AlwaysWake makes a system call for each burst, though the kernel did not ask for it: for drivers
	// that don't ask when they should.
	AlwaysWake bool
}

// ErrConfig is wrapped by the errors about a Config.
var ErrConfig = errors.New("bad configuration")

func bad(field string, value any, want string) error {
	return fmt.Errorf("afxdp: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

// withDefaults returns c with its defaults filled in, or what is wrong with it.
func (c Config) withDefaults(target string) (Config, error) {
	if c.Name == "" {
		c.Name = "afxdp:" + target
	}
	if c.RingSize == 0 {
		c.RingSize = DefaultRingSize
	}
	switch {
	case c.RingSize < minRingSize || c.RingSize > maxRingSize || bits.OnesCount(uint(c.RingSize)) != 1:
		return c, bad("RingSize", c.RingSize, fmt.Sprintf("a power of two of %d to %d", minRingSize, maxRingSize))
	case c.BusyPoll < 0 || c.BusyPoll > maxBusyPoll:
		return c, bad("BusyPoll", c.BusyPoll, fmt.Sprintf("0 to %v", maxBusyPoll))
	case int(c.Mode) >= len(modes):
		return c, bad("Mode", c.Mode, "one of the constants")
	}
	c.Queues = slices.Clone(c.Queues)
	slices.Sort(c.Queues)
	if slices.ContainsFunc(c.Queues, func(q int) bool { return q < 0 }) || len(slices.Compact(slices.Clone(c.Queues))) < len(c.Queues) {
		return c, bad("Queues", c.Queues, "numbers from 0 up, each once")
	}
	return c, nil
}

func init() {
	port.Register(port.Kind{
		Name:         "afxdp",
		Summary:      "an interface by AF_XDP: past the kernel's stack, straight into the pool's buffers",
		Target:       "IF",
		Example:      "afxdp:eth0,queue=0,filter=arp|ip+host=10.0.0.1",
		Does:         port.Both,
		Capabilities: []string{"cap_net_raw", "cap_net_admin", "cap_bpf", "cap_ipc_lock"},
		UMEM:         true,
		Keys: []port.Key{
			{Name: "queue", Default: "all", Help: "the one queue to use, from 0 up"},
			{Name: "mode", Default: "auto", Help: "zerocopy, copy or generic: that one or none; auto: the best that works"},
			{Name: "filter", Help: "frames that come to the port, such as arp|ip+host=10.0.0.1+port=53;4789; the kernel keeps the others"},
			{Name: "busypoll", Default: "0s", Help: "how long to look for frames before sleeping, such as 50us; burns a core for latency"},
			{Name: "ring", Default: fmt.Sprint(DefaultRingSize), Help: "frames that fit into each ring, a power of two of 64 to 32768"},
			{Name: "promisc", Default: "on", Help: "off: receive only frames for the interface itself"},
		},
		Open:   openSpec,
		Doctor: doctor,
	})
}

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	if s.Target == "" {
		return nil, s.Errorf("afxdp needs an interface, as in afxdp:eth0")
	}
	c, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	p, err := Open(s.Target, o, c)
	if err != nil {
		return nil, s.OpenError(err, ErrConfig)
	}
	return p, nil
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	if s.String("queue", "all") != "all" {
		q, err := s.Int("queue", 0, 0, 1<<16)
		if err != nil {
			return c, err
		}
		c.Queues = []int{int(q)}
	}
	mode, err := s.OneOf("mode", modes...)
	if err != nil {
		return c, err
	}
	c.Mode = Mode(slices.Index(modes, mode))
	if c.Filter, err = ParseFilter(s.String("filter", "")); err != nil {
		return c, s.Errorf("key filter: %w", err)
	}
	if c.BusyPoll, err = s.Duration("busypoll", 0); err != nil {
		return c, err
	}
	size, err := s.Int("ring", DefaultRingSize, minRingSize, maxRingSize)
	if err != nil {
		return c, err
	}
	c.RingSize = int(size)
	promiscuous, err := s.OneOf("promisc", "on", "off")
	c.NotPromiscuous = promiscuous == "off"
	return c, err
}
