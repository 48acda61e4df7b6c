// Captures that nobody meant to make, through ports: from a file, from a stream and into a copy.

package pcap

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// FuzzRead: a port brings the frames that the codec finds (FuzzCapture holds that one to account),
// with their Meta, then the codec's error, in one line; a file and a stream are alike, and
// two passes over a file are one after the other.
func FuzzRead(f *testing.F) {
	o := port.Options{Pool: pooltest.New(f, pool.Config{Count: 64, BufferSize: 512}), Direction: port.In}
	path := filepath.Join(f.TempDir(), "capture")
	f.Fuzz(func(t *testing.T, capture []byte, oneByOne bool) {
		want, _, end := codecFrames(capture)

		var src io.Reader = bytes.NewReader(capture)
		if oneByOne {
			src = iotest.OneByteReader(src)
		}
		o.Stdin = src
		checkReader(t, "stream", "-", o, want, end)

		if err := os.WriteFile(path, capture, 0o600); err != nil {
			t.Fatal(err)
		}
		checkReader(t, "file", "pcap:"+path, o, want, end)
		if end == "EOF" {
			want = slices.Concat(want, want)
		}
		checkReader(t, "file, twice", "pcap:"+path+",loop=2", o, want, end)
	})
}

// FuzzCopy: what was read of a capture is in the pcapng that it is written to, cut to snaplen, by
// interfaces of the same names and kinds; times differ only if the writer says so.
func FuzzCopy(f *testing.F) {
	o := port.Options{Pool: pooltest.New(f, pool.Config{Count: 64, BufferSize: 512})}
	f.Fuzz(func(t *testing.T, capture []byte, snaplen uint32) {
		snaplen = snaplen%MaxFrame + 1
		var copied bytes.Buffer
		o.Interfaces = new(port.Interfaces)
		o.Stdin, o.Stdout = bytes.NewReader(capture), &copied
		r, w := openIn(t, "-", o), openOut(t, fmt.Sprintf("pcap:-,format=pcapng,snaplen=%d", snaplen), o)
		if _, err := move(t, r, w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		want, from, _ := codecFrames(capture)
		frames, to, end := codecFrames(copied.Bytes())
		balanced(t, w, len(want))
		if len(frames) != len(want) || end != "EOF" {
			t.Fatalf("%d frames and %s, want %d", len(frames), end, len(want))
		}
		otherTime := 0
		for i, a := range want {
			if a.meta.OrigLen == 0 {
				a.meta.OrigLen = uint32(len(a.data))
			}
			a.data = a.data[:min(len(a.data), int(snaplen))]
			b := frames[i]
			if a.meta.Time != b.meta.Time {
				otherTime++
			}
			if a.data != b.data || a.meta.OrigLen != b.meta.OrigLen {
				t.Errorf("frame %d is %+v, want %+v", i, b, a)
			}
			x, y := from[a.meta.Interface-1], to[b.meta.Interface-1]
			if x.SnapLen == 0 || x.SnapLen > snaplen { // 0 is no limit
				x.SnapLen = snaplen
			}
			if x.Name != y.Name || x.Description != y.Description || linkOf(x) != linkOf(y) || x.SnapLen != y.SnapLen {
				t.Errorf("frame %d came by %+v, and by %+v in the copy", i, x, y)
			}
		}
		codec := w.(*writer).enc.codec
		if said := codec.LostPrecision() + codec.Saturated(); uint64(otherTime) > said {
			t.Errorf("%d frames have another time, the writer says %d", otherTime, said)
		}
	})
}

// linkOf is what an interface says about the kind of its frames; the other bits have no meaning.
func linkOf(it capfile.Interface) string {
	bytes, known := it.FCSLen()
	return fmt.Sprint(it.Link(), bytes, known)
}

// codecFrames is what the codec finds, and the words of its error behind the file's name.
func codecFrames(capture []byte) (frames []got, interfaces []capfile.Interface, end string) {
	rd, err := capfile.NewReader(bytes.NewReader(capture), "capture")
	for err == nil {
		var rec capfile.Record
		if err = rd.Next(&rec); err == nil {
			meta := pool.Meta{Time: rec.TimeNS, OrigLen: rec.OrigLen, Interface: uint32(rec.Interface) + 1}
			frames = append(frames, got{string(rec.Data), meta})
		}
	}
	if rd != nil {
		interfaces = rd.Interfaces()
	}
	return frames, interfaces, strings.TrimPrefix(err.Error(), "capture: ")
}

// checkReader reads a capture to its end through a port.
func checkReader(t *testing.T, what, name string, o port.Options, want []got, end string) {
	t.Helper()
	o.Interfaces = new(port.Interfaces) // numbers begin at 1
	var frames []got
	p, err := port.Open(name, o)
	if err == nil {
		frames, err = collect(t, p)
		for _, note := range p.Info().Notes {
			if strings.ContainsAny(note, "\n\r") {
				t.Errorf("%s: note %q is not a line", what, note)
			}
		}
		if stats := p.Stats(); int(stats.RxPackets) != len(want) {
			t.Errorf("%s: %d frames counted, want %d", what, stats.RxPackets, len(want))
		}
		if err := p.Close(); err != nil {
			t.Errorf("%s: Close: %v", what, err)
		}
	}
	if said := err.Error(); !strings.Contains(said, end) || strings.ContainsAny(said, "\n\r") {
		t.Errorf("%s: ends with %q, want %q", what, said, end)
	}
	if !slices.Equal(frames, want) {
		t.Errorf("%s: %d frames\n%v\nwant %d\n%v", what, len(frames), frames, len(want), want)
	}
}
