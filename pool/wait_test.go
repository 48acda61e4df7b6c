package pool

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// Whatever gives a buffer back wakes who waits for one.
func TestWaitWokenBy(t *testing.T) {
	testkit.Watchdog(t)
	for what, f := range map[string]func(p *Pool, c *Cache, b Buffer){
		"Release":        func(_ *Pool, _ *Cache, b Buffer) { b.Release() },
		"PutBurst":       func(p *Pool, _ *Cache, b Buffer) { p.PutBurst([]Buffer{b}) },
		"Cache.Put":      func(_ *Pool, c *Cache, b Buffer) { c.Put(b) },
		"Cache.PutBurst": func(_ *Pool, c *Cache, b Buffer) { c.PutBurst([]Buffer{b}) },
		"Cache.GetBulk":  func(_ *Pool, c *Cache, b Buffer) { c.Put(b); c.GetBulk(make([]Buffer, 2)) },
		"last share":     func(_ *Pool, _ *Cache, b Buffer) { b.Retain(1); b.Release(); b.Release() },
	} {
		t.Run(what, func(t *testing.T) {
			p := open(t, Config{Count: 1, HeapBuffers: None})
			c := p.NewCache()
			defer c.Close()
			b := must(p.Get())
			var g sync.WaitGroup
			g.Go(func() {
				b, err := p.GetContext(background)
				if err != nil || b.Len() != 0 {
					t.Errorf("%v, %v", b, err)
				}
				b.Release()
			})
			asleep(&p.returned, 1)
			f(p, c, b)
			g.Wait()
		})
	}
}

// What lies in a cache is nobody's to wait for until its worker closes it or puts one back.
func TestWaitWokenByCacheClose(t *testing.T) {
	testkit.Watchdog(t)
	p := open(t, Config{Count: 10, HeapBuffers: None})
	c := p.NewCache()
	c.Put(must(c.Get())) // all ten are in the cache
	var g sync.WaitGroup
	g.Go(func() { must(p.GetContext(background)).Release() })
	asleep(&p.returned, 1)
	c.Close()
	g.Wait()
	whole(t, p)
}

// Who waits for the heap is woken by a heap buffer's release.
func TestWaitWokenByHeap(t *testing.T) {
	testkit.Watchdog(t)
	p := open(t, Config{Count: 1, HeapBuffers: 1})
	large := make([]byte, 5000)
	b := must(p.Wrap(nil))
	var g sync.WaitGroup
	g.Go(func() {
		b, err := p.CopyInContext(background, large)
		if err != nil || b.Len() != len(large) {
			t.Errorf("%v, %v", b, err)
		}
		b.Release()
	})
	asleep(&p.returned, 1)
	must(p.Get()).Release() // a buffer of the region is of no use to it
	asleep(&p.returned, 1)
	b.Release()
	g.Wait()
	if n := p.Stats().Failed; n != 0 {
		t.Errorf("%d failures counted for waiting", n)
	}
}

// A get that takes a whole magazine for one buffer hides the other 63 for a moment. Who
// looked just then must be told when they are there again.
func TestWaitWokenBySplit(t *testing.T) {
	testkit.Watchdog(t)
	p := open(t, Config{Count: magazineSize, HeapBuffers: None})
	whole(t, p) // all are in one magazine now
	var free atomic.Bool
	var g sync.WaitGroup
	g.Go(func() {
		if err := p.returned.Wait(background, free.Load); err != nil { // stands for one who looked in that moment
			t.Error(err)
		}
	})
	asleep(&p.returned, 1)
	free.Store(true)
	b := must(p.Get())
	g.Wait()
	b.Release()
}

func TestWaitCancelled(t *testing.T) {
	testkit.Watchdog(t)
	p := open(t, Config{Count: 1, HeapBuffers: 1})
	b := must(p.Get())
	h := must(p.Wrap(nil))
	ctx, cancel := context.WithCancel(background)
	var g sync.WaitGroup
	g.Go(func() {
		if b, err := p.GetContext(ctx); !errors.Is(err, context.Canceled) || !b.IsZero() {
			t.Errorf("%v, %v", b, err)
		}
	})
	g.Go(func() {
		if b, err := p.CopyInContext(ctx, []byte("x")); !errors.Is(err, context.Canceled) || !b.IsZero() {
			t.Errorf("%v, %v", b, err)
		}
	})
	asleep(&p.returned, 2)
	cancel()
	g.Wait()
	b.Release()
	h.Release()
	// With a buffer there, a context that is done does not matter.
	must(p.GetContext(ctx)).Release()
	must(p.CopyInContext(ctx, nil)).Release()
	whole(t, p)
}

func TestWaitClosed(t *testing.T) {
	testkit.Watchdog(t)
	p := abandon(t, Config{Count: 1, HeapBuffers: None})
	b := must(p.Get())
	var g sync.WaitGroup
	for range 3 {
		g.Go(func() {
			if _, err := p.GetContext(background); err != ErrClosed {
				t.Errorf("GetContext: %v", err)
			}
		})
		g.Go(func() {
			if _, err := p.CopyInContext(background, nil); err != ErrClosed {
				t.Errorf("CopyInContext: %v", err)
			}
		})
	}
	asleep(&p.returned, 6)
	if err := p.Close(); err == nil {
		t.Error("no leak reported")
	}
	g.Wait()
	b.Release()
	if err := p.Close(); err != nil || !unmapped(p) {
		t.Errorf("%v, unmapped %v", err, unmapped(p))
	}
}

// Many more waiters than buffers, and all of them are served.
func TestWaitMany(t *testing.T) {
	testkit.Watchdog(t)
	for _, count := range []int{1, 3, 70} {
		p := open(t, Config{Count: count, HeapBuffers: 2})
		var served atomic.Int64
		var g sync.WaitGroup
		const waiters = 90
		turns := scaled(100)
		for w := range waiters {
			g.Go(func() {
				for i := range turns {
					var b Buffer
					var err error
					if (w+i)%5 == 0 {
						b, err = p.CopyInContext(background, make([]byte, 1+(w+i)%2*4000))
					} else {
						b, err = p.GetContext(background)
					}
					if err != nil {
						t.Error(err)
						return
					}
					served.Add(1)
					if i%3 == 0 {
						p.PutBurst([]Buffer{b})
					} else {
						b.Release()
					}
				}
			})
		}
		g.Wait()
		if n := served.Load(); n != int64(waiters*turns) {
			t.Errorf("%d served", n)
		}
		whole(t, p)
	}
}
