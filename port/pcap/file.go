// The source that is a regular file: read on the spot, as often as is asked for.

package pcap

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/port"
)

// file is a regular file that is read. The reader's mu guards it.
type file struct {
	in    input
	f     *os.File
	owned bool // opened here, so closed here
	rd    *capfile.Reader
	start int64 // where in the file the capture begins
	size  int64 // from there on
	loop  int64 // how many passes; 0 is for ever
	pass  int64 // the current one, from 1 on
	done  int64 // bytes of the passes before
}

func newFileReader(s *port.Spec, o port.Options, name string, f *os.File, info os.FileInfo, loop int64, owned bool) (port.Port, error) {
	src := &file{in: input{r: f}, f: f, owned: owned, loop: loop, pass: 1, size: info.Size()}
	if !owned { // the program's standard input: somebody may have read from it
		if at, err := f.Seek(0, io.SeekCurrent); err == nil {
			src.start = at
			src.size = max(0, src.size-at)
		}
	}
	var err error
	if src.rd, err = capfile.NewReader(&src.in, name); err != nil {
		return nil, readError(err)
	}
	r := newReader(s, o, name)
	r.src = src
	r.learn()
	setBusy(r, info, s.Name, "reads")
	return r, nil
}

func (s *file) next(rec *capfile.Record) error {
	err := s.rd.Next(rec)
	for err == io.EOF && s.again() {
		if err = s.rewind(); err == nil {
			err = s.rd.Next(rec)
		}
	}
	if err != nil {
		return readError(err)
	}
	return nil
}

// again reports whether another pass is due. A file without a frame is not read again: for ever would
// be a busy loop.
func (s *file) again() bool {
	return (s.loop == 0 || s.pass < s.loop) && s.rd.Parser().Frames() > 0
}

func (s *file) rewind() error {
	if _, err := s.f.Seek(s.start, io.SeekStart); err != nil {
		return fmt.Errorf("%s: going back to its start: %w", oneLine(s.f.Name()), cause(err))
	}
	s.done += s.in.n
	s.in.n = 0
	s.pass++
	return s.rd.Reset(&s.in)
}

func (s *file) wait(context.Context, <-chan struct{}) error { return nil }

func (s *file) interfaces() []capfile.Interface { return s.rd.Interfaces() }

func (s *file) describe(info *port.Info) {
	p := s.rd.Parser()
	info.Mode = "reads a file: " + s.in.form(p.Format())
	if s.loop != 1 {
		info.Mode += fmt.Sprintf(", pass %d", s.pass)
		if s.loop > 1 {
			info.Mode += fmt.Sprintf(" of %d", s.loop)
		}
	}
	notes(info, p)
	info.Done = s.done + s.in.done(p)
	if s.loop > 0 {
		info.Total = max(info.Done, s.size*s.loop)
	}
}

func (s *file) close() {
	if s.owned {
		s.f.Close() // of a file that was only read: nothing is lost with it
	}
}
