// Package patience bounds how long is tried again what found no room: the system doesn't always tell when there is some.
package patience

import "time"

const (
	// DefaultBound is how long there may be no room, for those whose users have no say in it.
	DefaultBound = 20 * time.Millisecond
	// Every is how often is tried again where the system tells nothing (ENOBUFS).
	Every = 100 * time.Microsecond
)

// Patience is how long there has been no room, and whether that has been too long. The zero Patience has the default bound. It
// belongs to one goroutine at a time.
type Patience struct {
	// Bound is how long there may be no room. 0: DefaultBound.
	Bound time.Duration

	since time.Time // when none was found first; zero if there is some
	tries int
	over  bool
}

// Full notes that there is no room, and reports whether there has been none for so long that what is waiting is to be given up. It
// stays so until Room.
func (p *Patience) Full() (over bool) {
	now := time.Now()
	if p.since.IsZero() {
		p.since = now
	}
	p.tries++
	p.over = now.Sub(p.since) >= p.bound()
	return p.over
}

func (p *Patience) bound() time.Duration {
	if p.Bound == 0 {
		return DefaultBound
	}
	return p.Bound
}

// Room notes that there is some.
func (p *Patience) Room() { p.since, p.tries, p.over = time.Time{}, 0, false }

// Tries returns how often in a row there was none.
func (p *Patience) Tries() int { return p.tries }

// End returns when the time is over for which it is worth waiting. It is not ok if there is room, or that time is over.
func (p *Patience) End() (end time.Time, ok bool) {
	if p.tries == 0 || p.over {
		return time.Time{}, false
	}
	return p.since.Add(p.bound()), true
}
