package vxlan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/port/vxlan"
)

// site is a namespace r with a Ringway in it, and b, attached to it by a cable.
type site struct{ r, b *netlab.Namespace }

func newSite(lab *netlab.Lab, i, mtu int) site {
	r := lab.Namespace(fmt.Sprint("r", i))
	return site{r, lab.Host(i, r, "e0", mtu)}
}

// kernelDevice makes the kernel's vxlan device, of network 7, with the addresses of host i. mtu 0: what the kernel chooses.
func kernelDevice(n *netlab.Namespace, i, mtu int, args ...string) {
	all := []string{"link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789"}
	n.IP(append(all, args...)...)
	if mtu > 0 {
		n.IP("link", "set", "vx0", "mtu", fmt.Sprint(mtu))
	}
	n.IP("link", "set", "vx0", "up")
	n.Number("vx0", i)
}

// reach checks that a and host i, at n, have all of each other: pings of all sizes, tagged frames, TCP both ways.
func reach(t *testing.T, a, n *netlab.Namespace, i, mtu int) {
	t.Helper()
	for _, addr := range []string{"10.0.0.%d", "fd00::%d"} {
		addr = fmt.Sprintf(addr, i)
		if !a.WaitPing(addr, 5*time.Second) {
			t.Fatalf("%s does not answer", addr)
		}
		for _, size := range []int{1, mtu - 48, 3 * mtu} { // that of the MTU too, and one in fragments
			if r := a.Ping(addr, netlab.PingOptions{Size: size, Count: 5, DontFragment: size < mtu}); r.Received != r.Sent {
				t.Errorf("pings of %d bytes to %s: %+v", size, addr, r)
			}
		}
	}
	for _, o := range []netlab.TCPOptions{{}, {Reverse: true}, {Streams: 4}} {
		r, err := netlab.Transfer(n, a, fmt.Sprintf("10.0.0.%d", i), o)
		if err != nil {
			t.Fatalf("TCP %+v: %v", o, err)
		}
		t.Logf("TCP %+v: %.2f Gbit/s, %d retransmitted", o, r.BitsPerSecond/1e9, r.Retransmits)
		if r.Bytes < 10<<20 {
			t.Errorf("TCP %+v hardly moves: %+v", o, r)
		}
	}
	if _, err := netlab.Transfer(n, a, fmt.Sprintf("fd00::%d", i), netlab.TCPOptions{Reverse: true}); err != nil {
		t.Errorf("TCP over IPv6: %v", err)
	}
	if u, err := netlab.UDP(n, a, fmt.Sprintf("10.0.0.%d", i), time.Second, netlab.UDPOptions{BitsPerSecond: 50e6, Size: mtu - 28}); err != nil || u.Far < u.Sent*9/10 {
		t.Errorf("UDP: %+v, %v", u, err)
	}
}

// tagged sends frames with one and two VLAN tags from one interface, and expects them at another.
func tagged(t *testing.T, from *netlab.Namespace, fromIf string, to *netlab.Namespace, toIf string) {
	t.Helper()
	p, err := pool.New(pool.Config{Count: 1024})
	if err != nil {
		t.Fatal(err)
	}
	var out, in port.Port
	open := func(n *netlab.Namespace, ifname string, d port.Direction) (o port.Port) {
		n.Do(func() {
			if o, err = port.Open("afpacket:"+ifname, port.Options{Pool: p, Direction: d}); err != nil {
				t.Fatal(err)
			}
		})
		return o
	}
	in, out = open(to, toIf, port.In), open(from, fromIf, port.Out)
	defer func() {
		if err := errors.Join(in.Close(), out.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	}()
	for _, tags := range []string{"\x81\x00\x00\x05", "\x88\xa8\x00\x06\x81\x00\x00\x05"} {
		want := []byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x0a" + tags + "\x88\xb5" + strings.Repeat("tagged ", 100))
		b, err := p.CopyIn(want)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := out.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		bufs, found := make([]pool.Buffer, 16), false
		for !found {
			n, err := in.Rx(bufs)
			for _, b := range bufs[:n] {
				found = found || bytes.Equal(b.Bytes(), want)
				b.Release()
			}
			if err != nil || n == 0 && in.WaitRx(ctx) != nil {
				break
			}
		}
		cancel()
		if !found {
			t.Errorf("a frame with tags %x did not get from %s to %s", tags, fromIf, toIf)
		}
	}
}

// TestKernel: the kernel's vxlan device is the peer.
func TestKernel(t *testing.T) {
	for _, c := range []struct {
		name, here, there string
		underlay, inner   int
		keys              string
	}{
		{"IPv4", "10.9.0.2", "10.9.0.1", 1500, 1450, ""},
		{"IPv4Jumbo", "10.9.0.2", "10.9.0.1", 9000, 8950, ",mtu=8964"},
		{"IPv4JumboUnderlay", "10.9.0.2", "10.9.0.1", 9000, 1500, ""},
		{"IPv6", "fd09::2", "fd09::1", 1500, 1430, ""},
		{"OneByOne", "10.9.0.2", "10.9.0.1", 1500, 1450, ",gso=off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			testkit.Watchdog(t)
			lab := netlab.New(t)
			h, s := lab.Namespace("h"), newSite(lab, 2, c.inner)
			lab.Veth(h, "u0", s.r, "u0", c.underlay)
			h.Addr("u0", "10.9.0.1/24", "fd09::1/64")
			s.r.Addr("u0", "10.9.0.2/24", "fd09::2/64")
			kernelDevice(h, 1, c.inner, "local", c.there, "remote", c.here, "dev", "u0")
			ports := joined.Between(t, s.r, "afpacket:e0", "vxlan:"+c.there+",vni=7"+c.keys).Ports
			if want := c.underlay - 36; strings.Contains(c.here, ".") && ports[1].Info().MTU != want {
				t.Errorf("MTU %d, want %d", ports[1].Info().MTU, want)
			}
			reach(t, s.b, h, 1, c.inner)
			tagged(t, s.b, "eth0", h, "vx0")
			tagged(t, h, "vx0", s.b, "eth0")
			if n := ports[0].Stats().TxDropped() + ports[1].Stats().TxDropped(); n > 0 {
				t.Errorf("%d dropped: %v, %v", n, ports[0].Stats().TxDrops, ports[1].Stats().TxDrops)
			}
		})
	}
}

// transfer sends n bytes by TCP.
func transfer(t *testing.T, from, to *netlab.Namespace, addr string, n int) {
	t.Helper()
	var l net.Listener
	var c net.Conn
	var err error
	to.Do(func() { l, err = net.Listen("tcp", addr+":0") })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	from.Do(func() { c, err = net.DialTimeout("tcp", l.Addr().String(), 5*time.Second) })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = c.Write(make([]byte, n))
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	_ = there.SetDeadline(time.Now().Add(30 * time.Second))
	if got, err := io.Copy(io.Discard, there); got != int64(n) || err != nil {
		t.Errorf("%d of %d bytes got to %s: %v", got, n, addr, err)
	}
}

// TestWire: what is on the wire is right, outside and inside.
func TestWire(t *testing.T) {
	testkit.Watchdog(t)
	lab := netlab.New(t)
	h, s := lab.Namespace("h"), newSite(lab, 2, 1450)
	lab.Veth(h, "u0", s.r, "u0", 1500)
	s.r.NoOffloads("u0") // so that the outer checksum is finished, and runs are cut
	h.Addr("u0", "10.9.0.1/24")
	s.r.Addr("u0", "10.9.0.2/24")
	kernelDevice(h, 1, 1450, "local", "10.9.0.1", "remote", "10.9.0.2", "dev", "u0")
	joined.Between(t, s.r, "afpacket:e0", "vxlan:10.9.0.1,vni=7")
	if !s.b.WaitPing("10.0.0.1", 5*time.Second) {
		t.Fatal("no answer")
	}
	file := filepath.Join(t.TempDir(), "wire.pcap")
	c := h.Capture("u0", file, "src 10.9.0.2 and udp port 4789")
	s.b.Ping("10.0.0.1", netlab.PingOptions{Size: 4000})
	transfer(t, s.b, h, "10.0.0.1", 4<<20)
	transfer(t, s.b, h, "[fd00::1]", 4<<20)
	_, _ = c.Stop()
	if n := netlab.CheckClean(t, file); n < 1000 {
		t.Errorf("%d frames on the wire", n)
	}
}

// TestThree: two kernels and a Ringway are attached to one network. What is unknown or for all goes to both
// kernels, what is known to the one that has it.
func TestThree(t *testing.T) {
	testkit.Watchdog(t)
	lab := netlab.New(t)
	h1, h3, hub, s := lab.Namespace("h1"), lab.Namespace("h3"), lab.Namespace("hub"), newSite(lab, 2, 1450)
	for i, n := range []*netlab.Namespace{h1, s.r, h3} {
		lab.Veth(n, "u0", hub, fmt.Sprint("u", i), 1500)
		n.Addr("u0", fmt.Sprintf("10.9.0.%d/24", i+1))
	}
	hub.Bridge("br0", "u0", "u1", "u2")
	for i, n := range map[int]*netlab.Namespace{1: h1, 3: h3} {
		kernelDevice(n, i, 1450, "local", fmt.Sprintf("10.9.0.%d", i), "dev", "u0")
		for k := 1; k <= 3; k++ {
			if k != i {
				n.Run("bridge", "fdb", "append", "00:00:00:00:00:00", "dev", "vx0", "dst", fmt.Sprintf("10.9.0.%d", k))
			}
		}
	}
	ports := joined.Between(t, s.r, "afpacket:e0", "vxlan:10.9.0.1,10.9.0.3,vni=7").Ports
	for _, n := range []*netlab.Namespace{h1, h3} {
		if !n.WaitPing("10.0.0.2", 5*time.Second) {
			t.Fatal("Ringway's host does not answer")
		}
	}
	if !h1.WaitPing("10.0.0.3", 5*time.Second) {
		t.Fatal("the kernels do not reach each other")
	}
	s.b.WaitPing("10.0.0.1", 5*time.Second)
	h3.Sysctl("net.ipv6.conf.vx0.disable_ipv6", "1")
	before, sent := h3.LinkStats("vx0").RxPackets, ports[1].Stats().TxPackets
	if r := s.b.Ping("10.0.0.1", netlab.PingOptions{Count: 200, Interval: 2 * time.Millisecond}); r.Received != 200 {
		t.Errorf("%+v", r)
	}
	if got := h3.LinkStats("vx0").RxPackets - before; got > 50 { // ARP now and then
		t.Errorf("of 200 frames for host 1, host 3 has got %d", got)
	}
	if got := ports[1].Stats().TxPackets - sent; got < 200 || got > 300 {
		t.Errorf("200 pings were %d frames sent", got)
	}
	// Host 1's address moves to h3: frames follow.
	mac := strings.TrimSpace(h1.Run("cat", "/sys/class/net/vx0/address"))
	h1.IP("link", "set", "vx0", "down")
	h3.IP("link", "set", "vx0", "address", mac)
	h3.IP("addr", "add", "10.0.0.1/24", "dev", "vx0")
	h3.Run("ping", "-n", "-c", "1", "-I", "10.0.0.1", "10.0.0.2")
	if r := s.b.Ping("10.0.0.1", netlab.PingOptions{}); r.Received != r.Sent {
		t.Errorf("after a move: %+v", r)
	}
}

// TestRingways: both ends are Ringways.
func TestRingways(t *testing.T) {
	testkit.Watchdog(t)
	lab := netlab.New(t)
	one, two := newSite(lab, 1, 1450), newSite(lab, 2, 1450)
	lab.Veth(one.r, "u0", two.r, "u0", 1500)
	one.r.Addr("u0", "10.9.0.1/24")
	two.r.Addr("u0", "10.9.0.2/24")
	joined.Between(t, one.r, "afpacket:e0", "vxlan:10.9.0.2,vni=16777215,port=4790,dev=u0,ttl=3,tos=16,local=10.9.0.1")
	joined.Between(t, two.r, "afpacket:e0", "vxlan:10.9.0.1,vni=16777215,port=4790")
	reach(t, two.b, one.b, 1, 1450)
}

// TestUnderlayGone: the underlay goes and comes back.
func TestUnderlayGone(t *testing.T) {
	testkit.Watchdog(t)
	lab := netlab.New(t)
	h, s := lab.Namespace("h"), newSite(lab, 2, 1450)
	lab.Veth(h, "u0", s.r, "u0", 1500)
	h.Addr("u0", "10.9.0.1/24")
	s.r.Addr("u0", "10.9.0.2/24")
	kernelDevice(h, 1, 1450, "local", "10.9.0.1", "remote", "10.9.0.2", "dev", "u0")
	f := joined.Between(t, s.r, "afpacket:e0", "vxlan:10.9.0.1,vni=7")
	ports := f.Ports
	works := func(when string) {
		t.Helper()
		if !s.b.WaitPing("10.0.0.1", 5*time.Second) {
			t.Fatalf("no answer %s", when)
		}
	}
	works("at first")
	lost := netlab.PingOptions{Count: 20, Interval: 2 * time.Millisecond, Wait: 50 * time.Millisecond}
	s.r.IP("link", "set", "u0", "down")
	s.b.Ping("10.0.0.1", lost)
	if d := ports[1].Stats().TxDropped(); d == 0 {
		t.Error("nothing was dropped while the link was down")
	}
	s.r.IP("link", "set", "u0", "up")
	works("after the link was down")

	h.IP("link", "set", "vx0", "down") // nobody at the port: ICMP
	s.b.Ping("10.0.0.1", lost)
	h.IP("link", "set", "vx0", "up")
	works("after the peer was gone")

	s.r.IP("addr", "del", "10.9.0.2/24", "dev", "u0")
	s.b.Ping("10.0.0.1", lost)
	s.r.IP("addr", "add", "10.9.0.2/24", "dev", "u0")
	works("after the address was gone")

	s.r.IP("link", "set", "u0", "mtu", "1400") // narrower than when it was opened
	s.b.Ping("10.0.0.1", netlab.PingOptions{Size: 1380, Wait: 50 * time.Millisecond})
	if notes := strings.Join(ports[1].Info().Notes, " "); !strings.Contains(notes, "1400") {
		t.Errorf("notes: %q", notes)
	}
	works("in a narrow underlay")
	if r, err := netlab.Transfer(h, s.b, "10.0.0.1", netlab.TCPOptions{MSS: 1000}); err != nil {
		t.Errorf("short segments in a narrow underlay: %+v, %v", r, err)
	}

	s.r.IP("link", "del", "u0")
	s.b.Ping("10.0.0.1", lost)
	f.Stop()
}

// TestTaken: the kernel has the port, and the error says so and what helps.
func TestTaken(t *testing.T) {
	lab := netlab.New(t)
	h := lab.Namespace("h")
	kernelDevice(h, 1, 0, "local", "127.0.0.1", "remote", "127.0.0.2")
	p, err := pool.New(pool.Config{Count: 64})
	if err != nil {
		t.Fatal(err)
	}
	h.Do(func() {
		_, err = vxlan.Open(port.Options{Pool: p}, vxlan.Config{Peers: peers(there), VNI: 7})
	})
	if err == nil {
		t.Fatal("opened, while the kernel has the port")
	}
	for _, word := range []string{"4789", "vxlan device of the kernel", "Open vSwitch", "port=", "ip -d link"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
