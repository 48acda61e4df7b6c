// Counters of packets and bytes that any goroutine may read: atomics, and a mutex around them.

package main

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ringway-net/ringway/internal/perf"
)

func counterWorks() []perf.Work {
	return slices.Concat(
		perf.CounterWorks("atomic", func() perf.Counter {
			var packets, bytes atomic.Uint64
			return perf.Counter{
				Bursts: func(n int) {
					for range n {
						packets.Add(64)
						bytes.Add(64 * 64)
					}
				},
				Singles: func(n int) {
					for range n {
						packets.Add(1)
						bytes.Add(64)
					}
				},
				Read: func() (uint64, uint64) { return packets.Load(), bytes.Load() },
			}
		}),
		perf.CounterWorks("mutex", func() perf.Counter {
			var mu sync.Mutex
			var packets, bytes uint64
			add := func(k, size uint64) {
				mu.Lock()
				packets += k
				bytes += size
				mu.Unlock()
			}
			return perf.Counter{
				Bursts: func(n int) {
					for range n {
						add(64, 64*64)
					}
				},
				Singles: func(n int) {
					for range n {
						add(1, 64)
					}
				},
				Read: func() (uint64, uint64) { return packets, bytes },
			}
		}),
	)
}
