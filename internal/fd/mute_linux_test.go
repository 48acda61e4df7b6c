package fd

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/testkit"
)

// listens reports whether f is in its epoll instance, and so would be told of something to read.
func listens(t testing.TB, f *FD) bool {
	t.Helper()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", f.in.watch))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(info), "tfd:")
}

// mutedWait calls wait in a goroutine, and mutes it once it listens.
func mutedWait(t *testing.T, f *FD, wait func() error) <-chan error {
	t.Helper()
	f.Mute(true) // whatever the wait before has left
	result := make(chan error, 1)
	go func() { result <- wait() }()
	for !listens(t, f) {
		time.Sleep(100 * time.Microsecond)
	}
	f.Mute(true)
	if listens(t, f) {
		t.Fatal("it is in the epoll instance still")
	}
	return result
}

// TestMute: what can be read doesn't end a muted wait, and does at once when it is muted no more, or later.
func TestMute(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	for i := range 20 {
		result := mutedWait(t, f, func() error { return f.WaitRead(t.Context()) })
		before := i%2 == 0
		if before {
			write(t, other)
			for range 5 { // in which others get the processor
				time.Sleep(time.Millisecond)
			}
		}
		select {
		case err := <-result:
			t.Fatalf("a muted wait ended: %v", err)
		default:
		}
		f.Mute(false)
		if !before {
			write(t, other)
		}
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Read(f.Num(), make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMutedEnds: a muted wait ends for its context, its limit, a nudge and Wake.
func TestMutedEnds(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	write(t, other)
	_, _ = unix.Read(f.Num(), make([]byte, 1))
	ctx, cancel := context.WithCancel(t.Context())
	for name, end := range map[string]func(){"a nudge": f.Nudge, "both": func() { f.Mute(false); f.Nudge() }} {
		result := mutedWait(t, f, func() error { return f.WaitRead(ctx) })
		end()
		if err := <-result; err != nil {
			t.Errorf("a muted wait that %s ends: %v", name, err)
		}
	}
	if err := <-mutedWait(t, f, func() error { return f.WaitReadUntil(ctx, time.Now().Add(100*time.Millisecond)) }); err != nil {
		t.Errorf("a muted wait with a limit: %v", err)
	}
	result := mutedWait(t, f, func() error { return f.WaitRead(ctx) })
	cancel()
	if err := <-result; err != context.Canceled {
		t.Errorf("a muted wait whose context was cancelled: %v", err)
	}
	result = mutedWait(t, f, func() error { return f.WaitRead(t.Context()) })
	f.Wake()
	if err := <-result; err != nil {
		t.Errorf("a muted wait that was woken: %v", err)
	}
}

// TestMuteNobody: without somebody who waits, Mute does nothing for good: the next wait is not muted, and sleeps.
func TestMuteNobody(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	for i := range 30 {
		switch i % 3 {
		case 0:
			f.Mute(true)
			f.Mute(true)
		case 1:
			f.Mute(false)
			f.Mute(false)
		case 2: // and is told of something that is gone when the next wait begins
			f.Mute(false)
			write(t, other)
			_, _ = unix.Read(f.Num(), make([]byte, 1))
		}
		result := make(chan error, 1)
		go func() {
			for {
				if err := f.WaitRead(t.Context()); err != nil {
					result <- err
					return
				}
				if _, err := unix.Read(f.Num(), make([]byte, 1)); err != unix.EAGAIN { // it may return early
					result <- err
					return
				}
			}
		}()
		time.Sleep(time.Millisecond)
		write(t, other)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	}
	f.Mute(false)
	early := 0
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for f.WaitRead(short) == nil {
		if early++; early > 1000 {
			t.Fatal("it never sleeps")
		}
	}
}

// TestMuteRaces: who mutes in the middle of waits that begin, end and are ended, and in the end no more, has lost nobody a byte.
func TestMuteRaces(t *testing.T) {
	testkit.Watchdog(t)
	r := testkit.Rand(t)
	f, other := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var read atomic.Int64
	came := make(chan struct{}, 1)
	waits := make(chan error, 1)
	take := func() {
		if n, _ := unix.Read(f.Num(), make([]byte, 1)); n > 0 {
			read.Add(1)
			select {
			case came <- struct{}{}:
			default:
			}
		}
	}
	go func() {
		for i := 0; ; i++ {
			limit := time.Time{}
			if i%3 == 1 {
				limit = time.Now().Add(20 * time.Microsecond)
			}
			if err := f.in.sleep(ctx, limit); err != nil {
				waits <- err
				return
			}
			take()
		}
	}()
	written := int64(0)
	for range testkit.Scale(2000) {
		for range r.IntN(4) {
			f.Mute(r.IntN(3) > 0)
			if r.IntN(2) == 0 {
				write(t, other)
				written++
			}
			if r.IntN(2) == 0 {
				take() // as who mutes does
			}
			time.Sleep(time.Duration(r.IntN(10)) * time.Microsecond)
		}
		f.Mute(false)
		for read.Load() < written {
			<-came
		}
	}
	cancel()
	if err := <-waits; err != context.Canceled {
		t.Errorf("the wait: %v", err)
	}
	t.Logf("%d bytes", written)
}
