package vnet

import (
	"encoding/binary"
	"errors"

	"github.com/ringway-net/ringway/pool"
)

// Len is the length of the header in bytes.
const Len = 10

// The fields and their values, of linux/virtio_net.h.
const (
	flags      = 0 // a byte
	gsoType    = 1 // a byte
	headerLen  = 2 // 16 bits, as all that follow
	gsoSize    = 4
	csumStart  = 6
	csumOffset = 8

	flagNeedsChecksum = 1
	flagDataValid     = 2

	gsoNone = 0
	gsoTCP4 = 1
	gsoTCP6 = 4
	gsoUDP  = 5 // UDP_L4; 3 is fragmentation, which we never agree to
	gsoECN  = 0x80
)

// ErrHeader says that a header contradicts itself or the frame behind it.
var ErrHeader = errors.New("bad virtio_net_hdr")

// order is that of the machine: Linux's, as long as it is not told otherwise.
var order = binary.NativeEndian

// Decode reads the header h of a frame of n bytes. Nothing of it is believed: what does not fit the frame
// is ErrHeader.
func Decode(h []byte, n int) (o pool.Offload, err error) {
	h = h[:Len]
	o.ChecksumValid = h[flags]&flagDataValid != 0
	if h[flags]&flagNeedsChecksum != 0 {
		o.NeedsChecksum = true
		o.ChecksumStart, o.ChecksumOffset = uint32(order.Uint16(h[csumStart:])), order.Uint16(h[csumOffset:])
		if int(o.ChecksumStart)+int(o.ChecksumOffset)+2 > n {
			return pool.Offload{}, ErrHeader
		}
	}
	switch h[gsoType] &^ gsoECN {
	case gsoNone:
		return o, nil
	case gsoTCP4:
		o.GSO = pool.GSOTCP4
	case gsoTCP6:
		o.GSO = pool.GSOTCP6
	case gsoUDP:
		o.GSO = pool.GSOUDP
	default:
		return pool.Offload{}, ErrHeader
	}
	o.ECN = h[gsoType]&gsoECN != 0
	if o.SegmentSize = order.Uint16(h[gsoSize:]); o.SegmentSize == 0 {
		return pool.Offload{}, ErrHeader
	}
	return o, nil
}

// Encode writes the header of a frame on which o is left to do.
func Encode(h []byte, o pool.Offload, frame []byte) {
	h = h[:Len]
	clear(h)
	if o.ChecksumValid {
		h[flags] = flagDataValid
	}
	if o.NeedsChecksum {
		h[flags] = flagNeedsChecksum // and not valid: Linux refuses both
		order.PutUint16(h[csumStart:], uint16(o.ChecksumStart))
		order.PutUint16(h[csumOffset:], o.ChecksumOffset)
	}
	switch o.GSO {
	case pool.GSONone:
		return
	case pool.GSOTCP4:
		h[gsoType] = gsoTCP4
	case pool.GSOTCP6:
		h[gsoType] = gsoTCP6
	case pool.GSOUDP:
		h[gsoType] = gsoUDP
	}
	if o.ECN {
		h[gsoType] |= gsoECN
	}
	order.PutUint16(h[gsoSize:], o.SegmentSize)
	if o.NeedsChecksum {
		order.PutUint16(h[headerLen:], uint16(headers(o, frame)))
	}
}

// headers returns how long the headers of a large frame are: what Linux wants in one piece.
func headers(o pool.Offload, frame []byte) int {
	l4 := int(o.ChecksumStart)
	if o.GSO == pool.GSOUDP {
		return min(l4+8, len(frame))
	}
	const dataOffset = 12
	if l4+dataOffset >= len(frame) {
		return len(frame)
	}
	return min(l4+int(frame[l4+dataOffset]>>4)*4, len(frame))
}
