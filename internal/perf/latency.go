// Works of latency: a number goes through one queue and comes back through another one.

package perf

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

func latencyWorks() []Work {
	ctx := context.Background()
	return []Work{
		PingPong("pingpong", Ours, false, func() Link {
			p, c := newSPSC[uint64](capacity)
			return Link{
				Send:    func(w *Wait, v uint64) error { p.TryPush(v); return nil }, // there is room
				Receive: func(w *Wait) (uint64, error) { return Pop(w, c.TryPop) },
			}
		}),
		PingPong("pingpong/parked", Ours, true, func() Link {
			p, c := newSPSC[uint64](capacity)
			return Link{
				Send:    func(_ *Wait, v uint64) error { return p.Push(ctx, v) },
				Receive: func(*Wait) (uint64, error) { return c.Pop(ctx) },
			}
		}),
	}
}

// latencies are durations that several goroutines have measured.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

// add adds what a goroutine has measured.
func (l *latencies) add(own []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, own...)
}

// percentile returns the duration in nanoseconds that a share of all is not longer than. It is not
// called while others add.
func (l *latencies) percentile(share float64) float64 {
	slices.Sort(l.all)
	return float64(l.all[int(share*float64(len(l.all)-1))].Nanoseconds())
}

// Link is a queue between two goroutines. Send never finds it full.
type Link struct {
	Send    func(w *Wait, v uint64) error
	Receive func(w *Wait) (uint64, error)
}

// PingPong returns the work of sending n numbers there and back, each when the last one has come back. The
// figures are percentiles of a round trip, with one look at the clock in it. floating is as in Crew.
func PingPong(name, impl string, floating bool, open func() Link) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		there, back := open(), open()
		trips := make([]time.Duration, n)
		_, err := Crew{
			Floating: floating,
			Pause:    1, // every look counts here, and there is nothing to gather
			Sides: []Side{
				func(w *Wait) error {
					last := time.Now()
					for i := range trips {
						if err := there.Send(w, uint64(i)); err != nil {
							return err
						}
						v, err := back.Receive(w)
						if err != nil {
							return err
						}
						if v != uint64(i) {
							return fmt.Errorf("the payload is wrong: %d came back, want %d", v, i)
						}
						now := time.Now()
						trips[i], last = now.Sub(last), now
					}
					return nil
				},
				func(w *Wait) error {
					for range n {
						v, err := there.Receive(w)
						if err != nil {
							return err
						}
						if err := back.Send(w, v); err != nil {
							return err
						}
					}
					return nil
				},
			},
		}.Run()
		if err != nil {
			return nil, err
		}
		l := latencies{all: trips}
		return Figures{"p50": l.percentile(0.5), "p99": l.percentile(0.99), "p999": l.percentile(0.999)}, nil
	}}
}
