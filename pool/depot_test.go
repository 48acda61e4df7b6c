package pool

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/testkit"
)

var counts = []int{1, 2, 63, 64, 65, 128, 200, 1000}

func newDepot(first, n int) *depot {
	d := new(depot)
	d.init(uint32(first), uint32(n), make([]atomic.Uint32, first+n))
	return d
}

// A depot against a set: whatever comes and goes, in whatever pieces, it has each slot once.
func TestDepotIsASet(t *testing.T) {
	r := testkit.Rand(t)
	for _, first := range []int{0, 77} {
		for _, n := range counts {
			d := newDepot(first, n)
			in := map[uint32]bool{}
			for i := range n {
				in[uint32(first+i)] = true
			}
			var out []uint32
			for range scaled(500) {
				want := r.IntN(n + 3)
				if r.IntN(2) == 0 {
					want = r.IntN(3)
				}
				dst := make([]uint32, want)
				got, _ := d.get(dst)
				if got != min(want, len(in)) {
					t.Fatalf("%d slots: asked for %d of %d, got %d", n, want, len(in), got)
				}
				for _, i := range dst[:got] {
					if !in[i] {
						t.Fatalf("%d slots: %d was not in it", n, i)
					}
					delete(in, i)
				}
				out = append(out, dst[:got]...)
				r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
				back := r.IntN(len(out) + 1)
				d.put(out[:back])
				for _, i := range out[:back] {
					in[i] = true
				}
				out = out[back:]
			}
		}
	}
}

// A pool and its caches against a set: each buffer is in one hand at a time, and a call gets what there is
// to be had by it. A cache takes magazineSize at a time, so what it has to itself is known only to be no more
// than CacheSize.
func TestPoolIsASet(t *testing.T) {
	r := testkit.Rand(t)
	for _, count := range counts {
		p := open(t, Config{Count: count, BufferSize: 64, HeapBuffers: None})
		caches := []*Cache{nil, p.NewCache(), p.NewCache(), p.NewCache()} // nil is the pool itself
		held := make([]int, len(caches))
		out := map[int]bool{}
		var mine []Buffer
		for range scaled(2000) {
			who := r.IntN(len(caches))
			c := caches[who]
			free := p.Free()
			n := 1 + r.IntN(min(count, 200)+2)
			dst := make([]Buffer, n)
			got := 0
			switch kind := r.IntN(6); kind {
			case 0, 1, 2:
				switch {
				case kind == 0:
					var err error
					if n = 1; c == nil {
						dst[0], err = p.Get()
					} else {
						dst[0], err = c.Get()
					}
					if err == nil {
						got = 1
					}
				case kind == 1 && c == nil:
					got = p.GetBurst(dst)
				case kind == 1:
					got = c.GetBurst(dst)
				case c == nil && p.GetBulk(dst) || c != nil && c.GetBulk(dst):
					got = n
				}
				if want := min(n, free+held[who]); got != want && !(kind == 2 && got == 0 && want < n) {
					t.Fatalf("%d buffers: asked for %d of %d, got %d", count, n, want, got)
				}
				for _, b := range dst[:got] {
					if out[b.Index()] || b.Index() >= count {
						t.Fatalf("%d buffers: %v is out already, or is none", count, b)
					}
					out[b.Index()] = true
				}
				mine = append(mine, dst[:got]...)
			default:
				r.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				back := mine[:min(n, len(mine))]
				mine = mine[len(back):]
				for _, b := range back {
					delete(out, b.Index())
				}
				switch {
				case kind == 3:
					for _, b := range back {
						b.Release()
					}
				case c == nil:
					p.PutBurst(back)
				case kind == 4:
					c.PutBurst(back)
				default:
					for _, b := range back {
						c.Put(b)
					}
				}
			}
			// What is neither out nor in the depot is in the caches, and only who was called can have changed its share.
			held[who] = count - p.Free() - len(out)
			for other := range caches {
				if other != who {
					held[who] -= held[other]
				}
			}
			if c == nil && held[who] != 0 || held[who] < 0 || held[who] > CacheSize {
				t.Fatalf("%d buffers: %d out, %d free, caches %v", count, len(out), p.Free(), held)
			}
		}
		p.PutBurst(mine)
		for _, c := range caches[1:] {
			c.Close()
		}
		whole(t, p)
	}
}

// Memory that was never used is touched last.
func TestDepotUsedFirst(t *testing.T) {
	d := newDepot(0, 1000)
	for _, n := range []int{1, 10, 64, 100, 300} {
		dst := make([]uint32, n)
		for range 10 {
			if got, _ := d.get(dst); got != n {
				t.Fatalf("%d of %d", got, n)
			}
			d.put(dst)
		}
		if used := int(d.fresh.Load()); used != n {
			t.Errorf("%d slots were used for %d at a time", used, n)
		}
	}
}

// Whole magazines stay whole for those who take single slots while there are loose ones.
func TestDepotKeepsMagazines(t *testing.T) {
	d := newDepot(0, 640)
	all := make([]uint32, 640)
	d.get(all)
	d.put(all)
	for range 64 {
		d.get(all[:1])
	}
	full := 0
	for {
		if _, ok := d.full.pop(); !ok {
			break
		}
		full++
	}
	if full != 9 {
		t.Errorf("64 single slots broke up %d of 10 magazines", 10-full)
	}
}

// All slots come back exactly once after N goroutines took and gave them in all ways there
// are; and while a goroutine has one, nobody else writes to it.
func TestOwnership(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	for _, count := range counts {
		t.Run(fmt.Sprint(count), func(t *testing.T) { ownership(t, count, 4, scaled(4000), seed) })
	}
}

func ownership(t *testing.T, count, workers, rounds int, seed uint64) {
	p := open(t, Config{Count: count, BufferSize: 64, Headroom: None, HeapBuffers: None})
	elsewhere := make(chan Buffer, 16) // some are released by others
	var g sync.WaitGroup
	for w := range workers {
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		g.Go(func() { own(t, p, r.IntN, uint32(w+1), rounds, elsewhere) })
	}
	g.Wait()
	close(elsewhere)
	for b := range elsewhere {
		b.Release()
	}
	if s := p.Stats(); s.InUse != 0 || s.Cached != 0 || s.HighWater > count {
		t.Errorf("%+v", s)
	}
	whole(t, p)
}

// own takes and gives buffers. Each has a stamp in its bytes while it is own's.
func own(t *testing.T, p *Pool, intn func(int) int, worker uint32, rounds int, elsewhere chan Buffer) {
	var c *Cache
	if worker%2 == 0 {
		c = p.NewCache()
		defer c.Close()
	}
	type owned struct {
		Buffer
		stamp [8]byte
	}
	var mine []owned
	turn := uint32(0)
	took := func(bs ...Buffer) {
		for _, b := range bs {
			turn++
			o := owned{b, [8]byte{byte(worker), byte(turn), byte(turn >> 8), byte(turn >> 16), 4, 5, 6, byte(b.Index())}}
			copy(must(o.AppendUnzeroed(8)), o.stamp[:])
			mine = append(mine, o)
		}
	}
	give := func(n int) (bs []Buffer) {
		for range n {
			i := intn(len(mine))
			o := mine[i]
			mine[i] = mine[len(mine)-1]
			mine = mine[:len(mine)-1]
			if [8]byte(o.Bytes()) != o.stamp {
				t.Errorf("worker %d: %v has stamp %v, not %v: two owners", worker, o.Buffer, o.Bytes(), o.stamp)
			}
			bs = append(bs, o.Buffer)
		}
		return bs
	}
	for range rounds {
		if t.Failed() {
			break
		}
		n := 1 + intn(100)
		dst := make([]Buffer, n)
		switch intn(6) {
		case 0:
			if b, err := p.Get(); err == nil {
				took(b)
			}
		case 1:
			took(dst[:p.GetBurst(dst)]...)
		case 2:
			if p.GetBulk(dst) {
				took(dst...)
			}
		case 3:
			if c != nil {
				if b, err := c.Get(); err == nil {
					took(b)
				}
			}
		case 4:
			if c != nil {
				took(dst[:c.GetBurst(dst)]...)
			}
		case 5:
			if c != nil && c.GetBulk(dst) {
				took(dst...)
			}
		}
		if len(mine) == 0 {
			continue
		}
		n = intn(len(mine) + 1)
		switch intn(5) {
		case 0:
			for _, b := range give(n) {
				b.Release()
			}
		case 1:
			p.PutBurst(give(n))
		case 2:
			if c != nil {
				for _, b := range give(n) {
					c.Put(b)
				}
			}
		case 3:
			if c != nil {
				c.PutBurst(give(n))
			}
		case 4:
			for _, b := range give(min(n, 3)) {
				select {
				case elsewhere <- b:
				case other := <-elsewhere:
					other.Release()
					b.Release()
				}
			}
		}
	}
	p.PutBurst(give(len(mine)))
}

// A get finds a slot if there always was one, however the others move theirs about: among
// the depot's three places none is missed. 4 workers hold 1 to 64 each, and while they take
// singly a magazine of each may be in their hands.
func TestNoFalseExhaustion(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	const workers, most = 4, 64
	p := open(t, Config{Count: workers*(most+magazineSize-1) + 1, BufferSize: 64, HeapBuffers: None})
	var g sync.WaitGroup
	for w := range workers {
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		g.Go(func() {
			dst := make([]Buffer, most)
			for range scaled(20000) {
				n := 1
				if w%2 == 0 {
					n = 1 + r.IntN(most)
				}
				if got := p.GetBurst(dst[:n]); got != n {
					t.Errorf("%d of %d though there were %d at least", got, n, n+1)
					n = got
				}
				if r.IntN(2) == 0 {
					p.PutBurst(dst[:n])
				} else {
					for _, b := range dst[:n] {
						b.Release()
					}
				}
			}
		})
	}
	g.Wait()
	whole(t, p)
}

// Exhausted and refilled again and again.
func TestExhaustion(t *testing.T) {
	for _, count := range counts {
		p := open(t, Config{Count: count, HeapBuffers: None})
		for range 3 {
			all := takeAll(t, p)
			if _, err := p.Get(); err != ErrExhausted {
				t.Fatalf("one more than %d: %v", count, err)
			}
			for i, b := range all {
				b.Release()
				all[i] = must(p.Get())
				if all[i].Index() != b.Index() {
					t.Fatalf("slot %d came, only %d is free", all[i].Index(), b.Index())
				}
			}
			if p.Free() != 0 {
				t.Errorf("%d free", p.Free())
			}
			p.PutBurst(all)
		}
	}
}

// The stack under the depot, by itself: concurrent pops and pushes, one and many.
func TestStackConcurrent(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	const n, workers = 70, 4
	s := stack{next: make([]atomic.Uint32, n)}
	for i := range uint32(n) {
		s.push(i)
	}
	var owner [n]atomic.Int32
	var g sync.WaitGroup
	for w := range int32(workers) {
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		g.Go(func() {
			buf := make([]uint32, 10)
			for range scaled(30000) {
				k := 0
				if r.IntN(2) == 0 {
					k = s.popAll(buf[:1+r.IntN(9)])
				} else if i, ok := s.pop(); ok {
					buf[0], k = i, 1
				}
				for _, i := range buf[:k] {
					if !owner[i].CompareAndSwap(0, w+1) {
						t.Errorf("%d has two owners", i)
					}
				}
				for _, i := range buf[:k] {
					owner[i].Store(0)
				}
				if r.IntN(2) == 0 {
					s.pushAll(buf[:k])
				} else {
					for _, i := range buf[:k] {
						s.push(i)
					}
				}
			}
		})
	}
	g.Wait()
	seen := map[uint32]bool{}
	for i, ok := s.pop(); ok; i, ok = s.pop() {
		seen[i] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d are left", len(seen), n)
	}
}

// The same, driven into the narrowest place: a magazine and a loose slot, of which the mover always has one and
// puts it back before it takes the other. So there is always one for the other goroutine,
// but now in one, now in another of the depot's places.
func TestDepotMovingSlots(t *testing.T) {
	testkit.Watchdog(t)
	d := newDepot(0, magazineSize+1)
	dst := make([]uint32, magazineSize)
	d.get(dst)
	loose := make([]uint32, 1)
	d.get(loose)
	d.put(dst) // the mover begins with the loose one in hand
	var over atomic.Bool
	var g sync.WaitGroup
	g.Go(func() {
		for !over.Load() {
			d.loose.push(loose[0])
			m, ok := d.full.pop()
			for ; !ok && !over.Load(); m, ok = d.full.pop() {
				runtime.Gosched()
			}
			if !ok {
				return
			}
			d.full.push(m)
			i, ok := d.loose.pop()
			for ; !ok && !over.Load(); i, ok = d.loose.pop() {
				runtime.Gosched()
			}
			if !ok {
				return
			}
			loose[0] = i
		}
	})
	missed := 0
	for range scaled(1_000_000) {
		n, _ := d.get(dst)
		if n == 0 {
			missed++
		}
		d.put(dst[:n])
	}
	over.Store(true)
	g.Wait()
	if missed > 0 {
		t.Errorf("none found %d times though there always was one", missed)
	}
}
