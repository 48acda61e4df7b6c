// Looking again: what a receiver does before it goes to sleep.

package vswitch

import (
	"runtime"
	"time"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
)

// DefaultLookAgain is for how long a receiver of a live port looks for more before it sleeps, by default: some frames' time on a busy path.
const DefaultLookAgain = 20 * time.Microsecond

const (
	// shortSleep is a sleep after which it seems worth it: what falling asleep and being woken takes, or a little more.
	shortSleep = 100 * time.Microsecond
	// lookPause is between two looks, in rounds of cpu.Pause: less than a microsecond.
	lookPause = 16
	// maxDoubt is the binary logarithm of how many sleeps pass, at most, after looking was in vain several times, before the next try.
	maxDoubt = 7
)

// looker decides whether a receiver that found nothing looks again at once. On a busy path the next frames are there sooner than one is
// asleep and woken again, which costs the sender of the frames as much as the receiver; on an idle one looking is for nothing.
// So it looks only if it slept for a short time before; and each time that this was in vain, it sleeps twice as often before it tries
// again. One processor is left to those who have something to do.
type looker struct {
	window time.Duration // how long it looks; 0 is never
	looks  bool          // it is one of looking
	doubt  uint          // how often in a row looking was in vain
	skip   uint          // sleeps that are left before the next try
	short  bool          // the last sleep was
	since  time.Time     // when it first found nothing
}

// looking is how many receivers look, of all in the program.
var looking atomic.Int32

// again reports whether to look again, after n frames were found; if not, it is time to sleep.
func (l *looker) again(n int) bool {
	switch {
	case n > 0:
		if l.looks {
			l.stop()
			l.doubt = 0
		}
		l.since = time.Time{}
		return true
	case l.window == 0:
		return false
	}
	now := time.Now()
	if l.since.IsZero() {
		l.since = now
		l.begin()
	}
	if !l.looks {
		return false
	}
	if now.Sub(l.since) < l.window {
		cpu.Pause(lookPause)
		return true
	}
	l.stop()
	l.doubt = min(l.doubt+1, maxDoubt)
	l.skip = 1 << l.doubt
	l.since = now
	return false
}

// woken says that a sleep has ended.
func (l *looker) woken() {
	l.short = l.window > 0 && time.Since(l.since) < shortSleep
	if l.skip > 0 {
		l.skip--
	}
	l.since = time.Time{}
}

func (l *looker) begin() {
	if !l.short || l.skip > 0 {
		return
	}
	if int(looking.Add(1)) < runtime.GOMAXPROCS(0) {
		l.looks = true
	} else {
		looking.Add(-1)
	}
}

// stop says that the receiver has something to do, or goes.
func (l *looker) stop() {
	if l.looks {
		l.looks = false
		looking.Add(-1)
	}
}
