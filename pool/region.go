// The region: the memory of all buffers of a pool, outside of the Go heap.

package pool

import "os"

// region is one piece of memory. what tells how it was had.
type region struct {
	mem   []byte
	what  string
	unmap func() error
}

// newRegion maps size bytes. With huge, huge pages are tried first; failing to get them
// is told in what, not an error.
func newRegion(size int, huge, prefault bool) (region, error) {
	r, err := mapRegion(size, huge)
	if err == nil && prefault {
		for i := 0; i < len(r.mem); i += os.Getpagesize() {
			r.mem[i] = 0
		}
	}
	return r, err
}
