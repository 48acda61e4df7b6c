// The Internet checksum: RFC 1071, updated as in RFC 1624.

package packet

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Sum adds b, as big-endian 16-bit words, to a sum that is already there, in
// one's-complement arithmetic (RFC 1071). A last odd byte counts as if a zero
// followed. Sums can be chained, sum = Sum(b, sum), as long as all pieces but the
// last have an even length. A checksum is the complement of a sum.
//
// Over data that includes its own correct checksum the sum is 0xffff.
func Sum(b []byte, initial uint16) uint16 {
	// The order of bytes within words doesn't matter until the end (RFC 1071,
	// 2(B)): words are loaded little-endian, the cheaper load nearly everywhere.
	// Eight words at a time go through one chain of carries.
	var acc, carry uint64
	for len(b) >= 64 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[0:8]), 0)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[8:16]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[16:24]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[24:32]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[32:40]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[40:48]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[48:56]), carry)
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b[56:64]), carry)
		acc, carry = bits.Add64(acc, 0, carry)
		acc += carry
		b = b[64:]
	}
	for len(b) >= 8 {
		acc, carry = bits.Add64(acc, binary.LittleEndian.Uint64(b), 0)
		acc += carry // can't carry again: the sum of two is at most 2^65-2
		b = b[8:]
	}
	var tail uint64
	for i := len(b) - 1; i >= 0; i-- {
		tail = tail<<8 | uint64(b[i])
	}
	acc, carry = bits.Add64(acc, tail, 0)
	acc += carry
	return add16(bits.ReverseBytes16(fold(acc)), initial)
}

// sumCopy copies src to dst, which must not be shorter, and gives Sum(src, initial). One
// pass is quicker than two where src is not in the nearest cache: the chain of carries
// leaves time for it to come.
func sumCopy(dst, src []byte, initial uint16) uint16 {
	var acc, carry uint64
	for len(src) >= 64 && len(dst) >= 64 {
		x0, x1 := binary.LittleEndian.Uint64(src[0:8]), binary.LittleEndian.Uint64(src[8:16])
		binary.LittleEndian.PutUint64(dst[0:8], x0)
		binary.LittleEndian.PutUint64(dst[8:16], x1)
		acc, carry = bits.Add64(acc, x0, 0)
		acc, carry = bits.Add64(acc, x1, carry)
		x2, x3 := binary.LittleEndian.Uint64(src[16:24]), binary.LittleEndian.Uint64(src[24:32])
		binary.LittleEndian.PutUint64(dst[16:24], x2)
		binary.LittleEndian.PutUint64(dst[24:32], x3)
		acc, carry = bits.Add64(acc, x2, carry)
		acc, carry = bits.Add64(acc, x3, carry)
		x4, x5 := binary.LittleEndian.Uint64(src[32:40]), binary.LittleEndian.Uint64(src[40:48])
		binary.LittleEndian.PutUint64(dst[32:40], x4)
		binary.LittleEndian.PutUint64(dst[40:48], x5)
		acc, carry = bits.Add64(acc, x4, carry)
		acc, carry = bits.Add64(acc, x5, carry)
		x6, x7 := binary.LittleEndian.Uint64(src[48:56]), binary.LittleEndian.Uint64(src[56:64])
		binary.LittleEndian.PutUint64(dst[48:56], x6)
		binary.LittleEndian.PutUint64(dst[56:64], x7)
		acc, carry = bits.Add64(acc, x6, carry)
		acc, carry = bits.Add64(acc, x7, carry)
		acc, carry = bits.Add64(acc, 0, carry)
		acc += carry
		src, dst = src[64:], dst[64:]
	}
	copy(dst, src)
	return Sum(src, add16(bits.ReverseBytes16(fold(acc)), initial))
}

// Checksum is what belongs into a checksum field for the data b, in which that field
// is zero, and the sum of what else it covers: the pseudo header, or 0.
//
// UDP sends 0xffff where this gives 0, since 0 means no checksum there (RFC 768).
func Checksum(b []byte, initial uint16) uint16 { return ^Sum(b, initial) }

// UpdateChecksum is the checksum after a 16-bit word that it covers, aligned at an
// even offset, went from old to new (RFC 1624, equation 3). For more words apply it
// for each.
//
// A UDP checksum of 0 is none: leave it. One that becomes 0 must be sent as 0xffff.
func UpdateChecksum(checksum, old, new uint16) uint16 {
	return ^add16(add16(^checksum, ^old), new)
}

// UpdateChecksum32 is UpdateChecksum for a 32-bit field at an even offset, such as an
// IPv4 address or a sequence number.
func UpdateChecksum32(checksum uint16, old, new uint32) uint16 {
	checksum = UpdateChecksum(checksum, uint16(old>>16), uint16(new>>16))
	return UpdateChecksum(checksum, uint16(old), uint16(new))
}

// UpdateChecksumBytes is UpdateChecksum for a field of any length at an even offset,
// such as an IPv6 address. Lengths may differ if the field is the last that is
// covered; where an odd one isn't, the result is wrong.
func UpdateChecksumBytes(checksum uint16, old, new []byte) uint16 {
	return ^add16(add16(^checksum, ^Sum(old, 0)), Sum(new, 0))
}

// PseudoSum is the sum of the pseudo header, to be given to Checksum or Sum as initial
// value: addresses, protocol, and the length of transport header and payload in bytes
// (RFC 9293, 3.1, for IPv4; RFC 8200, 8.1, for IPv6, where dst is the final destination if
// there is a routing header). Both addresses must be of one family; an IPv4 address
// in IPv6 form counts as IPv6, the zero Addr as zeros. It allocates nothing.
func PseudoSum(src, dst netip.Addr, proto uint8, length uint32) uint16 {
	if src.Is4() && dst.Is4() {
		s, d := src.As4(), dst.As4()
		return pseudoSum(s[:], d[:], proto, length)
	}
	s, d := src.As16(), dst.As16()
	return pseudoSum(s[:], d[:], proto, length)
}

// PseudoSum is the function PseudoSum with the addresses of this header; 0 if the
// header is cut off.
func (p IPv4) PseudoSum(proto uint8, length uint32) uint16 {
	if len(p) < IPv4Len {
		return 0
	}
	src, dst := be.Uint32(p[12:]), be.Uint32(p[16:])
	return fold(uint64(src) + uint64(dst) + uint64(length) + uint64(proto))
}

// PseudoSum is the function PseudoSum with the addresses of this header; 0 if the
// header is cut off.
func (p IPv6) PseudoSum(proto uint8, length uint32) uint16 {
	if len(p) < IPv6Len {
		return 0
	}
	return Sum(p[8:40], fold(uint64(length)+uint64(proto)))
}

func pseudoSum(src, dst []byte, proto uint8, length uint32) uint16 {
	return Sum(src, Sum(dst, fold(uint64(length)+uint64(proto))))
}

// fold brings a sum down to 16 bits, each carry added at the bottom.
func fold(x uint64) uint16 {
	x = x>>32 + x&0xffffffff
	x = x>>32 + x&0xffffffff
	y := uint32(x)
	y = y>>16 + y&0xffff
	y = y>>16 + y&0xffff
	return uint16(y)
}

// add16 is addition in one's complement.
func add16(a, b uint16) uint16 {
	s := uint32(a) + uint32(b)
	return uint16(s>>16 + s)
}
