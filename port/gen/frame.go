// Frames: templates made once, and what differs from one frame to the next.

package gen

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/ringway-net/ringway/packet"
)

// Magic is what the payload of a generated frame begins with. The frame's number follows, eight
// bytes with the most significant first.
const Magic = "RWgn"

const payloadMin = len(Magic) + 8

// Sequence returns the number of a generated frame, which count from 0, and false if the frame is not a
// generated one or is damaged in its headers.
func Sequence(frame []byte) (uint64, bool) {
	h := packet.Parse(frame)
	if h.Protocol != packet.ProtoUDP || !h.HasTransport() {
		return 0, false
	}
	payload := packet.UDP(frame[h.L4:]).Payload()
	if len(payload) < payloadMin || string(payload[:len(Magic)]) != Magic {
		return 0, false
	}
	return binary.BigEndian.Uint64(payload[len(Magic):]), true
}

// template is the frame of one size as it is for number 0 and flow 0, and what must be known
// to make another one of it.
type template struct {
	frame []byte
	seqAt int // where the number is
	udpAt int // where the UDP header is
	// udpSum and ipSum are the sums of all that the checksums of UDP and IPv4 cover.
	udpSum, ipSum uint16
	ipAt          int // where the IPv4 header is; 0 if there is none
	addrAt        int // where the last two bytes of the source address are
}

const (
	// A flow is a source port, whose low portBits bits are 0 in flow 0, and an address, to the end
	// of which the bits above are added. Neither addition has a carry into the
	// next 16-bit word, so checksums have them added as they are.
	portBits = 14
	portMask = 1<<portBits - 1
	basePort = 1<<16 - 1<<portBits
	dstPort  = 9 // discard (RFC 863)
)

func newTemplate(c *Config, size int) template {
	spec := packet.UDPSpec{
		DstMAC: c.Dst, SrcMAC: c.Src,
		VLANs: [2]packet.VLAN{c.VLAN},
		Src:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 0, 1}), basePort),
		Dst:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 19, 0, 1}), dstPort),
	}
	if c.IP == 6 {
		spec.Src = netip.AddrPortFrom(netip.MustParseAddr("2001:2::1"), basePort)
		spec.Dst = netip.AddrPortFrom(netip.MustParseAddr("2001:2:0:1::1"), dstPort)
	}
	head := spec.HeaderLen()
	payload := make([]byte, size-head)
	copy(payload, Magic)
	rest := payload[payloadMin:]
	for i := range rest {
		rest[i] = byte(mix(c.Seed+uint64(i>>3)) >> (i & 7 * 8))
	}
	t := template{frame: make([]byte, size), seqAt: head + len(Magic), udpAt: head - packet.UDPLen}
	if n, err := packet.PutUDP(t.frame, &spec, payload); err != nil || n != size {
		panic("gen: a Config that was checked makes no frame") // withDefaults has a hole
	}
	t.udpSum = ^binary.BigEndian.Uint16(t.frame[t.udpAt+6:])
	if c.IP == 6 {
		t.addrAt = t.udpAt - packet.IPv6Len + 22
	} else {
		t.ipAt = t.udpAt - packet.IPv4Len
		t.ipSum = ^binary.BigEndian.Uint16(t.frame[t.ipAt+10:])
		t.addrAt = t.ipAt + 14
	}
	return t
}

// number makes frame, a copy of t.frame, number seq, of flow.
func (t *template) number(frame []byte, seq uint64, flow uint32) {
	be := binary.BigEndian
	frame = frame[:len(t.frame)]
	low, high := flow&portMask, flow>>portBits
	be.PutUint64(frame[t.seqAt:], seq)
	sum := uint64(t.udpSum) + seq>>32 + seq&0xffffffff + uint64(low) + uint64(high)
	if flow != 0 {
		be.PutUint16(frame[t.udpAt:], basePort|uint16(low))
		if high != 0 {
			be.PutUint16(frame[t.addrAt:], 1+uint16(high))
			if t.ipAt != 0 {
				be.PutUint16(frame[t.ipAt+10:], ^fold(uint64(t.ipSum)+uint64(high)))
			}
		}
	}
	check := ^fold(sum)
	if check == 0 {
		check = 0xffff // 0 would say that there is none (RFC 768)
	}
	be.PutUint16(frame[t.udpAt+6:], check)
}

// fold brings a sum below 1<<48 down to 16 bits, each carry added at the bottom.
func fold(x uint64) uint16 {
	x = x>>32 + x&0xffffffff
	x = x>>16 + x&0xffff
	x = x>>16 + x&0xffff
	x = x>>16 + x&0xffff
	return uint16(x)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) behind its step: numbers that look
// random, made from 0, 1, 2 and so on.
func mix(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// frames is the sequence of frames: which template each of them has.
type frames struct {
	templates []template
	// draw has a template's number as often as its weight says; nil if there is one only.
	draw  []uint8
	seed  uint64
	flows uint32
}

func newFrames(c *Config) frames {
	f := frames{seed: mix(c.Seed + 1), flows: uint32(c.Flows)}
	for i, s := range c.Sizes {
		f.templates = append(f.templates, newTemplate(c, s.Size))
		for range s.Weight {
			f.draw = append(f.draw, uint8(i))
		}
	}
	if len(f.templates) == 1 {
		f.draw = nil
	}
	return f
}

// template returns the template of frame number seq.
func (f *frames) template(seq uint64) *template {
	if f.draw == nil {
		return &f.templates[0]
	}
	i, _ := bits.Mul64(mix(f.seed+seq), uint64(len(f.draw)))
	return &f.templates[f.draw[i]]
}
