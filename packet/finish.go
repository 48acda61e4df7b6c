// Checksums that a sender left to hardware: recognised and completed.

package packet

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// ErrChecksumField says that a checksum field doesn't lie within its frame.
var ErrChecksumField = errors.New("packet: the checksum field is not within the frame")

// Where the checksum field is, counted from the transport header's first byte.
const (
	tcpChecksum  = 16
	udpChecksum  = 6
	sctpChecksum = 8
)

// maxPadded is the longest frame that is suspected of padding: one with the 60 bytes
// that Ethernet wants, and two VLAN tags that were put in afterwards.
const maxPadded = 60 + 2*VLANLen

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// FinishChecksum completes a checksum in place. It is for a frame whose sender has
// put the sum of the pseudo header into the checksum field, or 0 if the protocol
// has none, and left the rest to hardware: CHECKSUM_PARTIAL in Linux, NEEDS_CSUM in
// a virtio_net_hdr. The checksum covers frame from start to its end, and its field is the 16
// bits at start+offset. A result of 0 is stored as 0xffff, which is the same number in one's
// complement and doesn't mean "none" in UDP.
//
// Padding doesn't belong to what a checksum covers. Zeros do no harm to the sum; and
// in a frame that is short enough to have been padded, and whose transport header is at start, padding
// is recognised by the IP or UDP length and left out. Elsewhere all of the frame counts, as
// in Linux: cut it at Headers.End if there may be something else behind.
//
// SCTP has a CRC32c instead of a sum (RFC 9260, appendix A), and Linux marks it in the same way where the device
// (a veth, for instance) promises to make it: an offset of 8 with SCTP at start gets that.
//
// frame is an Ethernet frame or an IP packet. The error is ErrChecksumField, and the
// frame is then unchanged. It allocates nothing.
func FinishChecksum(frame []byte, start, offset int) error {
	if start < 0 || offset < 0 || start > len(frame) || offset > len(frame)-start-2 {
		return ErrChecksumField
	}
	data := frame[start:]
	if len(frame) <= maxPadded || offset == sctpChecksum {
		var h Headers
		if h.Parse(frame); int(h.L4) != start {
			h.ParseIP(frame)
		}
		if int(h.L4) == start && h.HasTransport() {
			if end := int(h.End) - start; offset+2 <= end {
				data = data[:end]
			}
			if h.Protocol == ProtoSCTP && offset == sctpChecksum {
				putCRC32C(data)
				return nil
			}
		}
	}
	be.PutUint16(data[offset:], nonzero(Checksum(data, 0)))
	return nil
}

// PartialChecksum says whether the frame's checksum was left to hardware, and gives
// what FinishChecksum needs to complete it. It is for frames that come without anything that would say so, as from
// AF_XDP on a veth. ok is true if a TCP or UDP checksum field has exactly the sum of the pseudo header
// in it, or an SCTP one 0.
//
// A right checksum may have that value by chance, one of 65535 does; completing it then
// gives the same value again, so nothing is lost but time. Nothing is partial in a fragment, in a
// frame that Parse doesn't find complete, and in a UDP datagram without a checksum.
func PartialChecksum(frame []byte) (start, offset int, ok bool) {
	var h Headers
	h.Parse(frame)
	return h.PartialChecksum(frame)
}

// PartialChecksum is what the function PartialChecksum gives for the frame that h was
// parsed from, without parsing it again; after ParseIP for a packet. With another frame
// the result means nothing.
func (h *Headers) PartialChecksum(frame []byte) (start, offset int, ok bool) {
	if h.Status != OK || h.Layer != LayerTransport || int(h.End) > len(frame) || h.IsFragment() {
		return 0, 0, false
	}
	t := frame[h.L4:h.End]
	switch h.Protocol {
	case ProtoTCP:
		offset = tcpChecksum
	case ProtoUDP:
		offset = udpChecksum
	case ProtoSCTP:
		if u32(t, sctpChecksum) != 0 {
			return 0, 0, false
		}
		return int(h.L4), sctpChecksum, true
	default:
		return 0, 0, false
	}
	// The sum of a pseudo header is never 0, so a UDP datagram without checksum isn't taken.
	sum, ok := h.pseudoSum(frame[h.L3:], uint32(len(t)))
	if !ok || u16(t, offset) != sum {
		return 0, 0, false
	}
	return int(h.L4), offset, true
}

// pseudoSum is the sum of the pseudo header with the given length, for the IP packet
// that has the headers h. ok is false if there is an extension header with which a
// checksum has no business here (pseudoDst), AH over IPv4 included.
func (h *Headers) pseudoSum(ip []byte, length uint32) (sum uint16, ok bool) {
	if h.IPVersion == 4 {
		return IPv4(ip).PseudoSum(h.Protocol, length), u8(ip, 9) == h.Protocol
	}
	n := int(h.L4 - h.L3)
	if n == IPv6Len {
		return IPv6(ip).PseudoSum(h.Protocol, length), true
	}
	if n > len(ip) {
		return 0, false
	}
	dst := pseudoDst(ip[:n])
	if dst == nil {
		return 0, false
	}
	return pseudoSum(ip[8:24], dst, h.Protocol, length), true
}

// pseudoDst is the destination in the pseudo header of an IPv6 packet, given its
// headers up to the transport's: the final one if there is a routing header (RFC 8200, 8.1).
// It is nil if that can't be known, and with AH or a fragment header, since a packet that has
// one is finished.
func pseudoDst(headers []byte) []byte {
	dst := cut(headers, 24, IPv6Len)
	for next, b := u8(headers, 6), cut(headers, IPv6Len, len(headers)); len(b) > 0; {
		after, n, s := SkipExtension(next, b)
		if s != OK || next == ProtoAH || next == ProtoFragment {
			return nil
		}
		if next == ProtoRouting && b[3] != 0 { // segments are left
			switch typ := b[2]; {
			case (typ == 0 || typ == 2) && n >= 24 && n%16 == 8: // addresses in the order of the way (RFC 2460, 4.4; RFC 6275, 6.4)
				dst = b[n-16 : n]
			case typ == 4 && n >= 24: // addresses in reverse, then options (RFC 8754, 2)
				dst = b[8:24]
			default:
				return nil
			}
		}
		next, b = after, b[n:]
	}
	return dst
}

// putCRC32C writes the checksum of an SCTP packet.
func putCRC32C(b []byte) {
	binary.LittleEndian.PutUint32(b[sctpChecksum:], 0)
	binary.LittleEndian.PutUint32(b[sctpChecksum:], crc32.Checksum(b, castagnoli))
}

// nonzero is a checksum in the form that doesn't mean "none".
func nonzero(checksum uint16) uint16 {
	if checksum == 0 {
		return 0xffff
	}
	return checksum
}
