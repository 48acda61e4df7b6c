// Works of a pool: buffers are taken and given back, by one worker or by two.

package perf

import (
	"errors"
	"fmt"

	"github.com/ringway-net/ringway/pool"
)

// errNoBuffer says that a pool that has enough buffers had none.
var errNoBuffer = errors.New("the pool has no buffer")

func poolWorks() []Work {
	return []Work{
		Alone("pool/single", Ours, func() (func(n int) error, func() error) {
			c, end := openCache()
			return func(n int) error {
				for range n {
					b, err := c.Get()
					if err != nil {
						return err
					}
					c.Put(b)
				}
				return nil
			}, end
		}),
		Alone("pool/single/shared", Ours, func() (func(n int) error, func() error) {
			p := openPool()
			return func(n int) error {
				for range n {
					b, err := p.Get()
					if err != nil {
						return err
					}
					b.Release()
				}
				return nil
			}, p.Close
		}),
		Alone("pool/bulk64", Ours, func() (func(n int) error, func() error) {
			c, end := openCache()
			return BulkLoop[pool.Buffer](c), end
		}),
		Alone("pool/bulk64/shared", Ours, func() (func(n int) error, func() error) {
			p := openPool()
			return BulkLoop[pool.Buffer](p), p.Close
		}),
		Cross("pool/single/cross", Ours, 1, openCaches, pool.Buffer.Index),
		Cross("pool/bulk64/cross", Ours, 64, openCaches, pool.Buffer.Index),
	}
}

func openPool() *pool.Pool { return must(pool.New(pool.Config{})) }

// openCache makes a cache of a pool of its own. end closes both, and finds buffers that were not given back.
func openCache() (c *pool.Cache, end func() error) {
	p := openPool()
	c = p.NewCache()
	return c, func() error {
		c.Close()
		return p.Close()
	}
}

// openCaches makes two caches of one pool.
func openCaches() (a, b BufferSource[pool.Buffer], end func() error) {
	p := openPool()
	one, two := p.NewCache(), p.NewCache()
	return one, two, func() error {
		one.Close()
		two.Close()
		return p.Close()
	}
}

// Bulk is a pool of buffers B, or one worker's share of it.
type Bulk[B any] interface {
	GetBulk(dst []B) bool
	PutBurst(bs []B)
}

// BufferSource is a Bulk that has calls for one buffer too.
type BufferSource[B any] interface {
	Bulk[B]
	Get() (B, error)
	Put(b B)
}

// BulkLoop returns the loop that takes 64 buffers and gives them back.
func BulkLoop[B any](p Bulk[B]) func(n int) error {
	bs := make([]B, 64)
	return func(n int) error {
		for n > 0 {
			some := bs[:min(len(bs), n)]
			if !p.GetBulk(some) {
				return errNoBuffer
			}
			p.PutBurst(some)
			n -= len(some)
		}
		return nil
	}
}

// Cross returns the work of one worker who takes buffers, one or burst at a time, and hands them by way
// of an SPSC ring to another one who gives them back. id tells buffers apart; the sum of what went into the
// ring must be that of what came out.
func Cross[B any](name, impl string, burst int, open func() (a, b BufferSource[B], end func() error), id func(B) int) Work {
	return Work{name, impl, func(n int) (Figures, error) {
		from, to, end := open()
		p, c := newSPSC[B](1024)
		var in, out int // each set at the end: they are neighbours on one cache line
		producer := func(w *Wait) error {
			bs, sum := make([]B, burst), 0
			for left := n; left > 0; {
				some := bs[:min(burst, left)]
				if !take(from, some) {
					if err := w.Until(func() bool { return take(from, some) }); err != nil {
						return err
					}
				}
				for _, b := range some {
					sum += id(b)
				}
				if burst > 1 || !p.TryPush(some[0]) {
					if err := pushAll(w, p, some); err != nil {
						return err
					}
				}
				left -= len(some)
			}
			in = sum
			return nil
		}
		consumer := func(w *Wait) error {
			bs, sum := make([]B, burst), 0
			for left := n; left > 0; {
				if burst == 1 {
					b, ok := c.TryPop()
					if !ok {
						var err error
						if b, err = Pop(w, c.TryPop); err != nil {
							return err
						}
					}
					sum += id(b)
					to.Put(b)
					left--
					continue
				}
				k, err := popSome(w, c, bs)
				if err != nil {
					return err
				}
				for _, b := range bs[:k] {
					sum += id(b)
				}
				to.PutBurst(bs[:k])
				left -= k
			}
			out = sum
			return nil
		}
		took, err := Crew{Sides: []Side{producer, consumer}}.Run()
		if err == nil {
			err = end()
		}
		if err == nil && in != out {
			err = fmt.Errorf("the payload is wrong: the buffers' numbers come to %d, want %d", out, in)
		}
		return perItem(took, n), err
	}}
}

// take fills bs with buffers, or returns false.
func take[B any](from BufferSource[B], bs []B) bool {
	if len(bs) > 1 {
		return from.GetBulk(bs)
	}
	b, err := from.Get()
	bs[0] = b
	return err == nil
}
