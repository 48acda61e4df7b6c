//go:build linux

// The works: what is done with two hosts that are joined.

package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// work is something that is measured.
type work struct {
	name  string
	title string
	unit  string        // "" if it has no figure but its CPU time
	less  bool          // less is better
	rest  time.Duration // what goes by before: as long as a system may go on looking for frames after the last one
	// do returns the figure. An error is a result: nothing comes through. What else goes wrong ends the turn, by h.t.
	do func(h *hosts) (float64, error)
}

func (w work) id() string { return w.name }

// scaleWork is done by no system between hosts, but in this process: see scale.go.
const scaleWork = "scale"

// allWorks are all, in the order in which they are done: those without offloads last, since those stay off.
var allWorks = []work{
	{name: "idle", title: "no traffic", rest: 2 * time.Second, do: idle},
	{name: "ping-flood", title: "ping -f, average of 2000", unit: "µs", less: true, do: ping(func(time.Duration) netlab.PingOptions {
		return netlab.PingOptions{Flood: true, Count: 2000, Within: 10 * time.Second}
	})},
	{name: "ping-1ms", title: "ping every ms, average", unit: "µs", less: true, do: ping(every(time.Millisecond))},
	{name: "ping-200ms", title: "ping every 200 ms, average", unit: "µs", less: true, do: ping(every(200 * time.Millisecond))},
	{name: "tcp", title: "TCP from A to B, default offloads", unit: "Gbit/s", do: tcp(netlab.TCPOptions{})},
	{name: "tcp-back", title: "TCP from B to A, default offloads", unit: "Gbit/s", do: tcp(netlab.TCPOptions{Reverse: true})},
	{name: "udp", title: "UDP of 1400 bytes that reaches B, default offloads", unit: "kframes/s", do: udp},
	{name: "frames", title: "60-byte frames that reach B", unit: "kframes/s", do: frames},
	{name: "tcp-off", title: "TCP from A to B, offloads off", unit: "Gbit/s", do: off(tcp(netlab.TCPOptions{}))},
	{name: "tcp-off-back", title: "TCP from B to A, offloads off", unit: "Gbit/s", do: off(tcp(netlab.TCPOptions{Reverse: true}))},
	{name: "udp-off", title: "UDP of 1400 bytes that reaches B, offloads off", unit: "kframes/s", do: off(udp)},
	{name: scaleWork, title: "60-byte frames through a switch of many mem ports"},
}

// What there is where there is no figure.
var (
	errNothing = errors.New("none") // no frame reached the other end
	errConnect = errors.New("never connects")
	errStalls  = errors.New("stalls")
)

// idle does nothing: what matters is the CPU time that goes by.
func idle(h *hosts) (float64, error) {
	time.Sleep(h.time)
	return 0, nil
}

// every pings at an interval for the time of a work, but ten times at least.
func every(gap time.Duration) func(time.Duration) netlab.PingOptions {
	return func(long time.Duration) netlab.PingOptions {
		return netlab.PingOptions{Interval: gap, Count: max(10, int(long/gap))}
	}
}

func ping(options func(time.Duration) netlab.PingOptions) func(*hosts) (float64, error) {
	return func(h *hosts) (float64, error) {
		r := h.a.Ping(addrB, options(h.time))
		if r.Received == 0 {
			return 0, errNothing
		}
		return float64(r.Avg) / float64(time.Microsecond), nil
	}
}

// leastTCP is the rate in bits per second below which a connection is none: its handshake came through, and no data.
const leastTCP = 1e6

func tcp(o netlab.TCPOptions) func(*hosts) (float64, error) {
	return func(h *hosts) (float64, error) {
		r, err := netlab.TCP(h.b, h.a, addrB, h.time, o)
		if err != nil {
			return 0, without(err)
		}
		if r.BitsPerSecond < leastTCP {
			return 0, errStalls
		}
		return r.BitsPerSecond / 1e9, nil
	}
}

// without tells one that never connected from one that did, by iperf3's words.
func without(err error) error {
	if strings.Contains(err.Error(), "unable to connect") {
		return errConnect
	}
	return errStalls
}

// udp sends as much as A can, by iperf3, which needs a TCP connection beside, and counts what B's interface has received: iperf3's own
// count is what a receiver that is short of CPU has read.
func udp(h *hosts) (float64, error) {
	const unlimited = 1e12
	r, err := netlab.UDP(h.b, h.a, addrB, h.time, netlab.UDPOptions{BitsPerSecond: unlimited})
	if err != nil {
		return 0, without(err)
	}
	if r.Received == 0 {
		return 0, errStalls
	}
	return float64(r.Far) / h.time.Seconds() / 1e3, nil
}

func off(do func(*hosts) (float64, error)) func(*hosts) (float64, error) {
	return func(h *hosts) (float64, error) {
		h.a.NoOffloads(ifname)
		h.b.NoOffloads(ifname)
		return do(h)
	}
}

// frames sends as many as it can, and counts those that B's interface has received.
func frames(h *hosts) (float64, error) {
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
		h.t.Fatalf("flood: %v", err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }()
	const warmUp = 200 * time.Millisecond
	time.Sleep(warmUp)
	before, start := h.b.LinkStats(ifname).RxPackets, time.Now()
	time.Sleep(h.time)
	arrived, took := h.b.LinkStats(ifname).RxPackets-before, time.Since(start)
	cancel()
	if err := <-done; err != nil {
		h.t.Fatalf("flood: %v", err)
	}
	if arrived == 0 {
		return 0, errNothing
	}
	return float64(arrived) / took.Seconds() / 1e3, nil
}
