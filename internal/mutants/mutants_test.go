//go:build mutants

package mutants

var mutants = []mutant{
	// SPSC.
	{"spsc: TryPush publishes before it writes", "ring/spsc.go",
		`	p.slots[p.tail&uint64(len(p.slots)-1)] = v
	if interleave.On {
		interleave.Write(&p.slots[p.tail&uint64(len(p.slots)-1)])
	}
	p.fetchAhead(1)
	p.publish(1)
	p.s.notEmpty.Wake(1)
	return true
`, `	slot := &p.slots[p.tail&uint64(len(p.slots)-1)]
	p.publish(1)
	*slot = v
	if interleave.On {
		interleave.Write(slot)
	}
	p.s.notEmpty.Wake(1)
	return true
`, "InterleaveSPSCSingle", "data race"},
	{"spsc: TryPop gives the slot back before it reads", "ring/spsc.go",
		`	slot := &c.slots[c.head&uint64(len(c.slots)-1)]
	v = *slot
`, `	slot := &c.slots[c.head&uint64(len(c.slots)-1)]
	c.s.head.Store(c.head + 1)
	v = *slot
`, "InterleaveSPSCSingle", "data race"},
	{"spsc: Advance gives slots back before it clears them", "ring/spsc.go",
		`	if c.pointers {
		a, b := split(c.slots, c.head, uint64(n))
`, `	c.s.head.Store(c.head + uint64(n))
	if c.pointers {
		a, b := split(c.slots, c.head, uint64(n))
`, "InterleaveSPSCClears", "data race"},
	{"spsc: TryPush wakes nobody", "ring/spsc.go",
		`	p.publish(1)
	p.s.notEmpty.Wake(1)
	return true
`, `	p.publish(1)
	return true
`, "InterleaveSPSCWait", "deadlock: nobody is left to wake"},
	{"spsc: Commit wakes nobody", "ring/spsc.go",
		`	p.publish(uint64(n))
	p.s.notEmpty.Wake(1)
}
`, `	p.publish(uint64(n))
}
`, "InterleaveSPSCWait", "deadlock: nobody is left to wake"},
	{"spsc: Advance wakes nobody", "ring/spsc.go",
		`	c.free(uint64(n))
	c.s.notFull.Wake(1)
`, `	c.free(uint64(n))
`, "InterleaveSPSCWait", "deadlock: nobody is left to wake"},
	{"spsc: the consumer looks whether it is closed after it found nothing", "ring/spsc.go",
		`		closed = c.s.closed.Load() != 0
		if c.available(1) > 0 {
			closed = false
			return true
		}
		return closed
`, `		if c.available(1) > 0 {
			closed = false
			return true
		}
		closed = c.s.closed.Load() != 0
		return closed
`, "InterleaveSPSCClose", "interleave: after"},
	{"spsc: closing wakes no consumer", "ring/spsc.go",
		`	p.s.closed.Or(closedByProducer)
	p.s.notEmpty.WakeAll()
`, `	p.s.closed.Or(closedByProducer)
`, "InterleaveSPSCCloseProducer", "deadlock: nobody is left to wake"},
	{"spsc: closing wakes no producer", "ring/spsc.go",
		`	c.s.closed.Or(closedByConsumer)
	c.s.notEmpty.WakeAll()
	c.s.notFull.WakeAll()
`, `	c.s.closed.Or(closedByConsumer)
	c.s.notEmpty.WakeAll()
`, "InterleaveSPSCCloseConsumer", "deadlock: nobody is left to wake"},
	{"spsc: a length as two loads, the wrong way round", "ring/spsc.go",
		`	head := s.head.Load()
	tail := s.tail.Load()
	return s.length(head, tail)
`, `	tail := s.tail.Load()
	head := s.head.Load()
	return int(tail - head)
`, "InterleaveSPSCLen", "Len -1 of 1"},
	{"spsc: a length as two loads, unclamped", "ring/spsc.go",
		`	return s.length(head, tail)
`, `	return int(tail - head)
`, "InterleaveSPSCLen", "Len 2 of 1"},
	{"spsc: one slot more than there is room for", "ring/spsc.go",
		`	return min(free, n)
`, `	return min(free+1, n)
`, "InterleaveSPSC(Single|Burst|Len)", "interleave: after"},
	{"spsc: an end believes in room that was there once", "ring/spsc.go",
		`		have = c.tailSeen - c.head
	}
`, `		have = c.tailSeen - c.head
		c.tailSeen = c.head
	}
`, "InterleaveSPSC", "interleave: after"},

	// MPMC.
	{"mpmc: a push publishes before it writes (seed: a reader that saw a slot before its writer had finished)", "ring/mpmc.go",
		`	*slot = v
	if interleave.On {
		interleave.Write(slot)
	}
	r.publish(pos, pos+1, items) // P1
`, `	r.publish(pos, pos+1, items) // P1
	*slot = v
	if interleave.On {
		interleave.Write(slot)
	}
`, "InterleaveMPMCEdges", "data race"},
	{"mpmc: a burst is published before it is written", "ring/mpmc.go",
		`	a, b := split(r.slots, pos, n)
	copy(a, vs)
`, `	r.publish(pos, pos+n, items)
	a, b := split(r.slots, pos, n)
	copy(a, vs)
`, "InterleaveMPMC", "data race"},
	{"mpmc: a pop gives the slot back before it reads", "ring/mpmc.go",
		`	v = *slot
`, `	r.publish(pos+r.limit, pos+r.limit+1, room)
	v = *slot
`, "InterleaveMPMC", "data race"},
	{"mpmc: a lost race is answered by full or empty", "ring/runs.go",
		`			return pos, k
		}
	}
}
`, `			return pos, k
		}
		return pos, 0
	}
}
`, "InterleaveMPMCNoLostRace", "with room for all"},
	{"mpmc: a claim that is no compare-and-swap", "ring/runs.go",
		`		if s.claimed.CompareAndSwap(pos, pos+k) {
			return pos, k
		}
`, `		s.claimed.Store(pos + k)
		return pos, k
`, "InterleaveMPMCEdges", "interleave: after"},
	{"mpmc: room is told for the lap that is over (seed: capacity 1)", "ring/mpmc.go",
		`	r.publish(pos+r.limit, pos+r.limit+1, room) // C2
`, `	r.publish(pos, pos+1, room) // C2
`, "InterleaveMPMCEdges", "of_1"},
	{"mpmc: what was found in the past is answered by full or empty", "ring/runs.go",
		`			if s.claimed.Load() != pos {
				continue // what was looked at may be over, and its marks overwritten
			}
`, ``, "InterleaveMPMCNoLostRace", "for all"},
	{"mpmc: seen is set back", "ring/runs.go",
		`		if next > pos+k && next != seen && !s.seen.CompareAndSwap(seen, next) {
			continue
		}
`, `		if next > pos+k && next != seen {
			s.seen.Store(next)
		}
`, "InterleaveMPMC", "interleave: after"},
	{"mpmc: nobody is told where the rest of a run ends", "ring/runs.go",
		`		if next > pos+k && next != seen && !s.seen.CompareAndSwap(seen, next) {
			continue
		}
`, ``, "InterleaveMPMC|TestMPMC|TestRuns", "FAIL"},
	{"mpmc: a mark of a later lap is believed", "ring/runs.go",
		`m&1 == kind && end-pos-1 < r.limit`, `m&1 == kind && end > pos`, "InterleaveMPMC", "interleave: after"},
	{"mpmc: items are taken for room, and room for items", "ring/runs.go",
		`m&1 == kind && end-pos-1 < r.limit`, `end-pos-1 < r.limit`, "InterleaveMPMC", "interleave: after"},
	{"mpmc: a burst takes more than was found", "ring/runs.go",
		`		k = min(n, next-pos)
`, `		if k = n; next == pos {
			k = 0
		}
`, "InterleaveMPMC(Burst|Edges|Runs)", "interleave: after"},
	{"mpmc: one more than seen is claimed", "ring/mpmc.go",
		`pos >= r.tail.seen.Load()`, `pos > r.tail.seen.Load()`, "InterleaveMPMCEdges", "interleave: after"},
	{"mpmc: drained while an item is in flight", "ring/mpmc.go",
		`	return tail&closedBit != 0 && tail&^closedBit == r.head.claimed.Load()
`, `	return tail&closedBit != 0 && !r.more(&r.head, items)
`, "InterleaveMPMCClose", "interleave: after"},
	{"mpmc: closing wakes no consumer", "ring/mpmc.go",
		`	r.tail.claimed.Or(closedBit)
	r.notEmpty.WakeAll()
`, `	r.tail.claimed.Or(closedBit)
`, "InterleaveMPMCClose", "deadlock: nobody is left to wake"},
	{"mpmc: closing wakes no producer", "ring/mpmc.go",
		`	r.notEmpty.WakeAll()
	r.notFull.WakeAll()
}
`, `	r.notEmpty.WakeAll()
}
`, "InterleaveMPMCClose", "deadlock: nobody is left to wake"},
	{"mpmc: the last item of a closed ring wakes nobody", "ring/mpmc.go",
		`		if r.drained() {
			r.notEmpty.WakeAll()
		}
`, ``, "InterleaveMPMCClose", "deadlock: nobody is left to wake"},
	{"mpmc: an item that was hidden wakes nobody more", "ring/mpmc.go",
		`		if r.more(&r.head, items) {
			r.notEmpty.Wake(1)
		}
`, ``, "InterleaveMPMCWait/(hidden|burst)", "deadlock: nobody is left to wake"},
	{"mpmc: room that was hidden wakes nobody more", "ring/mpmc.go",
		`	if r.notFull.Waiting() && r.more(&r.tail, room) {
		r.notFull.Wake(1)
	}
`, ``, "InterleaveMPMCWait/hidden_room", "deadlock: nobody is left to wake"},
	{"mpmc: a length as two loads, the wrong way round", "ring/mpmc.go",
		`	head := r.head.claimed.Load()
	tail := r.tail.claimed.Load()
	return r.length(head, tail)
`, `	tail := r.tail.claimed.Load()
	head := r.head.claimed.Load()
	return int(tail - head)
`, "InterleaveMPMCLen", "of 1"},

	// Parking.
	{"park: no second look after the announcement", "internal/park/park.go",
		`		if try() {   // W2
			l.leave(w)
			return nil
		}
`, ``, "InterleaveNoLostWakeUp", "deadlock: nobody is left to wake"},
	{"park: a look before the announcement instead of after", "internal/park/park.go",
		`		l.enqueue(w) // W1
		if try() {   // W2
			l.leave(w)
			return nil
		}
`, `		if try() {
			return nil
		}
		l.enqueue(w)
`, "InterleaveNoLostWakeUp", "deadlock: nobody is left to wake"},
	{"park: who is woken for nothing keeps the wake-up", "internal/park/park.go",
		`		w.wake.Take(nil)
		l.Wake(1)
`, `		w.wake.Take(nil)
`, "InterleaveNoLostWakeUp", "deadlock: nobody is left to wake"},
	{"park: a wake-up from the past", "internal/park/park.go",
		`	defer waiters.Put(w)
`, `	defer waiters.Put(w)
	w.wake.Give()
`, "InterleaveNoLostWakeUp", "interleave: after"},
	{"park: who gives up stays on the list", "internal/park/park.go",
		`		l.leave(w)
		return ctx.Err()
`, `		return ctx.Err()
`, "InterleaveTimeout", "interleave: after"},
	{"park: taken off the list and not woken", "internal/park/park.go",
		`		w.wake.Give() // it is not there: a queued waiter has no token
`, ``, "InterleaveNoLostWakeUp", "deadlock: nobody is left to wake"},
	{"park: WakeAll wakes one", "internal/park/park.go",
		`	l.Wake(int(^uint(0) >> 1))
`, `	l.Wake(1)
`, "InterleaveWakeAll", "deadlock: nobody is left to wake"},
	{"park: the announcement is counted after the lock is given up", "internal/park/park.go",
		`	l.last = w
	l.waiting.Add(1)
	l.mu.Unlock()
`, `	l.last = w
	l.mu.Unlock()
	l.waiting.Store(l.waiting.Load() + 1)
`, "InterleaveNoLostWakeUp", "interleave: after"},

	// The pool's stacks and depot.
	{"pool: no tag on the head of a stack (seed: two owners after an ABA)", "pool/stack.go",
		`(old>>topBits+1)<<topBits|uint64(next)`, `old&^topMask|uint64(next)`, "InterleaveStack", "both have"},
	{"pool: an element is linked after it was published", "pool/stack.go",
		`		s.next[last].Store(uint32(old & topMask))
		if s.head.CompareAndSwap(old, old&^topMask|uint64(first+1)) { // S1
			return
		}
`, `		if s.head.CompareAndSwap(old, old&^topMask|uint64(first+1)) { // S1
			s.next[last].Store(uint32(old & topMask))
			return
		}
`, "InterleaveStack", "interleave: after"},
	{"pool: a pop of many that believes it won", "pool/stack.go",
		`		if n == 0 || s.replace(old, top) {
			return n
		}
`, `		s.replace(old, top)
		return n
`, "InterleaveStack", "both have"},
	{"pool: a magazine is free before it is read", "pool/depot.go",
		`				n += copy(dst[n:], d.magazines[m][:])
`, `				d.empty.push(m)
				m, _ = d.empty.pop()
				n += copy(dst[n:], d.magazines[m][:])
`, "InterleaveDepot", "interleave: after"},
	{"pool: a magazine is full before it is written", "pool/depot.go",
		`		copy(d.magazines[m][:], slots)
		if interleave.On {
			interleave.Write(&d.magazines[m])
		}
		d.full.push(m)
`, `		d.full.push(m)
		copy(d.magazines[m][:], slots)
		if interleave.On {
			interleave.Write(&d.magazines[m])
		}
`, "InterleaveDepot", "data race"},
	{"pool: fresh slots are claimed by a store", "pool/depot.go",
		`		if d.fresh.CompareAndSwap(first, first+n) {
`, `		if d.fresh.Store(first + n); true {
`, "InterleaveDepot", "both have"},
	{"pool: no second look before it says exhausted", "pool/depot.go",
		`		if pass > 0 && now == seen {
`, `		if pass >= 0 || now == seen {
`, "InterleaveDepot", "interleave: after"},
	{"pool: who missed the slots of a split magazine is not told", "pool/depot.go",
		`				return n + k, true
`, `				return n + k, false
`, "InterleavePoolWait", "deadlock: nobody is left to wake"},
	{"pool: a slot is lost when there is no empty magazine (seed: an index lost when the list looked full)", "pool/depot.go",
		`			break // all in use for a moment, by gets that are about to empty one
`, `			return
`, "InterleaveDepot|TestDepot|TestFault|TestOwnership", "FAIL"},

	// Sharing.
	{"pool: the references are ignored (seed)", "pool/slot.go",
		`	if s.extra.Add(-1) >= 0 { // R1
		return false
	}
	s.extra.Store(0)
	return true
`, `	return true
`, "InterleaveShared", "interleave: after"},
	{"pool: references counted down by load and store", "pool/slot.go",
		`	if s.extra.Add(-1) >= 0 { // R1
`, `	n := s.extra.Load() - 1
	s.extra.Store(n)
	if n >= 0 {
`, "InterleaveShared", "interleave: after"},
	{"pool: the last of several owners leaves the count below none", "pool/slot.go",
		`	s.extra.Store(0)
`, ``, "InterleaveShared", "interleave: after"},
	{"pool: the count goes down after the buffer was given back", "pool/lend.go",
		`	if !s.drop() {
		return 0, false
	}
`, `	if s.extra.Load() == 0 {
		p.deposit([]uint32{i})
		s.gen++
		s.extra.Load()
		return 0, false
	}
	if !s.drop() {
		return 0, false
	}
`, "InterleaveGetRelease", "interleave: after"},

	// The pool.
	{"pool: a get looks whether the pool is closed before it counts", "pool/pool.go",
		`	out := p.out.Add(want)
	if p.closed.Load() {
		p.back(want)
		return 0
	}
`, `	if p.closed.Load() {
		return 0
	}
	out := p.out.Add(want)
`, "InterleavePoolClose", "interleave: after"},
	{"pool: the memory goes though a buffer of the heap is out", "pool/pool.go",
		`	if p.heap.out.Load() != 0 || p.out.Load() != 0 {
`, `	if p.out.Load() != 0 {
`, "InterleavePoolClose", "interleave: after"},
	{"pool: a buffer that comes back wakes nobody", "pool/pool.go",
		`	p.returned.WakeAll() // all, since what comes back may not suit everyone: see afterHeap
`, ``, "InterleavePoolWait", "deadlock: nobody is left to wake"},
	{"pool: who waits is woken before the buffer is there", "pool/pool.go",
		`	p.depot.put(slots)
	p.back(int64(len(slots)))
	p.returned.WakeAll() // all, since what comes back may not suit everyone: see afterHeap
`, `	p.returned.WakeAll()
	p.depot.put(slots)
	p.back(int64(len(slots)))
`, "InterleavePoolWait", "deadlock: nobody is left to wake"},
	{"pool: a buffer of the heap that comes back wakes nobody", "pool/pool.go",
		`	p.back(0)
	p.returned.WakeAll()
}
`, `	p.back(0)
}
`, "InterleavePoolWait", "deadlock: nobody is left to wake"},
	{"pool: a Cache keeps what somebody waits for", "pool/cache.go",
		`		c.free = append(c.free, i)
	}
	if c.p.returned.Waiting() {
		c.share()
	}
`, `		c.free = append(c.free, i)
	}
`, "InterleavePoolWait", "deadlock: nobody is left to wake"},
	{"pool: closing wakes nobody", "pool/pool.go",
		`	p.closed.Store(true)
	p.returned.WakeAll()
`, `	p.closed.Store(true)
`, "InterleavePoolClose", "deadlock: nobody is left to wake"},
	{"pool: a second release of one handle (seed: a double free)", "pool/lend.go",
		`	s.gen = b.gen + 1
	if interleave.On {
		interleave.Write(&s.gen)
	}
	if i >= p.count {
`, `	if i >= p.count {
`, "TestFaultDoubleFree|TestDoubleRelease", "FAIL"},
	{"pool: a burst gives a shared buffer back", "pool/lend.go",
		`		if s.gen != gen || s.extra.Load() != 0 { // R1
`, `		if s.gen != gen {
`, "TestSharedGivenBack", "FAIL"},
	{"pool: a Cache gives a shared buffer back", "pool/cache.go",
		`s.gen == b.gen && s.extra.Load() == 0 { // R1`, `s.gen == b.gen {`, "TestSharedGivenBack", "FAIL"},
	{"pool: a Cache takes the heap's for the region's", "pool/cache.go",
		`i < p.count && !p.returned.Waiting()`, `i < uint32(len(p.slots)) && !p.returned.Waiting()`, "TestSharedGivenBack", "FAIL"},
	{"pool: what a Cache hands out is not tracked", "pool/cache.go",
		`; last >= 0 && c.p.track == nil {`, `; last >= 0 {`, "TestTrackSeesEveryTake", "FAIL"},
	{"pool: a Cache hands out what is out", "pool/cache.go",
		`; s.gen&1 == 0 {`, `; true {`, "TestCopiedCache", "no panic"},
	{"pool: a buffer goes into another pool (seed)", "pool/lend.go",
		`	i = b.slot ^ p.id // the slot if b is of this pool, and out of range otherwise
	if i >= uint32(len(p.slots)) || p.slots[i].gen != b.gen {
`, `	i = b.slot & slotMask
	if i >= uint32(len(p.slots)) {
`, "TestWrongPool", "no panic"},
	{"pool: the last owner's bytes show (seed)", "pool/buffer.go",
		`	clear(tail)
	return tail, err
`, `	return tail, err
`, "TestFaultStaleBytes", "FAIL"},
	{"pool: a batch of more than 64 (seed)", "pool/pool.go",
		`		n := min(len(bs), magazineSize)
		p.deposit(p.reclaimAll(bs[:n], slots[:0]))
`, `		n := len(bs)
		p.deposit(p.reclaimAll(bs[:n], slots[:0])[:min(n, magazineSize)])
`, "TestFaultBatchOver64|TestOwnership", "FAIL"},

	// Counters.
	{"stats: a buffer is published before it is written", "stats/shard.go",
		`	s.buffers[s.back].counts = s.live
	if interleave.On {
		interleave.Write(&s.buffers[s.back])
	}
	s.back = s.mid.Swap(s.back|fresh) &^ fresh // W1, W2
`, `	b := s.back
	s.back = s.mid.Swap(s.back|fresh) &^ fresh // W1, W2
	s.buffers[b].counts = s.live
	if interleave.On {
		interleave.Write(&s.buffers[b])
	}
`, "InterleaveTripleBuffer", "data race"},
	{"stats: a double buffer", "stats/shard.go",
		`	s.back = s.mid.Swap(s.back|fresh) &^ fresh // W1, W2
`, `	s.mid.Store(s.back | fresh)
	s.back = 1 - s.back&1
`, "InterleaveTripleBuffer", "interleave: after"},

	// The workers of a way.
	{"vswitch: a receiver sends what others are before", "vswitch/worker.go",
		`len(bufs) == burst || w.producer.Len() > 0 || w.failure()`, `len(bufs) == burst || w.failure()`, "InterleaveWay", "interleave: after"},
	{"vswitch: a receiver sends while the last one is being sent", "vswitch/worker.go",
		`w.producer.Len() > 0 ||`, `w.producer.Len() > 1 ||`, "InterleaveWay", "interleave: after"},
	{"vswitch: a sender takes frames out before it sends them", "vswitch/worker.go",
		`	n, err := w.out.Tx(bufs)
	if err != nil {
		w.fail(err) // before Advance, since the port is the receiver's after that
	}
	w.consumer.Advance(n)
`, `	all := bufs
	bufs = append([]pool.Buffer(nil), bufs...)
	w.consumer.Advance(len(all))
	n, err := w.out.Tx(bufs)
	if err != nil {
		w.fail(err)
	}
`, "InterleaveWay", "interleave: after"},
	{"vswitch: a sender waits for room with nothing in the ring", "vswitch/worker.go",
		`	if err == nil && n < len(bufs) {
`, `	if err == nil {
`, "InterleaveWay", "interleave: after"},
	{"vswitch: a sender takes out what the port has not taken", "vswitch/worker.go",
		`	w.consumer.Advance(n)
`, `	w.consumer.Advance(len(bufs))
`, "InterleaveWay", "interleave: after"},
	{"vswitch: a sender keeps its error after the port is the receiver's", "vswitch/worker.go",
		`		w.fail(err) // before Advance, since the port is the receiver's after that
	}
	w.consumer.Advance(n)
`, `	}
	w.consumer.Advance(n)
	if err != nil {
		w.fail(err)
	}
`, "InterleaveWayFails", "interleave: after"},
	{"vswitch: a sender does not keep the error of its wait", "vswitch/worker.go",
		`		if err != nil {
			w.fail(err)
		}
	}
	return err
`, `	}
	return err
`, "InterleaveWayFails", "by an error"},
	{"vswitch: a receiver sends after the port has failed", "vswitch/worker.go",
		`w.producer.Len() > 0 || w.failure() != nil {`, `w.producer.Len() > 0 {`, "InterleaveWayFails", "failed: true"},
	{"vswitch: a receiver keeps no error", "vswitch/worker.go",
		`		w.fail(err)
		w.producer.Close() // wakes the sender, who ends the way
`, `		w.producer.Close()
`, "InterleaveWayFails", "interleave: after"},
	{"vswitch: a receiver keeps the error after it has said so", "vswitch/worker.go",
		`		w.fail(err)
		w.producer.Close() // wakes the sender, who ends the way
`, `		w.producer.Close()
		w.fail(err)
`, "InterleaveWayFails", "interleave: after"},
	{"vswitch: a receiver that has met an error does not close", "vswitch/worker.go",
		`		w.fail(err)
		w.producer.Close() // wakes the sender, who ends the way
`, `		w.fail(err)
`, "InterleaveWayFails", "interleave: after"},
	{"vswitch: a receiver pushes what the port has taken", "vswitch/worker.go",
		`	return bufs[n:]
`, `	return bufs
`, "InterleaveWay", "interleave: after"},
	{"vswitch: a sender does not ask what the receiver has met", "vswitch/worker.go",
		`			if err = w.failure(); err == nil {
				return w.drain(hard)
			}
`, `			return w.drain(hard)
`, "InterleaveWayFails", "the sender says <nil>"},
	{"vswitch: an abort hides what the receiver has met", "vswitch/worker.go",
		`			return w.failure() // the receiver may have met it
`, `			return nil
`, "InterleaveWayAbort", "the sender says <nil>"},
	{"vswitch: a receiver asks for the error while the sender has the port", "vswitch/worker.go",
		`w.producer.Closed() && w.failure() != nil`, `w.failure() != nil`, "InterleaveWayAbort", "data race"},
	{"vswitch: what is left after an error is dropped as closed", "vswitch/worker.go",
		`w.producer.Closed() && w.failure() != nil`, `false`, "InterleaveWayFails", "by an error"},
	{"vswitch: what a receiver has sent stays in its hand", "vswitch/worker.go",
		`	n, err := w.out.Tx(bufs)
	w.held.Add(-int64(n))
`, `	n, err := w.out.Tx(bufs)
`, "InterleaveWayInFlight", "in hand"},
	{"vswitch: what a receiver has pushed stays in its hand", "vswitch/worker.go",
		`		bufs = bufs[n:]
		w.held.Add(-int64(n))
`, `		bufs = bufs[n:]
`, "InterleaveWayInFlight", "in hand"},
	{"vswitch: a sender drops what is left while the receiver still pushes", "vswitch/worker.go",
		`	w.received.Take(nil) // so that no push is under way
`, ``, "InterleaveWay(Fails|Abort)", "interleave: after"},
	{"vswitch: a sender that ends tells nobody", "vswitch/worker.go",
		`		if err != nil {
			stop()
`, `		if err != nil {
`, "InterleaveWayFails", "deadlock: nobody is left to wake"},
	{"vswitch: a sender that ends does not close", "vswitch/worker.go",
		`	w.consumer.Close()
	w.received`, `	w.received`, "InterleaveWayFails", "deadlock: nobody is left to wake"},

	// Receivers that look at each other's ports.
	{"look: a receiver that has ended is lent", "vswitch/receiver.go",
		`!r.open || r.soft`, `r.soft == nil || r.soft`, "InterleaveLookFails", "data race"},
	{"look: who falls asleep asks its port without the turn", "vswitch/receiver.go",
		`	if r.sleeper == nil || !r.sleeper.SleepyRx() {
		return r.port.WaitRx(r.soft)
	}
	soft := r.soft
	r.turn.Unlock()
	defer r.turn.Lock() // L1
`, `	soft := r.soft
	r.turn.Unlock()
	defer r.turn.Lock() // L1
	if r.sleeper == nil || !r.sleeper.SleepyRx() {
		return r.port.WaitRx(soft)
	}
`, "InterleaveLook", "data race"},
	{"look: who was lent stays muted", "vswitch/look.go",
		`		r.sleeper.MuteRx(false) // the port may have more to say than it wakes anybody for
`, ``, "InterleaveLook", "deadlock: nobody is left to wake"},
	{"look: the turn is given back before the sound", "vswitch/look.go",
		`		r.sleeper.MuteRx(false) // the port may have more to say than it wakes anybody for
		r.turn.Unlock()         // L1
`, `		r.turn.Unlock()
		r.sleeper.MuteRx(false)
`, "InterleaveLook", "data race"},
	{"look: who was lent is not told that its port has failed", "vswitch/look.go",
		`				r.rouse()
`, ``, "InterleaveLookFails", "deadlock: nobody is left to wake"},
	{"look: the error of another's port is lost", "vswitch/look.go",
		`			if r.fault = err; i > 0 {`, `			if i > 0 {`, "InterleaveLookFails", "interleave: after"},
	{"look: the turn is kept", "vswitch/look.go",
		`		r.turn.Unlock()         // L1
`, `		if !l.muted {
			r.turn.Unlock()
		}
`, "InterleaveLook", "deadlock"},

	// The forwarding table.
	{"fdb: an address is put where another was, and the version stays", "vswitch/fdb_change.go",
		`	b.version.Add(1) // F1: after the last key has gone from here, before the new value
`, ``, "InterleaveFDBReplace", "which it never was"},
	{"fdb: the version goes up after the value is there", "vswitch/fdb_change.go",
		`	b.version.Add(1) // F1: after the last key has gone from here, before the new value
	b.entries[way].value.Store(uint64(v))
`, `	b.entries[way].value.Store(uint64(v))
	b.version.Add(1)
`, "InterleaveFDBReplace", "which it never was"},
	{"fdb: the key is there before the value", "vswitch/fdb_change.go",
		`	b.entries[way].value.Store(uint64(v))
	b.entries[way].key.Store(uint64(k))
`, `	b.entries[way].key.Store(uint64(k))
	b.entries[way].value.Store(uint64(v))
`, "InterleaveFDBReplace", "which it never was"},
	{"fdb: a reader does not look at the version again", "vswitch/fdb.go",
		`b.version.Load() == version {`, `version == version {`, "InterleaveFDBReplace", "which it never was"},
	{"fdb: a reader looks at the version when it has seen the key", "vswitch/fdb.go",
		`		if way == fdbWays {
			return 0, 0
		}
`, `		if way == fdbWays {
			return 0, 0
		}
		version = b.version.Load()
`, "InterleaveFDBReplace", "which it never was"},
	{"fdb: a reader gives up when a neighbour is put in", "vswitch/fdb.go",
		`const fdbTries = 16`, `const fdbTries = 1`, "InterleaveFDBStays", "is there and not found"},
	{"fdb: a search ends at home", "vswitch/fdb.go",
		`if b.passed.Load() == 0 {`, `if true {`, "InterleaveFDBStays", "interleave: after"},
	{"fdb: who goes is still counted where it passed", "vswitch/fdb_change.go",
		`		t.buckets[i].passed.Add(^uint64(0))
`, ``, "InterleaveFDBStays", "was passed by"},
	{"fdb: the clock is read after the value", "vswitch/fdb.go",
		`	horizon := t.horizon() // before the value, which may be refreshed while the clock goes on
	_, v := t.find(k)
`, `	_, v := t.find(k)
	horizon := t.horizon()
`, "InterleaveFDBAge", "is there and not found"},
	{"fdb: learn takes no lock", "vswitch/fdb_learn.go",
		`		if !t.mu.TryLock() {
			return t.count(learnBusy)
		}
		o = t.note(k, port)
		t.mu.Unlock()
`, `		o = t.note(k, port)
`, "InterleaveFDBLearn", "interleave: after"},
	{"fdb: learn waits for the lock", "vswitch/fdb_learn.go",
		`		if !t.mu.TryLock() {
			return t.count(learnBusy)
		}
`, `		t.mu.Lock()
`, "InterleaveFDBStalled", "interleave: after"},
	{"fdb: who has got the lock does not look again whether it is there", "vswitch/fdb_learn.go",
		`	at, v, o := t.judge(k, port) // once more, now that nobody else changes it
`, `	at, v, o := t.judge(k, port)
	if o == learnMoved {
		o = learnAdded
	}
`, "InterleaveFDBLearn", "interleave: after"},
	{"fdb: who has got the lock does not look again at the limit", "vswitch/fdb_learn.go",
		`	at, v, o := t.judge(k, port) // once more, now that nobody else changes it
`, `	at, v, o := t.judge(k, port)
	if o == learnOverLimit {
		o = learnAdded
	}
`, "InterleaveFDBLearn", "2 addresses"},
	{"fdb: a flush takes no lock", "vswitch/fdb_manage.go",
		`func (t *fdb) flushPort(port uint16, statics bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
`, `func (t *fdb) flushPort(port uint16, statics bool) {
`, "InterleaveFDBReplace", "interleave: after"},
	{"fdb: a tick takes no lock", "vswitch/fdb_learn.go",
		`	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Add(1)
`, `	t.now.Add(1)
`, "InterleaveFDBAge", "interleave: after"},
	{"fdb: an address that is refreshed keeps its place in the order", "vswitch/fdb_learn.go",
		`	case learnRefreshed:
		t.set(at, v, seen)
`, `	case learnRefreshed:
		t.entry(at).value.Store(uint64(seen))
`, "TestFDBModel", "in the list of port"},
	{"fdb: room is made by others than who has the most", "vswitch/fdb_learn.go",
		`n > most {`, `n > 0 && n < most {`, "TestFDBFlood", "addresses left of"},
	{"fdb: a port at its limit takes over addresses", "vswitch/fdb_learn.go",
		`	case t.atLimit(port):
`, `	case v == 0 && t.atLimit(port):
`, "TestFDBLimit|TestFDBModel", "FAIL"},

	// The way out of a switch's port.
	{"outlet: a receiver sends what others of its own are before", "vswitch/outlet.go",
		`o.ring.Len() > 0 || o.cuts(bufs) || !o.role.TryLock() {
		return bufs
	}
	defer o.role.Unlock()
	if o.ring.Len() > 0 || o.failure()`, `o.cuts(bufs) || !o.role.TryLock() {
		return bufs
	}
	defer o.role.Unlock()
	if o.failure()`, "InterleaveOutlet", "is sent after"},
	{"outlet: a receiver sends without the role", "vswitch/outlet.go",
		`!o.role.TryLock() {
		return bufs
	}
	defer o.role.Unlock()
`, `false {
		return bufs
	}
`, "InterleaveOutlet", "interleave: after"},
	{"outlet: the sender takes frames out before it has the role", "vswitch/outlet.go",
		`		o.role.Lock()
		n := o.ring.PopBurst(bufs[:])
`, `		n := o.ring.PopBurst(bufs[:])
		o.role.Lock()
`, "InterleaveOutlet", "is sent after"},
	{"outlet: the sender gives the role up before it has sent", "vswitch/outlet.go",
		`		o.transmit(ctx, bufs[:n])
		o.role.Unlock()
`, `		o.role.Unlock()
		o.transmit(ctx, bufs[:n])
`, "InterleaveOutlet", "interleave: after"},
	{"outlet: a receiver sends after the port has failed", "vswitch/outlet.go",
		`	if o.ring.Len() > 0 || o.failure() != nil || o.ring.Closed() {
`, `	if o.ring.Len() > 0 {
`, "InterleaveOutletFails", "failed: true"},
	{"outlet: a receiver puts in what the port has taken", "vswitch/outlet.go",
		`	return bufs[n:]
}
`, `	return bufs
}
`, "InterleaveOutlet", "interleave: after"},
	{"outlet: what the port has not taken when it failed is forgotten", "vswitch/outlet.go",
		`		o.drop(stats.ReasonIOError, bufs[n:])
		return nil
`, `		return nil
`, "InterleaveOutletFails", "sent false, dropped false"},
	{"outlet: a failure tells nobody", "vswitch/outlet.go",
		`		interleave.Write(&o.failed)
	}
	o.ring.Close()
`, `		interleave.Write(&o.failed)
	}
`, "InterleaveOutletFails", "deadlock: nobody is left to wake"},
	{"outlet: the error of a wait is lost", "vswitch/outlet.go",
		`o.port.WaitTx(ctx); ctx.Err() != nil {`, `o.port.WaitTx(ctx); err != nil {`, "InterleaveOutletFails", "failed: true"},
	{"outlet: an abort leaves the ring open", "vswitch/outlet.go",
		`			o.ring.Close()
			wait = context.Background()
`, `			wait = context.Background()
`, "InterleaveOutletAbort", "deadlock: nobody is left to wake"},
	{"outlet: an abort leaves what is in the ring", "vswitch/outlet.go",
		`			o.ring.Close()
			wait = context.Background()
			continue
`, `			o.ring.Close()
			return o.end(ctx)
`, "InterleaveOutletAbort", "sent false, dropped false"},
	{"outlet: what the sender has sent stays in its hand", "vswitch/outlet.go",
		`		o.inHand.Add(-int64(n))
`, ``, "InterleaveOutlet", "in flight"},
	{"outlet: what the sender has dropped stays in its hand", "vswitch/outlet.go",
		`			o.inHand.Store(0)
`, ``, "InterleaveOutletFails", "in flight"},
	{"outlet: who comes after a port was removed counts for nobody", "vswitch/outlet.go",
		`	if heir := o.heir.Load(); heir != nil {
		heir[reason].Add(o.drops[reason].Swap(0))
	}
`, ``, "InterleaveRemove", "dropped are"},
	{"outlet: drops are bequeathed before there is an heir", "vswitch/outlet.go",
		`	o.heir.Store(heir)
	for i := range o.drops {
		heir[i].Add(o.drops[i].Swap(0)) // H1
	}
`, `	for i := range o.drops {
		heir[i].Add(o.drops[i].Swap(0)) // H1
	}
	o.heir.Store(heir)
`, "InterleaveRemove", "dropped are"},
	{"outlet: drops are bequeathed twice", "vswitch/outlet.go",
		`		heir[reason].Add(o.drops[reason].Swap(0))
`, `		heir[reason].Add(o.drops[reason].Load())
`, "InterleaveRemove", "dropped are"},
	{"outlet: a frame that is cut is sent by a receiver", "vswitch/outlet.go",
		`o.ring.Len() > 0 || o.cuts(bufs) || !o.role`, `o.ring.Len() > 0 || !o.role`, "TestCutInParts", "FAIL"},
	{"mpmc: Wait says drained while a push is in flight", "ring/mpmc.go",
		`	err := r.notEmpty.Wait(ctx, func() bool {
		if r.more(&r.head, items) {
			return true
		}
		r.made()
		drained = r.drained()
`, `	err := r.notEmpty.Wait(ctx, func() bool {
		if r.more(&r.head, items) {
			return true
		}
		r.made()
		drained = r.Closed()
`, "InterleaveMPMCWaitOnly", "interleave: after"},
	{"mpmc: Wait sleeps among those who wait for room", "ring/mpmc.go",
		`	err := r.notEmpty.Wait(ctx, func() bool {
		if r.more`, `	err := r.notFull.Wait(ctx, func() bool {
		if r.more`, "InterleaveMPMCWaitOnly", "deadlock: nobody is left to wake"},

	// What a receiver of a switch does with a burst.
	{"dispatch: a frame passes one that goes to all", "vswitch/dispatch.go",
		`case first.out == nil || c.out == nil:`, `case first.out == nil:`, "TestGather", "FAIL"},
	{"dispatch: frames to all pass others", "vswitch/dispatch.go",
		`case first.out == nil || c.out == nil:`, `case c.out == nil && first.out != nil:`, "TestGather", "FAIL"},
	{"dispatch: those that are passed change their order", "vswitch/dispatch.go",
		`			b := bufs[i]
			copy(bufs[k+1:i+1], bufs[k:i])
			copy(courses[k+1:i+1], courses[k:i])
			bufs[k], courses[k] = b, c
`, `			bufs[k], bufs[i] = bufs[i], bufs[k]
			courses[k], courses[i] = c, courses[k]
`, "TestGather", "FAIL"},
	{"dispatch: a share too many for those who want the same tag", "vswitch/dispatch.go",
		`retain(bufs, len(ports)-1)`, `retain(bufs, len(ports))`, "TestFloodShares", "FAIL"},
	{"dispatch: a share too few", "vswitch/dispatch.go",
		`retain(bufs, len(ports)-1)`, `retain(bufs, len(ports)-2)`, "TestFloodShares", "FAIL"},
	{"dispatch: no share for those who want another tag", "vswitch/dispatch.go",
		`retain(bufs, groups-1)`, `retain(bufs, groups-2)`, "TestFloodShares", "FAIL"},
	{"dispatch: a share too many for those who want another tag", "vswitch/dispatch.go",
		`retain(bufs, groups-1)`, `retain(bufs, groups)`, "TestFloodShares", "FAIL"},
	{"dispatch: a share too few for mirrors", "vswitch/dispatch.go",
		`retain(bufs, len(mirrors))`, `retain(bufs, len(mirrors)-1)`, "TestMirror", "FAIL"},
	{"dispatch: who gets a frame by flooding is counted once too often", "vswitch/dispatch.go",
		`uint64(len(bufs) * (ports - 1))`, `uint64(len(bufs) * ports)`, "TestSwitchLearns", "FAIL"},
	{"dispatch: a copy that can't be made is dropped for one too many", "vswitch/dispatch.go",
		`uint64(weight)`, `uint64(weight)+1`, "TestTagWithoutRoom", "FAIL"},
	{"dispatch: a tag is changed for others", "vswitch/vlan.go",
		`	if err := b.Writable(); err != nil {
		return err
	}
`, ``, "TestFloodShares", "FAIL"},

	// Ports that come and go.
	{"switch: a number is free before what was known behind it is forgotten", "vswitch/switch.go",
		`	s.table.flushPort(m.number, true)

	s.mu.Lock()
`, `	defer s.table.flushPort(m.number, true)

	s.mu.Lock()
`, "InterleaveRemove", "is taken to c"},
	{"switch: a port that was removed is still seen", "vswitch/switch.go",
		`	s.publish()
	s.mu.Unlock()

	drain`, `	s.mu.Unlock()

	drain`, "TestNumberIsUsedAgain", "FAIL"},
}
