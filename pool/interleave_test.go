//go:build interleave

// The pool under every schedule of small cases: its stacks, its depot, sharing, waiting, closing.

package pool

import (
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/testkit"
)

// explore explores one case as a subtest.
func explore(t *testing.T, name string, o interleave.Options, program func(*interleave.Run)) {
	t.Run(name, func(t *testing.T) { interleave.Explore(t, o, program) })
}

// owners fails the schedule if somebody gets what another one has.
type owners struct {
	r  *interleave.Run
	of map[uint32]string
}

func (o *owners) take(who string, is ...uint32) {
	for _, i := range is {
		if other, taken := o.of[i]; taken {
			o.r.Errorf("%s and %s both have %d", other, who, i)
		}
		o.of[i] = who
	}
}

func (o *owners) give(is ...uint32) {
	for _, i := range is {
		delete(o.of, i)
	}
}

// bound is on preemptions: short, and one more in the long form.
func bound(n int) interleave.Options { return interleave.Options{Preemptions: n + testkit.Deeper()} }

// Treiber's stack, with all that ABA needs: a pop that is overtaken by pops and pushes.
func TestInterleaveStack(t *testing.T) {
	fill := func(n int) *stack {
		s := &stack{next: make([]atomic.Uint32, n)}
		for i := n; i > 0; i-- {
			s.push(uint32(i - 1))
		}
		return s
	}
	whole := func(r *interleave.Run, s *stack, n int) {
		o := owners{r, map[uint32]string{}}
		for k := 0; ; k++ {
			i, ok := s.pop()
			if !ok {
				if k != n {
					r.Errorf("%d left of %d", k, n)
				}
				return
			}
			o.take("the end", i)
		}
	}
	for _, n := range []int{1, 2, 3} {
		explore(t, fmt.Sprint("pop against pop, pop, push/", n), interleave.Options{}, func(r *interleave.Run) {
			s := fill(n)
			o := owners{r, map[uint32]string{}}
			r.Go("one", func() {
				if i, ok := s.pop(); ok {
					o.take("one", i)
					o.give(i)
					s.push(i)
				}
			})
			r.Go("two", func() {
				a, first := s.pop()
				if first {
					o.take("two", a)
				}
				b, second := s.pop()
				if second {
					o.take("two", b)
				}
				if first {
					o.give(a)
					s.push(a)
				}
				if second {
					o.give(b)
					s.push(b)
				}
			})
			r.After(func() { whole(r, s, n) })
		})
	}
	explore(t, "many at once", interleave.Options{}, func(r *interleave.Run) {
		s := fill(3)
		o := owners{r, map[uint32]string{}}
		for i := range 2 {
			who := fmt.Sprint("worker", i)
			r.Go(who, func() {
				var buf [2]uint32
				n := s.popAll(buf[:])
				o.take(who, buf[:n]...)
				o.give(buf[:n]...)
				s.pushAll(buf[:n])
			})
		}
		r.After(func() { whole(r, s, 3) })
	})
	explore(t, "three workers", bound(3), func(r *interleave.Run) {
		s := fill(2)
		o := owners{r, map[uint32]string{}}
		for i := range 3 {
			who := fmt.Sprint("worker", i)
			r.Go(who, func() {
				for range 2 {
					if i, ok := s.pop(); ok {
						o.take(who, i)
						o.give(i)
						s.push(i)
					}
				}
			})
		}
		r.After(func() { whole(r, s, 2) })
	})
}

// The depot: singles and whole magazines, exhaustion and refill. Each slot has one owner, and
// none is lost.
func TestInterleaveDepot(t *testing.T) {
	explore(t, "fresh ones run out", interleave.Options{}, func(r *interleave.Run) {
		d := newDepot(0, 3)
		o := owners{r, map[uint32]string{}}
		for i := range 2 {
			who := fmt.Sprint("worker", i)
			r.Go(who, func() {
				var buf [2]uint32
				n, _ := d.get(buf[:])
				o.take(who, buf[:n]...)
			})
		}
		r.After(func() {
			if len(o.of) != 3 {
				r.Errorf("%d of 3 were got", len(o.of))
			}
		})
	})
	explore(t, "put and get again", interleave.Options{}, func(r *interleave.Run) {
		d := newDepot(0, 2)
		o := owners{r, map[uint32]string{}}
		for i := range 2 {
			who := fmt.Sprint("worker", i)
			r.Go(who, func() {
				for range 2 {
					var one [1]uint32
					n, _ := d.get(one[:])
					if n == 0 {
						r.Errorf("%s: none, though there are two for two", who)
					}
					o.take(who, one[:]...)
					o.give(one[:]...)
					d.put(one[:])
				}
			})
		}
		r.After(func() { depotWhole(r, d, 2) })
	})
	explore(t, "a magazine is split while another one puts and gets", interleave.Options{}, func(r *interleave.Run) {
		d := newDepot(0, magazineSize+1)
		all := make([]uint32, magazineSize+1)
		d.get(all)
		d.put(all[:magazineSize]) // a magazine
		o := owners{r, map[uint32]string{}}
		r.Go("single", func() {
			var one [1]uint32
			if n, _ := d.get(one[:]); n == 1 {
				o.take("single", one[:]...)
				o.give(one[:]...)
				d.put(one[:])
			} else {
				r.Errorf("none, with a magazine there")
			}
		})
		r.Go("mover", func() {
			last := all[magazineSize:]
			o.take("mover", last...)
			o.give(last...)
			d.put(last)
			var buf [magazineSize]uint32
			n, _ := d.get(buf[:])
			o.take("mover", buf[:n]...)
			o.give(buf[:n]...)
			d.put(buf[:n])
		})
		r.After(func() { depotWhole(r, d, magazineSize+1) })
	})
	explore(t, "magazines across caches", bound(2), func(r *interleave.Run) {
		d := newDepot(0, 2*magazineSize)
		all := make([]uint32, 2*magazineSize)
		d.get(all)
		d.put(all)
		o := owners{r, map[uint32]string{}}
		for i := range 2 {
			who := fmt.Sprint("cache", i)
			r.Go(who, func() {
				for range 2 {
					var buf [magazineSize]uint32
					n, _ := d.get(buf[:])
					if n != magazineSize {
						r.Errorf("%s: %d of %d, with a magazine for each", who, n, magazineSize)
					}
					o.take(who, buf[:n]...)
					o.give(buf[:n]...)
					d.put(buf[:n])
				}
			})
		}
		r.After(func() { depotWhole(r, d, 2*magazineSize) })
	})
	// A get says "none" only if there was a moment without one: here the mover always has one of the
	// two and puts it back before it takes the other, which is now loose and now a magazine.
	explore(t, "none is missed", interleave.Options{}, func(r *interleave.Run) {
		d := newDepot(0, magazineSize+1)
		all := make([]uint32, magazineSize+1)
		d.get(all)
		d.put(all[:magazineSize])
		loose := all[magazineSize]
		r.Go("mover", func() {
			d.loose.push(loose)
			m, ok := d.full.pop()
			if !ok {
				return // the other one has it
			}
			d.full.push(m)
			d.loose.pop()
		})
		r.Go("getter", func() {
			var buf [magazineSize]uint32
			if n, _ := d.get(buf[:]); n == 0 {
				r.Errorf("none found, though there always was one")
			}
		})
	})
}

func depotWhole(r *interleave.Run, d *depot, n int) {
	o := owners{r, map[uint32]string{}}
	all := make([]uint32, n+1)
	if k, _ := d.get(all); k != n {
		r.Errorf("%d are left of %d", k, n)
	}
	o.take("the end", all[:n]...)
}

// tiny makes a pool for one schedule. It has the same number in all of them, as if no other pool had ever been.
func tiny(c Config) *Pool {
	registry.open, registry.last, registry.gens = [maxPools + 1]bool{}, 0, [maxPools + 1]uint32{}
	c.BufferSize, c.Headroom = 64, None
	if c.HeapBuffers == 0 {
		c.HeapBuffers = None
	}
	p, err := New(c)
	if err != nil {
		panic(err)
	}
	return p
}

// atRest looks at a pool that nobody uses any more.
func atRest(r *interleave.Run, p *Pool) {
	if s := p.Stats(); s.InUse != 0 || s.HeapInUse != 0 || p.returned.Waiters() != 0 {
		r.Errorf("at rest: %+v, %d wait", s, p.returned.Waiters())
	}
	if n := p.GetBurst(make([]Buffer, p.Count()+1)); n != p.Count() {
		r.Errorf("%d buffers are left of %d", n, p.Count())
	}
}

// write and read say that a thread does so with the frame.
func write(b Buffer) { interleave.Write(&b.Bytes()[:1][0]) }
func read(b Buffer)  { interleave.Read(&b.Bytes()[:1][0]) }

// framed gives b a byte to write to and read.
func framed(b Buffer) Buffer {
	if _, err := b.AppendUnzeroed(1); err != nil {
		panic(err)
	}
	return b
}

// Whoever has a buffer has it alone: its bytes are written by one after the other.
func TestInterleaveGetRelease(t *testing.T) {
	for _, n := range []int{1, 2} {
		explore(t, fmt.Sprint(n, " for two"), interleave.Options{}, func(r *interleave.Run) {
			p := tiny(Config{Count: n})
			failed := 0
			for range 2 {
				r.Go("worker", func() {
					for range 2 {
						b, err := p.Get()
						if err != nil {
							failed++
							continue
						}
						write(framed(b))
						b.Release()
					}
				})
			}
			r.After(func() {
				if n == 2 && failed > 0 {
					r.Errorf("exhausted, with one for each")
				}
				atRest(r, p)
			})
		})
	}
	explore(t, "given to another worker", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 2})
		var box [2]interleave.Bool
		var bs [2]Buffer
		r.Go("taker", func() {
			for i := range bs {
				bs[i] = framed(must(p.Get()))
				write(bs[i])
				box[i].Store(true)
			}
		})
		r.Go("giver", func() {
			for i := range bs {
				for !box[i].Load() {
					interleave.Yield()
				}
				read(bs[i])
				bs[i].Release()
			}
		})
		r.After(func() { atRest(r, p) })
	})
}

// Two caches of one pool: exhaustion, refill, and what one gives back is there for the other.
func TestInterleaveCaches(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 2})
		for range 2 {
			c := p.NewCache()
			r.Go("worker", func() {
				if b, err := c.Get(); err == nil {
					write(framed(b))
					c.Put(b)
				}
				c.Close()
			})
		}
		r.After(func() { atRest(r, p) })
	})
}

// Sharing: the last release gives the buffer back, once, and its next owner has it alone.
func TestInterleaveShared(t *testing.T) {
	for _, sharers := range []int{2, 3} {
		explore(t, fmt.Sprint(sharers, " owners"), interleave.Options{Preemptions: (sharers - 2) * (2 + testkit.Deeper())}, func(r *interleave.Run) {
			p := tiny(Config{Count: 1})
			b := framed(must(p.Get()))
			b.Retain(sharers - 1)
			for i := range sharers {
				r.Go(fmt.Sprint("owner", i), func() {
					read(b)
					b.Release()
					if next, err := p.Get(); err == nil {
						write(framed(next))
						next.Release()
					}
				})
			}
			r.After(func() { atRest(r, p) })
		})
	}
	explore(t, "Retain while another one releases", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		b := framed(must(p.Get()))
		b.Retain(1)
		r.Go("retains", func() {
			b.Retain(1)
			read(b)
			b.Release()
			b.Release()
		})
		r.Go("releases", func() {
			read(b)
			b.Release()
		})
		r.After(func() { atRest(r, p) })
	})
	explore(t, "Writable", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 3}) // both may find it shared, and copy
		b := framed(must(p.Get()))
		b.Retain(1)
		for i := range 2 {
			r.Go(fmt.Sprint("owner", i), func() {
				mine := b
				if err := mine.Writable(); err != nil {
					r.Errorf("Writable: %v", err)
				}
				write(mine)
				mine.Release()
			})
		}
		r.After(func() { atRest(r, p) })
	})
}

// Waiting for a buffer: a release wakes who waits, however it comes back.
func TestInterleavePoolWait(t *testing.T) {
	explore(t, "Release", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		b := must(p.Get())
		r.Go("waiter", func() { must(p.GetContext(background)).Release() })
		r.Go("owner", b.Release)
		r.After(func() { atRest(r, p) })
	})
	explore(t, "two waiters", bound(2), func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		b := must(p.Get())
		for range 2 {
			r.Go("waiter", func() { must(p.GetContext(background)).Release() })
		}
		r.Go("owner", b.Release)
		r.After(func() { atRest(r, p) })
	})
	explore(t, "Cache.Put", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		c := p.NewCache()
		b := must(c.Get())
		r.Go("waiter", func() { must(p.GetContext(background)).Release() })
		r.Go("owner", func() {
			for !p.returned.Waiting() { // what was put into a Cache before can't be waited for
				interleave.Yield()
			}
			c.Put(b)
		})
		r.After(func() {
			c.Close()
			atRest(r, p)
		})
	})
	// A get that splits a magazine has all of it in hand for a moment, and who finds nothing then must be told.
	explore(t, "a magazine that is split", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: magazineSize})
		bs := make([]Buffer, magazineSize)
		p.GetBulk(bs)
		p.PutBurst(bs)
		r.Go("waiter", func() { must(p.GetContext(background)) })
		r.Go("other", func() { p.Get() }) // or finds none, if the waiter was at it
	})
	explore(t, "the heap's", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 1, HeapBuffers: 1})
		b, h := must(p.Get()), must(p.CopyIn([]byte("h")))
		r.Go("waiter", func() { must(p.CopyInContext(background, []byte("w"))).Release() })
		r.Go("owner", h.Release)
		r.After(func() {
			b.Release()
			atRest(r, p)
		})
	})
	explore(t, "given up", bound(1), func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		b := must(p.Get())
		ctx := r.Timeout()
		r.Go("waiter", func() {
			if b, err := p.GetContext(ctx); err == nil {
				b.Release()
			}
		})
		r.Go("patient", func() { must(p.GetContext(background)).Release() })
		r.Go("owner", b.Release)
		r.After(func() { atRest(r, p) })
	})
}

// Close against gets, releases and waiters: the memory goes exactly once, and only when nothing is out.
func TestInterleavePoolClose(t *testing.T) {
	// closed makes a pool that notes when its memory goes.
	closed := func(r *interleave.Run, c Config) (*Pool, *int) {
		p := tiny(c)
		gone := 0
		p.region.unmap = func() error {
			if gone++; gone > 1 {
				r.Errorf("unmapped twice")
			}
			return nil
		}
		r.After(func() {
			p.Close()
			if gone != 1 {
				r.Errorf("nothing is out, and the memory was unmapped %d times", gone)
			}
		})
		return p, &gone
	}
	explore(t, "Get", interleave.Options{}, func(r *interleave.Run) {
		p, gone := closed(r, Config{Count: 1})
		r.Go("worker", func() {
			b, err := p.Get()
			if err == ErrClosed {
				return
			}
			if *gone > 0 {
				r.Errorf("handed out a buffer whose memory is gone")
			}
			write(framed(b))
			b.Release()
		})
		r.Go("closer", func() { p.Close() })
	})
	explore(t, "Release", interleave.Options{}, func(r *interleave.Run) {
		p, gone := closed(r, Config{Count: 2})
		a, b := framed(must(p.Get())), framed(must(p.Get()))
		for _, b := range []Buffer{a, b} {
			r.Go("owner", func() {
				if *gone > 0 {
					r.Errorf("unmapped under a buffer")
				}
				write(b)
				b.Release()
			})
		}
		r.Go("closer", func() { p.Close() })
	})
	explore(t, "a waiter", interleave.Options{}, func(r *interleave.Run) {
		p, _ := closed(r, Config{Count: 1})
		b := must(p.Get())
		r.Go("waiter", func() {
			if w, err := p.GetContext(background); err == nil {
				w.Release()
			} else if err != ErrClosed {
				r.Errorf("GetContext: %v", err)
			}
		})
		r.Go("closer", func() { p.Close() })
		r.Go("owner", b.Release)
	})
	explore(t, "a waiter, and nothing comes back", interleave.Options{}, func(r *interleave.Run) {
		p := tiny(Config{Count: 1})
		must(p.Get())
		r.Go("waiter", func() {
			if _, err := p.GetContext(background); err != ErrClosed {
				r.Errorf("GetContext: %v", err)
			}
		})
		r.Go("closer", func() { p.Close() })
	})
	explore(t, "the heap's", interleave.Options{}, func(r *interleave.Run) {
		p, gone := closed(r, Config{Count: 1, HeapBuffers: 1})
		r.Go("worker", func() {
			b, err := p.Wrap([]byte("w"))
			if err != nil {
				return
			}
			if *gone > 0 {
				r.Errorf("unmapped under a buffer of the heap's")
			}
			b.Release()
		})
		r.Go("closer", func() { p.Close() })
	})
	explore(t, "a Cache", interleave.Options{}, func(r *interleave.Run) {
		p, _ := closed(r, Config{Count: 1})
		c := p.NewCache()
		b := must(c.Get())
		r.Go("worker", func() {
			c.Put(b)
			c.Close()
		})
		r.Go("closer", func() { p.Close() })
		r.Go("closer too", func() { p.Close() })
	})
}
