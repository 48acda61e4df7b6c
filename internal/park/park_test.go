package park

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func asleep(l *List, n int) {
	for l.Waiters() != n {
		runtime.Gosched()
	}
}

// check looks at the links, and returns the waiters in their order.
func check(t *testing.T, l *List) (ws []*waiter) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var prev *waiter
	for w := l.first; w != nil; w = w.next {
		if w.prev != prev || !w.queued || w.wake.Len() != 0 {
			t.Fatalf("waiter %d: prev %p, want %p; queued %v, %d tokens", len(ws), w.prev, prev, w.queued, w.wake.Len())
		}
		ws = append(ws, w)
		prev = w
	}
	if l.last != prev || l.Waiters() != len(ws) || l.Waiting() != (len(ws) > 0) {
		t.Fatalf("last %p, want %p; %d counted, %d on the list", l.last, prev, l.Waiters(), len(ws))
	}
	return ws
}

// Random enqueues, removes and wakes against a slice.
func TestListAgainstModel(t *testing.T) {
	rnd := testkit.Rand(t)
	var l List
	var model, idle []*waiter
	for range 6 {
		idle = append(idle, newWaiter())
	}
	retire := func(i int, token bool) {
		w := model[i]
		if got := w.wake.Len() == 1; got != token || w.queued || w.next != nil || w.prev != nil {
			t.Fatalf("off the list: token %v, want %v; queued %v, next %p, prev %p", got, token, w.queued, w.next, w.prev)
		}
		if token {
			w.wake.Take(nil)
		}
		if l.remove(w) {
			t.Fatal("removed twice")
		}
		model = append(model[:i:i], model[i+1:]...)
		idle = append(idle, w)
	}
	for range 20000 {
		switch op := rnd.IntN(3); {
		case op == 0 && len(idle) > 0:
			w := idle[0]
			idle = idle[1:]
			l.enqueue(w)
			model = append(model, w)
		case op == 1 && len(model) > 0:
			i := rnd.IntN(len(model))
			if !l.remove(model[i]) {
				t.Fatal("on the list, and not removed")
			}
			retire(i, false)
		case op == 2:
			n := rnd.IntN(4) - 1
			l.Wake(n)
			for range min(n, len(model)) {
				retire(0, true)
			}
		}
		ws := check(t, &l)
		if len(ws) != len(model) {
			t.Fatalf("%d on the list, want %d", len(ws), len(model))
		}
		for i := range ws {
			if ws[i] != model[i] {
				t.Fatalf("waiter %d is not the one who came %d-th", i, i)
			}
		}
	}
	l.WakeAll()
	if len(check(t, &l)) != 0 {
		t.Fatal("WakeAll left somebody")
	}
}

// A condition that holds is never waited for, whatever the context; one that doesn't is tried before
// the context counts.
func TestWaitDoesNotSleep(t *testing.T) {
	var l List
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tries := 0
	if err := l.Wait(cancelled, func() bool { tries++; return true }); err != nil || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
	for wanted := 1; wanted < 30; wanted++ { // in the spins, the yields and once announced
		tries = 0
		err := l.Wait(cancelled, func() bool { tries++; return tries == wanted })
		if (err == nil) != (tries == wanted) {
			t.Errorf("true at try %d: %v after %d", wanted, err, tries)
		}
		if len(check(t, &l)) != 0 {
			t.Fatalf("true at try %d: left on the list", wanted)
		}
	}
	if err := l.Wait(cancelled, func() bool { return false }); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

// W1 before W2: what was made true between the last look and the announcement is seen, without a
// wake-up. The condition comes true with the look after the announcement.
func TestLooksOnceMoreAfterAnnouncing(t *testing.T) {
	testkit.Watchdog(t)
	var l List
	err := l.sleep(context.Background(), func() bool { return l.Waiting() })
	if err != nil || len(check(t, &l)) != 0 {
		t.Errorf("error %v", err)
	}
	// And with the wake-up as well, in the same moment: it must not stay behind for the next wait.
	err = l.sleep(context.Background(), func() bool { l.Wake(1); return true })
	if err != nil || len(check(t, &l)) != 0 {
		t.Errorf("error %v", err)
	}
	tries := 0
	ctx, cancel := context.WithCancel(context.Background())
	err = l.sleep(ctx, func() bool { tries++; cancel(); return false })
	if err != context.Canceled || tries != 1 {
		t.Errorf("%v after %d tries: woken by a wake-up of the past", err, tries)
	}
}

// A wake-up that reaches somebody whose context is done goes on to the next: here the first of two
// sleepers is woken and cancelled in the same moment, many times.
func TestWakeIsPassedOn(t *testing.T) {
	testkit.Watchdog(t)
	for range 300 {
		var l List
		var items atomic.Int32
		take := func() bool {
			n := items.Load()
			return n > 0 && items.CompareAndSwap(n, n-1)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		var got atomic.Int32
		wg.Go(func() {
			if l.sleep(ctx, take) == nil {
				got.Add(1)
				items.Add(1) // for the other one, who must be told
				l.Wake(1)
			}
		})
		asleep(&l, 1)
		wg.Go(func() { l.sleep(context.Background(), take) })
		asleep(&l, 2)
		wg.Go(cancel)
		items.Add(1)
		l.Wake(1) // goes to the first one
		wg.Wait() // and the second one must come out
		if len(check(t, &l)) != 0 || items.Load() != 0 {
			t.Fatalf("%d items left", items.Load())
		}
	}
}

// The same with no luck: the waiter is woken while it does its last look, after which it finds its context
// done and a token that it must pass on.
func TestWakeIsPassedOnFromADoneContext(t *testing.T) {
	testkit.Watchdog(t)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	passed := 0
	for range 200 { // select takes either of two that are ready; half of the rounds take the token first
		var l List
		other := newWaiter()
		tries := 0
		err := l.sleep(cancelled, func() bool {
			if tries++; tries == 1 {
				l.enqueue(other)
				l.Wake(1) // takes the sleeper off the list
			}
			return false
		})
		if err != context.Canceled {
			t.Fatalf("error %v", err)
		}
		switch {
		case tries == 1 && other.wake.Len() == 1:
			passed++
		case tries == 1:
			t.Fatal("the wake-up was not passed on")
		case other.wake.Len() != 0: // it tried with the token: the wake-up is spent
			t.Fatal("a wake-up out of nothing")
		}
	}
	if passed == 0 {
		t.Fatal("200 rounds, and select never saw the context first")
	}
}

func TestWakeAll(t *testing.T) {
	testkit.Watchdog(t)
	for _, procs := range []int{1, 2} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			var l List
			var open atomic.Bool
			var wg sync.WaitGroup
			const many = 1000
			for range many {
				wg.Go(func() {
					if err := l.Wait(context.Background(), open.Load); err != nil {
						t.Error(err)
					}
				})
			}
			asleep(&l, many)
			l.WakeAll() // for nothing: all come back
			asleep(&l, many)
			open.Store(true)
			l.WakeAll()
			wg.Wait()
			check(t, &l)
		}()
	}
}

// Those who have waited longest are woken first, n at a time.
func TestWakeOrder(t *testing.T) {
	testkit.Watchdog(t)
	var l List
	var items atomic.Int32
	order := make(chan int, 9)
	for i := range 9 {
		go func() {
			l.sleep(context.Background(), func() bool {
				n := items.Load()
				return n > 0 && items.CompareAndSwap(n, n-1)
			})
			order <- i
		}()
		asleep(&l, i+1)
	}
	for i := range 3 {
		items.Add(3)
		l.Wake(3)
		sum := 0
		for range 3 {
			sum += <-order
		}
		if want := 9*i + 3; sum != want {
			t.Errorf("wake-up %d: the wrong three, sum %d, want %d", i, sum, want)
		}
	}
}

// A semaphore out of an atomic and two lists' worth of traffic, with contexts that end at random: a lost
// wake-up leaves somebody asleep for ever. It sleeps at once, without spinning, as often as it can.
func TestNoLostWakeUps(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	for _, procs := range []int{1, 2, 4} {
		for _, workers := range []int{1, 2, 8} {
			func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
				var l List
				var items atomic.Int64
				take := func() bool {
					for {
						n := items.Load()
						if n == 0 {
							return false
						}
						if items.CompareAndSwap(n, n-1) {
							return true
						}
					}
				}
				const perWorker = 1000
				var wg sync.WaitGroup
				for id := range workers {
					rnd := rand.New(rand.NewPCG(seed, uint64(id)))
					wg.Go(func() { // takes perWorker items
						for got := 0; got < perWorker; {
							ctx, cancel := context.Background(), context.CancelFunc(func() {})
							if rnd.IntN(4) == 0 {
								ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd.IntN(50))*time.Microsecond)
							}
							if l.sleep(ctx, take) == nil {
								got++
							}
							cancel()
						}
					})
					wg.Go(func() { // makes as many
						rnd := rand.New(rand.NewPCG(seed, uint64(100+id)))
						for made := 0; made < perWorker; {
							n := min(1+rnd.IntN(3), perWorker-made)
							items.Add(int64(n))
							l.Wake(n)
							made += n
							if made%2 == 0 {
								runtime.Gosched()
							}
						}
					})
				}
				wg.Wait()
				if items.Load() != 0 || len(check(t, &l)) != 0 {
					t.Fatalf("%d items left", items.Load())
				}
			}()
		}
	}
}

// A context whose Done panics, as nil does, leaves nobody on the list.
func TestNilContext(t *testing.T) {
	var l List
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		var none context.Context
		l.Wait(none, func() bool { return false })
	}()
	if len(check(t, &l)) != 0 {
		t.Error("left on the list")
	}
}
