//go:build linux

// The works: what is done with two hosts that are joined.

package main

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// work is something that is measured.
type work struct {
	name  string
	title string
	unit  string // "" if it has no figure but its CPU time
	// do returns the figure. An error is a result: nothing comes through. What else goes wrong ends the turn, by t.
	do func(t netlab.T, h *hosts) (float64, error)
}

func (w work) id() string { return w.name }

// allWorks are all, in the order in which they are done: those without offloads last, since those stay off.
var allWorks = []work{
	{name: "idle", title: "no traffic", do: idle},
	{name: "ping", title: "ping, 100 a second, average", unit: "µs", do: ping},
	{name: "tcp", title: "TCP from A to B, default offloads", unit: "Gbit/s", do: tcp(netlab.TCPOptions{})},
	{name: "tcp-back", title: "TCP from B to A, default offloads", unit: "Gbit/s", do: tcp(netlab.TCPOptions{Reverse: true})},
	{name: "frames", title: "60-byte frames that reach B", unit: "kframes/s", do: frames},
	{name: "tcp-off", title: "TCP from A to B, offloads off", unit: "Gbit/s", do: off(tcp(netlab.TCPOptions{}))},
	{name: "tcp-off-back", title: "TCP from B to A, offloads off", unit: "Gbit/s", do: off(tcp(netlab.TCPOptions{Reverse: true}))},
}

// errNothing is the result where no frame reached the other end.
var errNothing = errors.New("none")

// idle does nothing: what matters is the CPU time that goes by.
func idle(netlab.T, *hosts) (float64, error) {
	time.Sleep(time.Second)
	return 0, nil
}

func ping(_ netlab.T, h *hosts) (float64, error) {
	const gap = 10 * time.Millisecond
	r := h.a.Ping(addrB, netlab.PingOptions{Count: int(h.time / gap), Interval: gap})
	if r.Received == 0 {
		return 0, errNothing
	}
	return float64(r.Avg) / float64(time.Microsecond), nil
}

// leastTCP is the rate in bits per second below which a connection is none: its handshake came through, and no data.
const leastTCP = 1e6

func tcp(o netlab.TCPOptions) func(netlab.T, *hosts) (float64, error) {
	return func(_ netlab.T, h *hosts) (float64, error) {
		r, err := netlab.TCP(h.b, h.a, addrB, h.time, o)
		if err != nil || r.BitsPerSecond < leastTCP {
			return 0, errors.New("no TCP")
		}
		return r.BitsPerSecond / 1e9, nil
	}
}

func off(do func(netlab.T, *hosts) (float64, error)) func(netlab.T, *hosts) (float64, error) {
	return func(t netlab.T, h *hosts) (float64, error) {
		h.a.NoOffloads(ifname)
		h.b.NoOffloads(ifname)
		return do(t, h)
	}
}

// frames sends as many as it can, and counts those that B's interface has received.
func frames(t netlab.T, h *hosts) (float64, error) {
	var from, to *net.Interface
	var err error
	var f *flood
	h.b.Do(func() { to, err = net.InterfaceByName(ifname) })
	if err == nil {
		h.a.Do(func() {
			if from, err = net.InterfaceByName(ifname); err == nil {
				f, err = newFlood(from, to.HardwareAddr)
			}
		})
	}
	if err != nil {
		t.Fatalf("flood: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }()
	const warmUp = 200 * time.Millisecond
	time.Sleep(warmUp)
	before, start := h.b.LinkStats(ifname).RxPackets, time.Now()
	time.Sleep(h.time)
	arrived, took := h.b.LinkStats(ifname).RxPackets-before, time.Since(start)
	cancel()
	if err := <-done; err != nil {
		t.Fatalf("flood: %v", err)
	}
	if arrived == 0 {
		return 0, errNothing
	}
	return float64(arrived) / took.Seconds() / 1e3, nil
}

// figure is what came of a work.
type figure struct {
	work  string
	value float64
	cpu   float64 // CPU time of the system's processes, as a share of the time: 1 is one core
	none  string  // why there is no value, or ""
}

// turn is one system's turn in a round.
type turn struct {
	system  string
	round   int
	kernel  bool // it has no process, so its CPU time is unknown
	figures []figure
	err     error // it did not start, or ended in the middle
}

// measure gives a system its turn.
func measure(ctx context.Context, s system, works []work, long time.Duration) turn {
	result := turn{system: s.name}
	result.err = netlab.Run(ctx, s.name, func(t netlab.T) {
		h := join(t, s, long)
		result.kernel = len(h.processes) == 0
		for _, w := range works {
			if t.Context().Err() != nil {
				return
			}
			used, start := h.cpu(t), time.Now()
			value, err := w.do(t, h)
			h.alive(t)
			f := figure{work: w.name, value: value, cpu: (h.cpu(t) - used).Seconds() / time.Since(start).Seconds()}
			if err != nil {
				f.none = err.Error()
			}
			if t.Context().Err() == nil { // otherwise it was cut short
				result.figures = append(result.figures, f)
			}
		}
	})
	return result
}
