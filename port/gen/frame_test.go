package gen

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFrames: any frame, with any number and flow, is what its Config says: read by gopacket, which makes it again,
// checksums too, from what it has read.
func TestFrames(t *testing.T) {
	r := testkit.Rand(t)
	zero := 0 // checksums that would be 0 and are sent as 0xffff
	for round := range 4000 {
		c := Config{IP: []int{4, 6}[r.IntN(2)], Seed: r.Uint64(), Flows: MaxFlows}
		if r.IntN(2) == 0 {
			c.VLAN = packet.NewVLAN(uint16(r.IntN(4095)), uint8(r.IntN(8)))
		}
		c, err := c.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		size := c.MinSize() + []int{0, 1, r.IntN(1500)}[r.IntN(3)]
		if r.IntN(50) == 0 {
			size = c.MaxSize() - r.IntN(2)
		}
		tmpl := newTemplate(&c, size)
		seq := r.Uint64() >> r.IntN(64)
		flow := uint32(r.Uint64N(MaxFlows) >> r.IntN(24))
		if round%8 == 0 { // the number for which the checksum comes out as 0
			probe := bytes.Clone(tmpl.frame)
			tmpl.number(probe, 0, flow)
			seq = uint64(binary.BigEndian.Uint16(probe[tmpl.udpAt+6:]))
		}
		frame := bytes.Clone(tmpl.frame)
		tmpl.number(frame, seq, flow)

		p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{Lazy: false, NoCopy: false})
		if e := p.ErrorLayer(); e != nil {
			t.Fatalf("%d bytes, number %d, flow %d: gopacket says %v", size, seq, flow, e.Error())
		}
		eth := p.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
		if !bytes.Equal(eth.SrcMAC, c.Src[:]) || !bytes.Equal(eth.DstMAC, c.Dst[:]) {
			t.Fatalf("MAC addresses are %s and %s", eth.SrcMAC, eth.DstMAC)
		}
		again := []gopacket.SerializableLayer{eth}
		if tag, _ := p.Layer(layers.LayerTypeDot1Q).(*layers.Dot1Q); (tag != nil) != (c.VLAN.TPID != 0) || tag != nil && (tag.VLANIdentifier != c.VLAN.ID() || tag.Priority != c.VLAN.Priority()) {
			t.Fatalf("the tag is %v, want %v", tag, c.VLAN)
		} else if tag != nil {
			again = append(again, tag)
		}
		udp := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
		var network gopacket.NetworkLayer
		if c.IP == 4 {
			ip := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
			network = ip
			again = append(again, ip)
		} else {
			ip := p.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
			network = ip
			again = append(again, ip)
		}
		check := udp.Checksum
		if err := udp.SetNetworkLayerForChecksum(network); err != nil {
			t.Fatal(err)
		}
		again = append(again, udp, gopacket.Payload(udp.Payload))
		out := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(out, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, again...); err != nil {
			t.Fatal(err)
		}
		made := out.Bytes()
		if check == 0xffff { // gopacket may write it as 0, which says that there is none
			zero++
			binary.BigEndian.PutUint16(made[tmpl.udpAt+6:], 0xffff)
			if packet.Sum(frame[tmpl.udpAt:], pseudo(&c, frame, &tmpl)) != 0xffff {
				t.Fatalf("a checksum of 0xffff is wrong")
			}
		}
		if !bytes.Equal(made, frame) {
			t.Fatalf("%+v, %d bytes, number %d, flow %d: gopacket makes\n%x, not\n%x", c, size, seq, flow, made, frame)
		}
		if got, ok := Sequence(frame); got != seq || !ok {
			t.Fatalf("Sequence is %d, %v, want %d", got, ok, seq)
		}
		if src, dst := uint32(udp.SrcPort), uint32(udp.DstPort); src != basePort|flow&portMask || dst != dstPort {
			t.Fatalf("flow %d has ports %d and %d", flow, src, dst)
		}
		if h := packet.Parse(frame); h.Status != packet.OK || int(h.End) != len(frame) {
			t.Fatalf("packet.Parse says %v, and that %d of %d bytes are a packet", h.Status, h.End, len(frame))
		}
	}
	if zero < 100 {
		t.Errorf("only %d checksums of 0 were tried", zero)
	}
}

func pseudo(c *Config, frame []byte, t *template) uint16 {
	n := uint32(len(frame) - t.udpAt)
	if c.IP == 4 {
		return packet.IPv4(frame[t.udpAt-packet.IPv4Len:]).PseudoSum(packet.ProtoUDP, n)
	}
	return packet.IPv6(frame[t.udpAt-packet.IPv6Len:]).PseudoSum(packet.ProtoUDP, n)
}

func TestSequenceOfOthers(t *testing.T) {
	c, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	good := newTemplate(&c, 100).frame
	if _, ok := Sequence(good); !ok {
		t.Fatal("Sequence doesn't know a generated frame")
	}
	for n := range packet.EthernetLen + packet.IPv4Len + packet.UDPLen + payloadMin {
		if seq, ok := Sequence(good[:n]); ok {
			t.Errorf("Sequence of the first %d bytes of a frame is %d", n, seq)
		}
	}
	for _, at := range []int{12, 23, 42, 45} { // type, protocol, magic
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if seq, ok := Sequence(bad); ok {
			t.Errorf("Sequence of a frame with another byte %d is %d", at, seq)
		}
	}
}

// TestDraw: sizes come as often as they should.
func TestDraw(t *testing.T) {
	c, err := Config{Sizes: IMIX(MinSize), Seed: 5}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	f := newFrames(&c)
	const n = 120000
	count := map[int]int{}
	for seq := range uint64(n) {
		count[len(f.template(seq).frame)]++
	}
	for _, s := range c.Sizes {
		p := float64(s.Weight) / 12
		// The seed is fixed: this always fails or never.
		if d := math.Abs(float64(count[s.Size]) - n*p); d > 4*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%d of %d frames have %d bytes, want %v", count[s.Size], n, s.Size, n*p)
		}
	}
	if len(count) != 3 {
		t.Errorf("sizes are %v", count)
	}
}

// TestPace: over hours, with calls that come at any time and for any number of frames, as many frames come as are
// due, to the frame: nothing adds up.
func TestPace(t *testing.T) {
	r := testkit.Rand(t)
	c, err := Config{Sizes: IMIX(MinSize)}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	f := newFrames(&c)
	for _, rate := range []port.Rate{{PPS: 3}, {PPS: 1000}, {PPS: 1e6 / 3}, {BPS: 64e3}, {BPS: 1e8 / 7}} {
		p := newPace(rate)
		var now time.Duration
		var seq, units uint64
		for step := 0; step < 20000; step++ {
			// Mostly when the next frame is due, as a sleeper wakes up, and some time later.
			if wait := p.wait(now); wait > 0 {
				now += wait + time.Duration(r.IntN(int(10*time.Millisecond)))
			}
			for {
				n := p.due(now, 64, seq, &f)
				if n == 0 {
					break
				}
				for range n {
					if rate.PPS > 0 {
						units++
					} else {
						units += 8 * uint64(len(f.template(seq).frame))
					}
					seq++
				}
				p.gone = units
			}
			// All frames whose time has come are out, and no other: units were due before the next frame.
			due := now.Seconds() * (rate.PPS + rate.BPS)
			last := uint64(1)
			if rate.BPS > 0 {
				last = 8 * uint64(len(f.template(seq-1).frame))
			}
			if float64(units) <= due-1 || float64(units-last) > due+1 {
				t.Fatalf("rate %v: after %v, %d frames of %d units are out, due are %v", rate, now, seq, units, due)
			}
		}
		if now < time.Minute/4 {
			t.Errorf("rate %v was tried for %v only", rate, now)
		}
	}
}

// TestPaceStall: somebody who was away for long gets what became due in the last second, and the clock
// goes on from there.
func TestPaceStall(t *testing.T) {
	c, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	f := newFrames(&c)
	p := newPace(port.Rate{PPS: 100})
	if n := p.due(0, 64, 0, &f); n != 1 {
		t.Errorf("at the start %d frames are due, want 1", n)
	}
	p.gone = 1
	if n := p.due(500*time.Millisecond, 1000, 1, &f); n != 50 {
		t.Errorf("after half a second %d are due, want 50", n)
	}
	if n := p.due(time.Hour, 1000, 1, &f); n != 101 {
		t.Errorf("after an hour's break %d are due, want 101", n)
	}
	p.gone += 101
	if n := p.due(time.Hour, 1000, 102, &f); n != 0 {
		t.Errorf("and then %d more", n)
	}
	if wait := p.wait(time.Hour); wait <= 0 || wait > 10*time.Millisecond {
		t.Errorf("the next one is due in %v, want 10ms", wait)
	}
}

// TestPaceExtremes: rates at which numbers overflow.
func TestPaceExtremes(t *testing.T) {
	c, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	f := newFrames(&c)
	for _, rate := range []port.Rate{{PPS: 1e300}, {BPS: 1e300}, {PPS: math.MaxFloat64}} {
		p := newPace(rate)
		for range 3 {
			if n := p.due(time.Nanosecond, 64, 0, &f); n != 64 {
				t.Errorf("rate %v: %d of 64 frames are due", rate, n)
			}
			p.gone += 64
			if w := p.wait(time.Nanosecond); w != 0 {
				t.Errorf("rate %v: wait for %v", rate, w)
			}
		}
	}
	for _, rate := range []port.Rate{{PPS: 1e-300}, {BPS: math.SmallestNonzeroFloat64}} {
		p := newPace(rate)
		if n := p.due(0, 64, 0, &f); n != 1 {
			t.Errorf("rate %v: %d frames are due at the start", rate, n)
		}
		p.gone = 480
		for _, d := range []time.Duration{0, time.Hour, 1e6 * time.Hour} {
			if n, w := p.due(d, 64, 0, &f), p.wait(d); n != 0 || w != maxWait {
				t.Errorf("rate %v: after %v, %d frames are due, the next one in %v", rate, d, n, w)
			}
		}
	}
	if p := newPace(port.Rate{}); p.on {
		t.Error("no rate is one")
	}
}
