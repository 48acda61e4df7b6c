// The suite's own TB: a check runs in a goroutine of its own, under a watchdog, and what it
// says goes to a testing.T, or is recorded where the suite itself is tested.

package porttest

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// check is one of the suite.
type check struct {
	name string
	// skip says why the check does not apply to a kind, or "".
	skip func(k *Kind) string
	run  func(c *checker)
}

// Run runs the suite for k.
func Run(t *testing.T, k Kind) {
	if k.Name == "" || k.Does == 0 || k.Open == nil {
		t.Fatal("porttest: Kind needs Name, Does and Open")
	}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if c.skip != nil {
				if why := c.skip(&k); why != "" {
					t.Skip(why)
				}
			}
			r := runCheck(t.Name(), k, c)
			for _, line := range r.logs {
				t.Log(line)
			}
			for _, line := range r.errors {
				t.Error(line)
			}
			if r.skipped != "" && !t.Failed() {
				t.Skip(r.skipped)
			}
		})
	}
}

// result is what a check has said.
type result struct {
	logs, errors []string
	skipped      string // why, if the port turned out not to have what the check needs
}

// tb is the TB of one check.
type tb struct {
	name string

	mu       sync.Mutex
	over     bool // the watchdog has given up: nothing is said any more
	result   result
	cleanups []func()
}

// runCheck runs c for k and returns what it has said.
func runCheck(name string, k Kind, c check) result {
	if k.Patience == 0 {
		k.Patience = time.Minute
	}
	before := goleak.IgnoreCurrent()
	t := &tb{name: name}
	ch := newChecker(t, k)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.cleanup()
		defer ch.wait()
		defer t.recover()
		c.run(ch)
	}()
	watchdog := time.NewTimer(k.Patience)
	defer watchdog.Stop()
	select {
	case <-done:
	case <-watchdog.C:
		t.Errorf("not over after %v; inside of %s\n%s", k.Patience, ch.inside(), stacks())
		return t.end()
	}
	if !t.Failed() {
		if err := goleak.Find(before); err != nil {
			t.Errorf("goroutines are left: %v", err)
		}
	}
	if t.Failed() {
		t.Logf("RINGWAY_SEED=%d", ch.seed)
	}
	return t.end()
}

func stacks() string {
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}

func (t *tb) end() result {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	return t.result
}

// recover makes an error of a panic, such as those of pool about misuse.
func (t *tb) recover() {
	if r := recover(); r != nil {
		t.Errorf("panic: %v\n%s", r, debug.Stack())
	}
}

func (t *tb) cleanup() {
	for len(t.cleanups) > 0 {
		last := len(t.cleanups) - 1
		f := t.cleanups[last]
		t.cleanups = t.cleanups[:last]
		func() {
			defer t.recover()
			f()
		}()
	}
}

func (t *tb) Helper()      {}
func (t *tb) Name() string { return t.name }

func (t *tb) say(to *[]string, format string, args []any) {
	line := fmt.Sprintf(format, args...)
	if to == &t.result.errors {
		line = caller() + line
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		*to = append(*to, line)
	}
}

// caller names the line of the check, or of the kind's test, that complains: the first ones outside of
// this file.
func caller() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	var at []string
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.File, "/porttest/tb.go") && len(at) > 0 {
			break
		}
		if !strings.HasSuffix(f.File, "/porttest/tb.go") && !strings.Contains(f.File, "/runtime/") && !strings.Contains(f.File, "/testing/") {
			at = append(at, fmt.Sprintf("%s:%d", f.File[strings.LastIndexByte(f.File, '/')+1:], f.Line))
		}
		if !more || len(at) == 3 {
			break
		}
	}
	return strings.Join(at, " < ") + ": "
}

func (t *tb) Logf(format string, args ...any)   { t.say(&t.result.logs, format, args) }
func (t *tb) Errorf(format string, args ...any) { t.say(&t.result.errors, format, args) }

func (t *tb) Fatalf(format string, args ...any) {
	t.say(&t.result.errors, format, args)
	runtime.Goexit()
}

// skipf ends the check because the port doesn't have what it needs.
func (t *tb) skipf(format string, args ...any) {
	t.mu.Lock()
	t.result.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	runtime.Goexit()
}

func (t *tb) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.result.errors) > 0
}

func (t *tb) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }

func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp("", "porttest")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("%v", err)
		}
	})
	return dir
}
