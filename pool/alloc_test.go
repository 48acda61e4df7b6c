package pool

import "testing"

// What is done for every packet allocates nothing.
func TestNoAllocations(t *testing.T) {
	p := open(t, Config{Count: 300})
	c := p.NewCache()
	defer c.Close()
	bs := make([]Buffer, 100)
	more := make([]Buffer, 301)
	frame := make([]byte, 1000)
	b := must(p.Get())
	defer b.Release()
	for what, f := range map[string]func(){
		"Get, Release":                 func() { must(p.Get()).Release() },
		"GetBurst, PutBurst":           func() { p.PutBurst(bs[:p.GetBurst(bs)]) },
		"GetBulk, PutBurst":            func() { p.GetBulk(bs); p.PutBurst(bs) },
		"GetBulk that fails":           func() { p.GetBulk(more) },
		"GetContext":                   func() { must(p.GetContext(background)).Release() },
		"CopyIn":                       func() { must(p.CopyIn(frame)).Release() },
		"CopyInContext":                func() { must(p.CopyInContext(background, frame)).Release() },
		"Wrap":                         func() { must(p.Wrap(frame)).Release() },
		"Cache.Get, Put":               func() { c.Put(must(c.Get())) },
		"Cache.GetBurst, PutBurst":     func() { c.PutBurst(bs[:c.GetBurst(bs)]) },
		"Cache.GetBulk, PutBurst":      func() { c.GetBulk(bs); c.PutBurst(bs) },
		"Cache.CopyIn":                 func() { c.Put(must(c.CopyIn(frame))) },
		"Bytes":                        func() { b.Bytes() },
		"Prepend, TrimFront":           func() { must(b.Prepend(9)); _ = b.TrimFront(9) },
		"Append, TrimBack":             func() { must(b.Append(9)); _ = b.TrimBack(9) },
		"AppendUnzeroed, SetLen":       func() { must(b.AppendUnzeroed(9)); _ = b.SetLen(0) },
		"CopyFrom, Reset":              func() { _ = b.CopyFrom(frame); b.Reset() },
		"Retain, Shared, Release":      func() { b.Retain(1); b.Shared(); b.Release() },
		"Writable of one's own":        func() { _ = b.Writable() },
		"Writable of a shared one":     func() { b.Retain(1); a := b; _ = a.Writable(); a.Release() },
		"SetMeta, Meta":                func() { b.SetMeta(Meta{Time: 1}); b.Meta() },
		"a failing edit":               func() { _, _ = b.Append(1 << 20); _, _ = b.Prepend(1 << 20) },
		"Len, Headroom, Index, IsZero": func() { look = b.Len() + b.Headroom() + b.Tailroom() + b.Index(); blank = b.IsZero() },
		"Free":                         func() { p.Free() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	// Out of buffers, of every kind.
	q := open(t, Config{Count: 1, HeapBuffers: None})
	only := must(q.Get())
	if n := testing.AllocsPerRun(100, func() { _, _ = q.Get(); _, _ = q.CopyIn(frame); _, _ = q.Wrap(frame) }); n != 0 {
		t.Errorf("exhausted: %v allocations", n)
	}
	only.Release()
}

// Where results go that are asked for only to be asked for.
var (
	look  int
	blank bool
)
