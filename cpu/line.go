// Cache lines: their size, and padding against false sharing.

package cpu

// CacheLineSize is the size in bytes of the unit in which cores exchange
// memory: 64 on amd64, 386, arm, riscv64, mips and loong64; 128 on arm64 (Apple's
// cores have 128, most others 64, and one binary runs on both) and ppc64; 256
// on s390x.
const CacheLineSize = cacheLineSize

// PadSize is the distance in bytes to keep between data that different cores
// write. It is never below 128: amd64's spatial prefetcher fetches lines in
// pairs (Intel 64 and IA-32 Optimization Reference Manual, "Data Prefetch to
// L2"), so that one line of distance is not enough there.
const PadSize = max(128, CacheLineSize)

// Pad keeps what stands before it and what stands behind it in a struct off
// each other's cache lines. It is meant as a blank field: _ cpu.Pad.
type Pad struct{ _ [PadSize]byte }

// Padded holds a value that shares no cache line with anything outside of it,
// wherever the Padded itself is placed: in an array, beside other fields, or
// at an address that is not aligned to a line.
//
// The zero Padded holds the zero T. Padded adds no synchronisation of its own.
type Padded[T any] struct {
	_     Pad
	Value T
	_     Pad
}
