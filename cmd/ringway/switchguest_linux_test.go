//go:build linux && !race

package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/internal/guest"
	"github.com/ringway-net/ringway/internal/netlab"
)

// Two virtual machines and two hosts are joined by a switch. What one machine does, and that it loses its power, is nothing to the others.
func TestSwitchGuests(t *testing.T) {
	if testing.Short() {
		t.Skip("boots virtual machines")
	}
	t.Parallel() // in namespaces of its own
	lab := netlab.New(t)
	s := &site{t: t, lab: lab, r: lab.Namespace("r"), hosts: []*netlab.Namespace{lab.Namespace("a"), lab.Namespace("b")}, mtu: 1500}
	dir := t.TempDir()
	cable := attachments["afpacket"]
	streams := "unix:" + filepath.Join(dir, "s")
	w := s.startSwitch(
		streams+",type=stream,role=listen,vlan=1,trunk=10", "unix:"+filepath.Join(dir, "d")+",role=listen,vlan=1",
		cable.before(s, 0)+",vlan=1", cable.before(s, 1)+",vlan=10")
	s.hosts[0].Number(ifname, 3)
	s.hosts[1].Addr(ifname, "10.0.10.3/24")
	config := guest.Config{
		Netdev: "stream,server=off,addr.type=unix,addr.path=" + filepath.Join(dir, "s"),
		MAC:    "02:00:00:00:01:01", Addrs: []string{"10.0.0.1/24", "fd00::1/64"},
	}
	g := guest.Start(t, s.r, config)
	other := guest.Start(t, s.r, guest.Config{
		Netdev: fmt.Sprintf("dgram,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", filepath.Join(dir, "q"), filepath.Join(dir, "d")),
		MAC:    "02:00:00:00:01:02", Addrs: []string{"10.0.0.2/24", "fd00::2/64"},
	})
	reach := func(g *guest.Guest, addrs ...string) {
		t.Helper()
		for _, to := range addrs {
			if !g.WaitPing(to, 10*time.Second) {
				t.Fatalf("no ping to %s comes through: %s", to, s.said())
			}
		}
	}
	// The machine has a VLAN of its kernel's, on a trunk.
	vlan := "ip link add link eth0 name v10 type vlan id 10 && ip addr add 10.0.10.1/24 dev v10 && ip link set v10 up"
	g.Run(vlan)
	reach(g, "10.0.0.2", "fd00::2", "10.0.0.3", "10.0.10.3")
	reach(other, "10.0.0.1", "fd00::1", "10.0.0.3")
	if n := g.Ping("10.0.0.2", 5, 1472); n != 5 {
		t.Errorf("of 5 pings between the machines %d came back", n)
	}

	// The receiver's nc takes the end of its own input for a reason to end; a pipe that it writes to itself has none.
	g.Begin("mkfifo /tmp/p; nc -l -p 7000 <>/tmp/p | sha256sum")
	other.Run(fmt.Sprintf("head -c %d /dev/urandom >/tmp/f", fileSize))
	sum := other.Run("sha256sum </tmp/f")
	begin := time.Now()
	other.Run("until nc 10.0.0.1 7000 </tmp/f; do sleep 0.1; done")
	if got := g.Finish(); got != sum {
		t.Errorf("one machine sent %s, and the other received %s", sum, got)
	}
	t.Logf("between the machines: %.0f Mbit/s", fileSize*8/1e6/time.Since(begin).Seconds())

	end := streaming(t, other, s.hosts[0])
	g.Kill()
	until := func(name, state string) {
		t.Helper()
		eventually(t, func() error {
			if got := w.port(name).State; got != state {
				return fmt.Errorf("%s has the state %q, want %q: %s", name, got, state, s.said())
			}
			return nil
		})
	}
	until(streams+"#1", "")
	g = guest.Start(t, s.r, config)
	until(streams+"#2", control.StateUp)
	g.Run(vlan)
	reach(g, "10.0.0.3", "10.0.10.3")
	if r := s.hosts[1].Ping("10.0.10.1", netlab.PingOptions{Count: 5, Size: 1468, Within: 10 * time.Second}); r.Received < 5 {
		t.Errorf("of %d pings to the machine that is there again %d came back", r.Sent, r.Received)
	}
	end()
	reach(other, "10.0.0.1")
	w.end()
}

// streaming has a guest send bytes to a host until end is called, which holds that they came all the time.
func streaming(t *testing.T, g *guest.Guest, host *netlab.Namespace) (end func()) {
	t.Helper()
	var l net.Listener
	var err error
	host.Do(func() { l, err = net.Listen("tcp", "10.0.0.3:7000") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	g.Begin("nc 10.0.0.3 7000 </dev/zero; true") // until we close
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second))
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	const longest = 5 * time.Second // on a machine that has much else to do
	stop, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		var n int
		var gap time.Duration
		last := time.Now()
		for b := make([]byte, 1<<16); ; {
			_ = c.SetReadDeadline(last.Add(longest))
			k, err := c.Read(b)
			if err != nil {
				ended <- fmt.Sprintf("%d bytes, then %v", n, err)
				return
			}
			now := time.Now()
			n, gap, last = n+k, max(gap, now.Sub(last)), now
			select {
			case <-stop:
				ended <- fmt.Sprintf("whole: %d bytes, with %v at most between two reads", n, gap)
				return
			default:
			}
		}
	}()
	return func() {
		t.Helper()
		close(stop)
		how := <-ended
		_ = c.Close()
		g.Finish()
		if !strings.HasPrefix(how, "whole") {
			t.Errorf("the stream was interrupted: %s", how)
		}
		t.Logf("the stream: %s", how)
	}
}
