// Package testkit is what the tests of several packages need.
package testkit

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// Rand returns a source of random numbers. Its seed is in the test's log, and the
// environment variable RINGWAY_SEED repeats it.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("RINGWAY_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("RINGWAY_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("RINGWAY_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Scale is n rounds of a test that could go on for ever; the environment variable RINGWAY_LONG=k makes
// them k times as many.
func Scale(n int) int {
	text := os.Getenv("RINGWAY_LONG")
	if text == "" {
		return n
	}
	k, err := strconv.Atoi(text)
	if err != nil || k < 1 {
		panic("RINGWAY_LONG is " + text + ", want a number of times")
	}
	return n * k
}

// Watchdog ends the test program with all stacks if the test is not over in two minutes (RINGWAY_LONG times as many):
// somebody sleeps whom nobody will wake.
func Watchdog(t testing.TB) {
	name := t.Name()
	limit := time.Duration(Scale(2)) * time.Minute
	timer := time.AfterFunc(limit, func() {
		buf := make([]byte, 4<<20)
		fmt.Fprintf(os.Stderr, "%s\n", buf[:runtime.Stack(buf, true)])
		panic(fmt.Sprintf("%s: not over in %v; a lost wake-up? Stacks above.", name, limit))
	})
	t.Cleanup(func() { timer.Stop() })
}

// Deeper is how many preemptions the long form of an exploration has more than the short one: 1 if
// the environment variable RINGWAY_LONG is set.
func Deeper() int {
	return min(1, Scale(1)-1)
}
