// Works of an MPMC ring: one at a time, in bursts, and by the calls that wait.

package perf

import (
	"context"
	"fmt"

	"github.com/ringway-net/ringway/ring"
)

// Crowds are the numbers of producers and consumers, as many of both, with which MPMC queues are measured.
var Crowds = []int{1, 2, 4, 8}

// Crowd is the end of a work's name that says how many producers and consumers there are.
func Crowd(n int) string { return fmt.Sprintf("/%dp%dc", n, n) }

// Single returns the work of as many producers as consumers, crowd of each, on an MPMC queue, one item at
// a time. In the largest crowd some items are timed by themselves.
func Single(impl string, crowd int, open func() Queue) Work {
	transfer := Transfer
	if crowd == Crowds[len(Crowds)-1] {
		transfer = Timed
	}
	return transfer("mpmc/single"+Crowd(crowd), impl, crowd, crowd, open)
}

func mpmcWorks() []Work {
	works := []Work{Alone("mpmc/single/1", Ours, mpmcAlone)}
	for _, k := range Crowds {
		works = append(works,
			Single(Ours, k, mpmcSingle(capacity)),
			Transfer("mpmc/burst64"+Crowd(k), Ours, k, k, mpmcBursts(64)))
	}
	for _, burst := range []int{8, 32, 256} {
		works = append(works, Transfer(fmt.Sprintf("mpmc/burst%d/1p1c", burst), Ours, 1, 1, mpmcBursts(burst)))
	}
	for _, c := range capacities {
		works = append(works, Transfer(fmt.Sprintf("mpmc/single/1p1c/cap%d", c), Ours, 1, 1, mpmcSingle(c)))
	}
	for _, k := range []int{1, 8} {
		works = append(works, Timed("mpmc/blocking"+Crowd(k), Ours, k, k, mpmcBlocking))
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
			Pop: func(w *Wait, n int) (sum uint64, err error) {
				for range n {
					v, ok := r.TryPop()
					if !ok {
						if v, err = Pop(w, r.TryPop); err != nil {
							return sum, err
						}
					}
					sum += v
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
		var sum uint64
		for i := range n {
			r.TryPush(uint64(i + 1))
			v, _ := r.TryPop()
			sum += v
		}
		return CheckSum(sum, n)
	}, nothing
}

// mpmcBlocking uses the calls that wait.
func mpmcBlocking() Queue {
	r := newMPMC(capacity)
	ctx := context.Background()
	return Queue{
		Push: func(_ *Wait, first, n int) error {
			for i := range n {
				if err := r.Push(ctx, uint64(first+i)); err != nil {
					return err
				}
			}
			return nil
		},
		Pop: func(_ *Wait, n int) (sum uint64, err error) {
			for range n {
				v, err := r.Pop(ctx)
				if err != nil {
					return sum, err
				}
				sum += v
			}
			return sum, nil
		},
	}
}
