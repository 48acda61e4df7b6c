// Pace: when a frame is due.

package gen

import (
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// pace says how many frames are due, by a monotonic clock that runs from the first
// time that anybody asks.
type pace struct {
	on bool
	// perSecond is how many units become due in a second. A unit is a frame, or a bit of one.
	perSecond float64
	bits      bool
	start     time.Time // the zero Time until somebody asks
	// gone is how many units have been handed out since start, with those that were skipped. The next
	// frame is due once that many have become due: the first one at once.
	gone uint64
}

func newPace(r port.Rate) pace {
	if r.BPS > 0 {
		return pace{on: true, perSecond: r.BPS, bits: true}
	}
	return pace{on: r.PPS > 0, perSecond: r.PPS}
}

// maxWait bounds a sleep, so that no rate is too small to be computed with.
const maxWait = time.Hour

// until returns how many units have become due after d.
func (p *pace) until(d time.Duration) uint64 {
	units := d.Seconds() * p.perSecond
	if units >= 1<<62 {
		return 1 << 62 // more than can be handed out
	}
	return uint64(units)
}

func (p *pace) elapsed() time.Duration {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	return time.Since(p.start)
}

// due returns how many of the next n frames, the first of which is number seq, are due after d.
func (p *pace) due(d time.Duration, n int, seq uint64, f *frames) int {
	now := p.until(d)
	if now < p.gone {
		return 0
	}
	if second := p.until(time.Second); now-p.gone > second {
		p.gone = now - second
	}
	if !p.bits {
		return int(min(uint64(n), now-p.gone+1))
	}
	units, k := p.gone, 0
	for ; k < n && units <= now; k++ {
		units += 8 * uint64(len(f.template(seq+uint64(k)).frame))
	}
	return k
}

// took counts bufs as handed out.
func (p *pace) took(bufs []pool.Buffer) {
	if !p.bits {
		p.gone += uint64(len(bufs))
		return
	}
	for _, b := range bufs {
		p.gone += 8 * uint64(b.Len())
	}
}

// wait returns how long it is, after d, until the next frame is due: 0 if it is.
func (p *pace) wait(d time.Duration) time.Duration {
	if p.until(d) >= p.gone {
		return 0
	}
	at := float64(p.gone) / p.perSecond * float64(time.Second)
	if at >= float64(d+maxWait) {
		return maxWait
	}
	return max(time.Duration(at)-d, 1) // at least a little, if rounding says otherwise
}
