//go:build !race

// Under the race detector sync.Pool drops things at random, so there is nothing to count.

package ring

import (
	"context"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// Nor does a call that goes to sleep, after the first time.
func TestNoAllocationsAsleep(t *testing.T) {
	testkit.Watchdog(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	kinds(t, func(t *testing.T, make func(int) queue[int]) {
		there, back := make(1), make(1)
		notEmpty, _ := lists(there)
		mine, _ := lists(back)
		done := newDone()
		go func() {
			defer close(done)
			for {
				v, err := there.Pop(ctx)
				if err != nil {
					return
				}
				asleep(t, mine, 1)
				back.TryPush(v)
			}
		}()
		n := testing.AllocsPerRun(200, func() {
			asleep(t, notEmpty, 1)
			there.TryPush(1)
			back.Pop(ctx)
		})
		if n != 0 {
			t.Errorf("%v allocations for two sleeps", n)
		}
		there.Close()
		<-done
	})
}
