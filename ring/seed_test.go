// What the seed's two rings can do, row by row of docs/seed.md.

package ring

import (
	"errors"
	"slices"
	"testing"
)

// Seed row: LockFreeRing<T>: new, with_default_capacity, enqueue, dequeue, enqueue_batch,
// dequeue_batch, peek, clear, len, is_empty, is_full, free_slots, capacity.
func TestSeedLockFreeRing(t *testing.T) {
	p, c, err := NewSPSC[string](3) // new: exactly 3, not rounded up
	if err != nil || p.Cap() != 3 || c.Cap() != 3 {
		t.Fatalf("new, capacity: %v, %d, %d", err, p.Cap(), c.Cap())
	}
	if _, _, err := NewSPSC[string](0); !errors.Is(err, ErrCapacity) { // an error, not a panic
		t.Errorf("new(0): %v", err)
	}
	p.TryPush("x")
	if p, _, err := NewSPSC[string](DefaultCapacity); err != nil || p.Cap() != 4096 { // with_default_capacity
		t.Errorf("with_default_capacity: %v, %d", err, p.Cap())
	}
	c.Clear()
	if _, ok := c.TryPop(); ok || c.Len() != 0 || p.Free() != 3 { // is_empty, len, free_slots
		t.Error("a new ring is not empty")
	}
	if !p.TryPush("a") || c.Len() != 1 || p.Free() != 2 { // enqueue
		t.Error("enqueue")
	}
	if n := p.PushBurst([]string{"b", "c", "d"}); n != 2 { // enqueue_batch: as many as fit
		t.Errorf("enqueue_batch: %d", n)
	}
	if p.TryPush("d") || p.Free() != 0 || c.Len() != 3 { // is_full
		t.Error("is_full")
	}
	if a, _ := c.Peek(1); len(a) != 1 || a[0] != "a" || c.Len() != 3 { // peek
		t.Errorf("peek: %v", a)
	}
	if v, ok := c.TryPop(); !ok || v != "a" { // dequeue
		t.Errorf("dequeue: %q, %v", v, ok)
	}
	dst := make([]string, 5)
	if n := c.PopBurst(dst); n != 2 || !slices.Equal(dst[:2], []string{"b", "c"}) { // dequeue_batch
		t.Errorf("dequeue_batch: %v", dst[:n])
	}
	p.PushBulk([]string{"e", "f"})
	if n := c.Clear(); n != 2 || c.Len() != 0 { // clear
		t.Errorf("clear: %d", n)
	}
}

// Seed row: MpmcRing<T: Copy>: new, enqueue, dequeue, len, is_empty, capacity. Here T may be anything.
func TestSeedMpmcRing(t *testing.T) {
	r, err := NewMPMC[[]int](3)                                      // new, with a type that isn't Copy
	if err != nil || r.Cap() != 3 || r.Len() != 0 || r.Free() != 3 { // capacity, is_empty
		t.Fatalf("new: %v", err)
	}
	if _, err := NewMPMC[int](-1); !errors.Is(err, ErrCapacity) {
		t.Errorf("new(-1): %v", err)
	}
	if _, ok := r.TryPop(); ok {
		t.Error("a new ring is not empty")
	}
	for i := range 3 {
		if !r.TryPush([]int{i}) || r.Len() != i+1 { // enqueue, len
			t.Errorf("enqueue %d", i)
		}
	}
	if r.TryPush(nil) {
		t.Error("enqueue to a full ring")
	}
	for i := range 3 {
		if v, ok := r.TryPop(); !ok || v[0] != i || r.Len() != 2-i { // dequeue
			t.Errorf("dequeue: %v, %v", v, ok)
		}
	}
}

// Seed row: DEFAULT_BATCH_SIZE 64, DEFAULT_RING_CAPACITY 4096.
func TestSeedRingDefaults(t *testing.T) {
	if DefaultBurst != 64 || DefaultCapacity != 4096 {
		t.Errorf("DefaultBurst %d, DefaultCapacity %d", DefaultBurst, DefaultCapacity)
	}
	if _, err := NewMPMC[int](DefaultCapacity); err != nil {
		t.Error(err)
	}
}
