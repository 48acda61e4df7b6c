// What both kinds of ring promise a single goroutine.

package ring

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

func TestCapacityOutOfRange(t *testing.T) {
	for _, n := range []int{0, -1, -1 << 31, MaxCapacity + 1} {
		p, c, err := NewSPSC[byte](n)
		if !errors.Is(err, ErrCapacity) || p != nil || c != nil {
			t.Errorf("NewSPSC(%d): %v", n, err)
		}
		r, err := NewMPMC[byte](n)
		if !errors.Is(err, ErrCapacity) || r != nil {
			t.Errorf("NewMPMC(%d): %v", n, err)
		}
		if want := fmt.Sprintf("ring: capacity out of range: %d, want 1 to 1073741824", n); err.Error() != want {
			t.Errorf("text %q, want %q", err, want)
		}
	}
}

// Capacities are exact, and a single item at a time goes round many times.
func TestExactCapacity(t *testing.T) {
	kinds(t, func(t *testing.T, make func(int) queue[int]) {
		for _, capacity := range capacities {
			q := make(capacity)
			if q.Cap() != capacity || q.Len() != 0 || q.Free() != capacity {
				t.Fatalf("%d: new ring says Cap %d, Len %d, Free %d", capacity, q.Cap(), q.Len(), q.Free())
			}
			next, want := 0, 0
			for range 5 {
				for i := range capacity {
					if !q.TryPush(next) {
						t.Fatalf("%d: push %d of %d refused", capacity, i, capacity)
					}
					next++
					if q.Len() != i+1 || q.Free() != capacity-i-1 {
						t.Fatalf("%d: Len %d, Free %d after %d pushes", capacity, q.Len(), q.Free(), i+1)
					}
				}
				if q.TryPush(-1) || q.PushBurst([]int{-1}) != 0 || q.PushBulk([]int{-1}) {
					t.Fatalf("%d: took more than its capacity", capacity)
				}
				// Leave some in, so that the next lap begins elsewhere.
				for range capacity - capacity/3 {
					v, ok := q.TryPop()
					if !ok || v != want {
						t.Fatalf("%d: popped %d, %v, want %d", capacity, v, ok, want)
					}
					want++
				}
				for q.Len() > 0 {
					if v, ok := q.TryPop(); !ok || v != want {
						t.Fatalf("%d: popped %d, %v, want %d", capacity, v, ok, want)
					}
					want++
				}
				if v, ok := q.TryPop(); ok {
					t.Fatalf("%d: popped %d out of an empty ring", capacity, v)
				}
				// Begin the next lap one slot further on.
				if !q.TryPush(next) {
					t.Fatalf("%d: empty and full", capacity)
				}
				q.TryPop()
				next++
				want++
			}
		}
	})
}

// Random operations against a slice that does the same.
func TestAgainstModel(t *testing.T) {
	kinds(t, func(t *testing.T, make_ func(int) queue[int]) {
		rnd := testkit.Rand(t)
		for _, capacity := range capacities {
			q := make_(capacity)
			var model []int
			next := 0
			items := func(n int) []int {
				vs := make([]int, n)
				for i := range vs {
					vs[i] = next + i
				}
				return vs
			}
			for step := range testkit.Scale(4000) {
				n := rnd.IntN(capacity + 3)
				room := capacity - len(model)
				op := rnd.IntN(6)
				if rnd.IntN(3) == 0 {
					model, next = ownCall(t, rnd, q, model, next)
					op = -1
				}
				switch op {
				case 0:
					if ok := q.TryPush(next); ok != (room > 0) {
						t.Fatalf("%d, step %d: TryPush %v with room for %d", capacity, step, ok, room)
					} else if ok {
						model = append(model, next)
						next++
					}
				case 1:
					vs := items(n)
					if k := q.PushBurst(vs); k != min(n, room) {
						t.Fatalf("%d, step %d: PushBurst(%d) = %d with room for %d", capacity, step, n, k, room)
					} else {
						model = append(model, vs[:k]...)
						next += k
					}
				case 2:
					vs := items(n)
					if ok := q.PushBulk(vs); ok != (n <= room) {
						t.Fatalf("%d, step %d: PushBulk(%d) = %v with room for %d", capacity, step, n, ok, room)
					} else if ok {
						model = append(model, vs...)
						next += n
					}
				case 3:
					v, ok := q.TryPop()
					if ok != (len(model) > 0) || ok && v != model[0] {
						t.Fatalf("%d, step %d: TryPop = %d, %v of %v", capacity, step, v, ok, model)
					} else if ok {
						model = model[1:]
					}
				case 4:
					dst := make([]int, n)
					k := q.PopBurst(dst)
					if k != min(n, len(model)) || !slices.Equal(dst[:k], model[:k]) {
						t.Fatalf("%d, step %d: PopBurst(%d) = %d, %v of %v", capacity, step, n, k, dst[:k], model)
					}
					model = model[k:]
				case 5:
					dst := make([]int, n)
					ok := q.PopBulk(dst)
					if ok != (n <= len(model)) || ok && !slices.Equal(dst, model[:n]) {
						t.Fatalf("%d, step %d: PopBulk(%d) = %v, %v of %v", capacity, step, n, ok, dst, model)
					} else if ok {
						model = model[n:]
					}
				}
				if q.Len() != len(model) || q.Free() != capacity-len(model) {
					t.Fatalf("%d, step %d: Len %d, Free %d, want %d items", capacity, step, q.Len(), q.Free(), len(model))
				}
			}
		}
	})
}

// ownCall does one of the calls that only one kind of ring has, to q and to its model.
func ownCall(t *testing.T, rnd *rand.Rand, q queue[int], model []int, next int) ([]int, int) {
	t.Helper()
	one, ok := q.(oneQueue[int])
	if !ok {
		want := model[:max(0, len(model)+1-q.Cap())]
		var evicted []int
		if !q.(*MPMC[int]).PushEvict(next, func(v int) { evicted = append(evicted, v) }) || !slices.Equal(evicted, want) {
			t.Fatalf("PushEvict evicted %v, want %v", evicted, want)
		}
		return append(model[len(want):], next), next + 1
	}
	n := rnd.IntN(q.Cap() + 3)
	switch rnd.IntN(5) {
	case 0, 1:
		a, b := one.p.Reserve(n)
		if len(a)+len(b) != min(n, q.Cap()-len(model)) {
			t.Fatalf("Reserve(%d) = %d and %d with %d of %d in", n, len(a), len(b), len(model), q.Cap())
		}
		k := rnd.IntN(len(a) + len(b) + 1)
		for i := range k {
			if i < len(a) {
				a[i] = next
			} else {
				b[i-len(a)] = next
			}
			model = append(model, next)
			next++
		}
		one.p.Commit(k)
	case 2, 3:
		a, b := one.c.Peek(n)
		if all := slices.Concat(a, b); !slices.Equal(all, model[:min(n, len(model))]) {
			t.Fatalf("Peek(%d) = %v of %v", n, all, model)
		}
		k := rnd.IntN(len(a) + len(b) + 1)
		one.c.Advance(k)
		model = model[k:]
	case 4:
		if rnd.IntN(4) > 0 {
			break // seldom, or the ring would never be full
		}
		if k := one.c.Clear(); k != len(model) {
			t.Fatalf("Clear = %d of %d", k, len(model))
		}
		model = nil
	}
	return model, next
}

func TestEmptySlices(t *testing.T) {
	kinds(t, func(t *testing.T, make func(int) queue[int]) {
		q := make(2)
		for _, what := range []string{"empty", "with an item", "full", "closed"} {
			if !q.PushBulk(nil) || q.PushBurst(nil) != 0 || !q.PopBulk(nil) || q.PopBurst(nil) != 0 {
				t.Errorf("%s ring: no items don't fit", what)
			}
			if what == "full" {
				q.Close()
			} else if what != "closed" {
				q.TryPush(1)
			}
		}
		if q.Len() != 2 {
			t.Errorf("Len %d", q.Len())
		}
	})
}

type pair struct{ a, b uint64 }

// Types of all sorts of sizes, pointers or not.
func TestElementTypes(t *testing.T) {
	t.Run("empty struct", func(t *testing.T) { testType(t, func(int) struct{} { return struct{}{} }) })
	t.Run("byte", func(t *testing.T) { testType(t, func(i int) byte { return byte(i) }) })
	t.Run("16 bytes", func(t *testing.T) { testType(t, func(i int) pair { return pair{uint64(i), ^uint64(i)} }) })
	t.Run("24 bytes", func(t *testing.T) { testType(t, func(i int) [3]int { return [3]int{i, -i, i} }) })
	t.Run("string", func(t *testing.T) { testType(t, func(i int) string { return fmt.Sprint(i) }) })
	t.Run("interface", func(t *testing.T) { testType(t, func(i int) any { return i }) })
	ints := make([]int, 100)
	t.Run("pointer", func(t *testing.T) { testType(t, func(i int) *int { return &ints[i] }) })
}

func testType[T comparable](t *testing.T, item func(i int) T) {
	kinds(t, func(t *testing.T, make_ func(int) queue[T]) {
		q := make_(7)
		for lap := range 10 {
			vs := []T{item(lap), item(lap + 1), item(lap + 2), item(lap + 3), item(lap + 4)}
			if !q.PushBulk(vs) || !q.TryPush(item(90)) || q.Len() != 6 {
				t.Fatalf("Len %d", q.Len())
			}
			dst := make([]T, 7)
			if n := q.PopBurst(dst); n != 6 || !slices.Equal(dst[:5], vs) || dst[5] != item(90) {
				t.Fatalf("popped %v of %v", dst[:n], vs)
			}
		}
	})
}

func TestHasPointers(t *testing.T) {
	for _, c := range []struct {
		name string
		got  bool
		want bool
	}{
		{"uintptr", hasPointers[uintptr](), false},
		{"complex", hasPointers[complex64](), false},
		{"pair", hasPointers[pair](), false},
		{"no pointers", hasPointers[[0]*int](), false},
		{"array", hasPointers[[2]pair](), false},
		{"array of strings", hasPointers[[2]string](), true},
		{"nested", hasPointers[struct {
			a int
			b struct{ c [1]func() }
		}](), true},
		{"slice", hasPointers[[]int](), true},
		{"interface", hasPointers[error](), true},
		{"channel", hasPointers[chan int](), true},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", c.name, c.got)
		}
	}
}
