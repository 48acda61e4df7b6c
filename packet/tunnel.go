// Large frames in a tunnel: each segment goes through it in a packet of its own.

package packet

import "fmt"

// tunnel is the outer headers of a large frame.
type tunnel struct {
	there  bool
	l3, l4 int  // where the outer IP header begins, and what is behind it
	udp    bool // what is behind it is UDP
}

var (
	errInner  = fmt.Errorf("%w: there is no IP header in front of the inner transport header", ErrHeaders)
	errOuter  = fmt.Errorf("%w: there is no outer IP header in front of the inner one", ErrHeaders)
	errTunnel = fmt.Errorf("%w: a tunnel whose own header has a checksum", ErrProtocol)
)

// ResetInner is Reset for a frame that goes through a tunnel (VXLAN, Geneve, GRE, IP in IP …) and is to be cut in there: l3 is where
// the outer IP header begins, and l4 the inner TCP or UDP header, in front of which the inner IP header has no IPv6
// extensions. All that is in front of the inner payload is in each segment; the outer IP header's length, ID and
// checksum, and those of an outer UDP header, are the segment's. An outer UDP checksum of 0, which is none, stays so.
func (s *Segmenter) ResetInner(frame []byte, l3, l4 int, kind SegmentKind, size int) error {
	*s = Segmenter{}
	inner, err := innerIP(frame, l4, kind)
	if err != nil {
		return err
	}
	if l3 < 0 || l3 >= inner {
		return errL3
	}
	var h Headers
	h.ParseIP(frame[l3:])
	out := tunnel{there: true, l3: l3, l4: l3 + int(h.L4), udp: h.Protocol == ProtoUDP}
	const gre, greChecksum = 47, 0x80
	switch {
	case h.IPVersion == 0 || h.L4 == 0 || out.l4 > inner || out.udp && out.l4+UDPLen > inner:
		return errOuter
	case h.IsFragment():
		return ErrFragment
	case h.Protocol == gre && frame[out.l4]&greChecksum != 0:
		return errTunnel
	}
	if err := s.Reset(frame, inner, kind, size); err != nil {
		return err
	}
	if s.MaxLen()-l3 > 0xffff {
		*s = Segmenter{}
		return errSizeLarge
	}
	s.tunnel = out
	return nil
}

// innerIP finds the IP header that ends at l4.
func innerIP(frame []byte, l4 int, kind SegmentKind) (int, error) {
	if l4 < 0 || l4 > len(frame) {
		return 0, errInner
	}
	proto := byte(ProtoTCP)
	if kind == SegmentUDP {
		proto = ProtoUDP
	}
	for n := IPv4Len; n <= 60 && n <= l4 && kind != SegmentTCP6; n += 4 {
		ip := frame[l4-n:]
		if int(ip[0]) == 0x40|n/4 && ip[9] == proto && int(be.Uint16(ip[2:])) == len(ip) {
			return l4 - n, nil
		}
	}
	if at := l4 - IPv6Len; at >= 0 && kind != SegmentTCP4 {
		if ip := frame[at:]; ip[0]>>4 == 6 && ip[6] == proto && int(be.Uint16(ip[4:])) == len(ip)-IPv6Len {
			return at, nil
		}
	}
	return 0, errInner
}

// fix makes the outer headers of segment i fit it.
func (t *tunnel) fix(segment []byte, i int) {
	ip := segment[t.l3:]
	var pseudo uint16
	if ip[0]>>4 == 4 {
		head := ip[:t.l4-t.l3]
		be.PutUint16(ip[2:], uint16(len(ip)))
		be.PutUint16(ip[4:], be.Uint16(ip[4:])+uint16(i))
		be.PutUint16(ip[10:], 0)
		be.PutUint16(ip[10:], ^Sum(head, 0))
		pseudo = Sum(ip[12:20], 0)
	} else {
		be.PutUint16(ip[4:], uint16(len(ip)-IPv6Len))
		pseudo = Sum(ip[8:IPv6Len], 0)
	}
	if !t.udp {
		return
	}
	u := segment[t.l4:]
	be.PutUint16(u[4:], uint16(len(u)))
	if be.Uint16(u[6:]) != 0 {
		be.PutUint16(u[6:], 0)
		be.PutUint16(u[6:], nonzero(^Sum(u, fold(uint64(pseudo)+uint64(len(u))+uint64(ProtoUDP)))))
	}
}
