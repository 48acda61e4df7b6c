// Runs: how the operations of an MPMC ring tell each other what they have done.
//
// A run is what one operation has claimed, slots side by side. When it is done with them it says so by one store: the
// mark of its first slot tells where the run ends, and whether it is items now or free slots. The next
// operation of the other side begins where the last one of its own has ended, and so at the beginning of a run or
// within one; it follows the marks from run to run as far as it needs, and keeps the end of the last one it found
// (seen) for those who come after it. So a burst is published and found as one thing, whatever its length,
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
//
//	head.claimed <= head.seen <= tail.claimed <= tail.seen <= head.claimed+capacity
type side struct {
	_ cpu.Pad
	// claimed is where the next operation begins. In the producers' there is closedBit too, so
	// that closing and claiming have an order: no push begins after Close.
	claimed atomic.Uint64
	// seen is where the last run ends that somebody of this side has found: a beginning of a run of the
	// other side, and never set back.
	seen atomic.Uint64
	_    cpu.Pad
}

// closedBit in tail.claimed says that the ring is closed.
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

// end returns where the run of this kind ends that begins at pos, or pos if there is none. A slot whose
// operation was not the first of a run since has a mark of an earlier lap; the end of that is not behind pos.
func (r *runs) end(pos, kind uint64) uint64 {
	if len(r.marks) == 0 {
		return pos // the zero MPMC
	}
	m := r.mark(pos).Load() // C1, P2
	if end := m >> 1; m&1 == kind && end > pos {
		return end
	}
	return pos
}

// lookahead is by how many slots look looks farther than it must, to spare the next operations the same.
const lookahead = 63

// look moves s.seen from run to run until it is n slots behind pos or there are no more, and returns how many
// slots behind pos it is then. pos is what s.claimed was.
func (r *runs) look(s *side, pos, n, kind uint64) uint64 {
	for {
		seen := s.seen.Load()
		next := seen
		for next-pos < n+lookahead {
			end := r.end(next, kind)
			if end == next {
				break
			}
			next = end
		}
		// A seen that has moved on meanwhile may have been the beginning of a run that is over: its mark was
		// somebody else's by then.
		if next == seen && s.seen.Load() == seen || next != seen && s.seen.CompareAndSwap(seen, next) {
			return next - pos
		}
	}
}

// claim claims up to n slots for s, and returns where they begin and how many they are; if they are
// fewer than atLeast it leaves all as it is and returns 0. There were no more at the moment when look
// found no run, or there are fewer still because others have claimed some.
func (r *runs) claim(s *side, n, atLeast, kind uint64) (pos, k uint64) {
	for {
		pos = s.claimed.Load()
		if pos&closedBit != 0 {
			return pos, 0
		}
		k = s.seen.Load() - pos // not negative: seen was loaded later, and is never behind claimed
		if k < n {
			if k = r.look(s, pos, n, kind); k == 0 || k < atLeast {
				return pos, 0
			}
			k = min(k, n)
		} else {
			k = n
		}
		if s.claimed.CompareAndSwap(pos, pos+k) {
			return pos, k
		}
	}
}

// more reports whether there is something to claim for s.
func (r *runs) more(s *side, kind uint64) bool {
	pos := s.claimed.Load() &^ closedBit
	seen := s.seen.Load()
	return seen != pos || r.end(seen, kind) != seen
}
