// Fetching ahead: a producer's core asks for the lines that it will write next.
//
// An atomic store is a full fence on amd64 (XCHG): it waits until all earlier stores have got
// their cache lines, and those of a ring's slots are with the consumer's core, which has read them last. So the
// lines of the next burst are asked for before this one is published, and have come when they are needed.

package ring

import (
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
)

const (
	minFetch = 512  // bytes: fewer at a time are not worth the call
	maxFetch = 1024 // more have left the cache again when it is their turn
)

// slotsOf returns how many slots take up the given bytes, at least 1; a power of two if bytes is one.
func slotsOf[T any](bytes uintptr) uint64 {
	var v T
	return max(1, uint64(bytes)/cpu.NextPowerOfTwo(max(1, uint64(unsafe.Sizeof(v)))))
}

// fetch asks for the lines of slots, the first maxFetch bytes of them.
func fetch[T any](slots []T) {
	var v T
	cpu.PrefetchWriteRange(unsafe.Pointer(unsafe.SliceData(slots)), min(uintptr(len(slots))*unsafe.Sizeof(v), maxFetch))
}
