package joined_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/gen"
	_ "github.com/ringway-net/ringway/port/null"
	"github.com/ringway-net/ringway/stats"
	"github.com/ringway-net/ringway/vswitch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a test that remembers what it failed with.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Errorf(format string, args ...any) { r.failed += fmt.Sprintf(format, args...) }

// forgetful is a port that has sent a frame of which it doesn't know.
type forgetful struct{ port.Port }

func (f forgetful) Stats() stats.Snapshot {
	s := f.Port.Stats()
	s.TxPackets--
	return s
}

// opened opens a port that is closed with the test.
func opened(t *testing.T, name string, o port.Options) port.Port {
	t.Helper()
	p, err := port.Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestStop(t *testing.T) {
	for _, forgets := range []bool{false, true} {
		p := pooltest.New(t, pool.Config{})
		in := opened(t, "gen:count=1000", port.Options{Pool: p, Direction: port.In})
		out := opened(t, "null:", port.Options{Pool: p, Direction: port.Out})
		if forgets {
			out = forgetful{out}
		}
		r := &recorder{TB: t}
		f := joined.Start(r, vswitch.ForwardConfig{In: in, Out: out})
		for f.Stats().Ports[0].RxPackets < 1000 {
			time.Sleep(time.Millisecond)
		}
		s := f.Stop()
		if s.Received() != 1000 || f.Stop().Received() != s.Received() {
			t.Errorf("%d received, and %d after the end", s.Received(), f.Stop().Received())
		}
		if forgets != strings.Contains(r.failed, "but") {
			t.Errorf("a port forgets: %v; the test failed with %q", forgets, r.failed)
		}
	}
}

// here is the namespace of the tests.
type here struct{ entered int }

func (h *here) Do(f func()) {
	h.entered++
	f()
}

func TestBetween(t *testing.T) {
	var n here
	var f *joined.Forward
	t.Run("both ways", func(t *testing.T) {
		f = joined.Between(t, &n, "null:name=one", "null:name=two")
	})
	if f.Ports[0].Info().Name != "one" || f.Ports[1].Info().Name != "two" || n.entered != 2 {
		t.Errorf("ports %v, opened in %d goes", f.Ports, n.entered)
	}
	for _, p := range f.Ports {
		if _, err := p.Tx(nil); err != port.ErrClosed {
			t.Errorf("Tx after the end: %v", err)
		}
	}
}
