// The atomic types: those of sync/atomic, with a step of the schedule before each operation.

package interleave

import (
	"sync"
	"unsafe"
)

// Integer is what atomic integers can be of.
type Integer interface {
	~int32 | ~int64 | ~uint32 | ~uint64 | ~uintptr
}

// Int is an atomic integer. The zero Int is 0 and ready; it must not be copied.
type Int[T Integer] struct {
	_ noCopy
	l loc
	v T
}

// The names of sync/atomic.
type (
	Int32   = Int[int32]
	Int64   = Int[int64]
	Uint32  = Int[uint32]
	Uint64  = Int[uint64]
	Uintptr = Int[uintptr]
)

// noCopy lets go vet find copies.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// outside is held by operations while nothing is explored, which makes them atomic.
var outside sync.Mutex

// atomically does f as one operation. f returns its value, whether it wrote, and whether it
// succeeded.
func atomically(l *loc, o op, argument uint64, f func() (value uint64, wrote, ok bool)) {
	e := current.Load()
	if e == nil {
		outside.Lock()
		f()
		outside.Unlock()
		return
	}
	o.loc, o.second = e.locate(l), -1
	t := e.step(o)
	value, wrote, ok := f()
	if t == nil {
		return
	}
	at := &e.locs[o.loc]
	if o.kind != opStore {
		t.sync.join(&at.release)
	}
	if wrote {
		e.publish(t, &at.release)
	}
	e.did(t, wrote, value, argument, ok)
}

// publish makes what t has done happen before whoever synchronizes with c.
func (e *execution) publish(t *thread, c *clock) {
	t.sync[t.id]++
	*c = t.sync
}

// Load returns the value.
func (x *Int[T]) Load() (v T) {
	atomically(&x.l, op{kind: opLoad}, 0, func() (uint64, bool, bool) {
		v = x.v
		return uint64(v), false, true
	})
	return v
}

// Store sets the value.
func (x *Int[T]) Store(v T) {
	atomically(&x.l, op{kind: opStore, writes: true}, uint64(v), func() (uint64, bool, bool) {
		x.v = v
		return 0, true, true
	})
}

func (x *Int[T]) update(name string, argument T, f func(old T) T) (old T) {
	atomically(&x.l, op{kind: opUpdate, writes: true, name: name}, uint64(argument), func() (uint64, bool, bool) {
		old = x.v
		x.v = f(old)
		return uint64(old), true, true
	})
	return old
}

// Add adds delta and returns the new value.
func (x *Int[T]) Add(delta T) T {
	return x.update("Add", delta, func(old T) T { return old + delta }) + delta
}

// And makes the value old & mask and returns the old one.
func (x *Int[T]) And(mask T) T { return x.update("And", mask, func(old T) T { return old & mask }) }

// Or makes the value old | mask and returns the old one.
func (x *Int[T]) Or(mask T) T { return x.update("Or", mask, func(old T) T { return old | mask }) }

// Swap sets the value and returns the old one.
func (x *Int[T]) Swap(v T) T { return x.update("Swap", v, func(T) T { return v }) }

// CompareAndSwap sets the value to v if it is old, and reports whether it was.
func (x *Int[T]) CompareAndSwap(old, v T) (ok bool) {
	atomically(&x.l, op{kind: opCompare, writes: true}, uint64(v), func() (uint64, bool, bool) {
		if ok = x.v == old; ok {
			x.v = v
		}
		return uint64(old), ok, ok
	})
	return ok
}

// Bool is an atomic boolean. The zero Bool is false and ready; it must not be copied.
type Bool struct{ x Uint32 }

func number(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// Load returns the value.
func (b *Bool) Load() bool { return b.x.Load() != 0 }

// Store sets the value.
func (b *Bool) Store(v bool) { b.x.Store(number(v)) }

// Swap sets the value and returns the old one.
func (b *Bool) Swap(v bool) bool { return b.x.Swap(number(v)) != 0 }

// CompareAndSwap sets the value to v if it is old, and reports whether it was.
func (b *Bool) CompareAndSwap(old, v bool) bool { return b.x.CompareAndSwap(number(old), number(v)) }

// Pointer is an atomic pointer. The zero Pointer is nil and ready; it must not be copied.
type Pointer[T any] struct {
	_ noCopy
	l loc
	v *T
}

func address[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// Load returns the pointer.
func (x *Pointer[T]) Load() (v *T) {
	atomically(&x.l, op{kind: opLoad}, 0, func() (uint64, bool, bool) {
		v = x.v
		return address(v), false, true
	})
	return v
}

// Store sets the pointer.
func (x *Pointer[T]) Store(v *T) {
	atomically(&x.l, op{kind: opStore, writes: true}, address(v), func() (uint64, bool, bool) {
		x.v = v
		return 0, true, true
	})
}

// Swap sets the pointer and returns the old one.
func (x *Pointer[T]) Swap(v *T) (old *T) {
	atomically(&x.l, op{kind: opUpdate, writes: true, name: "Swap"}, address(v), func() (uint64, bool, bool) {
		old, x.v = x.v, v
		return address(old), true, true
	})
	return old
}

// CompareAndSwap sets the pointer to v if it is old, and reports whether it was.
func (x *Pointer[T]) CompareAndSwap(old, v *T) (ok bool) {
	atomically(&x.l, op{kind: opCompare, writes: true}, address(v), func() (uint64, bool, bool) {
		if ok = x.v == old; ok {
			x.v = v
		}
		return address(old), ok, ok
	})
	return ok
}
