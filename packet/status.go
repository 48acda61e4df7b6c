// Status and Layer: whether decoding went through and, if not, why and where.

package packet

// Status says whether a decoder went through, or why it stopped.
type Status uint8

const (
	// OK: everything that this package decodes was there and made sense.
	OK Status = iota
	// Truncated: the bytes end before a header does, or before the payload that
	// a length field announces (LayerPayload). The bytes of a layer end where the
	// frame does or where the length field of the layer below says, whichever
	// is first.
	Truncated
	// Malformed: a field has a value that no such header can have.
	Malformed
	// TooDeep: more than MaxVLANs tags or MaxExtensions extension headers.
	TooDeep
)

// String names the status.
func (s Status) String() string {
	return name(uint8(s), "ok", "truncated", "malformed", "too deep")
}

// Layer is a step of decoding, in the order in which they are taken.
type Layer uint8

const (
	LayerLink      Layer = iota // Ethernet header
	LayerVLAN                   // a VLAN tag
	LayerNetwork                // IPv4 header with options, or IPv6 fixed header
	LayerExtension              // an IPv6 extension header, or AH behind IPv4
	LayerTransport              // TCP, UDP, SCTP, ICMP
	LayerPayload                // what the last header announced
)

// String names the layer.
func (l Layer) String() string {
	return name(uint8(l), "link", "vlan", "network", "extension", "transport", "payload")
}

func name(i uint8, names ...string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown"
}
