// Package perf is the benchmarks' works: what is done, how often, and how the figures of many rounds are
// summed up. `ringway bench` measures Ringway's own works with it; the module bench measures the same
// works beside those of its peers.
package perf

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// Ours is the Impl of the works of Ringway.
const Ours = "ringway"

// NS is the name of the figure that most works have: nanoseconds an item, buffer or frame.
const NS = "ns"

// Figures are what one run of a work gives, by name: NS, or for latencies "p50", "p99" and "p999", all of
// them in nanoseconds.
type Figures map[string]float64

// Work is one thing that is measured, as one implementation does it.
type Work struct {
	Name string // what is done, as "spsc/burst64": the same for all who do it
	Impl string // who does it: Ours or a peer's name

	// Run does n items and returns what that gave, or an error if the payload did not come through as
	// it went in. What is needed for it is made before the clock starts.
	Run func(n int) (Figures, error)
}

// Options say how Measure measures. The zero Options are the defaults.
type Options struct {
	Rounds int           // how often each work is run; 10 if 0
	Time   time.Duration // how long a run should take; 50 ms if 0

	// TimeOf, if it is not nil, says it for each work by itself.
	TimeOf func(w Work) time.Duration

	// Progress, if it is not nil, is called before each run.
	Progress func(done, total int, w Work)
}

// Result is one figure of one work, over all rounds.
type Result struct {
	Work, Impl string
	Figure     string    // NS, or a latency
	Values     []float64 // one for each round, in ascending order
}

// Row returns the name under which r is reported: the work's, with the name of a latency behind it, as in
// "pingpong/p99".
func (r Result) Row() string {
	if r.Figure == NS {
		return r.Work
	}
	return r.Work + "/" + r.Figure
}

// Median returns the middle one of the values.
func (r Result) Median() float64 {
	n := len(r.Values)
	return (r.Values[(n-1)/2] + r.Values[n/2]) / 2
}

// Min returns the least of the values.
func (r Result) Min() float64 { return r.Values[0] }

// Max returns the greatest of the values.
func (r Result) Max() float64 { return r.Values[len(r.Values)-1] }

// Quartiles returns the two values between which the middle half of them lies.
func (r Result) Quartiles() (lower, upper float64) {
	n := len(r.Values)
	return r.Values[n/4], r.Values[n-1-n/4]
}

// Spread returns how far apart the values lie: the distance of the quartiles, as a share of the median.
func (r Result) Spread() float64 {
	lower, upper := r.Quartiles()
	return (upper - lower) / r.Median()
}

// Measure runs every work once a round, in turns, so that what disturbs the machine for a while disturbs
// all of them; the next round begins with another work. The results are in the order of the works. It
// returns what there is when ctx is done, with ctx's error. A work that fails is not run again and has no
// results; the others go on, and the error is Failures.
func Measure(ctx context.Context, works []Work, o Options) ([]Result, error) {
	if o.Rounds == 0 {
		o.Rounds = 10
	}
	if o.Time == 0 {
		o.Time = 50 * time.Millisecond
	}
	if o.TimeOf == nil {
		o.TimeOf = func(Work) time.Duration { return o.Time }
	}
	total := len(works) * (o.Rounds + 1)
	done := 0
	step := func(w Work, n int) (Figures, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(done, total, w)
		}
		done++
		runtime.GC() // one's garbage is not to be collected on another one's time
		f, err := w.Run(n)
		if err != nil {
			return nil, fmt.Errorf("%s by %s: %w", w.Name, w.Impl, err)
		}
		return f, nil
	}
	var failures Failures
	sizes := make([]int, len(works)) // 0 once a work has failed
	values := make([]map[string][]float64, len(works))
	for i, w := range works {
		n, err := calibrate(func(n int) (Figures, error) { return step(w, n) }, o.TimeOf(w))
		if ctx.Err() != nil {
			return nil, failures.or(ctx.Err())
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		sizes[i], values[i] = n, map[string][]float64{}
	}
	for round := range o.Rounds {
		done = len(works) * (round + 1)
		for k := range works {
			i := (k + round) % len(works)
			if sizes[i] == 0 {
				continue
			}
			figures, err := step(works[i], sizes[i])
			if ctx.Err() != nil && err != nil { // what an interrupt has ended is no failure
				return results(works, values), failures.or(ctx.Err())
			}
			if err != nil {
				failures = append(failures, err)
				sizes[i], values[i] = 0, nil
				continue
			}
			for name, v := range figures {
				values[i][name] = append(values[i][name], v)
			}
		}
	}
	return results(works, values), failures.or(nil)
}

// Failures are the errors of works that have failed, each with the work's name in front.
type Failures []error

func (f Failures) Error() string { return errors.Join(f...).Error() }

// Unwrap returns them.
func (f Failures) Unwrap() []error { return f }

// or returns f and err together: nil if there is nothing of both.
func (f Failures) or(err error) error {
	switch {
	case len(f) == 0:
		return err
	case err == nil:
		return f
	}
	return errors.Join(f, err)
}

// calibrate returns how many items take about the given time, as a multiple of 256: a whole number of bursts
// of every size.
func calibrate(run func(n int) (Figures, error), want time.Duration) (int, error) {
	for n := 1 << 10; ; n *= 8 {
		took := time.Duration(math.MaxInt64)
		// A run that was disturbed once looks long; one that is long is so again.
		for range 2 {
			start := time.Now()
			f, err := run(n)
			if err != nil {
				return 0, err
			}
			all := time.Since(start)
			if ns, ok := f[NS]; ok { // without the making of queues and pools
				all = time.Duration(ns * float64(n))
			}
			if took = min(took, all); took <= want/4 {
				break
			}
		}
		if took > want/4 {
			return max(256, int(float64(n)*float64(want)/float64(took))&^255), nil
		}
	}
}

func results(works []Work, values []map[string][]float64) []Result {
	var rs []Result
	for i, w := range works {
		var names []string
		for name := range values[i] {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			slices.Sort(values[i][name])
			rs = append(rs, Result{w.Name, w.Impl, name, values[i][name]})
		}
	}
	return rs
}
