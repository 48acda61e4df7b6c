// A run: its sides start together, wait for each other in one way, and end; the clock is around them.

package perf

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/ringway-net/ringway/cpu"
)

// errStuck says that a run did not end.
var errStuck = errors.New("an item was lost: the sides still wait for one")

// patience is how long a run may take; no run is meant to take more than a small part of it.
var patience = 30 * time.Second

const (
	// After so many tries in vain a side lets the scheduler run others. A side that has a core for
	// itself does it only so that it can be preempted at all: it costs a locked thread a switch.
	// With more goroutines than cores the one that is waited for may need this very core.
	pinnedTries = 1000
	sharedTries = 8

	// defaultPause is the rounds of cpu.Pause between two tries. Of 64, 16, 256, and doubling from 1 to 16
	// and from 16 to 64 and 256, 64 is the best for rings, xsync's queues, and a mutex alike:
	// with fewer the two sides look at each other's lines too often (an SPSC ring takes 18 ns an
	// item with 1 to 16, 7.2 with 16 and 6.4 with 64; xsync's 25, 13.3 and 12.3).
	defaultPause = 64
)

// Wait is how a side waits for another one, with calls that try: the same for all implementations.
type Wait struct {
	ctx   context.Context
	pause uint32
	tries int
}

// Until calls try until it returns true. The error says that the run has failed meanwhile, or does
// not end.
func (w *Wait) Until(try func() bool) error {
	for i := 1; ; i++ {
		if i%w.tries == 0 {
			if w.ctx.Err() != nil {
				return context.Cause(w.ctx)
			}
			runtime.Gosched()
		} else {
			cpu.Pause(w.pause)
		}
		if try() {
			return nil
		}
	}
}

// Push calls try until it has taken v.
func Push[T any](w *Wait, v T, try func(T) bool) error {
	return w.Until(func() bool { return try(v) })
}

// Pop calls try until it has brought an item.
func Pop[T any](w *Wait, try func() (T, bool)) (v T, err error) {
	err = w.Until(func() (ok bool) {
		v, ok = try()
		return ok
	})
	return v, err
}

// Side is what one goroutine of a run does.
type Side func(w *Wait) error

// Crew is the goroutines of a run.
type Crew struct {
	// Pause is the rounds of cpu.Pause between two tries in vain; 64 if it is 0.
	Pause uint32
	// Floating leaves them to the scheduler, cores or not: for what parks goroutines, since a
	// goroutine that is locked to a thread parks the thread.
	Floating bool
	Sides    []Side
}

// Run starts all sides at one moment and returns how long it took from then until the last one had
// ended. It returns the first error of one of them.
func (c Crew) Run() (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	pinned := !c.Floating && len(c.Sides) <= len(cores)
	wait := Wait{ctx: ctx, pause: c.Pause, tries: sharedTries}
	if wait.pause == 0 {
		wait.pause = defaultPause
	}
	if pinned {
		wait.tries = pinnedTries
	}
	var ready, ended sync.WaitGroup
	start, done := make(chan struct{}), make(chan struct{})
	for i, side := range c.Sides {
		ready.Add(1)
		ended.Go(func() {
			if pinned {
				defer pin(i)()
			}
			ready.Done()
			<-start
			if err := side(&wait); err != nil {
				cancel(err)
			}
		})
	}
	ready.Wait()
	began := time.Now()
	var took time.Duration
	go func() {
		ended.Wait()
		took = time.Since(began)
		close(done)
	}()
	close(start)
	select {
	case <-done:
		return took, context.Cause(ctx)
	case <-time.After(patience):
	}
	// Who spins sees this and ends. Who sleeps for ever is left behind, and the program ends with the error.
	cancel(errStuck)
	select {
	case <-done:
	case <-time.After(time.Second):
	}
	return 0, context.Cause(ctx)
}

// perItem makes the figures of a run that did n items.
func perItem(took time.Duration, n int) Figures {
	return Figures{NS: float64(took.Nanoseconds()) / float64(n)}
}

// Alone returns the work of one goroutine. open makes what is needed; loop does n items, and then
// end takes apart what open has made and says what is wrong with it.
func Alone(name, impl string, open func() (loop func(n int) error, end func() error)) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		loop, end := open()
		took, err := Crew{Sides: []Side{func(*Wait) error { return loop(n) }}}.Run()
		if err == nil {
			err = end()
		}
		return perItem(took, n), err
	}}
}

// nothing is an end to what the collector takes apart.
func nothing() error { return nil }

// must is for making things of sizes that are known to be good.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
