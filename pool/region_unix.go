//go:build unix && !race && !interleave && !linux

// The region by mmap, without huge pages.

package pool

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func mapRegion(size int, huge bool) (region, error) {
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return region{}, fmt.Errorf("mmap of %d bytes: %w", size, err)
	}
	what := "mmap, normal pages"
	if huge {
		what += " (huge pages are not asked for on this system)"
	}
	return region{mem: mem, what: what, unmap: func() error { return unix.Munmap(mem) }}, nil
}
