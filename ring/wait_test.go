// Calls that wait: contexts, sleeping and waking, with one processor and with several.

package ring

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/ringway-net/ringway/internal/park"
)

// lists returns where the consumers and the producers of q sleep.
func lists[T any](q queue[T]) (notEmpty, notFull *park.List) {
	switch q := q.(type) {
	case oneQueue[T]:
		return &q.p.s.notEmpty, &q.p.s.notFull
	case *MPMC[T]:
		return &q.notEmpty, &q.notFull
	}
	panic(fmt.Sprintf("%T", q))
}

// processors runs f with one processor, where nobody spins, and with two.
func processors(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			f(t)
		})
	}
}

// waits are the calls that wait: on a full ring of one slot (push) or an empty one.
var waits = []struct {
	name string
	push bool
	call func(ctx context.Context, q oneQueue[int], r *MPMC[int]) error
}{
	{"Producer.Push", true, func(ctx context.Context, q oneQueue[int], _ *MPMC[int]) error { return q.p.Push(ctx, 7) }},
	{"Producer.ReserveWait", true, func(ctx context.Context, q oneQueue[int], _ *MPMC[int]) error {
		a, b, err := q.p.ReserveWait(ctx, 2)
		if err != nil {
			return err
		}
		if len(a) != 1 || len(b) != 0 {
			return fmt.Errorf("reserved %d and %d", len(a), len(b))
		}
		a[0] = 7
		q.p.Commit(1)
		return nil
	}},
	{"Consumer.Pop", false, func(ctx context.Context, q oneQueue[int], _ *MPMC[int]) error {
		v, err := q.c.Pop(ctx)
		if err == nil && v != 7 {
			return fmt.Errorf("popped %d", v)
		}
		return err
	}},
	{"Consumer.PeekWait", false, func(ctx context.Context, q oneQueue[int], _ *MPMC[int]) error {
		a, b, err := q.c.PeekWait(ctx, 2)
		if err != nil {
			return err
		}
		if len(a) != 1 || len(b) != 0 || a[0] != 7 {
			return fmt.Errorf("peeked %v and %v", a, b)
		}
		q.c.Advance(1)
		return nil
	}},
	{"MPMC.Push", true, func(ctx context.Context, _ oneQueue[int], r *MPMC[int]) error { return r.Push(ctx, 7) }},
	{"MPMC.Pop", false, func(ctx context.Context, _ oneQueue[int], r *MPMC[int]) error {
		v, err := r.Pop(ctx)
		if err == nil && v != 7 {
			return fmt.Errorf("popped %d", v)
		}
		return err
	}},
}

// waitRings returns rings of one slot, full for a push and empty for a pop.
func waitRings(push bool) (oneQueue[int], *MPMC[int]) {
	q, r := newOne[int](1), newMany[int](1)
	if push {
		q.TryPush(1)
		r.TryPush(1)
	}
	return q, r
}

func TestWaitNotAtAll(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			q, r := waitRings(false)
			if !w.push {
				q.TryPush(7)
				r.TryPush(7)
			}
			if err := w.call(cancelled, q, r); err != nil {
				t.Errorf("with no need to wait: %v", err)
			}
		})
	}
}

func TestWaitContextDoneBefore(t *testing.T) {
	testkit.Watchdog(t)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancelLate := context.WithTimeout(context.Background(), -1)
	defer cancelLate()
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			q, r := waitRings(w.push)
			if err := w.call(cancelled, q, r); err != context.Canceled {
				t.Errorf("cancelled: %v", err)
			}
			if err := w.call(late, q, r); err != context.DeadlineExceeded {
				t.Errorf("too late: %v", err)
			}
			want := 0
			if w.push {
				want = 1
			}
			if q.Len() != want || r.Len() != want {
				t.Errorf("Len %d and %d, want %d", q.Len(), r.Len(), want)
			}
			if n := waiters(q, r); n != 0 {
				t.Errorf("%d left on the lists", n)
			}
		})
	}
}

func waiters(q oneQueue[int], r *MPMC[int]) int {
	return q.p.s.notEmpty.Waiters() + q.p.s.notFull.Waiters() + r.notEmpty.Waiters() + r.notFull.Waiters()
}

// start runs a waiting call until it sleeps, and returns where its error will come.
func start(t *testing.T, ctx context.Context, q oneQueue[int], r *MPMC[int],
	call func(context.Context, oneQueue[int], *MPMC[int]) error) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- call(ctx, q, r) }()
	for waiters(q, r) == 0 {
		runtime.Gosched()
	}
	return result
}

func TestWaitContextDoneWhileAsleep(t *testing.T) {
	testkit.Watchdog(t)
	processors(t, func(t *testing.T) {
		for _, w := range waits {
			t.Run(w.name, func(t *testing.T) {
				q, r := waitRings(w.push)
				ctx, cancel := context.WithCancel(context.Background())
				result := start(t, ctx, q, r, w.call)
				cancel()
				if err := <-result; err != context.Canceled {
					t.Errorf("error %v", err)
				}
				if n := waiters(q, r); n != 0 {
					t.Errorf("%d left on the lists", n)
				}
			})
		}
	})
}

func TestWaitIsWoken(t *testing.T) {
	testkit.Watchdog(t)
	processors(t, func(t *testing.T) {
		for _, w := range waits {
			t.Run(w.name, func(t *testing.T) {
				q, r := waitRings(w.push)
				result := start(t, context.Background(), q, r, w.call)
				if w.push {
					q.TryPop()
					r.TryPop()
				} else {
					q.TryPush(7)
					r.TryPush(7)
				}
				if err := <-result; err != nil {
					t.Errorf("error %v", err)
				}
				if n := waiters(q, r); n != 0 {
					t.Errorf("%d left on the lists", n)
				}
			})
		}
	})
}

func TestWaitClosed(t *testing.T) {
	testkit.Watchdog(t)
	for name, closing := range map[string]func(q oneQueue[int], r *MPMC[int]){
		"by the producer": func(q oneQueue[int], r *MPMC[int]) { q.p.Close(); r.Close() },
		"by the consumer": func(q oneQueue[int], r *MPMC[int]) { q.c.Close(); r.Close() },
	} {
		for _, w := range waits {
			t.Run(w.name+" "+name, func(t *testing.T) {
				q, r := waitRings(w.push)
				closing(q, r)
				if err := w.call(context.Background(), q, r); !errors.Is(err, ErrClosed) {
					t.Errorf("closed before: %v", err)
				}
				if w.push && name == "by the producer" {
					return // a producer that sleeps can't close, and nobody else may do it
				}
				q, r = waitRings(w.push)
				result := start(t, context.Background(), q, r, w.call)
				closing(q, r)
				if err := <-result; !errors.Is(err, ErrClosed) {
					t.Errorf("closed while asleep: %v", err)
				}
			})
		}
	}
}

// Every way to push wakes a sleeping consumer, and every way to pop a sleeping producer.
func TestEveryOperationWakes(t *testing.T) {
	testkit.Watchdog(t)
	kinds(t, func(t *testing.T, make_ func(int) queue[int]) {
		pushes := map[string]func(q queue[int]){
			"TryPush":   func(q queue[int]) { q.TryPush(7) },
			"PushBurst": func(q queue[int]) { q.PushBurst([]int{7}) },
			"PushBulk":  func(q queue[int]) { q.PushBulk([]int{7}) },
			"Push":      func(q queue[int]) { q.Push(context.Background(), 7) },
		}
		if _, ok := make_(1).(oneQueue[int]); ok {
			pushes["Commit"] = func(q queue[int]) {
				p := q.(oneQueue[int]).p
				a, _ := p.Reserve(1)
				a[0] = 7
				p.Commit(1)
			}
		} else {
			pushes["PushEvict"] = func(q queue[int]) { q.(*MPMC[int]).PushEvict(7, func(int) {}) }
		}
		for name, push := range pushes {
			q := make_(1)
			notEmpty, _ := lists(q)
			got := make(chan int, 1)
			go func() {
				v, _ := q.Pop(context.Background())
				got <- v
			}()
			asleep(t, notEmpty, 1)
			push(q)
			if v := <-got; v != 7 {
				t.Errorf("%s: popped %d", name, v)
			}
		}

		pops := map[string]func(q queue[int]){
			"TryPop":   func(q queue[int]) { q.TryPop() },
			"PopBurst": func(q queue[int]) { q.PopBurst(make([]int, 1)) },
			"PopBulk":  func(q queue[int]) { q.PopBulk(make([]int, 1)) },
			"Pop":      func(q queue[int]) { q.Pop(context.Background()) },
		}
		if _, ok := make_(1).(oneQueue[int]); ok {
			pops["Advance"] = func(q queue[int]) { c := q.(oneQueue[int]).c; c.Peek(1); c.Advance(1) }
			pops["Clear"] = func(q queue[int]) { q.(oneQueue[int]).c.Clear() }
		}
		for name, pop := range pops {
			q := make_(1)
			_, notFull := lists(q)
			q.TryPush(1)
			done := make(chan error, 1)
			go func() { done <- q.Push(context.Background(), 2) }()
			asleep(t, notFull, 1)
			pop(q)
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if v, ok := q.TryPop(); !ok || v != 2 {
				t.Errorf("%s: popped %d, %v", name, v, ok)
			}
		}
	})
}

// A burst of n wakes n sleepers, each of which gets one item; and a burst popped wakes as many
// sleeping producers.
func TestBurstWakesAsManySleepers(t *testing.T) {
	testkit.Watchdog(t)
	processors(t, func(t *testing.T) {
		const n = 5
		r := newMany[int](n)
		var wg sync.WaitGroup
		var got [n]int
		for i := range n {
			wg.Go(func() { got[i], _ = r.Pop(context.Background()) })
		}
		asleep(t, &r.notEmpty, n)
		r.PushBurst([]int{1, 2, 3, 4, 5})
		wg.Wait()
		slices.Sort(got[:])
		if got != [n]int{1, 2, 3, 4, 5} {
			t.Errorf("got %v", got)
		}

		r.PushBurst([]int{0, 0, 0, 0, 0})
		for i := range n {
			wg.Go(func() { r.Push(context.Background(), i+1) })
		}
		asleep(t, &r.notFull, n)
		r.PopBurst(make([]int, n))
		wg.Wait()
		if r.PopBulk(got[:]); !slices.Equal(slices.Sorted(slices.Values(got[:])), []int{1, 2, 3, 4, 5}) {
			t.Errorf("got %v", got)
		}
	})
}

// Fewer items than sleepers: the rest goes on sleeping, and a sleeper whose context ends takes
// nothing with it.
func TestItemsGoToThoseWhoStillWait(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](4)
	const n = 6
	var cancels [n]context.CancelFunc
	results := make(chan int, n) // -1: cancelled
	for i := range n {
		var ctx context.Context
		ctx, cancels[i] = context.WithCancel(context.Background())
		go func() {
			v, err := r.Pop(ctx)
			if err != nil {
				v = -1
			}
			results <- v
		}()
		asleep(t, &r.notEmpty, i+1)
	}
	cancels[0]() // the one that has waited longest
	cancels[3]()
	for range 2 {
		if v := <-results; v != -1 {
			t.Fatalf("got %d", v)
		}
	}
	r.PushBurst([]int{1, 2})
	if a, b := <-results, <-results; a+b != 3 {
		t.Fatalf("got %d, %d", a, b)
	}
	asleep(t, &r.notEmpty, 2)
	r.TryPush(3)
	if v := <-results; v != 3 {
		t.Fatalf("got %d", v)
	}
	asleep(t, &r.notEmpty, 1)
	for _, cancel := range cancels {
		cancel()
	}
	if v := <-results; v != -1 {
		t.Fatalf("got %d", v)
	}
}

// A nil context is a nil dereference, once it has to be looked at, and does no harm to the sleepers of the process.
func TestWaitNilContext(t *testing.T) {
	var none context.Context
	for _, w := range waits {
		t.Run(w.name, func(t *testing.T) {
			q, r := waitRings(w.push)
			for range 3 {
				dereferencesNil(t, func() { w.call(none, q, r) })
			}
			for _, q := range []queue[int]{q, r} {
				if notEmpty, notFull := lists(q); notEmpty.Waiters()+notFull.Waiters() != 0 {
					t.Error("somebody is left on a list")
				}
			}
			// With no need to wait it is not looked at.
			if w.push {
				q.TryPop()
				r.TryPop()
			} else {
				q.TryPush(7)
				r.TryPush(7)
			}
			if err := w.call(none, q, r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAll(t *testing.T) {
	testkit.Watchdog(t)
	const items = 1000
	t.Run("SPSC", func(t *testing.T) {
		p, c, _ := NewSPSC[int](3)
		go func() {
			defer p.Close()
			for i := range items {
				p.Push(context.Background(), i)
			}
		}()
		want := 0
		for v := range c.All() {
			if v != want {
				t.Fatalf("got %d, want %d", v, want)
			}
			if want++; want == items/2 {
				break // what was yielded is taken, what follows is not
			}
		}
		for v := range c.All() {
			if v != want {
				t.Fatalf("got %d, want %d", v, want)
			}
			want++
		}
		if want != items {
			t.Errorf("%d items", want)
		}
		for range c.All() {
			t.Error("an item out of a drained ring")
		}
	})
	t.Run("MPMC", func(t *testing.T) {
		r := newMany[int](3)
		var wg sync.WaitGroup
		var sums, counts [3]int
		for w := range sums {
			wg.Go(func() {
				for v := range r.All() {
					sums[w] += v
					counts[w]++
				}
			})
		}
		for i := range items {
			r.Push(context.Background(), i)
		}
		r.Close()
		wg.Wait()
		if n, sum := counts[0]+counts[1]+counts[2], sums[0]+sums[1]+sums[2]; n != items || sum != items*(items-1)/2 {
			t.Errorf("%d items, sum %d", n, sum)
		}
	})
}
