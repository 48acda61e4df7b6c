// What the tests of this package share.

package pool

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/park"
	"github.com/ringway-net/ringway/internal/testkit"
)

// plants are the races that planted_race_test.go has.
var plants testkit.Plants

func TestMain(m *testing.M) {
	plants.Sprout()
	goleak.VerifyTestMain(m)
}

// asleep waits until n goroutines have announced themselves on the list. It is for tests
// with a watchdog.
func asleep(l *park.List, n int) {
	for l.Waiters() != n {
		time.Sleep(50 * time.Microsecond)
	}
}

// scaled is n rounds, and fewer under the race detector.
func scaled(n int) int {
	if raceDetector {
		n = max(1, n/10)
	}
	return testkit.Scale(n)
}

// must is for calls that can't fail with the arguments given.
func must[R any](r R, err error) R {
	if err != nil {
		panic(err)
	}
	return r
}

// open makes a pool that must be empty of users at the end of the test.
func open(t testing.TB, c Config) *Pool {
	t.Helper()
	if c.Name == "" {
		c.Name = t.Name()
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil && !t.Failed() {
			t.Errorf("at the end of the test: %v", err)
		}
	})
	return p
}

// abandon makes a pool that a test leaves behind as it likes.
func abandon(t testing.TB, c Config) *Pool {
	t.Helper()
	c.Name = t.Name()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// unmapped reports whether the memory of p, which was closed, is gone.
func unmapped(p *Pool) bool { return pools[p.id>>slotBits].Load() != p }

// said calls f, which must panic with a text, and returns that.
func said(t testing.TB, f func()) (text string) {
	t.Helper()
	defer func() {
		t.Helper()
		text = fmt.Sprint(recover())
		if text == "<nil>" {
			t.Error("no panic")
		}
	}()
	f()
	return ""
}

// mustSay calls f, which must panic with a text that has all of want in it.
func mustSay(t testing.TB, f func(), want ...string) {
	t.Helper()
	text := said(t, f)
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("panic %q does not say %q", text, w)
		}
	}
}

// line returns its caller's place, n lines further on, as reports name it.
func line(n int) string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line+n)
}

// takeAll takes every buffer that p's region has, and fails unless each came once.
func takeAll(t testing.TB, p *Pool) []Buffer {
	t.Helper()
	all := make([]Buffer, p.Count()+1)
	n := p.GetBurst(all)
	if n != p.Count() {
		t.Fatalf("%d buffers to be had, want %d", n, p.Count())
	}
	seen := make([]bool, n)
	for _, b := range all[:n] {
		if i := b.Index(); i >= n || seen[i] {
			t.Fatalf("slot %d came twice or is none of the %d", i, n)
		} else {
			seen[i] = true
		}
	}
	return all[:n]
}

// whole fails unless all of p's buffers are there.
func whole(t testing.TB, p *Pool) {
	t.Helper()
	p.PutBurst(takeAll(t, p))
}

var background = context.Background()
