// The writer: a buffer of whole records in front of an io.Writer, and the
// account of what that has taken.

package capfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// writeBuffer is how many bytes are gathered before they are written. It must
// hold the longest record. Into a file, 260 KiB cost a tenth to a fifth more a frame
// and 2 MiB a tenth less or nothing (BenchmarkWriteBuffer).
const writeBuffer = 512 << 10

// Writer writes a capture file, little-endian, through a buffer. It is for one
// goroutine. Nothing is allocated per frame.
//
// An error of the io.Writer is returned by the call that met it, and what was
// not accepted stays in the buffer: a later Flush goes on exactly where it
// stopped. Or the file is cut to WholeBytes, holds Frames frames, and the Writer
// is not used again.
type Writer struct {
	w      io.Writer
	format Format
	nano   bool   // classic: fractions are nanoseconds
	link   uint32 // classic: the LinkType of the header
	ifaces []outClock

	// buf[sent:n] waits to be written. buf[:mark] are the whole records among
	// what was: buf always begins with one, which is base bytes into the file.
	buf  []byte
	n    int
	sent int
	mark int
	base int64

	taken  uint64 // frames
	frames uint64 // of them accepted whole by w
	lost   uint64
	sat    uint64
}

// outClock is how one interface's times are written: (ns-offNS)/unit.
type outClock struct {
	offNS int64
	unit  uint64
}

// NewWriter returns a Writer to w. A pcapng file's section header is put in the
// buffer at once; a classic file's header needs the first AddInterface, and
// before that the file is empty.
func NewWriter(w io.Writer, f Format) (*Writer, error) { return newWriter(w, f, writeBuffer) }

func newWriter(w io.Writer, f Format, size int) (*Writer, error) {
	if f != FormatPcap && f != FormatPcapNG {
		return nil, fmt.Errorf("capfile: no such format: %d", f)
	}
	wr := &Writer{w: w, format: f, buf: make([]byte, size)}
	if f == FormatPcapNG {
		wr.n = putSectionHeader(wr.buf)
	}
	return wr, nil
}

// AddInterface describes an interface and returns its id for WriteFrame.
//
// In pcapng it writes an Interface Description Block, at any time before its
// frames. A decimal resolution of 10^-1 to 10^-9 seconds is kept; whole seconds
// become microseconds, and any other becomes nanoseconds: both hold what they
// replace as far as TimeNS does. TSOffset is kept if int64 nanoseconds hold it,
// else it is 0. Of LinkType the link type and the FCS length are kept.
//
// In a classic file the first one writes the file header: LinkType and SnapLen
// as they are, with microseconds for decimal resolutions up to 10^-6 and
// nanoseconds for any other. Names and TSOffset have no place there (the times
// are right all the same), and further interfaces must have the same LinkType.
//
// SnapLen does not hold frames to it. Some readers cut a frame that exceeds the
// one announced; 0 means no limit in pcapng, and to most readers of classic files.
func (w *Writer) AddInterface(it Interface) (id int, err error) {
	switch {
	case len(w.ifaces) >= MaxInterfaces:
		return 0, fmt.Errorf("capfile: more than %d interfaces", MaxInterfaces)
	case len(it.Name) > MaxString:
		return 0, fmt.Errorf("capfile: interface name of %d bytes, over the limit of %d", len(it.Name), MaxString)
	case len(it.Description) > MaxString:
		return 0, fmt.Errorf("capfile: interface description of %d bytes, over the limit of %d", len(it.Description), MaxString)
	}
	var c outClock
	if w.format == FormatPcap {
		err = w.addPcap(it)
	} else {
		c, err = w.addNG(it)
	}
	if err != nil {
		return 0, err
	}
	w.ifaces = append(w.ifaces, c)
	return len(w.ifaces) - 1, nil
}

// WriteFrame takes one frame; its bytes are copied. timeNS is nanoseconds since
// 1970, iface an id from AddInterface and origLen the length on the wire, which
// is written as it is.
//
// A time finer than the file's unit is cut and counted (LostPrecision). One that
// the file cannot hold (before 1970, or in a classic file after 2106) becomes the
// nearest that it can and is counted (Saturated).
//
// If there is an error the frame was not taken.
func (w *Writer) WriteFrame(timeNS int64, iface int, data []byte, origLen uint32) error {
	if len(data) > MaxFrame {
		return fmt.Errorf("capfile: frame of %d bytes, over the limit of %d", len(data), MaxFrame)
	}
	if uint(iface) >= uint(len(w.ifaces)) {
		return fmt.Errorf("capfile: frame of interface %d, but %d have been added", iface, len(w.ifaces))
	}
	if w.format == FormatPcap {
		b, err := w.room(pcapRecordLen + len(data))
		if err != nil {
			return err
		}
		w.putPcap(b, timeNS, data, origLen)
	} else {
		b, err := w.room(packetMinLen + (len(data)+3)&^3)
		if err != nil {
			return err
		}
		w.putEPB(b, timeNS, iface, data, origLen)
	}
	w.taken++
	return nil
}

// Flush writes what is in the buffer.
func (w *Writer) Flush() error {
	for w.sent < w.n {
		n, err := w.w.Write(w.buf[w.sent:w.n])
		if n < 0 || n > w.n-w.sent {
			return errors.New("capfile: the writer below returned an impossible count")
		}
		w.sent += n
		if w.sent == w.n {
			w.reset()
		} else {
			w.advance()
		}
		if err == nil && n == 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Frames returns how many frames have been accepted, whole, by the io.Writer.
func (w *Writer) Frames() uint64 { return w.frames }

// Pending returns how many frames were taken and are not in Frames yet: they
// are in the buffer, the first perhaps in part.
func (w *Writer) Pending() uint64 { return w.taken - w.frames }

// WholeBytes returns how many bytes the io.Writer has accepted up to the end of
// the last whole header, block or frame: cut to that the file is valid, and holds
// Frames frames.
func (w *Writer) WholeBytes() int64 { return w.base + int64(w.mark) }

// LostPrecision returns how many frames were written with their time cut to the
// file's unit.
func (w *Writer) LostPrecision() uint64 { return w.lost }

// Saturated returns how many frames were written with another time because the
// file cannot hold theirs.
func (w *Writer) Saturated() uint64 { return w.sat }

// room returns the next size bytes of the buffer, and flushes it for them.
func (w *Writer) room(size int) ([]byte, error) {
	if size > len(w.buf)-w.n {
		if err := w.Flush(); err != nil {
			return nil, err
		}
	}
	b := w.buf[w.n : w.n+size : w.n+size]
	w.n += size
	return b, nil
}

// reset empties the buffer, all of which was accepted.
func (w *Writer) reset() {
	w.base += int64(w.n)
	w.n, w.sent, w.mark = 0, 0, 0
	w.frames = w.taken
}

// advance moves mark over the records that lie before sent. The buffer is read
// back for that: it happens only after a write that fell short, so frames need
// not be kept account of one by one.
func (w *Writer) advance() {
	for w.mark < w.sent {
		b := w.buf[w.mark:w.n]
		var size int
		frame := true
		switch {
		case w.format == FormatPcapNG:
			size = int(binary.LittleEndian.Uint32(b[4:]))
			frame = binary.LittleEndian.Uint32(b) == blockEPB
		case w.base == 0 && w.mark == 0:
			size, frame = pcapHeaderLen, false
		default:
			size = pcapRecordLen + int(binary.LittleEndian.Uint32(b[8:]))
		}
		if w.mark+size > w.sent {
			return
		}
		w.mark += size
		if frame {
			w.frames++
		}
	}
}
