// Files that are broken, cut or made to hurt.

package capfile

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestBroken(t *testing.T) {
	raw := func(b ...any) []byte { return fields(le, b...) }
	pcap := func() *build { return pcapHead(le, 0xa1b2c3d4, 65535, 1).rec(1, 1, "abc", 3) } // 43 bytes
	iface := func() *build { return ng(le).idb(1, 0) }                                      // 48 bytes
	epbHead := func(n, iface, caplen uint32) []byte {                                       // no body, no trailer
		return raw(6, n, iface, 0, 0, caplen, caplen)
	}
	setU32 := func(b []byte, at int, v uint32) []byte { le.PutUint32(b[at:], v); return b }
	manyIDBs := ng(le)
	for range MaxInterfaces + 1 {
		manyIDBs.idb(1, 0)
	}
	for _, c := range []struct {
		name   string
		file   []byte
		off    int64
		frames int
		what   string // in the error, in this order, split by |
	}{
		{"kuznetzov", raw(uint32(0xa1b2cd34), 0, 0), 0, 0, "modified pcap|a1b2cd34|editcap"},
		{"kuznetzov big", []byte{0xa1, 0xb2, 0xcd, 0x34}, 0, 0, "modified pcap"},
		{"unknown", []byte("hello world"), 0, 0, "neither pcap nor pcapng|68 65 6c 6c"},
		{"gzip", []byte("\x1f\x8b\x08\x00"), 0, 0, "gzip|gzip -dc"},
		{"zstd", []byte("\x28\xb5\x2f\xfd"), 0, 0, "zstd|zstd -dc"},
		{"snoop", []byte("snoop\x00\x00\x00"), 0, 0, "snoop|editcap -F pcap"},
		{"version", func() []byte { b := pcap().b; b[6] = 3; return b }(), 0, 0, "version 2.3|2.4"},
		{"caplen", append(pcap().b, raw(0, 0, 300000, 300000)...), 43, 1, "captured length 300000 is over the limit of 262144|-s 262144|editcap -s 262144"},
		{"caplen max", append(pcap().b, raw(0, 0, uint32(0xffffffff), 0)...), 43, 1, "captured length 4294967295"},
		{"caplen limit+1", append(pcap().b, raw(0, 0, MaxFrame+1, 0)...), 43, 1, "captured length 262145"},

		{"bom", (&build{order: le}).block(0x0a0d0d0a, raw(0x11223344, 1, 0, 0)).b, 0, 0, "byte order magic|44 33 22 11"},
		{"bom of second section", setU32(iface().epb(0, 0, "abcd", 4).shb(0).b, 84+8, 0), 84, 1, "byte order magic"},
		{"shb length", setU32(ng(le).b, 4, 24), 0, 0, "Section Header Block: block length 24|at least 28"},
		{"shb length odd", setU32(ng(le).b, 4, 30), 0, 0, "block length 30|multiple of 4"},
		{"shb length big", setU32(ng(le).b, 4, MaxBlock+4), 0, 0, "block length 1048580 is over the limit of 1048576"},
		{"shb trailer", setU32(ng(le).b, 24, 32), 0, 0, "28 at its start, 32 at its end"},
		{"ng version", func() []byte { b := ng(le).b; b[12] = 2; return b }(), 0, 0, "version 2.0"},
		{"shb option", (&build{order: le}).shb(0, raw(uint16(4), uint16(5), 0)).b, 24, 0, "option 4 of 5 bytes|4 left"},
		{"zeros", append(iface().b, make([]byte, 32)...), 48, 0, "block length 0|at least 12"},
		{"block length 8", append(iface().b, raw(0x99, 8, 8)...), 48, 0, "block length 8"},
		{"block length odd", append(iface().b, raw(4, 13, 0, 0)...), 48, 0, "Name Resolution Block: block length 13"},
		{"skipped trailer", append(iface().b, raw(4, 16, 0, 20)...), 48, 0, "Name Resolution Block|16 at its start, 20"},

		{"idb short", append(iface().b, raw(1, 16, 1, 16)...), 48, 0, "Interface Description Block: block length 16|20"},
		{"idb big", append(iface().b, raw(1, MaxBlock+4)...), 48, 0, "over the limit of 1048576"},
		{"idb trailer", setU32(iface().b, 44, 0), 28, 0, "20 at its start, 0"},
		{"idb option", ng(le).idb(1, 0, raw(uint16(2), uint16(0xffff), "eth0")).b, 44, 0, "option 2 of 65535 bytes|4 left"},
		{"tsresol", ng(le).idb(1, 0, option(le, 9, "\x06\x06")).b, 44, 0, "if_tsresol of 2 bytes|1"},
		{"tsoffset", ng(le).idb(1, 0, option(le, 2, "x"), option(le, 14, "1234")).b, 52, 0, "if_tsoffset of 4 bytes|8"},
		{"fcslen", ng(le).idb(1, 0, option(le, 13, "")).b, 44, 0, "if_fcslen of 0 bytes|1"},
		{"interfaces", manyIDBs.b, 28 + 20*MaxInterfaces, 0, "more than 4096 interfaces"},

		{"epb short", append(iface().b, raw(6, 28, 0, 0, 0, 0, 28)...), 48, 0, "Enhanced Packet Block: block length 28|32"},
		{"epb caplen", append(iface().b, epbHead(100, 0, 300000)...), 48, 0, "captured length 300000 is over"},
		{"epb caplen, block too", append(iface().b, epbHead(0xfffffffc, 0, 0xffffffff)...), 48, 0, "captured length 4294967295 is over"},
		{"epb big", append(iface().b, epbHead(MaxBlock+4, 0, 4)...), 48, 0, "block length 1048580 is over the limit of 1048576|editcap"},
		{"epb fit", append(iface().b, epbHead(36, 0, 5)...), 48, 0, "captured length 5 does not fit|36"},
		{"epb interface", iface().epb(0, 0, "", 0).epb(1, 0, "abcd", 4).b, 80, 1, "interface 1|described 1"},
		{"epb interface max", iface().epb(0xffffffff, 0, "abcd", 4).b, 48, 0, "interface 4294967295"},
		{"epb interface of last section", iface().shb(0).epb(0, 0, "abcd", 4).b, 76, 0, "interface 0|described 0"},
		{"epb trailer", setU32(iface().epb(0, 0, "abcd", 4).b, 80, 40), 48, 0, "36 at its start, 40"},
		{"epb option", iface().epb(0, 0, "abcd", 4, raw(uint16(1), uint16(9), "12345678")).b, 80, 0, "option 1 of 9 bytes|8 left"},
		{"pb interface", iface().block(2, raw(uint16(7), uint16(0), 0, 0, 0, 0)).b, 48, 0, "interface 7"},
		{"spb without idb", ng(le).block(3, raw(1, "a")).b, 28, 0, "no interface"},
		{"spb short", append(iface().b, raw(3, 12, 12)...), 48, 0, "Simple Packet Block: block length 12|16"},
		{"spb fit", iface().block(3, raw(5, "abcd")).b, 48, 0, "captured length 5 does not fit"},
		{"spb caplen", append(iface().b, raw(3, MaxBlock, MaxFrame+1)...), 48, 0, "captured length 262145 is over"},
		{"spb big", append(iface().b, raw(3, MaxBlock+4, 1)...), 48, 0, "over the limit of 1048576"},
		{"spb trailer", setU32(iface().block(3, raw(1, "a")).b, 64, 0), 48, 0, "20 at its start, 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			frames, err := failParse(t, c.file)
			text := err.Error()
			if strings.ContainsAny(text, "\n\r") {
				t.Fatalf("not a line: %q", text)
			}
			at := 0
			for _, part := range strings.Split("file: offset "+fmt.Sprint(c.off)+": |"+c.what, "|") {
				i := strings.Index(text[at:], part)
				if i < 0 {
					t.Fatalf("error is %q, without %q", text, part)
				}
				at += i + len(part)
			}
			if err.Offset != c.off || len(frames) != c.frames {
				t.Fatalf("offset %d after %d frames; want %d after %d (%v)", err.Offset, len(frames), c.off, c.frames, err)
			}
		})
	}
}

func TestErrorText(t *testing.T) {
	e := &FormatError{File: "a\nb", Offset: 1, Decompressed: true, What: "w"}
	same(t, "text", e.Error(), `"a\nb": decompressed offset 1: w`)
	e = &FormatError{Offset: 1234, What: "w", Remedy: "r"}
	same(t, "text", e.Error(), "offset 1234: w; r")
}

// longest has frames and a block of the longest kinds.
func longest(o order) *build {
	frame := strings.Repeat("x", MaxFrame)
	f := ng(o).idb(1, 0).epb(0, 1, frame, MaxFrame)
	var opts [][]byte
	for room := MaxBlock - 32 - MaxFrame; room > 0; {
		n := min(room, 4+65532)
		opts = append(opts, option(o, 1, strings.Repeat("c", n-4)))
		room -= n
	}
	return f.epb(0, 2, frame, MaxFrame, opts...)
}

func TestLongest(t *testing.T) {
	for _, o := range orders {
		p := NewParser("")
		frames, err := parse(t, p, longest(o).b, 4096)
		if err != nil || len(frames) != 2 || len(frames[1].Data) != MaxFrame {
			t.Fatal(len(frames), err)
		}
		frames, err = parse(t, NewParser(""), pcapHead(o, 0xa1b2c3d4, 0, 1).rec(0, 0, strings.Repeat("x", MaxFrame), MaxFrame).b, 4096)
		if err != nil || len(frames) != 1 {
			t.Fatal(len(frames), err)
		}
	}
}

// samples are small valid files, with where their headers, blocks and frames end.
func samples(t testing.TB) map[string]struct {
	file []byte
	ends []int
	head int // before this the file is not valid
} {
	type sample = struct {
		file []byte
		ends []int
		head int
	}
	m := map[string]sample{
		"pcap little": {unhex(t, goldenMicroLE), []int{24, 43, 59}, 24},
		"pcap big":    {unhex(t, goldenNanoBE), []int{24, 43, 60}, 24},
		"ng little":   {unhex(t, goldenNGLE), []int{28, 68, 116, 136, 172, 196, 224}, 28},
		"ng big":      {unhex(t, goldenNGBE), []int{28, 68, 116, 136, 172, 196, 224}, 28},
	}
	for name, s := range m {
		if s.ends[len(s.ends)-1] != len(s.file) {
			t.Fatalf("%s is %d bytes", name, len(s.file))
		}
	}
	return m
}

func TestTruncated(t *testing.T) {
	for name, s := range samples(t) {
		all, err := parse(t, NewParser("file"), s.file, 0)
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(s.file) {
			start, whole, boundary := 0, 0, false
			for _, e := range s.ends {
				if e <= cut {
					start, boundary = e, e == cut
				}
			}
			for _, g := range all {
				if g.Off < int64(start) {
					whole++
				}
			}
			for _, chunk := range []int{0, 1, 7} {
				frames, err := parse(t, NewParser("file"), s.file[:cut], chunk)
				if len(frames) != whole || whole > 0 && frames[whole-1] != all[whole-1] {
					t.Fatalf("%s cut at %d: %d frames, want %d", name, cut, len(frames), whole)
				}
				if boundary {
					if err != nil {
						t.Fatalf("%s cut at %d, a boundary: %v", name, cut, err)
					}
					continue
				}
				var fe *FormatError
				if !errors.As(err, &fe) || fe.Offset != int64(start) {
					t.Fatalf("%s cut at %d: %v, want offset %d", name, cut, err, start)
				}
				want := fmt.Sprintf("cut at offset %d", cut)
				switch {
				case cut == 0:
					want = "empty file: not a capture"
				case cut < 4:
					want = "not a capture"
				}
				if !strings.Contains(err.Error(), want) {
					t.Fatalf("%s cut at %d: %v", name, cut, err)
				}
			}
		}
	}
	// What a user reads.
	for _, c := range []struct {
		cut  int
		want string
	}{
		{10, "file: offset 0: truncated file header: 10 of its 24 bytes, cut at offset 10; the file holds no frame"},
		{30, "file: offset 24: truncated frame header: 6 of its 16 bytes, cut at offset 30; what comes before it is whole and was read"},
		{41, "file: offset 24: truncated frame: 17 of its 19 bytes, cut at offset 41; what comes before it is whole and was read"},
	} {
		_, err := failParse(t, unhex(t, goldenMicroLE)[:c.cut])
		same(t, "text", err.Error(), c.want)
	}
	_, err := failParse(t, unhex(t, goldenNGLE)[:190])
	same(t, "text", err.Error(), "file: offset 172: truncated Interface Statistics Block: 18 of its 24 bytes, cut at offset 190; what comes before it is whole and was read")
}

// TestHugeSkippedBlock passes 4 GiB through a small buffer.
func TestHugeSkippedBlock(t *testing.T) {
	const size = 0xfffffffc
	p := NewParser("")
	var rec Record
	head := append(ng(le).idb(1, 0).b, fields(le, 10, uint32(size))...)
	if n, err := p.Next(head, &rec); n != len(head) || err != ErrShort {
		t.Fatal(n, err)
	}
	zero := make([]byte, 1<<20)
	for left := int64(size) - 12; left > 0; {
		n, err := p.Next(zero[:min(left, int64(len(zero)))], &rec)
		if err != ErrShort || n == 0 {
			t.Fatal(n, err)
		}
		left -= int64(n)
	}
	if n, err := p.Next(fields(le, uint32(size)), &rec); n != 4 || err != ErrShort {
		t.Fatal(n, err)
	}
	same(t, "offset", p.Offset(), 48+size)
	f := (&build{order: le}).epb(0, 0, "abcd", 4)
	if _, err := p.Next(f.b, &rec); err != nil || rec.Offset != 48+size {
		t.Fatal(err, rec)
	}
	same(t, "counts", p.NotCarried(), []Count{{"Decryption Secrets Block", 1}})
}

// mutate damages a file in one of the ways that matter to a parser.
func mutate(r *rand.Rand, b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			return b
		}
		at := r.IntN(len(b))
		switch r.IntN(6) {
		case 0:
			b[at] ^= 1 << r.IntN(8)
		case 1:
			b[at] = byte(r.Uint32())
		case 2: // a field of 32 bits, mostly near an end of its range
			if at &^= 3; at+4 <= len(b) {
				v := []uint32{0, 1, 4, 8, 12, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, MaxFrame, MaxFrame + 1, MaxBlock, r.Uint32()}[r.IntN(13)]
				orders[r.IntN(2)].PutUint32(b[at:], v)
			}
		case 3:
			b = b[:at]
		case 4: // repeat a part
			end := at + r.IntN(len(b)-at)
			b = append(b, b[at:end]...)
		case 5: // drop a part
			end := at + r.IntN(len(b)-at)
			b = append(b[:at], b[end:]...)
		}
	}
	return b
}

func TestMutated(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	var files [][]byte
	for _, name := range []string{"pcap little", "pcap big", "ng little", "ng big"} {
		files = append(files, samples(t)[name].file)
	}
	for i := range rounds {
		b := mutate(r, files[i%len(files)])
		p := NewParser("file")
		frames, err := parse(t, p, b, 0)
		if i%64 == 0 {
			if n := allocated(func() { skim(b) }); n > mayAllocate(b) {
				t.Fatalf("%d bytes allocated for %x", n, b)
			}
		}
		again, err2 := parse(t, NewParser("file"), b, 1+r.IntN(9))
		same(t, "in pieces", again, frames)
		same(t, "error in pieces", err2, err)
	}
}
