// Package park lets goroutines wait for a condition that other goroutines make
// true with atomic operations, without ever missing it and without burning a
// core: spin for a moment, yield for a moment, then sleep.
//
// It is an eventcount (the name is Reed and Kanodia's, CACM 22(2), 1979): a waiter
// first announces itself and then looks once more; a waker first makes the
// condition true and then looks for announced waiters. Go's atomics are
// sequentially consistent, so one of the two sees the other:
//
//	W1 announce (List.waiting)      S1 make the condition true
//	W2 try again                    S2 look at List.waiting
//
// If W2 missed S1, then S2 comes after W1 and wakes the waiter. The waker pays
// one load of a line that changes only when somebody goes to sleep.
package park

import (
	"context"
	"runtime"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
)

const (
	// The spin doubles its pause from 1 to maxPause rounds, and so looks
	// seldom at a line that the other side is busy writing. All of it is a few
	// microseconds: about what putting a goroutine to sleep and waking it costs.
	spins    = 12
	maxPause = 16
	// The yields let the other side run when it waits for this very core.
	yields = 4
)

// List is the goroutines that wait for one condition. The zero List is ready
// to use; it must not be copied.
type List struct {
	// waiting is the length of the list. Written under mu, read by wakers
	// without it: W1 and S2 of the package comment.
	waiting atomic.Int32

	mu          sync.Mutex
	first, last *waiter
}

// waiter is one sleeping goroutine. A waiter that was taken off the list has
// one token in wake or will have it in a moment; one that is on the list has
// none. So whoever finds itself off the list must take the token.
type waiter struct {
	wake       sync.Token
	next, prev *waiter
	queued     bool // guarded by List.mu
}

func newWaiter() *waiter { return &waiter{wake: sync.NewToken()} }

var waiters = sync.Pool{New: func() any { return newWaiter() }}

// Wait calls try until it returns true, sleeping in between, or until ctx is
// done, and returns ctx.Err() then. It tries at least once before it looks
// at ctx. try runs in the calling goroutine alone and must not block.
//
// A wake-up is spent on a waiter whose try succeeds after it. One that reaches a waiter who had no
// use for it, since his try has succeeded before or his ctx is done, is passed on to the
// next: so with a wake-up for each thing that became available, nobody sleeps while there is one.
func (l *List) Wait(ctx context.Context, try func() bool) error {
	if try() {
		return nil
	}
	// A try that fails changes nothing, so the explorer finds nothing more by our trying again before
	// we announce ourselves.
	if interleave.On {
		return l.sleep(ctx, try)
	}
	// With one processor nobody can make the condition true while we spin.
	// Asked for once a wait: the call takes a lock of the scheduler's.
	if runtime.GOMAXPROCS(0) > 1 {
		pause := uint32(1)
		for range spins {
			cpu.Pause(pause)
			if try() {
				return nil
			}
			pause = min(2*pause, maxPause)
		}
	}
	for range yields {
		runtime.Gosched()
		if try() {
			return nil
		}
	}
	return l.sleep(ctx, try)
}

func (l *List) sleep(ctx context.Context, try func() bool) error {
	done := ctx.Done() // first, since it is not our code and may panic
	w := waiters.Get().(*waiter)
	defer waiters.Put(w)
	for {
		l.enqueue(w) // W1
		if try() {   // W2
			l.leave(w)
			return nil
		}
		if w.wake.Take(done) {
			if try() {
				return nil
			}
			continue
		}
		l.leave(w)
		return ctx.Err()
	}
}

// leave takes w off the list. If somebody has woken it meanwhile, it wakes the next one instead.
func (l *List) leave(w *waiter) {
	if !l.remove(w) {
		w.wake.Take(nil)
		l.Wake(1)
	}
}

// Wake wakes up to n waiters, those that have waited longest first. The caller
// has made the condition true before with an atomic operation (S1). With
// nobody waiting it costs one load.
func (l *List) Wake(n int) {
	if l.waiting.Load() != 0 { // S2
		l.wake(n)
	}
}

// WakeAll wakes everyone, for a condition that stays true.
func (l *List) WakeAll() {
	l.Wake(int(^uint(0) >> 1))
}

// Waiting reports whether anybody sleeps or is about to.
func (l *List) Waiting() bool { return l.waiting.Load() != 0 } // S2

// Waiters returns how many sleep or are about to, for tests and statistics.
func (l *List) Waiters() int { return int(l.waiting.Load()) }

func (l *List) wake(n int) {
	l.mu.Lock()
	for ; n > 0 && l.first != nil; n-- {
		w := l.first
		l.unlink(w)
		w.wake.Give() // it is not there: a queued waiter has no token
	}
	l.mu.Unlock()
}

func (l *List) enqueue(w *waiter) {
	l.mu.Lock()
	w.queued = true
	w.next, w.prev = nil, l.last
	if l.last != nil {
		l.last.next = w
	} else {
		l.first = w
	}
	l.last = w
	l.waiting.Add(1)
	l.mu.Unlock()
}

// remove takes w off the list and reports whether it was still there.
func (l *List) remove(w *waiter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !w.queued {
		return false
	}
	l.unlink(w)
	return true
}

func (l *List) unlink(w *waiter) {
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		l.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		l.last = w.prev
	}
	w.next, w.prev, w.queued = nil, nil, false
	l.waiting.Add(-1)
}
