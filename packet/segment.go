// Segmenter: cuts a large TCP or UDP frame into those that a network takes.

package packet

import (
	"errors"
	"fmt"
)

// SegmentKind says what a large frame is, and so how it is cut.
type SegmentKind uint8

const (
	// SegmentTCP4 is TCP over IPv4 (TSO): a long segment becomes several.
	SegmentTCP4 SegmentKind = iota + 1
	// SegmentTCP6 is TCP over IPv6.
	SegmentTCP6
	// SegmentUDP is UDP over IPv4 or IPv6 (USO): each piece of the payload becomes a
	// datagram of its own. These are not IP fragments.
	SegmentUDP
)

// What Segmenter.Reset refuses. The errors that it gives wrap one of these and say
// more; none of them is allocated when it is given.
var (
	// ErrSegmentKind says that a SegmentKind is none of those there are.
	ErrSegmentKind = errors.New("packet: unknown kind of segments")
	// ErrSegmentSize says that a segment can't have the wanted size.
	ErrSegmentSize = errors.New("packet: impossible segment size")
	// ErrHeaders says that headers are cut off, contradict themselves, or can't be
	// repeated in each segment.
	ErrHeaders = errors.New("packet: headers can't be segmented")
	// ErrProtocol says that a frame is not of the protocol that it should be.
	ErrProtocol = errors.New("packet: not the protocol that is to be segmented")
	// ErrFragment says that a frame is an IP fragment.
	ErrFragment = errors.New("packet: an IP fragment can't be segmented")
)

var (
	errSizeZero  = fmt.Errorf("%w: it must be at least 1 byte", ErrSegmentSize)
	errSizeLarge = fmt.Errorf("%w: with its headers a segment would be longer than IP's length field can say", ErrSegmentSize)
	errFrameLong = fmt.Errorf("%w: the frame is longer than %d bytes", ErrHeaders, MaxFrame)
	errL3        = fmt.Errorf("%w: the IP header would begin outside of the frame", ErrHeaders)
	errExtension = fmt.Errorf("%w: AH, a fragment header, or a routing header that doesn't say where the packet ends up", ErrHeaders)
	errJumbo     = fmt.Errorf("%w: a jumbo length that shares its hop-by-hop header with other options", ErrHeaders)

	// errStatus are the errors for a Headers that isn't OK, by its Status and Layer.
	errStatus = func() (e [TooDeep + 1][LayerPayload + 1]error) {
		for s := range e {
			for l := range e[s] {
				e[s][l] = fmt.Errorf("%w: %v at %v", ErrHeaders, Status(s), Layer(l))
			}
		}
		return e
	}()
)

// jumboLen is the length of a hop-by-hop header with nothing but a jumbo length.
const jumboLen = 8

// Segmenter cuts a frame with more payload than a network takes into frames that it
// does take, as Linux does in software (GSO): each segment has all headers of the
// large frame, with lengths, sequence numbers and checksums of its own. The zero
// value has no segments. It is used again by Reset and allocates nothing; it must not
// be used by two goroutines at a time, but calls of Count, MaxLen, Len and Put may
// overlap.
//
// It keeps a reference to the frame, which must not change until the next Reset. The
// frame itself is never written to.
type Segmenter struct {
	frame  []byte // link header to end of payload: nothing is behind it
	l3, l4 int    // where IP and TCP or UDP begin
	head   int    // where the payload begins
	jumbo  int    // where a header of jumboLen bytes is that segments don't have; 0 if there is none
	size   int    // bytes of payload in each segment but the last
	count  int    // segments
	v4     bool
	udp    bool
	ipSum  uint16 // IPv4: sum of the header but total length, ID and checksum
	l4Sum  uint16 // sum of the headers' and pseudo header's fields that all segments share
	tunnel tunnel
}

// Reset prepares the segmentation of frame, with size bytes of payload in each segment
// but the last, which has what remains. l3 is where the IP header begins: 14 behind an
// Ethernet header, 4 more for each VLAN tag, 0 for a packet of a TUN device. What is
// before it goes before each segment, and is not looked at.
//
// A payload of size bytes or less is one segment. A size that is far too small for its
// frame is no error, it makes as many segments as there are bytes; look at Count.
//
// The payload ends where the IP header says or where the frame ends, whichever is
// first; an IP length of 0 means the frame's end, as in BIG TCP. Checksum fields
// are not looked at: it makes no difference whether they are right, partial or zero.
//
// All of the frame may come from a stranger: whatever it contains, the result is
// segments or an error that wraps ErrSegmentKind, ErrSegmentSize, ErrHeaders,
// ErrProtocol or ErrFragment. With an error there are no segments.
func (s *Segmenter) Reset(frame []byte, l3 int, kind SegmentKind, size int) error {
	*s = Segmenter{}
	switch {
	case kind < SegmentTCP4 || kind > SegmentUDP:
		return ErrSegmentKind
	case size < 1:
		return errSizeZero
	case len(frame) > MaxFrame:
		return errFrameLong
	case l3 < 0 || l3 >= len(frame):
		return errL3
	}
	ip := frame[l3:]
	var h Headers
	h.ParseIP(ip)
	v4, udp := h.IPVersion == 4, kind == SegmentUDP
	proto := ProtoTCP
	if udp {
		proto = ProtoUDP
	}
	switch {
	case h.IsFragment():
		return ErrFragment
	case h.Status != OK && !(h.Status == Truncated && h.Layer == LayerPayload):
		return errStatus[h.Status][h.Layer]
	case h.Protocol != proto || !udp && v4 != (kind == SegmentTCP4):
		return ErrProtocol
	}
	l4, head, end := int(h.L4), int(h.Payload), int(h.End)
	sum, ok := h.pseudoSum(ip, 0)
	if !ok {
		return errExtension
	}
	longest := 0xffff
	t := ip[l4:head]
	n := Segmenter{v4: v4, udp: udp, frame: frame[:l3+end], l3: l3, l4: l3 + l4, head: l3 + head}
	if v4 {
		n.ipSum = Sum(ip[12:l4], Sum(ip[6:10], be.Uint16(ip)))
	} else {
		longest += IPv6Len
		if IPv6(ip).PayloadLen() == 0 && ip[6] == ProtoHopByHop {
			if _, length, _ := SkipExtension(ProtoHopByHop, ip[IPv6Len:]); jumboLength(ip[IPv6Len:][:length]) != 0 {
				if length != jumboLen {
					return errJumbo
				}
				n.jumbo = l3 + IPv6Len
			}
		}
	}
	if udp {
		n.l4Sum = Sum(t[0:4], sum) // ports
	} else {
		n.l4Sum = Sum(t[18:], Sum(t[14:16], Sum(t[8:12], Sum(t[0:4], sum))))
	}
	payload := end - head
	n.size = max(min(size, payload), 1)
	n.count = max((payload+n.size-1)/n.size, 1)
	if n.headLen()+min(n.size, payload)-l3 > longest {
		return errSizeLarge
	}
	*s = n
	return nil
}

// Count is the number of segments: at least 1, and 0 without a frame.
func (s *Segmenter) Count() int { return s.count }

// MaxLen is the length of the longest segment with all its headers, in bytes: what dst
// must have room for in Put. 0 without a frame.
func (s *Segmenter) MaxLen() int { return s.Len(0) }

// Len is the length of segment i with all its headers, in bytes; 0 if there is no such
// segment.
func (s *Segmenter) Len(i int) int {
	if i < 0 || i >= s.count {
		return 0
	}
	return s.headLen() + min(s.size, len(s.frame)-s.head-i*s.size)
}

// headLen is the length of each segment's headers.
func (s *Segmenter) headLen() int {
	if s.jumbo != 0 {
		return s.head - jumboLen
	}
	return s.head
}

// Put writes segment i, 0 being the first, to the beginning of dst and gives its
// length, Len(i). If there is no such segment, or dst is shorter, it writes nothing
// and gives 0. dst must not overlap the frame. The order of calls doesn't matter.
//
// The segment is ready to be sent: all checksums are complete. The IPv4 ID goes up by
// one with each, whether DF is set or not. FIN and PSH are set in the last segment
// alone, CWR in the first alone (RFC 3168, 6.1.2), all other flags in each. Options and
// IPv6 extension headers are repeated as they are; only a jumbo length (RFC 2675) is left
// out, since segments don't need one. A UDP datagram gets a checksum even if the large
// frame had none.
func (s *Segmenter) Put(dst []byte, i int) int {
	n := s.put(dst, i)
	if n > 0 && s.tunnel.there {
		s.tunnel.fix(dst[:n], i)
	}
	return n
}

func (s *Segmenter) put(dst []byte, i int) int {
	n := s.Len(i)
	if n == 0 || n > len(dst) {
		return 0
	}
	dst = dst[:n]
	l4, head := s.l4, s.head
	if s.jumbo == 0 {
		copy(dst, s.frame[:head])
	} else {
		copy(dst, s.frame[:s.jumbo])
		copy(dst[s.jumbo:], s.frame[s.jumbo+jumboLen:head])
		dst[s.l3+6] = s.frame[s.jumbo] // its next header
		l4, head = l4-jumboLen, head-jumboLen
	}
	payload := dst[head:]
	from := s.head + i*s.size
	// Fields are added to the sum as they come, and folded at the end.
	sum := uint64(sumCopy(payload, s.frame[from:from+len(payload)], s.l4Sum))

	ip, t := dst[s.l3:], dst[l4:]
	if s.v4 {
		id := be.Uint16(ip[4:]) + uint16(i)
		be.PutUint16(ip[2:], uint16(len(ip)))
		be.PutUint16(ip[4:], id)
		be.PutUint16(ip[10:], ^fold(uint64(s.ipSum)+uint64(len(ip))+uint64(id)))
	} else {
		be.PutUint16(ip[4:], uint16(len(ip)-IPv6Len))
	}
	if s.udp {
		be.PutUint16(t[4:], uint16(len(t)))
		be.PutUint16(t[6:], nonzero(^fold(sum+2*uint64(len(t))))) // the pseudo header has the length too
		return n
	}
	seq, flags := be.Uint32(t[4:])+uint32(i*s.size), be.Uint16(t[12:])
	if i != 0 {
		flags &^= uint16(CWR)
	}
	if i != s.count-1 {
		flags &^= uint16(FIN | PSH)
	}
	be.PutUint32(t[4:], seq)
	be.PutUint16(t[12:], flags)
	be.PutUint16(t[16:], ^fold(sum+uint64(seq)+uint64(flags)+uint64(len(t))))
	return n
}
