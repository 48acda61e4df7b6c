// Many goroutines at once, with an owner stamped on each item as in DPDK's ring stress test: each item
// is pushed once, popped once, and in the order of its producer.

package ring

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/ringway-net/ringway/cpu"
)

// A stressItem names its producer and is the seq-th of it.
type stressItem struct {
	producer, seq uint32
	check         uint64
}

func (i *stressItem) sum() uint64 { return uint64(i.producer)<<40 ^ uint64(i.seq)*0x9e3779b97f4a7c15 }

// stress moves perProducer items of each producer through q, and checks them. how pushes and pops is
// said by mode.
type stress struct {
	q                    queue[stressItem]
	producers, consumers int
	perProducer          int
	mode                 string // try, burst, bulk, wait, cancel
	seed                 uint64

	owner  [][]atomic.Uint32 // 0 nobody, 1 in the ring, 2 popped
	popped atomic.Int64
}

func (s *stress) run(t *testing.T) {
	s.owner = make([][]atomic.Uint32, s.producers)
	for i := range s.owner {
		s.owner[i] = make([]atomic.Uint32, s.perProducer)
	}
	var producers, consumers sync.WaitGroup
	for id := range s.producers {
		producers.Go(func() { s.produce(t, uint32(id), rand.New(rand.NewPCG(s.seed, uint64(id)))) })
	}
	for id := range s.consumers {
		consumers.Go(func() { s.consume(t, rand.New(rand.NewPCG(s.seed, uint64(id+100)))) })
	}
	producers.Wait()
	s.q.Close()
	consumers.Wait()
	if got, want := s.popped.Load(), int64(s.producers*s.perProducer); got != want {
		t.Errorf("%d items popped, want %d", got, want)
	}
	for p := range s.owner {
		for seq := range s.owner[p] {
			if o := s.owner[p][seq].Load(); o != 2 {
				t.Fatalf("item %d of producer %d: owner %d at the end", seq, p, o)
			}
		}
	}
	if s.q.Len() != 0 || s.q.Free() != s.q.Cap() {
		t.Errorf("at rest: Len %d, Free %d", s.q.Len(), s.q.Free())
	}
}

// patience returns a context that ends by itself after a random while, from at once to far too late.
func patience(rnd *rand.Rand) (context.Context, context.CancelFunc) {
	if rnd.IntN(8) == 0 {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx, cancel
	}
	return context.WithTimeout(context.Background(), time.Duration(rnd.IntN(300))*time.Microsecond)
}

func (s *stress) produce(t *testing.T, id uint32, rnd *rand.Rand) {
	make_ := func(seq int) stressItem {
		v := stressItem{producer: id, seq: uint32(seq)}
		v.check = v.sum()
		if !s.owner[id][seq].CompareAndSwap(0, 1) {
			t.Errorf("item %d of producer %d made twice", seq, id)
		}
		return v
	}
	for seq := 0; seq < s.perProducer; {
		switch s.mode {
		case "try":
			for v := make_(seq); !s.q.TryPush(v); {
				runtime.Gosched()
			}
			seq++
		case "burst", "bulk":
			n := min(1+rnd.IntN(2*s.q.Cap()), s.perProducer-seq)
			if s.mode == "bulk" {
				n = min(n, s.q.Cap())
			}
			vs := make([]stressItem, n)
			for i := range vs {
				vs[i] = make_(seq + i)
			}
			seq += n
			for len(vs) > 0 {
				k := 0
				if s.mode == "burst" {
					k = s.q.PushBurst(vs)
				} else if s.q.PushBulk(vs) {
					k = len(vs)
				}
				if vs = vs[k:]; k == 0 {
					runtime.Gosched()
				}
			}
		case "wait":
			if err := s.q.Push(context.Background(), make_(seq)); err != nil {
				t.Errorf("Push: %v", err)
			}
			seq++
		case "cancel":
			v := make_(seq)
			for {
				ctx, cancel := patience(rnd)
				err := s.q.Push(ctx, v)
				cancel()
				if err == nil {
					break
				}
				if err == ErrClosed {
					t.Errorf("Push: %v", err)
					return
				}
			}
			seq++
		}
	}
}

func (s *stress) consume(t *testing.T, rnd *rand.Rand) {
	next := make([]uint32, s.producers) // what came from each producer, to this consumer, must grow
	take := func(vs ...stressItem) {
		for i := range vs {
			v := &vs[i]
			if v.check != v.sum() || int(v.producer) >= s.producers || int(v.seq) >= s.perProducer {
				t.Errorf("garbage: %+v", *v)
				continue
			}
			if v.seq < next[v.producer] {
				t.Errorf("item %d of producer %d after item %d", v.seq, v.producer, next[v.producer]-1)
			}
			next[v.producer] = v.seq + 1
			if !s.owner[v.producer][v.seq].CompareAndSwap(1, 2) {
				t.Errorf("item %d of producer %d popped twice or before it was pushed", v.seq, v.producer)
			}
		}
		s.popped.Add(int64(len(vs)))
	}
	for {
		switch s.mode {
		case "try":
			closed := s.q.Closed() // before the look: closed and then empty is drained
			if v, ok := s.q.TryPop(); ok {
				take(v)
			} else if closed {
				return
			} else {
				runtime.Gosched()
			}
		case "burst", "bulk":
			closed := s.q.Closed()
			dst := make([]stressItem, 1+rnd.IntN(2*s.q.Cap()))
			n := 0
			if s.mode == "burst" {
				n = s.q.PopBurst(dst)
			} else if dst = dst[:min(len(dst), s.q.Cap())]; s.q.PopBulk(dst) {
				n = len(dst)
			} else if closed {
				n = s.q.PopBurst(dst)
			}
			take(dst[:n]...)
			if n == 0 {
				if closed {
					return
				}
				runtime.Gosched()
			}
		case "wait":
			v, err := s.q.Pop(context.Background())
			if err != nil {
				return
			}
			take(v)
		case "cancel":
			ctx, cancel := patience(rnd)
			v, err := s.q.Pop(ctx)
			cancel()
			if err == nil {
				take(v)
			} else if err == ErrClosed {
				return
			}
		}
	}
}

func TestStress(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	for _, mode := range []string{"try", "burst", "bulk", "wait", "cancel"} {
		items := map[string]int{"try": 8000, "burst": 20000, "bulk": 8000, "wait": 8000, "cancel": 2000}[mode]
		items = testkit.Scale(items)
		if raceDetector {
			items /= 4
		}
		for _, capacity := range []int{1, 2, 7, 64} {
			t.Run(fmt.Sprintf("SPSC/%s/capacity=%d", mode, capacity), func(t *testing.T) {
				s := stress{q: newOne[stressItem](capacity), producers: 1, consumers: 1, perProducer: items, mode: mode, seed: seed}
				s.run(t)
			})
			for _, n := range [][2]int{{1, 1}, {1, 4}, {4, 1}, {2, 2}, {3, 4}} {
				t.Run(fmt.Sprintf("MPMC/%s/capacity=%d/%dP%dC", mode, capacity, n[0], n[1]), func(t *testing.T) {
					s := stress{q: newMany[stressItem](capacity), producers: n[0], consumers: n[1], perProducer: items / n[0], mode: mode, seed: seed}
					s.run(t)
				})
			}
		}
	}
}

// boxed has a pointer to each item in a ring: what the collector must find there, and must not find any
// more once it was popped.
type boxed struct{ queue[*stressItem] }

func box(vs []stressItem) (ps []*stressItem) {
	for _, v := range vs {
		ps = append(ps, &v)
	}
	return ps
}

func unbox(dst []stressItem, ps []*stressItem) int {
	for i, p := range ps {
		dst[i] = *p
		*p = stressItem{} // who had it too would find garbage
	}
	return len(ps)
}

func (b boxed) TryPush(v stressItem) bool                    { return b.queue.TryPush(&v) }
func (b boxed) PushBurst(vs []stressItem) int                { return b.queue.PushBurst(box(vs)) }
func (b boxed) PushBulk(vs []stressItem) bool                { return b.queue.PushBulk(box(vs)) }
func (b boxed) Push(ctx context.Context, v stressItem) error { return b.queue.Push(ctx, &v) }

func (b boxed) TryPop() (v stressItem, ok bool) {
	p, ok := b.queue.TryPop()
	if ok {
		v = *p
	}
	return v, ok
}

func (b boxed) Pop(ctx context.Context) (v stressItem, err error) {
	p, err := b.queue.Pop(ctx)
	if err == nil {
		v = *p
	}
	return v, err
}

func (b boxed) PopBurst(dst []stressItem) int {
	ps := make([]*stressItem, len(dst))
	return unbox(dst, ps[:b.queue.PopBurst(ps)])
}

func (b boxed) PopBulk(dst []stressItem) bool {
	ps := make([]*stressItem, len(dst))
	return b.queue.PopBulk(ps) && unbox(dst, ps) == len(dst)
}

// The same with pointers, under a collector that never rests, with fewer and with more goroutines than processors.
func TestStressHard(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	items := testkit.Scale(600)
	if raceDetector {
		items /= 3
	}
	for _, procs := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			testkit.Hard(t, procs)
			for _, mode := range []string{"try", "burst", "bulk", "wait", "cancel"} {
				for _, capacity := range []int{1, 7} {
					one := stress{q: boxed{newOne[*stressItem](capacity)}, producers: 1, consumers: 1, perProducer: items, mode: mode, seed: seed}
					one.run(t)
					for _, n := range [][2]int{{1, 1}, {2, 1}, {5, 4}} {
						many := stress{q: boxed{newMany[*stressItem](capacity)}, producers: n[0], consumers: n[1], perProducer: items / n[0], mode: mode, seed: seed}
						many.run(t)
					}
				}
			}
		})
	}
}

func TestStressWithoutPreemption(t *testing.T) {
	testkit.WithoutPreemption(t, "^TestStress(Hard|InPlace|PushEvict)$")
}

// In place, with waiting: the lengths that both sides ask for are random.
func TestStressInPlace(t *testing.T) {
	testkit.Watchdog(t)
	rnd := testkit.Rand(t)
	items := testkit.Scale(100000)
	if raceDetector {
		items /= 5
	}
	for _, capacity := range []int{1, 2, 7, 64} {
		p, c, _ := NewSPSC[int](capacity)
		seed := rnd.Uint64()
		go func() {
			rnd := rand.New(rand.NewPCG(seed, 1))
			defer p.Close()
			for next := 0; next < items; {
				a, b, err := p.ReserveWait(context.Background(), 1+rnd.IntN(2*capacity))
				if err != nil || len(a) == 0 {
					t.Errorf("reserved %d and %d, %v", len(a), len(b), err)
					return
				}
				n := min(1+rnd.IntN(len(a)+len(b)), items-next)
				for i := range n {
					if i < len(a) {
						a[i] = next + i
					} else {
						b[i-len(a)] = next + i
					}
				}
				p.Commit(n)
				next += n
			}
		}()
		want := 0
		for {
			a, b, err := c.PeekWait(context.Background(), 1+rnd.IntN(2*capacity))
			if err != nil {
				break
			}
			if len(a) == 0 {
				t.Fatal("peeked at nothing")
			}
			n := 1 + rnd.IntN(len(a)+len(b))
			for i, v := range append(a, b...)[:n] {
				if v != want+i {
					t.Fatalf("got %d, want %d", v, want+i)
				}
			}
			c.Advance(n)
			want += n
		}
		if want != items {
			t.Errorf("%d items, want %d", want, items)
		}
	}
}

// PushEvict by several, with a slow reader: each item is either evicted or read, once, and of
// each producer the items come out in order.
func TestStressPushEvict(t *testing.T) {
	testkit.Watchdog(t)
	items := testkit.Scale(5000)
	if raceDetector {
		items /= 2
	}
	for _, capacity := range []int{1, 4, 64} {
		const producers = 3
		r := newMany[int](capacity)
		seen := make([]atomic.Int32, producers*items)
		var wg sync.WaitGroup
		for p := range producers {
			wg.Go(func() {
				for i := range items {
					for !r.PushEvict(p*items+i, func(v int) { seen[v].Add(1) }) {
						runtime.Gosched() // hidden for a moment
					}
				}
			})
		}
		done := newDone()
		go func() { wg.Wait(); r.Close(); close(done) }()
		var last [producers]int
		for v := range r.All() {
			seen[v].Add(1)
			if p := v / items; v < last[p] {
				t.Errorf("%d after %d", v, last[p])
			} else {
				last[p] = v
			}
			runtime.Gosched()
		}
		<-done
		for v := range seen {
			if n := seen[v].Load(); n != 1 {
				t.Fatalf("capacity %d: item %d seen %d times", capacity, v, n)
			}
		}
	}
}

// False never means a lost race: with room for all, every push of every goroutine succeeds at once, and with
// items for all, every pop does.
func TestNobodyLosesARace(t *testing.T) {
	testkit.Watchdog(t)
	const workers, each = 4, 5000
	for range 5 {
		r := newMany[int](workers * each)
		for _, op := range []struct {
			name string
			try  func() bool
		}{
			{"TryPush", func() bool { return r.TryPush(1) }},
			{"TryPop", func() bool { _, ok := r.TryPop(); return ok }},
			{"PushBulk", func() bool { return r.PushBulk([]int{1}) }},
			{"PopBulk", func() bool { return r.PopBulk(make([]int, 1)) }},
		} {
			var refused atomic.Int32
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for range each {
						if !op.try() {
							refused.Add(1)
						}
					}
				})
			}
			wg.Wait()
			if n := refused.Load(); n != 0 {
				t.Fatalf("%s: %d of %d refused", op.name, n, workers*each)
			}
		}
	}
}

// One item at a time to a consumer that has nothing else to do, at every moment of its way to sleep: a
// lost wake-up leaves both waiting for ever.
func TestWakeAtEveryMoment(t *testing.T) {
	testkit.Watchdog(t)
	rounds := 40000
	if raceDetector {
		rounds = 4000
	}
	kinds(t, func(t *testing.T, make func(int) queue[int]) {
		q := make(1)
		var answer atomic.Int64
		done := newDone()
		go func() {
			defer close(done)
			for {
				v, err := q.Pop(context.Background())
				if err != nil {
					return
				}
				answer.Store(int64(v))
			}
		}()
		for i := 1; i <= rounds; i++ {
			for range i % 300 { // a wait spins for about 150 of these before it sleeps
				cpu.Pause(1)
			}
			if !q.TryPush(i) {
				t.Fatal("no room")
			}
			for answer.Load() != int64(i) {
				runtime.Gosched()
			}
		}
		q.Close()
		<-done
	})
}
