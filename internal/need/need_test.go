package need

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// fake is a test that remembers how it ended.
type fake struct{ failed, skipped string }

func (*fake) Helper()             {}
func (*fake) Name() string        { return "TestFake" }
func (f *fake) Fatal(args ...any) { f.failed = fmt.Sprint(args...); runtime.Goexit() }
func (f *fake) Skip(args ...any)  { f.skipped = fmt.Sprint(args...); runtime.Goexit() }

// ended returns how a test ended that needs what is not there.
func ended(needs func(T)) (f fake) {
	var g sync.WaitGroup
	g.Go(func() {
		needs(&f)
		f.failed = "went on"
	})
	g.Wait()
	return f
}

func TestMissing(t *testing.T) {
	program := func(t T) { Program(t, "no-such-program") }
	t.Setenv("RINGWAY_CI", "")
	if f := ended(program); f.failed != "" || !strings.Contains(f.skipped, "no-such-program is not installed") {
		t.Errorf("without CI: %+v", f)
	}
	t.Setenv("RINGWAY_CI", "1")
	if f := ended(program); f.skipped != "" || !strings.Contains(f.failed, "apt-get install no-such-program") {
		t.Errorf("in CI: %+v", f)
	}
}

func TestThere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var f fake
	if path := Program(&f, self); path != self || f != (fake{}) {
		t.Errorf("%q, %+v", path, f)
	}
}
