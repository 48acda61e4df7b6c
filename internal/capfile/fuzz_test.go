// Files that nobody meant to make, and frames that must come back from a file as they went in.

package capfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"math/big"
	"runtime"
	"strings"
	"testing"
)

// FuzzCapture: whatever the file and the pieces it comes in, the parser and the reader find the
// same, in bounded memory, and say what is wrong in one line. The parse helper
// holds them to progress at each step and to the limits on frames and Need.
func FuzzCapture(f *testing.F) {
	rd := &Reader{p: NewParser("file"), buf: make([]byte, MaxBlock)}
	f.Fuzz(func(t *testing.T, file []byte, chunk uint16) {
		plain, zipped, sound := unzip(file)
		whole, pieces := NewParser("file"), NewParser("file")
		whole.decompressed, pieces.decompressed = zipped, zipped
		if n := allocated(func() { skim(plain) }); n > mayAllocate(plain) {
			t.Fatalf("%d bytes allocated for a file of %d", n, len(plain))
		}
		frames, err := parse(t, whole, plain, 0)
		if err != nil && strings.ContainsAny(err.Error(), "\n\r") {
			t.Fatalf("not a line: %q", err)
		}
		again, err2 := parse(t, pieces, plain, int(chunk))
		same(t, "in pieces", again, frames)
		same(t, "error in pieces", err2, err)
		same(t, "counts in pieces", pieces.NotCarried(), whole.NotCarried())
		same(t, "interfaces in pieces", pieces.Interfaces(), whole.Interfaces())

		_ = rd.Reset(&inPieces{file, max(1, int(chunk))}) // Next gives this error again
		again, err2 = drain(rd)
		same(t, "size of the reader's buffer", len(rd.buf), MaxBlock)
		if sound {
			same(t, "by the reader", again, frames)
			same(t, "error by the reader", err2, err)
		} else if err2 == nil {
			t.Fatal("a damaged gzip stream was read to its end")
		}
	})
}

// skim parses all of a file and keeps nothing.
func skim(b []byte) {
	p := NewParser("file")
	for {
		var rec Record
		n, err := p.Next(b, &rec)
		b = b[n:]
		if err != nil {
			_ = p.Finish(b)
			return
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// mayAllocate bounds what a file costs by what is there of it, not by what it claims: tables and
// errors, and for each interface description of 20 bytes an entry in two growing slices.
func mayAllocate(file []byte) uint64 { return 64<<10 + 64*uint64(len(file)) }

// unzip returns what the parser is to see of a file. If it is a gzip file that is damaged or has
// more than 8 MiB in it, sound is false.
func unzip(file []byte) (plain []byte, zipped, sound bool) {
	if !bytes.HasPrefix(file, []byte("\x1f\x8b")) {
		return file, false, true
	}
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, true, false
	}
	const limit = 8 << 20
	plain, err = io.ReadAll(io.LimitReader(z, limit))
	return plain, true, err == nil && len(plain) < limit
}

// inPieces reads n bytes at a time.
type inPieces struct {
	b []byte
	n int
}

func (r *inPieces) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.b[:min(r.n, len(r.b))])
	r.b = r.b[n:]
	return n, nil
}

// TestClaims: a length field costs nothing. Each file claims as much as its fields hold.
func TestClaims(t *testing.T) {
	rd := &Reader{p: NewParser("file"), buf: make([]byte, MaxBlock)}
	for _, o := range orders {
		iface := func() *build { return ng(o).idb(1, 0) }
		for name, file := range map[string][]byte{
			"frame":                 append(pcapHead(o, 0xa1b2c3d4, 0xffffffff, 1).b, fields(o, 0, 0, uint32(0xffffffff), uint32(0xffffffff))...),
			"frame at the limit":    append(pcapHead(o, 0xa1b2c3d4, 0xffffffff, 1).b, fields(o, 0, 0, MaxFrame, MaxFrame)...),
			"section":               fields(o, 0x0a0d0d0a, uint32(0xfffffffc), 0x1a2b3c4d, uint16(1), uint16(0)),
			"section's own length":  ng(o).shb(1<<63 - 1).b,
			"interface description": append(ng(o).b, fields(o, 1, uint32(0xfffffffc), 1, 0)...),
			"packet block":          append(iface().b, fields(o, 6, uint32(0xfffffffc), 0, 0, 0, 4, 4)...),
			"block at the limit":    append(iface().b, fields(o, 6, MaxBlock, 0, 0, 0, MaxFrame, MaxFrame)...),
			"captured length":       append(iface().b, fields(o, 6, 36, 0, 0, 0, uint32(0xffffffff), 4)...),
			"simple packet":         append(iface().b, fields(o, 3, uint32(0xfffffffc), uint32(0xffffffff))...),
			"block passed over":     append(iface().b, fields(o, 10, uint32(0xfffffffc), 0)...),
			"option":                ng(o).idb(1, 0, fields(o, uint16(2), uint16(0xffff), "eth0")).b,
		} {
			n := allocated(func() {
				_ = rd.Reset(bytes.NewReader(file))
				_, _ = drain(rd)
			})
			if n > mayAllocate(file) || len(rd.buf) != MaxBlock {
				t.Errorf("%s, %v: %d bytes allocated, buffer of %d", name, o, n, len(rd.buf))
			}
		}
	}
}

// FuzzCaptureRoundTrip: frames that are written come back as they were, with the time that the
// file's unit and range leave of theirs, and the writer's account is right.
func FuzzCaptureRoundTrip(f *testing.F) {
	f.Fuzz(func(t *testing.T, ng bool, name string, link, snap uint32, res uint8, off int64, stream []byte) {
		format := FormatPcap
		if ng {
			format = FormatPcapNG
		}
		ifaces := []Interface{
			{Name: name, Description: name, LinkType: link, SnapLen: snap, Resolution: Resolution(res), TSOffset: off},
			{LinkType: link, Resolution: Nano},
		}
		var file bytes.Buffer
		w, err := newWriter(&file, format, 4096) // small, so that it is flushed in between
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range ifaces {
			if _, err := w.AddInterface(it); err != nil {
				if len(name) <= MaxString {
					t.Fatal(err)
				}
				return
			}
		}
		var want []got
		var lost, saturated uint64
		for len(stream) >= 14 {
			g := got{
				NS: int64(binary.LittleEndian.Uint64(stream)), Orig: binary.LittleEndian.Uint32(stream[8:]),
				If: int(stream[12] & 1), HasTime: true,
			}
			n := min(int(stream[13]), len(stream)-14)
			g.Data, stream = string(stream[14:14+n]), stream[14+n:]
			if err := w.WriteFrame(g.NS, g.If, []byte(g.Data), g.Orig); err != nil {
				t.Fatal(err)
			}
			if !ng {
				g.If = 0 // a classic file has one
			}
			var isLost, isSaturated bool
			if g.NS, isLost, isSaturated = kept(ng, ifaces[g.If], g.NS); isLost {
				lost++
			}
			if isSaturated {
				saturated++
			}
			want = append(want, g)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		same(t, "account", []uint64{w.Frames(), w.Pending(), uint64(w.WholeBytes()), w.LostPrecision(), w.Saturated()},
			[]uint64{uint64(len(want)), 0, uint64(file.Len()), lost, saturated})

		frames, p := mustParse(t, file.Bytes())
		withoutOffsets(t, "read back", frames, want)
		same(t, "cut or saturated by the parser", p.SubNanosecond()+p.Saturated(), 0)
		if ng {
			same(t, "interfaces", p.Interfaces(), []Interface{keptInterface(ifaces[0]), keptInterface(ifaces[1])})
		} else {
			same(t, "interface", p.Interfaces(), []Interface{{LinkType: link, SnapLen: snap, Resolution: classicUnit(res)}})
		}
	})
}

// kept is what a file holds of a time, with whole numbers of any size.
func kept(ng bool, it Interface, timeNS int64) (ns int64, lost, saturated bool) {
	res, start := classicUnit(uint8(it.Resolution)), big.NewInt(0)
	if ng {
		it = keptInterface(it)
		res = it.Resolution
		start.Mul(big.NewInt(it.TSOffset), big.NewInt(nsPerSec))
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(9-int64(res)), nil)
	at := new(big.Int).Sub(big.NewInt(timeNS), start)
	if at.Sign() < 0 {
		return start.Int64(), false, true
	}
	ticks, rest := new(big.Int).QuoRem(at, unit, new(big.Int))
	lost = rest.Sign() != 0
	if perSecond := new(big.Int).Quo(big.NewInt(nsPerSec), unit); !ng {
		end := perSecond.Lsh(perSecond, 32)
		if ticks.Cmp(end) >= 0 {
			ticks.Sub(end, big.NewInt(1))
			saturated = true
		}
	}
	at.Add(start, ticks.Mul(ticks, unit))
	return at.Int64(), lost, saturated
}

// classicUnit is the unit of a classic file: there are two.
func classicUnit(res uint8) Resolution {
	if res <= 6 {
		return Micro
	}
	return Nano
}

// keptInterface is what a pcapng file holds of an interface.
func keptInterface(it Interface) Interface {
	it.Name = strings.TrimRight(it.Name, "\x00")
	it.Description = strings.TrimRight(it.Description, "\x00")
	if it.LinkType&fcsPresent == 0 {
		it.LinkType &= 0xffff
	} else {
		it.LinkType &= 0xf000ffff | fcsPresent
	}
	switch {
	case it.Resolution == 0:
		it.Resolution = Micro
	case it.Resolution > Nano:
		it.Resolution = Nano
	}
	if ns := new(big.Int).Mul(big.NewInt(it.TSOffset), big.NewInt(nsPerSec)); !ns.IsInt64() {
		it.TSOffset = 0
	}
	return it
}
