//go:build linux

// The systems: what joins two hosts, and how it is started.

package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// yardstick is the system that all are compared with.
const yardstick = "bridge"

// system joins the hosts.
type system struct {
	name     string
	kind     kind
	ours     bool          // it is Ringway
	polls    bool          // it looks for frames all the time, and never sleeps
	spins    bool          // it does for a while, which is an option of ours
	programs []string      // that have to be installed
	from     string        // what installs them
	lacks    func() string // what else is missing, or ""; nil: nothing else can be
	start    func(h *hosts)
}

// kind is how a system is attached to the hosts: what is compared is of one kind.
type kind string

const (
	packet kind = "AF_PACKET" // at the far ends of the hosts' cables, a0 and b0
	xdp    kind = "AF_XDP"    // at the same
	tap    kind = "tap"       // by two taps that it makes, tapA and tapB, which the hosts are given
	pipe   kind = "tunnel"    // two systems, at a0 and b0, with a tunnel between
)

// ends returns the names of the interfaces in R.
func (k kind) ends() (a, b string) {
	if k == tap {
		return "tapA", "tapB"
	}
	return "a0", "b0"
}

func (s system) id() string { return s.name }

// missing says what is not installed, or "".
func (s system) missing() string {
	for _, p := range s.programs {
		if _, err := exec.LookPath(p); err != nil {
			return fmt.Sprintf("%s is not installed: %s", p, s.from)
		}
	}
	if s.lacks != nil {
		return s.lacks()
	}
	return ""
}

// allSystems returns all, with the path of ringway.
func allSystems(ringway string) []system {
	return []system{
		{name: yardstick, start: func(h *hosts) { h.r.Bridge("br0", "a0", "b0") }},
		forward(ringway, "afpacket", packet),
		ringwaySwitch(ringway, "afpacket", packet, false),
		ringwaySwitch(ringway, "afpacket", packet, true),
		testpmd("af_packet", packet),
		openVSwitch("system", packet),
		forward(ringway, "afxdp", xdp),
		ringwaySwitch(ringway, "afxdp", xdp, false),
		ringwaySwitch(ringway, "afxdp", xdp, true),
		testpmd("af_xdp", xdp),
		openVSwitch("afxdp", xdp),
		forward(ringway, "tap", tap),
		ringwaySwitch(ringway, "tap", tap, false),
		ringwaySwitch(ringway, "tap", tap, true),
		testpmd("tap", tap),
		openVSwitch("tap", tap),
		vde(),
		tunnel(ringway, "unix", "unix:{dir}/s,role=listen", "unix:{dir}/s"),
		tunnel(ringway, "stream", "unix:{dir}/s,type=stream,role=listen", "unix:{dir}/s,type=stream"),
		tunnel(ringway, "udp", "udp:127.0.0.1:7001>127.0.0.1:7002", "udp:127.0.0.1:7002>127.0.0.1:7001"),
		tunnel(ringway, "vxlan", "vxlan:127.0.0.3,vni=9,local=127.0.0.2", "vxlan:127.0.0.2,vni=9,local=127.0.0.3"),
	}
}

const (
	ifname = "eth0" // of both hosts
	addrA  = "10.0.0.1"
	addrB  = "10.0.0.2"
	// startTimeout is how long a system may take for each step until the first ping comes through.
	startTimeout = 10 * time.Second
)

// hosts are the two namespaces, and what joins them.
type hosts struct {
	t         netlab.T
	a, b      *netlab.Namespace
	r         *netlab.Namespace // the system's
	dir       string            // for its files
	processes []*netlab.Process
	time      time.Duration // of a work
}

// join makes the hosts, starts a system between them, and waits until they are joined.
func join(t netlab.T, s system, long time.Duration) *hosts {
	lab := netlab.New(t)
	dir, err := os.MkdirTemp("", "ringway-net-")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // after the processes, which are younger
	h := &hosts{t: t, a: lab.Namespace("a"), b: lab.Namespace("b"), r: lab.Namespace("r"), dir: dir, time: long}
	a, b := s.kind.ends()
	if s.kind != tap {
		lab.Veth(h.a, ifname, h.r, a, 1500)
		lab.Veth(h.b, ifname, h.r, b, 1500)
	}
	s.start(h)
	if s.kind == tap {
		h.handOut(a, h.a)
		h.handOut(b, h.b)
	}
	h.a.Addr(ifname, addrA+"/24")
	h.b.Addr(ifname, addrB+"/24")
	h.await("ping", func() bool { return h.a.WaitPing(addrB, 300*time.Millisecond) })
	return h
}

// run starts a process of the system.
func (h *hosts) run(program string, args ...string) {
	h.processes = append(h.processes, h.r.Start(program, args...))
}

// stop interrupts the system's processes, the last one first. What doesn't end by that is killed with the turn.
func (h *hosts) stop() {
	for _, p := range slices.Backward(h.processes) {
		_ = p.Stop() // its last words don't matter any more
	}
}

// await waits until something is so; what names it if it never is.
func (h *hosts) await(what string, is func() bool) {
	for end := time.Now().Add(startTimeout); !is(); time.Sleep(20 * time.Millisecond) {
		h.alive()
		if time.Now().After(end) {
			h.t.Fatalf("no %s in %v%s", what, startTimeout, h.said())
		}
	}
}

// awaitFile waits for a file that a process of the system makes.
func (h *hosts) awaitFile(path string) {
	h.await(path, func() bool { _, err := os.Stat(path); return err == nil })
}

// handOut waits for a tap that the system makes and gives it to a host.
func (h *hosts) handOut(name string, to *netlab.Namespace) {
	h.await(name, func() bool { return strings.Contains(h.r.IP("-o", "link"), ": "+name+":") })
	// It is still being set up when it can be seen first.
	time.Sleep(time.Second)
	h.r.IP("link", "set", name, "netns", to.Name(), "name", ifname)
	to.IP("link", "set", ifname, "up")
}

// alive fails if a process of the system has ended.
func (h *hosts) alive() {
	for _, p := range h.processes {
		select {
		case <-p.Done():
			h.t.Fatalf("it has ended%s", h.said())
		default:
		}
	}
}

// said returns the end of what the system's processes have printed.
func (h *hosts) said() (text string) {
	for _, p := range h.processes {
		const most = 5
		lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
		text += "\n  " + cmp.Or(strings.Join(lines[max(0, len(lines)-most):], "\n  "), "(it has said nothing)")
	}
	return text
}

// cpu returns the CPU time that the system's processes have used.
func (h *hosts) cpu() (sum time.Duration) {
	for _, p := range h.processes {
		used, err := cpuTime(p.PID())
		if err != nil {
			h.t.Fatalf("CPU time: %v%s", err, h.said())
		}
		sum += used
	}
	return sum
}
