// The checksum by which a run knows what came through.

package perf

import "fmt"

// CheckSum returns an error if sum is not that of the numbers from 1 to n. They begin with 1 since a lost 0 would not be missed;
// a sum alone is what the peers in other languages check too, and what costs next to nothing beside the fastest of queues.
func CheckSum(sum uint64, n int) error {
	if u := uint64(n); sum != u*(u+1)/2 {
		return fmt.Errorf("the payload is wrong: %d items come to %d, want %d", n, sum, u*(u+1)/2)
	}
	return nil
}
