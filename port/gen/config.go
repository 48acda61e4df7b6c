// Config: what is to be generated, in Go and as keys of a port string.

package gen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
)

// Config says what frames there are to be. Its zero fields have defaults.
type Config struct {
	// Name is what the port is called. Default "gen:".
	Name string
	// Sizes are the sizes of frames and how often they come. Default 60 bytes (or the
	// shortest possible frame, if that is longer) alone.
	Sizes Mix
	// Rate is how fast they come. The zero Rate is as fast as they are taken.
	Rate port.Rate
	// Count is how many there are; 0 is no end.
	Count uint64
	// Seed is what sizes are drawn with and payloads are filled from.
	Seed uint64
	// Flows is the number of distinct 5-tuples, 1 to MaxFlows. Default 1.
	Flows int
	// VLAN is the tag that frames have, if its TPID is not 0.
	VLAN packet.VLAN
	// IP is the version, 4 or 6. Default 4.
	IP int
	// Src and Dst are the Ethernet addresses. Default 02:00:00:00:00:01 and
	// 02:00:00:00:00:02.
	Src, Dst packet.MAC
}

// Share is one size of a Mix.
type Share struct {
	Size   int // of the frame in bytes, without frame check sequence
	Weight int // how often, in proportion to the other weights; from 1 up
}

// Mix is the sizes that frames have.
type Mix []Share

const (
	// MinSize is the shortest frame, as Ethernet has it, in bytes.
	MinSize = 60
	// MaxFlows is the largest number of flows.
	MaxFlows = 1 << 24
	// MaxWeight is the largest sum of the weights of a Mix.
	MaxWeight = 1 << 16

	maxSizes = 256 // so that frames.draw has one byte for each
)

var imix = Mix{{MinSize, 7}, {590, 4}, {1514, 1}}

// IMIX returns the mix of sizes called imix, for frames that are at least min bytes long.
func IMIX(min int) Mix {
	m := append(Mix(nil), imix...)
	m[0].Size = max(m[0].Size, min)
	return m
}

// ErrConfig is wrapped by the errors about a Config.
var ErrConfig = errors.New("bad configuration")

func bad(field, format string, args ...any) error {
	return fmt.Errorf("gen: %w: Config.%s %s", ErrConfig, field, fmt.Sprintf(format, args...))
}

// ParseMix reads a mix of sizes such as 60, or 60x7+590x4+1514. A weight that is left
// out is 1. It doesn't know imix, which depends on the headers.
func ParseMix(text string) (Mix, error) {
	var m Mix
	for part := range strings.SplitSeq(text, "+") {
		size, weight, weighted := strings.Cut(part, "x")
		s := Share{Weight: 1}
		var err error
		if s.Size, err = strconv.Atoi(size); err == nil && weighted {
			s.Weight, err = strconv.Atoi(weight)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: size %q, want bytes such as 60, sizes with weights such as 60x7+590x4+1514x1, or imix", port.ErrValue, text)
		}
		m = append(m, s)
	}
	return m, nil
}

// String returns the mix as ParseMix reads it.
func (m Mix) String() string {
	if len(m) == 1 {
		return strconv.Itoa(m[0].Size)
	}
	var parts []string
	for _, s := range m {
		parts = append(parts, fmt.Sprintf("%dx%d", s.Size, s.Weight))
	}
	return strings.Join(parts, "+")
}

// headerLen is the length in bytes of the headers in front of the payload.
func (c *Config) headerLen() int {
	n := packet.EthernetLen + packet.IPv4Len + packet.UDPLen
	if c.IP == 6 {
		n += packet.IPv6Len - packet.IPv4Len
	}
	if c.VLAN.TPID != 0 {
		n += packet.VLANLen
	}
	return n
}

// MinSize returns the size of the shortest frame that c's headers and the sequence number
// leave, in bytes.
func (c *Config) MinSize() int { return max(MinSize, c.headerLen()+payloadMin) }

// MaxSize returns the size of the longest frame that c's headers allow, in bytes.
func (c *Config) MaxSize() int {
	n := c.headerLen() + packet.MaxUDPPayload
	if c.IP != 6 {
		n -= packet.IPv4Len
	}
	return n
}

// withDefaults returns c with its defaults filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		c.Name = "gen:"
	}
	if c.IP == 0 {
		c.IP = 4
	}
	if c.IP != 4 && c.IP != 6 {
		return c, bad("IP", "is %d, want 4 or 6", c.IP)
	}
	if c.Flows == 0 {
		c.Flows = 1
	}
	if c.Flows < 1 || c.Flows > MaxFlows {
		return c, bad("Flows", "is %d, want 1 to %d", c.Flows, MaxFlows)
	}
	if c.Src.IsZero() {
		c.Src = packet.MAC{2, 0, 0, 0, 0, 1}
	}
	if c.Dst.IsZero() {
		c.Dst = packet.MAC{2, 0, 0, 0, 0, 2}
	}
	if c.Src.IsMulticast() {
		return c, bad("Src", "is %s, a group address", c.Src)
	}
	if len(c.Sizes) == 0 {
		c.Sizes = Mix{{c.MinSize(), 1}}
	}
	if len(c.Sizes) > maxSizes {
		return c, bad("Sizes", "has %d sizes, want up to %d", len(c.Sizes), maxSizes)
	}
	sum := 0
	for _, s := range c.Sizes {
		if low, high := c.MinSize(), c.MaxSize(); s.Size < low || s.Size > high {
			return c, bad("Sizes", "has %d bytes, want %d to %d with these headers", s.Size, low, high)
		}
		if s.Weight < 1 || s.Weight > MaxWeight || sum+s.Weight > MaxWeight {
			return c, bad("Sizes", "has weights below 1 or of more than %d in all", MaxWeight)
		}
		sum += s.Weight
	}
	if r := c.Rate; r.PPS < 0 || r.BPS < 0 || r.PPS > 0 && r.BPS > 0 || r.PPS != r.PPS || r.BPS != r.BPS {
		return c, bad("Rate", "is %v, want frames or bits a second", r)
	}
	return c, nil
}

var kind = port.Kind{
	Name:    "gen",
	Summary: "generates UDP frames",
	Example: "gen:size=imix,rate=100kpps,count=1M",
	Does:    port.In,
	Keys: []port.Key{
		{Name: "size", Default: "60", Help: "bytes of a frame without check sequence; sizes with weights, 60x7+590x4+1514x1; or imix, which is that"},
		{Name: "rate", Help: "frames or bits a second, such as 10kpps or 1Gbit/s; none is as fast as possible"},
		{Name: "count", Default: "0", Help: "number of frames; 0 is no end"},
		{Name: "seed", Default: "1", Help: "what sizes are drawn with and payloads are filled from; 0 to 2^63-1"},
		{Name: "flows", Default: "1", Help: "number of distinct 5-tuples, up to 16777216"},
		{Name: "vlan", Help: "VLAN that frames are tagged with, 0 to 4094; none is no tag"},
		{Name: "ip", Default: "4", Help: "version, 4 or 6"},
		{Name: "src", Default: "02:00:00:00:00:01", Help: "source MAC address"},
		{Name: "dst", Default: "02:00:00:00:00:02", Help: "destination MAC address"},
	},
	Open: openSpec,
}

func init() { port.Register(kind) }

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	c, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	p, err := Open(c, o)
	if err != nil {
		return nil, s.Errorf("%w", err)
	}
	return p, nil
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	number := s.Ints(&err)
	const most = 1<<63 - 1
	c.Count = uint64(number("count", 0, 0, most))
	c.Seed = uint64(number("seed", 1, 0, most))
	c.Flows = int(number("flows", 1, 1, MaxFlows))
	if id := number("vlan", -1, 0, 4094); id >= 0 && err == nil {
		c.VLAN = packet.NewVLAN(uint16(id), 0)
	}
	if err != nil {
		return c, err
	}
	version, err := s.OneOf("ip", "4", "6")
	if err != nil {
		return c, err
	}
	c.IP = int(version[0] - '0')
	if c.Rate, err = s.Rate("rate"); err != nil {
		return c, err
	}
	for key, mac := range map[string]*packet.MAC{"src": &c.Src, "dst": &c.Dst} {
		if s.Has(key) {
			if *mac, err = packet.ParseMAC(s.String(key, "")); err != nil {
				return c, s.Errorf("key %s is %q, want a MAC address such as 02:00:00:00:00:01", key, s.String(key, ""))
			}
		}
	}
	switch size := s.String("size", ""); {
	case !s.Has("size"):
	case size == "imix":
		c.Sizes = IMIX(c.MinSize())
	default:
		if c.Sizes, err = ParseMix(size); err != nil {
			return c, s.Errorf("key size: %w", err)
		}
		if _, err := c.withDefaults(); err != nil {
			return c, s.Errorf("key size is %q: want %d to %d bytes with these headers, %d sizes at most, and weights from 1 up that sum to %d at most", size, c.MinSize(), c.MaxSize(), maxSizes, MaxWeight)
		}
	}
	return c, nil
}
