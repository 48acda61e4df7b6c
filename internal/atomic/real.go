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
