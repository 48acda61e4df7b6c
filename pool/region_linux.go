//go:build !race && !interleave

// The region by mmap on Linux: reserved huge pages if asked for, else transparent ones,
// else normal ones.

package pool

import (
	"fmt"

	"golang.org/x/sys/unix"
)

const hugePage = 2 << 20

func mapRegion(size int, huge bool) (region, error) {
	const prot = unix.PROT_READ | unix.PROT_WRITE
	const flags = unix.MAP_ANONYMOUS | unix.MAP_PRIVATE | unix.MAP_NORESERVE
	what := "mmap, normal pages"
	if huge {
		// NORESERVE is left out: with it a missing huge page would be a SIGBUS later
		// instead of an error now.
		whole := (size + hugePage - 1) / hugePage * hugePage
		mem, err := unix.Mmap(-1, 0, whole, prot, unix.MAP_ANONYMOUS|unix.MAP_PRIVATE|unix.MAP_HUGETLB|21<<unix.MAP_HUGE_SHIFT)
		if err == nil {
			return region{mem: mem[:size:size], what: "mmap, 2 MiB pages", unmap: func() error { return unix.Munmap(mem) }}, nil
		}
		what = fmt.Sprintf("mmap, normal pages (no 2 MiB pages: %v; %d are needed in vm.nr_hugepages)", err, whole/hugePage)
	}
	mem, err := unix.Mmap(-1, 0, size, prot, flags)
	if err != nil {
		return region{}, fmt.Errorf("mmap of %d bytes: %w", size, err)
	}
	if huge {
		if err := unix.Madvise(mem, unix.MADV_HUGEPAGE); err == nil {
			what = "mmap, transparent huge pages where the kernel has them" + what[len("mmap, normal pages"):]
		}
	}
	return region{mem: mem, what: what, unmap: func() error { return unix.Munmap(mem) }}, nil
}
