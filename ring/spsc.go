// SPSC: one producer, one consumer, an end for each.
//
// Lamport's ring (Proving the Correctness of Multiprocess Programs, 1977) with two
// additions. Each end keeps a copy of the other's position and looks again only
// when the copy says full or empty (Lee, Bu and Chandranmenon's MCRingBuffer, 2010,
// and Aldinucci et al.'s FastFlow popularised it). And each end has its
// position as a plain field of its own: the atomic is only written to publish.
//
// The edges:
//
//	P1  producer stores spsc.tail   after it wrote the slots       publishes items
//	C1  consumer loads spsc.tail    before it reads the slots      sees P1
//	C2  consumer stores spsc.head   after it read and cleared      publishes room
//	P2  producer loads spsc.head    before it writes the slots     sees C2

package ring

import (
	"context"
	"fmt"
	"iter"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/park"
)

// spsc is what the two ends share. Each group of fields is padded against the next.
type spsc[T any] struct {
	_ cpu.Pad

	// Read by both ends at every operation, written almost never: closing
	// happens once for each end, and the lists' counters change when somebody sleeps.
	capacity int           // here too, so that Len does not read the producer's line
	closed   atomic.Uint32 // closedByProducer | closedByConsumer
	notEmpty park.List     // the consumer, waiting for items
	notFull  park.List     // the producer, waiting for room
	_        cpu.Pad

	// tail is how many items were ever pushed: 0 to 1<<64-1, and at a billion a second
	// that lasts 584 years. Written by the producer.
	tail atomic.Uint64
	_    cpu.Pad

	// head is how many items were ever popped; head <= tail <= head+limit.
	// Written by the consumer.
	head atomic.Uint64
	_    cpu.Pad

	producer Producer[T]
	consumer Consumer[T]
}

const (
	closedByProducer = 1 << iota
	closedByConsumer
)

// Producer is the end of an SPSC ring at which items go in. It belongs to one goroutine
// at a time: its methods, Len, Free, Cap and Closed excepted, must not run
// concurrently with each other (the race detector reports it if they do).
//
// It comes from NewSPSC; a nil or zero one panics with a nil dereference when it has something
// to do. It must not be copied, which go vet reports: a copy would write over what the other has pushed.
type Producer[T any] struct {
	_     noCopy
	s     *spsc[T]
	slots []T    // a power of two of them; shared, written before P1
	limit uint64 // the capacity: how many of the slots may be in use

	// tail is the producer's own position, and always what spsc.tail holds.
	tail uint64
	// headSeen is the consumer's position when the producer last looked (P2):
	// never ahead of the truth, so there is at least as much room as it says.
	headSeen uint64
	fetch    uint64 // how many slots are minFetch bytes, a power of two
	// reserved is how many slots from tail on Reserve has handed out. Any publication ends it.
	reserved uint64
	pace     pacer
	_        cpu.Pad
}

// Consumer is the end of an SPSC ring at which items come out. It belongs to one goroutine
// at a time, as Producer does; Close may be called by any. It comes from NewSPSC and must not be
// copied, as Producer says; a copy would take out what the other has taken.
type Consumer[T any] struct {
	_        noCopy
	s        *spsc[T]
	slots    []T
	pointers bool // popped slots must be cleared

	// head is the consumer's own position, and always what spsc.head holds.
	head uint64
	// tailSeen is the producer's position when the consumer last looked (C1):
	// never ahead of the truth, so there are at least as many items as it says.
	tailSeen uint64
	pace     pacer
	_        cpu.Pad
}

// NewSPSC returns the two ends of a ring that holds up to capacity items, 1 to
// MaxCapacity. The memory of all slots, the next power of two, is allocated here, and
// make's panic says so where the machine cannot have that much. The error wraps
// ErrCapacity. The option is Patience.
func NewSPSC[T any](capacity int, o ...Option) (*Producer[T], *Consumer[T], error) {
	if err := checkCapacity(capacity); err != nil {
		return nil, nil, err
	}
	slots := newSlots[T](int(cpu.NextPowerOfTwo(uint64(capacity))))
	s := &spsc[T]{capacity: capacity}
	pace := newPacer(capacity, applied(o))
	s.producer = Producer[T]{s: s, slots: slots, limit: uint64(capacity), fetch: slotsOf[T](minFetch), pace: pace}
	s.consumer = Consumer[T]{s: s, slots: slots, pointers: hasPointers[T](), pace: pace}
	return &s.producer, &s.consumer, nil
}

func (s *spsc[T]) len() int {
	// In this order, since the tail never falls behind the head: the difference
	// is not negative. The capacity can be exceeded if both moved in between.
	head := s.head.Load()
	tail := s.tail.Load()
	return s.length(head, tail)
}

// length makes a length out of two positions, whenever each was read.
func (s *spsc[T]) length(head, tail uint64) int {
	return clampLen(int64(tail-head), s.capacity)
}

// split returns the n slots that begin at position pos, in two parts where
// they go around the end. Their capacities are cut: an append must not reach slots
// that are the other end's.
func split[T any](slots []T, pos, n uint64) (a, b []T) {
	start := pos & uint64(len(slots)-1)
	end := start + n
	if size := uint64(len(slots)); end > size {
		return slots[start:], slots[: end-size : end-size]
	}
	return slots[start:end:end], nil
}

// room returns how many of n slots are free, looking at the consumer's position
// only if its copy isn't good enough.
func (p *Producer[T]) room(n uint64) uint64 {
	free := p.limit - (p.tail - p.headSeen)
	if free < n {
		p.headSeen = p.s.head.Load() // P2
		free = p.limit - (p.tail - p.headSeen)
	}
	return min(free, n)
}

// publish makes n more slots visible to the consumer. Who calls it wakes the consumer next:
// not here, since the two together are too much for the compiler to inline.
func (p *Producer[T]) publish(n uint64) {
	p.tail += n
	p.reserved = 0
	p.s.tail.Store(p.tail) // P1
}

// fetchAhead is to be called before n slots are published. Now and then it asks for the lines of the
// slots behind them.
func (p *Producer[T]) fetchAhead(n uint64) {
	if (p.tail+n)^p.tail >= p.fetch {
		p.fetchNext(n)
	}
}

// fetchNext asks for the lines of as many slots behind the next n, but for at least minFetch bytes of
// them. Not for slots that the consumer has not given back: they would be taken away from it.
func (p *Producer[T]) fetchNext(n uint64) {
	next := p.tail + n
	n = max(n, p.fetch)
	if p.limit-(next-p.headSeen) < n {
		return
	}
	a, _ := split(p.slots, next, n)
	fetch(a)
}

// TryPush adds v and reports whether it did: false means that the ring is full
// or that the consumer has closed its end.
//
// Full at this moment; room that was there once for the producer stays there,
// since nobody else fills it.
func (p *Producer[T]) TryPush(v T) bool {
	if p.room(1) == 0 || p.s.closed.Load() != 0 {
		return false
	}
	p.slots[p.tail&uint64(len(p.slots)-1)] = v
	if interleave.On {
		interleave.Write(&p.slots[p.tail&uint64(len(p.slots)-1)])
	}
	p.fetchAhead(1)
	p.publish(1)
	p.s.notEmpty.Wake(1)
	return true
}

// PushBurst adds as many of vs as fit, the first ones first, and returns how many: 0 if
// the ring is full or closed by either end. It publishes once for all of them.
func (p *Producer[T]) PushBurst(vs []T) int {
	a, b := p.Reserve(len(vs))
	n := copy(a, vs)
	n += copy(b, vs[n:])
	if interleave.On {
		interleave.WriteAll(a)
		interleave.WriteAll(b)
	}
	if n > 0 {
		p.fetchAhead(uint64(n))
		p.publish(uint64(n))
		p.s.notEmpty.Wake(1)
	}
	return n
}

// PushBulk adds all of vs, or none and returns false. More than Cap never fit;
// an empty vs always does.
func (p *Producer[T]) PushBulk(vs []T) bool {
	if p.room(uint64(len(vs))) < uint64(len(vs)) {
		return false
	}
	return p.PushBurst(vs) == len(vs)
}

// Reserve returns up to n free slots to write into, in place: a, and b after it
// where they go around the end of the ring's memory; as many as are free, none if
// the ring is full, closed, or n is not positive. Nothing is visible to the consumer
// before Commit. What the slots hold is not specified.
//
// Calling Reserve again, pushing in another way, or Close gives the reservation up. A slot that was
// committed or given up must not be touched any more: it is, or becomes, an item of the consumer's.
func (p *Producer[T]) Reserve(n int) (a, b []T) {
	if n <= 0 || p.s.closed.Load() != 0 {
		p.reserved = 0
		return nil, nil
	}
	p.reserved = p.room(uint64(n))
	return split(p.slots, p.tail, p.reserved)
}

// Commit makes the first n reserved slots visible to the consumer and gives up the others.
// It panics if n is negative or more than Reserve returned, and so if there is no reservation: none was made,
// Commit has ended it, or it was given up.
func (p *Producer[T]) Commit(n int) {
	if n < 0 || uint64(n) > p.reserved {
		panic(fmt.Sprintf("ring: Commit(%d) with %d slots reserved", n, p.reserved))
	}
	if n == 0 {
		p.reserved = 0
		return
	}
	p.fetchAhead(uint64(n))
	p.publish(uint64(n))
	p.s.notEmpty.Wake(1)
}

// Push adds v, and waits for room while the ring is full. It returns ErrClosed if
// either end was closed, or ctx.Err() once ctx is done; v was not added then.
// With room at once, ctx is not looked at.
func (p *Producer[T]) Push(ctx context.Context, v T) error {
	if p.TryPush(v) {
		return nil
	}
	if err := p.wait(ctx); err != nil {
		return err
	}
	p.slots[p.tail&uint64(len(p.slots)-1)] = v
	if interleave.On {
		interleave.Write(&p.slots[p.tail&uint64(len(p.slots)-1)])
	}
	p.fetchAhead(1)
	p.publish(1)
	p.s.notEmpty.Wake(1)
	return nil
}

// ReserveWait is Reserve for at least one slot: it waits while the ring is full,
// and a is never empty when err is nil and n positive. It returns ErrClosed if either end
// was closed, or ctx.Err() once ctx is done. With room at once, ctx is not looked at.
func (p *Producer[T]) ReserveWait(ctx context.Context, n int) (a, b []T, err error) {
	p.reserved = 0
	if n <= 0 {
		return nil, nil, nil
	}
	if err := p.wait(ctx); err != nil {
		return nil, nil, err
	}
	// Not Reserve: if the consumer has closed since, it would return nothing.
	p.reserved = p.room(uint64(n))
	a, b = split(p.slots, p.tail, p.reserved)
	return a, b, nil
}

// wait returns nil once there is room for one item.
func (p *Producer[T]) wait(ctx context.Context) error {
	closed := p.s.closed.Load() != 0
	if !closed && (p.room(1) > 0 || p.pace.look(p.room) > 0) {
		return nil
	}
	err := p.s.notFull.Wait(ctx, func() bool {
		closed = p.s.closed.Load() != 0
		return closed || p.room(1) > 0
	})
	if closed {
		return ErrClosed
	}
	p.pace.woken(p.limit - (p.tail - p.headSeen))
	return err
}

// Close says that no more items will come. The consumer gets what is in the ring and
// then ErrClosed. Like every method of the producer, it is for the goroutine that
// pushes: what it pushed before is what the consumer drains. Closing
// again does nothing.
func (p *Producer[T]) Close() {
	p.reserved = 0 // a Commit after this would land behind a consumer that has left
	p.s.closed.Or(closedByProducer)
	p.s.notEmpty.WakeAll()
	p.s.notFull.WakeAll()
}

// Closed reports whether either end was closed. Any goroutine may ask.
func (p *Producer[T]) Closed() bool { return p.s.closed.Load() != 0 }

// Len returns how many items are in the ring, 0 to Cap. The producer may rely on
// there being no more than that (only the consumer changes it, downwards); for
// others it is a figure of the recent past. Any goroutine may ask.
func (p *Producer[T]) Len() int { return p.s.len() }

// Free returns how many items fit now, 0 to Cap. The producer may rely on at
// least that much room; for others it is a figure of the recent past.
func (p *Producer[T]) Free() int { return p.s.capacity - p.s.len() }

// Cap returns the capacity that the ring was made with.
func (p *Producer[T]) Cap() int { return p.s.capacity }

// available returns how many of n items are there, looking at the producer's position
// only if its copy isn't good enough.
func (c *Consumer[T]) available(n uint64) uint64 {
	have := c.tailSeen - c.head
	if have < n {
		c.tailSeen = c.s.tail.Load() // C1
		have = c.tailSeen - c.head
	}
	return min(have, n)
}

// free gives n slots back to the producer. They were read and cleared before. Who calls
// it wakes the producer next, as after publish.
func (c *Consumer[T]) free(n uint64) {
	c.head += n
	c.s.head.Store(c.head) // C2
}

// TryPop takes the oldest item out. It returns false if the ring is empty. A ring
// that once was not empty for the consumer stays so, since nobody else takes.
func (c *Consumer[T]) TryPop() (v T, ok bool) {
	if c.available(1) == 0 {
		return v, false
	}
	slot := &c.slots[c.head&uint64(len(c.slots)-1)]
	v = *slot
	if c.pointers {
		var zero T
		*slot = zero
	}
	if interleave.On {
		interleave.Write(slot)
	}
	c.free(1)
	c.s.notFull.Wake(1)
	return v, true
}

// PopBurst takes up to len(dst) items out into dst, oldest first, and returns how many:
// 0 if the ring is empty. It frees their slots at once for all of them.
func (c *Consumer[T]) PopBurst(dst []T) int {
	a, b := c.Peek(len(dst))
	n := copy(dst, a)
	n += copy(dst[n:], b)
	if interleave.On {
		interleave.ReadAll(a)
		interleave.ReadAll(b)
	}
	c.Advance(n)
	return n
}

// PopBulk fills all of dst, or takes nothing out and returns false.
func (c *Consumer[T]) PopBulk(dst []T) bool {
	if c.available(uint64(len(dst))) < uint64(len(dst)) {
		return false
	}
	return c.PopBurst(dst) == len(dst)
}

// Peek returns up to n of the oldest items without taking them out, in place:
// a, and b after it where they go around the end of the ring's memory. They are
// the consumer's to read and to write until Advance or a pop takes them out, and must not be touched
// afterwards: the producer writes to them. None if the ring is empty or n is not positive.
func (c *Consumer[T]) Peek(n int) (a, b []T) {
	if n <= 0 {
		return nil, nil
	}
	return split(c.slots, c.head, c.available(uint64(n)))
}

// Advance takes out the n oldest items, which Peek returned: their slots are cleared if T
// holds pointers, and are the producer's again. It panics if n is negative or
// more than the consumer has seen, which may be more than Peek was asked for: items between the two
// are dropped without having been looked at. (After a TryPop the oldest item is the next one: pop
// or Advance, not both for the same items.)
func (c *Consumer[T]) Advance(n int) {
	if n < 0 || uint64(n) > c.tailSeen-c.head {
		panic(fmt.Sprintf("ring: Advance(%d) with %d items seen", n, c.tailSeen-c.head))
	}
	if n == 0 {
		return
	}
	if c.pointers {
		a, b := split(c.slots, c.head, uint64(n))
		clear(a)
		clear(b)
		if interleave.On {
			interleave.WriteAll(a)
			interleave.WriteAll(b)
		}
	}
	c.free(uint64(n))
	c.s.notFull.Wake(1)
}

// Clear takes out and drops what is in the ring, and returns how many items that was.
func (c *Consumer[T]) Clear() int {
	c.tailSeen = c.s.tail.Load() // C1
	n := int(c.tailSeen - c.head)
	c.Advance(n)
	return n
}

// Pop takes the oldest item out, and waits for one while the ring is empty. It returns
// ErrClosed once the ring is empty and either end was closed, or ctx.Err()
// once ctx is done. With an item there at once, ctx is not looked at.
func (c *Consumer[T]) Pop(ctx context.Context) (v T, err error) {
	if v, ok := c.TryPop(); ok {
		return v, nil
	}
	if err := c.wait(ctx); err != nil {
		return v, err
	}
	v, _ = c.TryPop()
	return v, nil
}

// PeekWait is Peek for at least one item: it waits while the ring is empty, and a is never
// empty when err is nil and n positive. It returns ErrClosed once the ring is empty and
// either end was closed, or ctx.Err() once ctx is done. With an item there at
// once, ctx is not looked at.
func (c *Consumer[T]) PeekWait(ctx context.Context, n int) (a, b []T, err error) {
	if n > 0 {
		if err := c.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
	a, b = c.Peek(n)
	return a, b, nil
}

// wait returns nil once there is an item.
func (c *Consumer[T]) wait(ctx context.Context) error {
	if c.available(1) > 0 || c.pace.look(c.available) > 0 {
		return nil
	}
	closed := false
	err := c.s.notEmpty.Wait(ctx, func() bool {
		// In this order: what was pushed before Close is seen by a consumer that saw
		// the Close, so closed and empty means drained.
		closed = c.s.closed.Load() != 0
		if c.available(1) > 0 {
			closed = false
			return true
		}
		return closed
	})
	if closed {
		return ErrClosed
	}
	c.pace.woken(c.tailSeen - c.head)
	return err
}

// All yields items as they come, waiting for them, until the ring is closed and
// drained.
func (c *Consumer[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			v, err := c.Pop(context.Background())
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// Close says that the consumer takes no more: pushes fail from now on. A push that
// was under way may still land; the consumer goes on popping to collect what is left,
// and has all of it once the producer has noticed (its push returned false or ErrClosed).
// Any goroutine may close, to end a Pop that sleeps too. Closing again does nothing.
func (c *Consumer[T]) Close() {
	c.s.closed.Or(closedByConsumer)
	c.s.notEmpty.WakeAll()
	c.s.notFull.WakeAll()
}

// Closed reports whether either end was closed. Items may be left to pop. Any
// goroutine may ask.
func (c *Consumer[T]) Closed() bool { return c.s.closed.Load() != 0 }

// Len returns how many items are in the ring, 0 to Cap. The consumer may rely on
// there being at least that many; for others it is a figure of the recent
// past. Any goroutine may ask.
func (c *Consumer[T]) Len() int { return c.s.len() }

// Free returns how many items fit now, 0 to Cap. The consumer may rely on there
// being no more room than that; for others it is a figure of the recent past. Any
// goroutine may ask.
func (c *Consumer[T]) Free() int { return c.s.capacity - c.s.len() }

// Cap returns the capacity that the ring was made with.
func (c *Consumer[T]) Cap() int { return c.s.capacity }
