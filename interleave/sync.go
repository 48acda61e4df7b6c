// Locks and waits.

package interleave

import "sync"

// Mutex is a sync.Mutex. The zero Mutex is unlocked and ready; it must not be copied.
type Mutex struct {
	real sync.Mutex // outside of an exploration
	l    loc
	held bool
}

// fresh forgets what an execution that was given up has left.
func (m *Mutex) fresh(e *execution) int32 {
	if m.l.run != e.run_ {
		m.held = false
	}
	return e.locate(&m.l)
}

// Lock waits until the Mutex is unlocked, and locks it.
func (m *Mutex) Lock() {
	e := current.Load()
	if e == nil {
		m.real.Lock()
		return
	}
	t := e.step(op{kind: opLock, writes: true, loc: m.fresh(e), second: -1, lock: m})
	if m.held {
		e.fail("Lock of a Mutex that is locked, where no other thread runs")
	}
	m.held = true
	if t == nil {
		return
	}
	t.sync.join(&e.locs[m.l.id].release)
	e.did(t, true, 0, 0, true)
}

// TryLock locks the Mutex if it is unlocked, and reports whether it was. Unlike sync's it never fails for another
// reason than that.
func (m *Mutex) TryLock() (ok bool) {
	e := current.Load()
	if e == nil {
		return m.real.TryLock()
	}
	t := e.step(op{kind: opTryLock, writes: true, loc: m.fresh(e), second: -1})
	if ok = !m.held; ok {
		m.held = true
	}
	if t == nil {
		return ok
	}
	if ok {
		t.sync.join(&e.locs[m.l.id].release)
	}
	e.did(t, ok, 0, 0, ok)
	return ok
}

// Unlock unlocks the Mutex.
func (m *Mutex) Unlock() {
	e := current.Load()
	if e == nil {
		m.real.Unlock()
		return
	}
	if e.aborting {
		return
	}
	t := e.step(op{kind: opUnlock, writes: true, loc: m.fresh(e), second: -1})
	if !m.held {
		e.fail("Unlock of a Mutex that is not locked")
	}
	m.held = false
	if t == nil {
		return
	}
	e.publish(t, &e.locs[m.l.id].release)
	e.did(t, true, 0, 0, true)
}

// Once is a sync.Once. The zero Once is ready; it must not be copied.
type Once struct {
	m    Mutex
	done bool
}

// Do calls f if no Do has done so before, and waits for the one that is at it.
func (o *Once) Do(f func()) {
	o.m.Lock()
	defer o.m.Unlock()
	if !o.done {
		defer func() { o.done = true }()
		f()
	}
}

// Token is something that one goroutine gives and another one takes, once each: a channel of
// capacity 1. The zero Token is not there yet; it must not be copied.
type Token struct {
	once  sync.Once
	real  chan struct{} // outside of an exploration
	l     loc
	there bool
}

func (k *Token) channel() chan struct{} {
	k.once.Do(func() { k.real = make(chan struct{}, 1) })
	return k.real
}

// fresh forgets what an execution that was given up has left.
func (k *Token) fresh(e *execution) int32 {
	if k.l.run != e.run_ {
		k.there = false
	}
	return e.locate(&k.l)
}

// Give makes the token be there. That it is there already is a fault.
func (k *Token) Give() {
	e := current.Load()
	if e == nil {
		k.channel() <- struct{}{}
		return
	}
	t := e.step(op{kind: opGive, writes: true, loc: k.fresh(e), second: -1})
	if k.there {
		e.fail("Give of a Token that is there already")
	}
	k.there = true
	if t == nil {
		return
	}
	e.publish(t, &e.locs[k.l.id].release)
	e.did(t, true, 0, 0, true)
}

// Take waits for the token and takes it, or until done is closed: it returns false then. done is
// nil or of a Run.Timeout. If both are the case, it does either.
func (k *Token) Take(done <-chan struct{}) (ok bool) {
	e := current.Load()
	if e == nil {
		select {
		case <-k.channel():
			return true
		case <-done:
			return false
		}
	}
	o := op{kind: opTake, writes: true, loc: k.fresh(e), second: -1, take: k, until: e.timeout(done)}
	if o.until != nil {
		o.second = e.locate(&o.until.loc)
	}
	t := e.step(o)
	switch {
	case t == nil && !k.there && !o.until.fired():
		e.fail("Take of a Token that is not there, where no other thread runs")
	case t != nil && k.there && o.until.fired():
		ok = e.choose(2) == 0
	default:
		ok = k.there
	}
	if ok {
		k.there = false
	}
	if t != nil {
		if ok {
			t.sync.join(&e.locs[k.l.id].release)
		}
		e.did(t, true, 0, 0, ok)
	}
	return ok
}

// Len returns 1 if the token is there and 0 if not. It is for tests, and no operation.
func (k *Token) Len() int {
	if current.Load() == nil {
		return len(k.channel())
	}
	return int(number(k.there))
}

// timeout finds the time-out that has this channel.
func (e *execution) timeout(done <-chan struct{}) *timeout {
	if done == nil {
		return nil
	}
	for _, c := range e.timeouts {
		if c.done == done {
			return c
		}
	}
	e.fail("Take waits for a channel that is not of a Run.Timeout")
	return nil
}

func (c *timeout) fired() bool { return c != nil && c.over }

// Pool is a sync.Pool that forgets what it is given, as one is free to do.
type Pool struct {
	// New makes what Get returns.
	New func() any
}

// Get returns a new object, or nil without New.
func (p *Pool) Get() any {
	if p.New == nil {
		return nil
	}
	return p.New()
}

// Put does nothing.
func (p *Pool) Put(any) {}
