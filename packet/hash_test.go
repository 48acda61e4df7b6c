// FlowHash: what shares a hash, what doesn't, how even it is, and that it stays.

package packet

import (
	"bytes"
	"math/bits"
	"testing"
)

// These numbers are promised: the same on every architecture, for a major version.
func TestFlowHashIsStable(t *testing.T) {
	arp := append(make([]byte, 12), 0x08, 0x06, 0, 1)
	arp[5], arp[11] = 1, 2
	for _, c := range []struct {
		name      string
		frame     []byte
		flow, sym uint32
	}{
		{"v4", udpFrame(t, "10.0.0.1:1000", "10.0.0.2:53", [2]VLAN{}, nil), 0x04362219, 0x186d638c},
		{"v6", udpFrame(t, "[fd00::1]:1000", "[fd00::2]:53", [2]VLAN{}, nil), 0x1d18c642, 0x574cec61},
		{"arp", arp, 0x2f33ea2f, 0x4ef17bf3},
	} {
		if a, b := FlowHash(c.frame), SymmetricFlowHash(c.frame); a != c.flow || b != c.sym {
			t.Errorf("%s: %#08x, %#08x; want %#08x, %#08x", c.name, a, b, c.flow, c.sym)
		}
	}
}

// reversed is the frame that goes the other way: MACs, addresses and ports change places.
func reversed(f []byte) []byte {
	h, g := Parse(f), bytes.Clone(f)
	swap := func(a, b, n int) {
		copy(g[a:a+n], f[b:b+n])
		copy(g[b:b+n], f[a:a+n])
	}
	swap(0, 6, 6)
	switch h.IPVersion {
	case 4:
		swap(int(h.L3)+12, int(h.L3)+16, 4)
	case 6:
		swap(int(h.L3)+8, int(h.L3)+24, 16)
	}
	if h.SrcPort != 0 || h.DstPort != 0 {
		swap(int(h.L4), int(h.L4)+2, 2)
	}
	return g
}

// Both directions: the symmetric hash is one, the other is not.
func TestSymmetricFlowHash(t *testing.T) {
	r := newRand(t)
	differ := 0
	for range 2000 {
		f := genFrame(r)
		g := reversed(f)
		if a, b := SymmetricFlowHash(f), SymmetricFlowHash(g); a != b {
			t.Fatalf("%08x, %08x: %x, %x", a, b, f, g)
		}
		if FlowHash(f) != FlowHash(g) {
			differ++
		}
	}
	// One host talking to itself: the ports alone tell the direction.
	for _, host := range []string{"10.0.0.1", "[fd00::1]"} {
		f := udpFrame(t, host+":1000", host+":53", [2]VLAN{}, nil)
		g := udpFrame(t, host+":53", host+":1000", [2]VLAN{}, nil)
		if a, b := SymmetricFlowHash(f), SymmetricFlowHash(g); a != b || FlowHash(f) == FlowHash(g) {
			t.Errorf("%s to itself: %08x, %08x", host, a, b)
		}
	}
	if differ < 1990 {
		t.Errorf("FlowHash differs by direction only for %d of 2000", differ)
	}
}

// All fragments of a datagram hash alike, with AH and extension headers in between too.
func TestFragmentsHashAlike(t *testing.T) {
	v4 := func(frag uint16, proto uint8, data ...byte) []byte {
		f := udpFrame(t, "10.0.0.1:1000", "10.0.0.2:53", [2]VLAN{}, make([]byte, 64))
		be.PutUint16(f[20:], frag)
		f[23] = proto
		copy(f[34:], data)
		return f
	}
	v6 := func(frag uint16, next uint8, data ...byte) []byte {
		f := udpFrame(t, "[fd00::1]:1000", "[fd00::2]:53", [2]VLAN{}, make([]byte, 64))
		f[20] = ProtoFragment
		copy(f[54:], []byte{next, 0, byte(frag >> 8), byte(frag), 0, 0, 0, 9})
		copy(f[62:], data)
		return f
	}
	ports := []byte{1, 2, 3, 4, 0, 0, 0, 0}
	ah := append([]byte{ProtoUDP, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1}, ports...)
	dest := append([]byte{ProtoUDP, 0, 1, 4, 0, 0, 0, 0}, ports...)
	for name, frames := range map[string][][]byte{
		"v4":           {v4(0x2000, ProtoUDP, ports...), v4(0x2001, ProtoUDP), v4(0x0002, ProtoUDP, 9, 9, 9, 9)},
		"v4 AH":        {v4(0x2000, ProtoAH, ah...), v4(0x0001, ProtoAH)},
		"v6":           {v6(1, ProtoUDP, ports...), v6(0x0101, ProtoUDP), v6(0x0200, ProtoUDP, 9, 9, 9)},
		"v6 extension": {v6(1, ProtoDestOpts, dest...), v6(0x0101, ProtoDestOpts), v6(0x0200, ProtoUDP)},
	} {
		if h := Parse(frames[0]); !h.IsFirstFragment() || h.Protocol != ProtoUDP || h.SrcPort != 0x0102 {
			t.Errorf("%s: first fragment %+v", name, h)
		}
		for i, f := range frames {
			if h := Parse(f); !h.IsFragment() {
				t.Errorf("%s: %d is no fragment: %+v", name, i, h)
			}
			if FlowHash(f) != FlowHash(frames[0]) || SymmetricFlowHash(f) != SymmetricFlowHash(frames[0]) {
				t.Errorf("%s: fragment %d hashes differently", name, i)
			}
		}
	}
	// An atomic fragment (RFC 6946) is a whole datagram: its ports count.
	a, b := v6(0, ProtoUDP, 0, 1, 0, 2, 0, 8), v6(0, ProtoUDP, 0, 1, 0, 3, 0, 8)
	if ha := Parse(a); ha.IsFragment() || FlowHash(a) == FlowHash(b) {
		t.Errorf("atomic fragment: %+v", ha)
	}
}

// Neither tags nor TOS, TTL or payload count.
func TestFlowHashIgnores(t *testing.T) {
	want := FlowHash(udpFrame(t, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{}, nil))
	f := udpFrame(t, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{NewVLAN(5, 0), NewVLAN(6, 0)}, []byte("payload"))
	f[0], f[6], f[23], f[30] = 9, 9, 9, 9 // MACs, TOS, TTL
	if got := FlowHash(f); got != want {
		t.Errorf("%08x, want %08x", got, want)
	}
}

// Flows that differ little, as real ones do: each low and high group of bits must be
// filled evenly. Chi-squared over 256 buckets has a mean of 255 and a standard
// deviation of 22.6; 400 is more than six of them. The input is fixed, so the test
// always gives the same.
func TestFlowHashIsEven(t *testing.T) {
	const n = 1 << 14
	v4 := udpFrame(t, "10.0.0.1:1000", "10.0.0.2:53", [2]VLAN{}, nil)
	v6 := udpFrame(t, "[fd00::1]:1000", "[fd00::2]:53", [2]VLAN{}, nil)
	eth := append(make([]byte, 12), 0x88, 0xcc)
	for name, next := range map[string]func(i int) []byte{
		"v4 source port":   func(i int) []byte { be.PutUint16(v4[34:], uint16(i)); return v4 },
		"v4 both ports":    func(i int) []byte { be.PutUint16(v4[34:], uint16(i)); be.PutUint16(v4[36:], uint16(i)); return v4 },
		"v4 low addresses": func(i int) []byte { v4[29], v4[33] = byte(i), byte(i>>8); return v4 },
		"v4 high bits":     func(i int) []byte { be.PutUint32(v4[26:], uint32(i)<<18); return v4 },
		"v6 source port":   func(i int) []byte { be.PutUint16(v6[54:], uint16(i)); return v6 },
		"v6 interface":     func(i int) []byte { be.PutUint64(v6[30:], uint64(i)); return v6 },
		"v6 prefix":        func(i int) []byte { be.PutUint64(v6[22:], uint64(i)<<8); return v6 },
		"MAC":              func(i int) []byte { be.PutUint32(eth[8:], uint32(i)); return eth },
	} {
		for kind, hash := range map[string]func([]byte) uint32{"flow": FlowHash, "symmetric": SymmetricFlowHash} {
			for shift := 0; shift < 32; shift += 8 {
				var bucket [256]int
				for i := range n {
					bucket[hash(next(i))>>shift&255]++
				}
				chi := 0.0
				for _, k := range bucket {
					d := float64(k) - n/256
					chi += d * d / (n / 256)
				}
				if chi > 400 {
					t.Errorf("%s, %s, bits %d..%d: chi-squared %.0f", name, kind, shift, shift+7, chi)
				}
			}
		}
	}
}

// Every bit of addresses and ports changes half of the result's bits on average.
func TestFlowHashAvalanche(t *testing.T) {
	r := newRand(t)
	for _, c := range []struct{ base, from, to int }{{34, 26, 38}, {54, 22, 58}} {
		changed, n := 0, 0
		for range 50 {
			f := udpFrame(t, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{}, nil)
			if c.base == 54 {
				f = udpFrame(t, "[fd00::1]:1", "[fd00::2]:2", [2]VLAN{}, nil)
			}
			copy(f[c.from:c.to], randBytes(r, c.to-c.from))
			want := FlowHash(f)
			for bit := c.from * 8; bit < c.to*8; bit++ {
				f[bit/8] ^= 1 << (bit % 8)
				got := FlowHash(f)
				f[bit/8] ^= 1 << (bit % 8)
				if got == want {
					n++ // one in 2^32 may be equal; the mean below tells if it is more
					continue
				}
				changed += bits.OnesCount32(got ^ want)
				n++
			}
		}
		if mean := float64(changed) / float64(n); mean < 15.5 || mean > 16.5 {
			t.Errorf("L4 at %d: %.2f of 32 bits change on average", c.base, mean)
		}
	}
}
