// Package pooltest makes pools for tests.
package pooltest

import "github.com/ringway-net/ringway/pool"

// T is what this package uses of a test, or of a check of package porttest.
type T interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// New makes a pool as c says. It is closed when the test ends, which fails if a buffer has not come back by then: with c.Track it
// is told where that was taken.
func New(t T, c pool.Config) *pool.Pool {
	t.Helper()
	p, err := pool.New(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("at the end: %v", err)
		}
	})
	return p
}
