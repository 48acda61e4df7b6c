// Channels, Go's own queues; and with a sync.Pool, what a Go program hands packets over with if it uses
// nothing else.

package main

import (
	"slices"
	"sync"

	"github.com/ringway-net/ringway/internal/perf"
)

func chanWorks() []perf.Work {
	const impl = "chan"
	return slices.Concat(
		[]perf.Work{
			perf.Transfer("spsc/single", impl, 1, 1, chanSingle),
			perf.Alone("mpmc/single/1", impl, func() (func(n int) error, func() error) {
				ch := make(chan uint64, capacity)
				return func(n int) error {
					var sum uint64
					for i := range n {
						ch <- uint64(i + 1)
						sum += <-ch
					}
					return perf.CheckSum(sum, n)
				}, nothing
			}),
			perf.Handoff("handoff/single", impl, chanHandoff),
			chanPingPong("pingpong", impl),
			chanPingPong("pingpong/parked", impl),
		},
		spscBursts(impl, chanBursts),
		mpmcSingles(impl, chanSingle),
		mpmcBursts(impl, chanBursts),
		blocking(impl, chanSingle),
	)
}

// chanSingle floats: a channel that parks a goroutine parks its thread if it is locked to one, and then
// takes 42 ns an item instead of 33, and 46 µs instead of 0.3 there and back.
func chanSingle() perf.Queue {
	ch := make(chan uint64, capacity)
	return perf.Queue{
		Floating: true,
		Push: func(_ *perf.Wait, first, n int) error {
			for i := range n {
				ch <- uint64(first + i)
			}
			return nil
		},
		Pop: func(_ *perf.Wait, n int) (sum uint64, err error) {
			for range n {
				sum += <-ch
			}
			return sum, nil
		},
	}
}

// chanBursts goes one at a time, whatever the burst: a channel takes no more at once.
func chanBursts(int) perf.Queue { return chanSingle() }

func chanPingPong(name, impl string) perf.Work {
	return perf.PingPong(name, impl, true, func() perf.Link {
		ch := make(chan uint64, capacity)
		return perf.Link{
			Send:    func(_ *perf.Wait, v uint64) error { ch <- v; return nil },
			Receive: func(*perf.Wait) (uint64, error) { return <-ch, nil },
		}
	})
}

// chanHandoff passes pointers to packets through a channel, from a sync.Pool and back to it.
func chanHandoff() perf.Handover {
	packets := sync.Pool{New: func() any { return new(packet) }}
	ch := make(chan *packet, 1024)
	return perf.Handover{
		Floating: true,
		Send: func(_ *perf.Wait, n int) error {
			for i := range n {
				p := packets.Get().(*packet)
				p.length = perf.Length(i)
				ch <- p
			}
			return nil
		},
		Receive: func(_ *perf.Wait, n int) (bytes int, err error) {
			for range n {
				p := <-ch
				bytes += p.length
				packets.Put(p)
			}
			return bytes, nil
		},
		End: nothing,
	}
}
