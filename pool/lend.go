// Lending: how a free slot becomes a buffer, and a buffer a free slot again, with the checks that
// find misuse.
//
// A burst goes through loops without a call in them (lendRun, reclaimRun), which keep all that they need in
// registers and stop at whatever is out of the ordinary. Their callers see to that one and go on.

package pool

import (
	"github.com/ringway-net/ringway/interleave"
)

// lend makes the handle of a free slot that the caller owns.
func (p *Pool) lend(i uint32) Buffer {
	s := &p.slots[i]
	if s.gen&1 != 0 {
		p.corrupt(i)
	}
	s.gen++
	if interleave.On {
		interleave.Write(&s.gen)
	}
	b := Buffer{slot: p.id | i, gen: s.gen, off: p.headroom}
	if p.track != nil {
		p.track.taken(&b)
	}
	return b
}

// lendAll is lend for all of from, into dst.
func (p *Pool) lendAll(dst []Buffer, from []uint32) {
	dst = dst[:len(from)]
	if n := lendRun(dst, from, p.slots, p.id, p.headroom); n < len(from) {
		p.corrupt(from[n])
	}
	if p.track != nil {
		for k := range dst {
			p.track.taken(&dst[k])
		}
	}
}

// lendRun makes handles out of the slots of from, which are as many as dst, and stops at one that is not
// free. It returns how many it made.
func lendRun(dst []Buffer, from []uint32, slots []slotState, id, off uint32) int {
	dst = dst[:len(from)]
	for k, i := range from {
		s := &slots[i]
		gen := s.gen + 1
		if gen&1 == 0 {
			return k
		}
		s.gen = gen
		if interleave.On {
			interleave.Write(&s.gen)
		}
		dst[k] = Buffer{slot: id | i, gen: gen, off: off}
	}
	return len(from)
}

// reclaim gives up one share of b. If it was the last, the slot is the caller's to put away
// and ok is true; slots of the heap put themselves away.
func (p *Pool) reclaim(b Buffer) (i uint32, ok bool) {
	i = b.slot ^ p.id // the slot if b is of this pool, and out of range otherwise
	if i >= uint32(len(p.slots)) || p.slots[i].gen != b.gen {
		p.badPut(b)
	}
	s := &p.slots[i]
	if interleave.On {
		interleave.Read(&s.gen)
	}
	if !s.drop() {
		return 0, false
	}
	if b.off&hintTracked != 0 {
		p.track.given(b)
	}
	s.gen = b.gen + 1
	if interleave.On {
		interleave.Write(&s.gen)
	}
	if i >= p.count {
		p.heap.put(i)
		p.afterHeap()
		return 0, false
	}
	return i, true
}

// reclaimAll is reclaim for all of bs. It appends the slots that are the caller's to put
// away to into, which has room for them. Before it panics it puts them away itself.
func (p *Pool) reclaimAll(bs []Buffer, into []uint32) []uint32 {
	before := len(into)
	for {
		if p.track == nil {
			n := reclaimRun(into[len(into):len(into)+len(bs)], bs, p.slots[:p.count], p.id)
			into, bs = into[:len(into)+n], bs[n:]
		}
		if len(bs) == 0 {
			return into
		}
		b := bs[0]
		if i := b.slot ^ p.id; i >= uint32(len(p.slots)) || p.slots[i].gen != b.gen {
			p.deposit(into[before:])
			p.badPut(b)
		}
		if i, ok := p.reclaim(b); ok {
			into = append(into, i)
		}
		bs = bs[1:]
	}
}

// reclaimRun is reclaim for buffers of the most frequent kind, live, in the region, not shared and not
// tracked. It puts their slots into into, which is as long as bs, and stops at one of another kind. It
// returns how many there were before that.
func reclaimRun(into []uint32, bs []Buffer, region []slotState, id uint32) int {
	into = into[:len(bs)]
	for k := range bs {
		b := &bs[k]
		which := uint64(b.slot) | uint64(b.gen)<<32 // one load
		i, gen := uint(uint32(which)^id), uint32(which>>32)
		if i >= uint(len(region)) {
			return k
		}
		s := &region[i]
		if s.gen != gen || s.extra.Load() != 0 { // R1
			return k
		}
		s.gen = gen + 1
		if interleave.On {
			interleave.Write(&s.gen)
		}
		into[k] = uint32(i)
	}
	return len(bs)
}
