// The queues of github.com/puzpuzpuz/xsync. What is written twice here, for its SPSC and its MPMC queue, is so
// because a type parameter or an interface for both would make each call an indirect one.

package main

import (
	"slices"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/ringway-net/ringway/internal/perf"
)

func xsyncWorks() []perf.Work {
	const impl = "xsync"
	return slices.Concat(
		[]perf.Work{
			perf.Transfer("spsc/single", impl, 1, 1, xsyncSPSC),
			perf.Alone("mpmc/single/1", impl, xsyncAlone),
			perf.PingPong("pingpong", impl, false, func() perf.Link {
				q := xsync.NewSPSCQueue[uint64](capacity)
				return perf.Link{
					Send:    func(_ *perf.Wait, v uint64) error { q.TryEnqueue(v); return nil }, // there is room
					Receive: func(w *perf.Wait) (uint64, error) { return perf.Pop(w, q.TryDequeue) },
				}
			}),
		},
		spscBursts(impl, func(burst int) perf.Queue {
			q := spscBurst{xsync.NewSPSCQueue[uint64](capacity)}
			return perf.Bursts(burst, q, q)
		}),
		mpmcSingles(impl, xsyncMPMC),
		mpmcBursts(impl, func(burst int) perf.Queue {
			q := mpmcBurst{xsync.NewMPMCQueue[uint64](capacity)}
			return perf.Bursts(burst, q, q)
		}),
	)
}

func xsyncSPSC() perf.Queue {
	q := xsync.NewSPSCQueue[uint64](capacity)
	return perf.Queue{
		Push: func(w *perf.Wait, first, n int) error {
			for i := range n {
				v := uint64(first + i)
				if !q.TryEnqueue(v) {
					if err := perf.Push(w, v, q.TryEnqueue); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Pop: func(w *perf.Wait, n int) (sum uint64, err error) {
			for range n {
				v, ok := q.TryDequeue()
				if !ok {
					if v, err = perf.Pop(w, q.TryDequeue); err != nil {
						return sum, err
					}
				}
				sum += v
			}
			return sum, nil
		},
	}
}

func xsyncMPMC() perf.Queue {
	q := xsync.NewMPMCQueue[uint64](capacity)
	return perf.Queue{
		Push: func(w *perf.Wait, first, n int) error {
			for i := range n {
				v := uint64(first + i)
				if !q.TryEnqueue(v) {
					if err := perf.Push(w, v, q.TryEnqueue); err != nil {
						return err
					}
				}
			}
			return nil
		},
		Pop: func(w *perf.Wait, n int) (sum uint64, err error) {
			for range n {
				v, ok := q.TryDequeue()
				if !ok {
					if v, err = perf.Pop(w, q.TryDequeue); err != nil {
						return sum, err
					}
				}
				sum += v
			}
			return sum, nil
		},
	}
}

func xsyncAlone() (loop func(n int) error, end func() error) {
	q := xsync.NewMPMCQueue[uint64](capacity)
	return func(n int) error {
		var sum uint64
		for i := range n {
			q.TryEnqueue(uint64(i + 1))
			v, _ := q.TryDequeue()
			sum += v
		}
		return perf.CheckSum(sum, n)
	}, nothing
}

// spscBurst makes bursts of single calls, as xsync has no others.
type spscBurst struct{ q *xsync.SPSCQueue[uint64] }

// PushBurst pushes as many of vs as fit.
func (b spscBurst) PushBurst(vs []uint64) int {
	for i, v := range vs {
		if !b.q.TryEnqueue(v) {
			return i
		}
	}
	return len(vs)
}

// PopBurst pops up to len(dst) items.
func (b spscBurst) PopBurst(dst []uint64) int {
	for i := range dst {
		v, ok := b.q.TryDequeue()
		if !ok {
			return i
		}
		dst[i] = v
	}
	return len(dst)
}

// mpmcBurst is spscBurst for the MPMC queue.
type mpmcBurst struct{ q *xsync.MPMCQueue[uint64] }

// PushBurst pushes as many of vs as fit.
func (b mpmcBurst) PushBurst(vs []uint64) int {
	for i, v := range vs {
		if !b.q.TryEnqueue(v) {
			return i
		}
	}
	return len(vs)
}

// PopBurst pops up to len(dst) items.
func (b mpmcBurst) PopBurst(dst []uint64) int {
	for i := range dst {
		v, ok := b.q.TryDequeue()
		if !ok {
			return i
		}
		dst[i] = v
	}
	return len(dst)
}
