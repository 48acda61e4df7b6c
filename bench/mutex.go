// A slice and a sync.Mutex: what a program has that does without any queue or pool, and the least there is
// to beat.

package main

import (
	"slices"
	"sync"

	"github.com/ringway-net/ringway/internal/perf"
	"github.com/ringway-net/ringway/pool"
)

func mutexWorks() []perf.Work {
	const impl = "mutex"
	bursts := func(burst int) perf.Queue {
		q := newLocked[uint64](capacity)
		return perf.Bursts(burst, q, q)
	}
	return slices.Concat(
		[]perf.Work{perf.Transfer("spsc/single", impl, 1, 1, mutexSingle)},
		spscBursts(impl, bursts),
		mpmcSingles(impl, mutexSingle),
		mpmcBursts(impl, bursts),
		[]perf.Work{
			perf.Alone("pool/single", impl, func() (func(n int) error, func() error) { return poolLoop(newStack()), nothing }),
			perf.Alone("pool/bulk64", impl, func() (func(n int) error, func() error) { return perf.BulkLoop(newStack()), nothing }),
			perf.Cross("pool/single/cross", impl, 1, openStack, address),
			perf.Cross("pool/bulk64/cross", impl, 64, openStack, address),
		},
	)
}

// locked is a bounded queue, a circle of slots under a lock.
type locked[T any] struct {
	mu         sync.Mutex
	slots      []T // a power of two of them
	head, tail int
}

func newLocked[T any](capacity int) *locked[T] { return &locked[T]{slots: make([]T, capacity)} }

// PushBurst pushes as many of vs as fit.
func (q *locked[T]) PushBurst(vs []T) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(vs), len(q.slots)-(q.tail-q.head))
	for _, v := range vs[:n] {
		q.slots[q.tail&(len(q.slots)-1)] = v
		q.tail++
	}
	return n
}

// PopBurst pops up to len(dst) items.
func (q *locked[T]) PopBurst(dst []T) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(dst), q.tail-q.head)
	for i := range dst[:n] {
		dst[i] = q.slots[q.head&(len(q.slots)-1)]
		q.head++
	}
	return n
}

func (q *locked[T]) push(v T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tail-q.head == len(q.slots) {
		return false
	}
	q.slots[q.tail&(len(q.slots)-1)] = v
	q.tail++
	return true
}

func (q *locked[T]) pop() (v T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.tail == q.head {
		return v, false
	}
	v = q.slots[q.head&(len(q.slots)-1)]
	q.head++
	return v, true
}

func mutexSingle() perf.Queue {
	q := newLocked[uint64](capacity)
	return perf.Queue{
		Push: func(w *perf.Wait, first, n int) error {
			for i := range n {
				v := uint64(first + i)
				if !q.push(v) {
					if err := perf.Push(w, v, q.push); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Pop: func(w *perf.Wait, n int) (sum uint64, err error) {
			for range n {
				v, ok := q.pop()
				if !ok {
					if v, err = perf.Pop(w, q.pop); err != nil {
						return sum, err
					}
				}
				sum += v
			}
			return sum, nil
		},
	}
}

// stack is a pool: free packets under a lock.
type stack struct {
	mu   sync.Mutex
	free []*packet
}

// newStack has as many packets as a pool of Ringway's has buffers by default.
func newStack() *stack {
	s := new(stack)
	for range pool.DefaultCount {
		s.free = append(s.free, new(packet))
	}
	return s
}

func openStack() (a, b perf.BufferSource[*packet], end func() error) {
	s := newStack()
	return s, s, nothing
}

// Get takes a packet.
func (s *stack) Get() (*packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		return nil, errNoPacket
	}
	p := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return p, nil
}

// Put gives a packet back.
func (s *stack) Put(p *packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, p)
}

// GetBulk takes len(dst) packets, or none.
func (s *stack) GetBulk(dst []*packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := len(s.free) - len(dst)
	if rest < 0 {
		return false
	}
	copy(dst, s.free[rest:])
	s.free = s.free[:rest]
	return true
}

// PutBurst gives packets back.
func (s *stack) PutBurst(ps []*packet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, ps...)
}
