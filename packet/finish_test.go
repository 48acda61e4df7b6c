// Checksums left to hardware: recognised, completed, and nothing else touched.

package packet

import (
	"bytes"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// segment is a finished frame of l's, headers from l3 on, whatever its checksum was.
func segment(t testing.TB, l *large) []byte {
	t.Helper()
	var s Segmenter
	if err := s.Reset(l.bytes(), len(l.link), l.kind(), max(1, len(l.payload))); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, s.MaxLen())
	s.Put(b, 0)
	return b
}

// parseAs parses a frame, or a packet if there is no link header.
func parseAs(l *large, frame []byte) (h Headers) {
	if len(l.link) == 0 {
		return ParseIP(frame)
	}
	return Parse(frame)
}

// partial puts the pseudo header's sum into the checksum field of a finished frame, by the letter.
func partial(l *large, frame []byte) {
	h := parseAs(l, frame)
	ip, t := frame[h.L3:], frame[h.L4:h.End]
	addresses := ip[12:20]
	if l.v6 {
		addresses = slices.Concat(ip[8:24], ip[24:40])
		if l.final != nil {
			copy(addresses[16:], l.final)
		}
	}
	sum := plainSum(slices.Concat(addresses, []byte{0, 0, byte(len(t) >> 8), byte(len(t)), 0, 0, 0, l.proto()}), 0)
	be.PutUint16(t[checksumAt(l.proto()):], sum)
}

func checksumAt(proto uint8) int {
	return map[uint8]int{ProtoTCP: 16, ProtoUDP: 6, ProtoSCTP: 8}[proto]
}

func genSmall(r *rand.Rand) *large {
	l := genLarge(r)
	l.bigTCP = false
	l.payload = l.payload[:min(len(l.payload), pick(r, 0, 1, 10, 1448))]
	return l
}

// A finished frame whose checksum is taken away is recognised and becomes the same again; with
// padding too, of zeros or, where a frame is so short that it needs some, of anything.
func TestFinishRandom(t *testing.T) {
	r := testkit.Rand(t)
	for range testkit.Scale(20000) {
		l := genSmall(r)
		done := segment(t, l)
		h := parseAs(l, done)
		if check := done[int(h.L4)+checksumAt(l.proto()):]; be.Uint16(check) == 0 {
			be.PutUint16(check, 0xffff) // TCP's may be either of the two zeros
		}
		want := done
		switch {
		case len(l.link) == 0:
		case len(done) < 60:
			want = append(bytes.Clone(done), randBytes(r, 60-len(done))...)
		case r.IntN(2) == 0:
			want = append(bytes.Clone(done), make([]byte, r.IntN(10))...)
		}
		// Done as it is, it is left alone, except by a chance that TestFinishByChance is about.
		got := bytes.Clone(want)
		partial(l, got)
		chance := bytes.Equal(got, want)
		h = parseAs(l, want)
		if _, _, ok := h.PartialChecksum(want); ok != chance {
			t.Fatalf("partial %v, want %v: %x", ok, chance, want)
		}
		h = parseAs(l, got)
		start, offset, ok := h.PartialChecksum(got)
		if !ok || start != int(h.L4) || offset != checksumAt(l.proto()) {
			t.Fatalf("%d, %d, %v: %+v of %x", start, offset, ok, h, got)
		}
		if len(l.link) != 0 {
			if s, o, ok := PartialChecksum(got); s != start || o != offset || !ok {
				t.Fatalf("%d, %d, %v: %x", s, o, ok, got)
			}
		}
		if err := FinishChecksum(got, start, offset); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v: %+v\n got %x\nwant %x", err, h, got, want)
		}
	}
}

// A right checksum may be the pseudo header's sum by chance. Then it counts as partial, and completing it
// gives the same checksum.
func TestFinishByChance(t *testing.T) {
	r := testkit.Rand(t)
	for range 2000 {
		l := genSmall(r)
		l.payload = randBytes(r, 2+2*r.IntN(50))
		done := segment(t, l)
		h := parseAs(l, done)
		b := done[h.L4:]
		want := bytes.Clone(done)
		partial(l, want)
		// A word of the payload takes up what the checksum goes down by.
		at := checksumAt(l.proto())
		last := be.Uint16(b[len(b)-2:])
		was, is := be.Uint16(b[at:]), be.Uint16(want[int(h.L4)+at:])
		be.PutUint16(want[len(want)-2:], add16(add16(last, was), ^is))
		if sum, _ := h.pseudoSum(want[h.L3:], uint32(len(b))); Sum(want[h.L4:], sum) != 0xffff {
			t.Fatalf("the checksum is not right: %x", want)
		}
		h = parseAs(l, want)
		start, offset, ok := h.PartialChecksum(want)
		got := bytes.Clone(want)
		if err := FinishChecksum(got, start, offset); !ok || err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v, %v:\n got %x\nwant %x", ok, err, got, want)
		}
	}
}

// What is not partial, though the field has the sum.
func TestPartialChecksumNot(t *testing.T) {
	l4 := &large{link: append(make([]byte, 12), 8, 0), payload: make([]byte, 100)}
	l6 := &large{link: append(make([]byte, 12), 0x86, 0xdd), v6: true, first: ProtoUDP, payload: make([]byte, 100)}
	v4, v6 := segment(t, l4), segment(t, l6)
	partial(l4, v4)
	partial(l6, v6)
	for _, b := range [][]byte{v4, v6} {
		if _, _, ok := PartialChecksum(b); !ok {
			t.Fatalf("not partial: %x", b)
		}
	}
	change := func(b []byte, at int, with ...byte) []byte {
		b = bytes.Clone(b)
		copy(b[at:], with)
		return b
	}
	insert := func(typ uint8, ext ...byte) []byte {
		b := slices.Concat(v6[:54], ext, v6[54:])
		b[20] = typ
		be.PutUint16(b[18:], uint16(len(b)-54))
		return b
	}
	for name, b := range map[string][]byte{
		"empty":               nil,
		"first fragment":      change(v4, 20, 0x20, 0),
		"last fragment":       change(v4, 20, 0, 1),
		"first of IPv6":       insert(ProtoFragment, ProtoUDP, 0, 0, 1, 0, 0, 0, 1),
		"AH":                  insert(ProtoAH, ProtoUDP, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		"unknown routing":     insert(ProtoRouting, ProtoUDP, 0, 3, 1, 0, 0, 0, 0),
		"no checksum":         change(v4, 40, 0, 0),
		"one more":            change(v4, 41, v4[41]+1),
		"truncated":           v4[:len(v4)-1],
		"cut in UDP":          v4[:40],
		"cut in IP":           v4[:30],
		"another EtherType":   change(v4, 12, 8, 6),
		"another protocol":    change(v4, 23, ProtoGRE),
		"UDP length short":    change(v4, 38, 0, 4),
		"UDP length less":     change(v4, 38, 0, 20),
		"IPv6 another length": change(v6, 58, 0, 20),
	} {
		if start, offset, ok := PartialChecksum(b); ok || start != 0 || offset != 0 {
			t.Errorf("%s: %d, %d, %v", name, start, offset, ok)
		}
	}
	// Of another frame than was parsed: anything but a panic.
	h := Parse(v6)
	for n := range v6 {
		h.PartialChecksum(v6[:n])
		h.PartialChecksum(v4[:min(n, len(v4))])
	}
}

// genSCTP is an SCTP packet over IPv4, padded if it must be.
func genSCTP(r *rand.Rand) []byte {
	n := 12 + r.IntN(100)
	frame := slices.Concat(make([]byte, 12), []byte{8, 0, 0x45, 0, 0, byte(20 + n), 0, 0, 0, 0, 64, ProtoSCTP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2})
	return append(frame, randBytes(r, max(n, 60-34))...)
}

// SCTP has a CRC32c, here made by a division bit by bit.
func TestFinishSCTP(t *testing.T) {
	r := testkit.Rand(t)
	for range 200 {
		frame := genSCTP(r)
		data := bytes.Clone(frame[34:Parse(frame).End])
		if _, _, ok := PartialChecksum(frame); ok {
			t.Fatalf("not partial: %x", frame)
		}
		copy(frame[34+8:], []byte{0, 0, 0, 0})
		copy(data[8:], []byte{0, 0, 0, 0})
		start, offset, ok := PartialChecksum(frame)
		if start != 34 || offset != 8 || !ok {
			t.Fatalf("%d, %d, %v: %x", start, offset, ok, frame)
		}
		for range 2 { // once it is done it can be done again
			if err := FinishChecksum(frame, start, offset); err != nil {
				t.Fatal(err)
			}
			crc := ^uint32(0)
			for _, x := range data {
				crc ^= uint32(x)
				for range 8 {
					crc = crc>>1 ^ crc&1*crc32.Castagnoli
				}
			}
			crc = ^crc
			if want := []byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)}; !bytes.Equal(frame[34+8:][:4], want) {
				t.Fatalf("CRC32c %x, want %x: %x", frame[34+8:][:4], want, frame)
			}
		}
	}
}

func TestFinishErrors(t *testing.T) {
	for _, c := range []struct{ n, start, offset int }{
		{0, 0, 0}, {100, -1, 6}, {100, 34, -1}, {100, 101, 0}, {100, 100, 0}, {100, 99, 0}, {100, 34, 65}, {100, 34, 1 << 30}, {100, 1 << 30, 6},
		{100, -1 << 31, -1 << 31}, {100, 1<<31 - 1, 1<<31 - 1}, {1, 0, 0},
	} {
		b := make([]byte, c.n)
		if err := FinishChecksum(b, c.start, c.offset); !errors.Is(err, ErrChecksumField) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	b := make([]byte, 100)
	if err := FinishChecksum(b, 34, 64); err != nil || b[98] != 0xff || b[99] != 0xff {
		t.Errorf("the last two bytes: %v, %x", err, b[98:])
	}
	b = bytes.Repeat([]byte{0xff}, 100) // its sum is all ones, so the checksum would be 0
	if err := FinishChecksum(b, 34, 16); err != nil || b[50] != 0xff || b[51] != 0xff {
		t.Errorf("a checksum of 0: %v, %x", err, b[50:52])
	}
}

// A short frame ends where its headers say only if the checksum is that of its transport header.
func TestFinishElsewhere(t *testing.T) {
	for _, link := range [][]byte{nil, append(make([]byte, 12), 8, 0)} {
		frame := append(segment(t, &large{link: link}), bytes.Repeat([]byte{0xab}, 18)...) // padded
		l4 := len(link) + IPv4Len
		for _, c := range []struct{ start, offset int }{{l4 + 2, 4}, {l4, 7}, {l4, 8}, {l4, 20}, {len(link), 10}, {l4 + 8, 0}, {l4 + 16, 6}} {
			got, want := bytes.Clone(frame), bytes.Clone(frame)
			be.PutUint16(want[c.start+c.offset:], nonzero(^plainSum(frame[c.start:], 0)))
			if err := FinishChecksum(got, c.start, c.offset); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%+v: %v\n got %x\nwant %x", c, err, got, want)
			}
		}
	}
}

// FuzzFinish: any bytes, any place. What is recognised as partial is right once it is finished.
func FuzzFinish(f *testing.F) {
	f.Fuzz(func(t *testing.T, frame []byte, start, offset int) {
		before := bytes.Clone(frame)
		outside := start < 0 || offset < 0 || start > len(frame) || offset > len(frame) || start+offset+2 > len(frame)
		if err := FinishChecksum(frame, start, offset); (err != nil) != outside {
			t.Fatalf("%v at %d+%d of %d", err, start, offset, len(frame))
		}
		for i := range frame {
			if at := i - start - offset; frame[i] != before[i] && (at < 0 || at > 3 || at > 1 && offset != 8) {
				t.Fatalf("byte %d was changed: finished at %d+%d", i, start, offset)
			}
		}

		h := Parse(before)
		start, offset, ok := PartialChecksum(before)
		if s, o, k := h.PartialChecksum(before); s != start || o != offset || k != ok {
			t.Fatalf("%d, %d, %v by Headers, %d, %d, %v", s, o, k, start, offset, ok)
		}
		if !ok {
			return
		}
		frame = before[:h.End]
		if err := FinishChecksum(frame, start, offset); err != nil {
			t.Fatal(err)
		}
		if h.Protocol == ProtoSCTP {
			return
		}
		sum, ok := h.pseudoSum(frame[h.L3:], uint32(len(frame)-start))
		if !ok || plainSum(frame[start:], sum) != 0xffff {
			t.Errorf("not right when finished: %x", frame)
		}
		// Again by chance: it stays as it is.
		if s, o, ok := PartialChecksum(frame); ok {
			again := bytes.Clone(frame)
			if err := FinishChecksum(again, s, o); err != nil || !bytes.Equal(again, frame) {
				t.Errorf("%v, finished twice: %x, %x", err, frame, again)
			}
		}
	})
}

func BenchmarkPartialChecksum(b *testing.B) {
	for name, f := range benchFrames(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, n, _ := PartialChecksum(f)
				sink.n += uint64(n)
			}
		})
		h := Parse(f)
		b.Run(name+"/parsed", func(b *testing.B) {
			for b.Loop() {
				_, n, _ := h.PartialChecksum(f)
				sink.n += uint64(n)
			}
		})
	}
}

func BenchmarkFinishChecksum(b *testing.B) {
	for name, n := range map[string]int{"54": 0, "1514": 1460, "65226": 65172} {
		l := large{link: append(make([]byte, 12), 8, 0), tcp: true, payload: make([]byte, n)}
		frame := segment(b, &l)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				if err := FinishChecksum(frame, 34, 16); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
