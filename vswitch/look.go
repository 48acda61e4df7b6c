// Looking for more before falling asleep, here and at those who may be about to answer.

package vswitch

import (
	"runtime"
	"time"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
)

// DefaultLookAgain is for how long a receiver looks for more before it sleeps, by default, of a live port or a switch: some frames' time on a busy path.
const DefaultLookAgain = 60 * time.Microsecond

const (
	// maxLooks is at how many ports one receiver looks.
	maxLooks = 4
	// certain is how often in a row looking may be in vain before it is left out for a while: where every other time is, as with
	// questions that come far apart and are answered soon, the next one may not be.
	certain = 1
	// maxDoubt is the binary logarithm of how many sleeps pass without looking, at most.
	maxDoubt = 7
	// lease is how long one has others' turns before they get a chance to have them back, and Go's scheduler hears of it: the first time, and
	// from then on.
	firstLease = 200 * time.Microsecond
	lease      = 5 * time.Millisecond
)

// look looks for frames before r sleeps, and moves them. It reports whether that is because they are many. On a busy path the next ones are
// there sooner than one is asleep and woken again, which costs the sender of the frames as much as the receiver.
//
// It looks not only at r's own port but also at those that it has just sent to, whose receivers sleep: it has their turns
// meanwhile, and they are muted. So it takes one goroutine that is awake to see question and answer through, where two that look would take
// each other's processor and the stations', and two that sleep would have to be woken each time.
//
// A first look is for free, since many a system answers while it is being sent to. From then on it is a bet, see doubt; and
// between looks others have the processor. One processor is left to those who have something to do.
func (r *receiver) look() (many bool) {
	if r.window == 0 {
		return false
	}
	l := look{at: [maxLooks]*receiver{r}, n: 1}
	defer l.end()
	for n := 1; n > 0; r.moves++ {
		l.borrow()
		if n, many = l.move(); many || n > 0 && r.moves >= movesAlone {
			return true
		}
	}
	if !r.doubt.looks() {
		return false
	}
	defer looking.Add(-1)
	if int(looking.Add(1)) >= runtime.GOMAXPROCS(0) {
		return false
	}
	l.mute()
	found := false
	defer func() { r.doubt.learn(found) }()
	since := time.Now()
	over := since.Add(firstLease)
	for r.soft.Err() == nil {
		n, many := l.move()
		now := time.Now()
		if interleave.On {
			since, over = time.Time{}, now // a schedule has no time: one look is enough, and one lease
		}
		switch {
		case many:
			found = true
			return true
		case n > 0:
			found = true
			since = now
			l.borrow()
		case now.Sub(since) >= r.window:
			return false
		default:
			yield()
		}
		if now.After(over) {
			l.end()
			letOthers()
			l.borrow()
			l.mute()
			over = now.Add(lease)
		}
	}
	return false
}

// looking is how many receivers look, of all in the program.
var looking atomic.Int32

// look is where a receiver looks: at itself, and at others whose turns it has.
type look struct {
	at    [maxLooks]*receiver
	n     int
	muted bool
}

// borrow takes the turns of those near.
func (l *look) borrow() {
	for _, r := range l.at[:l.n] {
		for _, other := range r.near {
			if l.n < maxLooks && other != nil && other.lend() {
				if l.muted {
					other.sleeper.MuteRx(true)
				}
				l.at[l.n] = other
				l.n++
			}
		}
	}
}

// mute has those whose turns it has sleep on, whatever comes.
func (l *look) mute() {
	l.muted = true
	for _, r := range l.at[1:l.n] {
		r.sleeper.MuteRx(true)
	}
}

// end gives the turns back.
func (l *look) end() {
	for _, r := range l.at[1:l.n] {
		r.sleeper.MuteRx(false) // the port may have more to say than it wakes anybody for
		r.turn.Unlock()         // L1
	}
	l.n, l.muted = 1, false
}

// move moves a burst from each port, and returns how many frames that were. The answers come first. It is also many when one
// of them has something else to do than to wait for frames.
func (l *look) move() (n int, many bool) {
	for i := l.n - 1; i >= 0; i-- {
		r := l.at[i]
		k, err := r.move()
		n += k
		if err != nil {
			if r.fault = err; i > 0 {
				r.rouse()
			}
		}
		if k > few || err != nil || r.soft.Err() != nil {
			return n, true
		}
	}
	return n, false
}

// doubt is whether to look, by how it went before: after it was in vain some times, it is left out before the next try, each time
// for twice as many sleeps.
type doubt struct {
	vain uint // times in a row
	skip uint // sleeps that are left
}

func (d *doubt) looks() bool {
	if d.skip > 0 {
		d.skip--
		return false
	}
	return true
}

func (d *doubt) learn(found bool) {
	switch {
	case found:
		d.vain = 0
	case d.vain < maxDoubt:
		d.vain++
	}
	if d.vain > certain {
		d.skip = 1 << d.vain
	}
}
