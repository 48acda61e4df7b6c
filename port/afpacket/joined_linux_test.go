// Two hosts joined by vswitch.Forward between two ports in a third namespace.

package afpacket_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/port/pcap"
	"github.com/ringway-net/ringway/vswitch"
)

// hosts are a and b, 10.0.0.1 and 10.0.0.2, each with a cable to r, where the interfaces are a0 and b0.
type hosts struct {
	t       *testing.T
	a, b, r *netlab.Namespace
	o       port.Options // for ports in r
}

func newHosts(t *testing.T, mtu int) *hosts {
	t.Helper()
	testkit.Watchdog(t)
	lab := netlab.New(t)
	r := quiet(lab, "r")
	h := &hosts{t: t, a: lab.Host(1, r, "a0", mtu), b: lab.Host(2, r, "b0", mtu), r: r}
	h.o = port.Options{Pool: newPool(t, pool.Config{}), Large: newLarge(t, 1024), Interfaces: new(port.Interfaces)}
	return h
}

// join forwards between a0 and b0.
func (h *hosts) join() *joined.Forward {
	h.t.Helper()
	return h.forward(open(h.t, h.r, "a0", h.o, afpacket.Config{}), open(h.t, h.r, "b0", h.o, afpacket.Config{}), true)
}

func (h *hosts) forward(in, out port.Port, both bool) *joined.Forward {
	h.t.Helper()
	return joined.Start(h.t, vswitch.ForwardConfig{In: in, Out: out, Both: both, RingSize: 1024})
}

// ping pings with size bytes of payload, unfragmented. Of the answers the last may be missing: ping waits for those for no longer than two of
// the longest round trips before, and the machine may be busy for so long.
func (h *hosts) ping(from *netlab.Namespace, addr string, size int) {
	h.t.Helper()
	if r := from.Ping(addr, netlab.PingOptions{Count: 10, Size: size, DontFragment: true}); r.Received < 5 {
		h.t.Errorf("ping %s: %+v", addr, r)
	}
}

// talk pings, and loads with TCP both ways, and UDP both ways.
func (h *hosts) talk(there, back string) {
	h.t.Helper()
	for _, addr := range []string{there, back} {
		from, to := h.a, h.b
		if addr == back {
			from, to = h.b, h.a
		}
		if !from.WaitPing(addr, 5*time.Second) {
			h.t.Fatalf("%s does not answer", addr)
		}
		h.ping(from, addr, 56)
		r, err := netlab.Transfer(to, from, addr, netlab.TCPOptions{})
		if err != nil || r.Bytes < 1<<20 {
			h.t.Errorf("TCP to %s: %+v, %v", addr, r, err)
		}
		h.t.Logf("TCP to %s: %.2f Gbit/s, %d segments sent again", addr, r.BitsPerSecond/1e9, r.Retransmits)
		u, err := netlab.UDP(to, from, addr, time.Second, netlab.UDPOptions{BitsPerSecond: 20e6, Size: 1000})
		if err != nil || u.Sent < 1000 || u.Far < u.Sent*9/10 {
			h.t.Errorf("UDP to %s: %+v, %v", addr, u, err)
		}
	}
}

// With everything as it is by default, large segments and unfinished checksums are carried from end to end.
func TestJoined(t *testing.T) {
	for _, mtu := range []int{1500, 9000} {
		t.Run(fmt.Sprint("MTU", mtu), func(t *testing.T) {
			h := newHosts(t, mtu)
			f := h.join()
			before := h.b.LinkStats("eth0")
			h.talk("10.0.0.2", "10.0.0.1")
			h.talk("fd00::2", "fd00::1")
			after := h.b.LinkStats("eth0")
			if mean := (after.RxBytes - before.RxBytes) / max(1, after.RxPackets-before.RxPackets); mean < 2000 {
				t.Errorf("%d bytes in a frame on average: large ones were not carried", mean)
			}
			s := f.Stop()
			if s.Segments() != 0 {
				t.Errorf("%d segments were made of what was to be carried whole", s.Segments())
			}
			for _, p := range s.Ports {
				t.Logf("%s: %d bytes in a frame on average received", p.Name, p.RxBytes/max(1, p.RxPackets))
			}
			// The largest ping that fits, both ways.
			h.join()
			h.ping(h.a, "10.0.0.2", mtu-28)
		})
	}
}

// What the kernel has to finish behind the port, since the interface can't do anything, it finishes well: on the far
// side every frame is no longer than the MTU allows and all checksums are right.
func TestJoinedToSimpleCard(t *testing.T) {
	h := newHosts(t, 1500)
	h.r.NoOffloads("b0") // what is sent by it is whole
	f := h.join()
	if !h.a.WaitPing("10.0.0.2", 5*time.Second) {
		t.Fatal("no answer")
	}
	file := filepath.Join(t.TempDir(), "far.pcap")
	c := h.b.Capture("eth0", file, "src host 10.0.0.1 or src host fd00::1")
	for _, addr := range []string{"10.0.0.2", "fd00::2"} {
		for _, load := range []func() error{
			func() error { return sendTCP(h.a, h.b, addr, 4<<20) },
			func() error {
				_, err := netlab.UDP(h.b, h.a, addr, time.Second, netlab.UDPOptions{BitsPerSecond: 5e6})
				return err
			},
		} {
			if err := load(); err != nil {
				t.Error(err)
			}
		}
	}
	if frames, dropped := c.Stop(); frames < 1000 {
		t.Errorf("%d frames captured, %d lost", frames, dropped) // tcpdump is short of room at times
	}
	netlab.CheckClean(t, file)
	if n := longest(t, file); n > 1514 {
		t.Errorf("a frame of %d bytes came", n)
	}
	s := f.Stop()
	if s.Segments() != 0 || s.Ports[0].RxBytes/s.Ports[0].RxPackets < 1514 {
		t.Errorf("the port itself has made %d segments, of frames of %d bytes on average", s.Segments(), s.Ports[0].RxBytes/s.Ports[0].RxPackets)
	}
}

// By way of mem, which takes everything as it is, large frames are carried as well.
func TestJoinedByMem(t *testing.T) {
	h := newHosts(t, 1500)
	x, y, err := mem.Pair(h.o, h.o, mem.Config{}, mem.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	defer y.Close()
	fa := h.forward(open(t, h.r, "a0", h.o, afpacket.Config{}), x, true)
	fb := h.forward(y, open(t, h.r, "b0", h.o, afpacket.Config{}), true)
	h.talk("10.0.0.2", "10.0.0.1")
	for _, s := range []vswitch.ForwardStats{fa.Stop(), fb.Stop()} {
		if s.Segments() != 0 {
			t.Errorf("%d segments were made", s.Segments())
		}
	}
}

// Large segments in a tunnel have two sets of headers, for which virtio_net_hdr has no word: they are cut.
func TestTunnel(t *testing.T) {
	h := newHosts(t, 1600)
	f := h.join()
	for i, n := range []*netlab.Namespace{h.a, h.b} {
		n.IP("link", "add", "vxlan0", "type", "vxlan", "id", "7", "dstport", "4789", "dev", "eth0", "remote", []string{"10.0.0.2", "10.0.0.1"}[i])
		n.IP("link", "set", "vxlan0", "up")
		n.Addr("vxlan0", []string{"10.1.0.1/24", "10.1.0.2/24"}[i])
	}
	if !h.a.WaitPing("10.1.0.2", 5*time.Second) {
		t.Fatal("no answer")
	}
	r, err := netlab.Transfer(h.b, h.a, "10.1.0.2", netlab.TCPOptions{})
	if err != nil || r.Bytes < 1<<20 {
		t.Errorf("TCP: %+v, %v", r, err)
	}
	t.Logf("TCP: %.2f Gbit/s, %d segments sent again", r.BitsPerSecond/1e9, r.Retransmits)
	if s := f.Stop(); s.Segments() == 0 || s.Ports[0].RxBytes/s.Ports[0].RxPackets < 2000 || s.Dropped() > 0 {
		t.Errorf("%d segments were made of frames of %d bytes, %v dropped", s.Segments(), s.Ports[0].RxBytes/s.Ports[0].RxPackets, s.Ports[1].TxDrops)
	}
}

// A capture of what comes has frames that fit a wire, with complete checksums.
func TestToCapture(t *testing.T) {
	h := newHosts(t, 1500)
	h.join()
	if !h.a.WaitPing("10.0.0.2", 5*time.Second) {
		t.Fatal("no answer")
	}
	file := filepath.Join(t.TempDir(), "out.pcap")
	o := h.o
	o.Direction = port.In
	in := open(t, h.r, "a0", o, afpacket.Config{ReceiveBuffer: 64 << 20})
	out, err := pcap.Create(file, port.Options{Pool: h.o.Pool, Interfaces: h.o.Interfaces})
	if err != nil {
		t.Fatal(err)
	}
	f := h.forward(in, out, false)
	const size = 1 << 20
	for _, addr := range []string{"10.0.0.2", "fd00::2"} {
		if err := sendTCP(h.a, h.b, addr, size); err != nil {
			t.Error(err)
		}
		h.ping(h.a, addr, 56)
	}
	if _, err := netlab.UDP(h.b, h.a, "10.0.0.2", time.Second, netlab.UDPOptions{BitsPerSecond: 5e6}); err != nil {
		t.Error(err)
	}
	s := f.Stop()
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	sent := out.Stats().TxPackets
	if n := netlab.CheckClean(t, file); uint64(n) != sent || n < 2*size/1460 {
		t.Errorf("the capture has %d frames, of %d that were written", n, sent)
	}
	if n := longest(t, file); n > 1514 {
		t.Errorf("a frame of %d bytes is in the capture", n)
	}
	if s.Segments() == 0 || s.Dropped() != 0 || s.Ports[0].RxDropped() != 0 {
		t.Errorf("%d segments; %v, %v", s.Segments(), s.Ports[0].RxDrops, s.Ports[1].TxDrops)
	}
}

// eachFrame shows f each frame of a capture, as another library reads it.
func eachFrame(t *testing.T, file string, f func(frame []byte)) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for {
		frame, info, err := r.ReadPacketData()
		if err == io.EOF {
			return
		}
		if err != nil || info.Length != len(frame) {
			t.Fatalf("%s: %v, %+v", file, err, info)
		}
		f(frame)
	}
}

// longest returns the length of the longest frame in a capture.
func longest(t *testing.T, file string) (n int) {
	t.Helper()
	eachFrame(t, file, func(f []byte) { n = max(n, len(f)) })
	return n
}

// The kernel takes the tag out of a frame; it is put back, and large segments stay right.
func TestVLAN(t *testing.T) {
	for name, tags := range map[string][]tag{
		"802.1Q":   {{0x8100, 100}},
		"802.1ad":  {{0x88a8, 200}},
		"two":      {{0x88a8, 200}, {0x8100, 100}},
		"priority": {{0x8100, 5 << 13}},
	} {
		t.Run(name, func(t *testing.T) {
			const room = 8 // for tags: the kernel leaves it for one of 802.1Q only
			h := newHosts(t, 1500+room)
			for _, n := range []*netlab.Namespace{h.a, h.b} {
				n.IP("route", "replace", "10.0.0.0/24", "dev", "eth0", "mtu", "lock", "1500")
				n.IP("-6", "route", "replace", "fd00::/64", "dev", "eth0", "proto", "kernel", "metric", "256", "mtu", "lock", "1500")
				tagAll(t, n, tags)
			}
			f := h.join()
			if !h.a.WaitPing("10.0.0.2", 5*time.Second) {
				t.Fatal("no answer")
			}
			file := filepath.Join(t.TempDir(), "tagged.pcap")
			c := h.b.Capture("eth0", file)
			h.ping(h.a, "10.0.0.2", 1472)
			c.Stop()
			seen := 0
			eachFrame(t, file, func(f []byte) {
				if !bytes.Contains(f, []byte{10, 0, 0, 1, 10, 0, 0, 2}) {
					return // not from a: the tags of what b sends are put on behind the capture
				}
				seen++
				for i, tag := range tags {
					at := f[12+4*i:]
					if binary.BigEndian.Uint16(at) != tag.protocol || binary.BigEndian.Uint16(at[2:]) != tag.tci {
						t.Errorf("tag %d is %x, want %x", i, at[:4], tag)
					}
				}
			})
			if seen == 0 {
				t.Error("no tagged frame was seen")
			}
			before := h.b.LinkStats("eth0")
			for _, addr := range []string{"10.0.0.2", "fd00::2"} {
				r, err := netlab.Transfer(h.b, h.a, addr, netlab.TCPOptions{})
				if err != nil || r.Bytes < 1<<20 {
					t.Errorf("TCP to %s: %+v, %v", addr, r, err)
				}
				t.Logf("TCP to %s: %.2f Gbit/s, %d segments sent again", addr, r.BitsPerSecond/1e9, r.Retransmits)
			}
			after := h.b.LinkStats("eth0")
			if mean := (after.RxBytes - before.RxBytes) / max(1, after.RxPackets-before.RxPackets); mean < 2000 {
				t.Errorf("%d bytes in a frame on average: large ones were not carried", mean)
			}
			if s := f.Stop(); s.Segments() != 0 {
				t.Errorf("%d segments", s.Segments())
			}
		})
	}
}
