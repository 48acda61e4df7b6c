//go:build !interleave

// Package atomic has the atomic types that Ringway's own algorithms use: those of sync/atomic, and
// under the build tag interleave those that the explorer of schedules controls.
package atomic

import "sync/atomic"

type (
	// Bool is sync/atomic's.
	Bool = atomic.Bool
	// Int32 is sync/atomic's.
	Int32 = atomic.Int32
	// Int64 is sync/atomic's.
	Int64 = atomic.Int64
	// Uint32 is sync/atomic's.
	Uint32 = atomic.Uint32
	// Uint64 is sync/atomic's.
	Uint64 = atomic.Uint64
	// Pointer is sync/atomic's.
	Pointer[T any] = atomic.Pointer[T]
)

// bodies uses every method that the compiler can inline. What it knows of a package that is imported by
// way of another one is what the other one uses, and without this each Load in Ringway
// would be a call. TestShimsCostNothing holds it.
func bodies(a *Bool, b *Int32, c *Int64, d *Uint32, e *Uint64, f *Pointer[int]) {
	a.Store(a.Load() && a.Swap(true) && a.CompareAndSwap(false, true))
	b.Store(b.Load() + b.Swap(0) + b.Add(1) + b.And(1) + b.Or(1))
	c.Store(c.Load() + c.Swap(0) + c.Add(1) + c.And(1) + c.Or(1))
	d.Store(d.Load() + d.Swap(0) + d.Add(1) + d.And(1) + d.Or(1))
	e.Store(e.Load() + e.Swap(0) + e.Add(1) + e.And(1) + e.Or(1))
	f.Store(f.Swap(f.Load()))
	_ = b.CompareAndSwap(0, 1) && c.CompareAndSwap(0, 1) && d.CompareAndSwap(0, 1) && e.CompareAndSwap(0, 1) && f.CompareAndSwap(nil, nil)
}

var _ = bodies
