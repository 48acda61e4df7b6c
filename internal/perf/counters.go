// Works of counters: packets and bytes counted and made visible, 64 packets at once or each by itself.

package perf

import (
	"fmt"

	"github.com/ringway-net/ringway/stats"
)

func counterWorks() []Work {
	return CounterWorks(Ours, func() Counter {
		all := stats.New()
		s := all.NewShard()
		return Counter{
			Bursts: func(n int) {
				for range n {
					s.Rx(64, 64*64)
					s.Publish()
				}
			},
			// Published once in 64 packets, as a worker does that looks at each of a burst.
			Singles: func(n int) {
				for i := range n {
					s.Rx(1, 64)
					if i%64 == 63 {
						s.Publish()
					}
				}
				s.Publish()
			},
			Read: func() (packets, bytes uint64) {
				now := all.Snapshot()
				return now.RxPackets, now.RxBytes
			},
		}
	})
}

// Counter is what counts packets and bytes, made for one run.
type Counter struct {
	Bursts  func(n int) // counts n bursts, of 64 packets of 64 bytes each
	Singles func(n int) // counts n packets of 64 bytes, each by itself
	Read    func() (packets, bytes uint64)
}

// CounterWorks returns the works of counting.
func CounterWorks(impl string, open func() Counter) []Work {
	work := func(name string, count func(c Counter, n int)) Work {
		return Alone(name, impl, func() (func(n int) error, func() error) {
			c := open()
			return func(n int) error {
				count(c, n)
				if packets, bytes := c.Read(); packets != uint64(n) || bytes != uint64(n)*64 {
					return fmt.Errorf("the counters are wrong: %d packets and %d bytes, want %d packets of 64", packets, bytes, n)
				}
				return nil
			}, nothing
		})
	}
	return []Work{
		work("counters/64", func(c Counter, n int) {
			c.Bursts(n / 64)
			c.Singles(n % 64)
		}),
		work("counters/single", func(c Counter, n int) { c.Singles(n) }),
	}
}
