// Powers of two: rings are as long as one, so that a mask makes a counter an
// index.

package cpu

import "math/bits"

// IsPowerOfTwo reports whether n is a power of two. Zero is none.
func IsPowerOfTwo(n uint64) bool {
	return n != 0 && n&(n-1) == 0
}

// NextPowerOfTwo returns the smallest power of two that is at least n: 1 for
// 0 and 1, n itself when it is one. There is none in 64 bits for n above 1<<63:
// the result is 0 then, which no smaller n gives.
func NextPowerOfTwo(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}
