// PutUDP against gopacket, which must write the same bytes.

package packet

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func TestPutUDP(t *testing.T) {
	r := newRand(t)
	for range 1000 {
		v6 := r.IntN(2) == 1
		address := func() netip.AddrPort {
			a, _ := netip.AddrFromSlice(randBytes(r, 4))
			if v6 {
				a, _ = netip.AddrFromSlice(randBytes(r, 16))
			}
			return netip.AddrPortFrom(a, uint16(r.Uint32()))
		}
		s := UDPSpec{
			DstMAC: MACFromUint64(r.Uint64()), SrcMAC: MACFromUint64(r.Uint64()),
			Src: address(), Dst: address(), TOS: uint8(r.Uint32()), TTL: uint8(r.Uint32()),
			ID: uint16(r.Uint32()), FlowLabel: r.Uint32(),
		}
		for i := range r.IntN(3) {
			s.VLANs[i] = VLAN{TPID: pick(r, EtherTypeVLAN, EtherTypeQinQ), TCI: uint16(r.Uint32())}
		}
		payload := randBytes(r, r.IntN(200))
		want := gopacketUDP(t, &s, payload)
		want = want[:min(len(want), s.HeaderLen()+len(payload))] // without its padding

		dst := bytes.Repeat([]byte{0xee}, 512) // not zero: all must be written
		n, err := PutUDP(dst, &s, payload)
		if err != nil || !bytes.Equal(dst[:n], want) || s.HeaderLen()+len(payload) != n {
			t.Fatalf("%+v: %v\n got %x\nwant %x", s, err, dst[:n], want)
		}
		if dst[n] != 0xee {
			t.Fatal("wrote beyond the frame")
		}
		if h := Parse(dst[:n]); h.Status != OK || h.Src(dst) != s.Src.Addr() || h.Dst(dst) != s.Dst.Addr() ||
			h.SrcPort != s.Src.Port() || h.DstPort != s.Dst.Port() || h.VLANs != s.VLANs ||
			!bytes.Equal(dst[h.Payload:h.End], payload) {
			t.Fatalf("%+v of %+v", h, s)
		}
		// The payload at its place already, and in the way of the headers.
		for _, at := range []int{s.HeaderLen(), 0, 5} {
			copy(dst[at:], payload)
			if n, err := PutUDP(dst, &s, dst[at:at+len(payload)]); err != nil || !bytes.Equal(dst[:n], want) {
				t.Fatalf("payload at %d: %v", at, err)
			}
		}
	}
}

// gopacketUDP is the frame by gopacket.
func gopacketUDP(t *testing.T, s *UDPSpec, payload []byte) []byte {
	t.Helper()
	typ := func(x uint16) layers.EthernetType { return layers.EthernetType(x) }
	ipType, ttl := EtherTypeIPv4, s.TTL
	if s.Src.Addr().Is6() {
		ipType = EtherTypeIPv6
	}
	if ttl == 0 {
		ttl = 64
	}
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr(s.SrcMAC[:]), DstMAC: net.HardwareAddr(s.DstMAC[:]), EthernetType: typ(ipType)}
	stack := []gopacket.SerializableLayer{eth}
	last := &eth.EthernetType
	for _, v := range s.VLANs {
		if v.TPID != 0 {
			tag := &layers.Dot1Q{Priority: v.Priority(), DropEligible: v.DropEligible(), VLANIdentifier: v.ID(), Type: typ(ipType)}
			*last = typ(v.TPID)
			last = &tag.Type
			stack = append(stack, tag)
		}
	}
	udp := &layers.UDP{SrcPort: layers.UDPPort(s.Src.Port()), DstPort: layers.UDPPort(s.Dst.Port())}
	if ipType == EtherTypeIPv4 {
		ip := &layers.IPv4{Version: 4, TOS: s.TOS, Id: s.ID, TTL: ttl, Protocol: layers.IPProtocolUDP,
			SrcIP: s.Src.Addr().AsSlice(), DstIP: s.Dst.Addr().AsSlice()}
		_ = udp.SetNetworkLayerForChecksum(ip)
		stack = append(stack, ip)
	} else {
		ip := &layers.IPv6{Version: 6, TrafficClass: s.TOS, FlowLabel: s.FlowLabel & 0xfffff, HopLimit: ttl, NextHeader: layers.IPProtocolUDP,
			SrcIP: s.Src.Addr().AsSlice(), DstIP: s.Dst.Addr().AsSlice()}
		_ = udp.SetNetworkLayerForChecksum(ip)
		stack = append(stack, ip)
	}
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		append(stack, udp, gopacket.Payload(payload))...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPutUDPErrors(t *testing.T) {
	v4, v6 := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("[fd00::1]:1")
	zone := netip.MustParseAddrPort("[fe80::1%eth0]:1")
	buf := make([]byte, 1<<17)
	for _, c := range []struct {
		name     string
		src, dst netip.AddrPort
		room, n  int
		want     error
	}{
		{"fits", v4, v4, 42, 0, nil},
		{"short", v4, v4, 41, 0, ErrShort},
		{"short v6", v6, v6, 61, 0, ErrShort},
		{"mixed", v4, v6, 100, 0, ErrAddress},
		{"none", netip.AddrPort{}, netip.AddrPort{}, 100, 0, ErrAddress},
		{"zone", v6, zone, 100, 0, ErrAddress},
		{"longest v4", v4, v4, 1 << 17, MaxUDPPayload - IPv4Len, nil},
		{"too long v4", v4, v4, 1 << 17, MaxUDPPayload - IPv4Len + 1, ErrPayload},
		{"longest v6", v6, v6, 1 << 17, MaxUDPPayload, nil},
		{"too long v6", v6, v6, 1 << 17, MaxUDPPayload + 1, ErrPayload},
	} {
		clear(buf)
		n, err := PutUDP(buf[:c.room], &UDPSpec{Src: c.src, Dst: c.dst, SrcMAC: Broadcast}, make([]byte, c.n))
		if !errors.Is(err, c.want) || (err == nil) != (n > 0) {
			t.Errorf("%s: %d, %v", c.name, n, err)
		}
		if h := Parse(buf[:n]); err == nil && h.Status != OK {
			t.Errorf("%s: %+v", c.name, h)
		}
		if err != nil && buf[6] != 0 {
			t.Errorf("%s: wrote in spite of the error", c.name)
		}
	}
}

// A checksum that comes out as 0 is sent as 0xffff (RFC 768).
func TestPutUDPZeroChecksum(t *testing.T) {
	s := UDPSpec{Src: netip.MustParseAddrPort("10.0.0.1:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2")}
	var b [64]byte
	if _, err := PutUDP(b[:], &s, []byte{0, 0}); err != nil {
		t.Fatal(err)
	}
	// With the checksum itself as payload, the rest sums up to 0xffff.
	n, err := PutUDP(b[:], &s, []byte{b[40], b[41]})
	if err != nil || be.Uint16(b[40:]) != 0xffff {
		t.Errorf("%v, frame %x", err, b[:n])
	}
}
