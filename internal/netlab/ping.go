//go:build linux

// ping.

package netlab

import (
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

// PingOptions say how to ping. The zero value sends three, 10 ms apart.
type PingOptions struct {
	Count        int           // how many; 0: 3
	Size         int           // payload, in bytes; 0: 56. Add 28 for the IPv4 packet, 48 for IPv6
	Interval     time.Duration // 1 ms or more, in whole ms; 0: 10 ms
	Flood        bool          // the next one as soon as an answer is there, or in 10 ms: no Interval
	Wait         time.Duration // for the last answer; 0: 1 s
	Within       time.Duration // for all of it, in whole seconds, below 20 s; 0: no limit
	DontFragment bool          // never in fragments: Size has to fit the path's MTU
}

// PingResult is what came back.
type PingResult struct {
	Sent, Received int
	Min, Avg, Max  time.Duration // round trips; 0 if nothing came back
}

// Loss is the share that did not come back, from 0 to 1.
func (r PingResult) Loss() float64 {
	if r.Sent == 0 {
		return 0
	}
	return 1 - float64(r.Received)/float64(r.Sent)
}

// Ping pings an address from the namespace. That nothing comes back is no failure: it is in the result.
func (n *Namespace) Ping(addr string, o PingOptions) PingResult {
	n.t.Helper()
	need.Program(n.t, "ping")
	if o.Count == 0 {
		o.Count = 3
	}
	if o.Size == 0 {
		o.Size = 56
	}
	if o.Interval == 0 {
		o.Interval = 10 * time.Millisecond
	}
	if o.Wait == 0 {
		o.Wait = time.Second
	}
	seconds := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
	args := []string{"-n", "-q", "-c", strconv.Itoa(o.Count), "-s", strconv.Itoa(o.Size), "-W", seconds(o.Wait)}
	if o.Flood {
		args = append(args, "-f")
	} else {
		args = append(args, "-i", seconds(o.Interval))
	}
	if o.Within > 0 {
		args = append(args, "-w", strconv.Itoa(int(o.Within.Seconds())))
	}
	if o.DontFragment {
		args = append(args, "-M", "do")
	}
	out, err := output(n.Command("ping", append(args, addr)...))
	var exit *exec.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) { // 1: no answer
		n.t.Fatalf("%v", err)
	}
	r, err := parsePing(out)
	if err != nil {
		n.t.Fatalf("ping %s from %s: %v", addr, n.label, err)
	}
	return r
}

// WaitPing pings an address until it answers, so that what is between is known to be ready. It reports whether it did
// in time.
func (n *Namespace) WaitPing(addr string, within time.Duration) bool {
	n.t.Helper()
	for end := time.Now().Add(within); ; {
		r := n.Ping(addr, PingOptions{Count: 1, Wait: 200 * time.Millisecond})
		if r.Received > 0 {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(20 * time.Millisecond) // ping may have failed at once
	}
}

var (
	pingCounts = regexp.MustCompile(`(\d+) packets transmitted, (\d+) received`)
	pingTimes  = regexp.MustCompile(`rtt min/avg/max/mdev = ([\d.]+)/([\d.]+)/([\d.]+)/[\d.]+ ms`)
)

// parsePing reads ping's summary, as iputils prints it.
func parsePing(out string) (r PingResult, err error) {
	m := pingCounts.FindStringSubmatch(out)
	if m == nil {
		return r, fmt.Errorf("no summary in %q", out)
	}
	// What matches is a number; one that does not fit is a nonsense that shows.
	r.Sent, _ = strconv.Atoi(m[1])
	r.Received, _ = strconv.Atoi(m[2])
	if m = pingTimes.FindStringSubmatch(out); m != nil {
		for i, d := range []*time.Duration{&r.Min, &r.Avg, &r.Max} {
			ms, err := strconv.ParseFloat(m[i+1], 64)
			if err != nil {
				return r, fmt.Errorf("%q is not a time: %w", m[i+1], err)
			}
			*d = time.Duration(ms * float64(time.Millisecond))
		}
	}
	return r, nil
}
