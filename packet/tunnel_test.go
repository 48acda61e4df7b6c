package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// encapsulate puts outer headers, with an IP header of version v at byte 14, around what is inside; how says by which protocol.
func encapsulate(v int, how string, inside []byte) (frame []byte) {
	var behind []byte
	proto := byte(ProtoUDP)
	switch how {
	case "vxlan", "vxlan with checksum":
		behind = append([]byte{0x12, 0x34, 0x12, 0xb5, 0, 0, 0, 0}, 8, 0, 0, 0, 0, 0, 7, 0)
		if how != "vxlan" {
			behind[6] = 0xab // whatever: it says that there is one
		}
	case "gre":
		proto, behind = 47, []byte{0, 0, 0x65, 0x58}
	case "ip":
		proto = 4
		if inside[0]>>4 == 6 {
			proto = 41
		}
	}
	n := len(behind) + len(inside)
	if behind != nil && proto == ProtoUDP {
		binary.BigEndian.PutUint16(behind[4:], uint16(n))
	}
	frame = append(frame, 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8)
	if v == 4 {
		ip := make([]byte, 20)
		ip[0], ip[4], ip[5], ip[8], ip[9], ip[12], ip[16] = 0x45, 0xff, 0xfe, 64, proto, 192, 193
		binary.BigEndian.PutUint16(ip[2:], uint16(20+n))
		frame = append(append(frame, 8, 0), ip...)
	} else {
		ip := make([]byte, 40)
		ip[0], ip[6], ip[7], ip[8], ip[24] = 0x60, proto, 64, 0xfc, 0xfd
		binary.BigEndian.PutUint16(ip[4:], uint16(n))
		frame = append(append(frame, 0x86, 0xdd), ip...)
	}
	return append(append(frame, behind...), inside...)
}

// What comes out of a tunnel is what the inner frame alone is cut into, and the outer headers of each segment are right.
func TestSegmenterTunnel(t *testing.T) {
	r := testkit.Rand(t)
	cut := 0
	for range testkit.Scale(600) {
		l := genLarge(r)
		inner := l.bytes()
		if len(inner) > 60000 {
			continue
		}
		h := Parse(inner)
		// Without extensions, and with nothing behind the packet.
		if h.Status != OK || h.IPVersion == 6 && h.L4-h.L3 != IPv6Len || int(h.End) != len(inner) {
			continue
		}
		ip := inner[h.L3:]
		if h.IPVersion == 4 {
			binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
		} else {
			binary.BigEndian.PutUint16(ip[4:], uint16(len(ip)-IPv6Len))
		}
		size := 1 + r.IntN(2000)
		var alone, s Segmenter
		if err := alone.Reset(inner, int(h.L3), l.kind(), size); err != nil {
			continue
		}
		for _, v := range []int{4, 6} {
			for _, how := range []string{"vxlan", "vxlan with checksum", "gre", "ip"} {
				inside, link := inner, 0
				if how == "ip" {
					inside, link = ip, int(h.L3)
				}
				frame := encapsulate(v, how, inside)
				before := bytes.Clone(frame)
				head := len(frame) - len(inside)
				if err := s.ResetInner(frame, 14, head-link+int(h.L4), l.kind(), size); err != nil {
					t.Fatalf("%s over IPv%d: %v", how, v, err)
				}
				if s.Count() != alone.Count() {
					t.Fatalf("%d segments, want %d", s.Count(), alone.Count())
				}
				for i := range s.Count() {
					want, got := make([]byte, alone.Len(i)), make([]byte, s.Len(i))
					if alone.Put(want, i) != len(want) || s.Put(got, i) != len(got) {
						t.Fatal("nothing was put")
					}
					if !bytes.Equal(got[head:], want[link:]) {
						t.Fatalf("%s over IPv%d: what is inside of segment %d differs", how, v, i)
					}
					if err := outerRight(got, v, how, before, i); err != nil {
						t.Fatalf("%s over IPv%d, segment %d: %v: %x", how, v, i, err, got[:head])
					}
				}
				if !bytes.Equal(frame, before) {
					t.Fatal("the frame was written to")
				}
				cut++
			}
		}
	}
	if cut < 400 {
		t.Errorf("only %d frames were cut", cut)
	}
}

// outerRight checks the outer headers by the letter.
func outerRight(f []byte, v int, how string, whole []byte, i int) error {
	ip, l4 := f[14:], 34
	if v == 4 {
		if n := int(binary.BigEndian.Uint16(ip[2:])); n != len(ip) {
			return fmt.Errorf("IP's length is %d, want %d", n, len(ip))
		}
		if id, first := binary.BigEndian.Uint16(ip[4:]), binary.BigEndian.Uint16(whole[18:]); id != first+uint16(i) {
			return fmt.Errorf("the ID is %d, of the first %d", id, first)
		}
		if Checksum(ip[:20], 0) != 0 {
			return errors.New("IP's checksum is wrong")
		}
	} else {
		l4 = 54
		if n := int(binary.BigEndian.Uint16(ip[4:])); n != len(ip)-40 {
			return fmt.Errorf("IP's length is %d, want %d", n, len(ip)-40)
		}
	}
	if how == "gre" || how == "ip" {
		return nil
	}
	u := f[l4:]
	if n := int(binary.BigEndian.Uint16(u[4:])); n != len(u) {
		return fmt.Errorf("UDP's length is %d, want %d", n, len(u))
	}
	sum := binary.BigEndian.Uint16(u[6:])
	if how == "vxlan" {
		if sum != 0 {
			return errors.New("there is a checksum, and there was none")
		}
		return nil
	}
	addresses := ip[12:20]
	if v == 6 {
		addresses = ip[8:40]
	}
	pseudo := binary.BigEndian.AppendUint16(append(bytes.Clone(addresses), 0, ProtoUDP), uint16(len(u)))
	if Checksum(u, Sum(pseudo, 0)) != 0 || sum == 0 {
		return fmt.Errorf("UDP's checksum is %x", sum)
	}
	return nil
}

// Whatever a frame is and whatever is said about it, there are segments or an error.
func TestSegmenterTunnelHostile(t *testing.T) {
	r := testkit.Rand(t)
	var s Segmenter
	good := 0
	dst := make([]byte, MaxFrame)
	for range testkit.Scale(20000) {
		inner := genLarge(r).bytes()
		if len(inner) > 5000 {
			continue
		}
		frame := encapsulate(4+2*r.IntN(2), []string{"vxlan", "vxlan with checksum", "gre", "ip"}[r.IntN(4)], inner)
		for range r.IntN(4) {
			frame[r.IntN(min(len(frame), 120))] = byte(r.Uint32())
		}
		l3, l4, kind := 14, r.IntN(130), SegmentKind(r.IntN(5))
		if h := Parse(inner); r.IntN(4) > 0 {
			l4, kind = len(frame)-len(inner)+int(h.L4), SegmentTCP4
		}
		if r.IntN(4) == 0 {
			frame = frame[:r.IntN(len(frame))]
		}
		if r.IntN(10) == 0 {
			l3 -= r.IntN(20)
		}
		err := s.ResetInner(frame, l3, l4, kind, r.IntN(3000))
		if (err == nil) != (s.Count() > 0) {
			t.Fatalf("%v with %d segments", err, s.Count())
		}
		for i := range min(s.Count(), 3) {
			s.Put(dst, i)
			good++
		}
	}
	if good < 100 {
		t.Errorf("only %d segments were made", good)
	}
}

func TestSegmenterTunnelErrors(t *testing.T) {
	inner := make([]byte, 14+20+20+100)
	copy(inner[12:], []byte{8, 0, 0x45, 0, 0, 140})
	inner[14+9], inner[34+12] = ProtoTCP, 5<<4
	frame := encapsulate(4, "gre", inner)
	l4 := len(frame) - len(inner) + 34
	var s Segmenter
	if err := s.ResetInner(frame, 14, l4, SegmentTCP4, 50); err != nil || s.Count() != 2 {
		t.Fatalf("%d segments, %v", s.Count(), err)
	}
	for name, c := range map[string]struct {
		change func(f []byte)
		l3, l4 int
		kind   SegmentKind
		want   error
	}{
		"another kind":    {nil, 14, l4, SegmentTCP6, ErrHeaders},
		"UDP":             {nil, 14, l4, SegmentUDP, ErrHeaders},
		"no kind":         {nil, 14, l4, 77, ErrSegmentKind},
		"beyond":          {nil, 14, 1000, SegmentTCP4, ErrHeaders},
		"before":          {nil, -1, l4, SegmentTCP4, ErrHeaders},
		"not behind":      {nil, l4, l4, SegmentTCP4, ErrHeaders},
		"negative":        {nil, 14, -1, SegmentTCP4, ErrHeaders},
		"checksum of GRE": {func(f []byte) { f[34] = 0x80 }, 14, l4, SegmentTCP4, ErrProtocol},
		"fragment":        {func(f []byte) { f[20] = 0x20 }, 14, l4, SegmentTCP4, ErrFragment},
		"no outer IP":     {func(f []byte) { f[14] = 0 }, 14, l4, SegmentTCP4, ErrHeaders},
	} {
		f := bytes.Clone(frame)
		if c.change != nil {
			c.change(f)
		}
		if err := s.ResetInner(f, c.l3, c.l4, c.kind, 50); !errors.Is(err, c.want) || s.Count() != 0 {
			t.Errorf("%s: %v, with %d segments", name, err, s.Count())
		}
	}
}
