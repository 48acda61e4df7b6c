package vswitch

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
)

// station is the i-th address of VLAN 1.
func fdbStation(i int) fdbKey { return newFDBKey(1, packet.MACFromUint64(2<<40|uint64(i))) }

func newTestFDB(t testing.TB, size, ports int) *fdb {
	t.Helper()
	x, err := newFDB(size, ports)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// learns learns addresses from up to to behind a port, each of which must come to the same.
func learns(t testing.TB, x *fdb, from, to int, port uint16, want outcome) {
	t.Helper()
	for i := from; i < to; i++ {
		if o := x.learn(fdbStation(i), port); o != want {
			t.Fatalf("address %d behind port %d: %d, want %d", i, port, o, want)
		}
	}
}

// knows returns how many of the addresses from up to to are known behind a port.
func knows(x *fdb, from, to int, port uint16) (n int) {
	for i := from; i < to; i++ {
		if p, ok := x.lookup(fdbStation(i)); ok && p == port {
			n++
		}
	}
	return n
}

func wantOutcome(t testing.TB, got, want outcome) {
	t.Helper()
	if got != want {
		t.Errorf("outcome %d, want %d", got, want)
	}
}

func sound(t testing.TB, x *fdb) {
	t.Helper()
	if err := checkFDB(x); err != nil {
		t.Error(err)
	}
}

func TestFDBKey(t *testing.T) {
	mac := packet.MAC{0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54}
	for _, vlan := range []uint16{0, 1, 4095} {
		k := newFDBKey(vlan, mac)
		if k.vlan() != vlan || k.mac() != mac || !k.unicast() {
			t.Errorf("%x: VLAN %d, %v, unicast %v", k, k.vlan(), k.mac(), k.unicast())
		}
	}
	for _, mac := range []packet.MAC{{}, {1, 0, 0, 0, 0, 0}, packet.Broadcast} {
		if newFDBKey(4095, mac).unicast() {
			t.Errorf("%v is taken for a station's", mac)
		}
	}
	if k := newFDBKey(0, packet.MAC{}); k == 0 {
		t.Error("a key is 0")
	}
	if v := newFDBValue(65535, math.MaxUint32) | fdbStatic; v.port() != 65535 || v.tick() != math.MaxUint32 || !v.static() || newFDBValue(65535, math.MaxUint32).static() {
		t.Errorf("%x", v)
	}
}

func TestFDBConfig(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {fdbMaxSize + 1, 1}, {1, 0}, {1, fdbMaxPorts + 1}} {
		if x, err := newFDB(c[0], c[1]); err == nil || x != nil {
			t.Errorf("%d addresses, %d ports: no error", c[0], c[1])
		}
	}
	x := newTestFDB(t, 1, fdbMaxPorts)
	wantOutcome(t, x.learn(fdbStation(1), fdbMaxPorts-1), learnAdded)
	a, b := newTestFDB(t, fdbDefaultSize, 1024), newTestFDB(t, fdbDefaultSize, 1024)
	if a.seed == b.seed {
		t.Error("two tables have the same seed")
	}
	// 32 bytes for each address, and 12 for its place in a list.
	if n := fdbMemory(1_000_000, 64); n < AddressMemory*1_000_000 || n > AddressMemory*1_000_000+20_000 {
		t.Errorf("a million addresses take %d bytes", n)
	}
}

// As many addresses as were asked for fit, whichever they are, and no more; and none is far from its home.
func TestFDBAnyAddressesFit(t *testing.T) {
	random := testkit.Rand(t)
	kinds := map[string]func(i uint64) (vlan uint16, mac uint64){
		"in a row":       func(i uint64) (uint16, uint64) { return 1, 2<<40 | i },
		"far apart":      func(i uint64) (uint16, uint64) { return 1, 2<<40 | i<<20 },
		"of many VLANs":  func(i uint64) (uint16, uint64) { return uint16(i % 4094), 2<<40 | i/4094 },
		"chosen at will": func(i uint64) (uint16, uint64) { return 1, random.Uint64() &^ (1 << 40) },
	}
	for name, kind := range kinds {
		for _, size := range []int{1, 2, 3, 4, 5, 100, fdbDefaultSize, 100_000} {
			x := newTestFDB(t, size, 2)
			made := map[fdbKey]bool{}
			var last fdbKey
			for i := uint64(0); len(made) <= size; i++ {
				vlan, mac := kind(i)
				if last = newFDBKey(vlan, packet.MACFromUint64(mac)); !last.unicast() || made[last] {
					continue
				}
				if len(made) == size {
					break
				}
				made[last] = true
				wantOutcome(t, x.learn(last, 1), learnAdded)
			}
			far := 0
			for k := range made {
				if p, ok := x.lookup(k); !ok || p != 1 {
					t.Fatalf("%s, %d: %x is behind %d, %v", name, size, k, p, ok)
				}
				at, _ := x.find(k)
				for i := x.home(k); i != at/fdbWays; i = x.after(i) {
					far++
				}
			}
			if mean := float64(far) / float64(size); mean > 0.4 && size > 1000 { // 0.25 is what chance gives with two thirds taken
				t.Errorf("%s: %d addresses are %.2f buckets from home in the mean", name, size, mean)
			}
			sound(t, x)
			wantOutcome(t, x.learn(last, 1), learnAdded)
			if s := x.stats(); x.len() != size || s.Evicted != 1 {
				t.Errorf("%s: %d addresses of %d, %d evicted", name, x.len(), size, s.Evicted)
			}
			sound(t, x)
		}
	}
}

// A flood of made-up addresses pushes out its own.
func TestFDBFlood(t *testing.T) {
	const size, each, flood = 1000, 100, 9
	x := newTestFDB(t, size, 10)
	for port := range 5 {
		learns(t, x, port*each, (port+1)*each, uint16(port), learnAdded)
	}
	for i := 500; i < 600; i++ {
		if err := x.addStatic(fdbStation(i), flood); err != nil {
			t.Fatal(err)
		}
	}
	learns(t, x, 10_000, 20_000, flood, learnAdded)
	for port := range 5 {
		if n := knows(x, port*each, (port+1)*each, uint16(port)); n != each {
			t.Errorf("port %d has %d addresses left of %d", port, n, each)
		}
	}
	if n := knows(x, 500, 600, flood); n != 100 {
		t.Errorf("%d static addresses are left", n)
	}
	// Of its own those seen longest ago went.
	if n := knows(x, 19_600, 20_000, flood); n != 400 || knows(x, 10_000, 19_600, flood) != 0 {
		t.Errorf("%d of the last addresses are left, and %d older ones", n, knows(x, 10_000, 19_600, flood))
	}
	// Another port still gets its share.
	learns(t, x, 600, 800, 6, learnAdded)
	if n := knows(x, 600, 800, 6); n != 200 {
		t.Errorf("a port that came later has %d addresses", n)
	}
	// What was seen again was not seen longest ago.
	x.tick()
	learns(t, x, 19_800, 19_850, flood, learnRefreshed)
	learns(t, x, 30_000, 30_150, flood, learnAdded)
	if a, b := knows(x, 19_800, 19_850, flood), knows(x, 19_850, 20_000, flood); a != 50 || b != 0 {
		t.Errorf("%d refreshed addresses are left, and %d others", a, b)
	}
	sound(t, x)
}

func TestFDBFullOfStatics(t *testing.T) {
	x := newTestFDB(t, 3, 2)
	learns(t, x, 0, 3, 1, learnAdded)
	for i := range 3 {
		if err := x.addStatic(fdbStation(10+i), 0); err != nil { // each pushes out a dynamic one
			t.Fatal(err)
		}
	}
	if err := x.addStatic(fdbStation(20), 0); !errors.Is(err, errFDBFull) {
		t.Errorf("one more: %v", err)
	}
	wantOutcome(t, x.learn(fdbStation(0), 1), learnFull)
	if err := x.addStatic(fdbStation(10), 1); err != nil { // it is there
		t.Error(err)
	}
	wantOutcome(t, x.learn(fdbStation(10), 0), learnElsewhere)
	wantOutcome(t, x.learn(fdbStation(10), 1), learnKnown)
	if n := knows(x, 10, 11, 1) + knows(x, 11, 13, 0); n != 3 {
		t.Errorf("%d static addresses", n)
	}
	s := x.stats()
	if s.Outcomes[learnFull] != 1 || s.Outcomes[learnElsewhere] != 1 || s.Evicted != 3 || s.Removed != 0 {
		t.Errorf("%+v", s)
	}
	if !x.remove(fdbStation(10)) || x.remove(fdbStation(10)) {
		t.Error("a static address can't be removed, or twice")
	}
	wantOutcome(t, x.learn(fdbStation(10), 0), learnAdded)
	sound(t, x)
}

func TestFDBLimit(t *testing.T) {
	x := newTestFDB(t, 100, 3)
	x.setLimit(1, 10)
	if err := x.addStatic(fdbStation(90), 1); err != nil { // it does not count
		t.Fatal(err)
	}
	learns(t, x, 0, 10, 1, learnAdded)
	learns(t, x, 10, 20, 1, learnOverLimit)
	learns(t, x, 20, 30, 2, learnAdded)
	learns(t, x, 20, 30, 1, learnOverLimit) // nor can it take those of others
	x.tick()
	learns(t, x, 0, 10, 1, learnRefreshed)
	x.remove(fdbStation(0))
	wantOutcome(t, x.learn(fdbStation(20), 1), learnMoved)
	x.setLimit(1, 5)
	wantOutcome(t, x.learn(fdbStation(20), 2), learnMoved) // which leaves 9
	wantOutcome(t, x.learn(fdbStation(20), 1), learnOverLimit)
	x.setLimit(1, 0)
	learns(t, x, 30, 60, 1, learnAdded)
	if s := x.stats(); s.Outcomes[learnOverLimit] != 21 {
		t.Errorf("%+v", s)
	}
	// A port at its limit makes nobody else's address go.
	full := newTestFDB(t, 10, 2)
	full.setLimit(1, 1)
	learns(t, full, 0, 9, 0, learnAdded)
	learns(t, full, 9, 10, 1, learnAdded)
	learns(t, full, 10, 20, 1, learnOverLimit)
	if n := knows(full, 0, 9, 0); n != 9 || full.stats().Evicted != 0 {
		t.Errorf("%d addresses are left, %d evicted", n, full.stats().Evicted)
	}
	sound(t, x)
	sound(t, full)
}

func TestFDBAge(t *testing.T) {
	x := newTestFDB(t, 100, 2)
	if err := x.addStatic(fdbStation(99), 1); err != nil {
		t.Fatal(err)
	}
	learns(t, x, 0, 10, 1, learnAdded)
	ticks := func(n int) {
		for range n {
			x.tick()
		}
	}
	ticks(200)
	learns(t, x, 0, 3, 1, learnRefreshed)
	ticks(100)
	if n := knows(x, 0, 10, 1); n != 10 {
		t.Errorf("%d addresses are known after 300 ticks", n)
	}
	ticks(1)
	if a, b := knows(x, 0, 3, 1), knows(x, 3, 10, 1); a != 3 || b != 0 || x.len() != 4 {
		t.Errorf("after 301 ticks %d that were seen since are known, and %d others; %d there", a, b, x.len())
	}
	x.setAge(100)
	if n := knows(x, 0, 10, 1); n != 0 || x.len() != 4 {
		t.Errorf("%d are known after an age that was set to 100; %d there", n, x.len())
	}
	// Too old and not swept up: it is where it was.
	wantOutcome(t, x.learn(fdbStation(0), 1), learnRefreshed)
	ticks(1)
	if x.len() != 2 || x.stats().Aged != 9 {
		t.Errorf("%d addresses, %d have aged", x.len(), x.stats().Aged)
	}
	x.setAge(0)
	ticks(1000)
	if n := knows(x, 0, 1, 1) + knows(x, 99, 100, 1); n != 2 {
		t.Errorf("%d addresses are known that don't age", n)
	}
	sound(t, x)
}

// A tick has a bounded amount of work, and ticks come to an end of it.
func TestFDBSweepIsBounded(t *testing.T) {
	const size = 40_000
	x := newTestFDB(t, size, 4)
	x.setAge(1)
	for port := range 4 {
		learns(t, x, port*size/4, (port+1)*size/4, uint16(port), learnAdded)
	}
	x.tick()
	ticks := 0
	for left := size; left > 0; ticks++ {
		x.tick()
		n := x.len()
		if left-n > 1024+size/32 || n >= left {
			t.Fatalf("a tick left %d addresses of %d", n, left)
		}
		if left = n; knows(x, 0, size, 0) != 0 {
			t.Fatal("an address is known that is too old")
		}
	}
	if ticks > 32 {
		t.Errorf("it took %d ticks", ticks)
	}
	sound(t, x)
}

func TestFDBFlush(t *testing.T) {
	fill := func() *fdb {
		x := newTestFDB(t, 100, 3)
		learns(t, x, 0, 10, 1, learnAdded)
		learns(t, x, 10, 20, 2, learnAdded)
		wantOutcome(t, x.learn(newFDBKey(7, packet.MAC{2}), 1), learnAdded)
		for i := range 4 {
			if err := x.addStatic(fdbStation(20+i), uint16(1+i%2)); err != nil {
				t.Fatal(err)
			}
		}
		return x
	}
	for _, c := range []struct {
		name                string
		f                   func(x *fdb)
		one, two, statics   int
		vlan7               bool
		removedDynamicCount uint64
	}{
		{"port", func(x *fdb) { x.flushPort(1, false) }, 0, 10, 4, false, 11},
		{"port with statics", func(x *fdb) { x.flushPort(1, true) }, 0, 10, 2, false, 11},
		{"all", func(x *fdb) { x.flush() }, 0, 0, 4, false, 21},
	} {
		x := fill()
		c.f(x)
		statics := knows(x, 20, 24, 1) + knows(x, 20, 24, 2)
		_, vlan7 := x.lookup(newFDBKey(7, packet.MAC{2}))
		if a, b := knows(x, 0, 10, 1), knows(x, 10, 20, 2); a != c.one || b != c.two || statics != c.statics || vlan7 != c.vlan7 || x.stats().Removed != c.removedDynamicCount {
			t.Errorf("%s: %d, %d, %d static, %v, %d removed", c.name, a, b, statics, vlan7, x.stats().Removed)
		}
		sound(t, x)
	}
}

func TestFDBFlapping(t *testing.T) {
	x := newTestFDB(t, 100, 3)
	x.learn(fdbStation(0), 1)
	x.learn(fdbStation(1), 1)
	move := func(i int, want outcome) {
		t.Helper()
		p, _ := x.lookup(fdbStation(i))
		wantOutcome(t, x.learn(fdbStation(i), 3-p), want)
	}
	for range 4 {
		move(0, learnMoved)
		x.tick()
	}
	move(1, learnMoved)
	move(0, learnFlaps)
	for range 20 {
		move(0, learnMoved) // it was said
	}
	for range 5 {
		x.tick()
	}
	for range 4 { // a new window: the first is over 9 ticks after it began
		x.tick()
		move(0, learnMoved)
	}
	move(0, learnFlaps)
	for range 50 { // 4 in a window
		x.tick()
		x.tick()
		x.tick()
		move(1, learnMoved)
	}
	if s := x.stats(); s.Outcomes[learnFlaps] != 2 {
		t.Errorf("%+v", s)
	}
}

// Addresses that move once or so don't push out the count of one that flaps.
func TestFlapsUnderFlood(t *testing.T) {
	random := testkit.Rand(t)
	var f flaps
	said := 0
	for i := range 100 {
		if f.moved(fdbStation(0), 7, uint32(i/10)) {
			said++
		}
		if i < 2 {
			continue
		}
		for j := range 100 {
			f.moved(fdbStation(1+100*i+j), random.Uint64(), uint32(i/10))
		}
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
}

// While another has the lock, what is known is known, and the rest is left to the next frame.
func TestFDBBusy(t *testing.T) {
	x := newTestFDB(t, 10, 3)
	learns(t, x, 0, 2, 1, learnAdded)
	x.mu.Lock()
	wantOutcome(t, x.learn(fdbStation(0), 1), learnKnown)
	wantOutcome(t, x.learn(fdbStation(0), 2), learnBusy)
	wantOutcome(t, x.learn(fdbStation(5), 2), learnBusy)
	if n := knows(x, 0, 2, 1); n != 2 {
		t.Errorf("%d are known", n)
	}
	x.mu.Unlock()
	wantOutcome(t, x.learn(fdbStation(5), 2), learnAdded)
	if s := x.stats(); s.Outcomes[learnBusy] != 2 {
		t.Errorf("%+v", s)
	}
}

func TestFDBUnfit(t *testing.T) {
	x := newTestFDB(t, 10, 3)
	for _, k := range []fdbKey{newFDBKey(1, packet.Broadcast), newFDBKey(1, packet.MAC{}), newFDBKey(1, packet.MAC{1})} {
		wantOutcome(t, x.learn(k, 1), learnUnfit)
		if err := x.addStatic(k, 1); err == nil {
			t.Errorf("%x is static", k)
		}
	}
	wantOutcome(t, x.learn(fdbStation(0), 3), learnUnfit)
	if err := x.addStatic(fdbStation(0), 3); err == nil || x.len() != 0 {
		t.Errorf("a static address of a port that is not there: %v, %d", err, x.len())
	}
}

func TestFDBNoAllocations(t *testing.T) {
	x := newTestFDB(t, 100, 3)
	next := 0
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"lookup", func() { x.lookup(fdbStation(0)); x.lookup(fdbStation(-1)); x.prefetch(fdbStation(0)) }},
		{"learn", func() { x.learn(fdbStation(next), 1); next++ }},
		{"move", func() { x.learn(fdbStation(0), uint16(next%2)); next++ }},
		{"refresh", func() { x.tick(); x.learn(fdbStation(0), 1) }},
		{"age", func() { x.setAge(1); x.tick(); x.tick(); x.tick(); x.learn(fdbStation(0), 1) }},
		{"flush", func() { x.flushPort(1, true); x.learn(fdbStation(0), 1); x.flush() }},
		{"static", func() { x.addStatic(fdbStation(0), 1); x.remove(fdbStation(0)) }},
	} {
		if n := testing.AllocsPerRun(1000, c.f); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// together runs f in n goroutines, with sources of random numbers of their own, until all have returned.
func together(t *testing.T, n int, f func(id int, random *rand.Rand)) {
	random := testkit.Rand(t)
	var g sync.WaitGroup
	for id := range n {
		mine := rand.New(rand.NewPCG(random.Uint64(), 0))
		g.Go(func() { f(id, mine) })
	}
	g.Wait()
}

// A lookup gives a port that the address had, whatever goes on; static addresses are found at all times, and those that nobody has
// pushed out.
func TestFDBStress(t *testing.T) {
	testkit.Watchdog(t)
	const ports, keys = 4, 40
	for _, size := range []int{1, 2, 3, 8, 30} {
		x := newTestFDB(t, size, ports)
		x.setAge(3)
		had := func(i int, port uint16) bool { return int(port) == i%ports || int(port) == (i+1)%ports }
		statics := min(size-1, 3) // the first keys
		for i := range statics {
			if err := x.addStatic(fdbStation(i), uint16(i%ports)); err != nil {
				t.Fatal(err)
			}
		}
		rounds := testkit.Scale(30_000)
		together(t, 6, func(id int, random *rand.Rand) {
			for round := range rounds {
				i := random.IntN(keys)
				k := fdbStation(i)
				switch {
				case id < 3:
					o := x.learn(k, uint16((i+random.IntN(2))%ports))
					if o == learnUnfit || o == learnFull || o == learnOverLimit || i < statics && o != learnKnown && o != learnElsewhere {
						t.Errorf("address %d: outcome %d", i, o)
						return
					}
				case id < 5:
					port, ok := x.lookup(k)
					if ok && !had(i, port) || i < statics && (!ok || int(port) != i%ports) {
						t.Errorf("address %d is behind port %d, %v", i, port, ok)
						return
					}
				case round%64 == 0:
					switch random.IntN(5) {
					case 0:
						x.flushPort(uint16(random.IntN(ports)), false)
					case 1:
						x.flush()
					case 2:
						x.tick()
					case 3:
						if i >= statics {
							x.remove(k)
						}
					default:
						seen := 0
						for a := range x.all() {
							if i := int(uint32(a.MAC.Uint64())); !had(i, a.Port) || a.Static != (i < statics) {
								t.Errorf("listed: %v", a)
							}
							if a.Static {
								seen++
							}
						}
						if seen != statics {
							t.Errorf("%d static addresses are listed", seen)
						}
					}
					if n := x.len(); n > size {
						t.Errorf("%d addresses of %d", n, size)
					}
				}
			}
		})
		sound(t, x)
	}
}

// Ports that flood a full table as fast as they can do not keep another one from being learned, nor a known one from being refreshed.
func TestFDBLearnsUnderFlood(t *testing.T) {
	testkit.Watchdog(t)
	x := newTestFDB(t, 1000, 8)
	var over atomic.Bool
	var made [4]atomic.Int64
	together(t, 5, func(id int, _ *rand.Rand) {
		if id < 4 {
			for !over.Load() {
				x.learn(fdbStation(1_000_000*(id+1)+int(made[id].Add(1))), uint16(id))
			}
			return
		}
		defer over.Store(true)
		frames, most := 0, 0
		for i := range 100 {
			for made[i%4].Load() < int64(100*i) { // so that they are at it
				runtime.Gosched()
			}
			tries := 1
			for ; x.learn(fdbStation(i), 7) == learnBusy; tries++ {
				if tries%100 == 0 {
					runtime.Gosched()
				}
			}
			frames += tries
			most = max(most, tries)
		}
		t.Logf("%d frames for 100 addresses, at most %d for one; the flood has tried %d times, busy %d", frames, most,
			made[0].Load()+made[1].Load()+made[2].Load()+made[3].Load(), x.stats().Outcomes[learnBusy])
	})
	if n := knows(x, 0, 100, 7); n != 100 {
		t.Errorf("%d addresses are known", n)
	}
	sound(t, x)
}

// fdbMemory is how many bytes a table takes.
func fdbMemory(size, ports int) int {
	buckets := fdbBuckets(size)
	return int(unsafe.Sizeof(fdb{})) + buckets*int(unsafe.Sizeof(fdbBucket{})) +
		(fdbWays*buckets+2*ports)*int(unsafe.Sizeof(fdbLink{})) + ports*int(unsafe.Sizeof(fdbPort{}))
}
