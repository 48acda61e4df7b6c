// Nothing is allocated per frame.

package capfile

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestNoAllocations(t *testing.T) {
	frame := []byte(strings.Repeat("x", 60))
	opts := [][]byte{option(le, 1, "a comment"), option(le, 32769, "unnamed"), option(le, 2, "flag")}
	many := map[string]*build{"pcap": pcapHead(be, 0xa1b2c3d4, 0, 1), "ng": ng(be).idb(1, 0), "ng options": ng(le).idb(1, 0)}
	const n = 2000
	for range n {
		many["pcap"].rec(1, 2, string(frame), 60)
		many["ng"].epb(0, 1, string(frame), 60).block(3, fields(be, 60, string(frame))).block(4)
		many["ng options"].epb(0, 1, string(frame), 60, opts...).block(2, fields(le, 0, 0, 0, 60, 60, string(frame)))
	}
	for name, f := range many {
		p := NewParser("file")
		var rec Record
		lo, err := p.Next(f.b, &rec)
		if err != nil {
			t.Fatal(err)
		}
		next := func() {
			used, err := p.Next(f.b[lo:], &rec)
			if err != nil {
				t.Fatal(err)
			}
			lo += used
		}
		next()
		next()
		if a := testing.AllocsPerRun(n/2, next); a != 0 {
			t.Errorf("%s: %v allocations per Next", name, a)
		}
		rd, err := NewReader(bytes.NewReader(f.b), "file")
		if err != nil {
			t.Fatal(err)
		}
		if a := testing.AllocsPerRun(n/2, func() {
			if err := rd.Next(&rec); err != nil {
				t.Fatal(err)
			}
		}); a != 0 {
			t.Errorf("%s: %v allocations per Next of the Reader", name, a)
		}
	}
	// ErrShort allocates nothing either.
	p := NewParser("file")
	var rec Record
	cut := many["pcap"].b[24:50]
	p.Next(many["pcap"].b[:24], &rec)
	if a := testing.AllocsPerRun(100, func() {
		if _, err := p.Next(cut, &rec); err != ErrShort {
			t.Fatal(err)
		}
	}); a != 0 {
		t.Errorf("%v allocations per ErrShort", a)
	}

	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		w := newTestWriter(t, io.Discard, f, Interface{LinkType: 1, Resolution: Micro})
		if a := testing.AllocsPerRun(20000, func() {
			if err := w.WriteFrame(1_234_567, 0, frame, 60); err != nil {
				t.Fatal(err)
			}
		}); a != 0 {
			t.Errorf("%v: %v allocations per WriteFrame", f, a)
		}
	}
}
