//go:build interleave

// Package sync has the locks and the one way to sleep that Ringway's own algorithms use: those of the
// standard library, and under the build tag interleave those that the explorer of
// schedules controls.
package sync

import "github.com/ringway-net/ringway/interleave"

type (
	// Mutex is interleave's.
	Mutex = interleave.Mutex
	// Once is interleave's.
	Once = interleave.Once
	// Pool is interleave's.
	Pool = interleave.Pool
	// Token is interleave's.
	Token = interleave.Token
)

// NewToken returns a Token that is not there yet.
func NewToken() Token { return Token{} }
