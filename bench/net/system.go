//go:build linux

// The systems: what joins two hosts, and how it is started.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// yardstick is the system that all are compared with.
const yardstick = "bridge"

// system joins the hosts.
type system struct {
	name    string
	program string // that has to be installed, or ""
	from    string // what installs it
	taps    bool   // it makes two taps, tapA and tapB; otherwise it is given the far ends of the hosts' cables, a0 and b0
	start   func(r *netlab.Namespace) []*netlab.Process
}

func (s system) id() string { return s.name }

// missing says what is not installed, or "".
func (s system) missing() string {
	if s.program == "" {
		return ""
	}
	if _, err := exec.LookPath(s.program); err != nil {
		return fmt.Sprintf("%s is not installed: %s", s.program, s.from)
	}
	return ""
}

// allSystems returns all, with the path of ringway.
func allSystems(ringway string) []system {
	forward := func(kind string, a, b string) system {
		return system{
			name: "ringway-" + kind, program: ringway, from: "bench/net/run builds it", taps: kind == "tap",
			start: func(r *netlab.Namespace) []*netlab.Process {
				return []*netlab.Process{r.Start(ringway, "forward", "--quiet", "--both", kind+":"+a, kind+":"+b)}
			},
		}
	}
	// tunnel is two programs: from the one host's cable into a tunnel, and out of it to the other's.
	tunnel := func(kind string, ends func(r *netlab.Namespace) (a, b string)) system {
		return system{
			name: "ringway-" + kind, program: ringway, from: "bench/net/run builds it",
			start: func(r *netlab.Namespace) []*netlab.Process {
				a, b := ends(r)
				first := r.Start(ringway, "forward", "--quiet", "--both", "afpacket:a0", a)
				if path, ok := strings.CutPrefix(a, "unix:"); ok { // which has to listen before the other one dials
					path, _, _ = strings.Cut(path, ",")
					for end := time.Now().Add(startTimeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
						if _, err := os.Stat(path); err == nil {
							break
						}
					}
				}
				return []*netlab.Process{first, r.Start(ringway, "forward", "--quiet", "--both", b, "afpacket:b0")}
			},
		}
	}
	socket := func(r *netlab.Namespace) string { return "unix:" + filepath.Join(os.TempDir(), r.Name()+".sock") }
	return []system{
		{name: yardstick, start: func(r *netlab.Namespace) []*netlab.Process {
			r.Bridge("br0", "a0", "b0")
			return nil
		}},
		forward("afpacket", "a0", "b0"),
		testpmd("af_packet", "a0", "b0"),
		forward("afxdp", "a0", "b0"),
		testpmd("af_xdp", "a0", "b0"),
		forward("tap", "tapA", "tapB"),
		testpmd("tap", "tapA", "tapB"),
		tunnel("unix", func(r *netlab.Namespace) (a, b string) { return socket(r) + ",role=listen", socket(r) }),
		tunnel("stream", func(r *netlab.Namespace) (a, b string) {
			return socket(r) + ",type=stream,role=listen", socket(r) + ",type=stream"
		}),
		tunnel("udp", func(*netlab.Namespace) (a, b string) {
			return "udp:127.0.0.1:7001>127.0.0.1:7002", "udp:127.0.0.1:7002>127.0.0.1:7001"
		}),
		tunnel("vxlan", func(*netlab.Namespace) (a, b string) {
			return "vxlan:127.0.0.3,vni=9,local=127.0.0.2", "vxlan:127.0.0.2,vni=9,local=127.0.0.3"
		}),
	}
}

// testpmd is DPDK's, with a driver for interfaces of the kernel's, without huge pages and hardware. It moves frames from
// each of its two ports to the other, unread, in one thread that never sleeps; the other thread only waits for its end.
func testpmd(driver, a, b string) system {
	return system{
		name: "testpmd-" + driver, program: "dpdk-testpmd", from: "apt-get install dpdk", taps: driver == "tap",
		start: func(r *netlab.Namespace) []*netlab.Process {
			return []*netlab.Process{r.Start("dpdk-testpmd",
				"--no-huge", "-m", "512", "--no-pci", "--no-telemetry", "--file-prefix", r.Name(),
				"--vdev", fmt.Sprintf("net_%s0,iface=%s", driver, a),
				"--vdev", fmt.Sprintf("net_%s1,iface=%s", driver, b),
				"--", "--forward-mode=io", "--auto-start",
				"--total-num-mbufs=65536", // as many as fit into the 512 MiB
				"--stats-period=1000000")} // without it, it reads stdin and ends with it
		},
	}
}

const (
	ifname = "eth0" // of both hosts
	addrA  = "10.0.0.1"
	addrB  = "10.0.0.2"
	// startTimeout is how long a system may take until the first ping comes through.
	startTimeout = 10 * time.Second
)

// hosts are the two namespaces, and what joins them.
type hosts struct {
	a, b      *netlab.Namespace
	processes []*netlab.Process
	time      time.Duration // of a work
}

// join makes the hosts, starts a system between them, and waits until they are joined.
func join(t netlab.T, s system, long time.Duration) *hosts {
	lab := netlab.New(t)
	h := &hosts{a: lab.Namespace("a"), b: lab.Namespace("b"), time: long}
	r := lab.Namespace("r")
	if !s.taps {
		lab.Veth(h.a, ifname, r, "a0", 1500)
		lab.Veth(h.b, ifname, r, "b0", 1500)
	}
	h.processes = s.start(r)
	t.Cleanup(func() {
		for _, p := range h.processes {
			_ = p.Stop() // its last words don't matter any more
		}
	})
	if s.taps {
		h.handOut(t, r, "tapA", h.a)
		h.handOut(t, r, "tapB", h.b)
	}
	h.a.Addr(ifname, addrA+"/24")
	h.b.Addr(ifname, addrB+"/24")
	for end := time.Now().Add(startTimeout); !h.a.WaitPing(addrB, 300*time.Millisecond); {
		h.alive(t)
		if time.Now().After(end) {
			t.Fatalf("no ping comes through in %v%s", startTimeout, h.said())
		}
	}
	return h
}

// handOut waits for a tap that the system makes and gives it to a host.
func (h *hosts) handOut(t netlab.T, r *netlab.Namespace, tap string, to *netlab.Namespace) {
	for end := time.Now().Add(startTimeout); !strings.Contains(r.IP("-o", "link"), ": "+tap+":"); time.Sleep(20 * time.Millisecond) {
		h.alive(t)
		if time.Now().After(end) {
			t.Fatalf("no %s comes in %v%s", tap, startTimeout, h.said())
		}
	}
	// It is still being set up when it can be seen first.
	time.Sleep(time.Second)
	r.IP("link", "set", tap, "netns", to.Name(), "name", ifname)
	to.IP("link", "set", ifname, "up")
}

// alive fails if a process of the system has ended.
func (h *hosts) alive(t netlab.T) {
	for _, p := range h.processes {
		select {
		case <-p.Done():
			t.Fatalf("it has ended%s", h.said())
		default:
		}
	}
}

// said returns the end of what the system's processes have printed.
func (h *hosts) said() (text string) {
	for _, p := range h.processes {
		const most = 5
		lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
		text += "\n  " + strings.Join(lines[max(0, len(lines)-most):], "\n  ")
	}
	return text
}

// cpu returns the CPU time that the system's processes have used.
func (h *hosts) cpu(t netlab.T) (sum time.Duration) {
	for _, p := range h.processes {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
		if err == nil {
			var used time.Duration
			used, err = cpuTime(string(stat))
			sum += used
		}
		if err != nil {
			t.Fatalf("CPU time: %v%s", err, h.said())
		}
	}
	return sum
}

// cpuTime reads the time in user and in kernel mode from /proc/PID/stat, which counts in hundredths of a second on every
// platform (USER_HZ).
func cpuTime(stat string) (time.Duration, error) {
	// The second field is a name in parentheses, and may have spaces and parentheses.
	rest := stat[strings.LastIndexByte(stat, ')')+1:]
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("not a process's state: %q", stat)
	}
	var user, kernel uint64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &kernel); err != nil {
		return 0, fmt.Errorf("not a process's times: %q: %w", stat, err)
	}
	return time.Duration(user+kernel) * 10 * time.Millisecond, nil
}
