// Runs: how the operations of an MPMC ring tell each other what they have done.
//
// A run is what one operation has claimed, slots side by side. When it is done with them it says so by one store: the
// mark of its first slot tells where the run ends, and whether it is items now or free slots. The next
// operation of the other side begins where the last one of its own has ended, and so at the beginning of a run or
// within one; it follows the marks from run to run as far as it needs, and if it leaves a part of the last one it
// tells those who come after it where that ends (seen). So a burst is published and found as one thing, whatever its length,
// and a single item costs what it does in Vyukov's ring (1024cores.net, "Bounded MPMC queue"), which has a
// stamp per slot: the case of runs of one.

package ring

import (
	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
)

// side is what the producers share, or the consumers. Positions count items: 0 to 1<<62, and at a billion a
// second that lasts 146 years. What the producers of a ring of capacity c call position p+c, the consumers call p: a slot
// is the producers' again one lap after it was theirs.
type side struct {
	_ cpu.Pad
	// claimed is where the next operation begins. In the producers' there is closedBit too, so
	// that closing and claiming have an order: no push begins after Close.
	claimed atomic.Uint64
	// seen is where the last run ends that an operation has found and not claimed to its end. While it is beyond
	// claimed, what is in between can be claimed without a look; otherwise a run begins at claimed. It is never set back.
	seen atomic.Uint64
	_    cpu.Pad
}

// closedBit in tail.claimed says that the ring is closed. It makes a position of it where no run begins: there is
// nothing to claim.
const closedBit = 1 << 63

// What a run is.
const (
	room  = 0 // free slots, for the producers
	items = 1 // for the consumers
)

// runs are the marks of a ring.
type runs struct {
	marks []atomic.Uint64 // per slot: end<<1 | room or items; 0, as they are at first, is no mark
	limit uint64          // the capacity
}

func (r *runs) mark(pos uint64) *atomic.Uint64 { return &r.marks[pos&uint64(len(r.marks)-1)] }

// publish says that the slots from pos to end-1 are what kind says, for the other side.
func (r *runs) publish(pos, end, kind uint64) { r.mark(pos).Store(end<<1 | kind) } // P1, C2

// end returns where the run of this kind ends that begins at pos, or pos if there is none. The slot may have a
// mark of another lap: the end of an earlier one is not behind pos, that of a later one too far.
func (r *runs) end(pos, kind uint64) uint64 {
	if len(r.marks) == 0 {
		return pos // the zero MPMC
	}
	m := r.mark(pos).Load() // C1, P2
	if end := m >> 1; m&1 == kind && end-pos-1 < r.limit {
		return end
	}
	return pos
}

// lookahead is how many slots a claim of fewer looks for, to spare the next ones the same: the marks of small runs
// lie on lines that the other side is just writing to, and that want to be looked at seldom.
const lookahead = 64

// follow goes from run to run, from the one that begins at pos until it is at until or beyond or there are no
// more, and returns where it is then.
func (r *runs) follow(pos, until, kind uint64) uint64 {
	for pos < until {
		end := r.end(pos, kind)
		if end == pos {
			break
		}
		pos = end
	}
	return pos
}

// claim claims up to n slots for s, and returns where they begin and how many they are; if they are
// fewer than atLeast it leaves all as it is and returns 0.
func (r *runs) claim(s *side, n, atLeast, kind uint64) (pos, k uint64) {
	for {
		pos = s.claimed.Load()
		// In this order: if seen is not beyond pos now, it was not when claimed was pos, and a run begins there.
		seen := s.seen.Load()
		next := max(seen, pos)
		if next-pos < n {
			next = r.follow(next, pos+max(n, lookahead), kind)
		}
		k = min(n, next-pos)
		if k == 0 || k < atLeast {
			if s.claimed.Load() != pos {
				continue // what was looked at may be over, and its marks overwritten
			}
			return pos, 0
		}
		// Something is left: who claims it must know where a run ends, before a claim ends within one.
		if next > pos+k && next != seen && !s.seen.CompareAndSwap(seen, next) {
			continue
		}
		if s.claimed.CompareAndSwap(pos, pos+k) {
			return pos, k
		}
	}
}

// more reports whether there is something to claim for s.
func (r *runs) more(s *side, kind uint64) bool {
	pos := s.claimed.Load() &^ closedBit
	return s.seen.Load() > pos || r.end(pos, kind) != pos
}
