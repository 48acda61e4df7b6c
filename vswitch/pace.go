// Pace: at what time a frame may go.

package vswitch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// Pace says how fast frames go. The zero Pace is as fast as they can.
type Pace struct {
	// Speed is a factor on the capture's own clock: frames go at the distances in time in
	// which they were captured, divided by Speed. 0 is not by that clock.
	Speed float64
	// Rate is how many frames or bits a second go, spread evenly.
	Rate port.Rate
}

// ParsePace reads a pace: "original", a factor such as 2x (or 2×), or a rate
// such as 10kpps or 100Mbit/s. The error wraps port.ErrValue.
func ParsePace(text string) (Pace, error) {
	if text == "original" {
		return Pace{Speed: 1}, nil
	}
	for _, times := range []string{"x", "×"} {
		if number, ok := strings.CutSuffix(text, times); ok {
			v, err := strconv.ParseFloat(number, 64)
			if err != nil || !(v >= 1e-6 && v <= 1e6) {
				break
			}
			return Pace{Speed: v}, nil
		}
	}
	rate, err := port.ParseRate(text)
	if err != nil {
		return Pace{}, fmt.Errorf("%w: pace %q, want original, a factor from 0.000001x to 1000000x, or a rate such as 10kpps or 100Mbit/s", port.ErrValue, text)
	}
	return Pace{Rate: rate}, nil
}

// maxBehind is how far frames may be behind their time and still be caught up with: after
// a longer stall of the way out, the clock of the pace goes on from where it was left, so that
// the stall isn't followed by a flood.
const maxBehind = time.Second

// pacer computes the time for each frame from the start, not from the frame before it, so that
// what timers are late by never adds up.
type pacer struct {
	Pace
	start time.Time // the moment to which offsets are added; moved by stalls

	frames, bits float64 // gone so far; exact up to 1<<53

	// By the capture's clock: elapsed is the capture's time since its first
	// frame, and goes on when a pass over a file follows another.
	elapsed        int64 // ns
	first, highest int64 // capture times of this pass, ns
	ahead          int   // frames to receive at a time
}

// allow returns how many frames may be received now, or, if none, from when on. By a rate, they are
// those that are due; by the capture's clock, a frame has to be received to know when it
// is, so it is one, and more if the last ones were late.
func (p *pacer) allow(now time.Time) (n int, from time.Time) {
	if p.start.IsZero() {
		p.start = now
	}
	if p.Speed > 0 {
		return max(1, p.ahead), now
	}
	due := p.start.Add(p.next())
	if due.After(now) {
		return 0, due
	}
	p.behind(due, now)
	late := now.Sub(p.start.Add(p.next())).Seconds()
	more := late * p.Rate.PPS
	if p.Rate.BPS > 0 && p.frames > 0 {
		more = late * p.Rate.BPS / (p.bits / p.frames) // as many of average length
	}
	return 1 + int(min(more, burst-1)), now
}

// next returns when the next frame is due by a rate, from the start.
func (p *pacer) next() time.Duration {
	if p.Rate.PPS > 0 {
		return duration(p.frames / p.Rate.PPS * float64(time.Second))
	}
	return duration(p.bits / p.Rate.BPS * float64(time.Second))
}

// gone counts bufs as gone.
func (p *pacer) gone(bufs []pool.Buffer) {
	p.frames += float64(len(bufs))
	for _, b := range bufs {
		p.bits += float64(b.Len()) * 8
	}
}

// due returns when b may go by the capture's clock.
func (p *pacer) due(b pool.Buffer) time.Time {
	return p.start.Add(duration(float64(p.captured(b)) / p.Speed))
}

// duration is ns as a Duration, the longest there is if it is longer.
func duration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

// captured returns the capture's time at b since its first frame, in ns. Frames out of
// order don't turn it back; one that is not later than the first of its pass begins another pass.
func (p *pacer) captured(b pool.Buffer) int64 {
	m, ok := b.Meta()
	switch {
	case !ok || m.Time == 0: // without a time of its own: with the one before it
	case p.highest == 0 || m.Time <= p.first:
		p.first, p.highest = m.Time, m.Time
	case m.Time > p.highest:
		p.elapsed += m.Time - p.highest
		p.highest = m.Time
	}
	return p.elapsed
}

// behind moves the clock if the frame that was due at due is too late.
func (p *pacer) behind(due, now time.Time) {
	if late := now.Sub(due) - maxBehind; late > 0 {
		p.start = p.start.Add(late)
	}
}
