// Misuse: what is said in a panic about a handle.

package pool

import "fmt"

// misuse panics with the rule that was broken, b's pool and slot, and, if it is tracked, where it
// was taken and given back.
func (b Buffer) misuse(rule string) {
	msg := fmt.Sprintf("pool: %s: %v", rule, b)
	if p := pools[b.slot>>slotBits].Load(); p != nil {
		msg += p.track.story(b)
	}
	panic(msg)
}

// dead panics about a handle that is not live.
//
//go:noinline
func (b Buffer) dead() {
	p := pools[b.slot>>slotBits].Load()
	switch {
	case b.IsZero():
		b.misuse("use of the zero Buffer")
	case p != nil && int32(b.gen-p.firstGen) < 0:
		b.misuse("use of a buffer after its pool was closed (another pool has taken its place)")
	case p == nil || int(b.slot&slotMask) >= len(p.slots) && !p.closed.Load():
		b.misuse("not a handle of any pool")
	case p.closed.Load() && len(p.slots) == 0:
		b.misuse("use of a buffer after its pool was closed")
	}
	b.misuse("use of a buffer after it was released (or released twice)")
}

// badPut panics about a handle that p can't take back.
//
//go:noinline
func (p *Pool) badPut(b Buffer) {
	b.live() // a dead handle is what is said first
	b.misuse(fmt.Sprintf("buffer given back to pool %q, which it is not from", p.config.Name))
}

// corrupt panics about a free slot that is out at the same time: two goroutines
// released one handle at once, or two Caches are copies of each other.
//
//go:noinline
func (p *Pool) corrupt(i uint32) {
	b := Buffer{slot: p.id | i, gen: p.slots[i].gen}
	b.misuse("buffer handed out that is still in use (it was released twice at the same time, or a Cache was copied)")
}
