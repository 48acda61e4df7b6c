// The parser's face: what is the same for both formats.

package capfile

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Parser decodes one capture stream from bytes that it is handed. It does no
// I/O, copies no frame and allocates nothing per frame. It is for one goroutine.
type Parser struct {
	format Format
	big    bool // fields are big-endian, in this section
	nano   bool // classic: fractions are nanoseconds

	need int
	off  int64 // of the first byte not yet consumed
	err  error // the FormatError that ended the stream

	frames uint64
	subNS  uint64
	sat    uint64

	ifaces []Interface
	clocks []clock // of ifaces
	base   int     // the section's interface 0 in ifaces

	// The block that is being passed over: how many bytes are left of it with
	// the trailing length, 0 when there is none.
	skip    uint32
	skipTyp uint32
	skipLen uint32
	skipOff int64

	tally        tally
	name         string
	decompressed bool
}

// NewParser returns a parser for one stream. The name is for its errors.
func NewParser(name string) *Parser {
	return &Parser{name: name, need: magicLen}
}

// Next decodes the next frame of the stream. data is what has arrived of it and
// was not consumed before; consumed is how many of these bytes are done with.
//
//   - err == nil: rec is the next frame. rec.Data lies in data[:consumed].
//   - err == [ErrShort]: data ends before the next frame does. consumed may be
//     more than 0 all the same, for headers and blocks passed over; call again
//     when at least Need bytes follow them.
//   - err is a *[FormatError]: the stream is not a valid capture. All frames
//     before the fault were returned. The parser stays in this state.
//
// rec is only changed if err == nil.
func (p *Parser) Next(data []byte, rec *Record) (consumed int, err error) {
	if p.err != nil {
		return 0, p.err
	}
	switch p.format {
	case FormatPcap:
		return p.nextPcap(data, rec)
	case FormatPcapNG:
		return p.nextNG(data, rec)
	}
	start, err := p.start(data)
	if err != nil {
		return 0, err
	}
	consumed, err = p.Next(data[start:], rec)
	return start + consumed, err
}

// Need returns how many bytes, from the first one not consumed, the last call
// of Next that returned ErrShort asks for. It is at most [MaxBlock].
func (p *Parser) Need() int { return p.need }

// Finish says whether the stream may end here. rest is what Next left over when
// it last returned ErrShort. The answer is nil after a whole record, and a
// *FormatError in the middle of one, for an empty stream and after a FormatError.
func (p *Parser) Finish(rest []byte) error {
	if p.err != nil {
		return p.err
	}
	const before = "what comes before it is whole and was read"
	var cut = fmt.Sprintf("cut at %s%d", offsetWord(p.decompressed), p.off+int64(len(rest)))
	switch {
	case p.format == 0 && len(rest) == 0:
		return p.fail(0, "", "empty file: not a capture")
	case p.format == 0 && len(rest) < magicLen:
		return p.fail(0, "", "%d bytes are not a capture", len(rest))
	case p.format == 0:
		return p.fail(0, "the file holds no frame", "truncated file header: %d of its %d bytes, %s", len(rest), p.need, cut)
	case p.skip != 0:
		return p.fail(p.skipOff, before, "truncated %s: %d of its %d bytes, %s", blockName(p.skipTyp),
			int64(p.skipLen-p.skip)+int64(len(rest)), p.skipLen, cut)
	case len(rest) == 0:
		return nil
	case p.format == FormatPcap && len(rest) < pcapRecordLen:
		return p.fail(p.off, before, "truncated frame header: %d of its %d bytes, %s", len(rest), pcapRecordLen, cut)
	case p.format == FormatPcap:
		return p.fail(p.off, before, "truncated frame: %d of its %d bytes, %s", len(rest), p.need, cut)
	case len(rest) < blockHeaderLen:
		return p.fail(p.off, before, "truncated block header: %d of its %d bytes, %s", len(rest), blockHeaderLen, cut)
	case p.u32(rest) == blockSHB && len(rest) < 12:
		// Its length has a byte order that is not known yet.
		return p.fail(p.off, before, "truncated %s: only %d bytes, %s", blockName(blockSHB), len(rest), cut)
	}
	return p.fail(p.off, before, "truncated %s: %d of its %d bytes, %s",
		blockName(p.u32(rest)), len(rest), p.u32(rest[4:]), cut)
}

// Format returns the stream's format, 0 as long as it is not known.
func (p *Parser) Format() Format { return p.format }

// Offset returns how many bytes of the stream have been consumed.
func (p *Parser) Offset() int64 { return p.off }

// Frames returns how many frames Next has returned.
func (p *Parser) Frames() uint64 { return p.frames }

// Interfaces returns the interfaces met so far: the one of a classic file once
// its header has been consumed, those of a pcapng file as their descriptions
// are, which is before their first frame. Ids go on counting over the sections of a
// file. The slice is the parser's own; it only grows at its end.
func (p *Parser) Interfaces() []Interface { return p.ifaces[:len(p.ifaces):len(p.ifaces)] }

// NotCarried returns what the file held and no Record does, sorted by name: such
// as "EPB option comment" or "Name Resolution Block". It allocates; it is for the
// end of a run.
func (p *Parser) NotCarried() []Count { return p.tally.counts() }

// SubNanosecond returns how many frames had a time finer than nanoseconds, which
// was cut to them.
func (p *Parser) SubNanosecond() uint64 { return p.subNS }

// Saturated returns how many frames had a time that int64 nanoseconds do not
// hold, and got the nearest one.
func (p *Parser) Saturated() uint64 { return p.sat }

// short notes how many bytes are needed.
func (p *Parser) short(need int) error {
	p.need = need
	return ErrShort
}

// fail ends the stream with a FormatError.
func (p *Parser) fail(off int64, remedy, what string, args ...any) error {
	p.err = &FormatError{
		File: p.name, Offset: off, Decompressed: p.decompressed,
		What: fmt.Sprintf(what, args...), Remedy: remedy,
	}
	return p.err
}

// tooLong is the error for a frame over MaxFrame.
func (p *Parser) tooLong(caplen uint32) error {
	return p.fail(p.off, fmt.Sprintf("capture again with -s %d, or cut the frames with: editcap -s %[1]d in out; "+
		"a much larger value means that the file is damaged here", MaxFrame),
		"captured length %d is over the limit of %d", caplen, MaxFrame)
}

func (p *Parser) u16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if p.big {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (p *Parser) u32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if p.big {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (p *Parser) u64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if p.big {
		v = bits.ReverseBytes64(v)
	}
	return v
}
