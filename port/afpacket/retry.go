//go:build linux

// ENOBUFS: the kernel has no room now, and nobody tells when it has.

package afpacket

import "time"

const (
	retryEvery = 100 * time.Microsecond
	retryFor   = 20 * time.Millisecond
)

// retry bounds how long a frame is tried again. Once the time is over, frames are dropped until one goes.
type retry struct {
	since time.Time // zero if the last frame went
}

// again reports whether to try once more, a little later.
func (r *retry) again() bool {
	if r.since.IsZero() {
		r.since = time.Now()
	}
	return time.Since(r.since) < retryFor
}

func (r *retry) over() { r.since = time.Time{} }
