// Stats: what a pool says about itself.

package pool

import "time"

// Stats is a moment of a pool. Counts are of buffers.
type Stats struct {
	Capacity int // in the region
	InUse    int // of the region, out and not idle in a Cache
	// Cached is how many of the region are idle in Caches. Each says so at its last burst or exchange
	// with the depot: single Gets and Puts since, up to 128, are missing here and in InUse (to
	// say so each time would double their cost).
	Cached int

	// Lent is how many of those in use are lent to devices, such as the queues of a network card: a shared
	// one is counted as often as it was lent.
	Lent int

	// HighWater is the most of the region that was ever out, with what was idle in Caches.
	HighWater int

	HeapInUse     int    // on the Go heap and out, wrapped ones too
	HeapFallbacks uint64 // CopyIns that went to the heap, since the pool was made
	// Failed is the calls that returned ErrExhausted, and the GetBulks that returned false, since
	// the pool was made. A burst that came up short is not counted, nor is waiting.
	Failed uint64

	// Oldest is how long the oldest tracked buffer has been out, and OldestAt where it
	// was taken. Zero without Config.Track.
	Oldest   time.Duration
	OldestAt string

	Memory      string // how the region was had: its pages, and why no better ones
	MemoryBytes int    // the region's size; what of it is resident grows with use
}

// Stats returns a moment of the pool. Its figures are read one after the other, and the
// buffers go on moving.
func (p *Pool) Stats() Stats {
	s := Stats{
		Capacity:      p.config.Count,
		HighWater:     int(min(p.highWater.Load(), int64(p.count))),
		HeapInUse:     int(p.heap.out.Load()),
		HeapFallbacks: p.fallbacks.Load(),
		Failed:        p.failed.Load(),
		Lent:          int(p.lent.Load()),
		Memory:        p.region.what,
		MemoryBytes:   len(p.region.mem),
	}
	p.mu.Lock()
	for c := range p.caches {
		s.Cached += int(c.idle.Load())
	}
	p.mu.Unlock()
	s.InUse = max(0, s.Capacity-p.Free()-s.Cached)
	s.Oldest, s.OldestAt = p.track.oldest()
	return s
}
