//go:build !linux

// Pinning where there is no call for it.

package perf

// cores are those that a thread can be pinned to.
var cores []int

func setCore(int) (restore func()) { return func() {} }
