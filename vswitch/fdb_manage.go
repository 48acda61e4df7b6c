// What an operator and the switch itself want of the forwarding table. These calls wait for the lock.

package vswitch

import (
	"errors"
	"fmt"
	"iter"

	"github.com/ringway-net/ringway/packet"
)

// errFDBFull says that there is no room for a static address.
var errFDBFull = errors.New("vswitch: the table is full of static addresses; remove some, or make a larger one")

// setAge sets for how many ticks an address is known after it was seen; 0 is for ever.
func (t *fdb) setAge(ticks uint32) { t.age.Store(ticks) }

// setLimit sets how many dynamic addresses a port may have; 0 is as many as there is room for. Those that it has it keeps.
// The port is one of the table's.
func (t *fdb) setLimit(port uint16, most uint32) { t.ports[port].limit.Store(most) }

// addStatic puts an address behind a port for good, wherever it was. If the table is full, a dynamic one makes room.
func (t *fdb) addStatic(k fdbKey, port uint16) error {
	if !k.unicast() {
		return fmt.Errorf("vswitch: %v is no address of a station", k.mac())
	}
	if int(port) >= len(t.ports) {
		return fmt.Errorf("vswitch: port %d of a table for %d", port, len(t.ports))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	static := newFDBValue(port, t.now.Load()) | fdbStatic
	switch at, v := t.find(k); {
	case v != 0:
		if !v.static() {
			t.removed.Add(1)
		}
		t.set(at, v, static)
	case t.makeRoom(port):
		t.insert(k, static)
	default:
		return errFDBFull
	}
	return nil
}

// remove forgets an address, static or not. It returns false if it was not there.
func (t *fdb) remove(k fdbKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, v := t.find(k)
	if v == 0 {
		return false
	}
	t.forget(at)
	return true
}

// flushPort forgets the dynamic addresses of a port, and the static ones too if asked to. A port that leaves the switch is
// flushed once its last frame has been learned from. The port is one of the table's, as for behind.
func (t *fdb) flushPort(port uint16, statics bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.empty(t.list(port, false))
	if statics {
		t.empty(t.list(port, true))
	}
}

// flush forgets all dynamic addresses.
func (t *fdb) flush() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for port := range t.ports[:t.used] {
		t.empty(t.list(uint16(port), false))
	}
}

// empty forgets all addresses of a list, for who has the lock.
func (t *fdb) empty(list uint32) {
	for t.links[list].next != list {
		t.forget(t.links[list].next)
	}
}

// forget drops an address because somebody wants it, for who has the lock.
func (t *fdb) forget(at uint32) {
	if !t.value(at).static() {
		t.removed.Add(1)
	}
	t.drop(at)
}

// len returns how many addresses there are, with those that are too old and not swept up yet.
func (t *fdb) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// behind returns how many addresses a port has, with those that are too old and not swept up yet.
func (t *fdb) behind(port uint16) (dynamic, static int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &t.ports[port]
	return int(p.dynamic.Load()), int(p.static)
}

// fdbAddress is what the table knows of an address.
type fdbAddress struct {
	VLAN   uint16
	MAC    packet.MAC
	Port   uint16
	Static bool
	Age    uint32 // ticks since it was seen, or made static
}

// all goes through the addresses that a lookup finds, in no order. One that is there all the while is seen once, whatever
// becomes of the others. The lock is not held while the loop's body runs.
func (t *fdb) all() iter.Seq[fdbAddress] {
	return func(yield func(fdbAddress) bool) {
		for bucket := range uint32(len(t.buckets)) {
			found, n := t.in(bucket)
			for _, a := range found[:n] {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// in returns the addresses of a bucket.
func (t *fdb) in(bucket uint32) (found [fdbWays]fdbAddress, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for way := range uint32(fdbWays) {
		k, v := t.key(bucket*fdbWays+way), t.value(bucket*fdbWays+way)
		if k != 0 && !v.tooOld(t.horizon()) {
			found[n] = fdbAddress{VLAN: k.vlan(), MAC: k.mac(), Port: v.port(), Static: v.static(), Age: t.now.Load() - v.tick()}
			n++
		}
	}
	return found, n
}

// fdbStats are counts since the table was made. At rest
//
//	added = dynamic addresses that are there + Aged + Evicted + Removed
//
// where added is Outcomes[learnAdded].
type fdbStats struct {
	Outcomes [outcomeCount]uint64 // of learn; those that are learnKnown aren't counted
	Aged     uint64
	Evicted  uint64
	Removed  uint64 // dynamic ones that somebody removed, flushed or made static
}

func (t *fdb) stats() (s fdbStats) {
	for o := range s.Outcomes {
		s.Outcomes[o] = t.outcomes[o].Load()
	}
	s.Aged, s.Evicted, s.Removed = t.aged.Load(), t.evicted.Load(), t.removed.Load()
	return s
}
