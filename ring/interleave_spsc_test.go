//go:build interleave

// SPSC under every schedule of small cases.

package ring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/interleave"
)

// explore explores one case as a subtest.
func explore(t *testing.T, name string, o interleave.Options, program func(*interleave.Run)) {
	t.Run(name, func(t *testing.T) { interleave.Explore(t, o, program) })
}

// inOrder fails the schedule unless got is 1, 2, 3 and so on, n of them.
func inOrder(r *interleave.Run, got []int, n int) {
	for i, v := range got {
		if v != i+1 {
			r.Errorf("got %v, want 1 to %d in order", got, n)
		}
	}
	if len(got) != n {
		r.Errorf("got %v, want 1 to %d", got, n)
	}
}

func count(n int) []int {
	vs := make([]int, n)
	for i := range vs {
		vs[i] = i + 1
	}
	return vs
}

var bg = context.Background()

// One item at a time, tried again and again: with capacities 1, 2 and 3 the items go round.
func TestInterleaveSPSCSingle(t *testing.T) {
	for _, capacity := range []int{1, 2, 3} {
		items := capacity + 2
		explore(t, fmt.Sprint("capacity=", capacity), interleave.Options{}, func(r *interleave.Run) {
			p, c, _ := NewSPSC[int](capacity)
			var got []int
			r.Go("producer", func() {
				for v := 1; v <= items; v++ {
					for !p.TryPush(v) {
						interleave.Yield()
					}
				}
			})
			r.Go("consumer", func() {
				for len(got) < items {
					if v, ok := c.TryPop(); ok {
						got = append(got, v)
					} else {
						interleave.Yield()
					}
				}
			})
			r.After(func() {
				inOrder(r, got, items)
				if p.Len() != 0 || c.Free() != capacity {
					r.Errorf("at rest: Len %d, Free %d", p.Len(), c.Free())
				}
			})
		})
	}
}

// Full and empty are the truth: with no more items than room no push fails, and a pop fails only if
// the push that it waits for has not returned.
func TestInterleaveSPSCAnswers(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](2)
		var pushed interleave.Int32
		var got []int
		r.Go("producer", func() {
			for v := 1; v <= 2; v++ {
				if !p.TryPush(v) {
					r.Errorf("push %d of 2: full", v)
				}
				pushed.Add(1)
			}
		})
		r.Go("consumer", func() {
			for range 3 {
				before := int(pushed.Load())
				if v, ok := c.TryPop(); ok {
					got = append(got, v)
				} else if before > len(got) {
					r.Errorf("empty, after %d pushes and %d pops", before, len(got))
				}
			}
		})
		r.After(func() { inOrder(r, append(got, popRest(c)...), 2) })
	})
}

func popRest(c interface{ PopBurst([]int) int }) []int {
	rest := make([]int, 16)
	return rest[:c.PopBurst(rest)]
}

// Bursts and bulks of more than fit, around the end of the memory.
func TestInterleaveSPSCBurst(t *testing.T) {
	for _, capacity := range []int{1, 2, 3} {
		items := capacity + 2
		explore(t, fmt.Sprint("burst/capacity=", capacity), interleave.Options{}, func(r *interleave.Run) {
			p, c, _ := NewSPSC[int](capacity)
			var got []int
			r.Go("producer", func() {
				for vs := count(items); len(vs) > 0; {
					n := p.PushBurst(vs)
					if vs = vs[n:]; n == 0 {
						interleave.Yield()
					}
				}
			})
			r.Go("consumer", func() {
				for dst := make([]int, 2); len(got) < items; {
					n := c.PopBurst(dst)
					if got = append(got, dst[:n]...); n == 0 {
						interleave.Yield()
					}
				}
			})
			r.After(func() { inOrder(r, got, items) })
		})
	}
	explore(t, "bulk", interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](3)
		var got []int
		r.Go("producer", func() {
			for vs := count(6); len(vs) > 0; vs = vs[2:] {
				for !p.PushBulk(vs[:2]) {
					interleave.Yield()
				}
			}
		})
		r.Go("consumer", func() {
			for i := 0; len(got) < 6; i++ {
				dst := make([]int, 1+i%2)
				for !c.PopBulk(dst) {
					interleave.Yield()
				}
				got = append(got, dst...)
			}
		})
		r.After(func() { inOrder(r, got, 6) })
	})
}

// In place: what is reserved is the producer's alone until Commit, what is peeked at the consumer's
// until Advance. The accesses by both are reported, so that one at the wrong time is a race.
func TestInterleaveSPSCInPlace(t *testing.T) {
	for _, capacity := range []int{1, 2, 3} {
		items := capacity + 2
		explore(t, fmt.Sprint("capacity=", capacity), interleave.Options{}, func(r *interleave.Run) {
			p, c, _ := NewSPSC[int](capacity)
			var got []int
			r.Go("producer", func() {
				for next := 1; next <= items; {
					a, b := p.Reserve(2)
					n := 0
					for _, part := range [][]int{a, b} {
						interleave.WriteAll(part)
						for i := range part {
							part[i] = next + n
							n++
						}
					}
					n = min(n, items+1-next)
					if p.Commit(n); n == 0 {
						interleave.Yield()
					}
					next += n
				}
			})
			r.Go("consumer", func() {
				for len(got) < items {
					a, b := c.Peek(3)
					interleave.ReadAll(a)
					interleave.ReadAll(b)
					got = append(append(got, a...), b...)
					if n := len(a) + len(b); n > 0 {
						c.Advance(n)
					} else {
						interleave.Yield()
					}
				}
			})
			r.After(func() { inOrder(r, got, items) })
		})
	}
}

// Items that hold pointers: the slots are cleared before they are given back.
func TestInterleaveSPSCClears(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[*int](2)
		one := 1
		r.Go("producer", func() {
			for range 3 {
				for !p.TryPush(&one) {
					interleave.Yield()
				}
			}
		})
		r.Go("consumer", func() {
			for n := 0; n < 3; {
				dst := make([]*int, 2)
				k := c.PopBurst(dst)
				if slices.Contains(dst[:k], nil) {
					r.Errorf("popped a slot that was cleared")
				}
				if n += k; k == 0 {
					interleave.Yield()
				}
			}
		})
		r.After(func() {
			if slices.ContainsFunc(c.slots, func(v *int) bool { return v != nil }) {
				r.Errorf("left in the slots: %v", c.slots)
			}
		})
	})
}

// Both ends sleep and are woken, in both directions: a lost wake-up is a deadlock.
func TestInterleaveSPSCWait(t *testing.T) {
	for _, capacity := range []int{1, 2} {
		items := capacity + 1
		explore(t, fmt.Sprint("capacity=", capacity), interleave.Options{}, func(r *interleave.Run) {
			p, c, _ := NewSPSC[int](capacity)
			var got []int
			r.Go("producer", func() {
				for v := 1; v <= items; v++ {
					if err := p.Push(bg, v); err != nil {
						r.Errorf("Push: %v", err)
					}
				}
			})
			r.Go("consumer", func() {
				for range items {
					v, err := c.Pop(bg)
					if err != nil {
						r.Errorf("Pop: %v", err)
					}
					got = append(got, v)
				}
			})
			r.After(func() { inOrder(r, got, items) })
		})
	}
	explore(t, "in place", interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		var got []int
		r.Go("producer", func() {
			for v := 1; v <= 2; v++ {
				a, _, err := p.ReserveWait(bg, 1)
				if err != nil {
					r.Errorf("ReserveWait: %v", err)
				}
				interleave.WriteAll(a)
				a[0] = v
				p.Commit(1)
			}
		})
		r.Go("consumer", func() {
			for range 2 {
				a, _, err := c.PeekWait(bg, 1)
				if err != nil {
					r.Errorf("PeekWait: %v", err)
				}
				interleave.ReadAll(a)
				got = append(got, a[0])
				c.Advance(1)
			}
		})
		r.After(func() { inOrder(r, got, 2) })
	})
}

// A wait that is given up leaves the ring as it was, whatever else happens in that moment.
func TestInterleaveSPSCTimeout(t *testing.T) {
	explore(t, "Pop", interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		ctx := r.Timeout()
		var got []int
		r.Go("producer", func() { p.TryPush(1) })
		r.Go("consumer", func() {
			if v, err := c.Pop(ctx); err == nil {
				got = append(got, v)
			} else if !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Pop: %v", err)
			}
		})
		r.After(func() { inOrder(r, append(got, popRest(c)...), 1) })
	})
	explore(t, "Push", interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		p.TryPush(1)
		ctx := r.Timeout()
		pushed := 1
		var got []int
		r.Go("producer", func() {
			if err := p.Push(ctx, 2); err == nil {
				pushed++
			} else if !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Push: %v", err)
			}
		})
		r.Go("consumer", func() {
			if v, ok := c.TryPop(); ok {
				got = append(got, v)
			}
		})
		r.After(func() { inOrder(r, append(got, popRest(c)...), pushed) })
	})
}

// The producer closes: the consumer gets what was pushed, and then the end, asleep or not.
func TestInterleaveSPSCCloseProducer(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		var got []int
		r.Go("producer", func() {
			for v := 1; v <= 2; v++ {
				if err := p.Push(bg, v); err != nil {
					r.Errorf("Push: %v", err)
				}
			}
			p.Close()
		})
		r.Go("consumer", func() {
			for v := range c.All() {
				got = append(got, v)
			}
			if _, err := c.Pop(bg); err != ErrClosed {
				r.Errorf("after the end: %v", err)
			}
		})
		r.After(func() { inOrder(r, got, 2) })
	})
}

// The consumer closes, or somebody else for it: the producer is told, asleep or not, and what it pushed before it
// was told can be collected.
func TestInterleaveSPSCCloseConsumer(t *testing.T) {
	explore(t, "by the consumer", interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		pushed := 0
		r.Go("producer", func() {
			for v := 1; p.Push(bg, v) == nil; v++ {
				pushed++
			}
			if p.TryPush(9) || p.PushBurst([]int{9}) != 0 || p.PushBulk([]int{9}) {
				r.Errorf("pushed after the end")
			}
		})
		var got []int
		r.Go("consumer", func() {
			if v, ok := c.TryPop(); ok {
				got = append(got, v)
			}
			c.Close()
		})
		r.After(func() { inOrder(r, append(got, popRest(c)...), pushed) })
	})
	explore(t, "by another", interleave.Options{}, func(r *interleave.Run) {
		_, c, _ := NewSPSC[int](1)
		r.Go("consumer", func() {
			if _, err := c.Pop(bg); err != ErrClosed {
				r.Errorf("Pop: %v", err)
			}
		})
		r.Go("other", c.Close)
		r.Go("and another", c.Close)
	})
}

// Len is never out of 0..Cap, whoever asks; and an end may rely on what its doc says.
func TestInterleaveSPSCLen(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		p, c, _ := NewSPSC[int](1)
		r.Go("producer", func() {
			for v := 1; v <= 2; v++ {
				if p.Free() > 0 && !p.TryPush(v) {
					r.Errorf("no room, after Free said there is")
				}
			}
		})
		r.Go("consumer", func() {
			for range 2 {
				if n := c.Len(); n > 0 {
					if _, ok := c.TryPop(); !ok {
						r.Errorf("empty, after Len said %d", n)
					}
				}
			}
		})
		r.Go("observer", func() {
			if n := c.Len(); n < 0 || n > 1 {
				r.Errorf("Len %d of 1", n)
			}
		})
	})
}

// One end stands still for ever, before each of its operations in turn: the other end never waits for
// it in a call that does not say so.
func TestInterleaveSPSCStalled(t *testing.T) {
	for _, victim := range []string{"producer", "consumer"} {
		explore(t, victim, interleave.Options{Stall: victim}, func(r *interleave.Run) {
			p, c, _ := NewSPSC[int](2)
			p.TryPush(1)
			var got []int
			r.Go("producer", func() {
				p.TryPush(2)
				p.PushBurst([]int{3, 4})
			})
			r.Go("consumer", func() {
				for range 3 {
					if v, ok := c.TryPop(); ok {
						got = append(got, v)
					}
				}
			})
			r.After(func() {
				if victim == "producer" {
					got = append(got, popRest(c)...) // all of it is visible, or nothing of a burst
				}
				inOrder(r, got, len(got))
			})
		})
	}
}
