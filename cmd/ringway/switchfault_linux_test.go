//go:build linux && !race

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/internal/netlab"
)

// Whatever becomes of a port and of who is behind it, others go on: between two of them not one ping is lost.
func TestSwitchFaults(t *testing.T) {
	t.Parallel() // in namespaces of its own
	for kind, victim := range map[string]struct {
		port   string // its name
		ifname string // at the switch
		moved  bool   // it is in the host's namespace, and is called as all are
		lasts  bool   // the port doesn't depend on the interface, and goes on when there is another
		extra  string // one more port of the kind
	}{
		"afpacket": {port: "afpacket:cable2", ifname: "cable2", extra: "afpacket:spare"},
		"afxdp":    {port: "afxdp:cable2", ifname: "cable2", extra: "afxdp:spare"},
		"tap":      {port: "tap:tap2", moved: true, extra: "tap:extra"},
		"vxlan":    {port: "vxlan:10.1.2.1", ifname: "u2", lasts: true, extra: "vxlan:127.0.0.9,vni=3,port=4790"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			mtu, times := 1500, 50
			if kind == "vxlan" {
				mtu = 1450
			}
			if testing.Short() {
				times = 5
			}
			s, w := newSwitched(t, []networkHost{{"afpacket", "", 1500}, {"tap", "", 1500}, {kind, "", mtu}})
			for i := range s.hosts {
				s.hosts[i].Number(ifname, i+1)
				if i > 0 && !s.hosts[0].WaitPing(fmt.Sprint("10.0.0.", i+1), 10*time.Second) {
					t.Fatalf("no ping comes through: %s", s.said())
				}
			}
			s.lab.Veth(s.r, "spare", s.hosts[2], "spare", 1500)
			listener := "unix:" + filepath.Join(t.TempDir(), "s")
			w.ctl("add", listener+",type=stream,role=listen")
			pings := s.hosts[0].Start("ping", "-n", "-i", "0.01", "10.0.0.2")

			// clients send to the victim, one after the other, each until it is killed.
			var client *netlab.Process
			clients := 0
			kill := func() {
				t.Helper()
				_ = syscall.Kill(client.PID(), syscall.SIGKILL)
				<-client.Done()
				eventually(t, func() error { return w.state(listener+fmt.Sprint("#", clients), "") })
			}
			next := func() {
				t.Helper()
				if client != nil {
					kill()
				}
				clients++
				name := listener + fmt.Sprint("#", clients)
				client = s.r.Start(program, "forward", "-q", fmt.Sprintf("gen:rate=20kpps,size=60x3+1400x1,dst=%v", mac(t, s.hosts[2])), listener+",type=stream")
				eventually(t, func() error {
					if n := w.port(name).RxPackets; n < 1000 {
						return fmt.Errorf("%d frames of %s: %s", n, name, client.Output())
					}
					return nil
				})
			}
			reached := func(after string) {
				t.Helper()
				// It is the victim that asks: it may have another MAC now, which others learn by that.
				if !s.hosts[2].WaitPing("10.0.0.1", 10*time.Second) {
					t.Fatalf("after it %s, the victim is not reached again: %+v", after, w.port(victim.port))
				}
			}

			at, name := s.r, victim.ifname
			if victim.moved {
				at, name = s.hosts[2], ifname
			}
			for range 3 {
				next()
				at.IP("link", "set", name, "down")
				time.Sleep(50 * time.Millisecond)
				at.IP("link", "set", name, "up")
				reached("was down")
			}

			at.IP("link", "delete", name)
			if !victim.lasts {
				eventually(t, func() error { return w.state(victim.port, control.StateFailed) })
				w.ctl("remove", victim.port)
			}
			a := attachments[kind]
			again := a.before(s.with(mtu), 2)
			if !victim.lasts {
				w.ctl("add", again)
			}
			if a.after != nil {
				a.after(s.with(mtu), 2)
			}
			s.hosts[2].Number(ifname, 3)
			reached("was deleted and made again")
			next()

			for range times {
				added := strings.TrimSpace(strings.TrimPrefix(w.ctl("add", victim.extra), "added "))
				w.ctl("remove", added)
			}
			reached("had others come and go beside it")
			kill()
			s.lossless(pings)
			if sum := w.end(); sum.Removed.RxPackets < uint64(clients)*1000 {
				t.Errorf("the account has only %d frames of ports that were removed", sum.Removed.RxPackets)
			}
		})
	}
}

// state is an error if a port has another state; "" is that of one that there isn't.
func (w *switching) state(name, want string) error {
	if p := w.port(name); p.State != want {
		return fmt.Errorf("%s has the state %q, want %q: %s", name, p.State, want, w.p.Output())
	}
	return nil
}

var icmpSeq = regexp.MustCompile(`icmp_seq=(\d+) ttl=`)

// lossless ends a ping, all of whose packets must have come back but for those at the end, which may be on their way.
func (s *site) lossless(pings *netlab.Process) {
	s.t.Helper()
	if err := pings.Stop(); err != nil {
		s.t.Fatal(err)
	}
	back, last := map[int]bool{}, 0
	for _, m := range icmpSeq.FindAllStringSubmatch(pings.Output(), -1) {
		n, _ := strconv.Atoi(m[1]) // digits
		back[n] = true
		last = max(last, n)
	}
	if last < 20 || len(back) < last {
		s.t.Errorf("of %d pings between two others %d came back: %s", last, len(back), s.said())
	}
	s.t.Logf("%d pings between two others", last)
}
