//go:build unix

package vxlan

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
)

// largeTCP is a TCP segment with n bytes of payload, whose checksum is left undone.
func largeTCP(n int) []byte {
	f := make([]byte, 14+20+20+n)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0})
	ip := f[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, packet.ProtoTCP
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	copy(ip[12:], []byte{10, 0, 0, 1, 10, 0, 0, 2})
	ip[20+12] = 5 << 4
	binary.BigEndian.PutUint16(ip[20+16:], packet.IPv4(ip).PseudoSum(packet.ProtoTCP, uint32(20+n)))
	return f
}

// What a kernel on the same machine has left to do is recognised: alone, and in a run, where it is done at once.
func TestRecognise(t *testing.T) {
	mem, err := pool.New(pool.Config{Count: 8, BufferSize: 1 << 17, Track: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := &vxlan{segment: 1450}
	for _, c := range []struct {
		payload, owners int
		want            pool.Offload
	}{
		{1410, 1, pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}},
		{1411, 1, pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: pool.GSOTCP4, SegmentSize: 1410}},
		{1410, 2, pool.Offload{}},
		{60000, 2, pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: pool.GSOTCP4, SegmentSize: 1410}},
	} {
		b, err := mem.CopyIn(largeTCP(c.payload))
		if err != nil {
			t.Fatal(err)
		}
		other := b
		b.Retain(c.owners - 1)
		p.recognise(&b, b.Bytes())
		if got, _ := b.Offload(); got != c.want {
			t.Errorf("%d bytes, %d owners: %+v, want %+v", c.payload, c.owners, got, c.want)
		}
		if _, _, partial := packet.PartialChecksum(b.Bytes()); partial != c.want.NeedsChecksum {
			t.Errorf("%d bytes, %d owners: the checksum is partial: %v", c.payload, c.owners, partial)
		}
		// Finished frames are left alone.
		if c.owners == 1 {
			if err := packet.FinishChecksum(b.Bytes(), 34, 16); err != nil {
				t.Fatal(err)
			}
			b.ClearOffload()
			if p.recognise(&b, b.Bytes()); b.HasOffload() {
				t.Error("a finished frame is marked")
			}
		} else {
			other.Release()
		}
		b.Release()
	}
	if err := mem.Close(); err != nil {
		t.Error(err)
	}
}

// FuzzDatagram: whatever a datagram holds, it is dropped for a reason, or is a frame of our network from a peer; then its
// source is known behind that peer, and what it says is left to do can be done.
func FuzzDatagram(f *testing.F) {
	f.Add(header(7), byte(0))
	f.Add(append(header(7), largeTCP(3000)...), byte(1))
	f.Add(append(header(7), largeTCP(100)...), byte(0))
	f.Add(append(header(8), largeTCP(100)...), byte(2))
	hosts := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.9")}
	mem, err := pool.New(pool.Config{Count: 8, BufferSize: 1 << 17, Track: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, datagram []byte, from byte) {
		if len(datagram) > 1<<16 {
			return
		}
		p := &vxlan{config: Config{VNI: 7, Peers: hosts[:2]}, known: newTable(time.Hour), lastPeer: -1, segment: 1450, peers: map[udpsock.Host]int{
			udpsock.HostOf(hosts[0]): 0, udpsock.HostOf(hosts[1]): 1}}
		who := int(from) % len(hosts)
		peer, why := p.accept(datagram, udpsock.HostOf(hosts[who]))
		good := who < 2 && len(datagram) >= 22 && datagram[0]&8 != 0 && bytes.Equal(datagram[4:7], []byte{0, 0, 7})
		if good != (peer >= 0) || !good && why == 0 || good && peer != who {
			t.Fatalf("%x from %d: peer %d, reason %v", datagram, who, peer, why)
		}
		if !good {
			return
		}
		b, err := mem.CopyIn(datagram)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { b.Release() }()
		_ = b.TrimFront(headerLen)
		frame := b.Bytes()
		src := mac(frame[6:])
		p.known.learn(src, peer, 1)
		if got, ok := p.known.peer(src, 2); ok != (src != 0 && !group(src)) || ok && got != peer {
			t.Fatalf("%012x: %d, %v", src>>16, got, ok)
		}
		p.recognise(&b, frame)
		left, ok := b.Offload()
		if !ok {
			return
		}
		if left.GSO == pool.GSONone {
			if err := packet.FinishChecksum(frame, int(left.ChecksumStart), int(left.ChecksumOffset)); err != nil {
				t.Fatal(err)
			}
			return
		}
		kind := packet.SegmentTCP4
		if left.GSO == pool.GSOTCP6 {
			kind = packet.SegmentTCP6
		}
		h := packet.Parse(frame)
		var s packet.Segmenter
		if err := s.Reset(frame, int(h.L3), kind, int(left.SegmentSize)); err != nil {
			return // it says so, and the frame is dropped as malformed
		}
		if n := s.MaxLen() - int(h.L3); n > p.segment {
			t.Fatalf("segments of %d bytes, want %d at most", n, p.segment)
		}
	})
}
