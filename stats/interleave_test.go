//go:build interleave

// The triple buffer under every schedule.

package stats

import (
	"testing"

	"github.com/ringway-net/ringway/interleave"
)

// A reader sees whole bursts, never less than before, and at the end all of it.
func TestInterleaveTripleBuffer(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		c := New()
		s := c.NewShard()
		r.Go("worker", func() {
			for range 3 {
				s.Rx(1, 10)
				s.Publish()
			}
		})
		r.Go("reader", func() {
			var last uint64
			for range 3 {
				n := c.Snapshot()
				if n.RxBytes != 10*n.RxPackets || n.RxPackets < last {
					r.Errorf("%d packets of %d bytes, after %d", n.RxPackets, n.RxBytes, last)
				}
				last = n.RxPackets
			}
		})
		r.After(func() {
			if n := c.Snapshot(); n.RxPackets != 3 {
				r.Errorf("%d packets at the end", n.RxPackets)
			}
		})
	})
}

// Two readers, and a worker that closes its shard meanwhile: nothing is counted twice or lost.
func TestInterleaveCloseShard(t *testing.T) {
	interleave.Explore(t, interleave.Options{}, func(r *interleave.Run) {
		c := New()
		s := c.NewShard()
		r.Go("worker", func() {
			s.Rx(1, 10)
			s.Publish()
			s.Rx(1, 10)
			s.Close()
		})
		for range 2 {
			r.Go("reader", func() {
				if n := c.Snapshot(); n.RxBytes != 10*n.RxPackets || n.RxPackets > 2 {
					r.Errorf("%d packets of %d bytes", n.RxPackets, n.RxBytes)
				}
			})
		}
		r.After(func() {
			if n := c.Snapshot(); n.RxPackets != 2 {
				r.Errorf("%d packets at the end", n.RxPackets)
			}
		})
	})
}
