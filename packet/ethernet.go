// Ethernet: the view of a frame's link header and of its VLAN tags.

package packet

// Ethernet is a frame, beginning with the destination address: neither preamble
// nor frame check sequence. Fields beyond its end read as zero.
type Ethernet []byte

// Valid says whether the 14 bytes of the header are there.
func (e Ethernet) Valid() bool { return len(e) >= EthernetLen }

// Dst is the destination address; the zero MAC if the frame has no whole header.
func (e Ethernet) Dst() (m MAC) {
	if len(e) >= EthernetLen {
		m = MAC(e[0:6])
	}
	return m
}

// Src is the source address; the zero MAC if the frame has no whole header.
func (e Ethernet) Src() (m MAC) {
	if len(e) >= EthernetLen {
		m = MAC(e[6:12])
	}
	return m
}

// TypeOrLength is the field behind the source address as it stands: a type, the
// TPID of a tag, or, below EtherTypeMin, the length of an 802.3 frame.
func (e Ethernet) TypeOrLength() uint16 { return u16(e, 12) }

// EtherType is the type behind all tags. It is 0 for an 802.3 frame, and the TPID
// of the tag that is incomplete or one too many (MaxVLANs) if the tags don't end.
func (e Ethernet) EtherType() uint16 {
	if _, typ, _ := e.tags(); typ >= EtherTypeMin {
		return typ
	}
	return 0
}

// Length is the length field of an 802.3 frame in bytes, counted from behind the
// field and behind all tags; an LLC header stands there. ok is false if the frame
// has a type instead.
func (e Ethernet) Length() (n int, ok bool) {
	if _, typ, off := e.tags(); off != 0 && typ < EtherTypeMin {
		return int(typ), true
	}
	return 0, false
}

// VLANs is the number of whole tags, 0..MaxVLANs.
func (e Ethernet) VLANs() int {
	n, _, _ := e.tags()
	return n
}

// VLAN is the i-th tag, 0 being the outermost. ok is false if there is no such tag.
func (e Ethernet) VLAN(i int) (v VLAN, ok bool) {
	if i < 0 || i >= e.VLANs() {
		return VLAN{}, false
	}
	at := EthernetLen - 2 + i*VLANLen
	return VLAN{TPID: u16(e, at), TCI: u16(e, at+2)}, true
}

// Payload is what follows header and tags. With an 802.3 length it ends there;
// otherwise it includes padding, of which only the next layer knows. It is nil if
// the frame has no whole header.
func (e Ethernet) Payload() []byte {
	_, typ, off := e.tags()
	switch {
	case off == 0:
		return nil
	case typ < EtherTypeMin:
		return cut(e, off, off+int(typ))
	}
	return cut(e, off, len(e))
}

// tags counts the whole tags and gives the type or length behind them, and where
// that field ends; 0 if the frame has no whole header.
func (e Ethernet) tags() (n int, typ uint16, off int) {
	if len(e) < EthernetLen {
		return 0, 0, 0
	}
	typ, off = be.Uint16(e[12:]), EthernetLen
	for n < MaxVLANs && IsTPID(typ) && off+VLANLen <= len(e) {
		typ = be.Uint16(e[off+2:])
		off += VLANLen
		n++
	}
	return n, typ, off
}
