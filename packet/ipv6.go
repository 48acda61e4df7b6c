// IPv6 and its extension headers: the views (RFC 8200).

package packet

import "net/netip"

// IPv6 is an IPv6 packet from its first header byte on; bytes behind the packet may
// follow. Fields beyond its end read as zero.
type IPv6 []byte

// Valid says whether the 40 bytes of the fixed header are there, of version 6.
func (p IPv6) Valid() bool { return len(p) >= IPv6Len && p.Version() == 6 }

// Version is the version field; 6 in a valid header.
func (p IPv6) Version() uint8 { return u8(p, 0) >> 4 }

// TrafficClass is DSCP in the upper six bits (RFC 2474), ECN in the lower two
// (RFC 3168).
func (p IPv6) TrafficClass() uint8 { return uint8(u16(p, 0) >> 4) }

// FlowLabel is the flow label, 20 bits (RFC 6437).
func (p IPv6) FlowLabel() uint32 { return u32(p, 0) & 0xfffff }

// PayloadLen is the length field in bytes, which counts extension headers and not
// the fixed one: 0..65535. 0 stands in jumbograms (RFC 2675) and in segments that
// were not cut yet.
func (p IPv6) PayloadLen() int { return int(u16(p, 4)) }

// NextHeader is what follows the fixed header: an extension header or a protocol.
func (p IPv6) NextHeader() uint8 { return u8(p, 6) }

// HopLimit is the number of hops left.
func (p IPv6) HopLimit() uint8 { return u8(p, 7) }

// Src is the source address; the zero Addr if the header is cut off.
func (p IPv6) Src() netip.Addr {
	if len(p) < IPv6Len {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte(p[8:24]))
}

// Dst is the destination address of the header; the zero Addr if that is cut off. A
// routing header may name another, final one.
func (p IPv6) Dst() netip.Addr {
	if len(p) < IPv6Len {
		return netip.Addr{}
	}
	return netip.AddrFrom16([16]byte(p[24:40]))
}

// Payload is what follows the fixed header, extension headers included, up to the
// payload length or the end of p, whichever is first. With a payload length of 0
// it is all there is. It is nil if the header is not Valid.
func (p IPv6) Payload() []byte {
	if !p.Valid() {
		return nil
	}
	if n := p.PayloadLen(); n != 0 {
		return cut(p, IPv6Len, IPv6Len+n)
	}
	return cut(p, IPv6Len, len(p))
}

// IsExtension says whether a next header is one of the extension headers that
// are walked: hop-by-hop options, routing, fragment, authentication header and
// destination options. What follows ESP is encrypted, and behind ProtoNoNext is
// nothing: the walk ends there.
func IsExtension(next uint8) bool {
	switch next {
	case ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoAH, ProtoDestOpts:
		return true
	}
	return false
}

// SkipExtension reads the extension header of the given type at the beginning of
// b: what comes next, and the header's length in bytes (8..2048). With OK, b holds
// all of it. Otherwise the status is Truncated, or Malformed if typ is no
// extension header (IsExtension) or the length is none that type can have.
func SkipExtension(typ uint8, b []byte) (next uint8, length int, s Status) {
	if len(b) < 8 { // no extension header is shorter
		return 0, 0, Truncated
	}
	switch typ {
	case ProtoFragment: // has a reserved byte where the others have the length
		return b[0], 8, OK
	case ProtoHopByHop, ProtoRouting, ProtoDestOpts:
		length = (int(b[1]) + 1) * 8
	case ProtoAH: // counts in units of 4 (RFC 4302, 2.2); 12 bytes are fixed
		if length = (int(b[1]) + 2) * 4; length < 12 {
			return 0, 0, Malformed
		}
	default:
		return 0, 0, Malformed
	}
	if length > len(b) {
		return 0, 0, Truncated
	}
	return b[0], length, OK
}

// IPv6Fragment is a fragment header (RFC 8200, 4.5) from its first byte on.
type IPv6Fragment []byte

// Valid says whether the 8 bytes of the header are there.
func (f IPv6Fragment) Valid() bool { return len(f) >= 8 }

// NextHeader is the type of the first header of what was fragmented.
func (f IPv6Fragment) NextHeader() uint8 { return u8(f, 0) }

// FragOffset is where this fragment's data stands in the original packet's
// fragmentable part, in bytes: 0..65528, a multiple of 8.
func (f IPv6Fragment) FragOffset() int { return int(u16(f, 2) &^ 7) }

// MoreFragments is the M flag: this is not the last fragment.
func (f IPv6Fragment) MoreFragments() bool { return u16(f, 2)&1 != 0 }

// ID identifies the fragments of one packet.
func (f IPv6Fragment) ID() uint32 { return u32(f, 4) }

// jumboLength looks for the Jumbo Payload option (RFC 2675) in a hop-by-hop
// header that is there in full. 0 means there is none.
func jumboLength(hdr []byte) uint32 {
	for b := cut(hdr, 2, len(hdr)); len(b) >= 6; {
		if b[0] == 0 { // Pad1 has no length
			b = b[1:]
			continue
		}
		n := 2 + int(b[1])
		if b[0] == 0xc2 && n == 6 {
			return be.Uint32(b[2:])
		}
		if n > len(b) {
			break
		}
		b = b[n:]
	}
	return 0
}
