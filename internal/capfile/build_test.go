// Builders of capture files, independent of the Writer, and ways to parse them.

package capfile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// order is a byte order that can both put and append.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var orders = []order{le, be}

// build is a capture file in the making.
type build struct {
	order
	b []byte
}

// pcapHead begins a classic file.
func pcapHead(o order, magic, snap, link uint32) *build {
	f := &build{order: o}
	f.b = o.AppendUint32(f.b, magic)
	f.b = o.AppendUint16(f.b, 2)
	f.b = o.AppendUint16(f.b, 4)
	f.u32(0, 0, snap, link)
	return f
}

func (f *build) u32(vs ...uint32) {
	for _, v := range vs {
		f.b = f.AppendUint32(f.b, v)
	}
}

// rec appends a classic frame.
func (f *build) rec(sec, frac uint32, data string, orig uint32) *build {
	f.u32(sec, frac, uint32(len(data)), orig)
	f.b = append(f.b, data...)
	return f
}

// block appends a block of the parts, each padded.
func (f *build) block(typ uint32, parts ...[]byte) *build {
	body := slices.Concat(parts...)
	n := uint32(len(body) + 12)
	f.u32(typ, n)
	f.b = append(f.b, body...)
	f.u32(n)
	return f
}

// fields encodes uint16, uint32, uint64 and padded strings.
func fields(o order, vs ...any) []byte {
	var b []byte
	for _, v := range vs {
		switch v := v.(type) {
		case uint16:
			b = o.AppendUint16(b, v)
		case uint32:
			b = o.AppendUint32(b, v)
		case int:
			b = o.AppendUint32(b, uint32(v))
		case uint64:
			b = o.AppendUint64(b, v)
		case string:
			b = append(b, v...)
			for len(b)%4 != 0 {
				b = append(b, 0)
			}
		case []byte:
			b = append(b, v...)
		default:
			panic(fmt.Sprintf("field of %T", v))
		}
	}
	return b
}

// option encodes one.
func option(o order, code uint16, val string) []byte {
	return fields(o, code, uint16(len(val)), val)
}

func (f *build) option(code uint16, val string) []byte { return option(f.order, code, val) }

// shb appends a section header.
func (f *build) shb(length uint64, opts ...[]byte) *build {
	return f.block(0x0a0d0d0a, fields(f.order, uint32(0x1a2b3c4d), uint16(1), uint16(0), length), slices.Concat(opts...))
}

func ng(o order) *build { return (&build{order: o}).shb(1<<64 - 1) }

// idb appends an interface.
func (f *build) idb(link uint16, snap uint32, opts ...[]byte) *build {
	return f.block(1, fields(f.order, link, uint16(0), snap), slices.Concat(opts...))
}

// epb appends a frame.
func (f *build) epb(iface uint32, ts uint64, data string, orig uint32, opts ...[]byte) *build {
	return f.block(6, fields(f.order, iface, uint32(ts>>32), uint32(ts), uint32(len(data)), orig, data), slices.Concat(opts...))
}

// got is a frame that was parsed, kept.
type got struct {
	Data    string
	NS      int64
	Off     int64
	If      int
	Orig    uint32
	HasTime bool
}

func keep(r *Record) got {
	return got{string(r.Data), r.TimeNS, r.Offset, r.Interface, r.OrigLen, r.HasTime}
}

// parse feeds data to p in steps of chunk bytes (0: all at once) and checks what
// Next promises on the way.
func parse(t testing.TB, p *Parser, data []byte, chunk int) ([]got, error) {
	t.Helper()
	if chunk == 0 {
		chunk = len(data)
	}
	var frames []got
	lo, hi := 0, 0
	for {
		rec := Record{Data: []byte("untouched"), OrigLen: 4711}
		n, err := p.Next(data[lo:hi], &rec)
		if n < 0 || n > hi-lo {
			t.Fatalf("consumed %d of %d bytes", n, hi-lo)
		}
		lo += n
		if int64(lo) != p.Offset() {
			t.Fatalf("consumed %d bytes in all, Offset is %d", lo, p.Offset())
		}
		if err != nil && (string(rec.Data) != "untouched" || rec.OrigLen != 4711) {
			t.Fatalf("rec changed with error %v", err)
		}
		switch {
		case err == nil:
			if n == 0 {
				t.Fatal("a frame without progress")
			}
			if len(rec.Data) > MaxFrame || cap(rec.Data) != len(rec.Data) {
				t.Fatalf("frame of %d bytes, capacity %d", len(rec.Data), cap(rec.Data))
			}
			if rec.Interface < 0 || rec.Interface >= len(p.Interfaces()) {
				t.Fatalf("interface %d of %d", rec.Interface, len(p.Interfaces()))
			}
			frames = append(frames, keep(&rec))
			if p.Frames() != uint64(len(frames)) {
				t.Fatalf("Frames is %d after %d", p.Frames(), len(frames))
			}
		case err == ErrShort:
			if p.Need() <= hi-lo || p.Need() > MaxBlock {
				t.Fatalf("Need is %d with %d bytes there", p.Need(), hi-lo)
			}
			if hi == len(data) {
				return frames, p.Finish(data[lo:])
			}
			hi = min(len(data), max(hi+chunk, lo+min(p.Need(), chunk)))
		default:
			if _, again := p.Next(data[lo:hi], &rec); again != err {
				t.Fatalf("error %v, then %v", err, again)
			}
			if fin := p.Finish(nil); fin != err {
				t.Fatalf("error %v, Finish says %v", err, fin)
			}
			return frames, err
		}
	}
}

// mustParse parses a valid file whole and bytewise.
func mustParse(t *testing.T, data []byte) ([]got, *Parser) {
	t.Helper()
	p := NewParser("file")
	frames, err := parse(t, p, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	bytewise := NewParser("file")
	again, err := parse(t, bytewise, data, 1)
	if err != nil {
		t.Fatal("bytewise:", err)
	}
	same(t, "bytewise", again, frames)
	same(t, "bytewise interfaces", bytewise.Interfaces(), p.Interfaces())
	same(t, "bytewise counts", bytewise.NotCarried(), p.NotCarried())
	return frames, p
}

// failParse parses a broken file whole and bytewise and returns the error.
func failParse(t *testing.T, data []byte) ([]got, *FormatError) {
	t.Helper()
	frames, err := parse(t, NewParser("file"), data, 0)
	fe, ok := err.(*FormatError)
	if !ok {
		t.Fatalf("error is %v", err)
	}
	again, err := parse(t, NewParser("file"), data, 1)
	same(t, "bytewise", again, frames)
	same[any](t, "bytewise error", err, fe)
	return frames, fe
}

func same[T any](t *testing.T, what string, have, want T) {
	t.Helper()
	if !reflect.DeepEqual(have, want) {
		t.Fatalf("%s:\nhave %+v\nwant %+v", what, have, want)
	}
}

// randomFrames are frames that every format and peer can hold.
func randomFrames(seed uint64, n, ifaces int) []got {
	r := rand.New(rand.NewPCG(seed, 7))
	frames := make([]got, n)
	for i := range frames {
		data := make([]byte, r.IntN(1600))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		frames[i] = got{Data: string(data), NS: 1_700_000_000_000_000_000 + int64(i)*1_000_003_000,
			If: r.IntN(ifaces), Orig: uint32(len(data) + r.IntN(2)*100), HasTime: true}
	}
	return frames
}

func writeFrames(t testing.TB, w *Writer, frames []got) {
	t.Helper()
	for _, g := range frames {
		if err := w.WriteFrame(g.NS, g.If, []byte(g.Data), g.Orig); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// withoutOffsets compares frames regardless of where they lay.
func withoutOffsets(t *testing.T, what string, have, want []got) {
	t.Helper()
	if len(have) != len(want) {
		t.Fatalf("%s: %d frames, want %d", what, len(have), len(want))
	}
	for i := range have {
		h, w := have[i], want[i]
		h.Off, w.Off = 0, 0
		if h != w {
			t.Fatalf("%s: frame %d: have %d bytes at %d ns of interface %d, want %d at %d of %d (%v)",
				what, i, len(h.Data), h.NS, h.If, len(w.Data), w.NS, w.If, h.Data == w.Data)
		}
	}
}
