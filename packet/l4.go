// TCP, UDP and ICMP: the views of what IP carries.

package packet

// TCP is a segment from its first header byte on, ending where the IP datagram
// does (RFC 9293). Fields beyond its end read as zero.
type TCP []byte

// TCPFlags are the control bits of a TCP header (RFC 9293, 3.1; RFC 9768 for AE).
type TCPFlags uint16

// The control bits, lowest first.
const (
	FIN TCPFlags = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
	AE // was NS
)

// Has says whether all bits of want are set.
func (f TCPFlags) Has(want TCPFlags) bool { return f&want == want }

// String names the bits that are set, as in "SYN|ACK"; "none" if there are none.
func (f TCPFlags) String() string {
	var b []byte
	for i, name := range [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"} {
		if f&(1<<i) == 0 {
			continue
		}
		if b != nil {
			b = append(b, '|')
		}
		b = append(b, name...)
	}
	if b == nil {
		return "none"
	}
	return string(b)
}

// Valid says whether the header is there in full, options included.
func (t TCP) Valid() bool {
	hl := t.HeaderLen()
	return len(t) >= TCPLen && hl >= TCPLen && hl <= len(t)
}

// SrcPort is the source port.
func (t TCP) SrcPort() uint16 { return u16(t, 0) }

// DstPort is the destination port.
func (t TCP) DstPort() uint16 { return u16(t, 2) }

// Seq is the sequence number.
func (t TCP) Seq() uint32 { return u32(t, 4) }

// Ack is the acknowledgment number, of meaning if the flag ACK is set.
func (t TCP) Ack() uint32 { return u32(t, 8) }

// HeaderLen is the data offset in bytes: 0..60, a multiple of 4, at least 20 in a
// valid header.
func (t TCP) HeaderLen() int { return int(u8(t, 12)>>4) * 4 }

// Flags are the control bits.
func (t TCP) Flags() TCPFlags { return TCPFlags(u16(t, 12) & 0x1ff) }

// Window is the window field, not scaled.
func (t TCP) Window() uint16 { return u16(t, 14) }

// Checksum is the checksum as it stands; it covers the pseudo header (PseudoSum) too.
func (t TCP) Checksum() uint16 { return u16(t, 16) }

// Urgent is the urgent pointer, of meaning if the flag URG is set.
func (t TCP) Urgent() uint16 { return u16(t, 18) }

// Options is the area between fixed header and data, 0..40 bytes, not interpreted;
// nil if the header is not Valid.
func (t TCP) Options() []byte {
	if !t.Valid() {
		return nil
	}
	return cut(t, TCPLen, t.HeaderLen())
}

// Payload is the data behind the header; nil if the header is not Valid.
func (t TCP) Payload() []byte {
	if !t.Valid() {
		return nil
	}
	return cut(t, t.HeaderLen(), len(t))
}

// UDP is a datagram from its first header byte on (RFC 768). Fields beyond its
// end read as zero.
type UDP []byte

// Valid says whether the 8 bytes of the header are there and the length field can be
// one: at least 8, or 0 as in jumbograms (RFC 2675).
func (u UDP) Valid() bool {
	n := u.Length()
	return len(u) >= UDPLen && (n >= UDPLen || n == 0)
}

// SrcPort is the source port; 0 if the sender expects no answer.
func (u UDP) SrcPort() uint16 { return u16(u, 0) }

// DstPort is the destination port.
func (u UDP) DstPort() uint16 { return u16(u, 2) }

// Length is the length field in bytes, header included: 0..65535.
func (u UDP) Length() int { return int(u16(u, 4)) }

// Checksum is the checksum as it stands; 0 means that the sender made none.
func (u UDP) Checksum() uint16 { return u16(u, 6) }

// Payload is the data behind the header up to the length field or the end of u,
// whichever is first; nil if the header is not Valid.
func (u UDP) Payload() []byte {
	if !u.Valid() {
		return nil
	}
	end := u.Length()
	if end == 0 {
		end = len(u)
	}
	return cut(u, UDPLen, end)
}

// ICMP is a message of ICMP (RFC 792) or ICMPv6 (RFC 4443) from its first byte
// on; both begin alike. Fields beyond its end read as zero.
type ICMP []byte

// Valid says whether type, code and checksum are there.
func (m ICMP) Valid() bool { return len(m) >= ICMPv6Len }

// Type is the message's type; the two ICMPs number them differently.
func (m ICMP) Type() uint8 { return u8(m, 0) }

// Code tells messages of one type apart.
func (m ICMP) Code() uint8 { return u8(m, 1) }

// Checksum is the checksum as it stands. That of ICMPv6 covers the pseudo header
// (PseudoSum), that of ICMP doesn't.
func (m ICMP) Checksum() uint16 { return u16(m, 2) }

// ID is the identifier of an echo request or reply.
func (m ICMP) ID() uint16 { return u16(m, 4) }

// Seq is the sequence number of an echo request or reply.
func (m ICMP) Seq() uint16 { return u16(m, 6) }

// Body is what follows type, code and checksum; nil if the header is not Valid.
func (m ICMP) Body() []byte { return cut(m, ICMPv6Len, len(m)) }
