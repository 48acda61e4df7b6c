//go:build race || interleave || !(unix || windows)

// The region on the Go heap: where there is no mmap, and under the race detector,
// which doesn't see memory that the runtime has not allocated.

package pool

import (
	"os"
	"unsafe"
)

func mapRegion(size int, _ bool) (region, error) {
	page := os.Getpagesize()
	mem := make([]byte, size+page)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))) & (page - 1)
	return region{
		mem:   mem[skip : skip+size : skip+size],
		what:  "Go heap",
		unmap: func() error { return nil },
	}, nil
}
