// Frames that nobody meant to send: against gopacket, against what FlowHash promises, and
// against checksums by the letter.

package packet

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzHeaders: what is wrong with a frame may be anything.
func FuzzHeaders(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		exercise(t, b)
		checkFrame(t, b, map[string]int{})
		checkParseIP(t, b)
		checkHashes(t, b)
		checkSums(t, b)
	})
}

// checkParseIP: without the link header a packet is the same.
func checkParseIP(t *testing.T, frame []byte) {
	t.Helper()
	h := Parse(frame)
	if h.IPVersion == 0 {
		return
	}
	want := h
	want.L3, want.L4, want.Payload, want.End = 0, h.L4-h.L3, h.Payload-h.L3, h.End-h.L3
	want.NumVLANs, want.VLANs = 0, [2]VLAN{}
	if got := ParseIP(frame[h.L3:]); got != want {
		t.Errorf("ParseIP: %+v, want %+v", got, want)
	}
}

// checkHashes: what FlowHash says that doesn't count, and who shares a number.
func checkHashes(t *testing.T, frame []byte) {
	t.Helper()
	flow, symmetric := FlowHash(frame), SymmetricFlowHash(frame)
	h := Parse(frame)
	if len(frame) < EthernetLen {
		if flow != 0 || symmetric != 0 {
			t.Errorf("hashes of %d bytes: %#x, %#x", len(frame), flow, symmetric)
		}
		return
	}
	if a, b := h.FlowHash(frame), h.SymmetricFlowHash(frame); a != flow || b != symmetric {
		t.Errorf("hashes by Headers: %#x, %#x, want %#x, %#x", a, b, flow, symmetric)
	}
	if a := SymmetricFlowHash(reversed(frame)); a != symmetric {
		t.Errorf("hash of the other direction: %#x, want %#x", a, symmetric)
	}
	alike := func(what string, g []byte) {
		t.Helper()
		if a, b := FlowHash(g), SymmetricFlowHash(g); a != flow || b != symmetric {
			t.Errorf("with %s: %#x, %#x, want %#x, %#x: %x", what, a, b, flow, symmetric, g)
		}
	}
	flipped := func(at ...int) []byte {
		g := bytes.Clone(frame)
		for _, i := range at {
			g[i] ^= 0xff
		}
		return g
	}
	if behindTags := h.Layer != LayerVLAN || h.Status == OK; behindTags && h.NumVLANs < MaxVLANs {
		alike("another tag", slices.Concat(frame[:12], []byte{0x81, 0, 0x20, 7}, frame[12:]))
	}
	if h.Status == OK || h.HasTransport() {
		g := bytes.Clone(frame)
		for i := int(h.Payload); i < len(g); i++ {
			g[i] ^= 0xff
		}
		alike("another payload", g)
	}
	l3 := int(h.L3)
	switch h.IPVersion {
	case 4:
		alike("other MACs, TOS and TTL", flipped(0, 6, l3+1, l3+8))
		if !h.IsFragment() {
			break
		}
		for _, part := range []uint16{0x2000, 0x2001, 0x0001} { // first, one between, last
			g := bytes.Clone(frame)
			be.PutUint16(g[l3+6:], part)
			alike("another part of the datagram", g)
		}
	case 6:
		g := flipped(0, 6, l3+1, l3+2, l3+3, l3+7)
		g[l3] ^= 0x0f
		alike("other MACs, traffic class, flow label and hop limit", g)
	}
}

// checkSums: sums by the letter of RFC 1071, whole, in parts, of pseudo headers and updated.
func checkSums(t *testing.T, b []byte) {
	t.Helper()
	for from := range min(len(b), 2) { // aligned or not
		b, initial := b[from:], uint16(b[0])<<8|uint16(b[len(b)-1])
		want := plainSum(b, initial)
		if got := Sum(b, initial); got != want || Checksum(b, initial) != ^want {
			t.Errorf("Sum from %#x is %#x, want %#x: %x", initial, got, want, b)
		}
		half := len(b) / 4 * 2
		if got := Sum(b[half:], Sum(b[:half], initial)); got != want {
			t.Errorf("Sum from %#x in two parts is %#x, want %#x: %x", initial, got, want, b)
		}
	}
	const proto, length = ProtoUDP, 70000
	behind := []byte{0, 1, 0x11, 0x70, 0, 0, 0, proto}
	if p := IPv4(b); len(p) >= IPv4Len {
		want := plainSum(append(bytes.Clone(p[12:20]), behind...), 0)
		if got := p.PseudoSum(proto, length); got != want || PseudoSum(p.Src(), p.Dst(), proto, length) != want {
			t.Errorf("PseudoSum of IPv4 is %#x, want %#x", got, want)
		}
	}
	if p := IPv6(b); len(p) >= IPv6Len {
		want := plainSum(append(bytes.Clone(p[8:40]), behind...), 0)
		if got := p.PseudoSum(proto, length); got != want || PseudoSum(p.Src(), p.Dst(), proto, length) != want {
			t.Errorf("PseudoSum of IPv6 is %#x, want %#x", got, want)
		}
	}
	for _, n := range []int{2, 4, 16} { // the length of the field that is updated
		if len(b) < n {
			break
		}
		at := int(b[0]) % (len(b)/2 - n/2 + 1) * 2
		g := bytes.Clone(b)
		for i := range n {
			g[at+i] = b[0] - b[at+i]
		}
		if bytes.Count(g, []byte{0}) == len(g) {
			continue // the one sum that has two zeros to choose from
		}
		was, is, got := b[at:at+n], g[at:at+n], Checksum(b, 0)
		switch n {
		case 2:
			got = UpdateChecksum(got, be.Uint16(was), be.Uint16(is))
		case 4:
			got = UpdateChecksum32(got, be.Uint32(was), be.Uint32(is))
		default:
			got = UpdateChecksumBytes(got, was, is)
		}
		if want := Checksum(g, 0); got != want {
			t.Errorf("updated for %x instead of %x at %d: %#x, want %#x: %x", is, was, at, got, want, b)
		}
	}
}
