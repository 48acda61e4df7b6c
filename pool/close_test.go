package pool

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// counting makes p count how often its region is unmapped.
func counting(p *Pool) *atomic.Int32 {
	n, unmap := new(atomic.Int32), p.region.unmap
	p.region.unmap = func() error { n.Add(1); return unmap() }
	return n
}

// Close tells how many are out and where they were taken, and the memory is there for as
// long as one of them is.
func TestCloseWithBuffersOut(t *testing.T) {
	for _, track := range []int{0, 1} {
		p := abandon(t, Config{Count: 100, Track: track})
		unmaps := counting(p)
		var out []Buffer
		var taken, heapTaken string
		for range 3 {
			b, at := must(p.Get()), line(0)
			out, taken = append(out, b), at
		}
		b, heapTaken := must(p.Wrap([]byte("mine"))), line(0)
		out = append(out, b)
		must(p.Get()).Release()

		var leak *LeakError
		err := p.Close()
		if !errors.As(err, &leak) || leak.Buffers != 4 || leak.Pool != t.Name() || leak.Tracking != (track == 1) || len(leak.Caches) != 0 {
			t.Fatalf("Close: %#v", err)
		}
		text := err.Error()
		if !strings.Contains(text, "closed with 4 buffers out") {
			t.Errorf("%q", text)
		}
		if track == 0 {
			if len(leak.Where) != 0 || !strings.Contains(text, "set Config.Track") {
				t.Errorf("without Track: %q", text)
			}
		} else if len(leak.Where) != 2 || !strings.HasPrefix(leak.Where[0], "3 taken at "+taken) || !strings.HasPrefix(leak.Where[1], "1 taken at "+heapTaken) {
			t.Errorf("with Track: %q, want 3 from %s and 1 from %s", leak.Where, taken, heapTaken)
		}

		for i, b := range out {
			if unmaps.Load() != 0 || unmapped(p) {
				t.Fatalf("memory gone with %d buffers out", len(out)-i)
			}
			if i < 3 {
				copy(must(b.AppendUnzeroed(b.Tailroom())), "still usable to the end")
			}
			if err := p.Close(); !errors.As(err, &leak) || leak.Buffers != 4-i {
				t.Errorf("Close again with %d out: %v", 4-i, err)
			}
			b.Release()
		}
		if unmaps.Load() != 1 || !unmapped(p) {
			t.Errorf("unmapped %d times once all are back", unmaps.Load())
		}
		for range 2 {
			if err := p.Close(); err != nil {
				t.Errorf("Close at the end: %v", err)
			}
		}
		if unmaps.Load() != 1 {
			t.Errorf("unmapped %d times", unmaps.Load())
		}
	}
}

// Whatever kind it is that is out, alone: Close reports it, every time, its owner may go on with it, and its coming back
// ends the pool.
func TestCloseWithOneOut(t *testing.T) {
	for what, take := range map[string]func(p *Pool) (release func()){
		"region":  func(p *Pool) func() { return must(p.Get()).Release },
		"heap":    func(p *Pool) func() { return must(p.CopyIn(make([]byte, 5000))).Release },
		"wrapped": func(p *Pool) func() { return must(p.Wrap([]byte("frame"))).Release },
		"shared": func(p *Pool) func() {
			b := must(p.Get())
			b.Retain(1)
			return func() { b.Release(); b.Bytes(); b.Release() }
		},
		"through a cache": func(p *Pool) func() {
			c := p.NewCache()
			b := must(c.Get())
			return func() { c.Put(b); c.Close() }
		},
		"beside a cache": func(p *Pool) func() {
			c := p.NewCache()
			b := must(c.Get())
			return func() { c.Close(); b.Release() }
		},
		"in a cache":     func(p *Pool) func() { c := p.NewCache(); c.Put(must(c.Get())); return c.Close },
		"an empty cache": func(p *Pool) func() { return p.NewCache().Close },
	} {
		t.Run(what, func(t *testing.T) {
			p := abandon(t, Config{Count: 100})
			unmaps := counting(p)
			release := take(p)
			for range 2 {
				var leak *LeakError
				if err := p.Close(); !errors.As(err, &leak) || leak.Buffers+len(leak.Caches) == 0 {
					t.Errorf("Close: %v", err)
				}
			}
			release()
			if err := p.Close(); err != nil || unmaps.Load() != 1 || !unmapped(p) {
				t.Errorf("at the end: %v, unmapped %d times", err, unmaps.Load())
			}
		})
	}
}

// After Close there is nothing to be had.
func TestClosedPool(t *testing.T) {
	p := abandon(t, Config{Count: 10})
	c := p.NewCache()
	b := must(c.Get())
	if err := p.Close(); err == nil {
		t.Error("no leak reported")
	}
	for what, err := range map[string]error{
		"Get":             second(p.Get()),
		"GetContext":      second(p.GetContext(background)),
		"CopyIn":          second(p.CopyIn(nil)),
		"CopyIn, large":   second(p.CopyIn(make([]byte, 5000))),
		"CopyInContext":   second(p.CopyInContext(background, nil)),
		"Wrap":            second(p.Wrap(nil)),
		"a fresh Cache":   func() error { c := p.NewCache(); defer c.Close(); return second(c.Get()) }(),
		"Cache's CopyIn":  func() error { c := p.NewCache(); defer c.Close(); return second(c.CopyIn(nil)) }(),
		"Cache's, bursts": func() error { c := p.NewCache(); defer c.Close(); return burstErr(c.GetBurst(make([]Buffer, 9))) }(),
		"GetBurst":        burstErr(p.GetBurst(make([]Buffer, 9))),
	} {
		if err != ErrClosed {
			t.Errorf("%s: %v", what, err)
		}
	}
	if p.GetBulk(make([]Buffer, 1)) {
		t.Error("GetBulk")
	}
	if n := p.Stats().Failed; n != 0 {
		t.Errorf("%d failures counted: closed is not exhausted", n)
	}
	// What a cache holds can still be used, and comes back.
	c.Put(must(c.Get()))
	b.Release()
	c.Close()
	if err := p.Close(); err != nil || !unmapped(p) {
		t.Errorf("%v, unmapped %v", err, unmapped(p))
	}
}

func burstErr(n int) error {
	if n == 0 {
		return ErrClosed
	}
	return fmt.Errorf("%d buffers", n)
}

// Close at any moment: gets either fail or have memory to write to until they give it back,
// and the memory goes exactly once.
func TestCloseRacesGets(t *testing.T) {
	testkit.Watchdog(t)
	for turn := range scaled(300) {
		p := abandon(t, Config{Count: 64, BufferSize: 4096 - 128})
		unmaps := counting(p)
		var g sync.WaitGroup
		start := make(chan struct{})
		work := func(f func() error) {
			g.Go(func() {
				<-start
				for {
					if err := f(); err == ErrClosed {
						return
					} else if err != nil && err != ErrExhausted {
						t.Error(err)
						return
					}
				}
			})
		}
		write := func(b Buffer, err error) error {
			if err == nil {
				must(b.Append(b.Tailroom())) // none, on the heap
				frame := b.Bytes()
				frame[0], frame[len(frame)-1] = 1, 1
				b.Release()
			}
			return err
		}
		work(func() error { return write(p.Get()) })
		work(func() error { return write(p.GetContext(background)) })
		work(func() error { return write(p.CopyIn(make([]byte, 4096))) })
		work(func() error { return write(p.Wrap(make([]byte, 100))) })
		var c *Cache
		work(func() error {
			if c == nil {
				c = p.NewCache()
			}
			dst := make([]Buffer, 70)
			n := c.GetBurst(dst)
			for _, b := range dst[:n] {
				must(b.Append(1))[0] = 1
			}
			c.PutBurst(dst[:n])
			if p.closed.Load() {
				c.Close()
				return ErrClosed
			}
			return nil
		})
		close(start)
		for range turn * 20 {
			p.Free() // Close comes a little later each turn
		}
		_ = p.Close() // whatever is out at this moment
		g.Wait()
		if err := p.Close(); err != nil {
			t.Fatalf("turn %d: %v", turn, err)
		}
		if unmaps.Load() != 1 || !unmapped(p) {
			t.Fatalf("turn %d: unmapped %d times", turn, unmaps.Load())
		}
	}
}
