package vnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/pool"
)

// header makes one of its fields, as the kernel would.
func header(flags, gso byte, hdrLen, size, start, offset uint16) []byte {
	h := []byte{flags, gso}
	for _, v := range []uint16{hdrLen, size, start, offset} {
		h = binary.NativeEndian.AppendUint16(h, v)
	}
	return h
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name string
		h    []byte
		n    int
		want pool.Offload
		bad  bool
	}{
		{name: "nothing to do", h: header(0, 0, 0, 0, 0, 0), n: 60},
		{name: "nothing to do, and junk where nobody looks", h: header(0, 0, 9, 9, 9999, 9999), n: 60},
		{name: "an empty frame", h: header(0, 0, 0, 0, 0, 0)},
		{name: "valid", h: header(2, 0, 0, 0, 0, 0), n: 60, want: pool.Offload{ChecksumValid: true}},
		{name: "checksum", h: header(1, 0, 0, 0, 34, 16), n: 60, want: pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}},
		{name: "checksum in the last two bytes", h: header(1, 0, 0, 0, 34, 6), n: 42, want: pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}},
		{name: "checksum beyond the frame", h: header(1, 0, 0, 0, 34, 6), n: 41, bad: true},
		{name: "checksum of an empty frame", h: header(1, 0, 0, 0, 0, 0), bad: true},
		{name: "offsets that overflow 16 bits", h: header(1, 0, 0, 0, 65535, 65535), n: 60, bad: true},
		{name: "TCP over IPv4", h: header(1, 1, 54, 1448, 34, 16), n: 9000, want: pool.Offload{GSO: pool.GSOTCP4, SegmentSize: 1448, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}},
		{name: "TCP over IPv6, ECN", h: header(1, 0x84, 74, 1, 54, 16), n: 9000, want: pool.Offload{GSO: pool.GSOTCP6, ECN: true, SegmentSize: 1, NeedsChecksum: true, ChecksumStart: 54, ChecksumOffset: 16}},
		{name: "UDP", h: header(1, 5, 42, 65535, 34, 6), n: 9000, want: pool.Offload{GSO: pool.GSOUDP, SegmentSize: 65535, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}},
		{name: "segments of nothing", h: header(1, 1, 54, 0, 34, 16), n: 9000, bad: true},
		{name: "fragments", h: header(1, 3, 54, 1448, 34, 6), n: 9000, bad: true},
		{name: "a kind that nobody knows", h: header(1, 0x7f, 54, 1448, 34, 16), n: 9000, bad: true},
	} {
		o, err := Decode(c.h, c.n)
		if c.bad != errors.Is(err, ErrHeader) || !c.bad && err != nil || o != c.want {
			t.Errorf("%s: %+v, %v", c.name, o, err)
		}
	}
}

// TestEncode: what Linux wants beside what Decode reads.
func TestEncode(t *testing.T) {
	tcp := make([]byte, 9000)
	tcp[34+12] = 8 << 4 // 32 bytes of header
	for _, c := range []struct {
		name  string
		o     pool.Offload
		frame []byte
		want  []byte
	}{
		{"nothing", pool.Offload{}, tcp, header(0, 0, 0, 0, 0, 0)},
		{"valid", pool.Offload{ChecksumValid: true}, tcp, header(2, 0, 0, 0, 0, 0)},
		{"unfinished is not valid", pool.Offload{ChecksumValid: true, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}, tcp, header(1, 0, 0, 0, 34, 16)},
		{"TCP", pool.Offload{GSO: pool.GSOTCP4, SegmentSize: 1448, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}, tcp, header(1, 1, 66, 1448, 34, 16)},
		{"UDP", pool.Offload{GSO: pool.GSOUDP, SegmentSize: 1400, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, tcp, header(1, 5, 42, 1400, 34, 6)},
		{"TCP that is cut short", pool.Offload{GSO: pool.GSOTCP4, SegmentSize: 1, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}, tcp[:40], header(1, 1, 40, 1, 34, 16)},
		{"without a checksum", pool.Offload{GSO: pool.GSOTCP6, ECN: true, SegmentSize: 7}, tcp, header(0, 0x84, 0, 7, 0, 0)},
	} {
		h := make([]byte, Len)
		for i := range h {
			h[i] = 0xff
		}
		Encode(h, c.o, c.frame)
		if string(h) != string(c.want) {
			t.Errorf("%s: % x, want % x", c.name, h, c.want)
		}
	}
}

// FuzzDecode: what Decode lets through fits the frame and the buffer that it goes to, and is the same once it has been written and
// read again.
func FuzzDecode(f *testing.F) {
	f.Add(header(0, 0, 0, 0, 0, 0), 60)
	f.Add(header(1, 1, 54, 1448, 34, 16), 9000)
	f.Add(header(1, 0x84, 74, 1, 54, 16), 9000)
	f.Add(header(1, 5, 42, 65535, 34, 6), 65550)
	f.Add(header(1, 0, 0, 0, 65535, 65535), 60)
	f.Add(header(3, 0x80, 1, 1, 1, 1), 4)
	p, err := pool.New(pool.Config{Count: 8, BufferSize: 1 << 17})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, h []byte, n int) {
		if len(h) < Len || n < 0 || n > 1<<17 {
			return
		}
		o, err := Decode(h, n)
		if err != nil {
			if !errors.Is(err, ErrHeader) || o != (pool.Offload{}) {
				t.Fatalf("%+v, %v", o, err)
			}
			return
		}
		if o.NeedsChecksum && int(o.ChecksumStart)+int(o.ChecksumOffset)+2 > n || !o.NeedsChecksum && o.ChecksumStart > 0 {
			t.Fatalf("%+v in a frame of %d bytes", o, n)
		}
		if (o.GSO == pool.GSONone) != (o.SegmentSize == 0) || o.ECN && o.GSO == pool.GSONone {
			t.Fatalf("%+v", o)
		}
		b, err := p.Get()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Release()
		if _, err := b.AppendUnzeroed(n); err != nil {
			t.Fatal(err)
		}
		b.SetOffload(o) // it would panic
		var again [Len]byte
		Encode(again[:], o, b.Bytes())
		o.ChecksumValid = o.ChecksumValid && !o.NeedsChecksum
		if o2, err := Decode(again[:], n); err != nil || o2 != o {
			t.Fatalf("%+v became %+v, %v", o, o2, err)
		}
	})
}

func Example() {
	frame := make([]byte, 66)
	large := pool.Offload{GSO: pool.GSOUDP, SegmentSize: 1400, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}
	var h [Len]byte
	Encode(h[:], large, frame)
	got, err := Decode(h[:], len(frame))
	fmt.Println(got == large, err)
	_, err = Decode(h[:], 41) // it has no checksum there
	fmt.Println(err)
	// Output:
	// true <nil>
	// bad virtio_net_hdr
}
