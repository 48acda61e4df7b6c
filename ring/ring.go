// What the two kinds of ring share: limits, errors, and how slots are laid out.

package ring

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/park"
)

const (
	// DefaultCapacity is a capacity that suits packet handles: deep enough for
	// 64 bursts of 64, and 64 KiB of memory in an SPSC ring of 16-byte items.
	DefaultCapacity = 4096

	// MaxCapacity is the largest capacity of a ring, in items.
	MaxCapacity = 1 << 30

	// DefaultBurst is the number of items that a burst has by convention: large
	// enough that what is paid once a burst does not matter any more, small
	// enough that a burst of packets stays in the first-level cache.
	DefaultBurst = 64
)

// ErrClosed is what a waiting call returns when the ring was closed, by either
// end: to a producer at once, to a consumer when nothing is left in the ring.
var ErrClosed = errors.New("ring: closed")

// ErrCapacity is wrapped by the error that a constructor returns for a capacity
// outside of 1..MaxCapacity.
var ErrCapacity = errors.New("ring: capacity out of range")

// noCopy makes go vet report a copy of what has it in it: a copy of an end would have
// positions of its own, on the same slots.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

func checkCapacity(capacity int) error {
	if capacity < 1 || capacity > MaxCapacity {
		return fmt.Errorf("%w: %d, want 1 to %d", ErrCapacity, capacity, MaxCapacity)
	}
	return nil
}

// newSlots allocates n slots with a pad's worth of slots at both ends, so that no
// neighbour on the heap shares a line with them.
func newSlots[S any](n int) []S {
	var s S
	pad := 0
	if size := int(unsafe.Sizeof(s)); size > 0 {
		pad = (cpu.PadSize + size - 1) / size
	}
	return make([]S, n+2*pad)[pad : pad+n : pad+n]
}

// hasPointers reports whether values of T keep other memory alive, so that a
// slot must be cleared once its item has been taken out.
func hasPointers[T any]() bool {
	return pointers(reflect.TypeFor[T]())
}

func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Array:
		return t.Len() > 0 && pointers(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if pointers(f.Type) {
				return true
			}
		}
		return false
	}
	return true
}

// clampLen makes a length out of two positions that were not read at one moment:
// the difference may by then be more than the ring ever held, or negative.
func clampLen(d int64, capacity int) int {
	return int(max(0, min(d, int64(capacity))))
}

// bodies uses what the compiler can inline of the packages below. A ring's methods are compiled in the package that
// uses the ring, and there the compiler knows only those bodies of theirs that ring uses outside of generic
// code: without this each Load and each Wake would be a call. TestUsersInline holds it.
func bodies(l *park.List, a *atomic.Uint32, b *atomic.Uint64) {
	l.Wake(1)
	l.WakeAll()
	if !l.Waiting() {
		a.Or(a.Load())
		b.Store(b.Or(b.Load()))
		b.CompareAndSwap(0, 1)
	}
}

var _ = bodies
