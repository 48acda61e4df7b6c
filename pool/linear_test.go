// Linearizability of the pool: recorded histories of gets and releases that overlapped are checked against a
// plain set of slots, with the answers that say "exhausted".

package pool

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// call is one call on a pool. A burst takes or gives each of its buffers at a moment of its own, so a call
// is checked as a change for each buffer, all between its call and its return.
type call struct {
	kind  string // get, bulk, put
	slots []int  // those that it took or gave
	miss  int    // if it got fewer than it wanted: how many there were not, free at one moment
}

// change is a call's effect on the set of free slots.
type change struct {
	kind   byte // '-' takes the slot, '+' gives it back, '?' found fewer than n
	slot   int
	n      int
	hidden bool // another get was in flight that may have held the last ones
}

// freeSet is the state of the plain set: a bit for each slot, up to 128.
type freeSet [2]uint64

func (f freeSet) step(c change) (freeSet, bool) {
	word, bit := &f[c.slot/64], uint64(1)<<(c.slot%64)
	was := *word&bit != 0
	switch c.kind {
	case '-':
		*word &^= bit
		return f, was
	case '+':
		*word |= bit
		return f, !was
	}
	return f, c.hidden || bits.OnesCount64(f[0])+bits.OnesCount64(f[1]) < c.n
}

// changes takes calls apart. What ErrExhausted allows to hide the last buffers is another get that takes
// many and gives them back since it wanted more, or one that splits a magazine, if the pool has one.
func changes(history []testkit.Op[call], magazines bool) (all []testkit.Op[change], hidden int) {
	for i, o := range history {
		add := func(c change) {
			all = append(all, testkit.Op[change]{Call: o.Call, Return: o.Return, Did: c})
		}
		kind := byte('-')
		if o.Did.kind == "put" {
			kind = '+'
		}
		for _, slot := range o.Did.slots {
			add(change{kind: kind, slot: slot})
		}
		if o.Did.miss == 0 {
			continue
		}
		c := change{kind: '?', n: o.Did.miss}
		for j, other := range history {
			gaveBack := other.Did.kind == "bulk" && other.Did.miss > 0
			splits := magazines && other.Did.kind != "put"
			c.hidden = c.hidden || i != j && (gaveBack || splits) && o.Overlaps(other)
		}
		if c.hidden {
			hidden++
		}
		add(c)
	}
	return all, hidden
}

func linearizable(free freeSet, history []testkit.Op[call], magazines bool) (ok bool, hidden int) {
	all, hidden := changes(history, magazines)
	return testkit.Linearizable(free, freeSet.step, all), hidden
}

// client calls a pool at random and records it.
type client struct {
	p       *Pool
	clock   *atomic.Int64
	rnd     *rand.Rand
	mine    []Buffer
	history []testkit.Op[call]
}

func (c *client) do() {
	dst := make([]Buffer, 1+c.rnd.IntN(3))
	kind := c.rnd.IntN(5)
	if kind >= 3 && len(c.mine) == 0 {
		kind = c.rnd.IntN(3)
	}
	if kind >= 3 {
		dst = dst[:copy(dst, c.mine)]
		c.mine = c.mine[len(dst):]
	}
	o := testkit.Op[call]{Call: c.clock.Add(1)}
	got := 0
	switch kind {
	case 0:
		o.Did.kind, dst = "get", dst[:1]
		if b, err := c.p.Get(); err == nil {
			dst[0], got = b, 1
		} else {
			o.Did.miss = 1
		}
	case 1:
		o.Did.kind = "get"
		if got = c.p.GetBurst(dst); got < len(dst) {
			o.Did.miss = 1
		}
	case 2:
		o.Did.kind = "bulk"
		if c.p.GetBulk(dst) {
			got = len(dst)
		} else {
			o.Did.miss = len(dst)
		}
	case 3:
		o.Did.kind = "put"
		c.p.PutBurst(dst)
	case 4:
		o.Did.kind = "put"
		dst[0].Release()
		c.mine = append(c.mine, dst[1:]...)
		dst = dst[:1]
	}
	o.Return = c.clock.Add(1)
	if kind < 3 {
		dst = dst[:got]
		c.mine = append(c.mine, dst...)
	}
	for _, b := range dst {
		o.Did.slots = append(o.Did.slots, b.Index())
	}
	c.history = append(c.history, o)
}

// With a count of 65 there is a magazine, which the first to find no loose slot splits.
func TestLinearizable(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	const each = 5
	histories, hidden, missed := 0, 0, 0
	for _, count := range []int{1, 2, 3, 7, magazineSize + 1} {
		for clients := 2; clients <= 4; clients++ {
			p := open(t, Config{Name: fmt.Sprint(count), Count: count, BufferSize: 64, HeapBuffers: None})
			for round := range scaled(1000) {
				whole(t, p)
				var free freeSet
				for i := range count {
					free[i/64] |= 1 << (i % 64)
				}
				var clock atomic.Int64
				all := make([]client, clients)
				for id := range all {
					all[id] = client{p: p, clock: &clock, rnd: rand.New(rand.NewPCG(seed, uint64(round*clients+id)))}
				}
				testkit.Together(clients, 1, func(id, _ int) {
					for range each {
						all[id].do()
					}
				})
				var history []testkit.Op[call]
				for _, c := range all {
					history = append(history, c.history...)
					p.PutBurst(c.mine)
				}
				ok, h := linearizable(free, history, count >= magazineSize)
				if !ok {
					var text strings.Builder
					for _, o := range history {
						fmt.Fprintf(&text, "\n%3d to %3d: %+v", o.Call, o.Return, o.Did)
					}
					t.Fatalf("%d buffers: not linearizable:%s", count, text.String())
				}
				for _, o := range history {
					if o.Did.miss > 0 {
						missed++
					}
				}
				histories++
				hidden += h
			}
		}
	}
	t.Logf("%d histories of %d to %d calls; %d found too few, %d of them with a get in flight that may have held the last ones",
		histories, 2*each, 4*each, missed, hidden)
}

// The checker tells a faulty pool from a right one. Two slots are free at first.
func TestLinearizableFindsFaults(t *testing.T) {
	at := func(from, to int64, kind string, miss int, slots ...int) testkit.Op[call] {
		return testkit.Op[call]{Call: from, Return: to, Did: call{kind, slots, miss}}
	}
	type history []testkit.Op[call]
	for _, c := range []struct {
		what      string
		history   history
		magazines bool
		right     bool
	}{
		{"taken and given", history{at(1, 2, "get", 0, 0, 1), at(3, 4, "put", 0, 1), at(5, 6, "get", 0, 1)}, false, true},
		{"twice", history{at(1, 4, "get", 0, 0), at(2, 3, "get", 0, 0)}, false, false},
		{"taken before it was given", history{at(1, 2, "get", 0, 0), at(3, 4, "get", 0, 0), at(5, 6, "put", 0, 0)}, false, false},
		{"given while it was taken", history{at(1, 2, "get", 0, 0), at(3, 5, "get", 0, 0), at(4, 6, "put", 0, 0)}, false, true},
		{"given twice", history{at(1, 2, "get", 0, 0), at(3, 4, "put", 0, 0), at(5, 6, "put", 0, 0)}, false, false},
		{"lost", history{at(1, 2, "get", 0, 0, 1), at(3, 4, "put", 0, 0), at(5, 6, "get", 1)}, false, false},
		{"exhausted", history{at(1, 2, "get", 0, 0, 1), at(3, 4, "get", 1)}, false, true},
		{"exhausted with one there and nothing in flight", history{at(1, 2, "get", 0, 0), at(3, 4, "get", 1)}, false, false},
		{"exhausted on a lost race", history{at(1, 4, "get", 0, 0), at(2, 3, "get", 1)}, false, false},
		{"exhausted while a magazine is split", history{at(1, 4, "get", 0, 0), at(2, 3, "get", 1)}, true, true},
		{"exhausted behind a release", history{at(1, 2, "get", 0, 0), at(3, 6, "put", 0, 0), at(4, 5, "get", 1)}, true, false},
		{"exhausted behind a bulk that gives back", history{at(1, 4, "bulk", 3), at(2, 3, "get", 1)}, false, true},
		{"a bulk with enough there", history{at(1, 2, "bulk", 2)}, false, false},
		{"two bulks that each find too few", history{at(1, 4, "bulk", 2), at(2, 3, "bulk", 2)}, false, true},
		{"a short burst with one more there", history{at(1, 2, "get", 1, 0)}, false, false},
	} {
		if got, _ := linearizable(freeSet{3}, c.history, c.magazines); got != c.right {
			t.Errorf("%s: linearizable %v, want %v", c.what, got, c.right)
		}
	}
}
