//go:build linux && !race

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// Two hosts are joined by the program between ports of different kinds, and by two of it with a network between
// them: with nothing touched by ethtool, everything comes through. (Not under the race detector: the programs are processes of their own, which
// it doesn't see.)

// site is where the program runs: namespace r, between the hosts a and b, or more.
type site struct {
	t       *testing.T
	lab     *netlab.Lab
	r       *netlab.Namespace
	hosts   []*netlab.Namespace
	mtu     int
	forward []*netlab.Process
}

// attachment is how a host is attached to the program.
type attachment struct {
	// before makes what has to be there, and returns the port; after finishes once the program runs.
	before func(s *site, host int) (port string)
	after  func(s *site, host int)
}

// ifname is the interface of the hosts.
const ifname = "eth0"

var attachments = map[string]attachment{
	"afpacket": cable("afpacket"),
	"afxdp":    cable("afxdp"),
	"tap":      device(""),
	"tap-off":  device(",vnet=off"),
	"vxlan": {before: func(s *site, host int) string {
		// The host has a vxlan device of the kernel's, over a cable of its own.
		there, here := fmt.Sprintf("10.1.%d.1", host), fmt.Sprintf("10.1.%d.2", host)
		under := fmt.Sprint("u", host)
		s.lab.Veth(s.hosts[host], "under", s.r, under, s.mtu+50)
		s.hosts[host].Addr("under", there+"/24")
		s.r.Addr(under, here+"/24")
		s.hosts[host].IP("link", "add", ifname, "mtu", fmt.Sprint(s.mtu), "type", "vxlan", "id", "7", "remote", here, "dstport", "4789", "dev", "under")
		s.hosts[host].IP("link", "set", ifname, "up")
		return "vxlan:" + there + ",vni=7,local=" + here
	}},
}

func cable(kind string) attachment {
	return attachment{before: func(s *site, host int) string {
		here := fmt.Sprint("cable", host)
		s.lab.Veth(s.hosts[host], ifname, s.r, here, s.mtu)
		return kind + ":" + here
	}}
}

func device(keys string) attachment {
	return attachment{
		before: func(s *site, host int) string { return fmt.Sprintf("tap:tap%d,mtu=%d%s", host, s.mtu, keys) },
		after: func(s *site, host int) {
			tap := fmt.Sprint("tap", host)
			for end := time.Now().Add(10 * time.Second); !strings.Contains(s.r.IP("-o", "link", "show", "up"), ": "+tap+":"); time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					s.t.Fatalf("no %s comes: %s", tap, s.said())
				}
			}
			s.r.IP("link", "set", tap, "netns", s.hosts[host].Name(), "name", ifname)
			s.hosts[host].IP("link", "set", ifname, "up")
		},
	}
}

// tunnels are what is between two programs: a port of each.
var tunnels = map[string]func(dir string) (left, right string){
	"unix": func(dir string) (left, right string) {
		return "unix:" + dir + "/s,role=listen", "unix:" + dir + "/s"
	},
	"stream": func(dir string) (left, right string) {
		return "unix:" + dir + "/s,type=stream,role=listen", "unix:" + dir + "/s,type=stream"
	},
	"udp": func(string) (left, right string) {
		return "udp:127.0.0.1:7001>127.0.0.1:7002", "udp:127.0.0.1:7002>127.0.0.1:7001"
	},
	"vxlan": func(string) (left, right string) {
		return "vxlan:127.0.0.3,vni=9,local=127.0.0.2", "vxlan:127.0.0.2,vni=9,local=127.0.0.3"
	},
}

func (s *site) said() (said string) {
	for _, p := range s.forward {
		said += p.Output()
	}
	return said
}

func (s *site) start(in, out string) {
	s.forward = append(s.forward, s.r.Start(program, "forward", "--json", "--both", in, out))
}

// end ends the programs, and holds the account of each against it. It returns how many frames more they have made of large segments.
func (s *site) end() (cut uint64) {
	for _, p := range s.forward {
		_ = p.Stop() // with exit code 130
		var sum summary
		_, text, _ := strings.Cut(p.Output(), "{")
		text, _, _ = strings.Cut(text, "\n")
		if err := json.Unmarshal([]byte("{"+text), &sum); err != nil {
			s.t.Errorf("no summary: %v: %s", err, p.Output())
			continue
		}
		var came, went uint64
		for _, p := range sum.Ports {
			came += p.RxPackets + p.Segments
			went += p.TxPackets + p.Drops.Total()
			cut += p.Segments
		}
		// Drops at a port are of both directions: what was lost before it was received is too much.
		if came > went || sum.InFlight != 0 || sum.Pool.InUse != 0 {
			s.t.Errorf("%d received, with segments, and %d sent or dropped, %d in flight, %d buffers in use: %s", came, went, sum.InFlight, sum.Pool.InUse, text)
		}
	}
	return cut
}

// takes reports whether the program leaves large segments to an attachment as they are.
func takes(kind string) bool { return kind == "afpacket" || kind == "tap" }

func TestNetworks(t *testing.T) {
	type pair struct {
		a, tunnel, b string
		mtu          int
	}
	pairs := []pair{
		{"afpacket", "", "afxdp", 1500},
		{"afpacket", "", "tap", 9000},
		{"afpacket", "", "vxlan", 1500},
		{"tap", "", "afxdp", 1500},
		{"tap", "", "tap-off", 9000},
		{"tap", "", "vxlan", 1450},
		{"vxlan", "", "afxdp", 1450},
		{"afpacket", "unix", "tap", 1500},
		{"tap", "stream", "afxdp", 9000},
		{"afpacket", "udp", "tap-off", 1500},
		{"afxdp", "vxlan", "afpacket", 1500},
		{"vxlan", "", "afxdp", 8950},
		{"afpacket", "unix", "tap-off", 9000},
		{"tap", "udp", "afpacket", 9000},
		{"tap", "vxlan", "tap-off", 9000},
	}
	if testing.Short() { // of each kind one
		pairs = []pair{{"vxlan", "unix", "afxdp", 1450}, {"afpacket", "udp", "tap", 1500}}
	}
	for _, c := range pairs {
		t.Run(strings.ReplaceAll(c.a+" "+c.tunnel+" "+c.b, "  ", " "), func(t *testing.T) {
			t.Parallel() // each in namespaces of its own
			lab := netlab.New(t)
			s := &site{t: t, lab: lab, r: lab.Namespace("r"), hosts: []*netlab.Namespace{lab.Namespace("a"), lab.Namespace("b")}, mtu: c.mtu}
			a, b := attachments[c.a], attachments[c.b]
			in, out := a.before(s, 0), b.before(s, 1)
			if c.tunnel == "" {
				s.start(in, out)
			} else {
				left, right := tunnels[c.tunnel](t.TempDir())
				s.start(in, left)
				if path, ok := strings.CutPrefix(right, "unix:"); ok {
					path, _, _ = strings.Cut(path, ",")
					s.file(path)
				}
				s.start(right, out)
			}
			for host, x := range []attachment{a, b} {
				if x.after != nil {
					x.after(s, host)
				}
				s.hosts[host].Number(ifname, host+1)
			}
			s.through(c.b == "afxdp" || c.b == "tap-off")
			cut := s.end()
			// All attachments but afxdp hand some out, which are cut on the way unless all of it takes them.
			if whole := takes(c.a) && takes(c.b) && c.tunnel == ""; whole != (cut == 0) {
				t.Errorf("of large segments the programs made %d frames more: %s", cut, s.said())
			}
		})
	}
}

// through holds that everything comes through, both ways; with clean, also that what comes to b is as it would be on a wire.
func (s *site) through(clean bool) {
	t, a, b := s.t, s.hosts[0], s.hosts[1]
	if !a.WaitPing("10.0.0.2", 10*time.Second) {
		t.Fatalf("no ping comes through: %s", s.said())
	}
	for to, size := range map[string]int{"10.0.0.2": s.mtu - 28, "fd00::2": s.mtu - 48} {
		if r := a.Ping(to, netlab.PingOptions{Count: 5, Size: size, DontFragment: true}); r.Received < 3 {
			t.Errorf("of 5 pings of %d bytes to %s, %d came back", size, to, r.Received)
		}
	}
	file := filepath.Join(t.TempDir(), "b.pcap")
	var capture *netlab.Capture
	if clean {
		capture = b.Capture(ifname, file, "inbound")
	}
	for _, ends := range [][2]int{{0, 1}, {1, 0}} {
		from, to := s.hosts[ends[0]], s.hosts[ends[1]]
		addr := fmt.Sprint("10.0.0.", ends[1]+1)
		s.transfer(from, to, addr)
		s.tagged(from, to)
		u, err := netlab.UDP(to, from, addr, time.Second, netlab.UDPOptions{BitsPerSecond: 10e6, Size: 1300})
		if err != nil || u.Far < u.Sent*9/10 {
			t.Errorf("UDP from host %d: %+v, %v", ends[0], u, err)
		}
	}
	if capture != nil {
		capture.Stop()
		netlab.CheckClean(t, file)
	}
	for to, o := range map[string]netlab.TCPOptions{"10.0.0.2": {}, "fd00::2": {Reverse: true}} {
		r, err := netlab.Transfer(b, a, to, o)
		if err != nil || r.BitsPerSecond < 10e6 {
			t.Errorf("TCP to %s, %+v: %+v, %v: %s", to, o, r, err, s.said())
			continue
		}
		t.Logf("TCP to %s, %+v: %.2f Gbit/s, %d retransmitted", to, o, r.BitsPerSecond/1e9, r.Retransmits)
	}
}

// tagged sends frames with VLAN tags from one host, and expects them at the other, tags and all.
func (s *site) tagged(from, to *netlab.Namespace) {
	s.t.Helper()
	p, err := pool.New(pool.Config{Count: 1024, BufferSize: 16384})
	if err != nil {
		s.t.Fatal(err)
	}
	open := func(n *netlab.Namespace, d port.Direction) (o port.Port) {
		n.Do(func() { o, err = port.Open("afpacket:"+ifname, port.Options{Pool: p, Direction: d}) })
		if err != nil {
			s.t.Fatal(err)
		}
		return o
	}
	in, out := open(to, port.In), open(from, port.Out)
	defer func() {
		if err := errors.Join(in.Close(), out.Close(), p.Close()); err != nil {
			s.t.Error(err)
		}
	}()
	for _, c := range []struct {
		tags string
		size int
	}{
		{"\x81\x00\x00\x07", 60},
		{"\x81\x00\xe0\x07", s.mtu + 14},
		{"\x88\xa8\x00\x08\x81\x00\x00\x07", s.mtu + 14},
	} {
		want := append([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x0a"+c.tags+"\x88\xb5"), make([]byte, c.size-14-len(c.tags))...)
		b, err := p.CopyIn(want)
		if err != nil {
			s.t.Fatal(err)
		}
		if n, err := out.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			s.t.Fatal(n, err)
		}
		found := false
		ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
		for bufs := make([]pool.Buffer, 16); !found; {
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
			s.t.Errorf("a frame of %d bytes with tags %x did not come through: %s", c.size, c.tags, s.said())
		}
	}
}

// transfer sends a few MiB by TCP, whole.
func (s *site) transfer(from, to *netlab.Namespace, addr string) {
	s.t.Helper()
	const size = 4 << 20
	var l net.Listener
	var c net.Conn
	var err error
	to.Do(func() { l, err = net.Listen("tcp", addr+":0") })
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	from.Do(func() { c, err = net.DialTimeout("tcp", l.Addr().String(), 5*time.Second) })
	if err != nil {
		s.t.Errorf("TCP to %s: %v: %s", addr, err, s.said())
		return
	}
	defer c.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.Write(make([]byte, size))
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	there, err := l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	defer there.Close()
	_ = there.SetDeadline(time.Now().Add(20 * time.Second))
	if n, err := io.Copy(io.Discard, there); n != size || err != nil {
		s.t.Errorf("of %d bytes by TCP to %s came %d, %v: %s", size, addr, n, err, s.said())
		_ = c.Close()
	}
	<-sent
}
