package vswitch

import (
	"testing"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// Frames that a receiver takes to a port that it still sees, but that is removed, are counted.
func TestDropAfterRemove(t *testing.T) {
	sw, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, pool.Config{})
	a, _ := pair(t, p, mem.Config{}, mem.Config{})
	b, _ := pair(t, p, mem.Config{}, mem.Config{})
	for name, port := range map[string]port.Port{"a": a, "b": b} {
		if err := sw.Add(name, port, PortConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	from, to, old := sw.members["a"], sw.members["b"], sw.view.Load()
	take := func(n int) []pool.Buffer {
		bufs := make([]pool.Buffer, n)
		if p.GetBurst(bufs) != n {
			t.Fatal("no buffers")
		}
		return bufs
	}
	to.outlet.drop(stats.ReasonRingFull, take(3))
	if err := sw.Remove("b"); err != nil {
		t.Fatal(err)
	}
	from.give(t.Context(), old, to, take(5))
	if d := sw.Stats().Removed.TxDrops; d[stats.ReasonRingFull] != 3 || d[stats.ReasonClosed] != 5 || sw.Stats().Dropped() != 8 {
		t.Errorf("dropped %v, want 3 before and 5 after", d)
	}
}
