//go:build linux

// A system's turn: all works, one after the other.

package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
)

// turn is one system's turn in a round.
type turn struct {
	system  string
	round   int
	kernel  bool // it has no process, so its CPU time is unknown
	figures []figure
	err     error // it did not start, or ended in the middle
}

// figure is what came of a work.
type figure struct {
	work  string
	value float64
	cpu   float64 // CPU time of the system's processes, as a share of the time: 1 is one core
	none  string  // why there is no value, or ""
}

// figure returns what came of a work in a turn.
func (t turn) figure(work string) (figure, bool) {
	i := slices.IndexFunc(t.figures, func(f figure) bool { return f.work == work })
	if i < 0 {
		return figure{}, false
	}
	return t.figures[i], true
}

// order returns who has a turn in a round: all in an order drawn anew, but the yardstick in the beginning and in the end.
func order(systems []system) (turns []system) {
	var first []system
	for _, i := range rand.Perm(len(systems)) {
		if systems[i].name == yardstick {
			first = append(first, systems[i])
		} else {
			turns = append(turns, systems[i])
		}
	}
	return slices.Concat(first, turns, first)
}

// measure gives a system its turn.
func measure(ctx context.Context, s system, works []work, long time.Duration) turn {
	result := turn{system: s.name}
	result.err = netlab.Run(ctx, s.name, func(t netlab.T) {
		h := join(t, s, long)
		result.kernel = len(h.processes) == 0
		for _, w := range works {
			if t.Context().Err() != nil {
				return
			}
			time.Sleep(w.rest)
			used, start := h.cpu(), time.Now()
			value, err := w.do(h)
			h.alive()
			f := figure{work: w.name, value: value, cpu: (h.cpu() - used).Seconds() / time.Since(start).Seconds()}
			if err != nil {
				f.none = err.Error()
			}
			if t.Context().Err() == nil { // otherwise it was cut short
				result.figures = append(result.figures, f)
			}
		}
		h.stop()
	})
	return result
}
