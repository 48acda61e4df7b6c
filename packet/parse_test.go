// Parse: the seed's row, statuses one by one, offsets for any input, no panics.

package packet

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// udpFrame is a frame by PutUDP.
func udpFrame(t testing.TB, src, dst string, vlans [2]VLAN, payload []byte) []byte {
	t.Helper()
	b := make([]byte, 2048)
	n, err := PutUDP(b, &UDPSpec{
		DstMAC: MAC{2, 0, 0, 0, 0, 1}, SrcMAC: MAC{2, 0, 0, 0, 0, 2}, VLANs: vlans,
		Src: netip.MustParseAddrPort(src), Dst: netip.MustParseAddrPort(dst),
	}, payload)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n:n]
}

// Seed row: the packet module: Ethernet, VLAN, IPv4/IPv6, TCP/UDP offsets, ports,
// flags, flow hash. The frames are written out by hand, as a reference that shares
// nothing with the builders.
func TestSeedPacketModule(t *testing.T) {
	const (
		macs = "020000000001" + "020000000002"
		tcp  = "303900500000000100000002" + "6012" + "ffff00000000" + "020405b4" + "68690a" // SYN ACK, MSS
		udp  = "14e900350000000a" + "6869"                                                  // no, length set below
		v4   = "4500" + "002f" + "0001" + "4000" + "4006" + "0000" + "0a000001" + "0a000002"
		v6   = "60000000" + "000a" + "11" + "40" + "fd000000000000000000000000000001" + "fd000000000000000000000000000002"
	)
	udpOK := "14e90035" + "000a" + "0000" + "6869"
	for _, c := range []struct {
		name, frame string
		want        Headers
	}{
		{"ethernet ARP", macs + "0806" + strings.Repeat("00", 28),
			Headers{L3: 14, L4: 14, Payload: 14, End: 42, EtherType: EtherTypeARP, Layer: LayerLink}},
		{"802.3", macs + "0003" + "424203" + "0000000000",
			Headers{L3: 14, L4: 14, Payload: 14, End: 17, Layer: LayerLink}},
		{"IPv4 TCP", macs + "0800" + v4 + tcp + "0000", // two bytes of padding
			Headers{L3: 14, L4: 34, Payload: 58, End: 61, EtherType: EtherTypeIPv4, IPVersion: 4, Protocol: ProtoTCP,
				SrcPort: 12345, DstPort: 80, TCPFlags: SYN | ACK, Layer: LayerTransport}},
		{"VLAN IPv4 TCP", macs + "8100" + "6064" + "0800" + v4 + tcp,
			Headers{L3: 18, L4: 38, Payload: 62, End: 65, EtherType: EtherTypeIPv4, IPVersion: 4, Protocol: ProtoTCP,
				SrcPort: 12345, DstPort: 80, TCPFlags: SYN | ACK, Layer: LayerTransport,
				NumVLANs: 1, VLANs: [2]VLAN{{0x8100, 0x6064}}}},
		{"QinQ IPv6 UDP", macs + "88a8" + "0005" + "8100" + "0007" + "86dd" + v6 + udpOK,
			Headers{L3: 22, L4: 62, Payload: 70, End: 72, EtherType: EtherTypeIPv6, IPVersion: 6, Protocol: ProtoUDP,
				SrcPort: 5353, DstPort: 53, Layer: LayerTransport,
				NumVLANs: 2, VLANs: [2]VLAN{{0x88a8, 5}, {0x8100, 7}}}},
		{"UDP length 0 after ports", macs + "86dd" + v6 + udp,
			Headers{L3: 14, L4: 54, Payload: 62, End: 64, EtherType: EtherTypeIPv6, IPVersion: 6, Protocol: ProtoUDP,
				SrcPort: 5353, DstPort: 53, Layer: LayerTransport}},
	} {
		frame, err := hex.DecodeString(c.frame)
		if err != nil {
			t.Fatal(c.name, err)
		}
		h := Parse(frame)
		if h != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, h, c.want)
		}
		if a, b := FlowHash(frame), h.FlowHash(frame); a != b || a == 0 {
			t.Errorf("%s: hash %08x, from Headers %08x", c.name, a, b)
		}
		if h.IPVersion != 0 {
			l3 := frame[h.L3:]
			if g := ParseIP(l3); g.L4 != h.L4-h.L3 || g.Payload != h.Payload-h.L3 || g.End != h.End-h.L3 ||
				g.SrcPort != h.SrcPort || g.EtherType != h.EtherType || g.FlowHash(l3) != h.FlowHash(frame) {
				t.Errorf("%s: ParseIP differs: %+v", c.name, g)
			}
		}
		if h.TCPFlags != 0 && h.TCPFlags.String() != "SYN|ACK" {
			t.Errorf("%s: flags %v", c.name, h.TCPFlags)
		}
	}
	if p := VLAN(VLAN{0x8100, 0x6064}); p.ID() != 100 || p.Priority() != 3 || p.DropEligible() || p != NewVLAN(100, 3) {
		t.Errorf("tag %+v: %d, %d, %v", p, p.ID(), p.Priority(), p.DropEligible())
	}
}

// checkOffsets is what holds for every input.
func checkOffsets(t *testing.T, frame []byte, h Headers) {
	t.Helper()
	if h.L3 > h.L4 || h.L4 > h.Payload || h.Payload > h.End || int(h.End) > len(frame) ||
		h.Status > TooDeep || h.Layer > LayerPayload || h.NumVLANs > MaxVLANs ||
		h.Status == OK && h.Layer == LayerPayload {
		t.Fatalf("%+v of %x", h, frame)
	}
}

// exercise calls everything that takes bytes. It reports offsets out of order;
// a panic ends the test by itself.
func exercise(t *testing.T, b []byte) {
	t.Helper()
	used := Headers{Status: TooDeep, VLANs: [2]VLAN{{1, 2}}, SrcPort: 9, L4: 99} // is to be overwritten
	reused := used
	used.Parse(b)
	reused.ParseIP(b)
	if used != Parse(b) || reused != ParseIP(b) {
		t.Fatalf("traces of earlier use: %+v, %+v", used, reused)
	}
	for _, h := range []Headers{used, reused} {
		checkOffsets(t, b, h)
		_, _ = h.Src(b), h.Dst(b)
		if h.IPVersion != 0 && (!h.Src(b).IsValid() || !h.Dst(b).IsValid()) {
			t.Fatalf("IP without addresses: %+v of %x", h, b)
		}
		h.FlowHash(b)
		h.SymmetricFlowHash(b)
		h.FlowHash(b[:len(b)/2]) // not the frame it is from: no promise but no panic
		views(b[h.L3:])
		views(b[h.L4:h.End])
	}
	views(b)
	if a, c := FlowHash(b), SymmetricFlowHash(b); len(b) < EthernetLen && (a != 0 || c != 0) {
		t.Fatalf("hash of %d bytes: %x, %x", len(b), a, c)
	}
	Checksum(b, 0)
}

// views calls every accessor of every view.
func views(b []byte) {
	e := Ethernet(b)
	e.Valid()
	_, _, _, _, _ = e.Dst(), e.Src(), e.TypeOrLength(), e.EtherType(), e.Payload()
	e.Length()
	for i := range MaxVLANs + 1 {
		e.VLAN(i - 1)
	}
	p := IPv4(b)
	_, _, _, _, _, _ = p.Valid(), p.HeaderLen(), p.TOS(), p.TotalLen(), p.ID(), p.DontFragment()
	_, _, _, _, _, _ = p.MoreFragments(), p.FragOffset(), p.TTL(), p.Protocol(), p.Checksum(), p.ChecksumOK()
	_, _, _, _, _ = p.Src(), p.Dst(), p.Options(), p.Payload(), p.PseudoSum(6, 0)
	q := IPv6(b)
	_, _, _, _, _, _ = q.Valid(), q.TrafficClass(), q.FlowLabel(), q.PayloadLen(), q.NextHeader(), q.HopLimit()
	_, _, _, _ = q.Src(), q.Dst(), q.Payload(), q.PseudoSum(6, 0)
	f := IPv6Fragment(b)
	_, _, _, _, _ = f.Valid(), f.NextHeader(), f.FragOffset(), f.MoreFragments(), f.ID()
	for _, typ := range []uint8{ProtoHopByHop, ProtoRouting, ProtoFragment, ProtoAH, ProtoDestOpts, ProtoTCP} {
		if _, n, s := SkipExtension(typ, b); s == OK && (n < 8 || n > len(b) || n > 2048) {
			panic("SkipExtension goes beyond the end")
		}
	}
	jumboLength(b)
	s := TCP(b)
	_, _, _, _, _, _ = s.Valid(), s.SrcPort(), s.DstPort(), s.Seq(), s.Ack(), s.HeaderLen()
	_, _, _, _, _, _ = s.Flags(), s.Window(), s.Checksum(), s.Urgent(), s.Options(), s.Payload()
	u := UDP(b)
	_, _, _, _, _, _ = u.Valid(), u.SrcPort(), u.DstPort(), u.Length(), u.Checksum(), u.Payload()
	m := ICMP(b)
	_, _, _, _, _, _, _ = m.Valid(), m.Type(), m.Code(), m.Checksum(), m.ID(), m.Seq(), m.Body()
}

func TestNeverPanics(t *testing.T) {
	r := newRand(t)
	for range 300 {
		f := genFrame(r)
		for n := 0; n <= len(f); n++ {
			exercise(t, f[:n:n])
			if len(f[:n]) > EthernetLen {
				exercise(t, f[EthernetLen:n:n])
			}
		}
		for range 20 {
			mutate(r, f)
			exercise(t, f)
		}
		exercise(t, randBytes(r, r.IntN(200)))
	}
	exercise(t, nil)
}

func TestStatuses(t *testing.T) {
	v4 := udpFrame(t, "10.0.0.1:1", "10.0.0.2:2", [2]VLAN{}, []byte("abcd"))
	v6 := udpFrame(t, "[fd00::1]:1", "[fd00::2]:2", [2]VLAN{}, []byte("abcd"))
	with := func(f []byte, at int, b ...byte) []byte {
		f = slices.Clone(f)
		copy(f[at:], b)
		return f
	}
	tags := func(n int) []byte {
		return slices.Concat(v4[:12], bytes.Repeat([]byte{0x81, 0, 0, 1}, n), v4[12:])
	}
	chain := func(n int, first, ext []byte) []byte {
		f := slices.Concat(v6[:54], bytes.Repeat(ext, n), v6[54:])
		be.PutUint16(f[18:], uint16(len(f)-54))
		copy(f[20:], first)
		return f
	}
	dest := append([]byte{ProtoDestOpts}, make([]byte, 7)...)
	for _, c := range []struct {
		name  string
		frame []byte
		s     Status
		l     Layer
		l4    uint32
	}{
		{"empty", nil, Truncated, LayerLink, 0},
		{"13 bytes", v4[:13], Truncated, LayerLink, 0},
		{"14 bytes", v4[:14], Truncated, LayerNetwork, 14},
		{"all", v4, OK, LayerTransport, 34},
		{"eight tags", tags(8), OK, LayerTransport, 34 + 32},
		{"nine tags", tags(9), TooDeep, LayerVLAN, 14 + 32},
		{"half a tag", tags(3)[:24], Truncated, LayerVLAN, 22},
		{"version 5", with(v4, 14, 0x55), Malformed, LayerNetwork, 14},
		{"IHL 4", with(v4, 14, 0x44), Malformed, LayerNetwork, 14},
		{"IHL over total", with(v4, 14, 0x4f, 0, 0, 59), Malformed, LayerNetwork, 14},
		{"options cut", with(v4, 14, 0x4f, 0, 0, 60)[:60-16], Truncated, LayerNetwork, 14},
		{"total ends in UDP", with(v4, 16, 0, 24), Truncated, LayerTransport, 34},
		{"total too large", with(v4, 16, 0, 200), Truncated, LayerPayload, 34},
		{"total 0", with(v4, 16, 0, 0), OK, LayerTransport, 34},
		{"GRE", with(v4, 23, ProtoGRE), OK, LayerNetwork, 34},
		{"UDP length 7", with(v4, 38, 0, 7), Malformed, LayerTransport, 34},
		{"UDP length over IP", with(v4, 38, 0, 13), Truncated, LayerPayload, 34},
		{"first fragment", with(with(v4, 38, 0, 200), 20, 0x20, 0), OK, LayerTransport, 34},
		{"later fragment", with(v4, 20, 0x20, 1), OK, LayerNetwork, 34},
		{"v6", v6, OK, LayerTransport, 54},
		{"v6 version", with(v6, 14, 0x40), Malformed, LayerNetwork, 14},
		{"v6 no next", with(v6, 18, 0, 0, ProtoNoNext), OK, LayerNetwork, 54},
		{"v6 16 extensions", with(chain(16, dest, dest), 54+15*8, ProtoUDP), OK, LayerTransport, 54 + 16*8},
		{"v6 17 extensions", with(chain(17, dest, dest), 54+16*8, ProtoUDP), TooDeep, LayerExtension, 54 + 16*8},
		{"v6 extension too long", with(chain(1, dest, dest), 54, ProtoUDP, 9), Truncated, LayerExtension, 54},
		{"v6 AH of 8 bytes", chain(1, []byte{ProtoAH}, dest), Malformed, LayerExtension, 54},
		{"v6 ESP", with(v6, 20, ProtoESP), OK, LayerNetwork, 54},
		{"TCP data offset", with(with(v4, 23, ProtoTCP), 16, 0, 0), Truncated, LayerTransport, 34},
	} {
		h := Parse(c.frame)
		checkOffsets(t, c.frame, h)
		if h.Status != c.s || h.Layer != c.l || h.L4 != c.l4 {
			t.Errorf("%s: %v at %v, L4 %d; want %v at %v, %d", c.name, h.Status, h.Layer, h.L4, c.s, c.l, c.l4)
		}
	}
	if h := ParseIP(nil); h.Status != Truncated || h.Layer != LayerNetwork {
		t.Errorf("ParseIP of nothing: %+v", h)
	}
	if h := ParseIP([]byte{0x50}); h.Status != Malformed || h.Layer != LayerNetwork {
		t.Errorf("ParseIP of version 5: %+v", h)
	}
}

// A jumbogram (RFC 2675), longer than 16 bits can say.
func TestJumbo(t *testing.T) {
	const n = 100_000
	udp := make([]byte, n)
	copy(udp, []byte{0, 1, 0, 2, 0, 0, 0, 0})
	build := func(jumbo uint32) []byte {
		f := append(make([]byte, 12), 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, ProtoHopByHop, 64)
		f = append(f, make([]byte, 32)...)
		f = append(f, ProtoUDP, 0, 0xc2, 4)
		f = be.AppendUint32(f, jumbo)
		return append(f, udp...)
	}
	for _, c := range []struct {
		jumbo uint32
		s     Status
		l     Layer
		end   int
	}{
		{n + 8, OK, LayerTransport, 62 + n},
		{n - 92, OK, LayerTransport, 62 + n - 100},
		{n + 9, Truncated, LayerPayload, 62 + n},
		{0xffffffff, Truncated, LayerPayload, 62 + n},
		{65535, Malformed, LayerExtension, 62 + n},
		{0, OK, LayerTransport, 62 + n},
	} {
		f := build(c.jumbo)
		h := Parse(f)
		checkOffsets(t, f, h)
		if h.Status != c.s || h.Layer != c.l || int(h.End) != c.end {
			t.Errorf("jumbo length %d: %v at %v, end %d; want %v at %v, %d", c.jumbo, h.Status, h.Layer, h.End, c.s, c.l, c.end)
		}
	}
	// Beyond MaxFrame nothing is looked at.
	long := append(append(make([]byte, 12), 0x08, 0x06), make([]byte, MaxFrame)...)
	for _, n := range []int{MaxFrame - 1, MaxFrame, MaxFrame + 1} {
		if h := Parse(long[:n]); int(h.End) != min(n, MaxFrame) || h.Status != OK {
			t.Errorf("frame of %d bytes: %+v", n, h)
		}
	}
	// Length 0 and no next header: there is no payload, only padding.
	none := append(append(make([]byte, 12), 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, ProtoNoNext, 64), make([]byte, 40)...)
	if h := Parse(none); h.Status != OK || h.Payload != 54 || h.End != 54 {
		t.Errorf("no next header: %+v", h)
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		OK.String(): "ok", TooDeep.String(): "too deep", Status(9).String(): "unknown",
		LayerLink.String(): "link", LayerPayload.String(): "payload", Layer(9).String(): "unknown",
		TCPFlags(0).String(): "none", (FIN | AE).String(): "FIN|AE",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !(SYN | ACK).Has(ACK) || SYN.Has(SYN|ACK) {
		t.Error("Has")
	}
}
