//go:build unix

package fd

import (
	"context"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/testkit"
)

// TestNudge: a nudge ends one wait, and leaves later ones asleep.
func TestNudge(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	waits := map[string]func() error{
		"WaitRead":      func() error { return f.WaitRead(ctx) },
		"WaitReadUntil": func() error { return f.WaitReadUntil(ctx, time.Now().Add(time.Hour)) },
	}
	for name, wait := range waits {
		for range 20 {
			result := asleep(wait)
			f.Nudge()
			f.Nudge()
			if err := <-result; err != nil {
				t.Fatalf("%s that was nudged: %v", name, err)
			}
			f.Nudge() // now nobody sleeps
			if err := wait(); err != nil {
				t.Fatalf("%s after a nudge: %v", name, err)
			}
		}
		// They are all used up, by all but the few waits that return early for no reason.
		early := 0
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		for f.WaitRead(short) == nil {
			if early++; early > 1000 {
				t.Fatalf("it never sleeps after nudges of %s", name)
			}
		}
		cancel()
		result := asleep(wait)
		write(t, other)
		if err := <-result; err != nil {
			t.Fatalf("%s after nudges, for something to read: %v", name, err)
		}
		_, _ = unix.Read(f.Num(), make([]byte, 1))
	}
	// A context that is done comes first, and what is left of a nudge is the next wait's.
	result := asleep(waits["WaitRead"])
	cancel()
	if err := <-result; err != context.Canceled {
		t.Errorf("a wait whose context was cancelled, after nudges: %v", err)
	}
	f.Nudge()
	if err := f.WaitRead(ctx); err != context.Canceled {
		t.Errorf("a nudged wait whose context is done: %v", err)
	}
	if err := f.WaitRead(context.Background()); err != nil {
		t.Errorf("the wait after it: %v", err)
	}
	f.Wake()
	f.Nudge()
	for range 3 {
		if err := f.WaitRead(context.Background()); err != nil {
			t.Errorf("a wait after Wake and a nudge: %v", err)
		}
	}
}

// TestNudgeRaces: nudges beside waits of all kinds that begin and end: each ends one, and what else ends them still does.
func TestNudgeRaces(t *testing.T) {
	testkit.Watchdog(t)
	r := testkit.Rand(t)
	f, _ := pair(t)
	for range testkit.Scale(300) {
		ctx, cancel := context.WithCancel(t.Context())
		pauses := [2]time.Duration{time.Duration(r.IntN(50)) * time.Microsecond, time.Duration(r.IntN(50)) * time.Microsecond}
		limit := time.Now().Add(time.Duration(r.IntN(100)) * time.Microsecond)
		var others sync.WaitGroup
		others.Go(func() {
			time.Sleep(pauses[0])
			f.Nudge()
		})
		if r.IntN(2) == 0 {
			others.Go(func() {
				time.Sleep(pauses[1])
				cancel()
			})
		}
		wait := f.WaitRead
		if r.IntN(2) == 0 {
			wait = func(ctx context.Context) error { return f.WaitReadUntil(ctx, limit) }
		}
		if err := wait(ctx); err != nil && err != context.Canceled {
			t.Fatal(err)
		}
		others.Wait()
		cancel()
		f.Nudge()
		if err := f.WaitRead(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}
