// UDPSpec: writes whole UDP frames, for generators and tests.

package packet

import (
	"errors"
	"net/netip"
)

// UDPSpec says what a UDP frame is to look like. The zero value of each field but the
// addresses is a sensible one.
type UDPSpec struct {
	DstMAC, SrcMAC MAC

	// VLANs are the tags, the outermost first; one whose TPID is 0 is left out.
	VLANs [2]VLAN

	// Src and Dst are addresses and ports, both IPv4 or both IPv6 without zone.
	Src, Dst netip.AddrPort

	TOS       uint8  // type of service or traffic class
	TTL       uint8  // or hop limit; 0 stands for 64
	ID        uint16 // IPv4 identification
	FlowLabel uint32 // IPv6 flow label, 20 bits, the upper 12 are ignored
}

// MaxUDPPayload is the longest payload of an IPv6 UDP datagram that is no jumbogram,
// in bytes; of an IPv4 one it is IPv4Len less.
const MaxUDPPayload = 65535 - UDPLen

var (
	// ErrAddress says that addresses are missing, of two families, or have a zone.
	ErrAddress = errors.New("packet: addresses are not both IPv4 or both IPv6 without zone")
	// ErrShort says that the slice is too short for the frame.
	ErrShort = errors.New("packet: slice too short for the frame")
	// ErrPayload says that a payload doesn't fit into the length fields.
	ErrPayload = errors.New("packet: payload too long")
)

// HeaderLen is the length of all headers in bytes, 42..70: where the payload begins.
func (s *UDPSpec) HeaderLen() int {
	n := EthernetLen + IPv4Len + UDPLen
	if !s.Src.Addr().Is4() {
		n = EthernetLen + IPv6Len + UDPLen
	}
	for _, v := range s.VLANs {
		if v.TPID != 0 {
			n += VLANLen
		}
	}
	return n
}

// PutUDP writes the frame that s describes, with lengths and checksums, to the
// beginning of dst and gives its length. The payload may already be at its place in dst
// (HeaderLen); it is moved there otherwise, and may not overlap dst in another way
// than as one piece. There is no padding: a frame may be shorter than the 60 bytes
// that Ethernet wants.
//
// On ErrAddress, ErrShort or ErrPayload, dst is unchanged. It allocates nothing.
func PutUDP(dst []byte, s *UDPSpec, payload []byte) (int, error) {
	src, to := s.Src.Addr(), s.Dst.Addr()
	v4 := src.Is4()
	switch {
	case !src.IsValid() || !to.IsValid() || v4 != to.Is4() || src.Zone() != "" || to.Zone() != "":
		return 0, ErrAddress
	case len(payload) > MaxUDPPayload || v4 && len(payload) > MaxUDPPayload-IPv4Len:
		return 0, ErrPayload
	}
	head := s.HeaderLen()
	n := head + len(payload)
	if n > len(dst) {
		return 0, ErrShort
	}
	dst = dst[:n]
	copy(dst[head:], payload) // first: the payload may lie where the headers go

	off := s.putLink(dst, v4)
	udp := dst[head-UDPLen:]
	var sum uint16
	if v4 {
		s.putIPv4(dst[off:])
		sum = IPv4(dst[off:]).PseudoSum(ProtoUDP, uint32(len(udp)))
	} else {
		s.putIPv6(dst[off:])
		sum = IPv6(dst[off:]).PseudoSum(ProtoUDP, uint32(len(udp)))
	}
	be.PutUint16(udp[0:], s.Src.Port())
	be.PutUint16(udp[2:], s.Dst.Port())
	be.PutUint16(udp[4:], uint16(len(udp)))
	be.PutUint16(udp[6:], 0)
	check := Checksum(udp, sum)
	if check == 0 {
		check = 0xffff // 0 would say that there is none (RFC 768)
	}
	be.PutUint16(udp[6:], check)
	return n, nil
}

// putLink writes Ethernet header and tags and gives their length.
func (s *UDPSpec) putLink(b []byte, v4 bool) int {
	copy(b, s.DstMAC[:])
	copy(b[6:], s.SrcMAC[:])
	off := 12
	for _, v := range s.VLANs {
		if v.TPID != 0 {
			be.PutUint16(b[off:], v.TPID)
			be.PutUint16(b[off+2:], v.TCI)
			off += VLANLen
		}
	}
	typ := EtherTypeIPv6
	if v4 {
		typ = EtherTypeIPv4
	}
	be.PutUint16(b[off:], typ)
	return off + 2
}

// putIPv4 writes the header of a datagram that is all of b.
func (s *UDPSpec) putIPv4(b []byte) {
	src, dst := s.Src.Addr().As4(), s.Dst.Addr().As4()
	b[0] = 4<<4 | IPv4Len/4
	b[1] = s.TOS
	be.PutUint16(b[2:], uint16(len(b)))
	be.PutUint16(b[4:], s.ID)
	be.PutUint16(b[6:], 0) // neither DF nor a fragment
	b[8] = s.ttl()
	b[9] = ProtoUDP
	be.PutUint16(b[10:], 0)
	copy(b[12:16], src[:])
	copy(b[16:20], dst[:])
	be.PutUint16(b[10:], Checksum(b[:IPv4Len], 0))
}

// putIPv6 writes the header of a packet that is all of b.
func (s *UDPSpec) putIPv6(b []byte) {
	src, dst := s.Src.Addr().As16(), s.Dst.Addr().As16()
	be.PutUint32(b, 6<<28|uint32(s.TOS)<<20|s.FlowLabel&0xfffff)
	be.PutUint16(b[4:], uint16(len(b)-IPv6Len))
	b[6] = ProtoUDP
	b[7] = s.ttl()
	copy(b[8:24], src[:])
	copy(b[24:40], dst[:])
}

func (s *UDPSpec) ttl() uint8 {
	if s.TTL == 0 {
		return 64
	}
	return s.TTL
}
