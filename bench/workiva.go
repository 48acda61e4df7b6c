// The RingBuffer of github.com/Workiva/go-datastructures: an MPMC queue of interfaces. A Put or Get that can't
// go on yields until it can, and so burns a core for each that waits.

package main

import (
	"slices"

	"github.com/Workiva/go-datastructures/queue"

	"github.com/ringway-net/ringway/internal/perf"
)

func workivaWorks() []perf.Work {
	const impl = "workiva"
	return slices.Concat(
		[]perf.Work{perf.Transfer("spsc/single", impl, 1, 1, workivaSingle)},
		mpmcSingles(impl, workivaSingle),
		blocking(impl, workivaSingle),
	)
}

// workivaSingle uses the calls that wait. Pinned it takes 20 ns an item and otherwise 36.
func workivaSingle() perf.Queue {
	q := queue.NewRingBuffer(capacity)
	return perf.Queue{
		Push: func(_ *perf.Wait, first, n int) error {
			for i := range n {
				if err := q.Put(uint64(first + i)); err != nil {
					return err
				}
			}
			return nil
		},
		Pop: func(_ *perf.Wait, n int) (sum uint64, err error) {
			for range n {
				v, err := q.Get()
				if err != nil {
					return sum, err
				}
				sum += v.(uint64)
			}
			return sum, nil
		},
	}
}
