// The MPMC ring's own calls and positions.

package ring

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

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

// A mark of the past leads to something that was published, not beyond it: who follows one from a seen of the past
// fails to move seen then, and looks again.
func TestMarksOfThePast(t *testing.T) {
	rnd := testkit.Rand(t)
	for _, capacity := range capacities {
		r := newMany[int](capacity)
		step := uint64(max(1, capacity/64)) // small rings are looked at from everywhere, large ones from some places each time
		for pos := range uint64(4 * capacity) {
			r.TryPush(int(pos))
			if end := r.end(pos, items); end != pos+1 {
				t.Fatalf("%d: the item that was pushed last, at %d, is not found: %d", capacity, pos, end)
			}
			r.TryPop()
			for old := rnd.Uint64N(step); old < pos+uint64(capacity)+2; old += step {
				if end := r.end(old, items); end != old && end > pos+1 {
					t.Fatalf("%d: from %d there are items to %d, but only %d were pushed", capacity, old, end, pos+1)
				}
				if end := r.end(old, room); end != old && end > pos+1+uint64(capacity) {
					t.Fatalf("%d: from %d there is room to %d, but only %d were popped", capacity, old, end, pos+1)
				}
			}
			if end := r.end(pos+uint64(capacity), room); end != pos+uint64(capacity)+1 {
				t.Fatalf("%d: the slot that was freed last is not found: %d", capacity, end)
			}
		}
	}
}

// Runs are found whatever their lengths are, and however far a look goes: the pushes' and the pops'
// boundaries do not agree, and go round the ring many times.
func TestRunsOfAllLengths(t *testing.T) {
	rnd := testkit.Rand(t)
	for _, capacity := range []int{1, 3, 5, 64, 100, 1000} {
		testRuns(t, rnd, newMany[int](capacity))
	}
}

// So they are around the position 1<<62, 146 years on.
func TestRunsFarOn(t *testing.T) {
	rnd := testkit.Rand(t)
	for _, capacity := range []int{1, 3, 5, 64, 100, 1000} {
		r := newMany[int](capacity)
		start := uint64(1)<<62 - uint64(10*capacity) - 500
		r.head.claimed.Store(start)
		r.head.seen.Store(start)
		r.tail.claimed.Store(start)
		r.tail.seen.Store(start + r.limit)
		testRuns(t, rnd, r)
		popAll(r)
		r.TryPush(1)
		r.Close()
		if r.TryPush(2) || r.PushBurst([]int{2}) != 0 || r.PushEvict(2, nil) {
			t.Errorf("%d: pushed after Close", capacity)
		}
		if v, ok := r.TryPop(); !ok || v != 1 || !r.drained() {
			t.Errorf("%d: popped %d, %v", capacity, v, ok)
		}
	}
}

func testRuns(t *testing.T, rnd *rand.Rand, r *MPMC[int]) {
	t.Helper()
	capacity := r.Cap()
	pushed, popped := 0, 0
	for pushed < 20*capacity+1000 {
		vs := make([]int, 1+rnd.IntN(capacity))
		for i := range vs {
			vs[i] = pushed + i
		}
		n := r.PushBurst(vs)
		if want := min(len(vs), capacity-(pushed-popped)); n != want {
			t.Fatalf("%d: pushed %d of %d with room for %d", capacity, n, len(vs), want)
		}
		pushed += n
		vs = vs[:1+rnd.IntN(len(vs))]
		n = r.PopBurst(vs)
		if want := min(len(vs), pushed-popped); n != want {
			t.Fatalf("%d: popped %d of %d, there are %d", capacity, n, len(vs), pushed-popped)
		}
		for _, v := range vs[:n] {
			if v != popped {
				t.Fatalf("%d: popped %d, want %d", capacity, v, popped)
			}
			popped++
		}
	}
}
