// The types outside of an exploration, where they must do what the standard library's do.

package interleave

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// sameAs calls random methods of two atomics with the same arguments, which must return the same.
func sameAs(t *testing.T, ours, theirs any, argument func() reflect.Value) {
	t.Helper()
	rnd := testkit.Rand(t)
	a, b := reflect.ValueOf(ours), reflect.ValueOf(theirs)
	if a.NumMethod() != b.NumMethod() {
		t.Errorf("%d methods, want %d", a.NumMethod(), b.NumMethod())
	}
	for range 5000 {
		m := b.Type().Method(rnd.IntN(b.NumMethod())).Name
		var in []reflect.Value
		for range b.MethodByName(m).Type().NumIn() {
			in = append(in, argument())
		}
		got, want := a.MethodByName(m).Call(in), b.MethodByName(m).Call(in)
		if len(got) != len(want) || len(got) > 0 && got[0].Interface() != want[0].Interface() {
			t.Fatalf("%s(%v) = %v, want %v", m, in, got, want)
		}
	}
}

func TestTypesAreThoseOfSyncAtomic(t *testing.T) {
	n := 0
	small := func() int { n++; return n * 7 % 5 }
	sameAs(t, new(Int32), new(atomic.Int32), func() reflect.Value { return reflect.ValueOf(int32(small() - 2)) })
	sameAs(t, new(Int64), new(atomic.Int64), func() reflect.Value { return reflect.ValueOf(int64(small() - 2)) })
	sameAs(t, new(Uint32), new(atomic.Uint32), func() reflect.Value { return reflect.ValueOf(uint32(small())) })
	sameAs(t, new(Uint64), new(atomic.Uint64), func() reflect.Value { return reflect.ValueOf(uint64(small())) })
	sameAs(t, new(Uintptr), new(atomic.Uintptr), func() reflect.Value { return reflect.ValueOf(uintptr(small())) })
	sameAs(t, new(Bool), new(atomic.Bool), func() reflect.Value { return reflect.ValueOf(small()%2 == 0) })
	some := [2]int{}
	sameAs(t, new(Pointer[int]), new(atomic.Pointer[int]), func() reflect.Value { return reflect.ValueOf(&some[small()%2]) })
}

// With real goroutines: atomic, exclusive, handed over, once.
func TestTypesOutside(t *testing.T) {
	var x Int64
	var m Mutex
	var once Once
	var there, taken Token
	plain, first := 0, 0
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for range 1000 {
				x.Add(1)
				m.Lock()
				plain++
				m.Unlock()
			}
			once.Do(func() { first++ })
		})
	}
	g.Go(func() {
		for range 1000 {
			there.Give()
			taken.Take(nil)
		}
	})
	for range 1000 {
		if !there.Take(nil) {
			t.Fatal("not taken")
		}
		taken.Give()
	}
	g.Wait()
	if x.Load() != 8000 || plain != 8000 || first != 1 || there.Len() != 0 {
		t.Errorf("%d added, %d counted, %d times once, %d tokens", x.Load(), plain, first, there.Len())
	}
	done := make(chan struct{})
	close(done)
	if there.Take(done) {
		t.Error("taken out of nothing")
	}
	Yield() // nothing
	Write(&plain)
	p := Pool{New: func() any { return 1 }}
	if p.Put(2); p.Get() != 1 || new(Pool).Get() != nil {
		t.Error("Pool")
	}
}
