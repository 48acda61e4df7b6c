// Hints to the processor: waiting politely, and fetching ahead.

package cpu

import "unsafe"

// MaxPause is the most rounds that one call of Pause makes, so that a call is
// over in microseconds: assembly is not preempted by the scheduler, and a
// garbage collection would have to wait for it.
const MaxPause = 1024

// MaxPrefetch is the most bytes that one call of PrefetchWriteRange asks for.
const MaxPrefetch = 4096

// Pause makes the calling core wait for n rounds without touching memory,
// and gives its resources to a sibling hyperthread meanwhile. A round is one
// PAUSE on amd64 and 386 (about 40 to 140 cycles on Intel since Skylake, 1 to 65 on
// AMD), one ISB on arm64 (tens of cycles; YIELD does nothing on most arm64 cores),
// and one turn of an empty loop elsewhere. n above MaxPause counts as MaxPause;
// zero returns at once.
//
// Use it between two looks at memory that another core will change. It never
// yields to the Go scheduler: whoever waits longer than some microseconds must
// call runtime.Gosched or park.
func Pause(n uint32) {
	pause(min(n, MaxPause))
}

// PrefetchRead asks for the cache line at p to be brought near, to be read
// soon: PREFETCHT0 on amd64 and 386, PRFM PLDL1KEEP on arm64, nothing elsewhere. It is
// only a hint: p may be nil or point anywhere, and nothing faults.
//
// A Go compiler can't inline assembly, so a call costs one to two nanoseconds. It
// pays for lines that come from memory or from another core (tens of
// nanoseconds each) when they are asked for several items ahead; for lines
// that are in a cache already it is a loss. docs/performance.md has figures.
func PrefetchRead(p unsafe.Pointer) { prefetchRead(p) }

// PrefetchWrite is PrefetchRead for a line that will be written soon: it asks
// for the line to be owned (PREFETCHW on amd64, PRFM PSTL1KEEP on arm64). On
// 386 it is PrefetchRead, since not all of them have PREFETCHW.
func PrefetchWrite(p unsafe.Pointer) { prefetchWrite(p) }

// PrefetchWriteRange is PrefetchWrite for all lines of the n bytes at p, in one call. Of more than
// MaxPrefetch bytes it asks for the first ones only: a processor has no more than some dozens of
// lines on their way at a time.
func PrefetchWriteRange(p unsafe.Pointer, n uintptr) { prefetchWriteRange(p, min(n, MaxPrefetch)) }
