// The forwarding table: the port behind which each address was last seen, for each VLAN.
//
// It is a hash table that anybody reads without a lock while one at a time changes it. A bucket is a cache line with room for
// three addresses. One that finds its home bucket full goes on to the next that has room, and each bucket that it passes counts
// it: a search goes on for as long as that count is not zero. So an address stays where it is until it goes, nothing is left
// behind by those that went, and a table made for n addresses takes any n. (The counts are those of Folly's F14, by Bronson and Shi.)
//
// Who learns changes nothing for most frames. If he has to, he tries to take the lock and leaves it to the next frame if another has
// it. Each port's addresses are in a list as well, the one seen longest ago first, which is where they age and where a full
// table makes room.
//
// Its files: this one has what readers do, fdb_change.go the changes that need the lock, fdb_learn.go learning and ageing, fdb_manage.go
// what an operator wants.

package vswitch

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
	"github.com/ringway-net/ringway/packet"
)

const (
	fdbDefaultSize = 8192
	fdbMaxSize     = 1 << 24
	fdbMaxPorts    = 1 << 16
	// fdbDefaultAge is in ticks, which are seconds.
	fdbDefaultAge = 300
)

// fdbKey is an address in a VLAN: the VLAN's number in bits 48 to 59, the address below. Bit 63 is set, so that no key is 0.
type fdbKey uint64

// newFDBKey returns the key of an address in a VLAN, 0 to 4095; 0 is for frames without a tag.
func newFDBKey(vlan uint16, mac packet.MAC) fdbKey {
	return 1<<63 | fdbKey(vlan&0xfff)<<48 | fdbKey(mac.Uint64())
}

func (k fdbKey) vlan() uint16    { return uint16(k>>48) & 0xfff }
func (k fdbKey) mac() packet.MAC { return packet.MACFromUint64(uint64(k)) }

// unicast reports whether k is the address of a station: neither a group's nor zero.
func (k fdbKey) unicast() bool { return k&(1<<40) == 0 && k<<16 != 0 }

// fdbValue is what is known of an address: its port in bits 48 to 63, whether it is static in bit 32, and the tick at which it was last
// seen below. Ticks begin at 1, so that no value is 0, which stands for an unknown address.
type fdbValue uint64

func newFDBValue(port uint16, tick uint32) fdbValue {
	return fdbValue(port)<<48 | fdbValue(tick)
}

const fdbStatic fdbValue = 1 << 32

func (v fdbValue) port() uint16 { return uint16(v >> 48) }
func (v fdbValue) static() bool { return v&fdbStatic != 0 }
func (v fdbValue) tick() uint32 { return uint32(v) }

// fdbWays is how many addresses a bucket has room for.
const fdbWays = 3

type fdbBucket struct {
	entries [fdbWays]fdbEntry
	// version goes up before an address is put into the bucket. A reader who sees it unchanged has not taken the value of one
	// address for that of another, since no entry has gone from one to another while he looked.
	version atomic.Uint64
	// passed is how many addresses are further on that would be here or before if there had been room.
	passed atomic.Uint64
}

type fdbEntry struct {
	key   atomic.Uint64 // 0 if there is none
	value atomic.Uint64
}

// fdbTries is how often a search looks at a bucket whose version has changed in between. It takes an address put into the same bucket
// for each, within some nanoseconds; beyond that the answer is that the address is unknown, so that a lookup always ends.
const fdbTries = 16

// fdb is the table. Anybody may call anything at any time; a lookup never waits, and learn neither.
//
// A slot is the place of an address: fdbWays of them are in a bucket, numbered through.
type fdb struct {
	buckets []fdbBucket
	ports   []fdbPort
	seed    [4]uint64
	now     atomic.Uint32 // changes under the lock alone
	age     atomic.Uint32 // most ticks since an address was seen, or 0
	_       cpu.Pad

	mu sync.Mutex
	// links are of the slots, and behind those of the lists: two for each port, that of its dynamic addresses, in
	// the order of their ticks, and that of its static ones.
	links []fdbLink
	used  int // ports beyond it never had an address
	size  int // the most addresses
	n     int // addresses
	flaps flaps

	outcomes               [outcomeCount]atomic.Uint64 // of learn
	aged, evicted, removed atomic.Uint64
}

// fdbLink is a place in a list that is a ring: the list itself is in front of its first and behind its last slot.
type fdbLink struct{ next, prev uint32 }

// fdbPort is what a port has.
type fdbPort struct {
	limit   atomic.Uint32 // the most dynamic addresses, or 0
	dynamic atomic.Uint32
	static  uint32
}

// newFDB makes a table for at most so many addresses, 1 to 1<<24, behind ports 0 to ports-1. Its memory is taken now.
func newFDB(size, ports int) (*fdb, error) {
	if size < 1 || size > fdbMaxSize {
		return nil, fmt.Errorf("vswitch: a table of %d addresses, want 1 to %d", size, fdbMaxSize)
	}
	if ports < 1 || ports > fdbMaxPorts {
		return nil, fmt.Errorf("vswitch: a table for %d ports, want 1 to %d", ports, fdbMaxPorts)
	}
	buckets := fdbBuckets(size)
	t := &fdb{
		buckets: make([]fdbBucket, buckets),
		links:   make([]fdbLink, fdbWays*buckets+2*ports),
		ports:   make([]fdbPort, ports),
		size:    size,
	}
	for list := fdbWays * buckets; list < len(t.links); list++ {
		t.links[list] = fdbLink{uint32(list), uint32(list)}
	}
	var random [len(t.seed) * 8]byte
	rand.Read(random[:])
	for i := range t.seed {
		t.seed[i] = binary.NativeEndian.Uint64(random[8*i:])
	}
	t.now.Store(1)
	t.age.Store(fdbDefaultAge)
	return t, nil
}

// fdbBuckets is how many buckets a table of so many addresses has: two thirds of their slots are taken when it is full.
func fdbBuckets(size int) int { return (size + 1) / 2 }

// lookup returns the port behind which an address is. It is not ok if the address is unknown, or was seen too long ago.
//
// What it returns was right at some moment of the call. It allocates nothing and takes no lock.
func (t *fdb) lookup(k fdbKey) (port uint16, ok bool) {
	horizon := t.horizon() // before the value, which may be refreshed while the clock goes on
	_, v := t.find(k)
	if v == 0 || v.tooOld(horizon) {
		return 0, false
	}
	return v.port(), true
}

// far reports whether the table is larger than what is at hand of a processor's cache, as a rule.
func (t *fdb) far() bool { return t.size > 1<<15 }

// prefetch asks for the memory that a lookup of an address, or learn, will wait for. In a table that is far away that is nearly all
// that they take; asked for all addresses of a burst before the first is looked up, it is waited for once.
func (t *fdb) prefetch(k fdbKey) {
	cpu.PrefetchRead(unsafe.Pointer(&t.buckets[t.home(k)]))
}

// horizon is the tick such that addresses which were last seen before it are too old.
func (t *fdb) horizon() uint32 {
	now, age := t.now.Load(), t.age.Load()
	if age == 0 || now < age {
		return 0
	}
	return now - age
}

func (v fdbValue) tooOld(horizon uint32) bool { return v.tick() < horizon && !v.static() }

// find returns the slot and the value of an address, or the value 0.
func (t *fdb) find(k fdbKey) (at uint32, v fdbValue) {
	home := t.home(k)
	for i := home; ; {
		b := &t.buckets[i]
		if way, v := b.find(k); v != 0 {
			return i*fdbWays + way, v
		}
		if b.passed.Load() == 0 {
			return 0, 0
		}
		if i = t.after(i); i == home {
			return 0, 0
		}
	}
}

// find returns where in the bucket an address is, and its value, or the value 0.
func (b *fdbBucket) find(k fdbKey) (way uint32, v fdbValue) {
	for range fdbTries {
		version := b.version.Load() // F1
		for way = 0; way < fdbWays && b.entries[way].key.Load() != uint64(k); way++ {
		}
		if way == fdbWays {
			return 0, 0
		}
		v = fdbValue(b.entries[way].value.Load())
		// Had the value been written for another address, then that one was put here either before k was, and so its value had been
		// written over when k was seen; or after, and so the version had gone up in between.
		if b.version.Load() == version { // F1
			return way, v
		}
	}
	return 0, 0
}

// home is the bucket where an address is if there was room.
func (t *fdb) home(k fdbKey) uint32 {
	hi, _ := bits.Mul64(t.hash(k), uint64(len(t.buckets)))
	return uint32(hi)
}

// hash makes a number of an address. Nobody who does not know the seed, which is random, can choose addresses that collide. (It folds
// the halves of a product, as wyhash by Wang Yi does, twice.)
func (t *fdb) hash(k fdbKey) uint64 {
	hi, lo := bits.Mul64(uint64(k)^t.seed[0], t.seed[1]|1)
	hi, lo = bits.Mul64(hi^lo^t.seed[2], t.seed[3]|1)
	return hi ^ lo
}

func (t *fdb) after(bucket uint32) uint32 {
	if bucket++; bucket == uint32(len(t.buckets)) {
		return 0
	}
	return bucket
}
