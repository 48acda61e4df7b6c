// What the others may expect while one goroutine stands still in the middle of an operation on an
// MPMC ring: the doc of MPMC, step by step.

package ring

import (
	"context"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// step is an operation on r that stands between its claim and its publication.
type step struct {
	r      *MPMC[int]
	pos, n uint64
}

// claimPush and claimPop do the first step of a push or pop of n items, and stop.
func claimPush(t *testing.T, r *MPMC[int], n int) *step { return claimStep(t, r, &r.tail, room, n) }
func claimPop(t *testing.T, r *MPMC[int], n int) *step  { return claimStep(t, r, &r.head, items, n) }

func claimStep(t *testing.T, r *MPMC[int], s *side, kind uint64, n int) *step {
	t.Helper()
	pos, k := r.claim(s, uint64(n), uint64(n), kind)
	if int(k) != n {
		t.Fatalf("claimed %d, want %d", k, n)
	}
	return &step{r, pos, k}
}

// available returns how much there is to claim for s, while nobody else does anything.
func (r *runs) available(s *side, kind uint64) uint64 {
	pos := s.claimed.Load()
	return r.follow(max(pos, s.seen.Load()), pos+r.limit, kind) - pos
}

// slots calls f for each claimed slot.
func (s *step) slots(f func(slot *int)) {
	for i := range s.n {
		f(&s.r.slots[(s.pos+i)&uint64(len(s.r.slots)-1)])
	}
}

// put writes and publishes what a push has claimed, and wakes nobody; take reads and frees what a pop has.
func (s *step) put(vs ...int) {
	s.slots(func(slot *int) { *slot, vs = vs[0], vs[1:] })
	s.r.publish(s.pos, s.pos+s.n, items)
}

func (s *step) take() (vs []int) {
	s.slots(func(slot *int) { vs = append(vs, *slot) })
	s.r.publish(s.pos+s.r.limit, s.pos+s.r.limit+s.n, room)
	return vs
}

func popAll(r *MPMC[int]) (vs []int) {
	for {
		v, ok := r.TryPop()
		if !ok {
			return vs
		}
		vs = append(vs, v)
	}
}

func wantItems(t *testing.T, got []int, want ...int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A pusher stands still between claim and publication: what comes behind it is hidden, pushes go
// on while there is room, and nobody is kept waiting who didn't ask for it.
func TestStalledPusher(t *testing.T) {
	r := newMany[int](4)
	r.TryPush(1)
	stalled := claimPush(t, r, 1)
	if !r.TryPush(3) || !r.PushBulk([]int{4}) {
		t.Fatal("a stalled pusher stops pushes while there is room")
	}
	wantItems(t, popAll(r), 1)
	if n := r.PopBurst(make([]int, 4)); n != 0 {
		t.Fatalf("popped %d hidden items", n)
	}
	if r.PopBulk(make([]int, 1)) {
		t.Fatal("popped hidden items")
	}
	if r.Len() != 3 {
		t.Errorf("Len %d: doesn't count what is about to be published", r.Len())
	}
	if !r.TryPush(5) || r.TryPush(6) {
		t.Fatal("not full after 4")
	}
	// Full, and the oldest is hidden: there is nothing to evict.
	if r.PushEvict(6, func(v int) { t.Errorf("evicted %d", v) }) {
		t.Error("PushEvict found room where there is none")
	}
	stalled.put(2)
	wantItems(t, popAll(r), 2, 3, 4, 5)
}

// A popper stands still between claim and taking: the items behind it can be popped, and the ring
// takes pushes until they come round to its slot.
func TestStalledPopper(t *testing.T) {
	r := newMany[int](4)
	r.PushBulk([]int{1, 2, 3})
	stalled := claimPop(t, r, 1)
	if v, ok := r.TryPop(); !ok || v != 2 {
		t.Fatalf("popped %d, %v", v, ok)
	}
	if !r.TryPush(4) {
		t.Fatal("no room in front of the stalled popper")
	}
	if r.TryPush(5) || r.PushBurst([]int{5}) != 0 || r.PushBulk([]int{5}) {
		t.Fatal("pushed into a slot that is being read")
	}
	if r.Len() != 2 || r.Free() != 2 {
		t.Errorf("Len %d, Free %d", r.Len(), r.Free())
	}
	wantItems(t, popAll(r), 3, 4)
	if r.PushEvict(5, func(v int) { t.Errorf("evicted %d", v) }) {
		t.Error("pushed into a slot that is being read")
	}
	wantItems(t, stalled.take(), 1)
	if !r.PushBulk([]int{5, 6, 7, 8}) {
		t.Fatal("no room after it went on")
	}
	wantItems(t, popAll(r), 5, 6, 7, 8)
}

// A burst is published as one, and given back as one.
func TestStalledInTheMiddleOfABurst(t *testing.T) {
	r := newMany[int](5)
	push := claimPush(t, r, 3)
	r.TryPush(4)
	wantItems(t, popAll(r))
	push.put(1, 2, 3)
	if v, ok := r.TryPop(); !ok || v != 1 {
		t.Fatalf("popped %d, %v", v, ok)
	}
	pop := claimPop(t, r, 2)
	wantItems(t, popAll(r), 4)
	if !r.TryPush(5) || !r.TryPush(6) || r.TryPush(7) {
		t.Fatal("room in front of the stalled burst is not what it should be: 5 less 1, 2, 3 and 4, of which 1 was popped")
	}
	wantItems(t, pop.take(), 2, 3)
	if !r.PushBulk([]int{7, 8, 9}) || r.TryPush(10) {
		t.Fatal("the slots of the burst, and that of 4 behind it, were not given back")
	}
	wantItems(t, popAll(r), 5, 6, 7, 8, 9)
}

// A goroutine asleep on a hidden item is woken by the one that hid it, with all that sleep on the
// items behind: the wake-up that those behind gave came too early.
func TestStalledPusherWakesAll(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](4)
	stalled := claimPush(t, r, 1)
	got := make(chan int, 3)
	for range 3 {
		go func() {
			v, err := r.Pop(context.Background())
			if err != nil {
				t.Error(err)
			}
			got <- v
		}()
	}
	asleep(t, &r.notEmpty, 3)
	r.TryPush(2)
	r.TryPush(3)
	asleep(t, &r.notEmpty, 3) // woken, found nothing, asleep again
	stalled.put(1)
	r.pushed(1)
	vs := []int{<-got, <-got, <-got}
	slices.Sort(vs)
	wantItems(t, vs, 1, 2, 3)
}

// The same for room.
func TestStalledPopperWakesAll(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](3)
	r.PushBulk([]int{1, 2, 3})
	stalled := claimPop(t, r, 1)
	done := make(chan error, 3)
	for i := range 3 {
		go func() { done <- r.Push(context.Background(), 4+i) }()
	}
	asleep(t, &r.notFull, 3)
	wantItems(t, popAll(r), 2, 3)
	asleep(t, &r.notFull, 3)
	stalled.take()
	r.popped(1)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	vs := popAll(r)
	slices.Sort(vs)
	wantItems(t, vs, 4, 5, 6)
}

// Published but not yet announced: those who look find the item, a sleeper sleeps until it goes on.
func TestStalledBeforeWake(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](2)
	got := make(chan int, 1)
	go func() { v, _ := r.Pop(context.Background()); got <- v }()
	asleep(t, &r.notEmpty, 1)
	stalled := claimPush(t, r, 1)
	stalled.put(1)
	if v, ok := r.TryPop(); !ok || v != 1 {
		t.Fatalf("got %d, %v", v, ok)
	}
	r.pushed(1)
	asleep(t, &r.notEmpty, 1)
	r.TryPush(2)
	if v := <-got; v != 2 {
		t.Fatalf("got %d", v)
	}
}

// Close with a push in flight: nobody is told "drained" before its item was popped.
func TestStalledPusherAndClose(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](4)
	stalled := claimPush(t, r, 1)
	type result struct {
		v   int
		err error
	}
	results := make(chan result, 3)
	for range 3 {
		go func() {
			v, err := r.Pop(context.Background())
			results <- result{v, err}
		}()
	}
	asleep(t, &r.notEmpty, 3)
	r.Close()
	asleep(t, &r.notEmpty, 3)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := r.Pop(cancelled); err != context.Canceled {
		t.Errorf("Pop with an item in flight: %v", err)
	}
	stalled.put(7)
	r.pushed(1)
	items := 0
	for range 3 {
		res := <-results
		if res.err == nil && res.v == 7 {
			items++
		} else if res.err != ErrClosed {
			t.Errorf("Pop: %d, %v", res.v, res.err)
		}
	}
	if items != 1 {
		t.Errorf("the item came %d times", items)
	}
}

// Close with a pop in flight that has claimed the last item: nothing is left for the others, and they
// are told so at once.
func TestStalledPopperAndClose(t *testing.T) {
	testkit.Watchdog(t)
	r := newMany[int](4)
	r.TryPush(1)
	stalled := claimPop(t, r, 1)
	r.Close()
	if _, err := r.Pop(context.Background()); err != ErrClosed {
		t.Errorf("nothing is left for this one: %v", err)
	}
	wantItems(t, stalled.take(), 1)
}
