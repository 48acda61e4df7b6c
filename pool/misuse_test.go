package pool

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// Whatever a dead handle is asked to do, it refuses, with its pool's name and its slot.
func TestUseAfterRelease(t *testing.T) {
	p := open(t, Config{Name: "frames", Count: 3, HeapBuffers: 1})
	c := p.NewCache()
	defer c.Close()
	for _, b := range []Buffer{must(p.CopyIn([]byte("region"))), must(p.Wrap([]byte("heap")))} {
		b.Release()
		slot := b.String()[:strings.Index(b.String(), " (")]
		for what, f := range uses(p, c, b) {
			t.Run(what, func(t *testing.T) {
				mustSay(t, f, "after it was released", slot, `pool "frames"`, "set Config.Track")
			})
		}
	}
	whole(t, p)
}

// uses is everything that can be done with a buffer beside looking at the handle itself.
func uses(p *Pool, c *Cache, b Buffer) map[string]func() {
	return map[string]func(){
		"Bytes":          func() { b.Bytes() },
		"Tailroom":       func() { b.Tailroom() },
		"Pool":           func() { b.Pool() },
		"Prepend":        func() { b.Prepend(1) },
		"Append":         func() { b.Append(1) },
		"AppendUnzeroed": func() { b.AppendUnzeroed(1) },
		"TrimFront":      func() { b.TrimFront(0) },
		"TrimBack":       func() { b.TrimBack(0) },
		"SetLen":         func() { b.SetLen(0) },
		"CopyFrom":       func() { b.CopyFrom(nil) },
		"Reset":          func() { b.Reset() },
		"Retain":         func() { b.Retain(1) },
		"Shared":         func() { b.Shared() },
		"Writable":       func() { b.Writable() },
		"Meta":           func() { b.Meta() },
		"SetMeta":        func() { b.SetMeta(Meta{}) },
		"Offload":        func() { b.Offload() },
		"SetOffload":     func() { b.SetOffload(Offload{}) },
		"ClearOffload":   func() { b.ClearOffload() },
		"SetFrame":       func() { b.SetFrame(0, 0) },
		"Lend":           func() { p.Lend([]Buffer{b}, make([]uint64, 1)) },
		"TakeBack":       func() { p.TakeBack([]Buffer{b}) },
		"Release":        func() { b.Release() },
		"PutBurst":       func() { p.PutBurst([]Buffer{b}) },
		"ReleaseBurst":   func() { ReleaseBurst([]Buffer{b}) },
		"Cache.Put":      func() { c.Put(b) },
		"Cache.PutBurst": func() { c.PutBurst([]Buffer{b}) },
	}
}

func TestZeroBuffer(t *testing.T) {
	p := open(t, Config{Count: 3})
	c := p.NewCache()
	defer c.Close()
	for what, f := range uses(p, c, Buffer{}) {
		t.Run(what, func(t *testing.T) { mustSay(t, f, "zero Buffer") })
	}
	if !(Buffer{}).IsZero() {
		t.Error("the zero Buffer is not zero")
	}
}

// With Track a panic tells where the buffer was taken and where it was given back, even when
// the slot is somebody else's by now.
func TestTrackTellsBothPlaces(t *testing.T) {
	p := open(t, Config{Count: 1, Track: 1})
	b, taken := must(p.Get()), line(0)
	b.Release()
	given := line(-1)
	mustSay(t, b.Release, "released twice", "taken", taken, "given back at "+given)
	for range 2 {
		again := must(p.Get())
		again.Release()
		if t.Failed() {
			break
		}
		if text := said(t, b.Release); strings.Contains(text, taken) != strings.Contains(text, given) {
			t.Errorf("half of the story: %s", text)
		}
	}
	mustSay(t, b.Release, "forgotten") // two turns later

	b, taken = must(p.Get()), line(0)
	p.PutBurst([]Buffer{b})
	given = line(-1)
	next := must(p.Get()) // one turn later
	mustSay(t, func() { b.Bytes() }, taken, "given back at "+given)
	next.Release()
}

// The same for whatever is done with a dead buffer, however it was given back, wherever it is, and
// when its pool is gone.
func TestTrackTellsBothPlacesEverywhere(t *testing.T) {
	p := abandon(t, Config{Count: 2 * CacheSize, HeapBuffers: 1, Track: 1})
	c, later := p.NewCache(), open(t, Config{Name: "later", Count: 1}).NewCache()
	defer later.Close()
	for way, give := range gives(p, c) {
		for _, where := range []string{"region", "heap"} {
			var b Buffer
			var taken string
			if where == "region" {
				b, taken = must(p.Get()), line(0)
			} else {
				b, taken = must(p.Wrap([]byte("frame"))), line(0)
			}
			b.Retain(1)
			give(b)
			mustSay(t, func() { b.Retain(-1) }, "Retain(-1): negative", "taken", taken) // not given back
			give(b)
			for use, f := range uses(p, c, b) {
				text := said(t, f)
				if !strings.Contains(text, taken) || !strings.Contains(text, "given back at ") {
					t.Errorf("%s by %s, then %s: %q", where, way, use, text)
				}
				if _, given, _ := strings.Cut(text, "given back at "); !strings.Contains(given, "misuse_test.go:") {
					t.Errorf("%s by %s, then %s: given back at %q", where, way, use, given)
				}
			}
		}
	}

	b, taken := must(p.Get()), line(0)
	b.Release()
	given := line(-1)
	c.Close()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, f := range uses(later.Pool(), later, b) {
		mustSay(t, f, "after its pool was closed", b.String(), taken, "given back at "+given)
	}
}

// However a buffer is taken, the tracker knows of it.
func TestTrackSeesEveryTake(t *testing.T) {
	burst := func(n int, get func([]Buffer) int) Buffer {
		dst := make([]Buffer, n)
		if got := get(dst); got != n {
			t.Fatalf("got %d of %d", got, n)
		}
		ReleaseBurst(dst[1:])
		return dst[0]
	}
	for way, take := range map[string]func(p *Pool, c *Cache) Buffer{
		"Get":            func(p *Pool, _ *Cache) Buffer { return must(p.Get()) },
		"GetBurst":       func(p *Pool, _ *Cache) Buffer { return burst(3, p.GetBurst) },
		"CopyIn":         func(p *Pool, _ *Cache) Buffer { return must(p.CopyIn(nil)) },
		"Cache.Get":      func(_ *Pool, c *Cache) Buffer { return must(c.Get()) },
		"Cache.GetBurst": func(_ *Pool, c *Cache) Buffer { return burst(3, c.GetBurst) },
		"Cache.CopyIn":   func(_ *Pool, c *Cache) Buffer { return must(c.CopyIn(nil)) },
	} {
		t.Run(way, func(t *testing.T) {
			p := open(t, Config{Count: 2 * CacheSize, Track: 1})
			c := p.NewCache()
			defer c.Close()
			c.Put(must(c.Get())) // so that it holds some
			b := take(p, c)
			mustSay(t, func() { b.Retain(-1) }, "\n\ttaken ", "misuse_test.go:")
			b.Release()
		})
	}
}

// Writable gives a share up: to go on with the handle as it was is use after release.
func TestUseAfterWritable(t *testing.T) {
	p := open(t, Config{Count: 2, Track: 1})
	b := must(p.CopyIn([]byte("frame")))
	b.Retain(1)
	old, other := b, b
	if err := b.Writable(); err != nil {
		t.Fatal(err)
	}
	other.Release()
	given := line(-1)
	mustSay(t, func() { old.Bytes() }, "after it was released", "given back at "+given)
	b.Release()
	whole(t, p)
}

// Who releases more often than he owns gives up others' shares. Nothing can tell whose release was the one too many:
// the last rightful owner is told, at whatever he does next, and with Track of the release that was counted last.
func TestReleasedMoreOftenThanRetained(t *testing.T) {
	for _, owners := range []int{1, 2, 3, 10} {
		for _, where := range []string{"region", "heap"} {
			p := open(t, Config{Count: 2, HeapBuffers: 1, Track: 1})
			c := p.NewCache()
			take := func() Buffer { return must(p.Get()) }
			if where == "heap" {
				take = func() Buffer { return must(p.CopyIn(make([]byte, 5000))) }
			}
			b := take()
			b.Retain(owners - 1)
			last := b // the handle of the last rightful owner, with ends of its own
			if err := last.SetLen(last.Len()); err != nil {
				t.Fatal(err)
			}
			b.Release()
			for range owners - 2 {
				last.Bytes() // nothing is found while there are shares left
				b.Release()
			}
			given := ""
			if owners > 1 {
				b.Release() // of an owner who has released before
				given = line(-1)
			}
			for use, f := range uses(p, c, last) {
				if text := said(t, f); !strings.Contains(text, "after it was released (or released twice)") || !strings.Contains(text, given) {
					t.Errorf("%d owners, %s: %s: %q", owners, where, use, text)
				}
			}
			// The slot has one owner again.
			next := take()
			if next.Shared() {
				t.Errorf("%d owners, %s: still shared", owners, where)
			}
			mustSay(t, func() { last.Bytes() }, "after it was released")
			next.Release()
			c.Close()
			whole(t, p)
		}
	}
}

// A sample tells what it can, and that it is a sample.
func TestTrackSample(t *testing.T) {
	p := open(t, Config{Count: 10, Track: 5})
	all, taken := takeAll(t, p), 0
	for _, b := range all {
		if b.off&hintTracked != 0 {
			taken++
		}
	}
	if taken != 2 {
		t.Errorf("%d of 10 are tracked, with one in 5", taken)
	}
	p.PutBurst(all)
	told, not := 0, 0
	for _, b := range all {
		switch text := said(t, b.Release); {
		case strings.Contains(text, "given back at"):
			told++
		case strings.Contains(text, "one in 5"):
			not++
		}
	}
	if told != 2 || not != 8 {
		t.Errorf("%d told, %d said why not", told, not)
	}
}

// gives is every way to give a buffer back.
func gives(p *Pool, c *Cache) map[string]func(Buffer) {
	return map[string]func(Buffer){
		"Release":        Buffer.Release,
		"PutBurst":       func(b Buffer) { p.PutBurst([]Buffer{b}) },
		"ReleaseBurst":   func(b Buffer) { ReleaseBurst([]Buffer{b}) },
		"Cache.Put":      c.Put,
		"Cache.PutBurst": func(b Buffer) { c.PutBurst([]Buffer{b}) },
	}
}

func TestDoubleReleaseByCopies(t *testing.T) {
	p := open(t, Config{Count: 64})
	c := p.NewCache()
	defer c.Close()
	give := gives(p, c)
	for first, f := range give {
		for second, g := range give {
			b := must(p.Get())
			one, two := b, b
			if two.TrimFront(0) != nil {
				t.Fatal("trim")
			}
			f(one)
			if text := said(t, func() { g(two) }); !strings.Contains(text, "released twice") {
				t.Errorf("%s then %s: %q", first, second, text)
			}
			// The same handle twice in one burst.
			b = must(p.Get())
			mustSay(t, func() { p.PutBurst([]Buffer{b, b}) }, "released twice")
		}
	}
	c.Close()
	whole(t, p)
}

// A buffer can't be given to another pool, and is still its owner's then.
func TestWrongPool(t *testing.T) {
	p, q := open(t, Config{Name: "p", Count: 2}), open(t, Config{Name: "q", Count: 2})
	c := q.NewCache()
	defer c.Close()
	for _, b := range []Buffer{must(p.Get()), must(p.Wrap(nil))} {
		for what, f := range map[string]func(){
			"PutBurst":       func() { q.PutBurst([]Buffer{b}) },
			"Cache.Put":      func() { c.Put(b) },
			"Cache.PutBurst": func() { c.PutBurst([]Buffer{b}) },
		} {
			t.Run(what, func(t *testing.T) {
				mustSay(t, f, `given back to pool "q"`, `of pool "p"`, "buffer ")
			})
		}
		b.Release()
	}
	c.Close()
	whole(t, p)
	whole(t, q)
}

// Before it panics, a burst with a bad handle in it gives back those before, and none after.
func TestBadPutInABurst(t *testing.T) {
	p := open(t, Config{Count: 200})
	c := p.NewCache()
	for what, put := range map[string]func([]Buffer){"PutBurst": p.PutBurst, "Cache.PutBurst": c.PutBurst} {
		for _, at := range []int{0, 1, 63, 64, 100, 149} {
			all := make([]Buffer, 150)
			p.GetBulk(all)
			dead := all[at]
			dead.Release()
			mustSay(t, func() { put(all) }, "released twice", dead.String())
			for i, b := range all[at+1:] {
				if b.Len() != 0 || len(b.Bytes()) != 0 {
					t.Fatalf("%s, bad one at %d: the one %d behind it", what, at, i)
				}
			}
			put(all[at+1:])
			c.share()
			if n := p.Stats().InUse; n != 0 {
				t.Errorf("%s, bad one at %d: %d buffers are lost", what, at, n)
			}
		}
	}
	c.Close()
	whole(t, p)
}

// ReleaseBurst takes buffers of all pools; at a bad one it panics, with those before it given back
// and none after.
func TestBadReleaseInABurst(t *testing.T) {
	p, q := open(t, Config{Name: "p", Count: 4}), open(t, Config{Name: "q", Count: 4})
	for what, bad := range map[string]func() (b Buffer, text string){
		"dead": func() (Buffer, string) {
			b := must(q.Get())
			b.Release()
			return b, "after it was released"
		},
		"zero": func() (Buffer, string) { return Buffer{}, "zero Buffer" },
	} {
		for at := range 5 {
			b, text := bad()
			all := []Buffer{must(p.Get()), must(q.Get()), must(q.Get()), must(p.Get())}
			for i := range all { // so that the dead one's slot is not out again
				if all[i].slot == b.slot {
					all[i].Release()
					all[i] = must(q.Wrap(nil))
				}
			}
			burst := slices.Insert(slices.Clone(all), at, b)
			mustSay(t, func() { ReleaseBurst(burst) }, text, b.String())
			for i, b := range all {
				if i < at {
					mustSay(t, func() { b.Bytes() }, "after it was released")
				} else {
					b.Release()
				}
			}
			if n := p.Stats().InUse + q.Stats().InUse; n != 0 {
				t.Errorf("%s, bad one at %d: %d buffers are lost", what, at, n)
			}
		}
	}
	whole(t, p)
	whole(t, q)
}

// What is appended to a frame's bytes, or to those that Append and Prepend return, goes elsewhere, and not into
// the tailroom or the next buffer.
func TestAppendToBytes(t *testing.T) {
	p := open(t, Config{Count: 2, BufferSize: 64, Headroom: 64})
	for _, frame := range []string{"half of it", strings.Repeat("all of it ", 7)[:64]} {
		b, next := must(p.CopyIn([]byte(frame))), must(p.CopyIn([]byte("next")))
		w := must(p.Wrap(make([]byte, 4, 100)))
		front := must(b.Prepend(3))
		for _, part := range [][]byte{b.Bytes(), front, w.Bytes()} {
			if more := append(part, "overwritten"...); &more[0] == &part[0] {
				t.Error("there was room behind it")
			}
		}
		if string(b.Bytes()[3:]) != frame || string(next.Bytes()) != "next" {
			t.Errorf("%q, next to it %q", b.Bytes(), next.Bytes())
		}
		ReleaseBurst([]Buffer{b, next, w})
	}
}

// Handles that were never given out.
func TestForgedHandle(t *testing.T) {
	p := open(t, Config{Count: 2, HeapBuffers: 1})
	b := must(p.Get())
	defer b.Release()
	for what, f := range map[string]Buffer{
		"a slot that the pool does not have": {slot: p.id | 3, gen: b.gen},
		"the highest slot":                   {slot: p.id | slotMask, gen: b.gen},
		"a slot that was never taken":        {slot: p.id | (1 - uint32(b.Index())), gen: b.gen},
		"a heap slot that was never taken":   {slot: p.id | 2, gen: b.gen},
		"a generation to come":               {slot: b.slot, gen: b.gen + 2},
		"no pool":                            {slot: b.slot & slotMask, gen: b.gen},
	} {
		c := p.NewCache()
		for use, g := range uses(p, c, f) {
			t.Run(what+"/"+use, func(t *testing.T) { mustSay(t, g, "pool: ", "buffer ") })
		}
		c.Close()
	}
	b.Bytes() // still good
}

// Two goroutines that release one handle at the same time can both get past the check: this
// is what is left then. It is found out before there are two owners.
func TestSimultaneousDoubleRelease(t *testing.T) {
	for _, c := range []struct {
		what string
		gens uint32 // by how much both together moved the generation on
	}{{"one increment lost", 1}, {"both increments", 2}} {
		for get, f := range map[string]func(p *Pool, c *Cache) Buffer{
			"Get":       func(p *Pool, _ *Cache) Buffer { return must(p.Get()) },
			"GetBurst":  func(p *Pool, _ *Cache) Buffer { var b [1]Buffer; p.GetBurst(b[:]); return b[0] },
			"Cache.Get": func(_ *Pool, c *Cache) Buffer { return must(c.Get()) },
		} {
			t.Run(c.what+"/"+get, func(t *testing.T) {
				p := abandon(t, Config{Count: 4, Track: 1})
				cache := p.NewCache()
				b := must(p.Get())
				i := uint32(b.Index())
				p.slots[i].gen += c.gens
				p.deposit([]uint32{i})
				p.deposit([]uint32{i})
				text := said(t, func() {
					x, y := f(p, cache), f(p, cache)
					t.Errorf("two owners: %v and %v", x, y)
				})
				if !strings.Contains(text, "handed out that is still in use") || !strings.Contains(text, "of pool") {
					t.Errorf("%q", text)
				}
			})
		}
	}
}

func TestClosedCache(t *testing.T) {
	p := open(t, Config{Count: 3})
	b := must(p.Get())
	c, made := p.NewCache(), line(0)
	c.Close()
	c.Close()
	for what, f := range map[string]func(){
		"Get":      func() { c.Get() },
		"GetBurst": func() { c.GetBurst(make([]Buffer, 1)) },
		"GetBulk":  func() { c.GetBulk(make([]Buffer, 1)) },
		"CopyIn":   func() { c.CopyIn(nil) },
		"CopyIn/h": func() { c.CopyIn(make([]byte, 5000)) },
		"Put":      func() { c.Put(b) },
		"PutBurst": func() { c.PutBurst([]Buffer{b}) },
	} {
		t.Run(what, func(t *testing.T) { mustSay(t, f, "use of a Cache after its Close", made, `pool "TestClosedCache"`) })
	}
	c.PutBurst(nil)
	if c.GetBurst(nil) != 0 || !c.GetBulk(nil) {
		t.Error("a burst of none is not none")
	}
	b.Release()
	whole(t, p)
}

// A Cache that was copied hands its buffers out twice, and the second time panics.
func TestCopiedCache(t *testing.T) {
	p := abandon(t, Config{Count: 100})
	c := p.NewCache()
	c.Put(must(c.Get()))
	copied := Cache{p: c.p, free: c.free} // what c2 := *c does
	b := must(c.Get())
	mustSay(t, func() { copied.Get() }, "handed out that is still in use", "a Cache was copied", b.String()[:strings.Index(b.String(), " (")])
}

// Nobody made these: they say so, and leave no trace.
func TestZeroPoolAndCache(t *testing.T) {
	testkit.Watchdog(t)
	p := new(Pool)
	for what, f := range map[string]func(){
		"Get":           func() { p.Get() },
		"GetBurst":      func() { p.GetBurst(make([]Buffer, 1)) },
		"GetBulk":       func() { p.GetBulk(make([]Buffer, 1)) },
		"GetContext":    func() { p.GetContext(background) },
		"CopyIn":        func() { p.CopyIn([]byte("frame")) },
		"CopyIn/0":      func() { p.CopyIn(nil) },
		"CopyInContext": func() { p.CopyInContext(background, []byte("frame")) },
		"Wrap":          func() { p.Wrap([]byte("frame")) },
		"NewCache":      func() { p.NewCache() },
		"Close":         func() { p.Close() },
	} {
		t.Run("Pool/"+what, func(t *testing.T) { mustSay(t, f, "pool: use of the zero Pool: make one with New") })
	}
	b := must(open(t, Config{Count: 1}).Get())
	defer b.Release()
	mustSay(t, func() { p.PutBurst([]Buffer{b}) }, `given back to pool "", which it is not from`)
	if pools[0].Load() != nil {
		t.Error("the zero Pool is registered")
	}

	c := new(Cache)
	for what, f := range map[string]func(){
		"Get":      func() { c.Get() },
		"GetBurst": func() { c.GetBurst(make([]Buffer, 1)) },
		"GetBulk":  func() { c.GetBulk(make([]Buffer, 1)) },
		"CopyIn":   func() { c.CopyIn([]byte("frame")) },
		"Put":      func() { c.Put(b) },
		"PutBurst": func() { c.PutBurst([]Buffer{b}) },
	} {
		t.Run("Cache/"+what, func(t *testing.T) { mustSay(t, f, "pool: use of the zero Cache: make one with Pool.NewCache") })
	}
	c.Close() // it holds nothing
}

// dereferencesNil fails unless f panics with Go's own words about a nil pointer.
func dereferencesNil(t *testing.T, f func()) {
	t.Helper()
	mustSay(t, f, "runtime error: invalid memory address or nil pointer dereference")
}

// Of nil pools and caches, as one has whose error from New was ignored, nothing can be had.
func TestNilPoolAndCache(t *testing.T) {
	var p *Pool
	var c *Cache
	b := must(open(t, Config{Count: 1}).Get())
	defer b.Release()
	for what, f := range map[string]func(){
		"Get":            func() { p.Get() },
		"GetBurst":       func() { p.GetBurst(make([]Buffer, 1)) },
		"GetContext":     func() { p.GetContext(background) },
		"CopyIn":         func() { p.CopyIn(nil) },
		"Wrap":           func() { p.Wrap(nil) },
		"PutBurst":       func() { p.PutBurst([]Buffer{b}) },
		"NewCache":       func() { p.NewCache() },
		"Stats":          func() { p.Stats() },
		"Free":           func() { p.Free() },
		"Close":          func() { p.Close() },
		"Cache.Get":      func() { c.Get() },
		"Cache.GetBurst": func() { c.GetBurst(make([]Buffer, 1)) },
		"Cache.CopyIn":   func() { c.CopyIn(nil) },
		"Cache.Put":      func() { c.Put(b) },
		"Cache.PutBurst": func() { c.PutBurst([]Buffer{b}) },
		"Cache.Owns":     func() { c.Owns(b) },
		"Cache.Close":    func() { c.Close() },
	} {
		t.Run(what, func(t *testing.T) { dereferencesNil(t, f) })
	}
}

// A nil context is a nil dereference, once it has to be looked at, and does no harm.
func TestNilContext(t *testing.T) {
	var none context.Context
	p := open(t, Config{Count: 1, HeapBuffers: None})
	b := must(p.GetContext(none)) // there is one: not looked at
	dereferencesNil(t, func() { p.GetContext(none) })
	dereferencesNil(t, func() { p.CopyInContext(none, nil) })
	if n := p.returned.Waiters(); n != 0 {
		t.Errorf("%d left on the list", n)
	}
	b.Release()
	must(p.CopyInContext(none, nil)).Release()
	whole(t, p)
}

// A handle does not outlive its pool, whoever has the pool's number now.
func TestHandleOfClosedPool(t *testing.T) {
	p := abandon(t, Config{Count: 300})
	all := takeAll(t, p)
	p.PutBurst(all)
	b := all[0]
	b.slot = p.id | 299
	c := p.NewCache()
	c.Close()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	mustSay(t, func() { b.Bytes() }, "after its pool was closed", t.Name())
	mustSay(t, b.Release, "after its pool was closed")
	mustSay(t, func() { p.PutBurst([]Buffer{b}) }, "after its pool was closed")

	reused := 0
	for range 2*maxPools + 1 {
		q := open(t, Config{Name: "later", Count: 2, HeapBuffers: None})
		x, y := must(q.Get()), must(q.Get())
		if q.id == p.id {
			reused++
			for _, dead := range []Buffer{all[0], all[1], b} {
				mustSay(t, func() { dead.Bytes() }, "after its pool was closed", "another pool")
				mustSay(t, func() { q.PutBurst([]Buffer{dead}) }, "after its pool was closed")
			}
		}
		q.PutBurst([]Buffer{x, y})
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if reused < 2 {
		t.Errorf("the pool's number came back %d times", reused)
	}
}

func TestTooManyPools(t *testing.T) {
	var open []*Pool
	defer func() {
		for _, p := range open {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	small := Config{Count: 1, HeapBuffers: None}
	for len(open) <= maxPools {
		p, err := New(small)
		if errors.Is(err, ErrTooManyPools) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		open = append(open, p)
	}
	abandoned := 0 // by other tests, for good
	registry.Lock()
	for _, in := range registry.open {
		if in {
			abandoned++
		}
	}
	registry.Unlock()
	if abandoned != maxPools || len(open) == 0 {
		t.Fatalf("%d pools are open, %d of them this test's", abandoned, len(open))
	}
	if _, err := New(small); !errors.Is(err, ErrTooManyPools) {
		t.Fatalf("one more: %v", err)
	}
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	p, err := New(small)
	if err != nil {
		t.Fatalf("after a Close: %v", err)
	}
	open[0] = p
	if p.id>>slotBits == 0 || p.id>>slotBits > maxPools {
		t.Errorf("number %d", p.id>>slotBits)
	}
}

// Who waits for a buffer is named, and not what he waits with.
func TestTrackNamesWhoWaited(t *testing.T) {
	p := open(t, Config{Count: 1, Track: 1})
	b, err := p.GetContext(background)
	taken := line(-1)
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	if text := said(t, b.Release); !strings.Contains(text, "at "+taken) || strings.Contains(text, "park") {
		t.Errorf("want taken at %s: %s", taken, text)
	}
}
