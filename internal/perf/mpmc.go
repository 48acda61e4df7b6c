// Works of an MPMC ring: one at a time, in bursts, and by the calls that wait.

package perf

import (
	"context"
	"fmt"
	"time"

	"github.com/ringway-net/ringway/ring"
)

// Crowds are the numbers of producers and consumers, as many of both, with which MPMC queues are measured.
var Crowds = []int{1, 2, 4, 8}

// Crowd is the end of a work's name that says how many producers and consumers there are.
func Crowd(n int) string { return fmt.Sprintf("/%dp%dc", n, n) }

func mpmcWorks() []Work {
	works := []Work{Alone("mpmc/single/1", Ours, mpmcAlone)}
	for _, k := range Crowds {
		works = append(works,
			Transfer("mpmc/single"+Crowd(k), Ours, k, k, mpmcSingle(capacity)),
			Transfer("mpmc/burst64"+Crowd(k), Ours, k, k, mpmcBursts(64)))
	}
	for _, burst := range []int{8, 32, 256} {
		works = append(works, Transfer(fmt.Sprintf("mpmc/burst%d/1p1c", burst), Ours, 1, 1, mpmcBursts(burst)))
	}
	for _, c := range []int{64, 1024, 65536} {
		works = append(works, Transfer(fmt.Sprintf("mpmc/single/1p1c/cap%d", c), Ours, 1, 1, mpmcSingle(c)))
	}
	for _, k := range []int{1, 8} {
		works = append(works, Blocking("mpmc/blocking"+Crowd(k), Ours, k, k, mpmcBlocking))
	}
	return works
}

func newMPMC(capacity int) *ring.MPMC[uint64] { return must(ring.NewMPMC[uint64](capacity)) }

func mpmcSingle(capacity int) func() Queue {
	return func() Queue {
		r := newMPMC(capacity)
		return Queue{
			Pause: pauseFor(capacity),
			Push: func(w *Wait, first, n int) error {
				for i := range n {
					v := uint64(first + i)
					if !r.TryPush(v) {
						if err := Push(w, v, r.TryPush); err != nil {
							return err
						}
					}
				}
				return nil
			},
			Pop: func(w *Wait, n int) (sum Sum, err error) {
				for range n {
					v, ok := r.TryPop()
					if !ok {
						if v, err = Pop(w, r.TryPop); err != nil {
							return sum, err
						}
					}
					sum = sum.Plus(v)
				}
				return sum, nil
			},
		}
	}
}

func mpmcBursts(burst int) func() Queue {
	return func() Queue {
		r := newMPMC(capacity)
		return Bursts[uint64](burst, r, r)
	}
}

// mpmcAlone is one goroutine that pushes and pops in turn.
func mpmcAlone() (loop func(n int) error, end func() error) {
	r := newMPMC(capacity)
	return func(n int) error {
		var sum Sum
		for i := range n {
			r.TryPush(uint64(i))
			v, _ := r.TryPop()
			sum = sum.Plus(v)
		}
		return sum.Check(n)
	}, nothing
}

func mpmcBlocking() BlockingQueue {
	r := newMPMC(capacity)
	ctx := context.Background()
	return BlockingQueue{
		Push: func(v uint64) error { return r.Push(ctx, v) },
		Pop:  func() (uint64, error) { return r.Pop(ctx) },
	}
}

// BlockingQueue is a queue whose calls wait for room, or for an item.
type BlockingQueue struct {
	Push     func(v uint64) error
	Pop      func() (uint64, error)
	Floating bool // as in Crew
}

// Blocking is Transfer with calls that wait. One in 64 operations is timed by itself; the figures are
// nanoseconds an item, and the p999 of an operation.
func Blocking(name, impl string, producers, consumers int, open func() BlockingQueue) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		b := open()
		var l latencies
		f, err := Transfer(name, impl, producers, consumers, func() Queue {
			return Queue{
				Floating: b.Floating,
				Push: func(_ *Wait, first, n int) error {
					own := make([]time.Duration, 0, n/64+1)
					for i := range n {
						v := uint64(first + i)
						if i%64 != 0 {
							if err := b.Push(v); err != nil {
								return err
							}
							continue
						}
						start := time.Now()
						if err := b.Push(v); err != nil {
							return err
						}
						own = append(own, time.Since(start))
					}
					l.add(own)
					return nil
				},
				Pop: func(_ *Wait, n int) (sum Sum, err error) {
					own := make([]time.Duration, 0, n/64+1)
					for i := range n {
						var v uint64
						if i%64 != 0 {
							v, err = b.Pop()
						} else {
							start := time.Now()
							v, err = b.Pop()
							own = append(own, time.Since(start))
						}
						if err != nil {
							return sum, err
						}
						sum = sum.Plus(v)
					}
					l.add(own)
					return sum, nil
				},
			}
		}).Run(n)
		if err == nil {
			f["p999"] = l.percentile(0.999)
		}
		return f, err
	}}
}
