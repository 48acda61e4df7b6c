//go:build interleave

// Package atomic has the atomic types that Ringway's own algorithms use: those of sync/atomic, and
// under the build tag interleave those that the explorer of schedules controls.
package atomic

import "github.com/ringway-net/ringway/interleave"

type (
	// Bool is interleave's.
	Bool = interleave.Bool
	// Int32 is interleave's.
	Int32 = interleave.Int32
	// Int64 is interleave's.
	Int64 = interleave.Int64
	// Uint32 is interleave's.
	Uint32 = interleave.Uint32
	// Uint64 is interleave's.
	Uint64 = interleave.Uint64
	// Pointer is interleave's.
	Pointer[T any] = interleave.Pointer[T]
)
