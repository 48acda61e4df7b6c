//go:build linux && !race

// What a pool costs before it is used. Linux alone tells which pages are resident; under
// the race detector the region is on the Go heap.

package pool

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// resident returns how many bytes of mem are in memory.
func resident(t *testing.T, mem []byte) int {
	t.Helper()
	page := os.Getpagesize()
	pages := make([]byte, (len(mem)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(mem))), uintptr(len(mem)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		t.Fatalf("mincore: %v", errno)
	}
	n := 0
	for _, p := range pages {
		n += int(p & 1)
	}
	return n * page
}

// New touches nothing, and then only what is used is there. (A huge page, where the kernel
// gives them unasked, is 2 MiB.)
func TestMemoryUntouched(t *testing.T) {
	p := open(t, Config{})
	if n := resident(t, p.region.mem); n != 0 {
		t.Errorf("New made %d of %d bytes resident", n, len(p.region.mem))
	}
	for range 10000 { // the same buffer again and again
		b := must(p.CopyIn([]byte("frame")))
		b.Release()
	}
	if n := resident(t, p.region.mem); n == 0 || n > 2<<20 {
		t.Errorf("one buffer at a time made %d bytes resident", n)
	}
}

func TestMemoryPrefault(t *testing.T) {
	p := open(t, Config{Count: 1000, Prefault: true})
	if n := resident(t, p.region.mem); n < len(p.region.mem) {
		t.Errorf("Prefault made %d of %d bytes resident", n, len(p.region.mem))
	}
}
