// Writing pcapng.

package capfile

import (
	"encoding/binary"
	"math"
)

const (
	optEnd      = 0
	optUserAppl = 4 // of the section header

	userAppl = "ringway"
)

// putSectionHeader writes a Section Header Block and returns its length. The
// section's length is unknown while it is written, so it is -1.
func putSectionHeader(b []byte) int {
	le := binary.LittleEndian
	o := append(b[:0], make([]byte, 24)...)
	le.PutUint32(o, blockSHB)
	le.PutUint32(o[8:], byteOrderMagic)
	le.PutUint16(o[12:], 1)
	le.PutUint16(o[14:], 0)
	le.PutUint64(o[16:], math.MaxUint64)
	o = appendOption(o, optUserAppl, userAppl)
	o = appendOption(o, optEnd, "")
	return len(closeBlock(o))
}

// addNG writes an Interface Description Block.
func (w *Writer) addNG(it Interface) (outClock, error) {
	le := binary.LittleEndian
	res := it.Resolution
	switch {
	case res == 0:
		res = Micro
	case res > Nano: // binary ones have the high bit set
		res = Nano
	}
	c := outClock{unit: pow10[9-res.Exponent()]}
	if off := it.TSOffset; off <= math.MaxInt64/nsPerSec && off >= math.MinInt64/nsPerSec {
		c.offNS = off * nsPerSec
	}

	b := make([]byte, 16, 64+len(it.Name)+len(it.Description))
	le.PutUint32(b, blockIDB)
	le.PutUint16(b[8:], it.Link())
	le.PutUint32(b[12:], it.SnapLen)
	if it.Name != "" {
		b = appendOption(b, optIfName, it.Name)
	}
	if it.Description != "" {
		b = appendOption(b, optIfDescription, it.Description)
	}
	b = appendOption(b, optIfTSResol, string([]byte{byte(res)}))
	if n, known := it.FCSLen(); known {
		b = appendOption(b, optIfFCSLen, string([]byte{byte(n * 8)}))
	}
	if c.offNS != 0 {
		b = appendOption(b, optIfTSOffset, string(le.AppendUint64(nil, uint64(it.TSOffset))))
	}
	b = closeBlock(appendOption(b, optEnd, ""))

	dst, err := w.room(len(b))
	if err != nil {
		return outClock{}, err
	}
	copy(dst, b)
	return c, nil
}

// appendOption appends an option, padded.
func appendOption(b []byte, code uint16, val string) []byte {
	b = binary.LittleEndian.AppendUint16(b, code)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(val)))
	b = append(b, val...)
	return append(b, 0, 0, 0)[:(len(b)+3)&^3]
}

// closeBlock appends the length of the block b and sets it at its start.
func closeBlock(b []byte) []byte {
	n := uint32(len(b) + 4)
	binary.LittleEndian.PutUint32(b[4:], n)
	return binary.LittleEndian.AppendUint32(b, n)
}

// putEPB fills b, which is as long as the Enhanced Packet Block.
func (w *Writer) putEPB(b []byte, timeNS int64, iface int, data []byte, origLen uint32) {
	c := &w.ifaces[iface]
	ticks := uint64(timeNS) - uint64(c.offNS) // right even where int64 overflows
	if timeNS < c.offNS {
		ticks = 0
		w.sat++
	}
	switch c.unit {
	case 1:
	case 1000: // a constant divides in a few cycles
		ns := ticks
		ticks /= 1000
		if ticks*1000 != ns {
			w.lost++
		}
	default:
		ns := ticks
		ticks /= c.unit
		if ticks*c.unit != ns {
			w.lost++
		}
	}
	le := binary.LittleEndian
	n := len(b)
	le.PutUint32(b, blockEPB)
	le.PutUint32(b[4:], uint32(n))
	le.PutUint32(b[8:], uint32(iface))
	le.PutUint32(b[12:], uint32(ticks>>32))
	le.PutUint32(b[16:], uint32(ticks))
	le.PutUint32(b[20:], uint32(len(data)))
	le.PutUint32(b[n-8:], 0) // the padding; of an empty frame, origLen's place
	le.PutUint32(b[24:], origLen)
	copy(b[packetHeaderLen:], data)
	le.PutUint32(b[n-4:], uint32(n))
}
