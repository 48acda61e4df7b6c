//go:build unix

// The table of addresses: which peer each was seen behind.

package vxlan

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	sets = 1 << 11 // a power of two
	ways = 8       // entries in each set
	// tableSize is how many addresses there is room for.
	tableSize = sets * ways
)

// table has a set for each hash of an address, and in a set the addresses seen last. It is of one size, so that nobody who
// makes up addresses can make it grow; what he can do is to have others forgotten, and then frames go to all peers.
type table struct {
	mu   sync.Mutex
	age  time.Duration
	odd  uint64 // what addresses are multiplied with, so that nobody knows which share a set
	sets [sets][ways]entry
}

// entry is an address and who has it. seen is 0 in an empty one.
type entry struct {
	mac  uint64 // the upper 48 bits
	peer int32
	seen int64 // nanoseconds of the clock
}

func newTable(age time.Duration) *table {
	return &table{age: age, odd: rand.Uint64() | 1}
}

// clock is what seen counts from.
var clock = time.Now()

// now is the time as entries have it.
func now() int64 { return int64(time.Since(clock)) + 1 }

// mac returns the address in b, in the upper 48 bits.
func mac(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint32(b))<<32 | uint64(binary.BigEndian.Uint16(b[4:]))<<16
}

// group reports whether an address is a broadcast or multicast.
func group(mac uint64) bool { return mac>>56&1 != 0 }

func (t *table) set(mac uint64) *[ways]entry {
	return &t.sets[mac*t.odd>>(64-bits.TrailingZeros(sets))]
}

// learn notes that mac was seen behind peer. The caller holds mu.
func (t *table) learn(mac uint64, peer int, now int64) {
	if group(mac) || mac == 0 {
		return // nobody's address
	}
	set := t.set(mac)
	oldest := 0
	for i := range set {
		if set[i].seen > 0 && set[i].mac == mac {
			oldest = i
			break
		}
		if set[i].seen < set[oldest].seen {
			oldest = i
		}
	}
	set[oldest] = entry{mac: mac, peer: int32(peer), seen: now}
}

// peer returns behind which peer mac was seen, if it was, not too long ago. The caller holds mu.
func (t *table) peer(mac uint64, now int64) (int, bool) {
	set := t.set(mac)
	for i := range set {
		if e := &set[i]; e.seen > 0 && e.mac == mac {
			return int(e.peer), now-e.seen <= int64(t.age)
		}
	}
	return 0, false
}
