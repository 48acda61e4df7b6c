// What the Go peers' queues share: the names of their works.

package main

import (
	"fmt"
	"slices"

	"github.com/ringway-net/ringway/internal/perf"
)

// capacity is that of all queues, as of Ringway's.
const capacity = 4096

// goPeers returns the works of all peers that are written in Go.
func goPeers() []perf.Work {
	return slices.Concat(chanWorks(), xsyncWorks(), workivaWorks(), mutexWorks(), syncPoolWorks(), makeWorks(), counterWorks())
}

// spscBursts returns the works of all sizes of bursts through an SPSC queue.
func spscBursts(impl string, open func(burst int) perf.Queue) (works []perf.Work) {
	for _, burst := range []int{8, 32, 64, 256} {
		works = append(works, perf.Transfer(fmt.Sprintf("spsc/burst%d", burst), impl, 1, 1, func() perf.Queue { return open(burst) }))
	}
	return works
}

// mpmcSingles returns the works of an MPMC queue whose items go one at a time.
func mpmcSingles(impl string, open func() perf.Queue) (works []perf.Work) {
	for _, k := range perf.Crowds {
		works = append(works, perf.Single(impl, k, open))
	}
	return works
}

// mpmcBursts is spscBursts for an MPMC queue.
func mpmcBursts(impl string, open func(burst int) perf.Queue) (works []perf.Work) {
	for _, k := range perf.Crowds {
		works = append(works, perf.Transfer("mpmc/burst64"+perf.Crowd(k), impl, k, k, func() perf.Queue { return open(64) }))
	}
	for _, burst := range []int{8, 32, 256} {
		works = append(works, perf.Transfer(fmt.Sprintf("mpmc/burst%d/1p1c", burst), impl, 1, 1, func() perf.Queue { return open(burst) }))
	}
	return works
}

// blocking returns the works of an MPMC queue whose calls wait.
func blocking(impl string, open func() perf.Queue) (works []perf.Work) {
	for _, k := range []int{1, 8} {
		works = append(works, perf.Timed("mpmc/blocking"+perf.Crowd(k), impl, k, k, open))
	}
	return works
}
