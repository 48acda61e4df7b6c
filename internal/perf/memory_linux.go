// Resident memory on Linux.

package perf

import (
	"fmt"
	"os"
)

// resident returns how many bytes of the process are in memory, and whether that is known.
func resident() (bytes float64, known bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	var size, pages float64
	_, err = fmt.Sscan(string(text), &size, &pages)
	return pages * float64(os.Getpagesize()), err == nil
}
