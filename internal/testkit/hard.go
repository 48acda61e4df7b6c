package testkit

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// Hard makes life hard for the goroutines of a test until it is over: they run on so many processors, the
// collector runs whenever a little was allocated, and somebody forces it to run all the time.
func Hard(t testing.TB, procs int) {
	was, percent := runtime.GOMAXPROCS(procs), debug.SetGCPercent(1)
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !over.Load() {
			runtime.GC()
			runtime.Gosched()
		}
	}()
	t.Cleanup(func() {
		over.Store(true)
		<-done
		runtime.GOMAXPROCS(was)
		debug.SetGCPercent(percent)
	})
}

// WithoutPreemption runs the tests that pattern names once more, in a child process in which a goroutine
// gives its processor up only where the compiler lets it, and the collector runs all the time. Their random choices
// come from a seed in this test's log.
func WithoutPreemption(t *testing.T, pattern string) {
	if testing.Short() {
		t.Skip("-short: no second run in a child process")
	}
	seed := Rand(t).Uint64()
	limit := time.Duration(Scale(4)) * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), limit+time.Minute) // the child's own comes first, with its stacks
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run="+pattern, "-test.v", "-test.timeout="+limit.String())
	child.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOGC=1", "RINGWAY_SEED="+strconv.FormatUint(seed, 10))
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("RINGWAY_SEED=%d, without asynchronous preemption: %v\n%s", seed, err, out)
	}
}
