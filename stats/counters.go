// Counters: the set of shards, and those who read it.

package stats

import (
	"slices"

	"github.com/ringway-net/ringway/internal/sync"
)

// Counters is a set of counters that many workers write, each to a Shard of
// its own, and that anybody may read. All its methods may be called from any goroutine;
// they take a lock among themselves that no worker takes while it counts or
// publishes. The zero Counters is empty and ready. A Counters must not be copied.
type Counters struct {
	mu       sync.Mutex
	shards   []*Shard // the open ones
	retired  Snapshot // the sum of the closed ones, ever
	baseline Snapshot // what Reset last saw; subtracted from what readers see
}

// New returns an empty set of counters.
func New() *Counters { return new(Counters) }

// NewShard adds a shard for a worker and returns it, all zero. The worker closes
// it when it ends. A shard that is never closed stays in the set (about 3 KiB)
// with what it has published.
func (c *Counters) NewShard() *Shard {
	s := newShard(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shards = append(c.shards, s)
	return s
}

// Snapshot returns what all shards have counted and published since the start or
// the last Reset, the closed shards included. The package comment says how the
// counters of one snapshot hang together.
func (c *Counters) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.sum()
	now.combine(&c.baseline, wrappingSub)
	return now
}

// Reset makes later snapshots start again from zero. It returns what Snapshot would
// have returned at that moment, so that nothing is lost between the two.
// It touches no shard: it remembers what has been counted, and Snapshot subtracts it.
//
// Reset is for all readers of the set. One of several readers better keeps a
// snapshot of its own and uses Snapshot.Delta.
func (c *Counters) Reset() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.sum()
	last := now
	last.combine(&c.baseline, wrappingSub)
	c.baseline = now
	return last
}

// sum adds up everything ever published. The caller holds c.mu, which makes it
// the one reader of each shard.
func (c *Counters) sum() Snapshot {
	sum := c.retired
	for _, s := range c.shards {
		sum.combine(s.read(), wrappingAdd)
	}
	return sum
}

// retire moves a shard's final counts into the set, in one step for readers.
func (c *Counters) retire(s *Shard, final *Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retired.combine(final, wrappingAdd)
	i := slices.Index(c.shards, s)
	c.shards = slices.Delete(c.shards, i, i+1)
}
