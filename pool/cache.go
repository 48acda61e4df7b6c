// Cache: one worker's private stock of buffers.

package pool

import (
	"fmt"
	"runtime"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
)

// CacheSize is the most buffers that one Cache holds. A pool must have that many for each
// of its caches beside those that are in use at a time, or workers may find it exhausted while
// others have buffers idle.
const CacheSize = 2 * magazineSize

// Cache is one worker's private stock of free buffers: the one that was put back last, and is warm,
// comes out first, and no other goroutine is met but once in 64 buffers.
//
// A Cache belongs to one goroutine at a time; two at once are a race, and
// reported as one. The buffers themselves are like any other: whoever has one may
// release it, through any Cache of the pool or none. Its worker closes it.
//
// It must not be copied, which go vet reports: both copies would hand out the same buffers, which panics
// at the second one. The zero Cache panics when it is used, a nil one is a nil dereference.
type Cache struct {
	_ cpu.Pad
	p *Pool
	// free is the stock, a stack in store; nil once the Cache is closed, which sends every
	// operation to the slow path.
	free   []uint32
	store  [CacheSize]uint32
	madeAt string
	// idle is len(free) as others may see it: when the depot was last met, or at the
	// end of the last burst.
	idle atomic.Int32
	_    cpu.Pad
}

// NewCache makes a Cache for one worker. It holds nothing yet, and of a pool that was closed it never
// will: its calls say ErrClosed, and it has to be closed as any other.
func (p *Pool) NewCache() *Cache {
	p.made()
	c := &Cache{p: p, madeAt: "?"}
	c.free = c.store[:0]
	if _, file, line, ok := runtime.Caller(1); ok {
		c.madeAt = fmt.Sprintf("%s:%d", file, line)
	}
	p.mu.Lock()
	p.caches[c] = struct{}{}
	p.mu.Unlock()
	return c
}

// Pool returns the pool that c is a cache of.
func (c *Cache) Pool() *Pool { return c.p }

// Owns reports whether b is of this cache's pool, dead or alive. Put and PutBurst take no other.
func (c *Cache) Owns(b Buffer) bool { return b.slot&^slotMask == c.p.id }

// Get takes a buffer, as Pool.Get does.
func (c *Cache) Get() (Buffer, error) {
	// This is lend for the most frequent case, over again: a third of the time.
	if last := len(c.free) - 1; last >= 0 && c.p.track == nil {
		i, p := c.free[last], c.p
		if s := &p.slots[i]; s.gen&1 == 0 {
			c.free = c.free[:last]
			gen := s.gen + 1
			s.gen = gen
			if interleave.On {
				interleave.Write(&s.gen)
			}
			return Buffer{slot: p.id | i, gen: gen, off: p.headroom}, nil
		}
	}
	return c.get()
}

// get is Get for all other cases.
func (c *Cache) get() (Buffer, error) {
	if len(c.free) == 0 && !c.refill() {
		return Buffer{}, c.p.empty()
	}
	last := len(c.free) - 1
	i := c.free[last]
	c.free = c.free[:last]
	return c.p.lend(i), nil
}

// GetBurst takes up to len(dst) buffers and returns how many there were.
func (c *Cache) GetBurst(dst []Buffer) int {
	n := 0
	for n < len(dst) && (len(c.free) > 0 || c.refill()) {
		rest := len(c.free) - min(len(c.free), len(dst)-n)
		c.p.lendAll(dst[n:], c.free[rest:])
		n += len(c.free) - rest
		c.free = c.free[:rest]
	}
	c.idle.Store(int32(len(c.free)))
	return n
}

// GetBulk takes len(dst) buffers, or none and returns false. If there are too few, what the cache held is
// the pool's then: two caches that each held half of what the other needs would
// keep it for ever.
func (c *Cache) GetBulk(dst []Buffer) bool {
	n := c.GetBurst(dst)
	if n < len(dst) {
		c.p.PutBurst(dst[:n])
		clear(dst[:n])
		c.p.empty()
		return false
	}
	return true
}

// CopyIn takes a buffer and copies data into it, as Pool.CopyIn does.
func (c *Cache) CopyIn(data []byte) (Buffer, error) {
	if len(c.free) == 0 {
		c.open()
	}
	p := c.p
	if len(data) <= p.config.BufferSize && (len(c.free) > 0 || c.refill()) {
		b, _ := c.Get()
		b.fill(p, p.config.Headroom, data)
		return b, nil
	}
	b, err := p.copyToHeap(data, p.config.Headroom)
	return b, p.counted(err)
}

// Put releases b, which is a buffer of this pool: Release by way of the
// cache. It never waits and never fails; it panics if b is not live or another
// pool's.
func (c *Cache) Put(b Buffer) {
	// This is reclaim for the most frequent case, over again, as in Get.
	if n := len(c.free); n < cap(c.free) && b.off&hintTracked == 0 {
		p := c.p
		if i := b.slot ^ p.id; i < p.count && !p.returned.Waiting() {
			if s := &p.slots[i]; s.gen == b.gen && s.extra.Load() == 0 { // R1
				s.gen = b.gen + 1
				if interleave.On {
					interleave.Write(&s.gen)
				}
				c.free = c.free[:n+1]
				c.free[n] = i
				return
			}
		}
	}
	c.put(b)
}

// put is Put for all other cases.
func (c *Cache) put(b Buffer) {
	if len(c.free) == cap(c.free) {
		c.flush()
	}
	if i, ok := c.p.reclaim(b); ok {
		c.free = append(c.free, i)
	}
	if c.p.returned.Waiting() {
		c.share()
	}
}

// PutBurst releases all of bs, as Put does.
func (c *Cache) PutBurst(bs []Buffer) {
	for len(bs) > 0 {
		if len(c.free) == cap(c.free) {
			c.flush()
		}
		n := min(len(bs), cap(c.free)-len(c.free))
		c.free = c.p.reclaimAll(bs[:n], c.free)
		bs = bs[n:]
	}
	c.idle.Store(int32(len(c.free)))
	if c.p.returned.Waiting() {
		c.share()
	}
}

// Close gives what the cache holds back to the pool. The Cache must not be used
// afterwards, that panics (but for a burst of none); closing it again does nothing.
func (c *Cache) Close() {
	if c.free == nil {
		return
	}
	c.share()
	c.free = nil
	c.p.mu.Lock()
	delete(c.p.caches, c)
	c.p.mu.Unlock()
}

// refill gets a magazine's worth of slots into the empty cache, and reports whether
// there were any.
func (c *Cache) refill() bool {
	c.open()
	n := c.p.withdraw(c.store[:magazineSize])
	c.free = c.store[:n]
	c.idle.Store(int32(n))
	return n > 0
}

// flush makes room in the full cache: the older half of it goes to the depot.
func (c *Cache) flush() {
	c.open()
	c.p.deposit(c.free[:magazineSize])
	c.free = c.free[:copy(c.free, c.free[magazineSize:])]
	c.idle.Store(int32(len(c.free)))
}

// share gives all that the cache holds to the depot, for those who wait.
func (c *Cache) share() {
	c.p.deposit(c.free)
	c.free = c.free[:0]
	c.idle.Store(0)
}

// open panics if c was closed or is the zero Cache.
func (c *Cache) open() {
	if c.p == nil {
		panic("pool: use of the zero Cache: make one with Pool.NewCache")
	}
	if c.free == nil {
		panic(fmt.Sprintf("pool %q: use of a Cache after its Close (it was made at %s)", c.p.config.Name, c.madeAt))
	}
}
