// The types on their own: what sync/atomic and sync do, they do.

package interleave

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// both runs f outside of an exploration, and by the only thread of one.
func both(t *testing.T, f func(t *testing.T)) {
	t.Run("outside", f)
	t.Run("inside", func(t *testing.T) {
		if _, err := Check(Options{}, func(r *Run) { r.Go("only", func() { f(t) }) }); err != nil {
			t.Error(err)
		}
	})
}

// integer is what both Int and sync/atomic's integers are.
type integer[T Integer] interface {
	Load() T
	Store(T)
	Add(T) T
	And(T) T
	Or(T) T
	Swap(T) T
	CompareAndSwap(old, v T) bool
}

// compareInts does the same to both, and wants the same of both.
func compareInts[T Integer](t *testing.T, rnd *rand.Rand, got, want integer[T]) {
	for range 300 {
		v := T(rnd.Uint64())
		old := want.Load()
		if rnd.IntN(2) == 0 {
			old = v
		}
		var a, b T
		kind := rnd.IntN(6)
		switch kind {
		case 0:
			got.Store(v)
			want.Store(v)
		case 1:
			a, b = got.Add(v), want.Add(v)
		case 2:
			a, b = got.And(v), want.And(v)
		case 3:
			a, b = got.Or(v), want.Or(v)
		case 4:
			a, b = got.Swap(v), want.Swap(v)
		case 5:
			if g, w := got.CompareAndSwap(old, v), want.CompareAndSwap(old, v); g != w {
				t.Fatalf("CompareAndSwap(%v, %v): %v, want %v", old, v, g, w)
			}
		}
		if a != b || got.Load() != want.Load() {
			t.Fatalf("operation %d of %v: %v and then %v, want %v and %v", kind, v, a, got.Load(), b, want.Load())
		}
	}
}

func TestInts(t *testing.T) {
	rnd := testkit.Rand(t)
	both(t, func(t *testing.T) {
		compareInts(t, rnd, new(Int32), new(atomic.Int32))
		compareInts(t, rnd, new(Int64), new(atomic.Int64))
		compareInts(t, rnd, new(Uint32), new(atomic.Uint32))
		compareInts(t, rnd, new(Uint64), new(atomic.Uint64))
	})
}

func TestBool(t *testing.T) {
	rnd := testkit.Rand(t)
	both(t, func(t *testing.T) {
		var got Bool
		var want atomic.Bool
		for range 200 {
			v, old := rnd.IntN(2) == 0, rnd.IntN(2) == 0
			var a, b bool
			switch rnd.IntN(3) {
			case 0:
				got.Store(v)
				want.Store(v)
			case 1:
				a, b = got.Swap(v), want.Swap(v)
			case 2:
				a, b = got.CompareAndSwap(old, v), want.CompareAndSwap(old, v)
			}
			if a != b || got.Load() != want.Load() {
				t.Fatalf("%v and then %v, want %v and %v", a, got.Load(), b, want.Load())
			}
		}
	})
}

func TestPointer(t *testing.T) {
	rnd := testkit.Rand(t)
	both(t, func(t *testing.T) {
		to := []*int{nil, new(int), new(int)}
		var got Pointer[int]
		var want atomic.Pointer[int]
		for range 200 {
			v, old := to[rnd.IntN(3)], to[rnd.IntN(3)]
			var same bool
			switch rnd.IntN(3) {
			case 0:
				got.Store(v)
				want.Store(v)
				same = true
			case 1:
				same = got.Swap(v) == want.Swap(v)
			case 2:
				same = got.CompareAndSwap(old, v) == want.CompareAndSwap(old, v)
			}
			if !same || got.Load() != want.Load() {
				t.Fatalf("%p, want %p", got.Load(), want.Load())
			}
		}
	})
}

func TestTryLock(t *testing.T) {
	both(t, func(t *testing.T) {
		var m Mutex
		for range 2 {
			if !m.TryLock() || m.TryLock() {
				t.Error("a Mutex is not locked by TryLock, or twice")
			}
			m.Unlock()
			m.Lock()
			if m.TryLock() {
				t.Error("what Lock has locked, TryLock locks")
			}
			m.Unlock()
		}
	})
}

// together runs f in 8 goroutines.
func together(f func(i int)) {
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func TestGoroutines(t *testing.T) {
	testkit.Watchdog(t)
	const rounds = 500
	var x Int64
	var m Mutex
	var o Once
	count, once := 0, 0
	together(func(int) {
		for range rounds {
			x.Add(1)
			if !m.TryLock() {
				m.Lock()
			}
			count++
			m.Unlock()
			o.Do(func() { once++ })
		}
	})
	if x.Load() != 8*rounds || count != 8*rounds || once != 1 {
		t.Errorf("%d added, %d counted, %d times once", x.Load(), count, once)
	}

	// A ball goes round; who has it may write.
	var balls [8]Token
	throws := 0
	balls[0].Give()
	together(func(i int) {
		for range rounds {
			balls[i].Take(nil)
			throws++
			balls[(i+1)%8].Give()
		}
	})
	if throws != 8*rounds || balls[0].Len() != 1 || balls[1].Len() != 0 {
		t.Errorf("%d throws", throws)
	}

	// A flag is waited for.
	var ready Bool
	seen := 0
	together(func(i int) {
		if i == 7 {
			seen++
			ready.Store(true)
		}
		for !ready.Load() {
			Yield()
		}
		if seen != 1 {
			t.Error("not seen")
		}
	})
}

func TestToken(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	if new(Token).Take(closed) {
		t.Error("taken, and was not there")
	}
	both(t, func(t *testing.T) {
		var k Token
		for range 2 {
			k.Give()
			if k.Len() != 1 || !k.Take(nil) || k.Len() != 0 {
				t.Error("not taken")
			}
		}
	})
}

func TestOnceThatPanics(t *testing.T) {
	both(t, func(t *testing.T) {
		var o Once
		func() {
			defer func() { recover() }()
			o.Do(func() { panic("oops") })
		}()
		o.Do(func() { t.Error("twice") })
	})
}

func TestPool(t *testing.T) {
	p := Pool{New: func() any { return 7 }}
	p.Put(8)
	if p.Get() != 7 || new(Pool).Get() != nil {
		t.Error("Get is not New")
	}
}
