// From buffers to the codec: interfaces, times, and an account of every frame.

package pcap

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// lensSize is how many frames the account has room for: more than the codec's buffer of
// 512 KiB holds of empty ones, and those that settle has not looked at.
const (
	lensSize    = 1 << 16
	settleEvery = 1 << 12
)

// encoder writes frames through the codec. What it took is, at each moment, either sent, dropped or
// pending. It is guarded by the writer's mu.
type encoder struct {
	layout
	base  *port.Base
	codec *capfile.Writer
	file  string

	// ids is the number in the file plus one of each interface of the table, 0 for those that the
	// file does not describe yet. ids[0] is for frames without an interface.
	ids     []uint32
	last    uint32          // the interface of the last frame
	lastID  int             // and its number in the file
	sources map[string]bool // whose interfaces are in the file
	link    uint32          // of the first interface

	// How many interfaces the file describes, and how many of them have a name: a classic
	// file holds neither.
	described, named int

	// lens is the lengths of the frames that the codec has and the system not all of, as
	// far as was settled, in a circle: lens[head:tail].
	lens       []uint32
	head, tail uint32
	settled    uint64 // codec.Frames(), as it was counted last
	took       uint64 // frames that encode has dealt with

	cut uint64 // frames that were cut to snaplen

	segments packet.Segmenter
	scratch  []byte // for frames as they are once they are finished
}

func newEncoder(c layout, base *port.Base, out *output) (*encoder, error) {
	codec, err := capfile.NewWriter(out, c.format)
	if err != nil {
		return nil, err
	}
	return &encoder{
		layout:  c,
		base:    base,
		codec:   codec,
		file:    out.file,
		last:    noInterface,
		sources: map[string]bool{},
		lens:    make([]uint32, lensSize),
	}, nil
}

// noInterface is no number of the table, which has fewer.
const noInterface = ^uint32(0)

// pending is how many frames were taken and neither counted as sent nor as dropped.
func (e *encoder) pending() int { return int(e.tail - e.head) }

// refusal is the error for a frame that the file can't hold, and all that may come after
// it. The frame was dropped.
type refusal struct {
	reason stats.Reason
	text   string
}

func (e *refusal) Error() string { return e.text }

// encode takes frames, without giving their buffers back, and returns how many it took. An error
// that is no *refusal is the output's. at is when each frame came, for those that
// don't know; nil is now.
func (e *encoder) encode(bufs []pool.Buffer, at []int64) (n int, err error) {
	var now int64
	// n is in took at all times, too: a stream's writer may be looked at while it waits in here.
	for ; n < len(bufs); n, e.took = n+1, e.took+1 {
		b := bufs[n]
		data := b.Bytes()
		if len(data) > MaxFrame {
			e.base.TxShard.DropTx(stats.ReasonTooLong, 1)
			continue
		}
		m, known := b.Meta()
		if !known {
			if at != nil {
				m.Time = at[n]
			} else {
				if now == 0 {
					now = time.Now().UnixNano()
				}
				m.Time = now
			}
		}
		if m.Interface != e.last {
			if err := e.meet(m.Interface); err != nil {
				if no, ok := err.(*refusal); ok {
					e.base.TxShard.DropTx(no.reason, 1)
					n, e.took = n+1, e.took+1
				}
				return n, err
			}
		}
		if err := e.finish(b, data, m); err != nil {
			return n, err
		}
	}
	return n, nil
}

// finish writes a frame on which something may be left to do as it is once that is done: with its checksum, or as its segments.
// Until the last of these is written the frame counts as not taken, and those before it as more than there were.
func (e *encoder) finish(b pool.Buffer, data []byte, m pool.Meta) error {
	switch left, _ := b.Offload(); {
	case !left.Unfinished():
		return e.write(data, m)
	case left.GSO == pool.GSONone:
		// A copy, since others may have a share in the buffer.
		done := e.room(len(data))
		copy(done, data)
		if packet.FinishChecksum(done, int(left.ChecksumStart), int(left.ChecksumOffset)) != nil {
			e.base.TxShard.DropTx(stats.ReasonMalformed, 1)
			return nil
		}
		return e.write(done, m)
	case port.Cut(&e.segments, data, left) != nil:
		e.base.TxShard.DropTx(stats.ReasonMalformed, 1)
		return nil
	}
	m.OrigLen = 0
	for i, last := 0, e.segments.Count()-1; i <= last; i++ {
		segment := e.room(e.segments.Len(i))
		e.segments.Put(segment, i)
		if err := e.write(segment, m); err != nil {
			return err
		}
		if i < last {
			e.base.TxShard.Segments(1)
			e.base.TxShard.Publish()
		}
	}
	return nil
}

// room returns n bytes of scratch.
func (e *encoder) room(n int) []byte {
	if n > len(e.scratch) {
		e.scratch = make([]byte, max(n, 2048))
	}
	return e.scratch[:n]
}

// write gives a finished frame to the codec, perhaps not all of it.
func (e *encoder) write(data []byte, m pool.Meta) error {
	if m.OrigLen == 0 {
		m.OrigLen = uint32(len(data))
	}
	if e.snaplen != 0 && len(data) > e.snaplen {
		data = data[:e.snaplen]
		e.cut++
	}
	if err := e.codec.WriteFrame(m.Time, e.lastID, data, m.OrigLen); err != nil {
		return err
	}
	e.lens[e.tail%lensSize] = uint32(len(data))
	e.tail++
	if e.tail%settleEvery == 0 {
		e.settle()
	}
	return nil
}

// settle counts the frames that the system has accepted as sent.
func (e *encoder) settle() {
	n := e.codec.Frames() - e.settled
	if n == 0 {
		return
	}
	bytes := uint64(0)
	for range n {
		bytes += uint64(e.lens[e.head%lensSize])
		e.head++
	}
	e.settled += n
	e.base.TxShard.Tx(n, bytes)
}

// abandon counts all that is pending as dropped: it will not be written any more.
func (e *encoder) abandon(why stats.Reason) {
	e.settle()
	e.base.TxShard.DropTx(why, uint64(e.pending()))
	e.head = e.tail
}

// meet makes interface n of the table that of the next frames, and describes it in the file first if
// need be. In pcapng, those of the same source before it come before it, so that they are numbered as in the
// source.
func (e *encoder) meet(n uint32) error {
	it, ok := e.base.Options.Interfaces.Get(n)
	if !ok {
		n = 0
		it = port.Interface{LinkType: port.LinkTypeEthernet, SnapLen: MaxFrame, Resolution: uint8(capfile.Nano)}
	}
	if int(n) >= len(e.ids) || e.ids[n] == 0 {
		if err := e.describe(n, it); err != nil {
			return err
		}
	}
	e.last, e.lastID = n, int(e.ids[n]-1)
	return nil
}

func (e *encoder) describe(n uint32, it port.Interface) error {
	if n != 0 && e.format == capfile.FormatPcapNG {
		for i, before := range e.base.Options.Interfaces.All()[:n-1] {
			if before.Source == it.Source {
				if err := e.add(uint32(i+1), before); err != nil {
					return err
				}
			}
		}
	}
	return e.add(n, it)
}

// add describes one interface in the file, unless it is described.
func (e *encoder) add(n uint32, it port.Interface) error {
	for int(n) >= len(e.ids) {
		e.ids = append(e.ids, 0)
	}
	if e.ids[n] != 0 {
		return nil
	}
	if e.format == capfile.FormatPcap && len(e.sources) > 0 && it.LinkType != e.link {
		remedy := "add format=pcapng"
		if e.file != stdoutName {
			remedy = "name the output " + strings.TrimSuffix(oneLine(e.file), filepath.Ext(e.file)) + ".pcapng, or " + remedy
		}
		return &refusal{stats.ReasonLinkType, fmt.Sprintf("%s: frames of link type %s after %s need pcapng: %s",
			oneLine(e.file), linkName(it.LinkType), linkName(e.link), remedy)}
	}
	if e.described == capfile.MaxInterfaces {
		return &refusal{stats.ReasonIOError, fmt.Sprintf("%s: a capture holds %d interfaces at most: write fewer sources to one file",
			oneLine(e.file), capfile.MaxInterfaces)}
	}
	snap := it.SnapLen
	if e.snaplen != 0 && (snap == 0 || snap > uint32(e.snaplen)) {
		snap = uint32(e.snaplen)
	}
	res := capfile.Resolution(it.Resolution)
	if e.resolution != 0 {
		res = e.resolution
	}
	id, err := e.codec.AddInterface(capfile.Interface{
		Name:        it.Name[:min(len(it.Name), capfile.MaxString)],
		Description: it.Description[:min(len(it.Description), capfile.MaxString)],
		LinkType:    it.LinkType,
		SnapLen:     snap,
		Resolution:  res,
		TSOffset:    it.TSOffset,
	})
	if err != nil {
		return err
	}
	if len(e.sources) == 0 {
		e.link = it.LinkType
	}
	e.described++
	if it.Name != "" || it.Description != "" {
		e.named++
	}
	e.sources[it.Source] = true
	e.ids[n] = uint32(id + 1)
	return nil
}

// complete makes a file whole that gets no more frames: it describes the interfaces that had none, and
// a classic file's header is written if there was no frame at all.
func (e *encoder) complete() error {
	none := len(e.sources) == 0
	for i, it := range e.base.Options.Interfaces.All() {
		if e.described == capfile.MaxInterfaces {
			break // they have no frames: the file lacks nothing without them
		}
		switch {
		case e.format == capfile.FormatPcapNG && (none || e.sources[it.Source]),
			e.format == capfile.FormatPcap && len(e.sources) == 0:
			if err := e.add(uint32(i+1), it); err != nil {
				return err
			}
		}
	}
	if e.format == capfile.FormatPcap && len(e.sources) == 0 {
		return e.meet(0)
	}
	return nil
}

// linkName names a link type by its number, as tcpdump.org lists them, and by its name if it is known
// well.
func linkName(link uint32) string {
	name := map[uint16]string{0: "NULL", 1: "Ethernet", 101: "raw IP", 105: "802.11", 113: "Linux cooked",
		127: "802.11 with radiotap", 220: "USB", 276: "Linux cooked v2"}[uint16(link)]
	s := fmt.Sprint(uint16(link))
	if name != "" {
		s += " (" + name + ")"
	}
	if n, ok := (capfile.Interface{LinkType: link}).FCSLen(); ok {
		s += fmt.Sprintf(" with %d bytes of FCS", n)
	}
	return s
}

// notes tells what the file could not hold as the frames had it.
func (e *encoder) notes(info *port.Info) {
	add := func(format string, args ...any) {
		info.Notes = append(info.Notes, fmt.Sprintf(format, args...))
	}
	if n := e.codec.LostPrecision(); n > 0 {
		add("%s had a time finer than the file's unit, which was cut: tsresol=ns keeps it", count(n, "frame"))
	}
	if n := e.codec.Saturated(); n > 0 {
		remedy := ""
		if e.format == capfile.FormatPcap {
			remedy = "; pcapng holds times from 1970 to 2262, pcap to 2106"
		}
		add("%s had a time that the file can't hold and got the nearest%s", count(n, "frame"), remedy)
	}
	if e.cut > 0 {
		add("%s cut to %d bytes (snaplen)", count(e.cut, "frame")+map[bool]string{true: " was", false: " were"}[e.cut == 1], e.snaplen)
	}
	if e.format == capfile.FormatPcap && (e.described > 1 || e.named > 0) {
		add("a classic file has no place for which of %s a frame came by, or their names: format=pcapng keeps them",
			count(uint64(e.described), "interface"))
	}
}

// link16 is the link type of the first interface, or 0.
func (e *encoder) link16() uint16 { return uint16(e.link) }
