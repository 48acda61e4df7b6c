// Linearizability of the MPMC ring: recorded histories of operations that overlapped are checked against a
// plain queue, with "full" and "empty" answers.

package ring

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// did is what one operation on a ring was asked for and did. Items are bytes.
type did struct {
	kind   byte   // '+' push, '-' pop, 'c' close
	n      int    // how many items it was asked to move
	bulk   bool   // all or nothing
	moved  string // those that it moved
	hidden bool   // another operation was in flight that may have hidden items or room from it
}

type op = testkit.Op[did]

// queued is the state of the plain queue.
type queued struct {
	items  string
	closed bool
}

// step does d to the plain queue, and says whether the queue allows d's answer.
func (q queued) step(capacity int, d did) (queued, bool) {
	most := 0
	switch d.kind {
	case 'c':
		return queued{q.items, true}, true
	case '+':
		if !q.closed {
			most = min(d.n, capacity-len(q.items))
		}
	case '-':
		most = min(d.n, len(q.items))
	}
	if d.bulk && most < d.n {
		most = 0
	}
	k := len(d.moved)
	if k > most || k < most && !d.hidden || d.bulk && k != 0 && k != d.n {
		return q, false
	}
	if d.kind == '+' {
		return queued{q.items + d.moved, q.closed}, true
	}
	return queued{strings.TrimPrefix(q.items, d.moved), q.closed}, strings.HasPrefix(q.items, d.moved)
}

// hide says of each operation what may have been hidden from it. Room is hidden from a push by
// a pop in flight, and items are hidden from a pop by a push in flight; never by one that moved nothing.
func hide(history []op) (hidden int) {
	for i := range history {
		o := &history[i]
		for _, other := range history {
			if o.Did.kind == '+' && other.Did.kind == '-' || o.Did.kind == '-' && other.Did.kind == '+' {
				o.Did.hidden = o.Did.hidden || other.Did.moved != "" && o.Overlaps(other)
			}
		}
		if o.Did.hidden && len(o.Did.moved) < o.Did.n {
			hidden++
		}
	}
	return hidden
}

func linearizable(capacity int, history []op) bool {
	return testkit.Linearizable(queued{}, func(q queued, d did) (queued, bool) { return q.step(capacity, d) }, history)
}

// client does random operations on r and records them. What it pushes begins with the item first.
type client struct {
	r       *MPMC[byte]
	clock   *atomic.Int64
	rnd     *rand.Rand
	next    byte
	history []op
}

func (c *client) do() {
	n := 1 + c.rnd.IntN(c.r.Cap()+1)
	items := make([]byte, n)
	for i := range items {
		items[i] = c.next
		c.next++
	}
	d := did{n: n}
	k := 0
	kind := c.rnd.IntN(6)
	call := c.clock.Add(1)
	switch kind {
	case 0:
		d.kind, d.n = '+', 1
		if c.r.TryPush(items[0]) {
			k = 1
		}
	case 1:
		d.kind = '+'
		k = c.r.PushBurst(items)
	case 2:
		d.kind, d.bulk = '+', true
		if c.r.PushBulk(items) {
			k = n
		}
	case 3:
		d.kind, d.n = '-', 1
		if v, ok := c.r.TryPop(); ok {
			items[0], k = v, 1
		}
	case 4:
		d.kind = '-'
		k = c.r.PopBurst(items)
	case 5:
		d.kind, d.bulk = '-', true
		if c.r.PopBulk(items) {
			k = n
		}
	}
	back := c.clock.Add(1)
	d.moved = string(items[:k])
	c.history = append(c.history, op{Call: call, Return: back, Did: d})
}

func checkHistory(t *testing.T, capacity int, history []op) {
	t.Helper()
	if !linearizable(capacity, history) {
		var text strings.Builder
		for _, o := range history {
			fmt.Fprintf(&text, "\n%3d to %3d: %+v", o.Call, o.Return, o.Did)
		}
		t.Fatalf("capacity %d: not linearizable:%s", capacity, text.String())
	}
}

var tiny = []int{1, 2, 3, 7}

// Short histories of several goroutines, whose operations overlap as the machine has them.
func TestLinearizable(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	const each = 5
	rounds := testkit.Scale(1000)
	if raceDetector {
		rounds /= 5
	}
	histories, hidden := 0, 0
	for _, capacity := range tiny {
		for clients := 2; clients <= 4; clients++ {
			all := make([][]client, rounds)
			var clock atomic.Int64
			for round := range all {
				r := newMany[byte](capacity)
				for id := range clients {
					all[round] = append(all[round], client{r: r, clock: &clock, next: byte(id * 60), // 5 times 8 items at most
						rnd: rand.New(rand.NewPCG(seed, uint64(round*clients+id)))})
				}
			}
			testkit.Together(clients, rounds, func(id, round int) {
				c := &all[round][id]
				for range each {
					c.do()
				}
				if id == 0 && round%4 == 0 {
					call := clock.Add(1)
					c.r.Close()
					c.history = append(c.history, op{Call: call, Return: clock.Add(1), Did: did{kind: 'c'}})
				}
			})
			for _, round := range all {
				var history []op
				for i := range round {
					history = append(history, round[i].history...)
				}
				hidden += hide(history)
				checkHistory(t, capacity, history)
				histories++
			}
		}
	}
	t.Logf("%d histories of %d to %d operations; %d answers less than was asked for with a hider in flight",
		histories, 2*each, 4*each, hidden)
}

// The same with operations that stand still for as long as the dice say, between their claim and their
// publication: what in the test above is a rare moment.
func TestLinearizableStalled(t *testing.T) {
	rnd := testkit.Rand(t)
	rounds := testkit.Scale(4000)
	if raceDetector {
		rounds /= 8
	}
	type stalled struct {
		*step
		op
	}
	hidden, ops := 0, 0
	for _, capacity := range tiny {
		for range rounds {
			ints := newMany[int](capacity)
			var clock atomic.Int64
			var history []op
			var open []stalled
			next := byte(0)
			begin := func(kind byte, k int) {
				s := stalled{op: op{Call: clock.Add(1), Did: did{kind: kind, n: k}}}
				if kind == '+' {
					s.step = claimPush(t, ints, k)
				} else {
					s.step = claimPop(t, ints, k)
				}
				open = append(open, s)
			}
			goOn := func() {
				i := rnd.IntN(len(open))
				s := open[i]
				if s.Did.kind == '+' {
					var vs []int
					for range s.n {
						vs = append(vs, int(next))
						s.Did.moved += string([]byte{next})
						next++
					}
					s.put(vs...)
				} else {
					for _, v := range s.take() {
						s.Did.moved += string([]byte{byte(v)})
					}
				}
				s.Return = clock.Add(1)
				history = append(history, s.op)
				open = append(open[:i], open[i+1:]...)
			}
			// at once does whole operations that find less than they ask for, or all.
			atOnce := func() {
				n := 1 + rnd.IntN(capacity+1)
				d := did{kind: '-', n: n, bulk: rnd.IntN(2) == 0}
				dst := make([]int, n)
				k := 0
				call := clock.Add(1)
				if rnd.IntN(2) == 0 {
					d.kind = '+'
					for i := range dst {
						dst[i] = int(next) + i
					}
					if !d.bulk {
						k = ints.PushBurst(dst)
					} else if ints.PushBulk(dst) {
						k = n
					}
					next += byte(k)
				} else if !d.bulk {
					k = ints.PopBurst(dst)
				} else if ints.PopBulk(dst) {
					k = n
				}
				for _, v := range dst[:k] {
					d.moved += string([]byte{byte(v)})
				}
				history = append(history, op{Call: call, Return: clock.Add(1), Did: d})
			}
			for range 14 {
				n := uint64(1 + rnd.IntN(capacity))
				switch what := rnd.IntN(5); {
				case what == 0:
					if k := ints.available(&ints.tail, room); k > 0 {
						begin('+', int(min(k, n)))
					}
				case what == 1:
					if k := ints.available(&ints.head, items); k > 0 {
						begin('-', int(min(k, n)))
					}
				case what == 2 && len(open) > 0:
					goOn()
				default:
					atOnce()
				}
			}
			for len(open) > 0 {
				goOn()
			}
			hidden += hide(history)
			ops += len(history)
			checkHistory(t, capacity, history)
		}
	}
	t.Logf("%d histories of %d operations; %d answers less than was asked for with a hider in flight",
		len(tiny)*rounds, ops, hidden)
}

// The checker tells a faulty ring from a right one: each fault beside the history that differs in the one thing
// that makes it right.
func TestLinearizableFindsFaults(t *testing.T) {
	at := func(call, back int64, kind byte, n int, moved string) op {
		return op{Call: call, Return: back, Did: did{kind: kind, n: n, moved: moved}}
	}
	bulk := func(o op) op { o.Did.bulk = true; return o }
	for _, c := range []struct {
		what     string
		capacity int
		history  []op
		right    bool
	}{
		{"pushed and popped", 2, []op{at(1, 2, '+', 2, "ab"), at(3, 4, '-', 3, "ab")}, true},
		{"popped before it was pushed", 2, []op{at(1, 2, '-', 1, "a"), at(3, 4, '+', 1, "a")}, false},
		{"full on a lost race", 2, []op{at(1, 4, '+', 1, "a"), at(2, 3, '+', 1, "")}, false},
		{"full when it is", 1, []op{at(1, 4, '+', 1, "a"), at(2, 3, '+', 1, "")}, true},
		{"empty on a lost race", 2, []op{at(1, 2, '+', 2, "ab"), at(3, 6, '-', 1, "a"), at(4, 5, '-', 1, "")}, false},
		{"empty when it is", 2, []op{at(1, 2, '+', 1, "a"), at(3, 6, '-', 1, "a"), at(4, 5, '-', 1, "")}, true},
		{"reordered", 2, []op{at(1, 2, '+', 1, "a"), at(3, 4, '+', 1, "b"), at(5, 6, '-', 2, "ba")}, false},
		{"in either order", 2, []op{at(1, 4, '+', 1, "a"), at(2, 3, '+', 1, "b"), at(5, 6, '-', 2, "ba")}, true},
		{"a burst that is not next to each other", 3, []op{at(1, 4, '+', 2, "ac"), at(2, 3, '+', 1, "b"), at(5, 6, '-', 3, "abc")}, false},
		{"twice", 2, []op{at(1, 2, '+', 1, "a"), at(3, 6, '-', 1, "a"), at(4, 5, '-', 1, "a")}, false},
		{"lost", 2, []op{at(1, 2, '+', 2, "ab"), at(3, 4, '-', 1, "a"), at(5, 6, '-', 1, "")}, false},
		{"out of nothing", 2, []op{at(1, 2, '-', 1, "a")}, false},
		{"more than its capacity", 2, []op{at(1, 2, '+', 3, "abc")}, false},
		{"empty with an item and nothing in flight", 2, []op{at(1, 2, '+', 1, "a"), at(3, 4, '-', 1, "")}, false},
		{"hidden behind a push in flight", 3, []op{at(1, 6, '+', 1, "a"), at(2, 3, '+', 1, "b"), at(4, 5, '-', 1, "")}, true},
		{"hidden behind a push that did nothing", 1, []op{at(1, 2, '+', 1, "a"), at(3, 6, '+', 1, ""), at(4, 5, '-', 1, "")}, false},
		{"hidden behind a pop in flight", 2, []op{at(1, 2, '+', 2, "ab"), at(3, 8, '-', 1, "a"), at(4, 5, '-', 1, "b"), at(6, 7, '+', 1, "")}, true},
		{"full behind a push in flight", 3, []op{at(1, 6, '+', 1, "a"), at(2, 3, '+', 1, "b"), at(4, 5, '+', 1, "")}, false},
		{"a short burst with room", 3, []op{at(1, 2, '+', 3, "ab")}, false},
		{"a bulk that went in part", 2, []op{bulk(at(1, 2, '+', 3, "ab"))}, false},
		{"a bulk that did not fit", 2, []op{bulk(at(1, 2, '+', 3, ""))}, true},
		{"a bulk that would have fitted", 3, []op{bulk(at(1, 2, '+', 3, ""))}, false},
		{"pushed after Close", 2, []op{at(1, 2, 'c', 0, ""), at(3, 4, '+', 1, "a")}, false},
		{"refused after Close", 2, []op{at(1, 2, 'c', 0, ""), at(3, 4, '+', 1, "")}, true},
	} {
		hide(c.history)
		if got := linearizable(c.capacity, c.history); got != c.right {
			t.Errorf("%s: linearizable %v, want %v", c.what, got, c.right)
		}
	}
}
