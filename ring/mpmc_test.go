// The MPMC ring's own calls and positions.

package ring

import (
	"runtime"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/ringway-net/ringway/cpu"
)

// Positions go through the slots one by one, lap after lap, whatever the steps.
func TestPositions(t *testing.T) {
	for _, capacity := range capacities {
		r := newMany[int](capacity)
		for _, step := range []int{1, capacity/2 + 1, capacity} {
			pos := uint64(0)
			for n := 0; n < 4*capacity; n += step {
				if got, want := int(r.index(pos)), n%capacity; got != want {
					t.Fatalf("%d: item %d in slot %d, want %d", capacity, n, got, want)
				}
				if got, want := int(pos>>r.lapShift), n/capacity; got != want {
					t.Fatalf("%d: item %d in lap %d, want %d", capacity, n, got, want)
				}
				pos = r.after(pos, uint64(step))
			}
		}
		// The three stamps of a slot differ, or a full ring would look free.
		for i := range uint64(capacity) {
			if free, held, next := i, i+1, i+r.lap(); free == held || held == next || next != r.after(i, uint64(capacity)) {
				t.Fatalf("%d: stamps %d, %d, %d", capacity, free, held, next)
			}
		}
	}
}

func TestPushEvict(t *testing.T) {
	for _, capacity := range []int{1, 3, 8} {
		r := newMany[int](capacity)
		var evicted []int
		for i := range 20 {
			if !r.PushEvict(i, func(v int) { evicted = append(evicted, v) }) {
				t.Fatalf("%d: %d refused", capacity, i)
			}
			if r.Len() != min(i+1, capacity) {
				t.Fatalf("%d: Len %d after %d pushes", capacity, r.Len(), i+1)
			}
		}
		left := make([]int, capacity)
		r.PopBulk(left)
		if all := append(evicted, left...); len(all) != 20 || !slices.IsSorted(all) {
			t.Errorf("%d: evicted and left %v", capacity, all)
		}
	}
}

// Closed, it neither adds nor evicts.
func TestPushEvictClosed(t *testing.T) {
	r := newMany[int](1)
	r.TryPush(1)
	r.Close()
	if r.PushEvict(2, func(int) { t.Error("evicted for nothing") }) {
		t.Error("added to a closed ring")
	}
	if v, ok := r.TryPop(); !ok || v != 1 {
		t.Errorf("popped %d, %v", v, ok)
	}
	if r.PushEvict(2, func(int) { t.Error("evicted out of nothing") }) {
		t.Error("added to a closed ring")
	}
}

// A burst is claimed whole: its items are next to each other in the ring.
func TestBurstTakesWhatIsReady(t *testing.T) {
	r := newMany[int](5)
	if n := r.PushBurst([]int{1, 2, 3, 4, 5, 6, 7}); n != 5 {
		t.Fatalf("PushBurst = %d", n)
	}
	dst := make([]int, 9)
	if n := r.PopBurst(dst[:3]); n != 3 || !slices.Equal(dst[:3], []int{1, 2, 3}) {
		t.Fatalf("PopBurst = %d, %v", n, dst)
	}
	if r.PushBulk([]int{6, 7, 8, 9}) || !r.PushBulk([]int{6, 7, 8}) {
		t.Fatal("PushBulk is not all or nothing")
	}
	if r.PopBulk(dst[:6]) || !r.PopBulk(dst[:5]) || !slices.Equal(dst[:5], []int{4, 5, 6, 7, 8}) {
		t.Fatalf("PopBulk is not all or nothing: %v", dst)
	}
	if r.PushBulk(make([]int, 6)) || r.Len() != 0 {
		t.Fatal("a bulk larger than the ring went in")
	}
}

// What ready says of a position: how many slots are ready from there on, and whether the ring has moved on.
func TestReady(t *testing.T) {
	r := newMany[int](3)
	r.PushBulk([]int{1, 2})
	r.TryPop()
	last := r.after(0, 2) // where the tail is
	for _, c := range []struct {
		what  string
		pos   uint64
		turn  uint64
		k     uint64
		stale bool
	}{
		{"push at the tail", last, 0, 2, false},
		{"push where an item is", 1, 0, 0, true},
		{"push where an item was popped", 0, 0, 0, true},
		{"push a lap later, to a free slot", r.lap(), 0, 1, false},
		{"push a lap later, where an item still is", r.lap() + 1, 0, 0, false},
		{"pop at the head", 1, 1, 1, false},
		{"pop what was popped", 0, 1, 0, true},
		{"pop at the tail", last, 1, 0, false},
	} {
		if k, stale := r.ready(c.pos, 3, c.turn); k != c.k || stale != c.stale {
			t.Errorf("%s: %d, %v, want %d, %v", c.what, k, stale, c.k, c.stale)
		}
	}
}

// A claim that has loaded a position of the past looks again: it does not say "full". The tail that
// it is given here stands still at 0, long after the first push, until the claim has begun.
func TestClaimWithAPositionOfThePast(t *testing.T) {
	testkit.Watchdog(t)
	for range 50 {
		r := newMany[int](3)
		r.TryPush(1)
		var tail atomic.Uint64
		var begun atomic.Bool
		type claimed struct{ pos, k uint64 }
		result := make(chan claimed)
		go func() {
			begun.Store(true)
			pos, k := r.claim(&tail, 0, 1, 1)
			result <- claimed{pos, k}
		}()
		for !begun.Load() {
			runtime.Gosched()
		}
		for range 100 {
			cpu.Pause(1)
		}
		tail.Store(r.tail.Load())
		if got := <-result; got != (claimed{1, 1}) {
			t.Fatalf("claimed %+v", got)
		}
	}
}
