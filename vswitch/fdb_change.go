// Changes of the forwarding table: all of this is for who has the lock.

package vswitch

import (
	"github.com/ringway-net/ringway/interleave"
)

func (t *fdb) entry(at uint32) *fdbEntry { return &t.buckets[at/fdbWays].entries[at%fdbWays] }

func (t *fdb) key(at uint32) fdbKey     { return fdbKey(t.entry(at).key.Load()) }
func (t *fdb) value(at uint32) fdbValue { return fdbValue(t.entry(at).value.Load()) }

// insert puts an address into the table that is not there; and there is room.
func (t *fdb) insert(k fdbKey, v fdbValue) {
	i, way := t.home(k), uint32(0)
	for ; ; i = t.after(i) {
		b := &t.buckets[i]
		for way = 0; way < fdbWays && b.entries[way].key.Load() != 0; way++ {
		}
		if way < fdbWays {
			break
		}
		b.passed.Add(1)
	}
	b := &t.buckets[i]
	b.version.Add(1) // F1: after the last key has gone from here, before the new value
	b.entries[way].value.Store(uint64(v))
	b.entries[way].key.Store(uint64(k))
	t.n++
	t.enlist(i*fdbWays+way, v)
}

// drop takes the address in a slot out of the table.
func (t *fdb) drop(at uint32) {
	k, v := t.key(at), t.value(at)
	t.delist(at, v)
	t.n--
	t.entry(at).key.Store(0)
	for i := t.home(k); i != at/fdbWays; i = t.after(i) {
		t.buckets[i].passed.Add(^uint64(0))
	}
}

// set gives the address in a slot another value, which makes it the last of its list.
func (t *fdb) set(at uint32, from, to fdbValue) {
	t.delist(at, from)
	t.enlist(at, to)
	t.entry(at).value.Store(uint64(to))
}

// list returns the list of a port's addresses.
func (t *fdb) list(port uint16, static bool) uint32 {
	list := fdbWays*uint32(len(t.buckets)) + 2*uint32(port)
	if static {
		list++
	}
	return list
}

// enlist puts a slot at the end of the list for addresses with such a value.
func (t *fdb) enlist(at uint32, v fdbValue) {
	t.used = max(t.used, int(v.port())+1)
	if p := &t.ports[v.port()]; v.static() {
		p.static++
	} else {
		p.dynamic.Add(1)
	}
	list := t.list(v.port(), v.static())
	last := t.links[list].prev
	t.links[at] = fdbLink{next: list, prev: last}
	t.links[last].next = at
	t.links[list].prev = at
	if interleave.On {
		interleave.Write(&t.n)
	}
}

// delist takes a slot out of its list.
func (t *fdb) delist(at uint32, v fdbValue) {
	if p := &t.ports[v.port()]; v.static() {
		p.static--
	} else {
		p.dynamic.Add(^uint32(0))
	}
	l := t.links[at]
	t.links[l.prev].next = l.next
	t.links[l.next].prev = l.prev
	if interleave.On {
		interleave.Write(&t.n)
	}
}
