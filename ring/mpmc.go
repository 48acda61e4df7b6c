// MPMC: any number of producers and consumers.
//
// Vyukov's bounded queue (1024cores.net, "Bounded MPMC queue"): each slot has a stamp
// that says whose turn it is, and a position is claimed with one
// compare-and-swap. Positions count laps and slots apart, as in Rust's crossbeam
// ArrayQueue, so that capacities are exact and a capacity of 1 works; and a burst
// claims several slots, all found ready, with one compare-and-swap.
//
// A position is lap<<lapShift | index. The stamp of a slot is
//
//	pos                  free, for the push that claims pos
//	pos + 1              holds the item that was pushed at pos
//	pos + one lap        free again, for the push one lap later
//
// and it only grows. So a slot found ready for pos stays ready until the one who
// moves tail (or head) past pos has used it; a failed compare-and-swap is the only
// way to lose it, and then another operation has succeeded.
//
// The edges:
//
//	P1  pusher stores slot.stamp = pos+1         after it wrote the item     publishes the item
//	C1  popper loads slot.stamp = pos+1          before it reads the item    sees P1
//	C2  popper stores slot.stamp = pos+one lap   after it cleared the item   publishes room
//	P2  pusher loads slot.stamp = pos            before it writes the item   sees C2

package ring

import (
	"context"
	"iter"
	"math/bits"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/park"
)

// MPMC is a bounded queue for any number of producers and consumers. Items that
// one goroutine pushes come out in the order in which it pushed them.
//
// Progress: no operation waits for another one to go on, except those that say so (and
// that waking a sleeper takes a lock, held for a few instructions).
// It is not lock-free in the strict sense: a pusher that is stopped between its claim and
// its publication hides its items and those that were pushed after them, until it goes
// on; a popper stopped in the middle keeps its slots from being used again, and the free
// slots behind them too once the pushers have come round to it. The
// others get "empty" or "full" meanwhile and are free to do something else; the waiting
// calls sleep and are woken when the stopped goroutine has finished. Nothing spins
// on it.
//
// It comes from NewMPMC and must not be copied, which go vet reports. The zero MPMC has no room and
// no items, and a Push or Pop on it panics where it would wait for ever; a nil one is a nil
// dereference.
type MPMC[T any] struct {
	_ cpu.Pad

	// Written never, or almost never.
	slots    []slot[T]
	pointers bool // popped slots must be cleared
	lapShift uint8
	notEmpty park.List
	notFull  park.List
	_        cpu.Pad

	// tail is where the next push goes: lap and index, and closedBit. The bit is here
	// so that closing and claiming have an order: no push begins after Close.
	tail atomic.Uint64
	_    cpu.Pad
	head atomic.Uint64 // where the next pop comes from; head <= tail <= head + one lap
	_    cpu.Pad
}

// closedBit in tail says that the ring is closed. Positions have the 63 bits below it,
// which last for 1<<62 items at least: 146 years at a billion a second.
const closedBit = 1 << 63

type slot[T any] struct {
	stamp atomic.Uint64
	item  T
}

// NewMPMC returns a ring that holds up to capacity items, 1 to MaxCapacity. The memory of
// all slots is allocated here, an item and 8 bytes each, and make's panic says so
// where the machine cannot have that much. The error wraps ErrCapacity.
func NewMPMC[T any](capacity int) (*MPMC[T], error) {
	if err := checkCapacity(capacity); err != nil {
		return nil, err
	}
	r := &MPMC[T]{
		slots:    newSlots[slot[T]](capacity),
		pointers: hasPointers[T](),
		// One bit more than the index needs, so that pos+1 is never the
		// stamp that one lap later says "free": with a capacity of 1, Vyukov's counters
		// are the same and a push overwrites the only item.
		lapShift: uint8(bits.Len(uint(capacity))),
	}
	for i := range r.slots {
		r.slots[i].stamp.Store(uint64(i))
	}
	return r, nil
}

func (r *MPMC[T]) lap() uint64 { return 1 << r.lapShift }

func (r *MPMC[T]) index(pos uint64) uint64 { return pos & (r.lap() - 1) }

// after returns the position n items behind pos; n is at most the capacity.
func (r *MPMC[T]) after(pos, n uint64) uint64 {
	i := r.index(pos)
	if i+n < uint64(len(r.slots)) {
		return pos + n
	}
	return pos - i + r.lap() + (i + n - uint64(len(r.slots)))
}

// ready returns how many slots from pos on, up to n, have a stamp that is their position
// plus turn: 0 for a push (P2), 1 for a pop (C1). stale is true if there are no
// more because the ring has moved on from pos.
func (r *MPMC[T]) ready(pos, n, turn uint64) (k uint64, stale bool) {
	i := r.index(pos)
	want := pos + turn
	for k < n {
		if stamp := r.slots[i].stamp.Load(); stamp != want {
			return k, int64(stamp-want) > 0
		}
		k++
		want++
		if i++; i == uint64(len(r.slots)) {
			want += r.lap() - i
			i = 0
		}
	}
	return k, false
}

// claim moves at, the tail (turn 0) or the head (turn 1), past up to n slots that are ready,
// and returns where they begin and how many; if they are fewer than atLeast, it
// leaves all as it is and returns 0.
func (r *MPMC[T]) claim(at *atomic.Uint64, turn, n, atLeast uint64) (pos, k uint64) {
	n = min(n, uint64(len(r.slots)))
	for {
		pos = at.Load()
		if pos&closedBit != 0 {
			return pos, 0
		}
		k, stale := r.ready(pos, n, turn)
		if stale {
			continue // somebody else has moved on since the load
		}
		if k == 0 || k < atLeast {
			return pos, 0
		}
		if at.CompareAndSwap(pos, r.after(pos, k)) {
			return pos, k
		}
	}
}

func (r *MPMC[T]) put(pos uint64, v T) {
	s := &r.slots[r.index(pos)]
	s.item = v
	if interleave.On {
		interleave.Write(&s.item)
	}
	s.stamp.Store(pos + 1) // P1
}

func (r *MPMC[T]) take(pos uint64) (v T) {
	s := &r.slots[r.index(pos)]
	v = s.item
	if r.pointers {
		var zero T
		s.item = zero
	}
	if interleave.On {
		interleave.Write(&s.item)
	}
	s.stamp.Store(pos + r.lap()) // C2
	return v
}

// TryPush adds v and reports whether it did. False means that the ring is full, that
// its oldest slot is hidden behind a pop still in flight, or that the ring is closed.
func (r *MPMC[T]) TryPush(v T) bool {
	pos, n := r.claim(&r.tail, 0, 1, 1)
	if n == 0 {
		return false
	}
	r.put(pos, v)
	r.pushed(1)
	return true
}

// PushBurst adds as many of vs as fit, the first ones first and next to each other,
// and returns how many: 0 if the ring is full (or hidden, see TryPush) or closed.
func (r *MPMC[T]) PushBurst(vs []T) int { return r.push(vs, 1) }

// PushBulk adds all of vs next to each other, or none and returns false. More than
// Cap never fit; an empty vs always does.
func (r *MPMC[T]) PushBulk(vs []T) bool { return r.push(vs, len(vs)) == len(vs) }

func (r *MPMC[T]) push(vs []T, atLeast int) int {
	if len(vs) == 0 {
		return 0
	}
	pos, n := r.claim(&r.tail, 0, uint64(len(vs)), uint64(atLeast))
	for i := range n {
		r.put(r.after(pos, i), vs[i])
	}
	if n > 0 {
		r.pushed(int(n))
	}
	return int(n)
}

// PushEvict adds v, and makes room by taking out the oldest items and handing each to
// evicted, in which the caller gives it back or counts it. This is the queue of a
// telemetry reader that would rather lose old samples than stop the sampled: under
// contention more than one item may go for one that comes. It returns false, and has not
// added v, if the ring is closed or the oldest slot is hidden behind an operation
// in flight. It panics if an item has to go and evicted is nil; the item stays.
func (r *MPMC[T]) PushEvict(v T, evicted func(T)) bool {
	var head, tail uint64 = closedBit, closedBit // no head is this
	for !r.TryPush(v) {
		if r.Closed() {
			return false
		}
		if evicted == nil {
			panic("ring: PushEvict into a full ring without a function that takes what is evicted")
		}
		if old, ok := r.TryPop(); ok {
			evicted(old)
			continue
		}
		// No room, and nothing to take out: it was full and is empty now, or it is hidden, and
		// not ours to wait for. Hidden it is if this comes twice and nobody has moved.
		h, t := r.head.Load(), r.tail.Load()
		if h == head && t == tail {
			return false
		}
		head, tail = h, t
	}
	return true
}

// TryPop takes the oldest item out. It returns false if the ring is empty, or if
// the oldest item is hidden behind a push still in flight.
func (r *MPMC[T]) TryPop() (v T, ok bool) {
	pos, n := r.claim(&r.head, 1, 1, 1)
	if n == 0 {
		return v, false
	}
	v = r.take(pos)
	r.popped(1)
	return v, true
}

// PopBurst takes up to len(dst) items out, next to each other and oldest first, and
// returns how many: 0 if the ring is empty (or hidden, see TryPop).
func (r *MPMC[T]) PopBurst(dst []T) int { return r.pop(dst, 1) }

// PopBulk fills all of dst, or takes nothing out and returns false.
func (r *MPMC[T]) PopBulk(dst []T) bool { return r.pop(dst, len(dst)) == len(dst) }

func (r *MPMC[T]) pop(dst []T, atLeast int) int {
	if len(dst) == 0 {
		return 0
	}
	pos, n := r.claim(&r.head, 1, uint64(len(dst)), uint64(atLeast))
	for i := range n {
		dst[i] = r.take(r.after(pos, i))
	}
	if n > 0 {
		r.popped(int(n))
	}
	return int(n)
}

// Push adds v, and waits for room while the ring is full. It returns ErrClosed if the
// ring is closed, or ctx.Err() once ctx is done; v was not added then. With
// room at once, ctx is not looked at.
func (r *MPMC[T]) Push(ctx context.Context, v T) error {
	closed := false
	err := r.notFull.Wait(ctx, func() bool {
		if r.TryPush(v) {
			return true
		}
		r.made()
		closed = r.Closed()
		return closed
	})
	if closed {
		return ErrClosed
	}
	return err
}

// Pop takes the oldest item out, and waits for one while there is none. It returns
// ErrClosed once the ring is closed and drained, or ctx.Err() once ctx is done. With an
// item there at once, ctx is not looked at.
func (r *MPMC[T]) Pop(ctx context.Context) (v T, err error) {
	drained := false
	err = r.notEmpty.Wait(ctx, func() (ok bool) {
		if v, ok = r.TryPop(); ok {
			return true
		}
		r.made()
		drained = r.drained()
		return drained
	})
	if drained {
		return v, ErrClosed
	}
	return v, err
}

// made panics if r is the zero MPMC, in calls that are about to wait.
func (r *MPMC[T]) made() {
	if r.slots == nil {
		panic("ring: Push or Pop on the zero MPMC, which has 0 slots: make one with NewMPMC")
	}
}

// drained reports whether the ring is closed and every item that was ever claimed
// for a push has been claimed for a pop.
func (r *MPMC[T]) drained() bool {
	tail := r.tail.Load()
	return tail&closedBit != 0 && tail&^closedBit == r.head.Load()
}

// pushed wakes those who wait for what a push of n items brought, and those who wait for room
// if there is more of it.
func (r *MPMC[T]) pushed(n int) {
	r.notEmpty.Wake(n)
	if r.notFull.Waiting() {
		r.pass(&r.notFull, &r.tail, 0)
	}
}

// popped is the counterpart of pushed. The last item of a closed ring wakes
// everyone, to be told of it.
func (r *MPMC[T]) popped(n int) {
	r.notFull.Wake(n)
	if r.notEmpty.Waiting() {
		r.pass(&r.notEmpty, &r.head, 1)
		if r.drained() {
			r.notEmpty.WakeAll()
		}
	}
}

// pass wakes one more waiter if there is something for it. A wake-up says that one slot
// became ready, but the slots behind it may have become so earlier, hidden until now;
// those who were woken for them have gone to sleep again.
func (r *MPMC[T]) pass(l *park.List, at *atomic.Uint64, turn uint64) {
	if k, stale := r.ready(at.Load()&^closedBit, 1, turn); k > 0 || stale {
		l.Wake(1)
	}
}

// All yields items as they come, waiting for them, until the ring is closed and
// drained. Several goroutines may range over one ring; each item goes to one of them.
func (r *MPMC[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := r.Pop(context.Background())
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Close makes pushes fail from now on. A push that has begun ends as it would have; what is
// in the ring can be popped, and Pop returns ErrClosed when that is done: nothing
// gets lost. Any goroutine may close; closing again does nothing.
func (r *MPMC[T]) Close() {
	r.tail.Or(closedBit)
	r.notEmpty.WakeAll()
	r.notFull.WakeAll()
}

// Closed reports whether the ring was closed. Items may be left to pop.
func (r *MPMC[T]) Closed() bool { return r.tail.Load()&closedBit != 0 }

// Len returns how many items are in the ring, 0 to Cap, with those that are about to be
// published: a figure of the recent past, on which nobody may rely while others push
// and pop. Any goroutine may ask.
func (r *MPMC[T]) Len() int {
	// In this order, since the tail never falls behind the head: the difference is
	// not negative. The capacity can be exceeded if both moved in between.
	head := r.head.Load()
	tail := r.tail.Load()
	return r.length(head, tail)
}

// length makes a length out of two positions, whenever each was read.
func (r *MPMC[T]) length(head, tail uint64) int {
	tail &^= closedBit
	laps := int64(tail>>r.lapShift) - int64(head>>r.lapShift)
	return clampLen(laps*int64(len(r.slots))+int64(r.index(tail))-int64(r.index(head)), len(r.slots))
}

// Free returns how many items fit, 0 to Cap, as exactly as Len.
func (r *MPMC[T]) Free() int { return len(r.slots) - r.Len() }

// Cap returns the capacity that the ring was made with.
func (r *MPMC[T]) Cap() int { return len(r.slots) }
