//go:build interleave

// Parking and waking under every schedule.

package park

import (
	"context"
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
)

// items is a condition to wait for: how many there are.
type items struct{ n interleave.Int32 }

func (s *items) take() bool {
	for {
		n := s.n.Load()
		if n == 0 {
			return false
		}
		if s.n.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func explore(t *testing.T, name string, o interleave.Options, program func(r *interleave.Run, l *List)) {
	t.Run(name, func(t *testing.T) {
		interleave.Explore(t, o, func(r *interleave.Run) {
			var l List
			program(r, &l)
			r.After(func() {
				if l.Waiters() != 0 || l.first != nil || l.last != nil {
					r.Errorf("%d are left on the list", l.Waiters())
				}
			})
		})
	})
}

var bg = context.Background()

// A wake-up for each item: no sleeper is forgotten, whoever comes first.
func TestInterleaveNoLostWakeUp(t *testing.T) {
	for _, waiters := range []int{1, 2, 3} {
		o := interleave.Options{}
		if waiters > 2 {
			o.Preemptions = 2 + testkit.Deeper()
		}
		explore(t, fmt.Sprint(waiters, " waiters, as many wake-ups"), o, func(r *interleave.Run, l *List) {
			var s items
			for range waiters {
				r.Go("waiter", func() { l.Wait(bg, s.take) })
			}
			r.Go("waker", func() {
				for range waiters {
					s.n.Add(1)
					l.Wake(1)
				}
			})
		})
	}
	explore(t, "2 waiters, 2 wakers", interleave.Options{}, func(r *interleave.Run, l *List) {
		var s items
		for range 2 {
			r.Go("waiter", func() { l.Wait(bg, s.take) })
			r.Go("waker", func() {
				s.n.Add(1)
				l.Wake(1)
			})
		}
	})
	explore(t, "one wake-up for two", interleave.Options{}, func(r *interleave.Run, l *List) {
		var s items
		for range 2 {
			r.Go("waiter", func() { l.Wait(bg, s.take) })
		}
		r.Go("waker", func() {
			s.n.Add(2)
			l.Wake(2)
		})
	})
}

// A condition that stays true is for all who wait.
func TestInterleaveWakeAll(t *testing.T) {
	explore(t, "2 waiters", interleave.Options{}, func(r *interleave.Run, l *List) {
		var open interleave.Bool
		for range 2 {
			r.Go("waiter", func() { l.Wait(bg, open.Load) })
		}
		r.Go("opener", func() {
			open.Store(true)
			l.WakeAll()
		})
	})
}

// Who is woken and whose time is up in the same moment passes the wake-up on.
func TestInterleaveTimeout(t *testing.T) {
	explore(t, "alone", interleave.Options{}, func(r *interleave.Run, l *List) {
		var s items
		ctx := r.Timeout()
		r.Go("impatient", func() {
			if err := l.Wait(ctx, s.take); err != nil && err != context.DeadlineExceeded {
				r.Errorf("%v", err)
			}
		})
		r.Go("waker", func() {
			s.n.Add(1)
			l.Wake(1)
		})
	})
	explore(t, "and a patient one", interleave.Options{}, func(r *interleave.Run, l *List) {
		var s items
		ctx := r.Timeout()
		r.Go("impatient", func() {
			if l.Wait(ctx, s.take) == nil { // then there is one more to come
				s.n.Add(1)
				l.Wake(1)
			}
		})
		r.Go("patient", func() { l.Wait(bg, s.take) })
		r.Go("waker", func() {
			s.n.Add(1)
			l.Wake(1)
		})
	})
}

// Both directions: two who wait for each other's step, again and again.
func TestInterleavePingPong(t *testing.T) {
	t.Run("3 rounds", func(t *testing.T) {
		interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
			var turn interleave.Int32
			var lists [2]List
			for me := range int32(2) {
				r.Go(fmt.Sprint("player", me), func() {
					for range 3 {
						lists[me].Wait(bg, func() bool { return turn.Load()%2 == me })
						turn.Add(1)
						lists[1-me].Wake(1)
					}
				})
			}
			r.After(func() {
				if turn.Load() != 6 {
					r.Errorf("%d turns", turn.Load())
				}
			})
		})
	})
}
