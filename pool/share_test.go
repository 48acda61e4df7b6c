package pool

import (
	"bytes"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// Only the last of the owners gives the buffer back.
func TestRetainCount(t *testing.T) {
	p := open(t, Config{Count: 1, HeapBuffers: 1})
	for _, b := range []Buffer{must(p.CopyIn([]byte("region"))), must(p.Wrap([]byte("heap")))} {
		if b.Shared() {
			t.Error("shared from the start")
		}
		b.Retain(3)
		b.Retain(0)
		for left := 3; left > 0; left-- {
			if !b.Shared() {
				t.Errorf("not shared with %d owners left", left+1)
			}
			b.Release()
			if len(b.Bytes()) == 0 {
				t.Errorf("gone with %d owners left", left)
			}
		}
		if b.Shared() {
			t.Error("the last owner's is still shared")
		}
		b.Release()
		mustSay(t, func() { b.Bytes() }, "released")
	}
	whole(t, p)
	if n := p.Stats().HeapInUse; n != 0 {
		t.Errorf("%d on the heap", n)
	}
}

// What is shared is read-only, but each handle has its own ends.
func TestSharedReadOnly(t *testing.T) {
	p := open(t, Config{Count: 2})
	b := must(p.CopyIn([]byte("0123456789")))
	b.SetMeta(Meta{Time: 7})
	b.Retain(1)
	for what, f := range map[string]func(){
		"Prepend":    func() { b.Prepend(1) },
		"Append":     func() { b.Append(1) },
		"SetLen":     func() { b.SetLen(b.Len() + 1) },
		"CopyFrom":   func() { b.CopyFrom(nil) },
		"Reset":      func() { b.Reset() },
		"SetMeta":    func() { b.SetMeta(Meta{}) },
		"SetOffload": func() { b.SetOffload(Offload{}) },
	} {
		mustSay(t, f, "on a shared buffer", "buffer 0 of pool", t.Name())
		if b.Len() != 10 {
			t.Errorf("%s changed the frame", what)
		}
	}
	other := b
	if b.TrimFront(2) != nil || b.TrimBack(2) != nil || b.SetLen(3) != nil {
		t.Error("trimming is refused")
	}
	if string(b.Bytes()) != "234" || string(other.Bytes()) != "0123456789" {
		t.Errorf("%q and %q", b.Bytes(), other.Bytes())
	}
	if m, ok := other.Meta(); !ok || m.Time != 7 {
		t.Error("no Meta in a shared buffer")
	}
	other.Release()
	must(b.Append(1)) // the only owner again
	b.Release()
}

// Writable copies what is shared, and only that.
func TestWritable(t *testing.T) {
	p := open(t, Config{Count: 2, HeapBuffers: 1})
	b := must(p.CopyIn([]byte("frame")))
	alone := b
	if err := b.Writable(); err != nil || b != alone {
		t.Errorf("sole owner: %v, another handle %v", err, b != alone)
	}
	must(b.Prepend(8))
	b.SetMeta(Meta{OrigLen: 9})
	var kept []Buffer
	for i := range 2 { // to the region, then to the heap
		b.Retain(1)
		old := b
		if err := b.Writable(); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, old)
		if b.Index() == old.Index() || !bytes.Equal(b.Bytes(), old.Bytes()) || b.Headroom() != DefaultHeadroom-8 {
			t.Errorf("copy %d: %v of %v, headroom %d", i, b, old, b.Headroom())
		}
		if m, ok := b.Meta(); !ok || m.OrigLen != 9 {
			t.Errorf("copy %d: Meta %+v, %v", i, m, ok)
		}
		if b.Shared() || old.Shared() {
			t.Errorf("copy %d: still shared", i)
		}
		b.Bytes()[0] = 99
		if old.Bytes()[0] == 99 {
			t.Errorf("copy %d: writing shows in the original", i)
		}
		b.Bytes()[0] = 0
	}
	// With no room for a copy nothing changes.
	b.Retain(1)
	old := b
	if err := b.Writable(); err != ErrExhausted || b != old || !b.Shared() {
		t.Errorf("without room: %v, %v", err, b)
	}
	b.Release()
	p.PutBurst(append(kept, b))
	whole(t, p)
}

func TestRetainTooMany(t *testing.T) {
	p := open(t, Config{Count: 1})
	b := must(p.Get())
	b.Retain(math.MaxInt32)
	mustSay(t, func() { b.Retain(1) }, "too many owners")
	mustSay(t, func() { b.Retain(math.MaxInt) }, "too many owners")
	if p.slots[0].extra.Load() != math.MaxInt32 {
		t.Error("the count has changed")
	}
	p.slots[0].extra.Store(0)
	b.Release()
}

// n owners in n goroutines read the frame and give up their shares, in any order: the
// buffer comes back once. Under the race detector the next owner's writing tells whether
// its reading by all of them is ordered before.
func TestConcurrentReleases(t *testing.T) {
	testkit.Watchdog(t)
	p := open(t, Config{Count: 4, HeapBuffers: 4})
	frame := []byte("flooded")
	const owners = 5
	ways := []func(p *Pool, b Buffer){
		func(_ *Pool, b Buffer) { b.Release() },
		func(p *Pool, b Buffer) { p.PutBurst([]Buffer{b}) },
		func(p *Pool, b Buffer) { c := p.NewCache(); c.Put(b); c.Close() },
		func(_ *Pool, b Buffer) {
			if b.Writable() == nil {
				b.Bytes()[0]++
			}
			b.Release()
		},
	}
	for turn := range scaled(3000) {
		var b Buffer
		if turn%3 == 0 {
			b = must(p.Wrap(bytes.Clone(frame)))
		} else {
			b = must(p.CopyIn(frame))
		}
		b.Retain(owners - 1)
		var g sync.WaitGroup
		for i := range owners {
			g.Go(func() {
				if !bytes.Equal(b.Bytes()[1:], frame[1:]) {
					t.Error("another frame")
				}
				ways[(turn+i)%len(ways)](p, b)
			})
		}
		g.Wait()
		if s := p.Stats(); s.InUse != 0 || s.HeapInUse != 0 {
			t.Fatalf("turn %d: %+v", turn, s)
		}
	}
	whole(t, p)
}

// The last Release may come from any goroutine, and the buffer is good for the next owner.
func TestReleaseElsewhere(t *testing.T) {
	p := open(t, Config{Count: 1})
	for i := range 1000 {
		b := must(p.Get())
		must(b.Append(8))[0] = byte(i)
		var g sync.WaitGroup
		g.Go(b.Release)
		g.Wait()
	}
	whole(t, p)
}

// Two owners who give up their shares in the same instant: one of them is the last, and the slot is
// as new.
func TestDropAtTheSameTime(t *testing.T) {
	testkit.Watchdog(t)
	var s slotState
	var turn, lasts, left atomic.Int64
	turns := int64(scaled(100000))
	owner := func() {
		for i := int64(1); i <= turns; i++ {
			for n := 0; turn.Load() < i; n++ { // the barrier: both see it within nanoseconds
				if n > 1000 {
					runtime.Gosched()
				}
			}
			if s.drop() {
				lasts.Add(1)
			}
			left.Add(-1)
		}
	}
	var g sync.WaitGroup
	for range 2 {
		g.Go(owner)
	}
	for i := int64(1); i <= turns; i++ {
		s.extra.Add(1)
		left.Store(2)
		turn.Store(i)
		for n := 0; left.Load() != 0; n++ {
			if n > 1000 {
				runtime.Gosched()
			}
		}
		if n := s.extra.Load(); n != 0 || lasts.Load() != i {
			t.Errorf("turn %d: %d shares left, %d last owners", i, n, lasts.Load())
			s.extra.Store(0)
			lasts.Store(i)
		}
	}
	g.Wait()
}

// However a share is given back: the first one of two leaves the buffer to the other owner, the second one
// gives it to the pool.
func TestSharedGivenBackInEveryWay(t *testing.T) {
	for name, giveBack := range map[string]func(p *Pool, c *Cache, b Buffer){
		"Release":        func(p *Pool, c *Cache, b Buffer) { b.Release() },
		"ReleaseBurst":   func(p *Pool, c *Cache, b Buffer) { ReleaseBurst([]Buffer{b}) },
		"Pool.PutBurst":  func(p *Pool, c *Cache, b Buffer) { p.PutBurst([]Buffer{b}) },
		"Cache.Put":      func(p *Pool, c *Cache, b Buffer) { c.Put(b) },
		"Cache.PutBurst": func(p *Pool, c *Cache, b Buffer) { c.PutBurst([]Buffer{b}) },
		"among others": func(p *Pool, c *Cache, b Buffer) {
			for _, rest := range [][]Buffer{{must(p.Get()), b}, {must(p.Get())}} {
				defer c.PutBurst(rest) // a panic in the first leaves the second
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, Config{Count: 16, HeapBuffers: 1})
			c := p.NewCache()
			defer c.Close()
			for _, b := range []Buffer{must(p.CopyIn([]byte("shared"))), must(p.Wrap([]byte("shared")))} {
				b.Retain(1)
				giveBack(p, c, b)
				if b.Shared() || string(b.Bytes()) != "shared" {
					t.Fatalf("after the first: shared %v, %q", b.Shared(), b.Bytes())
				}
				giveBack(p, c, b)
				mustSay(t, func() { b.Bytes() }, "released")
				mustSay(t, func() { giveBack(p, c, b) }, "released")
			}
			if n := p.Stats().HeapInUse; n != 0 {
				t.Errorf("%d of the heap are out", n)
			}
		})
	}
}
