// Learning: what a frame's source says of where an address is, and how addresses are forgotten again.

package vswitch

// outcome is what learn made of an address.
type outcome uint8

const (
	// learnKnown is an address that was seen here in this tick already, or is static here. It is the only outcome that isn't counted.
	learnKnown outcome = iota
	// learnRefreshed is an address that is known here, and was not seen yet in this tick.
	learnRefreshed
	// learnAdded is a new address.
	learnAdded
	// learnMoved is an address that was known behind another port.
	learnMoved
	// learnFlaps is one that has moved flapMoves times within flapWindow ticks. It is said once in that time.
	learnFlaps
	// learnElsewhere is an address that is static behind another port, where it stays.
	learnElsewhere
	// learnOverLimit is an address that is not known here, while the port has as many as it may.
	learnOverLimit
	// learnFull is a new address for which there is no room, since all others are static.
	learnFull
	// learnBusy is an address for which something was to be changed while another had the lock: it is left to the next frame.
	learnBusy
	// learnUnfit is one that is no station's (a group's, or zero), or from a port that the table does not have.
	learnUnfit

	outcomeCount
)

// learn takes note that a frame from an address came in by a port. It never waits and allocates nothing, and it changes nothing if the
// address is known there and was seen in this tick.
//
// A change for which the lock would have to be waited for is left to the next frame. The lock is held for well under a microsecond as a
// rule, never while somebody sleeps; who learns holds it as long as others do, so that a port which floods the table can make that
// some frames more, and no more.
func (t *fdb) learn(k fdbKey, port uint16) outcome {
	if !k.unicast() || int(port) >= len(t.ports) {
		return t.count(learnUnfit)
	}
	_, _, o := t.judge(k, port)
	switch o {
	case learnKnown:
		return o
	case learnRefreshed, learnAdded, learnMoved:
		if !t.mu.TryLock() {
			return t.count(learnBusy)
		}
		o = t.note(k, port)
		t.mu.Unlock()
	}
	return t.count(o)
}

func (t *fdb) count(o outcome) outcome {
	t.outcomes[o].Add(1)
	return o
}

// judge says what is to be made of an address that was seen behind a port. Without the lock that is true for a moment.
func (t *fdb) judge(k fdbKey, port uint16) (at uint32, v fdbValue, o outcome) {
	at, v = t.find(k)
	here := v != 0 && v.port() == port
	switch {
	case here && (v.static() || v.tick() >= t.now.Load()):
		o = learnKnown
	case here:
		o = learnRefreshed
	case v.static():
		o = learnElsewhere
	case t.atLimit(port):
		o = learnOverLimit
	case v != 0:
		o = learnMoved
	default:
		o = learnAdded
	}
	return at, v, o
}

// atLimit reports whether a port may have no more addresses.
func (t *fdb) atLimit(port uint16) bool {
	p := &t.ports[port]
	limit := p.limit.Load()
	return limit > 0 && p.dynamic.Load() >= limit
}

// note does what is to be done, for who has the lock.
func (t *fdb) note(k fdbKey, port uint16) outcome {
	at, v, o := t.judge(k, port) // once more, now that nobody else changes it
	now := t.now.Load()
	seen := newFDBValue(port, now)
	switch o {
	case learnRefreshed:
		t.set(at, v, seen)
	case learnMoved:
		t.set(at, v, seen)
		if t.flaps.moved(k, t.hash(k), now) {
			o = learnFlaps
		}
	case learnAdded:
		if !t.makeRoom(port) {
			return learnFull
		}
		t.insert(k, seen)
	}
	return o
}

// makeRoom makes room for one more address if the table is full: the port that has the most dynamic ones loses the one that it
// has not seen for longest. It is the port itself if no other has more; so who floods the table pushes out his own. It is false if
// all addresses are static.
func (t *fdb) makeRoom(port uint16) bool {
	if t.n < t.size {
		return true
	}
	most := t.ports[port].dynamic.Load()
	for p := range t.ports[:t.used] {
		if n := t.ports[p].dynamic.Load(); n > most {
			port, most = uint16(p), n
		}
	}
	if most == 0 {
		return false
	}
	t.drop(t.links[t.list(port, false)].next)
	t.evicted.Add(1)
	return true
}

// tick is to be called once a second. It forgets addresses that were seen too long ago, which lookups don't find any more: some thousands, a
// thirty-second part of a large table, so that nobody is kept from learning for long. The rest is for the next ticks.
func (t *fdb) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now.Add(1)
	horizon, left := t.horizon(), 1024+t.size/32
	for p := range t.ports[:t.used] {
		list := t.list(uint16(p), false)
		for at := t.links[list].next; at != list && left > 0 && t.value(at).tooOld(horizon); at = t.links[list].next {
			t.drop(at)
			t.aged.Add(1)
			left--
		}
	}
}
