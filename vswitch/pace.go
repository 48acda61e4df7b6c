// Pace: at what time a frame may go.

package vswitch

import (
	"fmt"
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
}

// due returns when b may go, and counts it as gone.
func (p *pacer) due(b pool.Buffer) time.Time {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	return p.start.Add(p.offset(b))
}

func (p *pacer) offset(b pool.Buffer) time.Duration {
	var seconds float64
	switch {
	case p.Speed > 0:
		return time.Duration(float64(p.captured(b)) / p.Speed)
	case p.Rate.PPS > 0:
		seconds = p.frames / p.Rate.PPS
	case p.Rate.BPS > 0:
		seconds = p.bits / p.Rate.BPS
	}
	p.frames++
	p.bits += float64(b.Len()) * 8
	return time.Duration(seconds * float64(time.Second))
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
