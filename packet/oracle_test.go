// Parse and the views against the decoders of gopacket, layer by layer.

package packet

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket/layers"
)

type feedback struct{ truncated bool }

func (f *feedback) SetTruncated() { f.truncated = true }

// checker compares one frame; gopacket decodes each layer, the checker follows.
type checker struct {
	t     *testing.T
	frame []byte
	h     Headers
	bad   bool
	depth map[string]int // how many layers of each kind were compared
}

func eq[T comparable](c *checker, what string, got, want T) {
	if got != want {
		c.bad = true
		c.t.Errorf("%s: %v, gopacket %v", what, got, want)
	}
}

func (c *checker) stopped(s Status, l Layer) {
	eq(c, "status", c.h.Status, s)
	eq(c, "layer", c.h.Layer, l)
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a
}

// run compares all of the frame.
func (c *checker) run() {
	h := &c.h
	var (
		fb  feedback
		eth layers.Ethernet
	)
	view := Ethernet(c.frame)
	if err := eth.DecodeFromBytes(c.frame, &fb); err != nil {
		c.stopped(Truncated, LayerLink)
		eq(c, "valid", view.Valid(), false)
		return
	}
	c.depth["ethernet"]++
	eq(c, "src MAC", view.Src().String(), eth.SrcMAC.String())
	eq(c, "dst MAC", view.Dst().String(), eth.DstMAC.String())
	typ, rest, llc := uint16(eth.EthernetType), eth.Payload, eth.EthernetType == layers.EthernetTypeLLC
	n := 0
	for !llc && IsTPID(typ) {
		var tag layers.Dot1Q
		if err := tag.DecodeFromBytes(rest, &fb); err != nil {
			c.stopped(Truncated, LayerVLAN)
			eq(c, "tags", int(h.NumVLANs), n)
			return
		}
		if n == MaxVLANs {
			c.stopped(TooDeep, LayerVLAN)
			return
		}
		v, ok := view.VLAN(n)
		eq(c, "tag is there", ok, true)
		eq(c, "tag type", v.TPID, typ)
		eq(c, "tag id", v.ID(), tag.VLANIdentifier)
		eq(c, "tag priority", v.Priority(), tag.Priority)
		eq(c, "tag drop eligible", v.DropEligible(), tag.DropEligible)
		if n < 2 {
			eq(c, "tag in Headers", h.VLANs[n], v)
		}
		typ, rest, llc = uint16(tag.Type), tag.Payload, tag.Type < 0x600
		n++
		c.depth["vlan"]++
	}
	l3 := EthernetLen + n*VLANLen
	eq(c, "tags", int(h.NumVLANs), n)
	eq(c, "tags in view", view.VLANs(), n)
	eq(c, "L3", int(h.L3), l3)
	eq(c, "link payload", bytes.Equal(view.Payload(), rest), true)
	if llc {
		_, isLen := view.Length()
		eq(c, "802.3", isLen, true)
		eq(c, "EtherType", h.EtherType, 0)
		eq(c, "End", int(h.End), l3+len(rest))
		eq(c, "truncated", h.Status == Truncated, fb.truncated)
		c.depth["llc"]++
		return
	}
	eq(c, "EtherType", h.EtherType, typ)
	eq(c, "EtherType in view", view.EtherType(), typ)
	switch typ {
	case EtherTypeIPv4:
		c.ipv4(rest, l3)
	case EtherTypeIPv6:
		c.ipv6(rest, l3)
	default:
		eq(c, "status", h.Status, OK)
		eq(c, "End", int(h.End), len(c.frame))
	}
}

func (c *checker) ipv4(b []byte, l3 int) {
	var (
		fb feedback
		ip layers.IPv4
		h  = &c.h
		v  = IPv4(b)
	)
	if len(b) >= IPv4Len && b[0]>>4 != 4 { // gopacket doesn't look at the version
		c.stopped(Malformed, LayerNetwork)
		return
	}
	err := ip.DecodeFromBytes(b, &fb)
	if err != nil && ip.SrcIP == nil && h.IPVersion == 4 && h.Status == OK && v.HeaderLen() > IPv4Len {
		return // options that gopacket can't read; here nobody looks at them
	}
	if err != nil {
		if len(v.Options()) > 0 {
			return // the same, with something else behind it
		}
		if len(b) >= IPv4Len && v.TotalLen() == 0 && v.HeaderLen() > len(b) {
			fb.truncated = true // gopacket measures by the length that it invented
		}
		eq(c, "layer", h.Layer, LayerNetwork)
		eq(c, "truncated", h.Status == Truncated, fb.truncated)
		eq(c, "failed", h.Status != OK, true)
		eq(c, "valid", v.Valid(), false)
		return
	}
	c.depth["ipv4"]++
	end := l3 + len(ip.Contents) + len(ip.Payload)
	eq(c, "version", h.IPVersion, 4)
	eq(c, "valid", v.Valid(), true)
	eq(c, "header length", v.HeaderLen(), int(ip.IHL)*4)
	eq(c, "TOS", v.TOS(), ip.TOS)
	if v.TotalLen() != 0 { // gopacket invents one
		eq(c, "total length", v.TotalLen(), int(ip.Length))
	}
	eq(c, "ID", v.ID(), ip.Id)
	eq(c, "DF", v.DontFragment(), ip.Flags&layers.IPv4DontFragment != 0)
	eq(c, "MF", v.MoreFragments(), ip.Flags&layers.IPv4MoreFragments != 0)
	eq(c, "fragment offset", v.FragOffset(), int(ip.FragOffset)*8)
	eq(c, "TTL", v.TTL(), ip.TTL)
	eq(c, "protocol", v.Protocol(), uint8(ip.Protocol))
	eq(c, "checksum", v.Checksum(), ip.Checksum)
	eq(c, "src", v.Src(), addr(ip.SrcIP))
	eq(c, "dst", v.Dst(), addr(ip.DstIP))
	eq(c, "Headers.Src", h.Src(c.frame), addr(ip.SrcIP))
	eq(c, "Headers.Dst", h.Dst(c.frame), addr(ip.DstIP))
	eq(c, "options", bytes.Equal(v.Options(), ip.Contents[20:]), true)
	eq(c, "payload", bytes.Equal(v.Payload(), ip.Payload), true)
	_, sum := ip.VerifyChecksum()
	eq(c, "checksum is right", v.ChecksumOK(), sum.Valid)
	eq(c, "Headers.FragOffset", h.FragOffset, ip.FragOffset*8)
	eq(c, "Headers.MoreFragments", h.MoreFragments, v.MoreFragments())

	proto, l4, rest := uint8(ip.Protocol), l3+len(ip.Contents), ip.Payload
	below := LayerNetwork
	if ip.FragOffset == 0 {
		proto, l4, rest, below = c.extensions(proto, l4, rest, below, func(p uint8) bool { return p == ProtoAH })
		if below == LayerPayload {
			return
		}
	}
	c.transport(proto, l4, end, rest, below, ip.FragOffset != 0, fb.truncated)
}

func (c *checker) ipv6(b []byte, l3 int) {
	var (
		fb feedback
		ip layers.IPv6
		h  = &c.h
		v  = IPv6(b)
	)
	if len(b) >= IPv6Len && b[0]>>4 != 6 {
		c.stopped(Malformed, LayerNetwork)
		return
	}
	if len(b) >= IPv6Len && v.PayloadLen() == 0 {
		return // jumbograms have a test of their own
	}
	err := ip.DecodeFromBytes(b, &fb)
	if len(b) < IPv6Len {
		eq(c, "gopacket fails too", err != nil, true)
		c.stopped(Truncated, LayerNetwork)
		eq(c, "valid", v.Valid(), false)
		return
	}
	// An error from here on is one of the hop-by-hop header, walked below again.
	c.depth["ipv6"]++
	eq(c, "version", h.IPVersion, 6)
	eq(c, "valid", v.Valid(), true)
	eq(c, "traffic class", v.TrafficClass(), ip.TrafficClass)
	eq(c, "flow label", v.FlowLabel(), ip.FlowLabel)
	eq(c, "payload length", v.PayloadLen(), int(ip.Length))
	eq(c, "next header", v.NextHeader(), uint8(ip.NextHeader))
	eq(c, "hop limit", v.HopLimit(), ip.HopLimit)
	eq(c, "src", v.Src(), addr(ip.SrcIP))
	eq(c, "dst", v.Dst(), addr(ip.DstIP))
	eq(c, "Headers.Src", h.Src(c.frame), addr(ip.SrcIP))
	eq(c, "Headers.Dst", h.Dst(c.frame), addr(ip.DstIP))
	rest := v.Payload()
	if ip.HopByHop == nil && err == nil {
		eq(c, "payload", bytes.Equal(rest, ip.Payload), true)
	}
	l4 := l3 + IPv6Len
	end := l4 + len(rest)
	next, l4, rest, below := c.extensions(uint8(ip.NextHeader), l4, rest, LayerNetwork, IsExtension)
	if below == LayerPayload {
		return
	}
	c.transport(next, l4, end, rest, below, h.FragOffset != 0, fb.truncated)
}

// extensions follows the chain with gopacket's decoders; it gives LayerPayload if
// it broke off.
func (c *checker) extensions(next uint8, l4 int, rest []byte, below Layer, walk func(uint8) bool) (uint8, int, []byte, Layer) {
	more := c.h.IPVersion == 4 && c.h.MoreFragments
	fragOffset := 0
	for n := 0; walk(next); n++ {
		if n == MaxExtensions {
			c.stopped(TooDeep, LayerExtension)
			return 0, 0, nil, LayerPayload
		}
		var (
			fb     feedback
			err    error
			length int
			after  uint8
			offset int
		)
		switch next {
		case ProtoFragment:
			var f layers.IPv6Fragment
			err = f.DecodeFromBytes(rest, &fb)
			after, length, offset = uint8(f.NextHeader), 8, int(f.FragmentOffset)*8
			if err == nil {
				v := IPv6Fragment(rest)
				eq(c, "fragment offset", v.FragOffset(), offset)
				eq(c, "fragment more", v.MoreFragments(), f.MoreFragments)
				eq(c, "fragment ID", v.ID(), f.Identification)
				eq(c, "fragment next", v.NextHeader(), after)
				more = more || f.MoreFragments
				c.depth["fragment"]++
			}
		case ProtoAH:
			var a layers.IPSecAH
			err = a.DecodeFromBytes(rest, &fb)
			after, length = uint8(a.NextHeader), a.ActualLength
			c.depth["ah"]++
		default:
			var s layers.IPv6ExtensionSkipper
			err = s.DecodeFromBytes(rest, &fb)
			after, length = uint8(s.NextHeader), len(s.Contents)
			c.depth["extension"]++
		}
		if err != nil {
			eq(c, "layer", c.h.Layer, LayerExtension)
			eq(c, "failed", c.h.Status == Truncated || c.h.Status == Malformed && next == ProtoAH, true)
			eq(c, "L4", int(c.h.L4), l4)
			return 0, 0, nil, LayerPayload
		}
		next, l4, rest, below = after, l4+length, rest[length:], LayerExtension
		if fragOffset = offset; offset != 0 {
			break
		}
	}
	eq(c, "Headers.FragOffset", int(c.h.FragOffset), fragOffset)
	eq(c, "Headers.MoreFragments", c.h.MoreFragments, more)
	return next, l4, rest, below
}

func (c *checker) transport(proto uint8, l4, end int, b []byte, below Layer, later, missing bool) {
	var (
		fb      feedback
		err     error
		h       = &c.h
		length  int
		known   = !later
		src     uint16
		dst     uint16
		flags   TCPFlags
		optsErr bool
	)
	eq(c, "protocol", h.Protocol, proto)
	eq(c, "L4", int(h.L4), l4)
	if later {
		proto = ProtoNoNext
	}
	switch proto {
	case ProtoTCP:
		var tcp layers.TCP
		err = tcp.DecodeFromBytes(b, &fb)
		v := TCP(b)
		optsErr = err != nil && v.Valid() // options that gopacket can't read
		length = int(tcp.DataOffset) * 4
		if len(b) < TCPLen {
			break
		}
		src, dst = uint16(tcp.SrcPort), uint16(tcp.DstPort)
		for i, on := range []bool{tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK, tcp.URG, tcp.ECE, tcp.CWR, tcp.NS} {
			if on {
				flags |= 1 << i
			}
		}
		eq(c, "flags in view", v.Flags(), flags)
		eq(c, "src port in view", v.SrcPort(), src)
		eq(c, "dst port in view", v.DstPort(), dst)
		eq(c, "seq", v.Seq(), tcp.Seq)
		eq(c, "ack", v.Ack(), tcp.Ack)
		eq(c, "window", v.Window(), tcp.Window)
		eq(c, "checksum", v.Checksum(), tcp.Checksum)
		eq(c, "urgent", v.Urgent(), tcp.Urgent)
		eq(c, "data offset", v.HeaderLen(), length)
		if err == nil {
			eq(c, "options", bytes.Equal(v.Options(), tcp.Contents[TCPLen:]), true)
			eq(c, "data", bytes.Equal(v.Payload(), tcp.Payload), true)
			c.depth["tcp"]++
		}
	case ProtoUDP:
		var udp layers.UDP
		err = udp.DecodeFromBytes(b, &fb)
		length = UDPLen
		if len(b) < UDPLen {
			break
		}
		v := UDP(b)
		src, dst = uint16(udp.SrcPort), uint16(udp.DstPort)
		eq(c, "src port in view", v.SrcPort(), src)
		eq(c, "dst port in view", v.DstPort(), dst)
		eq(c, "length", v.Length(), int(udp.Length))
		eq(c, "checksum", v.Checksum(), udp.Checksum)
		eq(c, "data", bytes.Equal(v.Payload(), udp.Payload), true)
		eq(c, "valid", v.Valid(), err == nil)
		if err == nil {
			end = l4 + UDPLen + len(udp.Payload)
			missing = missing || fb.truncated && !h.MoreFragments
			c.depth["udp"]++
		}
	case ProtoSCTP:
		var sctp layers.SCTP
		err = sctp.DecodeFromBytes(b, &fb)
		length, src, dst = SCTPLen, uint16(sctp.SrcPort), uint16(sctp.DstPort)
		fb.truncated = err != nil // the only error there is, but gopacket doesn't tell
		c.depth["sctp"]++
	case ProtoICMP:
		var m layers.ICMPv4
		err = m.DecodeFromBytes(b, &fb)
		if length = ICMPLen; err == nil {
			v := ICMP(b)
			eq(c, "type and code", uint16(v.Type())<<8|uint16(v.Code()), uint16(m.TypeCode))
			eq(c, "checksum", v.Checksum(), m.Checksum)
			eq(c, "id", v.ID(), m.Id)
			eq(c, "seq", v.Seq(), m.Seq)
			c.depth["icmp"]++
		}
	case ProtoICMPv6:
		var m layers.ICMPv6
		err = m.DecodeFromBytes(b, &fb)
		if length = ICMPv6Len; err == nil {
			v := ICMP(b)
			eq(c, "type and code", uint16(v.Type())<<8|uint16(v.Code()), uint16(m.TypeCode))
			eq(c, "checksum", v.Checksum(), m.Checksum)
			eq(c, "body", bytes.Equal(v.Body(), m.Payload), true)
			c.depth["icmpv6"]++
		}
	default:
		known = false
	}
	eq(c, "src port", h.SrcPort, src)
	eq(c, "dst port", h.DstPort, dst)
	eq(c, "Headers.TCPFlags", h.TCPFlags, flags)
	if err != nil && !optsErr {
		eq(c, "layer", h.Layer, LayerTransport)
		eq(c, "truncated", h.Status == Truncated, fb.truncated)
		eq(c, "failed", h.Status != OK, true)
		eq(c, "Payload", int(h.Payload), l4)
		return
	}
	if known {
		below = LayerTransport
	}
	eq(c, "HasTransport", h.HasTransport(), known)
	eq(c, "Payload", int(h.Payload), l4+length)
	eq(c, "End", int(h.End), end)
	if missing {
		c.stopped(Truncated, LayerPayload)
	} else {
		c.stopped(OK, below)
	}
}

func checkFrame(t *testing.T, frame []byte, depth map[string]int) bool {
	t.Helper()
	c := checker{t: t, frame: frame, h: Parse(frame), depth: depth}
	c.run()
	if c.bad {
		t.Errorf("frame %x\n%+v", frame, c.h)
	}
	return !c.bad
}

// Whole frames, each of their prefixes, and damaged ones.
func TestAgainstGopacket(t *testing.T) {
	r := newRand(t)
	depth := map[string]int{}
	for range 1500 {
		f := genFrame(r)
		if !checkFrame(t, f, depth) {
			return
		}
		for n := range f {
			if !checkFrame(t, f[:n:n], depth) {
				return
			}
		}
		for range 20 {
			g := bytes.Clone(f)
			mutate(r, g)
			if !checkFrame(t, g, depth) {
				return
			}
		}
	}
	t.Log("layers compared:", depth)
	for _, k := range []string{"ethernet", "vlan", "llc", "ipv4", "ipv6", "fragment", "ah", "extension", "tcp", "udp", "sctp", "icmp", "icmpv6"} {
		if depth[k] < 100 {
			t.Errorf("only %d layers of kind %s were compared", depth[k], k)
		}
	}
}
