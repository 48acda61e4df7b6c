// The state of a slot: its generation and how many share it.

package pool

import "github.com/ringway-net/ringway/internal/atomic"

// slotState is what is kept per slot, packed: eight slots share a line of 64 bytes.
type slotState struct {
	// gen is odd while the slot is out and even while it is free; a handle has the
	// generation with which it was taken, and is dead when the two differ. After 1<<31
	// turns of one slot a handle kept all the while would be taken for live.
	//
	// Written by the slot's owner alone, as a plain field: whoever is the owner got the slot
	// through an atomic that came after the last owner's write. A holder of a dead handle
	// that reads it at the same time as the owner writes is a race, and reported as one.
	gen uint32

	// extra is how many owners there are beside the first, 0 to 1<<31-1. Owners that give up
	// their share decrement it, and the one that finds it at 0 is the last.
	extra atomic.Int32
}

func (s *slotState) shared() bool { return s.extra.Load() != 0 }

// drop gives up one share and reports whether it was the last. The last owner's
// load or Add sees the Adds of all the others (R1), and so what they did to the buffer
// before.
func (s *slotState) drop() bool {
	if s.extra.Load() == 0 { // R1
		return true // sole owner: a plain load instead of a locked decrement
	}
	if s.extra.Add(-1) >= 0 { // R1
		return false
	}
	s.extra.Store(0)
	return true
}
