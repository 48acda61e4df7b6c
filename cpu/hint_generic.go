//go:build !amd64 && !386 && !arm64

// Stand-ins for the hints, where the processor has no such instruction or
// nobody has measured it.

package cpu

import "unsafe"

// pause spends a few cycles a round in the calling core's registers.
//
//go:noinline
func pause(n uint32) {
	for ; n != 0; n-- {
	}
}

func prefetchRead(unsafe.Pointer)  {}
func prefetchWrite(unsafe.Pointer) {}

func prefetchWriteRange(unsafe.Pointer, uintptr) {}
