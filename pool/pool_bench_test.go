// How long it takes to get buffers and to give them back. Figures are per buffer.

package pool

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/ring"
)

const burst = 64

// perBuffer makes figures of b.N buffers out of a loop over bursts.
func bursts(b *testing.B, f func()) {
	b.ReportAllocs()
	for n := 0; n < b.N; n += burst {
		f()
	}
}

func BenchmarkGetPut(b *testing.B) {
	b.Run("pool/one", func(b *testing.B) {
		p := open(b, Config{})
		b.ReportAllocs()
		for b.Loop() {
			x, _ := p.Get()
			x.Release()
		}
	})
	b.Run("pool/64", func(b *testing.B) {
		p := open(b, Config{})
		bs := make([]Buffer, burst)
		bursts(b, func() {
			p.GetBulk(bs)
			p.PutBurst(bs)
		})
	})
	b.Run("cache/one", func(b *testing.B) {
		c := open(b, Config{}).NewCache()
		defer c.Close()
		b.ReportAllocs()
		for b.Loop() {
			x, _ := c.Get()
			c.Put(x)
		}
	})
	b.Run("cache/64", func(b *testing.B) {
		c := open(b, Config{}).NewCache()
		defer c.Close()
		bs := make([]Buffer, burst)
		bursts(b, func() {
			c.GetBulk(bs)
			c.PutBurst(bs)
		})
	})
	// Every burst meets the depot: what is taken stays out for four bursts.
	b.Run("cache/64-through-depot", func(b *testing.B) {
		c := open(b, Config{}).NewCache()
		defer c.Close()
		bs := make([]Buffer, 4*burst)
		b.ReportAllocs()
		for n := 0; n < b.N; n += len(bs) {
			c.GetBulk(bs)
			c.PutBurst(bs)
		}
	})
	b.Run("sync.Pool/one", func(b *testing.B) {
		pool := sync.Pool{New: func() any { return new([2048]byte) }}
		b.ReportAllocs()
		for b.Loop() {
			pool.Put(pool.Get())
		}
	})
	b.Run("make/one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sink = make([]byte, 2048)
		}
	})
}

var sink []byte

// Two workers at once, each giving back what it took.
func BenchmarkGetPutTwoWorkers(b *testing.B) {
	two := func(b *testing.B, worker func(n int)) {
		b.ReportAllocs()
		var g sync.WaitGroup
		for range 2 {
			g.Go(func() { worker(b.N) })
		}
		g.Wait()
	}
	b.Run("pool/one", func(b *testing.B) {
		p := open(b, Config{})
		two(b, func(n int) {
			for range n {
				x, _ := p.Get()
				x.Release()
			}
		})
	})
	b.Run("pool/64", func(b *testing.B) {
		p := open(b, Config{})
		two(b, func(n int) {
			bs := make([]Buffer, burst)
			for k := 0; k < n; k += burst {
				p.GetBulk(bs)
				p.PutBurst(bs)
			}
		})
	})
	b.Run("cache/64", func(b *testing.B) {
		p := open(b, Config{})
		two(b, func(n int) {
			c := p.NewCache()
			defer c.Close()
			bs := make([]Buffer, burst)
			for k := 0; k < n; k += burst {
				c.GetBulk(bs)
				c.PutBurst(bs)
			}
		})
	})
	b.Run("sync.Pool/one", func(b *testing.B) {
		pool := sync.Pool{New: func() any { return new([2048]byte) }}
		two(b, func(n int) {
			for range n {
				pool.Put(pool.Get())
			}
		})
	})
}

// A frame copied in and released, beside the copy alone.
func BenchmarkCopyIn(b *testing.B) {
	for _, size := range []int{64, 1500} {
		frame := make([]byte, size)
		name := strconv.Itoa(size)
		b.Run("pool/"+name, func(b *testing.B) {
			p := open(b, Config{})
			b.ReportAllocs()
			for b.Loop() {
				x, _ := p.CopyIn(frame)
				x.Release()
			}
		})
		b.Run("cache/"+name, func(b *testing.B) {
			c := open(b, Config{}).NewCache()
			defer c.Close()
			b.ReportAllocs()
			for b.Loop() {
				x, _ := c.CopyIn(frame)
				c.Put(x)
			}
		})
		b.Run("copy/"+name, func(b *testing.B) {
			to := make([]byte, 2048)
			for b.Loop() {
				copy(to, frame)
			}
		})
		b.Run("make/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = append([]byte(nil), frame...)
			}
		})
	}
}

func BenchmarkBuffer(b *testing.B) {
	p := open(b, Config{})
	x := must(p.CopyIn(make([]byte, 60)))
	defer x.Release()
	b.Run("Bytes", func(b *testing.B) {
		for b.Loop() {
			sink = x.Bytes()
		}
	})
	b.Run("PrependTrim", func(b *testing.B) {
		for b.Loop() {
			x.Prepend(14)
			x.TrimFront(14)
		}
	})
	b.Run("RetainRelease", func(b *testing.B) {
		for b.Loop() {
			x.Retain(1)
			x.Release()
		}
	})
}

// The way of a frame through a program: get 64, set the length, ring, read the length, put 64, on
// two threads.
func BenchmarkHandOff(b *testing.B) {
	p := open(b, Config{})
	producer, consumer, err := ring.NewSPSC[Buffer](4096)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var g sync.WaitGroup
	g.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c := p.NewCache()
		defer c.Close()
		defer producer.Close()
		bs := make([]Buffer, burst)
		for sent := 0; sent < b.N; sent += burst {
			for !c.GetBulk(bs) {
				runtime.Gosched()
			}
			for i := range bs {
				if _, err := bs[i].AppendUnzeroed(60 + i); err != nil {
					panic(err)
				}
			}
			for rest := bs; len(rest) > 0; {
				x, y, err := producer.ReserveWait(context.Background(), len(rest))
				if err != nil {
					panic(err)
				}
				n := copy(x, rest)
				n += copy(y, rest[n:])
				producer.Commit(n)
				rest = rest[n:]
			}
		}
	})
	bytes := 0
	g.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		c := p.NewCache()
		defer c.Close()
		for {
			x, y, err := consumer.PeekWait(context.Background(), burst)
			if err != nil {
				return
			}
			for i := range x {
				bytes += x[i].Len()
			}
			for i := range y {
				bytes += y[i].Len()
			}
			c.PutBurst(x)
			c.PutBurst(y)
			consumer.Advance(len(x) + len(y))
		}
	})
	g.Wait()
	if bytes == 0 {
		b.Fatal("nothing came")
	}
}
