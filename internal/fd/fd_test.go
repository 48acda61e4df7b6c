//go:build unix

package fd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns one end of a socket pair, and the other one's number. Both are closed with the test.
func pair(t testing.TB) (*FD, int) {
	t.Helper()
	nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(nums[0], "one end")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		_ = unix.Close(nums[1])
	})
	return f, nums[1]
}

func write(t testing.TB, num int) {
	t.Helper()
	if _, err := unix.Write(num, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

// asleep calls wait in a goroutine that is most likely asleep when it returns.
func asleep(wait func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- wait() }()
	time.Sleep(5 * time.Millisecond)
	return result
}

func TestNonBlocking(t *testing.T) {
	f, _ := pair(t)
	if _, err := unix.Read(f.Num(), make([]byte, 1)); err != unix.EAGAIN {
		t.Errorf("read of nothing: %v", err)
	}
}

// TestNotPollable: what can't be waited for is refused, and closed.
func TestNotPollable(t *testing.T) {
	num, err := unix.Open(filepath.Join(t.TempDir(), "file"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := New(num, "a file"); err == nil {
		_ = f.Close()
		t.Skip("this system polls files")
	}
	var s unix.Stat_t
	if err := unix.Fstat(num, &s); err != unix.EBADF {
		t.Errorf("it is still open: %v", err)
	}
	if _, err := New(-1, "nothing"); !errors.Is(err, unix.EBADF) {
		t.Errorf("New of no descriptor: %v", err)
	}
}

func TestRead(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	// What is there is seen at once, again and again, as long as it is not read.
	write(t, other)
	for range 3 {
		if err := f.WaitRead(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := unix.Read(f.Num(), make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	// What comes later wakes up.
	result := asleep(func() error {
		for {
			if err := f.WaitRead(t.Context()); err != nil {
				return err
			}
			if _, err := unix.Read(f.Num(), make([]byte, 1)); err != unix.EAGAIN { // it may return early
				return err
			}
		}
	})
	write(t, other)
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestWrite(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	fill := func() {
		for {
			if _, err := unix.Write(f.Num(), make([]byte, 1000)); err != nil {
				return
			}
		}
	}
	fill()
	result := asleep(func() error {
		for {
			if err := f.WaitWrite(t.Context()); err != nil {
				return err
			}
			if _, err := unix.Write(f.Num(), []byte("x")); err == nil {
				return nil
			}
		}
	})
	buf := make([]byte, 2000)
	for range 1000 { // systems differ in how much room they make a reason to wake up
		if err := unix.SetNonblock(other, true); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Read(other, buf); err != nil {
			break
		}
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
}

// TestContexts: each ends its own waits and no others.
func TestContexts(t *testing.T) {
	testkit.Watchdog(t)
	f, other := pair(t)
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		result := asleep(func() error {
			for {
				if err := f.WaitRead(ctx); err != nil {
					return err
				}
			}
		})
		cancel()
		if err := <-result; err != context.Canceled {
			t.Fatalf("WaitRead of a context that was cancelled: %v", err)
		}
		if err := f.WaitRead(ctx); err != context.Canceled {
			t.Fatalf("and again: %v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		for {
			if err := f.WaitRead(short); err == context.DeadlineExceeded {
				break
			} else if err != nil {
				t.Fatalf("WaitRead with a deadline: %v", err)
			}
		}
		cancel()
		// The deadline is over, and its mark is gone.
		result = asleep(func() error { return f.WaitRead(context.Background()) })
		select {
		case err := <-result:
			t.Logf("returned early, which it may: %v", err)
		default:
			write(t, other)
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		_, _ = unix.Read(f.Num(), make([]byte, 1))
	}
}

// TestSleeps: a wait after a context's end is a sleep again, and does not return for ever at once.
func TestSleeps(t *testing.T) {
	testkit.Watchdog(t)
	f, _ := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	result := asleep(func() error { return f.WaitRead(ctx) })
	cancel()
	<-result
	early := 0
	later, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for f.WaitRead(later) == nil {
		if early++; early > 1000 {
			t.Fatal("it never sleeps")
		}
	}
}

// TestWake: all waits end, those to come too, and stay so whatever contexts do.
func TestWake(t *testing.T) {
	testkit.Watchdog(t)
	f, _ := pair(t)
	for {
		if _, err := unix.Write(f.Num(), make([]byte, 1000)); err != nil {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	in := asleep(func() error { return f.WaitRead(ctx) })
	out := asleep(func() error { return f.WaitWrite(ctx) })
	f.Wake()
	f.Wake()
	for _, result := range []<-chan error{in, out} {
		if err := <-result; err != nil {
			t.Errorf("a wait that was woken: %v", err)
		}
	}
	cancel()
	for range 3 {
		if err := errors.Join(f.WaitRead(context.Background()), f.WaitWrite(context.Background())); err != nil {
			t.Errorf("a wait after Wake: %v", err)
		}
	}
}

// TestPeerGone: who has nothing more to expect doesn't sleep over it.
func TestPeerGone(t *testing.T) {
	testkit.Watchdog(t)
	nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(nums[0], "one end")
	if err != nil {
		t.Fatal(err)
	}
	result := asleep(func() error { return f.WaitRead(t.Context()) })
	_ = unix.Close(nums[1])
	if err := <-result; err != nil {
		t.Error(err)
	}
	if err := f.WaitRead(t.Context()); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close again: %v", err)
	}
}

// TestRaces: data, contexts and Wake at the same time, then Close once nobody is inside. Whoever waits wakes up.
func TestRaces(t *testing.T) {
	testkit.Watchdog(t)
	r := testkit.Rand(t)
	for range testkit.Scale(300) {
		f, other := func() (*FD, int) {
			nums, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			f, err := New(nums[0], "one end")
			if err != nil {
				t.Fatal(err)
			}
			return f, nums[1]
		}()
		outer, end := context.WithCancel(t.Context())
		woken := make(chan struct{})
		var waiters sync.WaitGroup
		for _, wait := range []func(context.Context) error{f.WaitRead, f.WaitWrite} {
			waiters.Go(func() {
				for i := 0; ; i++ {
					ctx, cancel := outer, context.CancelFunc(func() {})
					if i%3 == 1 { // another one now and then
						ctx, cancel = context.WithTimeout(outer, 20*time.Microsecond)
					}
					err := wait(ctx)
					cancel()
					_, _ = unix.Read(f.Num(), make([]byte, 1))
					if err != nil && err != context.Canceled && err != context.DeadlineExceeded {
						t.Errorf("a wait: %v", err)
					}
					select {
					case <-woken:
						return
					default:
					}
				}
			})
		}
		pause := func() { time.Sleep(time.Duration(r.IntN(100)) * time.Microsecond) }
		pause()
		write(t, other)
		pause()
		cancelFirst := r.IntN(2) == 0
		if cancelFirst {
			end()
			pause()
		}
		close(woken)
		f.Wake()
		waiters.Wait()
		end()
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		_ = unix.Close(other)
	}
}

// TestAllocs: a wait with the same context as the last one allocates nothing, whether it sleeps or not.
func TestAllocs(t *testing.T) {
	f, other := pair(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	buf := make([]byte, 1)
	if allocs := testing.AllocsPerRun(100, func() {
		if _, err := unix.Write(other, buf); err != nil {
			t.Fatal(err)
		}
		if err := f.WaitRead(ctx); err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Read(f.Num(), buf)
		if err := f.WaitWrite(ctx); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
