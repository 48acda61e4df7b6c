// IPv4: the view of an IPv4 header (RFC 791).

package packet

import "net/netip"

// IPv4 is an IPv4 datagram from its first header byte on; bytes behind the datagram
// (padding of a short Ethernet frame) may follow. Fields beyond its end read as zero.
type IPv4 []byte

// Valid says whether the header is there in full, options included, of version 4,
// and whether its two lengths agree. It does not look at the checksum, and a
// datagram whose payload was cut off is valid.
func (p IPv4) Valid() bool {
	hl, total := p.HeaderLen(), p.TotalLen()
	return len(p) >= IPv4Len && p.Version() == 4 && hl >= IPv4Len && hl <= len(p) && (total == 0 || total >= hl)
}

// Version is the version field; 4 in a valid header.
func (p IPv4) Version() uint8 { return u8(p, 0) >> 4 }

// HeaderLen is the length of the header with options in bytes: 0..60, a multiple
// of 4, at least 20 in a valid header.
func (p IPv4) HeaderLen() int { return int(u8(p, 0)&15) * 4 }

// TOS is the type of service byte: DSCP in the upper six bits (RFC 2474), ECN in
// the lower two (RFC 3168).
func (p IPv4) TOS() uint8 { return u8(p, 1) }

// TotalLen is the length field in bytes, header included: 0..65535. 0 stands
// in segments that were not cut yet (TSO, BIG TCP) and means all there is.
func (p IPv4) TotalLen() int { return int(u16(p, 2)) }

// ID identifies the fragments of one datagram.
func (p IPv4) ID() uint16 { return u16(p, 4) }

// DontFragment is the DF flag.
func (p IPv4) DontFragment() bool { return u8(p, 6)&0x40 != 0 }

// MoreFragments is the MF flag: this is not the last fragment.
func (p IPv4) MoreFragments() bool { return u8(p, 6)&0x20 != 0 }

// FragOffset is where this fragment's payload stands in the datagram's, in
// bytes: 0..65528, a multiple of 8.
func (p IPv4) FragOffset() int { return int(u16(p, 6)&0x1fff) * 8 }

// TTL is the time to live in hops.
func (p IPv4) TTL() uint8 { return u8(p, 8) }

// Protocol is what the payload is: ProtoTCP and so on.
func (p IPv4) Protocol() uint8 { return u8(p, 9) }

// Checksum is the header checksum as it stands.
func (p IPv4) Checksum() uint16 { return u16(p, 10) }

// ChecksumOK says whether the header is there in full and sums up as RFC 791 wants.
func (p IPv4) ChecksumOK() bool {
	hl := p.HeaderLen()
	return hl >= IPv4Len && hl <= len(p) && Sum(p[:hl], 0) == 0xffff
}

// Src is the source address; the zero Addr if the header is cut off.
func (p IPv4) Src() netip.Addr {
	if len(p) < IPv4Len {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(p[12:16]))
}

// Dst is the destination address; the zero Addr if the header is cut off.
func (p IPv4) Dst() netip.Addr {
	if len(p) < IPv4Len {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte(p[16:20]))
}

// Options is the area between the fixed header and the payload, 0..40 bytes, not
// interpreted; nil if the header is not Valid.
func (p IPv4) Options() []byte {
	if !p.Valid() {
		return nil
	}
	return cut(p, IPv4Len, p.HeaderLen())
}

// Payload is what the datagram carries, up to its total length or the end of p,
// whichever is first; nil if the header is not Valid.
func (p IPv4) Payload() []byte {
	if !p.Valid() {
		return nil
	}
	end := p.TotalLen()
	if end == 0 {
		end = len(p)
	}
	return cut(p, p.HeaderLen(), end)
}
