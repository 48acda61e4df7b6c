// The writer: its bytes, its account of a failing disk, and round trips.

package capfile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func newTestWriter(t testing.TB, w io.Writer, f Format, ifaces ...Interface) *Writer {
	t.Helper()
	wr, err := NewWriter(w, f)
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range ifaces {
		if id, err := wr.AddInterface(it); err != nil || id != i {
			t.Fatal(id, err)
		}
	}
	return wr
}

func TestWriterGolden(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		it     Interface
		want   string
	}{
		{"pcap", FormatPcap, Interface{LinkType: 0x24000001, SnapLen: 65535, Resolution: Micro, Name: "lost", TSOffset: 9}, `
			d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000024
			01000000 02000000 03000000 3c000000 aabbcc
			02000000 3f420f00 00000000 00000000`},
		{"pcap nano", FormatPcap, Interface{LinkType: 1, SnapLen: 0, Resolution: Nano}, `
			4d3cb2a1 0200 0400 00000000 00000000 00000000 01000000
			01000000 d0070000 03000000 3c000000 aabbcc
			02000000 18c69a3b 00000000 00000000`},
		{"pcapng", FormatPcapNG, Interface{Name: "eth0", Description: "up", LinkType: 0x24000001, SnapLen: 262144, Resolution: Nano, TSOffset: 1}, `
			0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff
			  0400 0700 72696e6777617900 0000 0000 2c000000
			01000000 44000000 0100 0000 00000400
			  0200 0400 65746830 0300 0200 75700000 0900 0100 09000000
			  0d00 0100 20000000 0e00 0800 0100000000000000
			  0000 0000 44000000
			06000000 24000000 00000000 00000000 d0070000 03000000 3c000000 aabbcc00 24000000
			06000000 20000000 00000000 00000000 18903577 00000000 00000000 20000000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			w := newTestWriter(t, &b, c.format, c.it)
			for i := range w.buf[w.n:] {
				w.buf[w.n+i] = 0xa5 // padding must not be what was there
			}
			for _, f := range []got{{Data: "\xaa\xbb\xcc", NS: 1_000_002_000, Orig: 60}, {NS: 2_999_999_000}} {
				if err := w.WriteFrame(f.NS, 0, []byte(f.Data), f.Orig); err != nil {
					t.Fatal(err)
				}
			}
			same(t, "pending", w.Pending(), 2)
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if want := unhex(t, c.want); !bytes.Equal(b.Bytes(), want) {
				t.Fatalf("\nhave %x\nwant %x", b.Bytes(), want)
			}
			if w.Frames() != 2 || w.Pending() != 0 || w.WholeBytes() != int64(b.Len()) || w.LostPrecision() != 0 || w.Saturated() != 0 {
				t.Fatal(w.Frames(), w.Pending(), w.WholeBytes(), w.LostPrecision(), w.Saturated())
			}
		})
	}
}

// TestCopyIsIdentical copies classic little-endian captures.
func TestCopyIsIdentical(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, magic := range []uint32{0xa1b2c3d4, 0xa1b23c4d} {
		for _, link := range []uint32{1, 0, 0x24000001, 0xffffffff} {
			f := pcapHead(le, magic, uint32(r.IntN(3))*65535, link)
			for range 2000 {
				n := r.IntN(1600)
				f.rec(r.Uint32(), uint32(r.IntN(1e6)), strings.Repeat("f", n), uint32(r.IntN(1600)))
			}
			rd, err := NewReader(bytes.NewReader(f.b), "file")
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			w := newTestWriter(t, &out, FormatPcap, rd.Interfaces()...)
			var rec Record
			for rd.Next(&rec) == nil {
				if err := w.WriteFrame(rec.TimeNS, rec.Interface, rec.Data, rec.OrigLen); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil || !bytes.Equal(out.Bytes(), f.b) {
				t.Fatalf("magic %x link %x: not identical (%v)", magic, link, err)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, c := range []struct {
		format Format
		ifaces []Interface
	}{
		{FormatPcap, []Interface{{LinkType: 1, Resolution: Nano}}},
		{FormatPcapNG, []Interface{
			{Name: "eth0", Description: "ü", LinkType: 1, SnapLen: 100, Resolution: Nano},
			{LinkType: 113, Resolution: Nano, TSOffset: -3000000000},
			{LinkType: 0x44000001, Resolution: Nano, TSOffset: 7}}},
	} {
		var b bytes.Buffer
		w := newTestWriter(t, &b, c.format, c.ifaces...)
		var want []got
		buf := make([]byte, MaxFrame)
		for i := range 3000 {
			n := r.IntN(2000)
			if i%500 == 0 {
				n = MaxFrame - r.IntN(5)
			}
			for j := range buf[:n] {
				buf[j] = byte(r.Uint32())
			}
			g := got{Data: string(buf[:n]), NS: 10e9 + r.Int64N(1e18), Orig: r.Uint32(), If: r.IntN(len(c.ifaces)), HasTime: true}
			if c.format == FormatPcap {
				g.NS = r.Int64N((math.MaxUint32 + 1) * nsPerSec)
			}
			if err := w.WriteFrame(g.NS, g.If, buf[:n], g.Orig); err != nil {
				t.Fatal(err)
			}
			want = append(want, g)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		frames, rd, err := readAll(&b)
		if err != nil || len(frames) != len(want) {
			t.Fatal(len(frames), err)
		}
		for i := range frames {
			frames[i].Off = 0
			if frames[i] != want[i] {
				t.Fatalf("frame %d: have %v of %d, want %v of %d", i, frames[i].NS, frames[i].If, want[i].NS, want[i].If)
			}
		}
		same(t, "interfaces", rd.Interfaces(), c.ifaces)
		if w.LostPrecision()+w.Saturated() != 0 {
			t.Fatal(w.LostPrecision(), w.Saturated())
		}
	}
}

func TestWriterResolution(t *testing.T) {
	for res, want := range map[Resolution]Resolution{0: 6, 1: 1, 3: 3, 6: 6, 7: 7, 9: 9, 10: 9, 12: 9, 127: 9, 0x80: 9, 0x8a: 9, 0xff: 9} {
		var b bytes.Buffer
		w := newTestWriter(t, &b, FormatPcapNG, Interface{LinkType: 1, Resolution: res})
		unit := int64(pow10[9-want])
		for _, ns := range []int64{5 * unit, 5*unit + 1} {
			if err := w.WriteFrame(ns, 0, nil, 0); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		frames, rd, err := readAll(&b)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "resolution", rd.Interfaces()[0].Resolution, want)
		same(t, "time", frames[0].NS, 5*unit)
		lost := uint64(1)
		if want == 9 {
			lost = 0
		}
		same(t, "lost", w.LostPrecision(), lost)
	}
	for res, micro := range map[Resolution]bool{0: true, 3: true, 6: true, 7: false, 9: false, 0x80: false, 0x86: false} {
		var b bytes.Buffer
		newTestWriter(t, &b, FormatPcap, Interface{Resolution: res}).Flush()
		same(t, "micro", le.Uint32(b.Bytes()) == magicMicro, micro)
	}
}

func TestWriterTimes(t *testing.T) {
	for _, c := range []struct {
		format    Format
		it        Interface
		ns, want  int64
		lost, sat uint64
	}{
		{FormatPcap, Interface{Resolution: Micro}, 1_999, 1_000, 1, 0},
		{FormatPcap, Interface{Resolution: Micro}, -1, 0, 0, 1},
		{FormatPcap, Interface{Resolution: Nano}, math.MinInt64, 0, 0, 1},
		{FormatPcap, Interface{Resolution: Micro}, math.MaxInt64, math.MaxUint32*nsPerSec + 999_999_000, 1, 1},
		{FormatPcap, Interface{Resolution: Nano}, (math.MaxUint32 + 1) * nsPerSec, math.MaxUint32*nsPerSec + 999_999_999, 0, 1},
		{FormatPcap, Interface{Resolution: Nano}, (math.MaxUint32+1)*nsPerSec - 1, math.MaxUint32*nsPerSec + 999_999_999, 0, 0},
		{FormatPcapNG, Interface{Resolution: Nano}, -1, 0, 0, 1},
		{FormatPcapNG, Interface{Resolution: Nano}, math.MaxInt64, math.MaxInt64, 0, 0},
		{FormatPcapNG, Interface{Resolution: Nano, TSOffset: -9223372036}, math.MaxInt64, math.MaxInt64, 0, 0},
		{FormatPcapNG, Interface{Resolution: Nano, TSOffset: -9223372036}, math.MinInt64 + 854775808, math.MinInt64 + 854775808, 0, 0},
		{FormatPcapNG, Interface{Resolution: Micro, TSOffset: -10}, -9_999_999_999, -10_000_000_000, 1, 0},
		{FormatPcapNG, Interface{Resolution: Nano, TSOffset: 10}, 5, 10e9, 0, 1},
		{FormatPcapNG, Interface{Resolution: Nano, TSOffset: math.MaxInt64}, 5, 5, 0, 0},
	} {
		var b bytes.Buffer
		w := newTestWriter(t, &b, c.format, c.it)
		if err := w.WriteFrame(c.ns, 0, nil, 0); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		frames, _, err := readAll(&b)
		if err != nil || frames[0].NS != c.want || w.LostPrecision() != c.lost || w.Saturated() != c.sat {
			t.Errorf("%+v: have %d lost %d saturated %d (%v)", c, frames[0].NS, w.LostPrecision(), w.Saturated(), err)
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	if _, err := NewWriter(io.Discard, 0); err == nil {
		t.Fatal("format 0")
	}
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		w := newTestWriter(t, io.Discard, f)
		if err := w.WriteFrame(0, 0, nil, 0); err == nil {
			t.Fatal("a frame before any interface")
		}
		if _, err := w.AddInterface(Interface{Name: strings.Repeat("x", MaxString+1)}); err == nil {
			t.Fatal("long name")
		}
		if _, err := w.AddInterface(Interface{Description: strings.Repeat("x", MaxString+1)}); err == nil {
			t.Fatal("long description")
		}
		for range MaxInterfaces {
			if _, err := w.AddInterface(Interface{LinkType: 1, Name: strings.Repeat("x", MaxString), Description: strings.Repeat("x", MaxString)}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.AddInterface(Interface{LinkType: 1}); err == nil {
			t.Fatal("too many interfaces")
		}
		before := w.Pending()
		for _, err := range []error{
			w.WriteFrame(0, 0, make([]byte, MaxFrame+1), 0), w.WriteFrame(0, -1, nil, 0), w.WriteFrame(0, MaxInterfaces, nil, 0)} {
			if err == nil {
				t.Fatal("a frame that cannot be written")
			}
		}
		same(t, "pending", w.Pending(), before)
	}
	w := newTestWriter(t, io.Discard, FormatPcap, Interface{LinkType: 1}, Interface{LinkType: 1})
	if _, err := w.AddInterface(Interface{LinkType: 113}); err == nil || !strings.Contains(err.Error(), "pcapng") {
		t.Fatal(err)
	}
}

var errFull = errors.New("no space left on device")

// disk takes up to room bytes, a step at a time, and then fails as a full disk does.
type disk struct {
	b    []byte
	room int
	step int  // longest write, 0 for any
	mum  bool // a short write without an error
}

func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-len(d.b))
	if d.step != 0 {
		n = min(n, d.step)
	}
	d.b = append(d.b, p[:n]...)
	if n < len(p) && !(d.mum && n > 0) {
		return n, errFull
	}
	return n, nil
}

// TestFullDisk fills a disk of every size, and then gives it room again.
func TestFullDisk(t *testing.T) {
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		var sizes []int // after each header and frame
		write := func(d io.Writer) (*Writer, error) {
			w, _ := newWriter(d, f, 256)
			sizes = sizes[:0]
			var first error
			step := func(err error) {
				if err != nil && first == nil {
					first = err
				}
				sizes = append(sizes, int(w.base)+w.n)
			}
			if f == FormatPcapNG {
				step(nil)
			}
			_, err := w.AddInterface(Interface{LinkType: 1, Resolution: Nano})
			step(err)
			for i := 0; i < 20 && first == nil; i++ {
				step(w.WriteFrame(int64(i), 0, make([]byte, i*5), uint32(i)))
			}
			if first == nil {
				first = w.Flush()
			}
			return w, first
		}
		var whole bytes.Buffer
		if _, err := write(&whole); err != nil {
			t.Fatal(err)
		}
		ends := append([]int(nil), sizes...)
		headers := 1
		if f == FormatPcapNG {
			headers = 2
		}
		for _, step := range []int{0, 1, 7, 100} {
			for _, mum := range []bool{true, false} {
				for room := range whole.Len() {
					d := &disk{room: room, step: step, mum: mum}
					w, err := write(d)
					if err != errFull {
						t.Fatal(err)
					}
					if !mum && step != 0 {
						room = len(d.b) // failed after the first step
					}
					end, frames := 0, 0
					for i, e := range ends {
						if e <= room {
							end, frames = e, max(0, i+1-headers)
						}
					}
					if w.WholeBytes() != int64(end) || w.Frames() != uint64(frames) {
						t.Fatalf("%v room %d: %d bytes and %d frames, want %d and %d", f, room, w.WholeBytes(), w.Frames(), end, frames)
					}
					if !bytes.Equal(d.b, whole.Bytes()[:room]) {
						t.Fatalf("room %d: other bytes", room)
					}
					if end > 0 {
						if got, err := parse(t, NewParser(""), d.b[:end], 0); err != nil || len(got) != frames {
							t.Fatalf("cut to %d: %d frames, %v", end, len(got), err)
						}
					}
					// Space again: what was taken arrives, and nothing twice.
					pending := w.Pending()
					d.room, d.step = math.MaxInt, 0
					if err := w.Flush(); err != nil || w.Pending() != 0 || w.Frames() != uint64(frames)+pending {
						t.Fatal(err, w.Pending(), w.Frames())
					}
					if !bytes.HasPrefix(whole.Bytes(), d.b) || w.WholeBytes() != int64(len(d.b)) {
						t.Fatalf("room %d: other bytes after going on", room)
					}
				}
			}
		}
	}
}

type silent struct{}

func (silent) Write([]byte) (int, error) { return 0, nil }

type liar struct{}

func (liar) Write(p []byte) (int, error) { return len(p) + 1, nil }

func TestBadWriters(t *testing.T) {
	w := newTestWriter(t, silent{}, FormatPcapNG)
	if err := w.Flush(); err != io.ErrShortWrite {
		t.Fatal(err)
	}
	w = newTestWriter(t, liar{}, FormatPcapNG)
	if err := w.Flush(); err == nil || w.WholeBytes() != 0 {
		t.Fatal(err, w.WholeBytes())
	}
}
