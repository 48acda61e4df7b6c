// Faults that packet pools have had. Each body runs twice: on the real thing, where it must
// find nothing, and on a small faulty variant, where it must find the fault every time.

package pool

import "testing"

// finds runs body on the real thing and on a variant. body says what it found, or nothing.
func finds[S any](t *testing.T, body func(t *testing.T, s S) string, real, variant func(t *testing.T) S) {
	t.Helper()
	if found := body(t, real(t)); found != "" {
		t.Errorf("the real one: %s", found)
	}
	found := body(t, variant(t))
	if found == "" {
		t.Error("the faulty variant was not found out")
	}
	t.Logf("the faulty variant: %s", found)
}

// caught runs f and reports whether it panicked: misuse that is caught is no fault.
func caught(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// ABA: a pop reads the top and the link below it, and is overtaken by others that pop
// both and push the first back. If it then goes by the link that it read, an element that has an
// owner is on the list again.

type abaList interface {
	push(uint32)
	pop() (uint32, bool)
	read() (old uint64, top, below uint32)
	swap(old uint64, below uint32) bool
}

type realList struct{ stack }

func (s *realList) read() (uint64, uint32, uint32) {
	old := s.head.Load()
	top, below := s.below(old)
	return old, top, below
}
func (s *realList) swap(old uint64, below uint32) bool { return s.replace(old, below) }

type untaggedList struct{ realList }

func (s *untaggedList) swap(old uint64, below uint32) bool {
	return s.head.CompareAndSwap(old, uint64(below))
}
func (s *untaggedList) pop() (uint32, bool) {
	for s.head.Load() != 0 {
		if old, top, below := s.read(); s.swap(old, below) {
			return top, true
		}
	}
	return 0, false
}

func TestFaultABA(t *testing.T) {
	body := func(t *testing.T, s abaList) string {
		for i := range uint32(4) {
			s.push(3 - i)
		}
		owned := map[uint32]bool{}
		own := func(i uint32) (two bool) { two = owned[i]; owned[i] = true; return two }
		old, a, below := s.read() // A looks: 0, and 1 below
		b1, _ := s.pop()
		b2, _ := s.pop() // B pops 0 and 1
		s.push(b1)       // and pushes 0 back
		own(b2)
		if !s.swap(old, below) { // A goes on
			a, _ = s.pop()
		}
		if own(a) {
			return "two owners of what A popped"
		}
		for i, ok := s.pop(); ok; i, ok = s.pop() {
			if own(i) {
				return "two owners of what was popped later"
			}
		}
		if len(owned) != 4 {
			return "elements lost"
		}
		return ""
	}
	finds(t, body,
		func(*testing.T) abaList { s := &realList{}; s.next = newDepot(0, 4).loose.next; return s },
		func(*testing.T) abaList { s := &untaggedList{}; s.next = newDepot(0, 4).loose.next; return s })
}

// An index was lost when the list of free ones looked full for a moment: a get that had stalled
// half-way still occupied its place, and a put that came meanwhile found no room.

type stallingList interface {
	get() (uint32, bool)
	put(uint32)
	stalledGet() (finish func() uint32) // stops in the middle
}

// stalledStack stalls between looking at the top and taking it.
type stalledStack struct{ realList }

func (s *stalledStack) get() (uint32, bool) { return s.pop() }
func (s *stalledStack) put(i uint32)        { s.push(i) }
func (s *stalledStack) stalledGet() func() uint32 {
	old, top, below := s.read()
	return func() uint32 {
		if !s.swap(old, below) {
			top, _ = s.pop()
		}
		return top
	}
}

// stalledDepot stalls with its whole magazine in hand, which is worse.
type stalledDepot struct{ *depot }

func (d stalledDepot) get() (uint32, bool) {
	var one [1]uint32
	n, _ := d.depot.get(one[:])
	return one[0], n == 1
}
func (d stalledDepot) put(i uint32) { d.depot.put([]uint32{i}) }
func (d stalledDepot) stalledGet() func() uint32 {
	m, ok := d.full.pop()
	if !ok {
		i, _ := d.get()
		return func() uint32 { return i }
	}
	return func() uint32 { // the rest of what depot.get does
		d.loose.pushAll(d.magazines[m][1:])
		i := d.magazines[m][0]
		d.empty.push(m)
		return i
	}
}

// fullRing is Vyukov's bounded ring, of two free indices; a put that finds it full drops
// its index, for what else could it do.
type fullRing struct {
	seq, item  [2]uint32
	head, tail uint32
}

func (r *fullRing) stalledGet() func() uint32 {
	at := r.head
	r.head++ // claimed
	return func() uint32 {
		i := r.item[at%2]
		r.seq[at%2] = at + 2 // freed
		return i
	}
}
func (r *fullRing) get() (uint32, bool) {
	if r.seq[r.head%2] != r.head+1 {
		return 0, false
	}
	return r.stalledGet()(), true
}
func (r *fullRing) put(i uint32) {
	if r.seq[r.tail%2] == r.tail {
		r.item[r.tail%2], r.seq[r.tail%2] = i, r.tail+1
		r.tail++
	}
}

func TestFaultIndexLostWhenFullForAMoment(t *testing.T) {
	body := func(t *testing.T, s stallingList) string {
		finish := s.stalledGet()
		if i, ok := s.get(); ok {
			s.put(i)
		}
		s.put(finish())
		left := 0
		for _, ok := s.get(); ok; _, ok = s.get() {
			left++
		}
		if left%2 != 0 {
			return "an index is gone for ever"
		}
		return ""
	}
	ring := func(*testing.T) stallingList {
		r := &fullRing{seq: [2]uint32{0, 1}}
		r.put(0)
		r.put(1)
		return r
	}
	finds(t, body, func(*testing.T) stallingList {
		s := &stalledStack{}
		s.next = newDepot(0, 2).loose.next
		s.push(0)
		s.push(1)
		return s
	}, ring)
	finds(t, body, func(*testing.T) stallingList {
		d := newDepot(0, 128)
		all := make([]uint32, 128)
		d.get(all)
		d.put(all)
		return stalledDepot{d}
	}, ring)
}

// The number of references was ignored by the way back: the first holder's release freed a
// shared buffer. And: a double release made two owners. And: a buffer went to another pool.

type lender interface {
	get() (x int, ok bool)
	retain(x int)
	release(x int)
}

// realLender lends p's buffers under the numbers of their slots.
type realLender struct {
	p   *Pool
	out map[int]Buffer
}

func (l realLender) get() (int, bool) {
	b, err := l.p.Get()
	if err == nil {
		l.out[b.Index()] = b
	}
	return b.Index(), err == nil
}
func (l realLender) retain(x int)  { l.out[x].Retain(1) }
func (l realLender) release(x int) { l.out[x].Release() }

// listLender keeps a list of free numbers and believes what it is told.
type listLender struct{ free []int }

func (l *listLender) get() (x int, ok bool) {
	if len(l.free) == 0 {
		return 0, false
	}
	x, l.free = l.free[0], l.free[1:]
	return x, true
}
func (l *listLender) retain(int)    {}
func (l *listLender) release(x int) { l.free = append(l.free, x) }

func lenders(count int) (real, variant func(t *testing.T) lender) {
	return func(t *testing.T) lender {
			return realLender{open(t, Config{Count: count, HeapBuffers: None}), map[int]Buffer{}}
		}, func(*testing.T) lender {
			l := &listLender{}
			for i := range count {
				l.free = append(l.free, i)
			}
			return l
		}
}

func TestFaultRefcountIgnored(t *testing.T) {
	real, variant := lenders(1)
	finds(t, func(_ *testing.T, l lender) string {
		x, _ := l.get()
		l.retain(x)
		l.release(x)
		if y, ok := l.get(); ok {
			return "handed out while its second owner has it: " + string(rune('0'+y))
		}
		l.release(x)
		if _, ok := l.get(); !ok {
			return "the last release does not give it back"
		}
		l.release(x)
		return ""
	}, real, variant)
}

func TestFaultDoubleFree(t *testing.T) {
	real, variant := lenders(1)
	finds(t, func(_ *testing.T, l lender) string {
		x, _ := l.get()
		l.release(x)
		if !caught(func() { l.release(x) }) {
			_, one := l.get()
			_, two := l.get()
			if one && two {
				return "two owners of one buffer"
			}
			return "a double release passes unnoticed"
		}
		if _, ok := l.get(); !ok {
			return "the double release took the buffer away"
		}
		if _, ok := l.get(); ok {
			return "two owners of one buffer"
		}
		l.release(x)
		return ""
	}, real, variant)
}

type twoPools interface {
	get(pool int) (x int, ok bool)
	put(pool, x int)
}

type realPools struct {
	p   [2]*Pool
	out *[]Buffer
}

func (r realPools) get(pool int) (int, bool) {
	b, err := r.p[pool].Get()
	*r.out = append(*r.out, b)
	return len(*r.out) - 1, err == nil
}
func (r realPools) put(pool, x int) { r.p[pool].PutBurst([]Buffer{(*r.out)[x]}) }

type listPools [2]*listLender

func (l listPools) get(pool int) (int, bool) { return l[pool].get() }
func (l listPools) put(pool, x int)          { l[pool].release(x) }

func TestFaultFreedIntoAnotherPool(t *testing.T) {
	finds(t, func(_ *testing.T, s twoPools) string {
		mine, _ := s.get(0)
		theirs, _ := s.get(1)
		caught(func() { s.put(1, mine) })
		if _, ok := s.get(1); ok {
			return "the other pool lends what is not its own"
		}
		s.put(0, mine)
		s.put(1, theirs)
		for pool := range 2 {
			x, ok := s.get(pool)
			if !ok {
				return "a pool has lost its buffer"
			}
			s.put(pool, x)
		}
		return ""
	}, func(t *testing.T) twoPools {
		c := Config{Count: 1, HeapBuffers: None}
		return realPools{[2]*Pool{open(t, c), open(t, c)}, new([]Buffer)}
	}, func(*testing.T) twoPools {
		return listPools{{free: []int{0}}, {free: []int{0}}}
	})
}

// The last owner's bytes were shown to the next: a length was set without a look at what lay
// there.

type grower interface {
	fill(with byte) // one owner comes, writes everywhere, and goes
	take()          // the next comes
	grow(how, n int) []byte
	leave()
}

type realGrower struct {
	p *Pool
	b Buffer
}

func (g *realGrower) take() { g.b = must(g.p.Get()) }
func (g *realGrower) fill(with byte) {
	g.take()
	must(g.b.Prepend(g.b.Headroom()))
	must(g.b.Append(g.b.Tailroom()))
	for i := range g.b.Bytes() {
		g.b.Bytes()[i] = with
	}
	g.leave()
}
func (g *realGrower) leave() { g.b.Release() }
func (g *realGrower) grow(how, n int) []byte {
	switch how {
	case 0:
		must(g.b.Append(n))
	case 1:
		must(g.b.Prepend(n))
	case 2:
		must(g.b.Append(n))
		must(0, g.b.TrimBack(n))
		must(0, g.b.SetLen(n))
	default:
		must(0, g.b.SetLen(n))
	}
	return g.b.Bytes()
}

// clampGrower's set_len believes its caller.
type clampGrower struct {
	mem [64]byte
}

func (g *clampGrower) fill(with byte) {
	for i := range g.mem {
		g.mem[i] = with
	}
}
func (g *clampGrower) take()                {}
func (g *clampGrower) leave()               {}
func (g *clampGrower) grow(_, n int) []byte { return g.mem[:min(n, len(g.mem))] }

func TestFaultStaleBytes(t *testing.T) {
	finds(t, func(_ *testing.T, g grower) string {
		for how := range 4 {
			g.fill(0xEE)
			g.take()
			frame := g.grow(how, 50)
			if len(frame) != 50 {
				return "another length"
			}
			for _, c := range frame {
				if c != 0 {
					return "the last owner's bytes show"
				}
			}
			g.leave()
		}
		return ""
	}, func(t *testing.T) grower {
		return &realGrower{p: open(t, Config{Count: 1, BufferSize: 64, Headroom: 64})}
	}, func(*testing.T) grower { return &clampGrower{} })
}

// A batch of more than 64 panicked, for its indices went by way of an array of 64.

type batcher interface {
	get(n int) []int
	put(xs []int)
}

type realBatcher struct {
	get_ func([]Buffer) int
	put_ func([]Buffer)
	out  *[]Buffer
}

func (r realBatcher) get(n int) (xs []int) {
	*r.out = make([]Buffer, n)
	*r.out = (*r.out)[:r.get_(*r.out)]
	for _, b := range *r.out {
		xs = append(xs, b.Index())
	}
	return xs
}
func (r realBatcher) put([]int) { r.put_(*r.out) }

type arrayBatcher struct{ listLender }

func (l *arrayBatcher) get(n int) []int {
	var indices [64]int
	for i := range n {
		indices[i], _ = l.listLender.get()
	}
	return append([]int(nil), indices[:n]...)
}
func (l *arrayBatcher) put(xs []int) {
	for _, x := range xs {
		l.release(x)
	}
}

func TestFaultBatchOver64(t *testing.T) {
	const count = 1000
	_, variant := lenders(count)
	body := func(_ *testing.T, s batcher) (found string) {
		for _, n := range []int{64, 65, 200, 1000} {
			var xs []int
			if caught(func() { xs = s.get(n) }) {
				return "a large batch panics"
			}
			seen := map[int]bool{}
			for _, x := range xs {
				seen[x] = true
			}
			if len(seen) != n {
				return "a large batch is not all there"
			}
			if caught(func() { s.put(xs) }) {
				return "a large batch can't be given back"
			}
		}
		return ""
	}
	bulk := func(get func([]Buffer) bool) func([]Buffer) int {
		return func(dst []Buffer) int {
			if !get(dst) {
				return 0
			}
			return len(dst)
		}
	}
	for _, kind := range []string{"Pool, burst", "Pool, bulk", "Cache, burst", "Cache, bulk"} {
		t.Run(kind, func(t *testing.T) {
			finds(t, body, func(t *testing.T) batcher {
				p := open(t, Config{Count: count, HeapBuffers: None})
				c := p.NewCache()
				t.Cleanup(c.Close)
				return map[string]batcher{
					"Pool, burst":  realBatcher{p.GetBurst, p.PutBurst, new([]Buffer)},
					"Pool, bulk":   realBatcher{bulk(p.GetBulk), p.PutBurst, new([]Buffer)},
					"Cache, burst": realBatcher{c.GetBurst, c.PutBurst, new([]Buffer)},
					"Cache, bulk":  realBatcher{bulk(c.GetBulk), c.PutBurst, new([]Buffer)},
				}[kind]
			}, func(t *testing.T) batcher { return &arrayBatcher{*variant(t).(*listLender)} })
		})
	}
}
