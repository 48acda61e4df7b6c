// The depot: where free slots are. Any goroutine may take and give back.

package pool

import (
	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
)

// magazineSize is how many slots change hands at once between a Cache and the depot:
// one burst.
const magazineSize = 64

// depot holds free slots in three places: magazines, full ones of exactly magazineSize slots;
// a list of loose slots; and a counter behind which lie slots that were never used. Giving
// back can't fail: each slot has its own link in the list of loose ones, whatever
// else goes on.
type depot struct {
	_     cpu.Pad
	full  stack // of magazine numbers
	_     cpu.Pad
	empty stack // of magazine numbers
	_     cpu.Pad
	loose stack // of slots
	_     cpu.Pad
	fresh atomic.Uint32 // the first slot that was never used, up to limit
	_     cpu.Pad

	limit uint32
	// magazines has room for every slot. A magazine's contents belong to whoever
	// has popped its number.
	magazines [][magazineSize]uint32
}

// init makes d the depot of slots first to first+n-1, linked through next,
// which is indexed by slot.
func (d *depot) init(first, n uint32, next []atomic.Uint32) {
	d.fresh.Store(first)
	d.limit = first + n
	d.loose.next = next
	magazines := n / magazineSize
	d.magazines = make([][magazineSize]uint32, magazines)
	links := make([]atomic.Uint32, magazines)
	d.full.next, d.empty.next = links, links // a magazine is on one of them at a time
	for m := magazines; m > 0; m-- {
		d.empty.push(m - 1)
	}
}

// get fills dst with free slots and returns how many it found: those that were in use
// before come first, so that no memory is touched that needn't be. spilled
// says that it took a magazine and put a part of it back: for the moment in between
// others could not see those slots, and who found nothing then must be told.
//
// Finding none means that there was a moment without a free slot other than
// those in the hands of such gets.
func (d *depot) get(dst []uint32) (n int, spilled bool) {
	var seen uint64 // d.full.head at the end of the last pass
	for pass := 0; n < len(dst); {
		whole := len(dst)-n >= magazineSize
		if whole {
			if m, ok := d.full.pop(); ok {
				n += copy(dst[n:], d.magazines[m][:])
				if interleave.On {
					interleave.Read(&d.magazines[m])
				}
				d.empty.push(m)
				continue
			}
		}
		if k := d.loose.popAll(dst[n:]); k > 0 {
			n += k
			continue
		}
		if !whole { // last, since it breaks a magazine up
			if m, ok := d.full.pop(); ok {
				magazine := d.magazines[m][:]
				k := copy(dst[n:], magazine)
				if interleave.On {
					interleave.Read(&d.magazines[m])
				}
				d.loose.pushAll(magazine[k:])
				d.empty.push(m)
				return n + k, true
			}
		}
		if k := d.claimFresh(dst[n:]); k > 0 {
			n += k
			continue
		}
		// Nothing in any of the three places; but while one was looked at, a slot may have come
		// into another. If no magazine came and went during a whole pass at whose beginning
		// the fresh ones were used up, there was none when the loose ones were looked at.
		now := d.full.head.Load()
		if pass > 0 && now == seen {
			break
		}
		pass, seen = pass+1, now
	}
	return n, spilled
}

// claimFresh fills dst with slots that were never used, side by side.
func (d *depot) claimFresh(dst []uint32) int {
	for {
		first := d.fresh.Load()
		n := min(uint32(len(dst)), d.limit-first)
		if n == 0 {
			return 0
		}
		if d.fresh.CompareAndSwap(first, first+n) {
			for i := range n {
				dst[i] = first + i
			}
			return int(n)
		}
	}
}

// put takes free slots back, whole magazines as such.
func (d *depot) put(slots []uint32) {
	for len(slots) >= magazineSize {
		m, ok := d.empty.pop()
		if !ok {
			break // all in use for a moment, by gets that are about to empty one
		}
		copy(d.magazines[m][:], slots)
		if interleave.On {
			interleave.Write(&d.magazines[m])
		}
		d.full.push(m)
		slots = slots[magazineSize:]
	}
	d.loose.pushAll(slots)
}
