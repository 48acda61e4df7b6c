//go:build linux && !race

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// Two hosts are joined by the program between ports of different kinds, and by two of it with a network between
// them: with nothing touched by ethtool, everything comes through. (Not under the race detector: the programs are processes of their own, which
// it doesn't see.)

// site is where the program runs: namespace r, between the hosts a and b.
type site struct {
	t       *testing.T
	lab     *netlab.Lab
	r       *netlab.Namespace
	hosts   [2]*netlab.Namespace
	mtu     int
	forward []*netlab.Process
}

// attachment is how a host is attached to the program.
type attachment struct {
	// before makes what has to be there, and returns the port; after finishes once the program runs.
	before func(s *site, host int) (port string)
	after  func(s *site, host int)
}

// ifname is the interface of both hosts.
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

// end ends the programs, and holds the account of each against it.
func (s *site) end() {
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
		}
		// Drops at a port are of both directions: what was lost before it was received is too much.
		if came > went || sum.InFlight != 0 || sum.Pool.InUse != 0 {
			s.t.Errorf("%d received, with segments, and %d sent or dropped, %d in flight, %d buffers in use: %s", came, went, sum.InFlight, sum.Pool.InUse, text)
		}
	}
}

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
	}
	if testing.Short() { // of each kind one
		pairs = []pair{{"vxlan", "unix", "afxdp", 1450}, {"afpacket", "udp", "tap", 1500}}
	}
	for _, c := range pairs {
		t.Run(strings.ReplaceAll(c.a+" "+c.tunnel+" "+c.b, "  ", " "), func(t *testing.T) {
			t.Parallel() // each in namespaces of its own
			lab := netlab.New(t)
			s := &site{t: t, lab: lab, r: lab.Namespace("r"), hosts: [2]*netlab.Namespace{lab.Namespace("a"), lab.Namespace("b")}, mtu: c.mtu}
			a, b := attachments[c.a], attachments[c.b]
			in, out := a.before(s, 0), b.before(s, 1)
			if c.tunnel == "" {
				s.start(in, out)
			} else {
				left, right := tunnels[c.tunnel](t.TempDir())
				s.start(in, left)
				if path, ok := strings.CutPrefix(right, "unix:"); ok {
					path, _, _ = strings.Cut(path, ",")
					for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
						if found, _ := filepath.Glob(path); len(found) > 0 || time.Now().After(end) {
							break
						}
					}
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
			s.end()
		})
	}
}

// through holds that everything comes through, both ways; with clean, also that what comes to b is as it would be on a wire.
func (s *site) through(clean bool) {
	t, a, b := s.t, s.hosts[0], s.hosts[1]
	if !a.WaitPing("10.0.0.2", 10*time.Second) {
		t.Fatalf("no ping comes through: %s", s.said())
	}
	for _, to := range []string{"10.0.0.2", "fd00::2"} {
		size := s.mtu - 28
		if strings.Contains(to, ":") {
			size = s.mtu - 48
		}
		if r := a.Ping(to, netlab.PingOptions{Count: 5, Size: size, DontFragment: true}); r.Received < 3 {
			t.Errorf("of 5 pings of %d bytes to %s, %d came back", size, to, r.Received)
		}
	}
	file := filepath.Join(t.TempDir(), "b.pcap")
	var capture *netlab.Capture
	if clean {
		capture = b.Capture(ifname, file, "inbound")
	}
	if u, err := netlab.UDP(b, a, "10.0.0.2", time.Second, netlab.UDPOptions{BitsPerSecond: 10e6, Size: 1300}); err != nil || u.Far < u.Sent*9/10 {
		t.Errorf("UDP: %+v, %v", u, err)
	}
	if capture != nil {
		capture.Stop()
		netlab.CheckClean(t, file)
	}
	for _, o := range []netlab.TCPOptions{{}, {Reverse: true}} {
		for _, to := range []string{"10.0.0.2", "fd00::2"} {
			r, err := netlab.Transfer(b, a, to, o)
			if err != nil || r.BitsPerSecond < 10e6 {
				t.Errorf("TCP to %s, %+v: %+v, %v: %s", to, o, r, err, s.said())
				continue
			}
			t.Logf("TCP to %s, %+v: %.2f Gbit/s, %d retransmitted", to, o, r.BitsPerSecond/1e9, r.Retransmits)
		}
	}
}
