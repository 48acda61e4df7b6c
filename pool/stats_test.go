package pool

import (
	"strings"
	"testing"
)

func TestStats(t *testing.T) {
	p := open(t, Config{Count: 200, HeapBuffers: 2, Track: 1})
	check := func(what string, want Stats) {
		t.Helper()
		got := p.Stats()
		if got.Oldest < 0 || (got.Oldest > 0) != (got.OldestAt != "") {
			t.Errorf("%s: oldest %v at %q", what, got.Oldest, got.OldestAt)
		}
		got.Oldest, got.OldestAt, got.Memory, got.MemoryBytes = 0, "", "", 0
		want.Capacity = 200
		if got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if free := 200 - want.InUse - want.Cached; p.Free() != free {
			t.Errorf("%s: %d free, want %d", what, p.Free(), free)
		}
	}
	check("new", Stats{})

	first, at := must(p.Get()), line(0)
	check("one out", Stats{InUse: 1, HighWater: 1})
	if got := p.Stats(); got.Oldest <= 0 || !strings.HasPrefix(got.OldestAt, at) {
		t.Errorf("oldest %v at %q, want %s", got.Oldest, got.OldestAt, at)
	}

	c := p.NewCache()
	bs := make([]Buffer, 10)
	c.GetBulk(bs)
	check("eleven out, by a cache", Stats{InUse: 11, Cached: 54, HighWater: 65})
	c.PutBurst(bs[:4])
	check("four back", Stats{InUse: 7, Cached: 58, HighWater: 65})
	p.PutBurst(bs[4:])
	check("all but one back", Stats{InUse: 1, Cached: 58, HighWater: 65})
	if got := p.Stats(); !strings.HasPrefix(got.OldestAt, at) {
		t.Errorf("oldest at %q, want %s", got.OldestAt, at)
	}
	first.Release()
	c.Close()
	check("drained", Stats{HighWater: 65})
	if got := p.Stats(); got.Oldest != 0 || got.OldestAt != "" {
		t.Errorf("oldest %v at %q with none out", got.Oldest, got.OldestAt)
	}

	all := takeAll(t, p)
	check("exhausted", Stats{InUse: 200, HighWater: 200})
	h, w := must(p.CopyIn([]byte("fallback"))), must(p.Wrap([]byte("wrapped")))
	check("and on the heap", Stats{InUse: 200, HighWater: 200, HeapInUse: 2, HeapFallbacks: 1})
	_, _ = p.CopyIn(nil)
	_, _ = p.Wrap(nil)
	_, _ = p.Get()
	p.GetBurst(make([]Buffer, 1))
	p.GetBulk(make([]Buffer, 1))
	check("and that too", Stats{InUse: 200, HighWater: 200, HeapInUse: 2, HeapFallbacks: 1, Failed: 4})
	w.Release()
	h.Release()
	p.PutBurst(all)
	check("at the end", Stats{HighWater: 200, HeapFallbacks: 1, Failed: 4})
}

// The most that was out is not forgotten, and is not more than there is.
func TestStatsHighWater(t *testing.T) {
	p := open(t, Config{Count: 100})
	for _, c := range []struct{ take, want int }{{3, 3}, {1, 3}, {64, 64}, {50, 64}, {100, 100}, {150, 100}} {
		bs := make([]Buffer, c.take)
		p.PutBurst(bs[:p.GetBurst(bs)])
		if got := p.Stats().HighWater; got != c.want {
			t.Errorf("after %d: %d, want %d", c.take, got, c.want)
		}
	}
}
