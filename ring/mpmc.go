// MPMC: any number of producers and consumers.
//
// An operation claims its slots with one compare-and-swap, copies, and publishes them with one store: runs.go has how.
// Nobody waits for an operation before its own: what it has published stays hidden until those
// before it are published too, and is found then.
//
// The edges:
//
//	P1  pusher stores the mark of its first slot    after it wrote the items           publishes the items
//	C1  popper loads that mark                      before it reads the items          sees P1
//	C2  popper stores the mark a capacity farther   after it read and cleared them     publishes the room
//	P2  pusher loads that mark                      before it writes the items         sees C2
//
// An operation that claims what others have found goes by their store of seen, which came after their C1 or P2.

package ring

import (
	"context"
	"iter"
	"unsafe"

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
// on; a popper stopped in the middle keeps its slots from being used again, and those of the pops
// after it. The
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
	slots []T // a power of two of them
	runs
	pointers bool // popped slots must be cleared
	notEmpty park.List
	notFull  park.List

	tail side // the producers
	head side // the consumers
}

// NewMPMC returns a ring that holds up to capacity items, 1 to MaxCapacity. The memory of
// all slots, the next power of two, is allocated here, an item and 8 bytes each, and make's panic says so
// where the machine cannot have that much. The error wraps ErrCapacity.
func NewMPMC[T any](capacity int) (*MPMC[T], error) {
	if err := checkCapacity(capacity); err != nil {
		return nil, err
	}
	size := int(cpu.NextPowerOfTwo(uint64(capacity)))
	r := &MPMC[T]{
		slots:    newSlots[T](size),
		runs:     runs{marks: newSlots[atomic.Uint64](size), limit: uint64(capacity)},
		pointers: hasPointers[T](),
	}
	r.tail.seen.Store(uint64(capacity))
	return r, nil
}

// TryPush adds v and reports whether it did. False means that the ring is full, that
// its oldest slot is hidden behind a pop still in flight, or that the ring is closed.
func (r *MPMC[T]) TryPush(v T) bool {
	// What claim does when something was left by the one before; a call less is a tenth of the time.
	pos := r.tail.claimed.Load()
	if pos >= r.tail.seen.Load() || !r.tail.claimed.CompareAndSwap(pos, pos+1) {
		var n uint64
		if pos, n = r.claim(&r.tail, 1, 1, room); n == 0 {
			return false
		}
	}
	slot := &r.slots[pos&uint64(len(r.slots)-1)]
	*slot = v
	if interleave.On {
		interleave.Write(slot)
	}
	r.publish(pos, pos+1, items) // P1
	if r.waited() {
		r.pushed(1)
	}
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
	pos, n := r.claim(&r.tail, uint64(len(vs)), uint64(atLeast), room)
	if n == 0 {
		return 0
	}
	a, b := split(r.slots, pos, n)
	copy(a, vs)
	copy(b, vs[len(a):])
	if interleave.On {
		interleave.WriteAll(a)
		interleave.WriteAll(b)
	}
	if n >= slotsOf[T](minFetch) {
		r.fetchNext(pos+n, n)
	}
	r.publish(pos, pos+n, items) // P1
	if r.waited() {
		r.pushed(n)
	}
	return int(n)
}

// fetchNext asks for the lines of the n slots from pos on, for the next burst, if they are free and nobody else has
// claimed them.
func (r *MPMC[T]) fetchNext(pos, n uint64) {
	if r.tail.claimed.Load() == pos && r.follow(max(pos, r.tail.seen.Load()), pos+n, room) >= pos+n {
		a, _ := split(r.slots, pos, n)
		fetch(a)
		cpu.PrefetchWrite(unsafe.Pointer(r.mark(pos)))
	}
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
		h, t := r.head.claimed.Load(), r.tail.claimed.Load()
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
	pos := r.head.claimed.Load()
	if pos >= r.head.seen.Load() || !r.head.claimed.CompareAndSwap(pos, pos+1) {
		var n uint64
		if pos, n = r.claim(&r.head, 1, 1, items); n == 0 {
			return v, false
		}
	}
	slot := &r.slots[pos&uint64(len(r.slots)-1)]
	v = *slot
	if r.pointers {
		var zero T
		*slot = zero
	}
	if interleave.On {
		interleave.Write(slot)
	}
	r.publish(pos+r.limit, pos+r.limit+1, room) // C2
	if r.waited() {
		r.popped(1)
	}
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
	pos, n := r.claim(&r.head, uint64(len(dst)), uint64(atLeast), items)
	if n == 0 {
		return 0
	}
	a, b := split(r.slots, pos, n)
	copy(dst, a)
	copy(dst[len(a):], b)
	if r.pointers {
		clear(a)
		clear(b)
	}
	if interleave.On {
		interleave.WriteAll(a)
		interleave.WriteAll(b)
	}
	r.publish(pos+r.limit, pos+r.limit+n, room) // C2
	if r.waited() {
		r.popped(n)
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

// Wait sleeps until there is an item to pop, and leaves it there. It returns ErrClosed once the ring is closed and drained,
// or ctx.Err() once ctx is done. Who is told of an item pops it, or somebody else who waits may sleep beside it; it may
// have gone to another one meanwhile, if there is one who pops.
func (r *MPMC[T]) Wait(ctx context.Context) error {
	drained := false
	err := r.notEmpty.Wait(ctx, func() bool {
		if r.more(&r.head, items) {
			return true
		}
		r.made()
		drained = r.drained()
		return drained
	})
	if drained {
		return ErrClosed
	}
	return err
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
	tail := r.tail.claimed.Load()
	return tail&closedBit != 0 && tail&^closedBit == r.head.claimed.Load()
}

// waited reports whether anybody waits, for items or for room. It is asked after each publication.
func (r *MPMC[T]) waited() bool { return r.notEmpty.Waiting() || r.notFull.Waiting() }

// pushed is called after n items were published, if anybody waits. It wakes those who wait for items, and those who
// wait for room if there is more of it.
func (r *MPMC[T]) pushed(n uint64) {
	r.notEmpty.Wake(int(n))
	if r.notFull.Waiting() && r.more(&r.tail, room) {
		r.notFull.Wake(1)
	}
}

// popped is the counterpart of pushed. The last item of a closed ring wakes
// everyone, to be told of it.
//
// A wake-up says that one slot was published, but those behind it may have been so earlier, hidden until now;
// those who were woken for them have gone to sleep again. So who was woken, and moved on, wakes one more.
func (r *MPMC[T]) popped(n uint64) {
	r.notFull.Wake(int(n))
	if r.notEmpty.Waiting() {
		if r.more(&r.head, items) {
			r.notEmpty.Wake(1)
		}
		if r.drained() {
			r.notEmpty.WakeAll()
		}
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
	r.tail.claimed.Or(closedBit)
	r.notEmpty.WakeAll()
	r.notFull.WakeAll()
}

// Closed reports whether the ring was closed. Items may be left to pop.
func (r *MPMC[T]) Closed() bool { return r.tail.claimed.Load()&closedBit != 0 }

// Len returns how many items are in the ring, 0 to Cap, with those that are about to be
// published: a figure of the recent past, on which nobody may rely while others push
// and pop. Any goroutine may ask.
func (r *MPMC[T]) Len() int {
	// In this order, since the tail never falls behind the head: the difference is
	// not negative. The capacity can be exceeded if both moved in between.
	head := r.head.claimed.Load()
	tail := r.tail.claimed.Load()
	return r.length(head, tail)
}

// length makes a length out of two positions, whenever each was read.
func (r *MPMC[T]) length(head, tail uint64) int {
	return clampLen(int64(tail&^closedBit-head), int(r.limit))
}

// Free returns how many items fit, 0 to Cap, as exactly as Len.
func (r *MPMC[T]) Free() int { return int(r.limit) - r.Len() }

// Cap returns the capacity that the ring was made with.
func (r *MPMC[T]) Cap() int { return int(r.limit) }
