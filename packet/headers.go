// Headers: what one pass over a frame finds out.

package packet

import "net/netip"

// Headers is what Parse found: 40 bytes without a pointer, to be copied freely. It
// refers to the frame by offsets only.
//
// The offsets count bytes from the beginning of the frame, where the link header
// is. They hold for every input: L3 <= L4 <= Payload <= End <= len(frame), so
// frame[h.Payload:h.End] never panics for the frame that was parsed. Where decoding
// stopped early, L4 and Payload are where it stopped.
//
// Fields of a header that wasn't reached or isn't there are zero.
type Headers struct {
	// L3 is where the network header begins: behind the Ethernet header and all
	// whole tags. 0 if there was no whole Ethernet header, and after ParseIP.
	L3 uint32
	// L4 is behind the IP header and the extension headers: where the transport
	// header begins, or, in a fragment that is not the first, the data.
	L4 uint32
	// Payload is the first byte that was not decoded: behind the last header.
	Payload uint32
	// End is behind the last byte that belongs to the payload by the length
	// fields of 802.3, IP and UDP: padding is beyond it. Never more than there is.
	End uint32

	// VLANs are the two outermost tags, the outermost first.
	VLANs [2]VLAN

	// EtherType is the type behind all tags. 0 if that field holds an 802.3
	// length (an LLC header is at L3) or wasn't reached; a TPID if decoding
	// stopped in the tags. After ParseIP it is that of the IP version.
	EtherType uint16

	// SrcPort and DstPort are the ports of TCP, UDP and SCTP. They are set when
	// the header without options is there.
	SrcPort, DstPort uint16

	// FragOffset is where the payload of this fragment stands in that of the
	// datagram, in bytes: 0..65528. Above 0 there is no transport header.
	FragOffset uint16

	// TCPFlags are TCP's control bits; set when the ports are.
	TCPFlags TCPFlags

	// NumVLANs is the number of all whole tags, 0..MaxVLANs.
	NumVLANs uint8

	// IPVersion is 4 or 6 if an IP header of that version is at L3 and at least
	// its fixed part is there and well-formed; otherwise 0.
	IPVersion uint8

	// Protocol is what is at L4: an IP protocol, or the type of the extension
	// header at which decoding stopped. Without IPVersion it means nothing.
	Protocol uint8

	// MoreFragments says that this is a fragment and not the last.
	MoreFragments bool

	// Status and Layer say how decoding ended. With OK, Layer is the last one
	// that was decoded: LayerLink, LayerVLAN, LayerNetwork, LayerExtension or
	// LayerTransport. With any other status it is the one that was not, and all
	// above it are as described at each field. Truncated at LayerPayload means that
	// all headers are there and only bytes at the end are missing.
	Status Status
	Layer  Layer
}

// IsFragment says whether the frame has a part of a datagram: the first, the last or
// one between.
func (h *Headers) IsFragment() bool { return h.MoreFragments || h.FragOffset != 0 }

// IsFirstFragment says whether the frame has the first part of several, the one with
// the transport header.
func (h *Headers) IsFirstFragment() bool { return h.MoreFragments && h.FragOffset == 0 }

// HasTransport says whether a transport header was decoded: one of TCP, UDP, SCTP,
// ICMP or ICMPv6 is at L4 in full.
func (h *Headers) HasTransport() bool { return h.Payload > h.L4 }

// Src is the source IP address in the frame that h was parsed from; the zero Addr if
// it has none.
func (h *Headers) Src(frame []byte) netip.Addr {
	switch b := cut(frame, int(h.L3), len(frame)); h.IPVersion {
	case 4:
		return IPv4(b).Src()
	case 6:
		return IPv6(b).Src()
	}
	return netip.Addr{}
}

// Dst is the destination IP address in the frame that h was parsed from, as it
// stands in the IP header; the zero Addr if it has none.
func (h *Headers) Dst(frame []byte) netip.Addr {
	switch b := cut(frame, int(h.L3), len(frame)); h.IPVersion {
	case 4:
		return IPv4(b).Dst()
	case 6:
		return IPv6(b).Dst()
	}
	return netip.Addr{}
}
