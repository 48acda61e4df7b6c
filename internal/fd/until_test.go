//go:build unix

package fd

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"golang.org/x/sys/unix"
)

// streamPair is an end of a socket pair in the netpoller, and the other one.
func streamPair(t *testing.T) (f *FD, other *os.File) {
	t.Helper()
	nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	other = os.NewFile(uintptr(nums[1]), "other")
	f, err = New(nums[0], "one")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		_ = other.Close()
	})
	return f, other
}

// TestUntil: a wait with a limit ends at its limit, for what it waits for, for its context and for Wake; and the one after it has no
// limit.
func TestUntil(t *testing.T) {
	testkit.Watchdog(t)
	f, other := streamPair(t)
	ctx, cancel := context.WithCancel(t.Context())
	begin := time.Now()
	for range 3 {
		if err := f.WaitReadUntil(ctx, time.Now().Add(5*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(begin); d < 15*time.Millisecond {
		t.Errorf("three waits of 5 ms were over after %v", d)
	}
	if err := f.WaitReadUntil(ctx, time.Now().Add(-time.Hour)); err != nil {
		t.Error(err)
	}
	asleep := func(wait func() error) <-chan error {
		done := make(chan error, 1)
		go func() { done <- wait() }()
		select {
		case err := <-done:
			t.Fatalf("did not sleep: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
		return done
	}
	done := asleep(func() error { return f.WaitRead(ctx) }) // the limits before are forgotten
	if _, err := other.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := unix.Read(f.Num(), make([]byte, 9)); err != nil {
		t.Fatal(err)
	}

	done = asleep(func() error { return f.WaitReadUntil(ctx, time.Now().Add(time.Hour)) })
	cancel()
	if err := <-done; err != context.Canceled {
		t.Errorf("WaitReadUntil whose context was cancelled returned %v", err)
	}
	// A context that is done leaves nothing behind for the next one.
	done = asleep(func() error { return f.WaitReadUntil(context.Background(), time.Now().Add(time.Hour)) })
	f.Wake()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := f.WaitReadUntil(context.Background(), time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if !f.Writable() {
		t.Error("an empty socket is not writable")
	}
}
