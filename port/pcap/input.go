// What is below both kinds of source: bytes that are counted, and what is told about them.

package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/port"
)

// input is the raw bytes of a capture, before gzip is undone.
type input struct {
	r    io.Reader
	n    int64    // bytes read
	head [12]byte // the first of them
}

// Read reads. Its errors don't name the file: the codec does.
func (in *input) Read(b []byte) (int, error) {
	n, err := in.r.Read(b)
	in.note(b[:n])
	return n, bare(err)
}

// note counts bytes that were read and remembers the first.
func (in *input) note(b []byte) {
	if in.n < int64(len(in.head)) {
		copy(in.head[in.n:], b)
	}
	in.n += int64(len(b))
}

func bare(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return cause(err)
}

// form tells what kind of stream begins so: "pcapng, little-endian", or "" while that is not known.
func (in *input) form(f capfile.Format) string {
	if f == 0 {
		return ""
	}
	const (
		micro, nano = 0xa1b2c3d4, 0xa1b23c4d // classic
		order       = 0x1a2b3c4d             // pcapng, at 8
	)
	head := in.head[:]
	if in.zipped() {
		return f.String() + ", gzip"
	}
	le, be := binary.LittleEndian.Uint32(head), binary.BigEndian.Uint32(head)
	switch {
	case le == micro, le == nano, binary.LittleEndian.Uint32(head[8:]) == order:
		return f.String() + ", little-endian"
	case be == micro, be == nano, binary.BigEndian.Uint32(head[8:]) == order:
		return f.String() + ", big-endian"
	}
	return f.String()
}

func (in *input) zipped() bool { return bytes.HasPrefix(in.head[:], []byte{0x1f, 0x8b}) }

// done returns how many of the bytes read p has decoded; of a gzip stream, which p does not see, all.
func (in *input) done(p *capfile.Parser) int64 {
	if in.zipped() {
		return in.n
	}
	return min(in.n, p.Offset())
}

// notes tells what a parser has met and frames don't carry.
func notes(info *port.Info, p *capfile.Parser) {
	add := func(format string, args ...any) {
		info.Notes = append(info.Notes, fmt.Sprintf(format, args...))
	}
	if lost := p.NotCarried(); len(lost) > 0 {
		var what []string
		for _, c := range lost {
			what = append(what, fmt.Sprintf("%d × %s", c.N, c.What))
		}
		add("not carried: %s", strings.Join(what, ", "))
	}
	if n := p.SubNanosecond(); n > 0 {
		add("%s had a time finer than 1 ns, which was cut to nanoseconds", count(n, "frame"))
	}
	if n := p.Saturated(); n > 0 {
		add("%s had a time outside of 1677 to 2262 and got the nearest in it", count(n, "frame"))
	}
}
