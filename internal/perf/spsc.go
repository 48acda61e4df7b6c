// Works of an SPSC ring: one at a time, in bursts, in place; of items and rings of several sizes.

package perf

import (
	"fmt"

	"github.com/ringway-net/ringway/ring"
)

func spscWorks() []Work {
	works := []Work{
		Transfer("spsc/single", Ours, 1, 1, spscSingle[uint64]),
		Transfer("spsc/single/16B", Ours, 1, 1, spscSingle[Pair]),
	}
	for _, burst := range []int{8, 32, 64, 256} {
		name := fmt.Sprintf("spsc/burst%d", burst)
		works = append(works,
			Transfer(name, Ours, 1, 1, spscBursts[uint64](burst, capacity)),
			Transfer(name+"/16B", Ours, 1, 1, spscBursts[Pair](burst, capacity)),
			Transfer(name+"/inplace", Ours, 1, 1, spscInPlace[uint64](burst)),
			Transfer(name+"/inplace/16B", Ours, 1, 1, spscInPlace[Pair](burst)))
	}
	works = append(works,
		Transfer("spsc/burst64/32B", Ours, 1, 1, spscBursts[[4]uint64](64, capacity)),
		Transfer("spsc/burst64/64B", Ours, 1, 1, spscBursts[[8]uint64](64, capacity)),
		Transfer("spsc/burst64/128B", Ours, 1, 1, spscBursts[[16]uint64](64, capacity)))
	for _, c := range capacities {
		works = append(works, Transfer(fmt.Sprintf("spsc/burst64/cap%d", c), Ours, 1, 1, spscBursts[uint64](64, c)))
	}
	return works
}

func newSPSC[T any](capacity int) (*ring.Producer[T], *ring.Consumer[T]) {
	p, c, err := ring.NewSPSC[T](capacity)
	if err != nil {
		panic(err)
	}
	return p, c
}

func spscSingle[T Item]() Queue {
	p, c := newSPSC[T](capacity)
	return Queue{
		Push: func(w *Wait, first, n int) error {
			for i := range n {
				var v T
				Write(&v, uint64(first+i))
				if !p.TryPush(v) {
					if err := Push(w, v, p.TryPush); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Pop: func(w *Wait, n int) (sum uint64, err error) {
			for range n {
				v, ok := c.TryPop()
				if !ok {
					if v, err = Pop(w, c.TryPop); err != nil {
						return sum, err
					}
				}
				sum += Read(&v)
			}
			return sum, nil
		},
	}
}

func spscBursts[T Item](burst, capacity int) func() Queue {
	return func() Queue {
		p, c := newSPSC[T](capacity)
		q := Bursts[T](burst, p, c)
		q.Pause = pauseFor(capacity)
		return q
	}
}

func spscInPlace[T Item](burst int) func() Queue {
	return func() Queue {
		p, c := newSPSC[T](capacity)
		return Queue{
			Push: func(w *Wait, first, n int) error {
				next, end := first, first+n
				for next < end {
					want := min(burst, end-next)
					a, b := p.Reserve(want)
					if len(a) == 0 {
						err := w.Until(func() bool { a, b = p.Reserve(want); return len(a) > 0 })
						if err != nil {
							return err
						}
					}
					writeAll(a, next)
					next += len(a)
					writeAll(b, next)
					next += len(b)
					p.Commit(len(a) + len(b))
				}
				return nil
			},
			Pop: func(w *Wait, n int) (sum uint64, err error) {
				for n > 0 {
					want := min(burst, n)
					a, b := c.Peek(want)
					if len(a) == 0 {
						err := w.Until(func() bool { a, b = c.Peek(want); return len(a) > 0 })
						if err != nil {
							return sum, err
						}
					}
					sum += addUp(a) + addUp(b)
					n -= len(a) + len(b)
					c.Advance(len(a) + len(b))
				}
				return sum, nil
			},
		}
	}
}
