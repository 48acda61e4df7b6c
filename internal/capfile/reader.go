// Pull parsing: an io.Reader, a buffer of fixed size and gzip around a Parser.

package capfile

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// Reader reads the frames of a capture from an io.Reader, through a buffer of
// its own of [MaxBlock] bytes, which never grows. A gzip file (of several members
// too) is decompressed on the way; offsets are then those of what comes out. It
// is for one goroutine.
type Reader struct {
	p      *Parser
	r      io.Reader
	buf    []byte
	lo, hi int // buf[lo:hi] is read and not consumed

	first    Record // read ahead by NewReader
	hasFirst bool
	stop     error // what ended reading: io.EOF or a failure
	err      error // given on each call from now on
}

// NewReader returns a Reader of r; the name is for its errors. It reads up to the
// first frame or the end, so that Interfaces has those described before it, and
// fails if r does not begin as a capture does. A fault after that is for Next to
// report.
func NewReader(r io.Reader, name string) (*Reader, error) {
	rd := &Reader{buf: make([]byte, MaxBlock)}
	if err := rd.reset(r, name); err != nil {
		return nil, err
	}
	return rd, nil
}

// Reset makes r begin with another stream, as NewReader does, in the buffer that it has. Its
// Parser is a new one. After an error the Reader gives that error on each call.
func (r *Reader) Reset(src io.Reader) error {
	err := r.reset(src, r.p.name)
	if err != nil {
		r.err = err
	}
	return err
}

func (r *Reader) reset(src io.Reader, name string) error {
	*r = Reader{p: NewParser(name), r: src, buf: r.buf}
	if err := r.sniff(); err != nil {
		return err
	}
	if r.err = r.next(&r.first); r.err != nil && r.p.off == 0 {
		return r.err
	}
	r.hasFirst = r.err == nil
	return nil
}

// Next decodes the next frame. rec.Data is valid until the call after it. The
// error is io.EOF after the last whole frame of a file that ends there, a
// *FormatError if it does not, or what the io.Reader returned, wrapped.
func (r *Reader) Next(rec *Record) error {
	if r.err != nil {
		return r.err
	}
	if r.hasFirst {
		*rec = r.first
		r.hasFirst, r.first = false, Record{}
		return nil
	}
	if err := r.next(rec); err != nil {
		r.err = err
		return err
	}
	return nil
}

// Parser returns the parser below, for what it knows about the file: its format,
// interfaces and counts. Its Next must not be called.
func (r *Reader) Parser() *Parser { return r.p }

// Interfaces is Parser().Interfaces().
func (r *Reader) Interfaces() []Interface { return r.p.Interfaces() }

func (r *Reader) next(rec *Record) error {
	n, err := r.p.Next(r.buf[r.lo:r.hi], rec)
	r.lo += n
	if err == ErrShort {
		return r.more(rec)
	}
	return err
}

// more reads until the parser, which was short, has a frame.
func (r *Reader) more(rec *Record) error {
	for {
		if r.stop == io.EOF {
			if err := r.p.Finish(r.buf[r.lo:r.hi]); err != nil {
				return err
			}
			return io.EOF
		}
		if r.stop != nil {
			return r.readError(r.stop)
		}
		r.fill(r.p.Need())
		n, err := r.p.Next(r.buf[r.lo:r.hi], rec)
		r.lo += n
		if err != ErrShort {
			return err
		}
	}
}

// fill reads until need bytes are there or no more come, and keeps the reader's
// error for when the bytes before it are used up.
func (r *Reader) fill(need int) {
	r.hi = copy(r.buf, r.buf[r.lo:r.hi])
	r.lo = 0
	for idle := 0; r.hi < need && r.stop == nil; {
		var n int
		n, r.stop = r.r.Read(r.buf[r.hi:])
		r.hi += n
		if n > 0 {
			idle = 0
		} else if idle++; idle == 100 && r.stop == nil {
			r.stop = io.ErrNoProgress
		}
	}
}

// sniff looks for gzip and puts a decompressor in front.
func (r *Reader) sniff() error {
	r.fill(2)
	if r.hi < 2 || r.buf[0] != 0x1f || r.buf[1] != 0x8b {
		return nil
	}
	rest := r.r
	if r.stop != nil {
		rest = ended{r.stop}
	}
	begun := bytes.Clone(r.buf[:r.hi])
	r.hi, r.stop = 0, nil
	r.p.decompressed = true
	z, err := gzip.NewReader(io.MultiReader(bytes.NewReader(begun), rest))
	if err != nil {
		return r.readError(err)
	}
	r.r = z
	return nil
}

// readError tells a damaged gzip stream, which is a fault of the file, from a
// reader that failed.
func (r *Reader) readError(err error) error {
	at := r.p.off + int64(r.hi-r.lo)
	var corrupt flate.CorruptInputError
	switch {
	case r.p.decompressed && errors.Is(err, io.ErrUnexpectedEOF):
		return r.p.fail(at, "what comes before it is whole and was read", "the gzip stream is cut short")
	case r.p.decompressed && (err == io.EOF || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt)):
		return r.p.fail(at, "check it with: gzip -t", "the gzip stream is damaged (%v)", err)
	}
	return fmt.Errorf("%s: %s%d: %w", oneLine(r.p.name), offsetWord(r.p.decompressed), at, err)
}

// ended is a reader that has said how it ended and must not be asked again.
type ended struct{ err error }

func (e ended) Read([]byte) (int, error) { return 0, e.err }
