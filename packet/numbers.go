// Assigned numbers: EtherTypes and IP protocols, and the lengths of headers.

package packet

// EtherTypes (IEEE 802 registry). Values below EtherTypeMin are no type but the
// length of an 802.3 frame, behind which an LLC header stands.
const (
	EtherTypeMin    uint16 = 0x0600 // lowest value that is a type (IEEE 802.3, 3.2.6)
	EtherTypeIPv4   uint16 = 0x0800 // RFC 894
	EtherTypeARP    uint16 = 0x0806 // RFC 826
	EtherTypeVLAN   uint16 = 0x8100 // customer tag (IEEE 802.1Q)
	EtherTypeIPv6   uint16 = 0x86dd // RFC 2464
	EtherTypeQinQ   uint16 = 0x88a8 // service tag (IEEE 802.1ad)
	EtherTypeQinQ91 uint16 = 0x9100 // service tag from before 802.1ad, still in use
	EtherTypeMPLS   uint16 = 0x8847 // RFC 3032
	EtherTypePPPoE  uint16 = 0x8864 // PPPoE session (RFC 2516)
	EtherTypeLLDP   uint16 = 0x88cc // IEEE 802.1AB
)

// IP protocols and IPv6 next headers (IANA, RFC 8200).
const (
	ProtoHopByHop uint8 = 0   // IPv6 hop-by-hop options (RFC 8200, 4.3)
	ProtoICMP     uint8 = 1   // RFC 792
	ProtoIGMP     uint8 = 2   // RFC 9776
	ProtoIPv4     uint8 = 4   // IPv4 inside IP (RFC 2003)
	ProtoTCP      uint8 = 6   // RFC 9293
	ProtoUDP      uint8 = 17  // RFC 768
	ProtoIPv6     uint8 = 41  // IPv6 inside IP (RFC 2473)
	ProtoRouting  uint8 = 43  // IPv6 routing header (RFC 8200, 4.4)
	ProtoFragment uint8 = 44  // IPv6 fragment header (RFC 8200, 4.5)
	ProtoGRE      uint8 = 47  // RFC 2784
	ProtoESP      uint8 = 50  // encrypted from here on (RFC 4303)
	ProtoAH       uint8 = 51  // authentication header (RFC 4302)
	ProtoICMPv6   uint8 = 58  // RFC 4443
	ProtoNoNext   uint8 = 59  // nothing follows (RFC 8200, 4.7)
	ProtoDestOpts uint8 = 60  // IPv6 destination options (RFC 8200, 4.6)
	ProtoSCTP     uint8 = 132 // RFC 9260
)

// Lengths of headers without options, in bytes.
const (
	EthernetLen = 14 // destination, source, type; without preamble and checksum
	VLANLen     = 4  // one tag
	IPv4Len     = 20 // shortest; IHL 5
	IPv6Len     = 40 // without extension headers
	TCPLen      = 20 // shortest; data offset 5
	UDPLen      = 8
	SCTPLen     = 12 // common header
	ICMPLen     = 8  // ICMP for IPv4: type, code, checksum and the four bytes that every message has
	ICMPv6Len   = 4  // ICMPv6: type, code and checksum (RFC 4443, 2.1)
)

// Limits of this package.
const (
	// MaxFrame is the longest frame that is looked at, in bytes: what a capture
	// may hold. Of a longer slice only the first MaxFrame bytes count.
	MaxFrame = 262144

	// MaxVLANs is the deepest stack of VLAN tags that is walked.
	MaxVLANs = 8

	// MaxExtensions is the longest chain of IPv6 extension headers that is
	// walked: enough for every header twice, and a bound for what a hostile
	// packet can cost.
	MaxExtensions = 16
)
