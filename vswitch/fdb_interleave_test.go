//go:build interleave

// The forwarding table under every schedule of small cases.

package vswitch

import (
	"slices"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
)

// exploredFDB is a table in a schedule, whose addresses are where they always are.
type exploredFDB struct {
	*fdb
	r *interleave.Run
}

func newExploredFDB(r *interleave.Run, size int) exploredFDB {
	x := newExploredStalledFDB(r, size)
	r.After(func() {
		if err := checkFDB(x.fdb); err != nil {
			r.Errorf("%v", err)
		}
	})
	return x
}

// newExploredStalledFDB makes a table that may be left in the middle of a change.
func newExploredStalledFDB(r *interleave.Run, size int) exploredFDB {
	x, err := newFDB(size, 4)
	if err != nil {
		r.Errorf("%v", err)
	}
	x.seed = fdbSeed
	return exploredFDB{x, r}
}

// homed returns n addresses whose home is a bucket.
func (x exploredFDB) homed(bucket uint32, n int) (keys []fdbKey) {
	for i := 1; len(keys) < n; i++ {
		if k := fdbStation(i); x.home(k) == bucket {
			keys = append(keys, k)
		}
	}
	return keys
}

// add is learn in the set-up of a case.
func (x exploredFDB) add(k fdbKey, port uint16) {
	if o := x.learn(k, port); o != learnAdded {
		x.r.Errorf("set-up: %x behind %d: outcome %d", k, port, o)
	}
}

// look looks an address up, which is behind one of some ports, or unknown.
func (x exploredFDB) look(k fdbKey, ports ...uint16) (known bool) {
	port, ok := x.lookup(k)
	if ok && !slices.Contains(ports, port) {
		x.r.Errorf("%x is behind port %d, which it never was", k, port)
	}
	return ok
}

// must looks up an address that is there.
func (x exploredFDB) must(k fdbKey, ports ...uint16) {
	if !x.look(k, ports...) {
		x.r.Errorf("%x is there and not found", k)
	}
}

func exploreFDB(t *testing.T, name string, o interleave.Options, f func(r *interleave.Run)) {
	if o.Preemptions > 0 {
		o.Preemptions += testkit.Deeper()
	}
	t.Run(name, func(t *testing.T) { interleave.Explore(t, o, f) })
}

// In a place where address follows address, a lookup never gives the port of one for another.
func TestInterleaveFDBReplace(t *testing.T) {
	a, b := fdbStation(1), fdbStation(2)
	exploreFDB(t, "evicted", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		r.Go("learner", func() {
			x.learn(b, 2)
			x.learn(a, 3)
		})
		r.Go("reader", func() {
			x.look(a, 1, 3)
			x.look(b, 2)
		})
	})
	exploreFDB(t, "removed", interleave.Options{Preemptions: 2}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		r.Go("operator", func() {
			x.remove(a)
			x.addStatic(b, 2)
			x.remove(b)
		})
		r.Go("reader", func() { x.look(b, 2) })
		r.Go("another reader", func() { x.look(a, 1) })
	})
	exploreFDB(t, "flushed", interleave.Options{Preemptions: 2}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		r.Go("operator", func() { x.flushPort(1, false) })
		r.Go("learner", func() { x.learn(b, 2) })
		r.Go("reader", func() { x.look(a, 1); x.look(b, 2) })
	})
}

// An address that is there all the while is found, whatever goes on around it.
func TestInterleaveFDBStays(t *testing.T) {
	exploreFDB(t, "in a bucket", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 2)
		k := x.homed(0, 3)
		x.addStatic(k[0], 1)
		x.add(k[1], 2)
		r.Go("learner", func() {
			x.learn(k[2], 3) // in place of k[1]
			x.learn(k[1], 2)
		})
		r.Go("reader", func() { x.must(k[0], 1) })
	})
	exploreFDB(t, "far from home", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 5)
		k := x.homed(2, 5)
		for i := range 4 {
			x.add(k[i], 1) // the last of them in the next bucket, which is the first
		}
		r.Go("operator", func() {
			x.remove(k[0])
			x.learn(k[4], 2)
		})
		r.Go("reader", func() { x.must(k[3], 1) })
	})
	exploreFDB(t, "and another one far from home goes", interleave.Options{Preemptions: 2}, func(r *interleave.Run) {
		x := newExploredFDB(r, 5)
		k := x.homed(2, 5)
		for i := range 5 {
			x.add(k[i], 1)
		}
		r.Go("operator", func() { x.remove(k[3]) })
		r.Go("reader", func() { x.must(k[4], 1) })
		r.Go("learner", func() { x.learn(k[3], 2) })
	})
}

// An address that moves is behind one port or the other.
func TestInterleaveFDBMove(t *testing.T) {
	a := fdbStation(1)
	exploreFDB(t, "one learner", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		r.Go("learner", func() {
			x.learn(a, 2)
			x.must(a, 2)
			x.learn(a, 3)
			x.must(a, 3)
		})
		r.Go("reader", func() { x.must(a, 1, 2, 3); x.must(a, 1, 2, 3) })
	})
	exploreFDB(t, "two learners", interleave.Options{Preemptions: 2}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		var o [2]outcome
		for i := range o {
			r.Go("learner", func() { o[i] = x.learn(a, uint16(2+i)) })
		}
		r.Go("reader", func() { x.must(a, 1, 2, 3) })
		r.After(func() {
			for i := range o {
				if o[i] == learnMoved && o[1-i] == learnBusy {
					x.must(a, uint16(2+i))
				}
			}
			if !slices.Contains(o[:], learnMoved) {
				r.Errorf("outcomes %v", o)
			}
		})
	})
	exploreFDB(t, "made static", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 1)
		x.add(a, 1)
		r.Go("operator", func() {
			if err := x.addStatic(a, 2); err != nil {
				r.Errorf("%v", err)
			}
			x.must(a, 2)
		})
		r.Go("learner", func() { x.learn(a, 3) })
		r.After(func() { x.must(a, 2) })
	})
}

// Two who learn do not put an address into the table twice, nor more addresses than it is for, nor more than a port may have.
func TestInterleaveFDBLearn(t *testing.T) {
	both := func(x exploredFDB, k [2]fdbKey, port [2]uint16) *[2]outcome {
		var o [2]outcome
		for i := range o {
			x.r.Go("learner", func() { o[i] = x.learn(k[i], port[i]) })
		}
		return &o
	}
	a, b, c := fdbStation(1), fdbStation(2), fdbStation(3)
	exploreFDB(t, "the same address", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 2)
		o := both(x, [2]fdbKey{a, a}, [2]uint16{1, 2})
		r.After(func() {
			if n := x.stats().Outcomes[learnAdded]; n != 1 || x.n != 1 {
				r.Errorf("%d addresses, added %d times; outcomes %v", x.n, n, *o)
			}
			x.must(a, 1, 2)
		})
	})
	exploreFDB(t, "the last room", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 2)
		x.add(c, 3)
		o := both(x, [2]fdbKey{a, b}, [2]uint16{1, 2})
		r.After(func() {
			added := x.stats().Outcomes[learnAdded] - 1
			if evicted := x.stats().Evicted; added == 0 || evicted != added-1 || x.n != 2 {
				r.Errorf("%d addresses, %d added, %d evicted; outcomes %v", x.n, added, evicted, *o)
			}
		})
	})
	exploreFDB(t, "the last of a port", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 4)
		x.setLimit(1, 1)
		o := both(x, [2]fdbKey{a, b}, [2]uint16{1, 1})
		r.After(func() {
			if n, _ := x.behind(1); n != 1 {
				r.Errorf("%d addresses; outcomes %v", n, *o)
			}
		})
	})
}

// Addresses that are refreshed while time goes on are in the order in which they were seen, and stay known.
func TestInterleaveFDBAge(t *testing.T) {
	a, b := fdbStation(1), fdbStation(2)
	exploreFDB(t, "refreshed", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 2)
		x.setAge(1)
		x.add(a, 1)
		x.add(b, 1)
		x.tick()
		var o outcome
		r.Go("learner", func() { o = x.learn(a, 1) })
		r.Go("clock", func() { x.tick() })
		r.After(func() {
			if known := x.look(a, 1); known != (o != learnBusy) || x.look(b) {
				r.Errorf("known: %v; outcome %d", known, o)
			}
		})
	})
	exploreFDB(t, "looked up", interleave.Options{}, func(r *interleave.Run) {
		x := newExploredFDB(r, 2)
		x.setAge(1)
		x.add(a, 1)
		x.add(b, 1)
		r.Go("learner", func() {
			x.tick()
			if o := x.learn(a, 1); o != learnRefreshed {
				r.Errorf("outcome %d", o)
			}
			x.tick()
		})
		r.Go("reader", func() { x.must(a, 1) })
	})
}

// Who learns or looks up ends, wherever in the middle of a change another one stands still for ever.
func TestInterleaveFDBStalled(t *testing.T) {
	a, b, c := fdbStation(1), fdbStation(2), fdbStation(3)
	exploreFDB(t, "learner", interleave.Options{Stall: "learner", Preemptions: 2}, func(r *interleave.Run) {
		x := newExploredStalledFDB(r, 2)
		x.add(a, 1)
		x.addStatic(b, 2)
		r.Go("learner", func() { x.learn(c, 3) }) // in place of a
		r.Go("another learner", func() {
			x.learn(a, 2)
			x.learn(c, 2)
			x.must(b, 2)
			x.look(a, 1, 2)
			x.look(c, 2, 3)
		})
	})
}
