// No call on the way of a packet allocates, and Headers stays small; benchmarks.

package packet

import (
	"fmt"
	"net/netip"
	"testing"
	"unsafe"
)

// sink keeps results alive, so that no call is optimized away.
var sink struct {
	h Headers
	n uint64
	b []byte
	a netip.Addr
}

func TestNoAllocations(t *testing.T) {
	r := newRand(t)
	frames := make([][]byte, 64)
	for i := range frames {
		frames[i] = genFrame(r)
	}
	v4 := udpFrame(t, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{NewVLAN(5, 0)}, []byte("abcd"))
	v6 := udpFrame(t, "[fd00::1]:1", "[fd00::2]:2", [2]VLAN{NewVLAN(5, 0)}, []byte("abcd"))
	s4 := UDPSpec{Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2")}
	s6 := UDPSpec{Src: netip.MustParseAddrPort("[fd00::1]:1"), Dst: netip.MustParseAddrPort("[fd00::2]:2")}
	buf := make([]byte, 256)
	var seg Segmenter
	l := large{tcp: true, v6: true, first: ProtoRouting, exts: append([]byte{ProtoTCP, 2, 2, 1, 0, 0, 0, 0}, make([]byte, 16)...), payload: make([]byte, 100)}
	tso, sctp := l.bytes(), genSCTP(r)
	for name, f := range map[string]func(){
		"Parse": func() {
			for _, b := range frames {
				sink.h = Parse(b)
				sink.h = ParseIP(b)
				sink.h.Parse(b)
				sink.h.ParseIP(b)
			}
		},
		"FlowHash": func() {
			for _, b := range frames {
				sink.n += uint64(FlowHash(b)) + uint64(SymmetricFlowHash(b))
			}
		},
		"checksum": func() {
			sink.n += uint64(Checksum(v4, 1)) + uint64(UpdateChecksumBytes(1, v4, v6)) + uint64(UpdateChecksum32(1, 2, 3))
			sink.n += uint64(PseudoSum(s4.Src.Addr(), s4.Dst.Addr(), 17, 1)) + uint64(PseudoSum(s6.Src.Addr(), s6.Dst.Addr(), 17, 1))
		},
		"PutUDP": func() {
			n, _ := PutUDP(buf, &s4, v4)
			m, _ := PutUDP(buf, &s6, v4)
			sink.n += uint64(n + m)
		},
		"Segmenter": func() {
			err := seg.Reset(tso, 0, SegmentTCP6, 30)
			for i := range seg.Count() {
				sink.n += uint64(seg.Put(buf, i))
			}
			if err != nil || seg.Count() != 4 {
				t.Error(err, seg.Count())
			}
		},
		"Segmenter's errors": func() {
			for n := range tso[:80] {
				if seg.Reset(tso[:n], 0, SegmentTCP6, 30) == nil || seg.Reset(tso, n+1, SegmentTCP6, 30) == nil || seg.Reset(tso, 0, SegmentUDP, -n) == nil {
					t.Error("no error")
				}
			}
		},
		"FinishChecksum": func() {
			for _, b := range [][]byte{v4, v6, tso, sctp} {
				start, offset, _ := PartialChecksum(b)
				if FinishChecksum(buf, start, offset) != nil || FinishChecksum(sctp, 34, 8) != nil || FinishChecksum(b, len(b), 0) == nil {
					t.Error("not finished")
				}
			}
		},
		"VLAN": func() {
			v, _ := Ethernet(v4).VLAN(0)
			sink.n += uint64(v.ID()) + uint64(v.Priority()) + uint64(Ethernet(v4).VLANs()) + uint64(Ethernet(v4).EtherType())
			sink.b = Ethernet(v4).Payload()
		},
		"addresses": func() {
			for _, b := range [][]byte{v4, v6} {
				h := Parse(b)
				sink.a = h.Src(b)
				sink.a = h.Dst(b)
				sink.n += Ethernet(b).Dst().Uint64()
			}
		},
		"views": func() { views(v4); views(v6[18:]) },
	} {
		if n := testing.AllocsPerRun(20, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := unsafe.Sizeof(Headers{}); n != 40 {
		t.Errorf("Headers has %d bytes; its doc says 40", n)
	}
}

func benchFrames(b *testing.B) map[string][]byte {
	r := newRand(b)
	tcp := udpFrame(b, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{}, make([]byte, 64))
	tcp[23], tcp[46] = ProtoTCP, 5<<4
	ext := udpFrame(b, "[fd00::1]:1", "[fd00::2]:2", [2]VLAN{}, make([]byte, 64))
	ext[20], ext[54], ext[55], ext[62], ext[63] = ProtoHopByHop, ProtoDestOpts, 0, ProtoUDP, 0
	return map[string][]byte{
		"v4tcp":     tcp,
		"v4udp":     udpFrame(b, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{}, make([]byte, 22)),
		"v6udp":     udpFrame(b, "[fd00::1]:1", "[fd00::2]:2", [2]VLAN{}, make([]byte, 22)),
		"qinqv4udp": udpFrame(b, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{NewVLAN(5, 0), NewVLAN(6, 0)}, make([]byte, 22)),
		"v6ext2":    ext,
		"arp":       append(append(randBytes(r, 12), 0x08, 0x06), make([]byte, 46)...),
	}
}

func BenchmarkParse(b *testing.B) {
	for name, f := range benchFrames(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.h.Parse(f)
			}
		})
		b.Run(name+"/value", func(b *testing.B) {
			for b.Loop() {
				sink.h = Parse(f)
			}
		})
	}
}

// With parsing, and alone.
func BenchmarkFlowHash(b *testing.B) {
	for name, f := range benchFrames(b) {
		h := Parse(f)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sink.n += uint64(FlowHash(f))
			}
		})
		b.Run(name+"/parsed", func(b *testing.B) {
			for b.Loop() {
				sink.n += uint64(h.FlowHash(f))
			}
		})
		b.Run(name+"/symmetric", func(b *testing.B) {
			for b.Loop() {
				sink.n += uint64(h.SymmetricFlowHash(f))
			}
		})
	}
}

func BenchmarkChecksum(b *testing.B) {
	for _, n := range []int{20, 64, 1500, 9000, 65536} {
		data := make([]byte, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				sink.n += uint64(Checksum(data, 0))
			}
		})
	}
}

func BenchmarkPutUDP(b *testing.B) {
	for _, addr := range []string{"10.0.0.1:1", "[fd00::1]:1"} {
		s := UDPSpec{Src: netip.MustParseAddrPort(addr), Dst: netip.MustParseAddrPort(addr)}
		buf, payload := make([]byte, 256), make([]byte, 18)
		b.Run(addr, func(b *testing.B) {
			for b.Loop() {
				n, _ := PutUDP(buf, &s, payload)
				sink.n += uint64(n)
			}
		})
	}
}
