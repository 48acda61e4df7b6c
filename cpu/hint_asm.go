//go:build amd64 || 386 || arm64

// Hints to the processor, where they are instructions.

package cpu

import "unsafe"

//go:noescape
func pause(n uint32)

//go:noescape
func prefetchRead(p unsafe.Pointer)

//go:noescape
func prefetchWrite(p unsafe.Pointer)

//go:noescape
func prefetchWriteRange(p unsafe.Pointer, n uintptr)
