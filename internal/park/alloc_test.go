//go:build !race

// Under the race detector sync.Pool drops things at random, so there is nothing to count.

package park

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

func TestNoAllocations(t *testing.T) {
	testkit.Watchdog(t)
	var l List
	var items, ended atomic.Int32
	take := func() bool {
		n := items.Load()
		return n > 0 && items.CompareAndSwap(n, n-1)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			asleep(&l, 1)
			if ended.Load() != 0 {
				items.Add(1)
				l.Wake(1)
				return
			}
			items.Add(1)
			l.Wake(1)
		}
	}()
	n := testing.AllocsPerRun(500, func() { l.sleep(context.Background(), take) })
	ended.Store(1)
	l.sleep(context.Background(), take)
	<-done
	if n != 0 {
		t.Errorf("%v allocations for a sleep", n)
	}
	if n := testing.AllocsPerRun(500, func() { l.Wake(1); l.WakeAll(); l.Waiting() }); n != 0 {
		t.Errorf("%v allocations for a wake-up that nobody waits for", n)
	}
}
