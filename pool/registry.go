// The registry: from the pool's number in a handle to the pool.

package pool

import (
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
)

// pools has every open pool, and in the place of a closed one its gravestone, so
// that a handle that outlived its pool can be told by name. Place 0 stays empty,
// which makes the zero Buffer nobody's.
var pools [maxPools + 1]atomic.Pointer[Pool]

var registry struct {
	sync.Mutex
	open [maxPools + 1]bool
	last uint32 // the number given out last: the next one is as far from it as can be
	// gens is where the generations of the next pool of that number begin: beyond those of all
	// pools that had it, so that no handle of theirs is ever taken for live.
	gens [maxPools + 1]uint32
}

func register(p *Pool) error {
	registry.Lock()
	defer registry.Unlock()
	for n := range uint32(maxPools) {
		id := (registry.last+n)%maxPools + 1
		if registry.open[id] {
			continue
		}
		registry.open[id] = true
		registry.last = id
		p.id = id << slotBits
		if gen := registry.gens[id]; gen != 0 {
			p.firstGen = gen
			for i := range p.slots {
				p.slots[i].gen = gen
			}
		}
		pools[id].Store(p)
		return nil
	}
	return ErrTooManyPools
}

func unregister(p *Pool) {
	registry.Lock()
	defer registry.Unlock()
	id := p.id >> slotBits
	gen := registry.gens[id]
	for i := range p.slots {
		gen = max(gen, p.slots[i].gen)
	}
	registry.gens[id] = gen
	registry.open[id] = false
	gravestone := &Pool{config: p.config, id: p.id, track: p.track}
	gravestone.closed.Store(true)
	pools[id].Store(gravestone)
}
