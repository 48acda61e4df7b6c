// Looking again: what a receiver does before it goes to sleep.

package vswitch

import (
	"time"

	"github.com/ringway-net/ringway/cpu"
)

// looker decides whether a receiver that found nothing looks again at once. On a busy path the next frames are there sooner than one is
// asleep and woken again, which costs the sender of the frames as much as the receiver; on an idle one looking is for nothing.
// So it looks for as long as the window is, but only once a sleep has turned out to be shorter than that; and no more, once it has
// looked for a whole window in vain.
type looker struct {
	window time.Duration
	worth  bool
	since  time.Time // when it found the last frames, or went to sleep
}

// again reports whether to look again, after n frames were found.
func (l *looker) again(n int) bool {
	if n > 0 {
		l.since = time.Time{}
		return true
	}
	if l.window == 0 {
		return false
	}
	now := time.Now()
	if l.since.IsZero() {
		l.since = now
	}
	if l.worth {
		if now.Sub(l.since) < l.window {
			cpu.Pause(lookPause)
			return true
		}
		l.worth, l.since = false, now
	}
	return false
}

// woken says that a sleep has ended.
func (l *looker) woken() { l.worth = l.window > 0 && time.Since(l.since) < l.window }

// DefaultLookAgain is for how long a receiver of a Switch looks for more by default.
const DefaultLookAgain = 50 * time.Microsecond

// lookPause is between two looks, in rounds of cpu.Pause: about a microsecond.
const lookPause = 30
