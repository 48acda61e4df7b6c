package pooltest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
)

// recorder is a test that remembers how it failed and what is to be done in the end.
type recorder struct {
	failed string
	end    func()
}

func (*recorder) Helper()                             {}
func (r *recorder) Cleanup(f func())                  { r.end = f }
func (r *recorder) Errorf(format string, args ...any) { r.failed = fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func TestNew(t *testing.T) {
	var r recorder
	p := pooltest.New(&r, pool.Config{Count: 8, Track: 1})
	b, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	r.end()
	if !strings.Contains(r.failed, "pooltest_test.go") {
		t.Errorf("a buffer has not come back, and the test fails with %q", r.failed)
	}
	b.Release()
	r = recorder{}
	pooltest.New(&r, pool.Config{Count: 8})
	if r.end(); r.failed != "" {
		t.Errorf("nothing is missing, and the test fails with %q", r.failed)
	}
	defer func() {
		if wrong := fmt.Sprint(recover()); !strings.Contains(wrong, "Count") {
			t.Errorf("a bad Config: %s", wrong)
		}
	}()
	pooltest.New(&r, pool.Config{Count: -1})
}
