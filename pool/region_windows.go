//go:build windows && !race && !interleave

// The region by VirtualAlloc.

package pool

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func mapRegion(size int, huge bool) (region, error) {
	addr, err := windows.VirtualAlloc(0, uintptr(size), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return region{}, fmt.Errorf("VirtualAlloc of %d bytes: %w", size, err)
	}
	what := "VirtualAlloc, normal pages"
	if huge {
		what += " (huge pages are not asked for on this system)"
	}
	return region{
		// The address is not the Go heap's, so nothing moves or frees what it points to.
		mem:   unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), size),
		what:  what,
		unmap: func() error { return windows.VirtualFree(addr, 0, windows.MEM_RELEASE) },
	}, nil
}
