//go:build interleave

// MPMC under every schedule of small cases.

package ring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
)

// crowd is some producers and consumers of one ring. Items are 10*producer + 1, 2 and so on.
type crowd struct {
	producers, consumers int
	each                 int // items per producer
	capacity             int
	whole                bool // all schedules take seconds; else preemptions are bounded
}

func (k crowd) String() string {
	return fmt.Sprintf("%dP%dC/capacity=%d,items=%d", k.producers, k.consumers, k.capacity, k.producers*k.each)
}

// check fails the schedule unless each item came out once, and to each consumer those of one producer
// in order.
func (k crowd) check(r *interleave.Run, got [][]int) {
	seen := map[int]bool{}
	for _, vs := range got {
		last := map[int]int{}
		for _, v := range vs {
			p := v / 10
			if seen[v] || v%10 < 1 || v%10 > k.each || p >= k.producers {
				r.Errorf("%v: %d twice, or out of nothing", got, v)
			}
			if v < last[p] {
				r.Errorf("%v: %d after %d", got, v, last[p])
			}
			seen[v], last[p] = true, v
		}
	}
	if len(seen) != k.producers*k.each {
		r.Errorf("%v: %d items are gone", got, k.producers*k.each-len(seen))
	}
}

// items are those of a producer.
func (k crowd) items(producer int) []int {
	vs := make([]int, k.each)
	for i := range vs {
		vs[i] = 10*producer + 1 + i
	}
	return vs
}

// run makes a program of it. push pushes what it can of vs and returns how many; pop pops some, and ends the
// consumer by false.
func (k crowd) run(r *interleave.Run, push func(m *MPMC[int], vs []int) int, pop func(m *MPMC[int]) ([]int, bool)) *MPMC[int] {
	m, _ := NewMPMC[int](k.capacity)
	got := make([][]int, k.consumers+1)
	var left interleave.Int32 // producers that are not done
	left.Store(int32(k.producers))
	for p := range k.producers {
		r.Go(fmt.Sprint("producer", p), func() {
			for vs := k.items(p); len(vs) > 0; {
				n := push(m, vs)
				if vs = vs[n:]; n == 0 {
					interleave.Yield()
				}
			}
			if left.Add(-1) == 0 {
				m.Close()
			}
		})
	}
	for c := range k.consumers {
		r.Go(fmt.Sprint("consumer", c), func() {
			for {
				vs, more := pop(m)
				got[c] = append(got[c], vs...)
				if !more {
					return
				}
			}
		})
	}
	r.After(func() {
		rest := make([]int, k.capacity)
		got[k.consumers] = rest[:m.PopBurst(rest)]
		k.check(r, got)
		if m.Len() != 0 || m.Free() != k.capacity {
			r.Errorf("at rest: Len %d, Free %d", m.Len(), m.Free())
		}
	})
	return m
}

func tryPush(m *MPMC[int], vs []int) int {
	if m.TryPush(vs[0]) {
		return 1
	}
	return 0
}

// popUntilClosed tries again and again, until the ring is closed and drained.
func popUntilClosed(m *MPMC[int]) ([]int, bool) {
	drained := m.drained() // before the look
	v, ok := m.TryPop()
	switch {
	case ok:
		return []int{v}, true
	case drained:
		return nil, false
	}
	interleave.Yield()
	return nil, true
}

// Each goroutine does one operation, on a ring that holds none, some or all that it can: 1P1C, 2P1C, 1P2C
// and 2P2C, at the empty and the full edge, completely.
func TestInterleaveMPMCEdges(t *testing.T) {
	for _, k := range []struct{ producers, consumers int }{{1, 1}, {2, 1}, {1, 2}, {2, 2}} {
		for capacity := 1; capacity <= 2; capacity++ {
			for held := 0; held <= capacity; held++ {
				explore(t, fmt.Sprintf("%dP%dC/%d of %d", k.producers, k.consumers, held, capacity), interleave.Options{}, func(r *interleave.Run) {
					m, _ := NewMPMC[int](capacity)
					m.PushBurst(count(held))
					pushed, popped := held, []int{}
					for i := range k.producers {
						r.Go(fmt.Sprint("producer", i), func() {
							if m.TryPush(10 + i) {
								pushed++
							} else if held+k.producers <= capacity {
								r.Errorf("full, with room for all")
							}
						})
					}
					for i := range k.consumers {
						r.Go(fmt.Sprint("consumer", i), func() {
							if v, ok := m.TryPop(); ok {
								popped = append(popped, v)
							} else if held >= k.consumers {
								r.Errorf("empty, with items for all")
							}
						})
					}
					r.After(func() {
						all := append(slices.Clone(popped), popRest(m)...)
						slices.Sort(all)
						if len(all) != pushed || len(slices.Compact(slices.Clone(all))) != pushed {
							r.Errorf("%d went in, %v came out", pushed, all)
						}
						if m.Len() != 0 || !m.PushBulk(count(capacity)) {
							r.Errorf("the ring is not whole: Len %d", m.Len())
						}
					})
				})
			}
		}
	}
}

// Producers and consumers that try again until all is through, around the end of the memory.
func TestInterleaveMPMCSingle(t *testing.T) {
	for _, k := range []crowd{
		{1, 1, 3, 1, true}, {1, 1, 3, 2, true}, {2, 1, 1, 1, true}, {2, 1, 1, 2, true}, {1, 2, 2, 1, false}, {1, 2, 2, 2, false},
		{2, 2, 1, 1, false}, {2, 2, 1, 2, false}, {2, 2, 2, 3, false},
	} {
		explore(t, k.String(), k.options(), func(r *interleave.Run) { k.run(r, tryPush, popUntilClosed) })
	}
}

// Bursts and bulks.
func TestInterleaveMPMCBurst(t *testing.T) {
	pushBurst := func(m *MPMC[int], vs []int) int { return m.PushBurst(vs) }
	pushBulk := func(m *MPMC[int], vs []int) int {
		if m.PushBulk(vs) {
			return len(vs)
		}
		return 0
	}
	popBurst := func(m *MPMC[int]) ([]int, bool) {
		drained := m.drained()
		dst := make([]int, 2)
		n := m.PopBurst(dst)
		if n == 0 && !drained {
			interleave.Yield()
		}
		return dst[:n], n > 0 || !drained
	}
	for _, k := range []crowd{{1, 1, 3, 2, true}, {1, 2, 2, 2, true}, {2, 1, 2, 3, false}, {2, 2, 2, 4, false}} {
		explore(t, "burst/"+k.String(), k.options(), func(r *interleave.Run) { k.run(r, pushBurst, popBurst) })
		if k.each <= k.capacity {
			explore(t, "bulk/"+k.String(), k.options(), func(r *interleave.Run) { k.run(r, pushBulk, popBurst) })
		}
	}
}

// Runs that end where the other side's do not: some pop a part of a burst while others pop the rest, free slots of it
// one by one, and a push goes into them, which overwrites marks that somebody may still be following.
func TestInterleaveMPMCRuns(t *testing.T) {
	for capacity := 2; capacity <= 4; capacity++ {
		for _, first := range []int{1, 2} {
			explore(t, fmt.Sprintf("burst of 2, pops of %d and 1/capacity=%d", first, capacity), interleave.Options{}, func(r *interleave.Run) {
				m, _ := NewMPMC[int](capacity)
				m.TryPush(0)
				m.TryPop() // the burst does not begin at slot 0
				m.PushBulk(count(2))
				pushed := 2
				got := make([][]int, 2)
				r.Go("burst", func() {
					dst := make([]int, first)
					for range 2 {
						got[0] = append(got[0], dst[:m.PopBurst(dst)]...)
					}
				})
				r.Go("single", func() {
					for range 2 {
						if v, ok := m.TryPop(); ok {
							got[1] = append(got[1], v)
						}
					}
				})
				r.Go("producer", func() { pushed += m.PushBurst([]int{3, 4}) })
				r.After(func() {
					all := slices.Concat(got[0], got[1], popRest(m))
					if !slices.IsSorted(got[0]) || !slices.IsSorted(got[1]) {
						r.Errorf("%v: not in order", got)
					}
					slices.Sort(all)
					if !slices.Equal(all, count(pushed)) {
						r.Errorf("%d were pushed, %v came out", pushed, all)
					}
					if m.Len() != 0 || !m.PushBulk(count(capacity)) {
						r.Errorf("the ring is not whole: Len %d", m.Len())
					}
				})
			})
		}
	}
}

// One who has found the end of a run stands still while others take that run and a part of the next one, and then tells
// them of the end that he found.
func TestInterleaveMPMCRunsSeenLate(t *testing.T) {
	explore(t, "late", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](4)
		m.PushBulk([]int{1, 2})
		pushed := 2
		got := make([][]int, 2)
		pop := func(c, n int) {
			for range n {
				if v, ok := m.TryPop(); ok {
					got[c] = append(got[c], v)
				}
			}
		}
		r.Go("late", func() { pop(0, 1) })
		r.Go("other", func() { pop(1, 3) })
		r.Go("producer", func() { pushed += m.PushBurst([]int{3, 4}) })
		r.After(func() {
			all := slices.Concat(got[0], got[1], popRest(m))
			slices.Sort(all)
			if !slices.Equal(all, count(pushed)) {
				r.Errorf("%d were pushed, %v came out", pushed, all)
			}
		})
	})
}

// One goroutine does one operation and may fall laps behind another, which goes round and round: what it reads then are
// marks of later laps, in the place of those it looks for, and a seen that has moved on.
func TestInterleaveMPMCLag(t *testing.T) {
	for capacity := 1; capacity <= 3; capacity++ {
		for _, slow := range []string{"pop", "pop burst", "push", "push burst"} {
			explore(t, fmt.Sprintf("%s/capacity=%d", slow, capacity), interleave.Options{}, func(r *interleave.Run) {
				m, _ := NewMPMC[int](capacity)
				m.TryPush(1)
				pushed, late := 1, 0
				var got, gotLate []int
				r.Go("slow", func() {
					dst := make([]int, 2)
					switch slow {
					case "pop":
						gotLate = dst[:m.PopBurst(dst[:1])]
					case "pop burst":
						gotLate = dst[:m.PopBurst(dst)]
					case "push":
						late = m.PushBurst([]int{101})
					case "push burst":
						late = m.PushBurst([]int{101, 102})
					}
				})
				r.Go("quick", func() {
					dst := make([]int, capacity)
					for range 2 + capacity/2 {
						got = append(got, dst[:m.PopBurst(dst)]...)
						pushed += m.PushBurst([]int{pushed + 1, pushed + 2, pushed + 3}[:1+pushed%capacity])
					}
				})
				r.After(func() {
					got = append(got, popRest(m)...)
					all := slices.Concat(got, gotLate)
					slices.Sort(all)
					want := append(count(pushed), []int{101, 102}[:late]...)
					if !slices.Equal(all, want) {
						r.Errorf("%v went in, %v and %v came out", want, got, gotLate)
					}
					own := slices.DeleteFunc(slices.Clone(got), func(v int) bool { return v > 100 })
					if !slices.IsSorted(own) || !slices.IsSorted(gotLate) {
						r.Errorf("%v and %v: not in order", got, gotLate)
					}
					if m.Len() != 0 || !m.PushBulk(count(capacity)) {
						r.Errorf("the ring is not whole: Len %d", m.Len())
					}
				})
			})
		}
	}
}

// options bound the preemptions of cases that are too many to explore whole.
func (k crowd) options() interleave.Options {
	switch {
	case k.whole:
		return interleave.Options{}
	case k.producers+k.consumers == 3:
		return interleave.Options{Preemptions: 2 + testkit.Deeper()}
	}
	return interleave.Options{Preemptions: 1 + testkit.Deeper()}
}

// False never means a lost race: with room for all no push fails, with items for all no pop does, one
// at a time or many.
func TestInterleaveMPMCNoLostRace(t *testing.T) {
	for _, n := range []int{2, 3} {
		explore(t, fmt.Sprint("push/", n), interleave.Options{}, func(r *interleave.Run) {
			m, _ := NewMPMC[int](n + 1)
			for i := range n {
				r.Go(fmt.Sprint("producer", i), func() {
					if i == 0 && m.PushBurst([]int{1, 2}) != 2 || i > 0 && !m.TryPush(3) {
						r.Errorf("full, with room for all")
					}
				})
			}
		})
		explore(t, fmt.Sprint("pop/", n), interleave.Options{}, func(r *interleave.Run) {
			m, _ := NewMPMC[int](n + 1)
			m.PushBulk(count(n + 1))
			for i := range n {
				r.Go(fmt.Sprint("consumer", i), func() {
					if i == 0 && !m.PopBulk(make([]int, 2)) {
						r.Errorf("empty, with items for all")
					} else if i > 0 {
						if _, ok := m.TryPop(); !ok {
							r.Errorf("empty, with items for all")
						}
					}
				})
			}
		})
	}
}

// Waiting: nobody sleeps for ever while there is something for him.
func TestInterleaveMPMCWait(t *testing.T) {
	push := func(m *MPMC[int], vs []int) int {
		if m.Push(bg, vs[0]) != nil {
			panic("Push")
		}
		return 1
	}
	pop := func(m *MPMC[int]) ([]int, bool) {
		v, err := m.Pop(bg)
		if err != nil {
			return nil, false
		}
		return []int{v}, true
	}
	for _, k := range []crowd{
		{1, 1, 2, 1, true}, {1, 1, 1, 1, true}, {2, 1, 1, 1, false}, {1, 2, 1, 1, false}, {1, 2, 2, 1, false}, {2, 2, 1, 1, false},
	} {
		explore(t, k.String(), k.options(), func(r *interleave.Run) { k.run(r, push, pop) })
	}
	// A push or a pop of several at once, for several who sleep.
	explore(t, "burst for two", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		for range 2 {
			r.Go("consumer", func() {
				if _, err := m.Pop(bg); err != nil {
					r.Errorf("Pop: %v", err)
				}
			})
		}
		r.Go("producer", func() { m.PushBurst([]int{1, 2}) })
	})
	explore(t, "room for two", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		m.PushBulk([]int{1, 2})
		for range 2 {
			r.Go("producer", func() {
				if err := m.Push(bg, 3); err != nil {
					r.Errorf("Push: %v", err)
				}
			})
		}
		r.Go("consumer", func() { m.PopBurst(make([]int, 2)) })
	})
	// Items that become ready behind one that is not yet: who is woken for it finds nothing.
	explore(t, "hidden", interleave.Options{Preemptions: 2 + testkit.Deeper()}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		for i := range 2 {
			r.Go(fmt.Sprint("producer", i), func() { m.TryPush(i) })
		}
		for i := range 2 {
			r.Go(fmt.Sprint("consumer", i), func() {
				if _, err := m.Pop(bg); err != nil {
					r.Errorf("Pop: %v", err)
				}
			})
		}
	})
	// The same for room.
	explore(t, "hidden room", interleave.Options{Preemptions: 1 + testkit.Deeper()}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		m.PushBulk([]int{1, 2})
		for i := range 2 {
			r.Go(fmt.Sprint("consumer", i), func() { m.TryPop() })
		}
		for i := range 2 {
			r.Go(fmt.Sprint("producer", i), func() {
				if err := m.Push(bg, 3+i); err != nil {
					r.Errorf("Push: %v", err)
				}
			})
		}
	})
}

// Wait says that there is an item, and leaves it; who pops alone finds it then. Nobody sleeps on while there is one, and nobody after the
// last one of a closed ring.
func TestInterleaveMPMCWaitOnly(t *testing.T) {
	for _, k := range []crowd{
		{1, 1, 2, 1, true}, {1, 1, 3, 2, true}, {2, 1, 1, 1, false}, {2, 1, 1, 2, false}, {1, 2, 1, 1, false}, {1, 2, 2, 2, false},
	} {
		explore(t, k.String(), k.options(), func(r *interleave.Run) {
			push := func(m *MPMC[int], vs []int) int {
				if m.Push(bg, vs[0]) != nil {
					panic("Push")
				}
				return 1
			}
			k.run(r, push, func(m *MPMC[int]) ([]int, bool) {
				if err := m.Wait(bg); err != nil {
					if !errors.Is(err, ErrClosed) {
						r.Errorf("Wait: %v", err)
					}
					return nil, false
				}
				dst := make([]int, 2)
				n := m.PopBurst(dst)
				if n == 0 && k.consumers == 1 {
					r.Errorf("there is nothing, and nobody else pops")
				}
				return dst[:n], true
			})
		})
	}
	// A burst, and Close right behind it.
	explore(t, "burst and close", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		got := 0
		r.Go("consumer", func() {
			for m.Wait(bg) == nil {
				got += m.PopBurst(make([]int, 1))
			}
		})
		r.Go("producer", func() {
			m.PushBurst([]int{1, 2})
			m.Close()
		})
		r.After(func() {
			if got != 2 || m.Len() != 0 {
				r.Errorf("%d came out of 2", got)
			}
		})
	})
	// Close while a push is in flight.
	explore(t, "close at any moment", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		got, pushed := 0, 0
		r.Go("consumer", func() {
			for m.Wait(bg) == nil {
				got += m.PopBurst(make([]int, 2))
			}
		})
		r.Go("producer", func() { pushed = m.PushBurst([]int{1, 2}) })
		r.Go("closer", m.Close)
		r.After(func() {
			if got != pushed {
				r.Errorf("pushed %d, popped %d", pushed, got)
			}
		})
	})
	// It can be given up, and then takes nothing from him who is patient.
	explore(t, "given up", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		ctx := r.Timeout()
		r.Go("impatient", func() {
			if err := m.Wait(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Wait: %v", err)
			} else if err == nil {
				m.PopBurst(make([]int, 1))
				m.TryPush(2) // the other one's
			}
		})
		r.Go("patient", func() {
			if _, err := m.Pop(bg); err != nil {
				r.Errorf("Pop: %v", err)
			}
		})
		r.Go("producer", func() { m.TryPush(1) })
	})
}

// A wake-up that reaches one whose time is up goes on to the next.
func TestInterleaveMPMCTimeout(t *testing.T) {
	explore(t, "Pop", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		ctx := r.Timeout()
		got := 0
		r.Go("impatient", func() {
			if _, err := m.Pop(ctx); err == nil {
				got++
				m.TryPush(2) // the other one's
			} else if !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Pop: %v", err)
			}
		})
		r.Go("patient", func() {
			if _, err := m.Pop(bg); err != nil {
				r.Errorf("Pop: %v", err)
			}
		})
		r.Go("producer", func() { m.TryPush(1) })
	})
	explore(t, "Push", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		m.TryPush(1)
		ctx := r.Timeout()
		r.Go("impatient", func() {
			if err := m.Push(ctx, 2); err == nil {
				m.TryPop() // room for the other one
			} else if !errors.Is(err, context.DeadlineExceeded) {
				r.Errorf("Push: %v", err)
			}
		})
		r.Go("patient", func() {
			if err := m.Push(bg, 3); err != nil {
				r.Errorf("Push: %v", err)
			}
		})
		r.Go("consumer", func() { m.TryPop() })
	})
}

// Close against everything: what was pushed can be popped, nobody is told "drained" before that, and nobody
// sleeps on.
func TestInterleaveMPMCClose(t *testing.T) {
	pop := func(m *MPMC[int], got *[]int) {
		for v := range m.All() {
			*got = append(*got, v)
		}
	}
	explore(t, "push", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](2)
		var pushed, got []int
		r.Go("producer", func() {
			for v := 1; v <= 2; v++ {
				if m.TryPush(v) {
					pushed = append(pushed, v)
				} else if !m.Closed() {
					r.Errorf("no room in an open ring")
				}
			}
		})
		r.Go("consumer", func() { pop(m, &got) })
		r.Go("closer", m.Close)
		r.After(func() {
			if !slices.Equal(got, pushed) {
				r.Errorf("pushed %v, popped %v", pushed, got)
			}
		})
	})
	explore(t, "sleepers", interleave.Options{Preemptions: 1 + testkit.Deeper()}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		var pushed, one, two []int
		r.Go("producer", func() {
			for v := 1; m.Push(bg, v) == nil; v++ {
				if pushed = append(pushed, v); v == 2 {
					m.Close()
				}
			}
		})
		r.Go("one", func() { pop(m, &one) })
		r.Go("two", func() { pop(m, &two) })
		r.After(func() {
			got := append(one, two...)
			if slices.Sort(got); !slices.Equal(got, pushed) {
				r.Errorf("pushed %v, popped %v", pushed, got)
			}
		})
	})
	explore(t, "with an item in flight", interleave.Options{Preemptions: 2 + testkit.Deeper()}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		var one, two []int
		pushed := false
		r.Go("one", func() { pop(m, &one) })
		r.Go("two", func() { pop(m, &two) })
		r.Go("producer", func() { pushed = m.TryPush(1) })
		r.Go("closer", m.Close)
		r.After(func() {
			if n := len(one) + len(two); n == 1 != pushed {
				r.Errorf("pushed: %v, popped %d", pushed, n)
			}
		})
	})
	explore(t, "twice, and sleepers on room", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		m.TryPush(1)
		r.Go("producer", func() {
			if err := m.Push(bg, 2); err != ErrClosed {
				r.Errorf("Push: %v", err)
			}
		})
		r.Go("closer", m.Close)
		r.Go("closer too", m.Close)
		r.After(func() {
			if v, err := m.Pop(bg); v != 1 || err != nil {
				r.Errorf("Pop: %d, %v", v, err)
			}
		})
	})
}

// PushEvict: each item is read or evicted, once, and the newest one stays.
func TestInterleaveMPMCEvict(t *testing.T) {
	explore(t, "against a consumer", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		m.TryPush(1)
		var got, evicted []int
		added := true
		r.Go("producer", func() { added = m.PushEvict(2, func(v int) { evicted = append(evicted, v) }) })
		r.Go("consumer", func() {
			if v, ok := m.TryPop(); ok {
				got = append(got, v)
			}
		})
		r.After(func() {
			all := append(slices.Concat(got, evicted), popRest(m)...)
			slices.Sort(all)
			if want := count(2); !slices.Equal(all, want) && (added || !slices.Equal(all, want[:1])) {
				r.Errorf("popped %v, evicted %v, added %v", got, evicted, added)
			}
		})
	})
	explore(t, "two", interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		m.TryPush(1)
		var evicted [2][]int
		var refused int
		for i := range 2 {
			r.Go(fmt.Sprint("producer", i), func() {
				if !m.PushEvict(2+i, func(v int) { evicted[i] = append(evicted[i], v) }) {
					refused++
				}
			})
		}
		r.After(func() {
			all := append(slices.Concat(evicted[0], evicted[1]), popRest(m)...)
			if len(all) != 3-refused {
				r.Errorf("evicted %v, refused %d", evicted, refused)
			}
		})
	})
}

// Len is never out of 0..Cap, though it reads two positions that move.
func TestInterleaveMPMCLen(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		m, _ := NewMPMC[int](1)
		r.Go("worker", func() {
			for v := range 3 {
				m.TryPush(v)
				m.TryPop()
			}
		})
		r.Go("observer", func() {
			if n := m.Len(); n < 0 || n > 1 {
				r.Errorf("Len %d of 1", n)
			}
			if n := m.Free(); n < 0 || n > 1 {
				r.Errorf("Free %d of 1", n)
			}
		})
	})
}

// One goroutine stands still for ever, before each of its operations in turn. What the doc of MPMC promises
// the others: they always get an answer; what is in front of the stalled one's slots comes out; a stalled
// consumer hides no items; and the ring is never corrupt.
func TestInterleaveMPMCStalled(t *testing.T) {
	for _, victim := range []string{"producer", "consumer", "burst producer", "burst consumer"} {
		explore(t, victim, interleave.Options{Stall: victim}, func(r *interleave.Run) {
			m, _ := NewMPMC[int](3)
			m.TryPush(1)
			var first, second []int
			switch victim {
			case "producer":
				r.Go(victim, func() { m.TryPush(2) })
			case "burst producer":
				r.Go(victim, func() { m.PushBurst([]int{2, 3}) })
			case "consumer":
				r.Go(victim, func() {
					if v, ok := m.TryPop(); ok {
						first = append(first, v)
					}
				})
			case "burst consumer":
				r.Go(victim, func() {
					dst := make([]int, 2)
					first = append(first, dst[:m.PopBurst(dst)]...)
				})
			}
			pushed := false
			r.Go("other", func() {
				pushed = m.TryPush(4)
				for range 4 {
					if v, ok := m.TryPop(); ok {
						second = append(second, v)
					}
				}
			})
			r.After(func() {
				head := int(m.head.claimed.Load())
				second = append(second, popRest(m)...)
				all := slices.Concat(first, second)
				slices.Sort(all)
				if len(slices.Compact(slices.Clone(all))) != len(all) {
					r.Errorf("twice: %v and %v", first, second)
				}
				switch victim {
				case "producer", "burst producer":
					if len(second) == 0 || second[0] != 1 {
						r.Errorf("what was in front of the stalled producer's slots did not come: %v", second)
					}
					if !pushed && victim == "producer" {
						r.Errorf("a stalled producer stops a push though there is room")
					}
				default:
					// A stalled consumer has claimed what it has not returned, and nothing more is missing.
					if pushed && !slices.Contains(second, 4) && !slices.Contains(first, 4) && head == 0 {
						r.Errorf("a stalled consumer hides an item: %v and %v", first, second)
					}
				}
			})
		})
	}
}
