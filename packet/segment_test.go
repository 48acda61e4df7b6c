// Segments against the letter of the RFCs, against gopacket, and against what they were cut from.

package packet

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/ringway-net/ringway/internal/testkit"
)

// large is a frame to be cut, taken apart.
type large struct {
	link    []byte
	v6      bool
	exts    []byte // IPv6 extension headers or IPv4 options
	first   uint8  // the type of the first extension header
	final   []byte // the destination in the pseudo header, if not that of IPv6's own
	tcp     bool
	options []byte // TCP's
	flags   TCPFlags
	seq     uint32
	id      uint16
	frag    uint16 // IPv4's field of flags and offset
	payload []byte
	padding []byte
	bigTCP  bool // IP's length field is 0
}

func (l *large) kind() SegmentKind {
	switch {
	case !l.tcp:
		return SegmentUDP
	case l.v6:
		return SegmentTCP6
	}
	return SegmentTCP4
}

func (l *large) proto() uint8 {
	if l.tcp {
		return ProtoTCP
	}
	return ProtoUDP
}

// bytes puts the frame together; its checksums are not right.
func (l *large) bytes() []byte {
	var t []byte
	if l.tcp {
		t = []byte{0x30, 0x39, 0, 80, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0xab, 0xcd, 0x11, 0x22, 0, 9}
		be.PutUint32(t[4:], l.seq)
		be.PutUint16(t[12:], uint16(5+len(l.options)/4)<<12|uint16(l.flags))
		t = append(t, l.options...)
	} else {
		t = []byte{0x30, 0x39, 0, 80, 0, 0, 0x11, 0x22}
		be.PutUint16(t[4:], uint16(len(t)+len(l.payload)))
	}
	t = append(t, l.payload...)
	var ip []byte
	if l.v6 {
		ip = append([]byte{0x6a, 0xbc, 0xde, 0xf1, 0, 0, l.first, 63}, make([]byte, 32)...)
		for i := range 32 {
			ip[8+i] = byte(0xf0 + i)
		}
		ip = append(ip, l.exts...)
		if n := len(ip) - IPv6Len + len(t); !l.bigTCP {
			be.PutUint16(ip[4:], uint16(n))
		}
	} else {
		ip = []byte{0x45 + byte(len(l.exts)/4), 0xb8, 0, 0, 0, 0, 0, 0, 63, l.proto(), 0x11, 0x22, 10, 1, 2, 3, 192, 168, 255, 254}
		be.PutUint16(ip[4:], l.id)
		be.PutUint16(ip[6:], l.frag)
		ip = append(ip, l.exts...)
		if !l.bigTCP {
			be.PutUint16(ip[2:], uint16(len(ip)+len(t)))
		}
	}
	return slices.Concat(l.link, ip, t, l.padding)
}

// genLarge is a large frame of any shape that can be cut.
func genLarge(r *rand.Rand) *large {
	l := &large{
		tcp: r.IntN(2) == 0, v6: r.IntN(2) == 0, seq: r.Uint32(), id: uint16(r.Uint32()), frag: pick[uint16](r, 0, 0x4000, 0x8000),
		flags: TCPFlags(r.IntN(512)), payload: randBytes(r, pick(r, 0, 1, r.IntN(100), r.IntN(4000), r.IntN(64000))),
	}
	typ := EtherTypeIPv4
	if l.v6 {
		typ = EtherTypeIPv6
	}
	if r.IntN(4) != 0 { // else as from a TUN device
		l.link = randBytes(r, 12)
		for range r.IntN(3) {
			l.link = be.AppendUint16(l.link, EtherTypeVLAN)
			l.link = be.AppendUint16(l.link, uint16(r.Uint32()))
		}
		l.link = be.AppendUint16(l.link, typ)
	}
	l.options = bytes.Repeat([]byte{1}, 4*pick(r, 0, 3, r.IntN(11)))
	l.first = l.proto()
	if !l.v6 {
		l.exts = bytes.Repeat([]byte{1}, 4*pick(r, 0, 0, r.IntN(11)))
	} else if r.IntN(2) == 0 {
		for range r.IntN(4) { // from the last to the first
			ext := make([]byte, 8*(1+r.IntN(3)))
			ext[0], ext[1] = l.first, uint8(len(ext)/8-1)
			l.first = pick(r, ProtoDestOpts, ProtoHopByHop, ProtoRouting)
			if l.first == ProtoRouting {
				switch r.IntN(4) {
				case 0: // no segments left
				case 1: // home address (RFC 6275)
					ext = append([]byte{ext[0], 2, 2, 1, 0, 0, 0, 0}, randBytes(r, 16)...)
					l.final = ext[8:24]
				case 2: // segment routing, with a TLV
					ext = append([]byte{ext[0], 5, 4, 1, 1, 0, 0, 0}, randBytes(r, 40)...)
					l.final = ext[8:24]
				case 3: // source routing
					ext = append([]byte{ext[0], 4, 0, 1, 0, 0, 0, 0}, randBytes(r, 32)...)
					l.final = ext[24:40]
				}
			}
			l.exts = append(ext, l.exts...)
		}
		l.final = finalOf(l.exts, l.first)
	}
	l.bigTCP = l.tcp && r.IntN(4) == 0
	if !l.bigTCP {
		l.padding = randBytes(r, pick(r, 0, r.IntN(10)))
	}
	return l
}

// finalOf is the last hop that the last routing header with segments left names.
func finalOf(exts []byte, typ uint8) (final []byte) {
	for len(exts) > 0 {
		n := 8 * (int(exts[1]) + 1)
		if typ == ProtoRouting && exts[3] != 0 {
			if final = exts[n-16 : n]; exts[2] == 4 {
				final = exts[8:24]
			}
		}
		typ, exts = exts[0], exts[n:]
	}
	return final
}

// cutUp gives all segments of frame, in an order that isn't theirs.
func cutUp(t testing.TB, s *Segmenter) [][]byte {
	t.Helper()
	all := make([][]byte, s.Count())
	dst := make([]byte, s.MaxLen()+8)
	longest := 0
	for k := range all {
		i := (k + len(all)/2) % len(all)
		for j := range dst {
			dst[j] = 0xee
		}
		n := s.Put(dst, i)
		if n != s.Len(i) || !bytes.Equal(dst[n:], bytes.Repeat([]byte{0xee}, len(dst)-n)) {
			t.Fatalf("segment %d: %d bytes, want %d; behind it %x", i, n, s.Len(i), dst[n:])
		}
		if m := s.Put(dst[:n-1], i); m != 0 {
			t.Fatalf("segment %d in %d bytes: %d", i, n-1, m)
		}
		all[i] = bytes.Clone(dst[:n])
		longest = max(longest, n)
	}
	if longest != s.MaxLen() {
		t.Fatalf("longest segment %d, want %d", longest, s.MaxLen())
	}
	for _, i := range []int{-1, len(all), len(all) + 1<<30} {
		if s.Put(dst, i) != 0 || s.Len(i) != 0 {
			t.Fatalf("segment %d of %d exists", i, len(all))
		}
	}
	return all
}

// checkSegments: what holds of all segments of a frame that could be cut, whatever it is: headers alike
// but for what must differ, checksums right by the letter, payloads that are the frame's.
func checkSegments(t testing.TB, frame []byte, l3 int, kind SegmentKind, size int, s *Segmenter) {
	t.Helper()
	var h Headers
	h.ParseIP(frame[l3:])
	payload := frame[l3+int(h.Payload) : l3+int(h.End)]
	if want := max(1, (len(payload)+size-1)/size); s.Count() != want {
		t.Fatalf("%d segments of %d bytes from %d, want %d", s.Count(), size, len(payload), want)
	}
	var got []byte
	all := cutUp(t, s)
	for i, g := range all {
		var sh Headers
		sh.ParseIP(g[l3:])
		if sh.Status != OK || sh.Layer != LayerTransport || int(sh.End) != len(g)-l3 || sh.IPVersion != h.IPVersion || sh.Protocol != h.Protocol {
			t.Fatalf("segment %d: %+v of %x", i, sh, g)
		}
		p := g[l3+int(sh.Payload):]
		if len(p) != size && i != len(all)-1 {
			t.Fatalf("segment %d has %d bytes of payload, want %d", i, len(p), size)
		}
		got = append(got, p...)

		// What is the same, once what differs is set to what the frame has.
		same := bytes.Clone(g[:l3+int(sh.Payload)])
		ip, st, lt := same[l3:], same[l3+int(sh.L4):], frame[l3+int(h.L4):]
		length := len(g) - l3 - int(sh.L4)
		dst := ip[16:20]
		src := ip[12:16]
		if sh.IPVersion == 4 {
			if want := be.Uint16(frame[l3+4:]) + uint16(i); be.Uint16(ip[4:]) != want {
				t.Errorf("segment %d: ID %d, want %d", i, be.Uint16(ip[4:]), want)
			}
			if !IPv4(ip).ChecksumOK() {
				t.Errorf("segment %d: header checksum of %x", i, ip)
			}
			if n := IPv4(ip).TotalLen(); n != len(g)-l3 {
				t.Errorf("segment %d: total length %d, want %d", i, n, len(g)-l3)
			}
		} else {
			if n := IPv6(ip).PayloadLen(); n != len(g)-l3-IPv6Len {
				t.Errorf("segment %d: payload length %d, want %d", i, n, len(g)-l3-IPv6Len)
			}
			src, dst = ip[8:24], ip[24:40]
			if final := finalOf(ip[IPv6Len:sh.L4], ip[6]); final != nil {
				dst = final
			}
		}
		pseudo := slices.Concat(src, dst, []byte{0, 0, byte(length >> 8), byte(length), 0, 0, 0, sh.Protocol})
		if sum := plainSum(g[l3+int(sh.L4):], plainSum(pseudo, 0)); sum != 0xffff {
			t.Errorf("segment %d: checksum off by %#x: %x", i, ^sum, g)
		}
		if sh.Protocol == ProtoTCP {
			if want := be.Uint32(lt[4:]) + uint32(i*size); TCP(st).Seq() != want {
				t.Errorf("segment %d: sequence number %d, want %d", i, TCP(st).Seq(), want)
			}
			flags := h.TCPFlags
			if i > 0 {
				flags &^= CWR
			}
			if i < len(all)-1 {
				flags &^= FIN | PSH
			}
			if TCP(st).Flags() != flags {
				t.Errorf("segment %d: flags %v, want %v", i, TCP(st).Flags(), flags)
			}
			copy(st[4:8], lt[4:8])
			copy(st[12:14], lt[12:14])
			copy(st[16:18], lt[16:18])
		} else {
			if n := UDP(st).Length(); n != length || UDP(st).Checksum() == 0 {
				t.Errorf("segment %d: UDP length %d, want %d, checksum %#x", i, n, length, UDP(st).Checksum())
			}
			copy(st[4:8], lt[4:8])
		}
		want := frame[:l3+int(h.Payload)]
		if sh.IPVersion == 4 {
			copy(ip[2:6], frame[l3+2:])
			copy(ip[10:12], frame[l3+10:])
		} else {
			copy(ip[4:6], frame[l3+4:])
			if len(want) == len(same)+jumboLen { // the jumbo length was left out
				want = slices.Delete(bytes.Clone(want), l3+IPv6Len, l3+IPv6Len+jumboLen)
				want[l3+6] = frame[l3+IPv6Len]
			}
		}
		if !bytes.Equal(same, want) {
			t.Errorf("segment %d: headers\n got %x\nwant %x", i, same, want)
		}
	}
	if !bytes.Equal(got, payload) {
		t.Errorf("segments hold %d bytes that are not the %d of the frame", len(got), len(payload))
	}
}

func TestSegmenterRandom(t *testing.T) {
	r := testkit.Rand(t)
	var s Segmenter // one for all
	for range testkit.Scale(2000) {
		l := genLarge(r)
		frame := l.bytes()
		size := pick(r, 1448, 1, 1+r.IntN(100), 1+r.IntN(9000), 1<<30>>r.IntN(30), max(1, len(l.payload)))
		if len(l.payload) > 4000 {
			size = max(size, 100)
		}
		before := bytes.Clone(frame)
		if err := s.Reset(frame, len(l.link), l.kind(), size); err != nil {
			t.Fatalf("%v: %+v", err, l)
		}
		checkSegments(t, frame, len(l.link), l.kind(), size, &s)
		if !bytes.Equal(frame, before) {
			t.Fatal("the frame was changed")
		}
		if t.Failed() {
			t.Fatalf("size %d of %+v", size, l)
		}
	}
}

// Checksums, lengths and flags as gopacket sees them.
func TestSegmenterOracle(t *testing.T) {
	r := testkit.Rand(t)
	var s Segmenter
	for n := 0; n < testkit.Scale(300); {
		l := genLarge(r)
		if len(l.link) == 0 || l.exts != nil && l.v6 {
			continue // gopacket needs to be told of the one, and can't do checksums with routing headers
		}
		n++
		if err := s.Reset(l.bytes(), len(l.link), l.kind(), 700); err != nil {
			t.Fatal(err)
		}
		for i, g := range cutUp(t, &s) {
			p := gopacket.NewPacket(g, layers.LayerTypeEthernet, gopacket.Default)
			if p.ErrorLayer() != nil || p.Metadata().Truncated {
				t.Fatalf("segment %d: %v", i, p)
			}
			if tl, ok := p.TransportLayer().(interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}); !ok || tl.SetNetworkLayerForChecksum(p.NetworkLayer()) != nil {
				t.Fatalf("segment %d: %v", i, p)
			}
			err, wrong := p.VerifyChecksums()
			if err != nil || len(wrong) != 0 {
				t.Fatalf("segment %d: %v, %+v in %v", i, err, wrong, p)
			}
			if app := p.ApplicationLayer(); app != nil && len(app.LayerContents())+len(app.LayerPayload()) > 700 {
				t.Fatalf("segment %d: %v", i, p)
			}
		}
	}
}

// What differs from segment to segment, written out.
func TestSegmenterFields(t *testing.T) {
	l := large{link: make([]byte, 14), tcp: true, flags: ACK | PSH | FIN | ECE | CWR | AE, seq: 0xfffffff0, id: 0xffff, frag: 0x4000, payload: make([]byte, 50)}
	var s Segmenter
	if err := s.Reset(l.bytes(), 14, SegmentTCP4, 20); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"60 bytes, ID 65535 true, seq 4294967280 ACK|ECE|CWR|AE, 20 of payload",
		"60 bytes, ID 0 true, seq 4 ACK|ECE|AE, 20 of payload",
		"50 bytes, ID 1 true, seq 24 FIN|PSH|ACK|ECE|AE, 10 of payload",
	} {
		b := make([]byte, s.MaxLen())
		ip := IPv4(b[14:s.Put(b, i)])
		tcp := TCP(ip.Payload())
		if got := fmt.Sprintf("%d bytes, ID %d %v, seq %d %v, %d of payload", ip.TotalLen(), ip.ID(), ip.DontFragment(), tcp.Seq(), tcp.Flags(), len(tcp.Payload())); got != want {
			t.Errorf("segment %d: %s, want %s", i, got, want)
		}
	}
}

// A UDP checksum that comes to 0 is sent as 0xffff.
func TestSegmenterUDPZero(t *testing.T) {
	l := large{payload: make([]byte, 4)}
	var s Segmenter
	dst := make([]byte, 100)
	put := func() uint16 {
		if err := s.Reset(l.bytes(), 0, SegmentUDP, 2); err != nil {
			t.Fatal(err)
		}
		s.Put(dst, 1)
		return UDP(dst[20:]).Checksum()
	}
	be.PutUint16(l.payload[2:], put()) // the second datagram's sum is all ones now
	if got := put(); got != 0xffff {
		t.Errorf("checksum %#x, want 0xffff", got)
	}
}

// BIG TCP: no length in IPv4, a jumbo length in IPv6, which no segment has; or none there either.
func TestSegmenterBigTCP(t *testing.T) {
	r := testkit.Rand(t)
	hop := []byte{ProtoTCP, 0, 0xc2, 4, 0, 3, 0, 28} // 8 + 20 + 196608
	var s Segmenter
	for _, l := range []large{
		{},
		{v6: true, first: ProtoTCP},
		{v6: true, first: ProtoHopByHop, exts: hop},
		{v6: true, first: ProtoHopByHop, exts: slices.Concat([]byte{ProtoDestOpts}, hop[1:], []byte{ProtoTCP, 0, 1, 4, 0, 0, 0, 0})},
	} {
		l.tcp, l.bigTCP, l.link, l.payload = true, true, randBytes(r, 14), randBytes(r, 196608)
		if l.exts != nil {
			be.PutUint32(l.exts[4:], uint32(len(l.exts)+20+len(l.payload)))
		}
		frame := l.bytes()
		if err := s.Reset(frame, 14, l.kind(), 1448); err != nil {
			t.Fatal(err)
		}
		checkSegments(t, frame, 14, l.kind(), 1448, &s)
		if n := s.MaxLen(); l.exts != nil && n != len(frame)-len(l.payload)-8+1448 {
			t.Errorf("segments of %d bytes still have the jumbo length", n)
		}
	}
}

func TestSegmenterErrors(t *testing.T) {
	v4 := large{link: make([]byte, 14), tcp: true, payload: make([]byte, 3000)}
	v6 := large{link: make([]byte, 14), tcp: true, payload: make([]byte, 3000), v6: true, first: ProtoTCP}
	u4 := large{link: make([]byte, 14), payload: make([]byte, 3000)}
	with := func(l large, change func(*large)) []byte {
		change(&l)
		return l.bytes()
	}
	at := func(l large, i int, b ...byte) []byte {
		f := l.bytes()
		copy(f[i:], b)
		return f
	}
	ext := func(typ uint8, b ...byte) []byte {
		return with(v6, func(l *large) { l.first, l.exts = typ, b })
	}
	same := func(*large) {}
	for _, c := range []struct {
		name  string
		frame []byte
		l3    int
		kind  SegmentKind
		size  int
		want  error
	}{
		{"kind 0", with(v4, same), 14, 0, 1448, ErrSegmentKind},
		{"kind 4", with(v4, same), 14, SegmentUDP + 1, 1448, ErrSegmentKind},
		{"size 0", with(v4, same), 14, SegmentTCP4, 0, ErrSegmentSize},
		{"size below 0", with(v4, same), 14, SegmentTCP4, -1, ErrSegmentSize},
		{"no frame", nil, 0, SegmentTCP4, 1448, ErrHeaders},
		{"l3 below 0", with(v4, same), -1, SegmentTCP4, 1448, ErrHeaders},
		{"l3 at the end", with(v4, same), 14 + 40 + 3000, SegmentTCP4, 1448, ErrHeaders},
		{"l3 beyond", with(v4, same), 1 << 30, SegmentTCP4, 1448, ErrHeaders},
		{"cut in IP", with(v4, same)[:14+19], 14, SegmentTCP4, 1448, ErrHeaders},
		{"cut in TCP", with(v4, same)[:14+39], 14, SegmentTCP4, 1448, ErrHeaders},
		{"cut in UDP", with(u4, same)[:14+27], 14, SegmentUDP, 1448, ErrHeaders},
		{"cut in IPv6", with(v6, same)[:14+39], 14, SegmentTCP6, 1448, ErrHeaders},
		{"total length within TCP", at(v4, 16, 0, 39), 14, SegmentTCP4, 1448, ErrHeaders},
		{"total length within IP", at(v4, 16, 0, 19), 14, SegmentTCP4, 1448, ErrHeaders},
		{"data offset 4", at(v4, 14+20+12, 0x40), 14, SegmentTCP4, 1448, ErrHeaders},
		{"UDP length 7", at(u4, 14+20+4, 0, 7), 14, SegmentUDP, 1448, ErrHeaders},
		{"version 5", at(v4, 14, 0x55), 14, SegmentTCP4, 1448, ErrHeaders},
		{"IPv6 as IPv4", with(v6, same), 14, SegmentTCP4, 1448, ErrProtocol},
		{"IPv4 as IPv6", with(v4, same), 14, SegmentTCP6, 1448, ErrProtocol},
		{"UDP as TCP", with(u4, same), 14, SegmentTCP4, 1448, ErrProtocol},
		{"TCP as UDP", with(v4, same), 14, SegmentUDP, 1448, ErrProtocol},
		{"ICMP", at(v4, 14+9, ProtoICMP), 14, SegmentTCP4, 1448, ErrProtocol},
		{"first fragment", at(v4, 14+6, 0x20, 0), 14, SegmentTCP4, 1448, ErrFragment},
		{"last fragment", at(v4, 14+6, 0, 1), 14, SegmentTCP4, 1448, ErrFragment},
		{"first fragment of IPv6", ext(ProtoFragment, ProtoTCP, 0, 0, 1, 0, 0, 0, 0), 14, SegmentTCP6, 1448, ErrFragment},
		{"fragment of all", ext(ProtoFragment, ProtoTCP, 0, 0, 0, 0, 0, 0, 0), 14, SegmentTCP6, 1448, ErrHeaders},
		{"AH", ext(ProtoAH, ProtoTCP, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 14, SegmentTCP6, 1448, ErrHeaders},
		{"AH in IPv4", slices.Concat(at(v4, 14+9, ProtoAH)[:34], []byte{ProtoTCP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, at(v4, 0)[34:]), 14, SegmentTCP4, 1448, ErrHeaders},
		{"unknown routing", ext(ProtoRouting, ProtoTCP, 0, 3, 1, 0, 0, 0, 0), 14, SegmentTCP6, 1448, ErrHeaders},
		{"source routing without addresses", ext(ProtoRouting, ProtoTCP, 0, 0, 1, 0, 0, 0, 0), 14, SegmentTCP6, 1448, ErrHeaders},
		{"jumbo length among others", with(v6, func(l *large) {
			l.bigTCP, l.first, l.payload = true, ProtoHopByHop, make([]byte, 70000)
			l.exts = []byte{ProtoTCP, 1, 0xc2, 4, 0, 1, 0x11, 0x94, 1, 6, 0, 0, 0, 0, 0, 0}
		}), 14, SegmentTCP6, 1448, ErrHeaders},
		{"jumbo length that is none", with(v6, func(l *large) {
			l.bigTCP, l.first, l.exts = true, ProtoHopByHop, []byte{ProtoTCP, 0, 0xc2, 4, 0, 0, 0x11, 0x94}
		}), 14, SegmentTCP6, 1448, ErrHeaders},
		{"longest segment of IPv4 and one more", with(v4, func(l *large) { l.bigTCP, l.payload = true, make([]byte, 70000) }), 14, SegmentTCP4, 65496, ErrSegmentSize},
		{"longest segment of IPv6 and one more", with(v6, func(l *large) { l.bigTCP, l.payload = true, make([]byte, 70000) }), 14, SegmentTCP6, 65516, ErrSegmentSize},
		{"longest frame and one more", append(with(v4, func(l *large) { l.bigTCP, l.payload = true, make([]byte, MaxFrame-54) }), 0), 14, SegmentTCP4, 1448, ErrHeaders},
	} {
		var s Segmenter
		if err := s.Reset(with(v4, same), 14, SegmentTCP4, 1000); err != nil || s.Count() != 3 {
			t.Fatal(err, s.Count())
		}
		err := s.Reset(c.frame, c.l3, c.kind, c.size)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if s.Count() != 0 || s.MaxLen() != 0 || s.Len(0) != 0 || s.Put(make([]byte, 4000), 0) != 0 {
			t.Errorf("%s: there are segments after an error", c.name)
		}
	}

	// What is just right.
	for _, c := range []struct {
		name                 string
		frame                []byte
		kind                 SegmentKind
		size, count, longest int
	}{
		{"longest segment of IPv4", with(v4, func(l *large) { l.bigTCP, l.payload = true, make([]byte, 70000) }), SegmentTCP4, 65495, 2, 14 + 65535},
		{"longest segment of IPv6", with(v6, func(l *large) { l.bigTCP, l.payload = true, make([]byte, 70000) }), SegmentTCP6, 65515, 2, 14 + 40 + 65535},
		{"longest frame", with(v4, func(l *large) { l.bigTCP, l.payload = true, make([]byte, MaxFrame-54) }), SegmentTCP4, 1 << 15, 8, 54 + 1<<15},
		{"size above the payload", with(v4, same), SegmentTCP4, 1 << 30, 1, 3054},
		{"no payload", with(v4, func(l *large) { l.payload = nil }), SegmentTCP4, 1448, 1, 54},
		{"empty datagram", with(u4, func(l *large) { l.payload = nil }), SegmentUDP, 1448, 1, 42},
		{"total length below", at(v4, 16, 0, 141), SegmentTCP4, 100, 2, 154},
		{"total length beyond", at(v4, 16, 0xff, 0xff), SegmentTCP4, 3000, 1, 3054},
		{"total length 0", at(v4, 16, 0, 0), SegmentTCP4, 3000, 1, 3054},
		{"UDP length below", at(u4, 14+20+4, 0, 108), SegmentUDP, 100, 1, 142},
		{"UDP length beyond", at(u4, 14+20+4, 0xff, 0xff), SegmentUDP, 3000, 1, 3042},
		{"UDP length 0", at(u4, 14+20+4, 0, 0), SegmentUDP, 3000, 1, 3042},
	} {
		var s Segmenter
		if err := s.Reset(c.frame, 14, c.kind, c.size); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Count() != c.count || s.MaxLen() != c.longest {
			t.Errorf("%s: %d segments of up to %d, want %d, %d", c.name, s.Count(), s.MaxLen(), c.count, c.longest)
		}
		checkSegments(t, c.frame, 14, c.kind, c.size, &s)
	}
}

// FuzzSegment: any bytes are segments or an error, and segments are what checkSegments says.
func FuzzSegment(f *testing.F) {
	f.Fuzz(func(t *testing.T, frame []byte, l3 int, kind uint8, size int) {
		var s Segmenter
		before := bytes.Clone(frame)
		err := s.Reset(frame, l3, SegmentKind(kind), size)
		if err == nil && s.Count() > 5000 {
			return // it would take too long
		} else if err == nil {
			checkSegments(t, frame, l3, SegmentKind(kind), size, &s)
		} else if s.Count() != 0 {
			t.Errorf("%v, and %d segments", err, s.Count())
		} else if known := []error{ErrSegmentKind, ErrSegmentSize, ErrHeaders, ErrProtocol, ErrFragment}; !slices.ContainsFunc(known, func(e error) bool { return errors.Is(err, e) }) {
			t.Errorf("an error that Reset doesn't promise: %v", err)
		}
		if !bytes.Equal(frame, before) {
			t.Error("the frame was changed")
		}
	})
}

func BenchmarkSegmenter(b *testing.B) {
	for _, l := range []large{
		{tcp: true},
		{tcp: true, v6: true, first: ProtoTCP},
		{},
	} {
		l.link, l.options, l.payload = make([]byte, 14), bytes.Repeat([]byte{1}, 12), make([]byte, 65160)
		if !l.tcp {
			l.options = nil
		}
		frame, kind := l.bytes(), l.kind()
		var room [64][2048]byte
		b.Run(map[SegmentKind]string{SegmentTCP4: "tcp4", SegmentTCP6: "tcp6", SegmentUDP: "udp4"}[kind], func(b *testing.B) {
			var s Segmenter
			b.SetBytes(int64(len(l.payload)))
			for b.Loop() {
				if err := s.Reset(frame, 14, kind, 1448); err != nil {
					b.Fatal(err)
				}
				for i := range s.Count() {
					s.Put(room[i][:], i)
				}
			}
		})
	}
	// The same bytes to the same places.
	b.Run("copy", func(b *testing.B) {
		var room [64][2048]byte
		frame := make([]byte, 65226)
		b.SetBytes(65160)
		for b.Loop() {
			for i := range 45 {
				copy(room[i][:], frame[:66])
				copy(room[i][66:], frame[66+i*1448:][:1448])
			}
		}
	})
	b.Run("reset", func(b *testing.B) {
		l := large{link: make([]byte, 14), tcp: true, options: bytes.Repeat([]byte{1}, 12), payload: make([]byte, 65160)}
		frame := l.bytes()
		var s Segmenter
		for b.Loop() {
			if err := s.Reset(frame, 14, SegmentTCP4, 1448); err != nil {
				b.Fatal(err)
			}
		}
	})
}
