// Loads from a view that may be shorter than the header it claims to be.

package packet

import "encoding/binary"

// be is the byte order of every header field (RFC 1700).
var be = binary.BigEndian

// u8 is the byte at i, or 0 beyond the end. The index of this and the following
// is a field's constant position, never negative.
func u8(b []byte, i int) uint8 {
	if i >= len(b) {
		return 0
	}
	return b[i]
}

// u16 is the 16-bit field at i, or 0 if it isn't there in full.
func u16(b []byte, i int) uint16 {
	if i+2 > len(b) {
		return 0
	}
	return be.Uint16(b[i:])
}

// u32 is the 32-bit field at i, or 0 if it isn't there in full.
func u32(b []byte, i int) uint32 {
	if i+4 > len(b) {
		return 0
	}
	return be.Uint32(b[i:])
}

// cut is b[from:to] kept within b: nil if from is beyond the end, shorter if to
// is. The capacity ends where the slice does, so that an append can't run into
// the bytes behind it.
func cut(b []byte, from, to int) []byte {
	to = min(to, len(b))
	if from < 0 || from > to {
		return nil
	}
	return b[from:to:to]
}
