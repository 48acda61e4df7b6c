// Closing: who learns of it, when, and that nothing gets lost.

package ring

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

func TestClosedByProducer(t *testing.T) {
	p, c, _ := NewSPSC[int](4)
	p.PushBulk([]int{1, 2})
	p.Reserve(1)
	p.Close()
	p.Close()
	if !p.Closed() || !c.Closed() {
		t.Error("not closed")
	}
	if a, b := p.Reserve(1); a != nil || b != nil {
		t.Error("Reserve after Close")
	}
	if p.TryPush(3) || p.PushBurst([]int{3}) != 0 || p.PushBulk([]int{3}) {
		t.Error("pushed after Close")
	}
	if err := p.Push(t.Context(), 3); err != ErrClosed {
		t.Errorf("Push: %v", err)
	}
	if _, _, err := p.ReserveWait(t.Context(), 1); err != ErrClosed {
		t.Errorf("ReserveWait: %v", err)
	}
	if v, err := c.Pop(t.Context()); err != nil || v != 1 {
		t.Errorf("drain: %d, %v", v, err)
	}
	if a, _, err := c.PeekWait(t.Context(), 4); err != nil || len(a) != 1 || a[0] != 2 {
		t.Errorf("drain: %v, %v", a, err)
	}
	c.Advance(1)
	if _, err := c.Pop(t.Context()); err != ErrClosed {
		t.Errorf("Pop: %v", err)
	}
	if _, _, err := c.PeekWait(t.Context(), 1); err != ErrClosed {
		t.Errorf("PeekWait: %v", err)
	}
	if _, ok := c.TryPop(); ok {
		t.Error("popped out of a drained ring")
	}
}

func TestClosedByConsumer(t *testing.T) {
	p, c, _ := NewSPSC[int](4)
	p.PushBulk([]int{1, 2})
	a, _ := p.Reserve(1)
	c.Close()
	c.Close()
	if !p.Closed() || !c.Closed() {
		t.Error("not closed")
	}
	// A push that is under way may still land.
	a[0] = 3
	p.Commit(1)
	if p.TryPush(4) || p.PushBurst([]int{4}) != 0 || p.PushBulk([]int{4}) {
		t.Error("pushed after the consumer closed")
	}
	if err := p.Push(t.Context(), 4); err != ErrClosed {
		t.Errorf("Push: %v", err)
	}
	for want := 1; want <= 3; want++ {
		if v, err := c.Pop(t.Context()); err != nil || v != want {
			t.Errorf("drain: %d, %v, want %d", v, err, want)
		}
	}
	if _, err := c.Pop(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Pop: %v", err)
	}
}

func TestClosedMPMC(t *testing.T) {
	r := newMany[int](4)
	r.PushBulk([]int{1, 2, 3})
	r.TryPop()
	r.Close()
	r.Close()
	if !r.Closed() {
		t.Error("not closed")
	}
	if r.Len() != 2 || r.Free() != 2 {
		t.Errorf("Len %d, Free %d", r.Len(), r.Free())
	}
	if r.TryPush(4) || r.PushBurst([]int{4}) != 0 || r.PushBulk([]int{4}) || r.PushEvict(4, func(int) {}) {
		t.Error("pushed after Close")
	}
	if err := r.Push(t.Context(), 4); err != ErrClosed {
		t.Errorf("Push: %v", err)
	}
	for want := 2; want <= 3; want++ {
		if v, err := r.Pop(t.Context()); err != nil || v != want {
			t.Errorf("drain: %d, %v, want %d", v, err, want)
		}
	}
	if _, err := r.Pop(t.Context()); err != ErrClosed {
		t.Errorf("Pop: %v", err)
	}
}

// The producer closes when it has pushed all: the consumer gets all and then ErrClosed, however
// the two meet.
func TestCloseAfterLastPush(t *testing.T) {
	testkit.Watchdog(t)
	kinds(t, func(t *testing.T, make_ func(int) queue[int]) {
		for round := range 2000 {
			q := make_(2)
			go func() {
				for i := range round % 5 {
					q.Push(context.Background(), i)
				}
				q.Close()
			}()
			for want := 0; ; want++ {
				v, err := q.Pop(context.Background())
				if err != nil {
					if err != ErrClosed || want != round%5 {
						t.Fatalf("round %d: %v after %d items", round, err, want)
					}
					break
				}
				if v != want {
					t.Fatalf("round %d: got %d, want %d", round, v, want)
				}
			}
		}
	})
}

// The consumer closes while the producer pushes: what the producer was told went in is there when it
// has noticed, and nothing else.
func TestConsumerClosesWhilePushing(t *testing.T) {
	testkit.Watchdog(t)
	for round := range 2000 {
		p, c, _ := NewSPSC[int](3)
		pushed := make(chan int)
		go func() {
			n := 0
			for {
				if round%2 == 0 {
					if p.Push(context.Background(), n) != nil {
						break
					}
				} else {
					a, _, err := p.ReserveWait(context.Background(), 1)
					if err != nil {
						break
					}
					if len(a) == 0 {
						t.Error("ReserveWait returned neither a slot nor an error")
						break
					}
					a[0] = n
					p.Commit(1)
				}
				n++
			}
			pushed <- n
		}()
		popped := 0
		pop := func() bool {
			v, ok := c.TryPop()
			if ok && v != popped {
				t.Errorf("round %d: got %d, want %d", round, v, popped)
			}
			if ok {
				popped++
			}
			return ok
		}
		for range round % 50 {
			pop()
		}
		c.Close()
		n := <-pushed
		for pop() {
		}
		if popped != n {
			t.Fatalf("round %d: pushed %d, popped %d", round, n, popped)
		}
	}
}

// A reservation without an error is never empty, even if the consumer closes at that very moment.
func TestReserveWaitWhileConsumerCloses(t *testing.T) {
	testkit.Watchdog(t)
	rounds := 500
	if runtime.GOMAXPROCS(0) == 1 { // each waits until the producer is preempted
		rounds = 50
	}
	for range rounds {
		p, c, _ := NewSPSC[int](3)
		var begun atomic.Bool
		done := newDone()
		go func() {
			defer close(done)
			for {
				a, _, err := p.ReserveWait(context.Background(), 1)
				if err != nil {
					return
				}
				if len(a) == 0 {
					t.Error("ReserveWait returned neither a slot nor an error")
					return
				}
				p.Commit(0)
				begun.Store(true)
			}
		}()
		for !begun.Load() {
			runtime.Gosched()
		}
		c.Close()
		<-done
	}
}

// Close against pushes and sleeping consumers: a push that returned true is popped, one
// that returned false is not, and all consumers get ErrClosed.
func TestMPMCCloseWhilePushing(t *testing.T) {
	testkit.Watchdog(t)
	rounds := 1500
	if raceDetector {
		rounds = 300
	}
	for round := range rounds {
		const producers, consumers, most = 2, 3, 200
		r := newMany[int](round%4 + 1)
		var accepted, popped [producers * most]atomic.Int32
		var wg sync.WaitGroup
		for range consumers {
			wg.Go(func() {
				for {
					v, err := r.Pop(context.Background())
					if err != nil {
						if err != ErrClosed || v != 0 {
							t.Errorf("Pop: %d, %v", v, err)
						}
						return
					}
					popped[v].Add(1)
				}
			})
		}
		if round%3 == 0 {
			asleep(t, &r.notEmpty, consumers)
		}
		for p := range producers {
			wg.Go(func() {
				for i := range most {
					v := p*most + i
					ok := false
					switch (round + i) % 4 {
					case 0:
						ok = r.TryPush(v)
					case 1:
						ok = r.PushBurst([]int{v}) == 1
					case 2:
						ok = r.Push(context.Background(), v) == nil
					case 3:
						ok = r.PushBulk([]int{v})
					}
					if ok {
						accepted[v].Add(1)
					} else if r.Closed() {
						return
					}
				}
			})
		}
		wg.Go(func() {
			for range round % 7 * 4 {
				runtime.Gosched()
			}
			r.Close()
		})
		wg.Wait()
		for v := range accepted {
			if a, p := accepted[v].Load(), popped[v].Load(); a != p {
				t.Fatalf("round %d: item %d accepted %d times, popped %d times", round, v, a, p)
			}
		}
		if r.Len() != 0 {
			t.Fatalf("round %d: %d left", round, r.Len())
		}
	}
}

// Many consumers asleep, a few items, Close: each item once, then ErrClosed for everyone.
func TestMPMCCloseWakesAll(t *testing.T) {
	testkit.Watchdog(t)
	processors(t, func(t *testing.T) {
		for items := range 4 {
			const consumers = 8
			r := newMany[int](4)
			var got, closed atomic.Int32
			var wg sync.WaitGroup
			for range consumers {
				wg.Go(func() {
					for {
						if _, err := r.Pop(context.Background()); err == ErrClosed {
							closed.Add(1)
							return
						}
						got.Add(1)
					}
				})
			}
			asleep(t, &r.notEmpty, consumers)
			for i := range items {
				r.TryPush(i)
			}
			r.Close()
			wg.Wait()
			if got.Load() != int32(items) || closed.Load() != consumers {
				t.Errorf("%d of %d items, %d of %d told", got.Load(), items, closed.Load(), consumers)
			}

			full := newMany[int](1)
			full.TryPush(0)
			closed.Store(0)
			for i := range consumers {
				wg.Go(func() {
					if full.Push(context.Background(), i) == ErrClosed {
						closed.Add(1)
					}
				})
			}
			asleep(t, &full.notFull, consumers)
			full.Close()
			wg.Wait()
			if closed.Load() != consumers {
				t.Errorf("%d of %d producers told", closed.Load(), consumers)
			}
		}
	})
}
