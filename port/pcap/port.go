// The kind: its keys, and opening a port for one direction.

package pcap

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/port"
)

// MaxFrame is the longest frame in bytes that is read or written.
const MaxFrame = capfile.MaxFrame

const (
	stdinName  = "standard input"
	stdoutName = "standard output"

	// fileFlush is how long a frame stays in the buffer of a regular file: short enough for who
	// looks at a file that grows, and nothing beside the time in which a bulk copy fills the buffer.
	fileFlush = 200 * time.Millisecond
)

func init() {
	port.Register(port.Kind{
		Name:    "pcap",
		Summary: "capture file, pcap or pcapng, gzip'd input too; - is stdin or stdout",
		Target:  "FILE",
		Example: "pcap:in.pcapng",
		Does:    port.Both,
		Keys: []port.Key{
			{Name: "loop", Default: "1", Help: "reading: how many times the file is read; 0 is for ever"},
			{Name: "format", Default: "auto", Help: "writing: pcap or pcapng; auto goes by the file name"},
			{Name: "tsresol", Default: "auto", Help: "writing: us or ns, the unit of timestamps; auto is the source's"},
			{Name: "snaplen", Help: "writing: cut frames to that many bytes, their original length is kept"},
			{Name: "flush", Default: fileFlush.String() + ", 0s for pipes", Help: "writing: how long frames may stay in the buffer, as a duration"},
		},
		Open: open,
	})
}

// Open opens the capture file of that name for reading. It is port.Open without the rules of port
// strings, for names that come from elsewhere. o.Direction is not looked at.
func Open(file string, o port.Options) (port.Port, error) {
	o.Direction = port.In
	return plain(file).Open(o)
}

// Create opens the capture file of that name for writing, as Open does for reading. A file that exists
// is replaced.
func Create(file string, o port.Options) (port.Port, error) {
	o.Direction = port.Out
	return plain(file).Open(o)
}

func plain(file string) *port.Spec {
	return &port.Spec{Text: file, Kind: "pcap", Target: file, Name: file}
}

func open(s *port.Spec, o port.Options) (port.Port, error) {
	if s.Target == "" {
		return nil, s.Errorf("no file name; want pcap:FILE, or - for a standard stream")
	}
	switch o.Direction {
	case port.In:
		if err := onlyFor(s, "writing", "format", "tsresol", "snaplen", "flush"); err != nil {
			return nil, err
		}
		loop, err := s.Int("loop", 1, 0, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		return openReader(s, o, loop)
	case port.Out:
		if err := onlyFor(s, "reading", "loop"); err != nil {
			return nil, err
		}
		if strings.EqualFold(filepath.Ext(s.Target), ".gz") {
			return nil, s.Errorf("captures are not written compressed: leave .gz out, or write to - and pipe it through gzip")
		}
		c, err := parseOutput(s)
		if err != nil {
			return nil, err
		}
		return openWriter(s, o, c)
	}
	return nil, s.Errorf("a capture is read or written, not both: open it for one direction")
}

// onlyFor refuses keys that are for the other direction.
func onlyFor(s *port.Spec, what string, keys ...string) error {
	for _, k := range keys {
		if s.Has(k) {
			return s.Errorf("key %s is for %s a capture: leave it out here", k, what)
		}
	}
	return nil
}

// layout is what the keys say about a file to be written.
type layout struct {
	format     capfile.Format
	resolution capfile.Resolution // of all interfaces; 0 is each one's own
	snaplen    int                // in bytes; 0 is none
	flush      time.Duration      // negative: the default of what is written to
}

func parseOutput(s *port.Spec) (c layout, err error) {
	format, err := s.OneOf("format", "auto", "pcap", "pcapng")
	if err != nil {
		return c, err
	}
	unit, err := s.OneOf("tsresol", "auto", "us", "ns")
	if err != nil {
		return c, err
	}
	snaplen, err := s.Int("snaplen", 0, 1, MaxFrame)
	if err != nil {
		return c, err
	}
	if c.flush, err = s.Duration("flush", -1); err != nil {
		return c, err
	}
	c.snaplen = int(snaplen)
	c.resolution = map[string]capfile.Resolution{"us": capfile.Micro, "ns": capfile.Nano}[unit]
	c.format = capfile.FormatPcap
	if format == "pcapng" || format == "auto" && namedNG(s.Target) {
		c.format = capfile.FormatPcapNG
	}
	return c, nil
}

// namedNG reports whether a file of that name is expected to be pcapng.
func namedNG(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".pcapng", ".ntar":
		return true
	}
	return false
}

// openReader opens what s names and decides whether reading it may wait.
func openReader(s *port.Spec, o port.Options, loop int64) (port.Port, error) {
	if s.Target == "-" {
		f, _ := o.Stdin.(*os.File)
		info := statRegular(f)
		if loop != 1 {
			return nil, s.Errorf("standard input can't be read again: leave loop out, or name a file")
		}
		if info == nil {
			return newPumpReader(s, o, stdinName, o.Stdin, false), nil
		}
		return newFileReader(s, o, stdinName, f, info, 1, false)
	}
	info, err := os.Stat(s.Target)
	switch {
	case err != nil:
		return nil, explain(s.Target, err, "read")
	case info.IsDir():
		return nil, explain(s.Target, errDirectory, "read")
	case !info.Mode().IsRegular() && loop != 1:
		return nil, s.Errorf("%s is no regular file and can't be read again: leave loop out", s.Target)
	case info.Mode()&os.ModeNamedPipe != 0:
		return newPumpReader(s, o, s.Target, nil, true), nil
	}
	f, err := os.Open(s.Target)
	if err != nil {
		return nil, explain(s.Target, err, "read")
	}
	if info = statRegular(f); info == nil {
		return newPumpReader(s, o, s.Target, f, true), nil
	}
	r, err := newFileReader(s, o, s.Target, f, info, loop, true)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// openWriter opens what s names and decides whether writing to it may wait.
func openWriter(s *port.Spec, o port.Options, c layout) (port.Port, error) {
	if s.Target == "-" {
		f, _ := o.Stdout.(*os.File)
		info := statRegular(f)
		if info == nil {
			return newStreamWriter(s, o, c, stdoutName, o.Stdout, false)
		}
		if err := checkBusy(stdoutName, info); err != nil {
			return nil, err
		}
		return newFileWriter(s, o, c, stdoutName, f, info, false)
	}
	info, err := os.Stat(s.Target)
	switch {
	case err == nil && info.IsDir():
		return nil, explain(s.Target, errDirectory, "written")
	case err == nil && info.Mode()&os.ModeNamedPipe != 0:
		return newStreamWriter(s, o, c, s.Target, nil, true)
	case err == nil:
		// Before it is opened, which empties it.
		if err := checkBusy(s.Target, info); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(s.Target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, explain(s.Target, err, "written")
	}
	if info = statRegular(f); info == nil {
		return newStreamWriter(s, o, c, s.Target, f, true)
	}
	return newFileWriter(s, o, c, s.Target, f, info, true)
}

// statRegular returns what is known of a regular file, and nil for any other and for nil.
func statRegular(f *os.File) os.FileInfo {
	if f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return info
}

// Files and sockets whose calls in progress a deadline in the past ends.
type (
	readDeadliner  interface{ SetReadDeadline(time.Time) error }
	writeDeadliner interface{ SetWriteDeadline(time.Time) error }
)

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)
