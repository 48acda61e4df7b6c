// Parse: the decoder, one pass from the link header to the transport header.

package packet

// Parse decodes the headers of an Ethernet frame into h, whatever h was before. It
// takes any input; h.Status and h.Layer say how far it came:
//
//   - LayerLink: Truncated if there are less than 14 bytes.
//   - LayerVLAN: Truncated if a TPID isn't followed by 4 bytes, TooDeep if more than
//     MaxVLANs tags follow each other. A type other than IPv4 and IPv6, or an 802.3
//     length, ends decoding with OK.
//   - LayerNetwork: Truncated if the IP header isn't there in full. Malformed if the
//     version doesn't fit the EtherType or, in IPv4, if the header is shorter than
//     20 bytes or longer than a total length other than 0. Options and checksum are
//     not looked at.
//   - LayerExtension: Truncated if an extension header isn't there in full, TooDeep
//     for more than MaxExtensions, Malformed for an AH of less than 12 bytes or a
//     jumbo length of less than 65536 (RFC 2675). Extension headers are taken in any
//     order. ESP, ProtoNoNext and unknown ones end decoding with OK.
//   - LayerTransport: Truncated if the header isn't there in full, Malformed for a
//     TCP data offset below 20 or a UDP length of 1..7. A protocol other than TCP, UDP,
//     SCTP, ICMP and ICMPv6, or a fragment that isn't the first, ends decoding with OK.
//   - LayerPayload: Truncated if 802.3, IP or (unless in a fragment) UDP announce more
//     bytes than there are.
//
// An IP length of 0, as in segments that were not cut yet, and a UDP length of 0
// mean all bytes there are; the jumbo option of a hop-by-hop header is obeyed. IPv6
// with length 0 and ProtoNoNext has no payload.
func (h *Headers) Parse(frame []byte) {
	*h = Headers{}
	frame = frame[:min(len(frame), MaxFrame)]
	h.End = uint32(len(frame))
	if len(frame) < EthernetLen {
		h.Status = Truncated
		return
	}
	typ, l3 := be.Uint16(frame[12:14]), EthernetLen
	if IsTPID(typ) {
		if typ, l3 = h.vlans(frame, typ); h.Status != OK {
			return
		}
	}
	h.at(l3)
	switch {
	case typ == EtherTypeIPv4:
		h.EtherType = typ
		h.ipv4(frame, l3)
	case typ == EtherTypeIPv6:
		h.EtherType = typ
		h.ipv6(frame, l3)
	case typ >= EtherTypeMin:
		h.EtherType = typ
	case l3+int(typ) <= len(frame):
		h.End = uint32(l3 + int(typ))
	default:
		h.stop(Truncated, LayerPayload)
	}
}

// ParseIP is Headers.Parse for a packet without link header, as a TUN device has it:
// the version field at the beginning says what it is. Malformed at LayerNetwork if that
// is neither 4 nor 6; Truncated there if the packet is empty.
func (h *Headers) ParseIP(packet []byte) {
	*h = Headers{}
	packet = packet[:min(len(packet), MaxFrame)]
	h.End = uint32(len(packet))
	switch u8(packet, 0) >> 4 {
	case 4:
		h.EtherType = EtherTypeIPv4
		h.ipv4(packet, 0)
	case 6:
		h.EtherType = EtherTypeIPv6
		h.ipv6(packet, 0)
	default:
		s := Malformed
		if len(packet) == 0 {
			s = Truncated
		}
		h.stop(s, LayerNetwork)
	}
}

// Parse is Headers.Parse with the result as a value: handier, and slower by some
// nanoseconds, since the value is copied.
func Parse(frame []byte) (h Headers) {
	h.Parse(frame)
	return h
}

// ParseIP is Headers.ParseIP with the result as a value.
func ParseIP(packet []byte) (h Headers) {
	h.ParseIP(packet)
	return h
}

// at sets the offsets for a network header at l3, none behind it decoded yet.
func (h *Headers) at(l3 int) { h.L3, h.L4, h.Payload = uint32(l3), uint32(l3), uint32(l3) }

// stop records why decoding ends, and where.
func (h *Headers) stop(s Status, l Layer) { h.Status, h.Layer = s, l }

// vlans walks the tags, the first of which is announced by typ, and gives the type
// behind them and where it ends. On any status but OK the decoder is to stop.
func (h *Headers) vlans(frame []byte, typ uint16) (uint16, int) {
	l3, n := EthernetLen, 0
	for h.Layer = LayerVLAN; IsTPID(typ); n++ {
		tag := frame[l3:]
		if len(tag) < VLANLen {
			h.Status = Truncated
			break
		}
		if n == MaxVLANs {
			h.Status = TooDeep
			break
		}
		if n < len(h.VLANs) {
			h.VLANs[n] = VLAN{TPID: typ, TCI: be.Uint16(tag)}
		}
		typ = be.Uint16(tag[2:])
		l3 += VLANLen
	}
	h.NumVLANs = uint8(n)
	if h.Status != OK {
		h.EtherType = typ
		h.at(l3)
	}
	return typ, l3
}

// ipv4 decodes the header at l3 and goes on.
func (h *Headers) ipv4(frame []byte, l3 int) {
	b := frame[l3:]
	if len(b) < IPv4Len {
		h.stop(Truncated, LayerNetwork)
		return
	}
	hl, total := int(b[0]&15)*4, int(be.Uint16(b[2:]))
	if b[0]>>4 != 4 || hl < IPv4Len || total != 0 && total < hl {
		h.stop(Malformed, LayerNetwork)
		return
	}
	h.IPVersion = 4
	h.Protocol = b[9]
	if frag := be.Uint16(b[6:]); frag&0x3fff != 0 {
		h.MoreFragments = frag&0x2000 != 0
		h.FragOffset = frag << 3 // the flags fall out at the top
	}
	end := len(frame)
	if total != 0 {
		end = h.limit(l3+total, end)
	}
	if hl > len(b) {
		h.stop(Truncated, LayerNetwork)
		return
	}
	l4 := l3 + hl
	h.L4, h.Payload = uint32(l4), uint32(l4)
	if h.FragOffset != 0 {
		h.reached(LayerNetwork)
		return
	}
	if h.Protocol == ProtoAH {
		h.extensions(frame[:end], l4, ProtoAH)
		return
	}
	h.transport(frame[:end], l4, LayerNetwork)
}

// ipv6 decodes the fixed header at l3 and goes on.
func (h *Headers) ipv6(frame []byte, l3 int) {
	b := frame[l3:]
	if len(b) < IPv6Len {
		h.stop(Truncated, LayerNetwork)
		return
	}
	if b[0]>>4 != 6 {
		h.stop(Malformed, LayerNetwork)
		return
	}
	h.IPVersion = 6
	h.Protocol = b[6]
	l4, end := l3+IPv6Len, len(frame)
	h.L4, h.Payload = uint32(l4), uint32(l4)
	switch n := int(be.Uint16(b[4:])); {
	case n != 0:
		end = h.limit(l4+n, end)
	case h.Protocol == ProtoNoNext:
		end = h.limit(l4, end)
	case h.Protocol == ProtoHopByHop:
		if end = h.jumbo(frame, l4); h.Status == Malformed {
			return
		}
	}
	if IsExtension(h.Protocol) {
		h.extensions(frame[:end], l4, h.Protocol)
		return
	}
	h.transport(frame[:end], l4, LayerNetwork)
}

// jumbo gives the end of a packet whose IPv6 length is 0 and whose hop-by-hop
// header, at l4, may have the true one (RFC 2675).
func (h *Headers) jumbo(frame []byte, l4 int) (end int) {
	b := frame[l4:]
	_, n, s := SkipExtension(ProtoHopByHop, b)
	if s != OK {
		return len(frame) // extensions will come to the same and say so
	}
	jumbo := jumboLength(b[:n])
	switch {
	case jumbo == 0:
		return len(frame)
	case jumbo <= 0xffff:
		h.stop(Malformed, LayerExtension)
		return len(frame)
	case jumbo > uint32(len(b)): // compared as uint32: int may have 32 bits
		return h.limit(len(frame)+1, len(frame))
	}
	return h.limit(l4+int(jumbo), len(frame))
}

// extensions walks the extension headers, the first of which is of type next and
// stands at off. What they contain ends with frame.
func (h *Headers) extensions(frame []byte, off int, next uint8) {
	for n := 0; IsExtension(next); n++ {
		if n == MaxExtensions {
			h.stop(TooDeep, LayerExtension)
			return
		}
		if h.IPVersion == 4 && next != ProtoAH { // the others are IPv6's alone
			break
		}
		b := frame[off:]
		after, length, s := SkipExtension(next, b)
		if s != OK {
			h.stop(s, LayerExtension)
			return
		}
		if next == ProtoFragment {
			f := IPv6Fragment(b)
			h.FragOffset = uint16(f.FragOffset())
			h.MoreFragments = h.MoreFragments || f.MoreFragments()
		}
		next = after
		off += length
		h.Protocol, h.L4, h.Payload = next, uint32(off), uint32(off)
		if h.FragOffset != 0 { // data of the middle of a datagram follows
			h.reached(LayerExtension)
			return
		}
	}
	h.transport(frame, off, LayerExtension)
}

// transport decodes the header at l4 of what ends with frame. below is the layer
// that was decoded last.
func (h *Headers) transport(frame []byte, l4 int, below Layer) {
	b := frame[l4:]
	length := 0
	switch h.Protocol {
	case ProtoTCP:
		if len(b) < TCPLen {
			h.stop(Truncated, LayerTransport)
			return
		}
		h.SrcPort, h.DstPort = be.Uint16(b), be.Uint16(b[2:])
		bits := be.Uint16(b[12:])
		h.TCPFlags = TCPFlags(bits & 0x1ff)
		if length = int(bits>>12) * 4; length < TCPLen {
			h.stop(Malformed, LayerTransport)
			return
		}
	case ProtoUDP:
		if len(b) < UDPLen {
			h.stop(Truncated, LayerTransport)
			return
		}
		length = UDPLen
		h.SrcPort, h.DstPort = be.Uint16(b), be.Uint16(b[2:])
		switch n := int(be.Uint16(b[4:])); {
		case n >= UDPLen && n <= len(b):
			h.End = uint32(l4 + n)
		case n > len(b) && !h.MoreFragments: // a first fragment has the length of the whole
			h.stop(Truncated, LayerPayload)
		case n != 0 && n < UDPLen:
			h.stop(Malformed, LayerTransport)
			return
		}
	case ProtoSCTP:
		if length = SCTPLen; len(b) >= length {
			h.SrcPort, h.DstPort = be.Uint16(b), be.Uint16(b[2:])
		}
	case ProtoICMP:
		length = ICMPLen
	case ProtoICMPv6:
		length = ICMPv6Len
	default:
		h.reached(below)
		return
	}
	if length > len(b) {
		h.stop(Truncated, LayerTransport)
		return
	}
	h.Payload = uint32(l4 + length)
	h.reached(LayerTransport)
}

// limit ends the packet at end as a length field wants it, or at have if that is
// less and bytes are missing.
func (h *Headers) limit(end, have int) int {
	if end > have {
		h.stop(Truncated, LayerPayload)
		return have
	}
	h.End = uint32(end)
	return end
}

// reached records the last layer, unless bytes are missing behind it.
func (h *Headers) reached(l Layer) {
	if h.Status == OK {
		h.Layer = l
	}
}
