// Benchmarks: an operation is one item, so ns/op is ns per item. The payload is written and read and its
// sum checked, the ring goes round many times, and where there are two goroutines each has a thread of its
// own. A side that finds the ring full or empty pauses before it looks again: how long is what decides
// the figures of two cores most, so it is the same everywhere.
//
//	go test -run '^$' -bench . -count 5 ./ring

package ring

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/cpu"
)

const benchCapacity = 4096

// backoff is what a side does that has found nothing to do: some pauses, and now and then the
// scheduler, so that the other side can run if it waits for this very processor.
type backoff int

func (b *backoff) wait() {
	if *b++; *b%256 == 0 {
		runtime.Gosched()
		return
	}
	cpu.Pause(16)
}

// benchItem is a payload that tells a number.
type benchItem interface {
	uint64 | pair
}

func makeItem[T benchItem](n uint64) (v T) {
	switch p := any(&v).(type) {
	case *uint64:
		*p = n
	case *pair:
		*p = pair{n, ^n}
	}
	return v
}

func itemValue[T benchItem](v *T) uint64 {
	switch p := any(v).(type) {
	case *uint64:
		return *p
	case *pair:
		return p.a
	}
	return 0
}

// twoThreads runs a producer and a consumer of b.N items, and checks the consumer's sum.
func twoThreads(b *testing.B, produce func(n int), consume func(n int) (sum uint64)) {
	var sum uint64
	var wg sync.WaitGroup
	ready := make(chan struct{})
	locked := func(f func()) {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			<-ready
			f()
		})
	}
	locked(func() { produce(b.N) })
	locked(func() { sum = consume(b.N) })
	b.ReportAllocs()
	b.ResetTimer()
	close(ready)
	wg.Wait()
	b.StopTimer()
	if n := uint64(b.N); sum != n*(n-1)/2 {
		b.Errorf("sum %d, want %d", sum, n*(n-1)/2)
	}
}

func BenchmarkSPSC(b *testing.B) {
	b.Run("uint64", benchSPSC[uint64])
	b.Run("16B", benchSPSC[pair])
}

func benchSPSC[T benchItem](b *testing.B) {
	b.Run("single", func(b *testing.B) {
		p, c, _ := NewSPSC[T](benchCapacity)
		twoThreads(b, func(n int) {
			var wait backoff
			for i := range n {
				for !p.TryPush(makeItem[T](uint64(i))) {
					wait.wait()
				}
			}
		}, func(n int) (sum uint64) {
			var wait backoff
			for range n {
				v, ok := c.TryPop()
				for !ok {
					wait.wait()
					v, ok = c.TryPop()
				}
				sum += itemValue(&v)
			}
			return sum
		})
	})
	b.Run("wait", func(b *testing.B) { // Push and Pop, which may sleep
		p, c, _ := NewSPSC[T](benchCapacity)
		twoThreads(b, func(n int) {
			for i := range n {
				if err := p.Push(context.Background(), makeItem[T](uint64(i))); err != nil {
					b.Error(err)
				}
			}
		}, func(n int) (sum uint64) {
			for range n {
				v, _ := c.Pop(context.Background())
				sum += itemValue(&v)
			}
			return sum
		})
	})
	for _, burst := range []int{8, 32, 64, 256} {
		b.Run(fmt.Sprintf("burst=%d/copy", burst), func(b *testing.B) {
			p, c, _ := NewSPSC[T](benchCapacity)
			twoThreads(b,
				func(n int) { pushBursts[T](p, burst, 0, n) },
				func(n int) uint64 { return popBursts[T](c, burst, n) })
		})
		b.Run(fmt.Sprintf("burst=%d/inplace", burst), func(b *testing.B) {
			p, c, _ := NewSPSC[T](benchCapacity)
			twoThreads(b, func(n int) {
				var wait backoff
				for i := 0; i < n; {
					first, second := p.Reserve(min(burst, n-i))
					if len(first) == 0 {
						wait.wait()
						continue
					}
					for k := range first {
						first[k] = makeItem[T](uint64(i + k))
					}
					i += len(first)
					for k := range second {
						second[k] = makeItem[T](uint64(i + k))
					}
					i += len(second)
					p.Commit(len(first) + len(second))
				}
			}, func(n int) (sum uint64) {
				var wait backoff
				for got := 0; got < n; {
					first, second := c.Peek(burst)
					if len(first) == 0 {
						wait.wait()
						continue
					}
					for k := range first {
						sum += itemValue(&first[k])
					}
					for k := range second {
						sum += itemValue(&second[k])
					}
					c.Advance(len(first) + len(second))
					got += len(first) + len(second)
				}
				return sum
			})
		})
	}
}

// pushBursts pushes the items first to first+n-1.
func pushBursts[T benchItem](q interface{ PushBurst([]T) int }, burst, first, n int) {
	var wait backoff
	buf := make([]T, burst)
	for i := 0; i < n; {
		vs := buf[:min(burst, n-i)]
		for k := range vs {
			vs[k] = makeItem[T](uint64(first + i + k))
		}
		i += len(vs)
		for len(vs) > 0 {
			k := q.PushBurst(vs)
			if vs = vs[k:]; k == 0 {
				wait.wait()
			}
		}
	}
}

// popBursts pops n items.
func popBursts[T benchItem](q interface{ PopBurst([]T) int }, burst, n int) (sum uint64) {
	var wait backoff
	buf := make([]T, burst)
	for got := 0; got < n; {
		k := q.PopBurst(buf)
		if k == 0 {
			wait.wait()
		}
		for i := range buf[:k] {
			sum += itemValue(&buf[i])
		}
		got += k
	}
	return sum
}

func BenchmarkMPMC(b *testing.B) {
	b.Run("uint64", benchMPMC[uint64])
	b.Run("16B", benchMPMC[pair])
}

func benchMPMC[T benchItem](b *testing.B) {
	b.Run("single/1P1C", func(b *testing.B) {
		r, _ := NewMPMC[T](benchCapacity)
		twoThreads(b,
			func(n int) { pushSingles(r, 0, n) },
			func(n int) (sum uint64) {
				var wait backoff
				for range n {
					v, ok := r.TryPop()
					for !ok {
						wait.wait()
						v, ok = r.TryPop()
					}
					sum += itemValue(&v)
				}
				return sum
			})
	})
	b.Run("single/2P2C", func(b *testing.B) { benchMPMC2P2C[T](b, 1) })
	b.Run("burst=64/1P1C", func(b *testing.B) {
		r, _ := NewMPMC[T](benchCapacity)
		twoThreads(b,
			func(n int) { pushBursts[T](r, 64, 0, n) },
			func(n int) uint64 { return popBursts[T](r, 64, n) })
	})
	b.Run("burst=64/2P2C", func(b *testing.B) { benchMPMC2P2C[T](b, 64) })
}

func pushSingles[T benchItem](r *MPMC[T], first, n int) {
	var wait backoff
	for i := range n {
		for !r.TryPush(makeItem[T](uint64(first + i))) {
			wait.wait()
		}
	}
}

// benchMPMC2P2C has two producers and two consumers, who share what comes.
func benchMPMC2P2C[T benchItem](b *testing.B, burst int) {
	r, _ := NewMPMC[T](benchCapacity)
	var sum atomic.Uint64
	var producers, consumers sync.WaitGroup
	ready := make(chan struct{})
	for id := range 2 {
		first, n := 0, b.N/2
		if id == 1 {
			first, n = n, b.N-n
		}
		producers.Go(func() {
			<-ready
			if burst == 1 {
				pushSingles(r, first, n)
			} else {
				pushBursts[T](r, burst, first, n)
			}
		})
		consumers.Go(func() {
			var wait backoff
			mine := uint64(0)
			buf := make([]T, burst)
			for {
				closed := r.Closed()
				if n := r.PopBurst(buf); n > 0 {
					for i := range buf[:n] {
						mine += itemValue(&buf[i])
					}
				} else if closed {
					break
				} else {
					wait.wait()
				}
			}
			sum.Add(mine)
		})
	}
	b.ReportAllocs()
	b.ResetTimer()
	close(ready)
	producers.Wait()
	r.Close()
	consumers.Wait()
	b.StopTimer()
	if n := uint64(b.N); sum.Load() != n*(n-1)/2 {
		b.Errorf("sum %d, want %d", sum.Load(), n*(n-1)/2)
	}
}

// For comparison.
func BenchmarkChannel(b *testing.B) {
	ch := make(chan uint64, benchCapacity)
	twoThreads(b, func(n int) {
		for i := range n {
			ch <- uint64(i)
		}
	}, func(n int) (sum uint64) {
		for range n {
			sum += <-ch
		}
		return sum
	})
}

// One goroutine does both sides in turn: what the calls themselves cost, without any traffic
// between cores.
func BenchmarkOneThread(b *testing.B) {
	b.Run("SPSC/single", func(b *testing.B) {
		p, c, _ := NewSPSC[uint64](benchCapacity)
		sum := uint64(0)
		for i := range b.N {
			p.TryPush(uint64(i))
			v, _ := c.TryPop()
			sum += v
		}
		if n := uint64(b.N); sum != n*(n-1)/2 {
			b.Errorf("sum %d", sum)
		}
	})
	b.Run("MPMC/single", func(b *testing.B) {
		r, _ := NewMPMC[uint64](benchCapacity)
		sum := uint64(0)
		for i := range b.N {
			r.TryPush(uint64(i))
			v, _ := r.TryPop()
			sum += v
		}
		if n := uint64(b.N); sum != n*(n-1)/2 {
			b.Errorf("sum %d", sum)
		}
	})
	for _, burst := range []int{8, 64} {
		b.Run(fmt.Sprintf("SPSC/burst=%d", burst), func(b *testing.B) {
			p, c, _ := NewSPSC[uint64](benchCapacity)
			benchBurstsOneThread(b, p, c, burst)
		})
		b.Run(fmt.Sprintf("SPSC/burst=%d/inplace", burst), func(b *testing.B) {
			p, c, _ := NewSPSC[uint64](benchCapacity)
			sum := uint64(0)
			for i := 0; i < b.N; {
				first, second := p.Reserve(min(burst, b.N-i))
				for _, part := range [2][]uint64{first, second} {
					for k := range part {
						part[k] = uint64(i + k)
					}
					i += len(part)
				}
				p.Commit(len(first) + len(second))
				first, second = c.Peek(burst)
				for _, part := range [2][]uint64{first, second} {
					for _, v := range part {
						sum += v
					}
				}
				c.Advance(len(first) + len(second))
			}
			if n := uint64(b.N); sum != n*(n-1)/2 {
				b.Errorf("sum %d", sum)
			}
		})
		b.Run(fmt.Sprintf("MPMC/burst=%d", burst), func(b *testing.B) {
			r, _ := NewMPMC[uint64](benchCapacity)
			benchBurstsOneThread(b, r, r, burst)
		})
	}
}

func benchBurstsOneThread(b *testing.B, p interface{ PushBurst([]uint64) int }, c interface{ PopBurst([]uint64) int }, burst int) {
	vs, dst := make([]uint64, burst), make([]uint64, burst)
	sum := uint64(0)
	for i := 0; i < b.N; {
		vs = vs[:min(burst, b.N-i)]
		for k := range vs {
			vs[k] = uint64(i + k)
		}
		i += p.PushBurst(vs)
		for _, v := range dst[:c.PopBurst(dst)] {
			sum += v
		}
	}
	if n := uint64(b.N); sum != n*(n-1)/2 {
		b.Errorf("sum %d", sum)
	}
}

// Asleep and woken again, there and back: two sleeps and two wake-ups an operation.
func BenchmarkPingPong(b *testing.B) {
	there, back := newOne[uint64](1), newOne[uint64](1)
	done := newDone()
	go func() {
		defer close(done)
		for v := range there.c.All() {
			back.p.TryPush(v)
		}
	}()
	for i := range b.N {
		there.p.TryPush(uint64(i))
		if v, _ := back.c.Pop(context.Background()); v != uint64(i) {
			b.Fatalf("got %d, want %d", v, i)
		}
	}
	there.p.Close()
	<-done
}
