// Operations: what a step of a thread is, when it is possible, and which two of them can
// be swapped without a difference.

package interleave

import "fmt"

type opKind uint8

const (
	opLoad opKind = iota
	opStore
	opUpdate // Add, And, Or, Swap
	opCompare
	opLock
	opTryLock
	opUnlock
	opGive
	opTake
	opYield
	opFire
	opChoose
)

func (k opKind) String() string {
	return [...]string{"Load", "Store", "Update", "CompareAndSwap", "Lock", "TryLock", "Unlock", "Give", "Take", "Yield", "the time-out", "Choose"}[k]
}

// op is an operation on a location, or on none (-1).
type op struct {
	kind   opKind
	writes bool
	loc    int32
	// second is another location that is read: the time-out of a Take.
	second int32
	// What Lock and Take look at.
	lock  *Mutex
	take  *Token
	until *timeout
	name  string // of the operation, as in Add
}

// label is the operation's name.
func (o *op) label() string {
	if o.name != "" {
		return o.name
	}
	return o.kind.String()
}

// text is the operation as a trace shows it.
func (o *op) text(v *event) string {
	name := o.label()
	switch o.kind {
	case opLoad:
		return fmt.Sprintf("%s #%d = %#x", name, o.loc, v.value)
	case opStore:
		return fmt.Sprintf("%s #%d, %#x", name, o.loc, v.argument)
	case opUpdate:
		return fmt.Sprintf("%s #%d, %#x = %#x", name, o.loc, v.argument, v.value)
	case opCompare:
		return fmt.Sprintf("%s #%d, %#x, %#x = %v", name, o.loc, v.value, v.argument, v.ok)
	case opTryLock, opTake:
		return fmt.Sprintf("%s #%d = %v", name, o.loc, v.ok)
	case opYield:
		return name
	case opChoose:
		return fmt.Sprintf("%s = %d", name, v.value)
	}
	return fmt.Sprintf("%s #%d", name, o.loc)
}

// possible reports whether t can do the operation now.
func (o *op) possible(e *execution, t *thread) bool {
	switch o.kind {
	case opLock:
		return !o.lock.held
	case opTake:
		return o.take.there || o.until.fired()
	case opYield:
		for _, s := range t.seen {
			if e.locs[s.loc].version != s.version {
				return true
			}
		}
		return len(t.seen) == 0
	}
	return true
}

// dependent reports whether the pending operation p, of thread t, and the done one d may make a
// difference to each other.
func dependent(p, d *op, t *thread) bool {
	touches := func(loc int32, writes bool) bool {
		return loc >= 0 && (loc == d.loc && (writes || d.writes) || loc == d.second && writes)
	}
	if p.kind == opYield {
		for _, s := range t.seen {
			if touches(s.loc, false) {
				return true
			}
		}
		return false
	}
	return touches(p.loc, p.writes) || touches(p.second, false)
}

// loc is where a location's number is kept, in the object itself.
type loc struct {
	run uint64
	id  int32
}

// locate returns l's number in e.
func (e *execution) locate(l *loc) int32 {
	if l.run != e.run_ {
		*l = loc{e.run_, int32(len(e.locs))}
		e.locs = append(e.locs, location{write: -1, grab: -1, reads: none})
	}
	return l.id
}

var none = func() (n [MaxThreads]int32) {
	for i := range n {
		n[i] = -1
	}
	return n
}()

// step waits until it is the current thread's turn to do o. It returns nil in the set-up, in After, and when the
// thread is being unwound: there is nobody to take turns with.
func (e *execution) step(o op) *thread {
	t := e.cur
	if t == nil {
		return nil
	}
	if e.aborting {
		if o.kind == opLock || o.kind == opTake || o.kind == opYield {
			panic(abort{}) // it might wait for somebody who is gone
		}
		return nil
	}
	t.pending = o
	t.state = waiting
	if e.traced {
		t.place = here()
	}
	if stall := e.explorer.options.Stall; stall != "" && t.name == stall && t.done == e.stallAfter {
		t.state = stalled
		e.stalled = true
	}
	t.worker.suspend()
	if e.aborting {
		panic(abort{})
	}
	return t
}

// did notes that t has done its pending operation. wrote tells whether that changed the location.
func (e *execution) did(t *thread, wrote bool, value, argument uint64, ok bool) {
	o := t.pending
	o.writes = wrote
	t.done++
	before := t.hb
	t.hb[t.id]++
	e.events = append(e.events, event{thread: t.id, n: t.hb[t.id], op: o, value: value, argument: argument, ok: ok, place: t.place})
	at := int32(len(e.events) - 1)
	v := &e.events[at]

	grab := int32(-1) // who got the lock or token last: he is to be swapped with, not who gave it back
	if o.kind == opLock || o.kind == opTake {
		grab = e.locs[o.loc].grab
	}
	var against []int32 // the events that this one depends on
	use := func(id int32, writes bool) {
		l := &e.locs[id]
		if l.write >= 0 && o.kind != opLock { // a Lock can't come before the Unlock that lets it
			against = append(against, l.write)
		}
		t.hb.join(&l.wrote)
		if writes {
			for _, r := range l.reads {
				if r >= 0 {
					against = append(against, r)
				}
			}
			t.hb.join(&l.read)
		}
	}
	switch {
	case o.kind == opYield:
		for _, s := range t.seen {
			use(s.loc, false)
		}
	default:
		if o.loc >= 0 {
			use(o.loc, wrote)
		}
		if o.second >= 0 {
			use(o.second, false)
		}
	}
	v.clock = t.hb

	note := func(id int32, writes bool) {
		l := &e.locs[id]
		if !writes {
			l.reads[t.id] = at
			l.read.join(&t.hb)
			return
		}
		l.version++
		l.wrote = t.hb
		l.read = clock{}
		l.write = at
		l.reads = none
		if ok && (o.kind == opLock || o.kind == opTryLock || o.kind == opTake) {
			l.grab = at
		}
	}
	switch {
	case o.kind == opYield:
		for _, s := range t.seen {
			note(s.loc, false)
		}
		t.seen = t.seen[:0]
	default:
		if o.loc >= 0 {
			old := e.locs[o.loc].version
			note(o.loc, wrote)
			t.see(o.loc, old, e.locs[o.loc].version)
		}
		if o.second >= 0 {
			note(o.second, false)
		}
	}
	if int(at) >= e.fresh && e.explorer.options.Preemptions == 0 && e.explorer.options.Schedule == "" {
		e.races(before, against)
		if grab >= 0 && before[e.events[grab].thread] < e.events[grab].n {
			e.explorer.race(int(grab))
		}
	}
}

// see notes that t has read a location, and perhaps changed its version from old to now. What it
// has read before and was changed by others since stays noted as it was: a loop that went by
// the old value has reason to look again.
func (t *thread) see(id int32, old, now uint32) {
	for i := range t.seen {
		if s := &t.seen[i]; s.loc == id {
			if s.version == old {
				s.version = now
			}
			return
		}
	}
	t.seen = append(t.seen, sighting{id, now})
}

// races tells the explorer of those in against that were in no order with the last event but by
// the dependency itself.
func (e *execution) races(before clock, against []int32) {
	for _, i := range against {
		v := &e.events[i]
		if before[v.thread] >= v.n {
			continue
		}
		direct := true
		for _, k := range against {
			if u := &e.events[k]; k != i && before[u.thread] < u.n && u.clock[v.thread] >= v.n {
				direct = false
			}
		}
		if direct {
			e.explorer.race(int(i))
		}
	}
}
