//go:build !linux

package vswitch

import "runtime"

// yield lets other goroutines have the processor that wait for it: of other threads Go does not know here.
func yield() { runtime.Gosched() }
