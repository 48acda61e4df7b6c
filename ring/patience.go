// Patience: how long a waiting end of an SPSC ring lets the other one work before it looks again.

package ring

import (
	"runtime"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
)

const (
	// DefaultPatience is what NewSPSC goes by without the option: about 0.4 µs on an AMD Zen 5.
	DefaultPatience = 16

	// mostEnough is how many items or free slots are enough for a look to have been worth it. Each look takes the
	// line of the other end's position away from it, which costs that end a hundred nanoseconds or so.
	mostEnough = 64
)

// Option is a choice of how a ring behaves.
type Option func(*options)

type options struct{ patience uint32 }

// Patience is the most rounds of cpu.Pause, 0 to cpu.MaxPause, that a waiting call of an SPSC ring
// (Push, Pop, ReserveWait, PeekWait, All) lets pass before it looks again, and so what it adds to the latency
// of an item at most. It pauses so only while a stream trickles: when the last looks brought several items
// each, but few. A single item now and then is answered at once, and who finds nothing spins, yields and
// sleeps as ever.
//
// The default is DefaultPatience. 0 is for the lowest latency whatever the load, at the price of two or three times
// the time an item. More than cpu.MaxPause counts as that.
func Patience(rounds uint32) Option {
	return func(o *options) { o.patience = min(rounds, cpu.MaxPause) }
}

func applied(os []Option) options {
	o := options{patience: DefaultPatience}
	for _, f := range os {
		f(&o)
	}
	return o
}

// pacer is the patience of one end.
type pacer struct {
	most   uint32
	now    uint32 // rounds before the next look; 0 if pausing is of no use
	enough uint64 // what a look must find to be worth it
}

// newPacer is for an end of a ring of that capacity. Half of a small ring is enough: who lets it fill up
// (or run dry) makes the other end wait too.
func newPacer(capacity int, o options) pacer {
	return pacer{most: o.patience, enough: min(mostEnough, uint64(capacity+1)/2)}
}

// look pauses and returns what find has found then. It is for an end that has just looked and found nothing.
func (p *pacer) look(find func(enough uint64) uint64) (n uint64) {
	// Explored, a pause changes nothing: the schedule decides who goes on.
	if interleave.On {
		return 0
	}
	if p.now == 0 {
		return 0
	}
	cpu.Pause(p.now)
	n = find(p.enough)
	switch {
	case n == 0:
		p.now = 0
	case n == 1: // no stream: an answer to something, perhaps
		p.now = max(1, p.now/2)
	case n < p.enough:
		p.now = min(2*p.now, p.most)
	}
	return n
}

// woken is for an end that has waited without patience, and has found n items or free slots in the end: several are
// a stream.
func (p *pacer) woken(n uint64) {
	if n > 1 && runtime.GOMAXPROCS(0) > 1 { // with one processor the other end does nothing while we pause
		p.now = min(1, p.most)
	}
}
