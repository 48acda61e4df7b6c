package pool

import (
	"errors"
	"strings"
	"testing"
)

// The one that was put back last comes out first: it is the warm one.
func TestCacheWarmFirst(t *testing.T) {
	p := open(t, Config{Count: 1000})
	c := p.NewCache()
	defer c.Close()
	for _, n := range []int{1, 2, 10, 64, 128} {
		bs := make([]Buffer, n)
		if !c.GetBulk(bs) {
			t.Fatal("exhausted")
		}
		for _, b := range bs {
			c.Put(b)
		}
		for i := n - 1; i >= 0; i-- {
			b := must(c.Get())
			if b.Index() != bs[i].Index() {
				t.Fatalf("%d buffers: slot %d came, %d was put back last", n, b.Index(), bs[i].Index())
			}
			defer b.Release()
		}
	}
}

// Slots go from one cache to another by way of the depot, 64 at a time, and a cache never holds
// more than CacheSize.
func TestCacheExchange(t *testing.T) {
	p := open(t, Config{Count: 1000, HeapBuffers: None})
	from, to := p.NewCache(), p.NewCache()
	all := make([]Buffer, 1000)
	if !from.GetBulk(all) {
		t.Fatal("1000 of 1000 are not to be had")
	}
	for i, b := range all {
		switch i % 3 {
		case 0:
			to.Put(b)
		case 1:
			b.Release()
		default:
			from.PutBurst([]Buffer{b})
		}
		if len(to.free) > CacheSize || len(from.free) > CacheSize {
			t.Fatalf("caches of %d and %d", len(to.free), len(from.free))
		}
	}
	s := p.Stats()
	if s.InUse > CacheSize || s.Cached > 2*CacheSize {
		t.Errorf("%+v", s)
	}
	n := to.GetBurst(all)
	if n < 1000-CacheSize || n+len(from.free) != 1000 {
		t.Errorf("%d from one cache and %d in the other", n, len(from.free))
	}
	to.PutBurst(all[:n])
	to.Close()
	from.Close()
	whole(t, p)
}

// Bulk is all or nothing, for pool and cache and any size.
func TestBulk(t *testing.T) {
	const count = 150
	p := open(t, Config{Count: count, HeapBuffers: None})
	c := p.NewCache()
	for _, n := range []int{0, 1, 63, 64, 65, 127, 128, 129, 149, 150, 151, 1000} {
		for what, get := range map[string]func([]Buffer) bool{"pool": p.GetBulk, "cache": c.GetBulk} {
			dst, failed := make([]Buffer, n), p.Stats().Failed
			ok := get(dst)
			if ok != (n <= count) {
				t.Errorf("%s: GetBulk(%d) of %d: %v", what, n, count, ok)
			}
			if got := p.Stats().Failed - failed; (got == 1) == ok {
				t.Errorf("%s: GetBulk(%d): %d failures counted", what, n, got)
			}
			for _, b := range dst {
				if b.IsZero() == ok {
					t.Fatalf("%s: GetBulk(%d) is %v and leaves %v", what, n, ok, b)
				}
			}
			if ok {
				p.PutBurst(dst)
			}
			c.share()
		}
	}
	c.Close()
	whole(t, p)
}

// A burst is as many as there are.
func TestBurst(t *testing.T) {
	for _, count := range []int{1, 2, 63, 64, 65, 200} {
		p := open(t, Config{Count: count, HeapBuffers: None})
		c := p.NewCache()
		for what, get := range map[string]func([]Buffer) int{"pool": p.GetBurst, "cache": c.GetBurst} {
			for _, want := range []int{0, 1, 62, 64, 66, 300} {
				dst := make([]Buffer, want)
				n := get(dst)
				if n != min(want, count) {
					t.Errorf("%s: %d of %d are %d", what, want, count, n)
				}
				p.PutBurst(dst[:n])
				c.share()
			}
		}
		c.Close()
		whole(t, p)
	}
}

func TestCacheCopyIn(t *testing.T) {
	p := open(t, Config{Count: 1, BufferSize: 10, HeapBuffers: 1})
	c := p.NewCache()
	defer c.Close()
	b := must(c.CopyIn([]byte("0123456789")))
	if string(b.Bytes()) != "0123456789" || b.Index() != 0 || c.Pool() != p {
		t.Errorf("%v: %q", b, b.Bytes())
	}
	if _, err := c.Get(); err != ErrExhausted {
		t.Errorf("exhausted: %v", err)
	}
	h := must(c.CopyIn([]byte("0123456789a")))
	if string(h.Bytes()) != "0123456789a" || h.Index() != 1 {
		t.Errorf("%v: %q", h, h.Bytes())
	}
	c.PutBurst([]Buffer{b, h})
}

// A cache that was forgotten is reported with the place where it was made, and keeps the
// memory until it is closed.
func TestCacheForgotten(t *testing.T) {
	p := abandon(t, Config{Count: 100})
	c, made := p.NewCache(), line(0)
	b := must(c.Get())
	c.PutBurst([]Buffer{b})
	err := p.Close()
	var leak *LeakError
	if !errors.As(err, &leak) || leak.Buffers != 0 || len(leak.Caches) != 1 || len(leak.Where) != 0 {
		t.Fatalf("Close: %#v", err)
	}
	for _, want := range []string{"1 caches open", made, "holding 64 buffers", t.Name()} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if unmapped(p) {
		t.Fatal("memory of a cache's buffers is gone")
	}
	c.Close()
	if err := p.Close(); err != nil || !unmapped(p) {
		t.Errorf("then: %v, unmapped %v", err, unmapped(p))
	}
	c.Close()
}

// Two caches that each hold a part of what both want don't keep it from each other.
func TestCacheBulkDoesNotHoard(t *testing.T) {
	p := open(t, Config{Count: 100, HeapBuffers: None})
	a, b := p.NewCache(), p.NewCache()
	defer a.Close()
	defer b.Close()
	a.Put(must(a.Get()))
	b.Put(must(b.Get()))
	dst := make([]Buffer, 100)
	if a.GetBulk(dst) {
		t.Fatal("100 of 100, with some in the other cache")
	}
	if b.GetBulk(dst); dst[99].IsZero() {
		t.Error("the first cache keeps what it can't use")
	}
	b.PutBurst(dst)
}
