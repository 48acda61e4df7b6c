// The SPSC ring's own calls: in place, peek, clear, and their misuse.

package ring

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// expectPanic runs f and checks that it panics with a text that contains want.
func expectPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got, _ := recover().(string); !strings.Contains(got, want) {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

func TestReserveCommit(t *testing.T) {
	for _, capacity := range capacities {
		p, c, _ := NewSPSC[int](capacity)
		next, want := 0, 0
		for lap := range 3 * capacity {
			n := lap%capacity + 1
			a, b := p.Reserve(n)
			if len(a)+len(b) != n || len(a) == 0 {
				t.Fatalf("%d: Reserve(%d) = %d and %d slots", capacity, n, len(a), len(b))
			}
			if cap(a) != len(a) || cap(b) != len(b) {
				t.Fatalf("%d: an append would reach slots that were not reserved", capacity)
			}
			for i := range a {
				a[i] = next + i
			}
			for i := range b {
				b[i] = next + len(a) + i
			}
			if _, ok := c.TryPop(); ok || c.Len() != 0 {
				t.Fatalf("%d: seen before Commit", capacity)
			}
			keep := n - n/2 // the rest is given up
			p.Commit(keep)
			next += keep
			a, b = c.Peek(n)
			if got := slices.Concat(a, b); len(got) != keep || got[0] != want || got[keep-1] != want+keep-1 {
				t.Fatalf("%d: Peek = %v, want %d to %d", capacity, got, want, want+keep-1)
			}
			if cap(a) != len(a) || cap(b) != len(b) {
				t.Fatalf("%d: an append would reach slots that were not peeked at", capacity)
			}
			if c.Len() != keep {
				t.Fatalf("%d: Peek took items out", capacity)
			}
			c.Advance(keep)
			want += keep
			if c.Len() != 0 {
				t.Fatalf("%d: Len %d after Advance", capacity, c.Len())
			}
		}
	}
}

func TestReserveNothing(t *testing.T) {
	p, c, _ := NewSPSC[int](2)
	for _, n := range []int{0, -1} {
		if a, b := p.Reserve(n); a != nil || b != nil {
			t.Errorf("Reserve(%d) = %v, %v", n, a, b)
		}
		if a, b := c.Peek(n); a != nil || b != nil {
			t.Errorf("Peek(%d) = %v, %v", n, a, b)
		}
	}
	if a, b := c.Peek(5); len(a)+len(b) != 0 {
		t.Errorf("Peek of an empty ring: %v, %v", a, b)
	}
	if a, b := p.Reserve(5); len(a)+len(b) != 2 {
		t.Errorf("Reserve(5) of 2: %v, %v", a, b)
	}
	p.Commit(2)
	if a, b := p.Reserve(1); len(a)+len(b) != 0 {
		t.Errorf("Reserve of a full ring: %v, %v", a, b)
	}
	p.Commit(0)
	c.Advance(0)
	if c.Len() != 2 {
		t.Errorf("Len %d", c.Len())
	}
}

func TestMisusePanics(t *testing.T) {
	p, c, _ := NewSPSC[int](4)
	expectPanic(t, "ring: Commit(1) with 0 slots reserved", func() { p.Commit(1) })
	p.Reserve(2)
	expectPanic(t, "ring: Commit(3) with 2 slots reserved", func() { p.Commit(3) })
	expectPanic(t, "ring: Commit(-1) with 2 slots reserved", func() { p.Commit(-1) })
	p.Commit(1)
	expectPanic(t, "ring: Commit(1) with 0 slots reserved", func() { p.Commit(1) }) // the rest was given up
	p.Reserve(2)
	p.Commit(0)
	expectPanic(t, "ring: Commit(1) with 0 slots reserved", func() { p.Commit(1) })

	for name, push := range map[string]func(){
		"TryPush":   func() { p.TryPush(1) },
		"PushBurst": func() { p.PushBurst([]int{1}) },
		"PushBulk":  func() { p.PushBulk([]int{1}) },
		"Push":      func() { p.Push(t.Context(), 1) },
		"Reserve":   func() { p.Reserve(0) },
	} {
		c.Clear()
		p.Reserve(2)
		push()
		t.Run("reservation given up by "+name, func(t *testing.T) {
			expectPanic(t, "ring: Commit(2) with 0 slots reserved", func() { p.Commit(2) })
		})
	}
	c.Clear()

	expectPanic(t, "ring: Advance(1) with 0 items seen", func() { c.Advance(1) })
	p.TryPush(1)
	expectPanic(t, "ring: Advance(1) with 0 items seen", func() { c.Advance(1) })
	c.Peek(1)
	expectPanic(t, "ring: Advance(2) with 1 items seen", func() { c.Advance(2) })
	expectPanic(t, "ring: Advance(-1) with 1 items seen", func() { c.Advance(-1) })
	c.Advance(1)

	p.Reserve(1)
	p.Close()
	expectPanic(t, "ring: Commit(1) with 0 slots reserved", func() { p.Commit(1) })
	if c.Len() != 0 {
		t.Errorf("a panic left %d items", c.Len())
	}
}

func TestClear(t *testing.T) {
	p, c, _ := NewSPSC[*int](5)
	for lap := range 12 {
		n := lap % 6
		for range n {
			p.TryPush(new(int))
		}
		if got := c.Clear(); got != n || c.Len() != 0 || p.Free() != 5 {
			t.Fatalf("Clear of %d = %d, then Len %d, Free %d", n, got, c.Len(), p.Free())
		}
	}
	for i, slot := range p.slots {
		if slot != nil {
			t.Errorf("slot %d was not cleared", i)
		}
	}
}

// Popped slots of a type with pointers keep nothing alive, whichever way they were popped.
func TestPoppedSlotsAreCleared(t *testing.T) {
	fill := func(q queue[*int]) {
		for q.TryPush(new(int)) {
		}
	}
	drain := map[string]func(q queue[*int]){
		"TryPop": func(q queue[*int]) {
			for q.Len() > 0 {
				q.TryPop()
			}
		},
		"PopBurst": func(q queue[*int]) { q.PopBurst(make([]*int, 9)) },
		"PopBulk":  func(q queue[*int]) { q.PopBulk(make([]*int, q.Len())) },
		"Pop": func(q queue[*int]) {
			for q.Len() > 0 {
				q.Pop(t.Context())
			}
		},
	}
	for name, f := range drain {
		one, many := newOne[*int](5), newMany[*int](5)
		for range 3 { // slots 0 to 4 of 8, then around the end
			fill(one)
			f(one)
			fill(many)
			f(many)
		}
		for i, v := range one.p.slots {
			if v != nil {
				t.Errorf("SPSC %s: slot %d was not cleared", name, i)
			}
		}
		for i := range many.slots {
			if many.slots[i] != nil {
				t.Errorf("MPMC %s: slot %d was not cleared", name, i)
			}
		}
	}
	p, c, _ := NewSPSC[*int](5)
	for range 4 {
		for p.TryPush(new(int)) {
		}
		c.Peek(9)
		c.Advance(2)
		c.Advance(3)
	}
	for i, v := range p.slots {
		if v != nil {
			t.Errorf("Advance: slot %d was not cleared", i)
		}
	}
}

// The other end's positions are looked at only when the copy isn't good enough.
func TestPositionsAreCached(t *testing.T) {
	p, c, _ := NewSPSC[int](4)
	p.PushBurst([]int{1, 2, 3, 4})
	c.TryPop()
	if c.tailSeen != 4 {
		t.Fatalf("tailSeen %d", c.tailSeen)
	}
	p.TryPush(5) // full by the copy: looks
	if p.headSeen != 1 {
		t.Fatalf("headSeen %d", p.headSeen)
	}
	c.TryPop() // 3 left by the copy: does not look
	if c.tailSeen != 4 {
		t.Fatalf("the consumer looked at the tail with items left")
	}
}

// Any goroutine may ask for Len and Free, and gets 0 to Cap.
func TestLenFromThirdGoroutine(t *testing.T) {
	testkit.Watchdog(t)
	kinds(t, func(t *testing.T, make func(int) queue[int]) {
		for _, capacity := range []int{1, 3, 64} {
			q := make(capacity)
			done := [2]chan struct{}{}
			for i := range done {
				done[i] = newDone()
			}
			const items = 20000
			go func() {
				defer close(done[0])
				for i := range items {
					for !q.TryPush(i) {
						runtime.Gosched()
					}
				}
			}()
			go func() {
				defer close(done[1])
				for range items {
					for {
						if _, ok := q.TryPop(); ok {
							break
						}
						runtime.Gosched()
					}
				}
			}()
			for running := true; running; {
				select {
				case <-done[1]:
					running = false
				default:
				}
				if n := q.Len(); n < 0 || n > capacity {
					t.Errorf("Len %d of %d", n, capacity)
				}
				if n := q.Free(); n < 0 || n > capacity {
					t.Errorf("Free %d of %d", n, capacity)
				}
				runtime.Gosched()
			}
			<-done[0]
			if q.Len() != 0 || q.Free() != capacity {
				t.Errorf("at rest: Len %d, Free %d", q.Len(), q.Free())
			}
		}
	})
}

func newDone() chan struct{} { return make(chan struct{}) }

// What each end may conclude from Len and Free while the other end works.
func TestWhoMayTrustLen(t *testing.T) {
	testkit.Watchdog(t)
	p, c, _ := NewSPSC[int](64)
	const items = 50000
	done := newDone()
	go func() {
		defer close(done)
		for i := 0; i < items; {
			free := min(p.Free(), items-i)
			for range free {
				if !p.TryPush(i) {
					t.Errorf("Free said %d, and a push was refused", free)
					return
				}
				i++
			}
			runtime.Gosched()
		}
	}()
	for i := 0; i < items; {
		for range c.Len() {
			v, ok := c.TryPop()
			if !ok || v != i {
				t.Fatalf("Len said there is one: %d, %v, want %d", v, ok, i)
			}
			i++
		}
		runtime.Gosched()
	}
	<-done
}
