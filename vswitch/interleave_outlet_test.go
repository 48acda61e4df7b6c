//go:build interleave

// A port's way out under every schedule of small cases: several receivers, the sender, a port that is slow or fails, and the end at any
// moment. And a receiver while the port that it sends to is removed.

package vswitch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// outletCase is a small case of an outlet.
type outletCase struct {
	puts [][]int // for each receiver, its bursts
	ring int
	wait bool // the receivers wait for room

	room   int // frames that the port takes before it takes no more until it is told
	failAt int // the call of Tx or WaitTx that fails, or 0
	took   int // frames that a Tx takes which fails

	closes bool // somebody closes the ring at any moment, besides the receiver that is done last
	stays  bool // nobody closes it: the sender ends by what the port or its context says
	abort  bool // the sender's context is done at any moment
	bounds int  // on preemptions, or 0
}

func (c outletCase) String() string {
	return fmt.Sprintf("puts=%v,ring=%d,wait=%v,room=%d,fails=%d,stays=%v", c.puts, c.ring, c.wait, c.room, c.failAt, c.stays)
}

func (o *target) Info() port.Info       { return port.Info{} }
func (o *target) Stats() stats.Snapshot { return stats.Snapshot{} }
func (s *source) Stats() stats.Snapshot { return stats.Snapshot{} }

func (c outletCase) run(r *interleave.Run, frames []pool.Buffer) {
	total := 0
	for _, bursts := range c.puts {
		for _, n := range bursts {
			total += n
		}
	}
	frames = again(frames[:total])
	out := &target{r: r, failAt: c.failAt, took: c.took, many: true}
	out.room.Store(int32(c.room))
	o, err := newOutlet(out, c.ring)
	if err != nil {
		r.Errorf("%v", err)
	}
	ctx := context.Background()
	if c.abort {
		ctx = r.Timeout()
	}
	var left interleave.Int32 // receivers that are not done
	left.Store(int32(len(c.puts)))
	owner := make([]int, 0, total)
	next := 0
	for i, bursts := range c.puts {
		var own [][]pool.Buffer
		for _, n := range bursts {
			own = append(own, slices.Clone(frames[next:next+n]))
			for range n {
				owner = append(owner, i)
			}
			next += n
		}
		r.Go(fmt.Sprint("receiver ", i), func() {
			for _, bufs := range own {
				o.put(context.Background(), bufs, c.wait)
			}
			if left.Add(-1) == 0 && !c.stays {
				o.ring.Close()
			}
		})
	}
	var said error
	r.Go("sender", func() { said = o.run(ctx) })
	if c.room < anyRoom {
		r.Go("far end", func() {
			out.room.Add(anyRoom)
			out.told.Give()
		})
	}
	if c.closes {
		r.Go("closer", o.ring.Close)
	}
	r.After(func() {
		if want := map[bool]error{true: errExplored}[out.failed]; said != want {
			r.Errorf("the sender says %v, want %v", said, want)
		}
		last := map[int]int{}
		for _, b := range out.sent {
			at := slices.Index(frames, b)
			if before, ok := last[owner[at]]; ok && at <= before {
				r.Errorf("frame %d is sent after %d", at, before)
			}
			last[owner[at]] = at
		}
		dropped := 0
		for i, b := range frames {
			sent, gone := slices.Contains(out.sent, b), !b.Shared()
			if sent == gone {
				r.Errorf("frame %d: sent %v, dropped %v", i, sent, gone)
			}
			if gone {
				dropped++
			}
		}
		d := o.dropped()
		full, closed, failed := int(d[stats.ReasonRingFull]), int(d[stats.ReasonClosed]), int(d[stats.ReasonIOError])
		if full+closed+failed != dropped || int(d.Total()) != dropped {
			r.Errorf("%d dropped, counted are %v", dropped, d)
		}
		if full > 0 && c.wait || closed > 0 && !c.closes && !c.abort && !out.failed || failed > 0 && !out.failed {
			r.Errorf("dropped %d for want of room, %d at the end, %d by an error", full, closed, failed)
		}
		if n := o.inFlight(); n != 0 {
			r.Errorf("at rest: %d in flight", n)
		}
	})
}

func (c outletCase) explore(t *testing.T, name string) {
	frames := exploredFrames(t)
	options := interleave.Options{}
	if c.bounds > 0 {
		options.Preemptions = c.bounds + testkit.Deeper()
	}
	t.Run(name, func(t *testing.T) {
		interleave.Explore(t, options, func(r *interleave.Run) { c.run(r, frames) })
	})
}

// All frames leave, those of each receiver in order, whoever sends them.
func TestInterleaveOutlet(t *testing.T) {
	for _, c := range []outletCase{
		{puts: [][]int{{1, 2}}, ring: 2, room: anyRoom},
		{puts: [][]int{{1, 1}}, ring: 1, room: 0, bounds: 2},
		{puts: [][]int{{2, 1}}, ring: 2, room: 1, bounds: 2},
		{puts: [][]int{{1}, {1}}, ring: 2, room: anyRoom, bounds: 3},
		{puts: [][]int{{1, 1}, {1}}, ring: 3, room: anyRoom, bounds: 2},
		{puts: [][]int{{2}, {1}}, ring: 1, room: 1, bounds: 1},
		{puts: [][]int{{1, 1}, {1}}, ring: 2, room: 0, bounds: 1},
	} {
		c.wait = true
		c.explore(t, c.String())
	}
}

// Receivers that don't wait lose what finds the ring full, and nothing else.
func TestInterleaveOutletFull(t *testing.T) {
	for _, c := range []outletCase{
		{puts: [][]int{{2, 1}}, ring: 1, room: 0, bounds: 2},
		{puts: [][]int{{2}, {1}}, ring: 1, room: 0, bounds: 1},
		{puts: [][]int{{3}, {1}}, ring: 1, room: 1, bounds: 1},
	} {
		c.explore(t, c.String())
	}
}

// The port fails, at each of its calls in turn, whoever makes it: the sender says so, the port is not called again, and all is counted.
func TestInterleaveOutletFails(t *testing.T) {
	for _, c := range []outletCase{
		{puts: [][]int{{1, 1}}, ring: 2, room: anyRoom, failAt: 1},
		{puts: [][]int{{1, 2}}, ring: 2, room: anyRoom, failAt: 2, took: 1},
		{puts: [][]int{{2}}, ring: 1, room: 1, failAt: 2},
		{puts: [][]int{{2, 1}}, ring: 2, room: 1, failAt: 3, bounds: 2},
		{puts: [][]int{{1}, {1}}, ring: 1, room: anyRoom, failAt: 1, bounds: 2},
		{puts: [][]int{{2}, {1}}, ring: 2, room: 1, failAt: 2, took: 1, bounds: 1},
		{puts: [][]int{{1, 1}}, ring: 1, room: anyRoom, failAt: 1, stays: true},
	} {
		for _, c.wait = range []bool{false, true} {
			c.explore(t, c.String())
		}
	}
}

// The ring is closed at any moment, as Remove does: what is in it is sent, and what comes is dropped.
func TestInterleaveOutletClose(t *testing.T) {
	for _, c := range []outletCase{
		{puts: [][]int{{1, 1}}, ring: 1, room: anyRoom, closes: true, bounds: 2},
		{puts: [][]int{{2}}, ring: 1, room: 0, closes: true, bounds: 1},
		{puts: [][]int{{1}, {1}}, ring: 1, room: anyRoom, closes: true, bounds: 1},
	} {
		for _, c.wait = range []bool{false, true} {
			c.explore(t, c.String())
		}
	}
}

// The sender's context is done at any moment: it drops what there is and what comes, and ends.
func TestInterleaveOutletAbort(t *testing.T) {
	for _, c := range []outletCase{
		{puts: [][]int{{1, 1}}, ring: 1, room: anyRoom, abort: true, bounds: 2},
		{puts: [][]int{{2, 1}}, ring: 1, room: 0, abort: true, bounds: 1},
		{puts: [][]int{{1}, {1}}, ring: 1, room: 1, abort: true, bounds: 1},
		{puts: [][]int{{1, 1}}, ring: 1, room: anyRoom, abort: true, stays: true, bounds: 1},
	} {
		for _, c.wait = range []bool{false, true} {
			c.explore(t, c.String())
		}
	}
}

// A port is removed while a receiver sends to it, and another one is added, which may get its number. What the receiver takes to it is sent or
// counted, and what was known behind it is never taken for what is behind the other.
func TestInterleaveRemove(t *testing.T) {
	all := exploredFrames(t)
	to := frame(station(1), station(2), noTag, "")
	for i := range all {
		if err := all[i].CopyFrom(to); err != nil {
			t.Fatal(err)
		}
	}
	for _, adds := range []bool{false, true} {
		options := interleave.Options{}
		if adds {
			options.Preemptions = 1 + testkit.Deeper()
		}
		t.Run(map[bool]string{false: "alone", true: "and another added"}[adds], func(t *testing.T) {
			interleave.Explore(t, options, func(r *interleave.Run) {
				frames := again(all[:3])
				sw, err := New(Config{Addresses: 1})
				if err != nil {
					r.Errorf("%v", err)
				}
				b, c := &target{r: r, many: true}, &target{r: r, many: true}
				b.room.Store(anyRoom)
				c.room.Store(anyRoom)
				// a and c are isolated, so that c is not reached by what goes to all.
				if err := errors.Join(
					sw.Add("a", &source{}, PortConfig{Isolated: true}),
					sw.Add("b", b, PortConfig{MACs: []packet.MAC{station(2)}}),
				); err != nil {
					r.Errorf("%v", err)
				}
				a := sw.members["a"]
				r.Go("receiver", func() {
					a.dispatch(context.Background(), slices.Clone(frames[:2]))
					a.dispatch(context.Background(), slices.Clone(frames[2:]))
				})
				r.Go("remover", func() {
					if err := sw.Remove("b"); err != nil {
						r.Errorf("%v", err)
					}
				})
				if adds {
					r.Go("adder", func() {
						if err := sw.Add("c", c, PortConfig{Isolated: true}); err != nil {
							r.Errorf("%v", err)
						}
					})
				}
				r.After(func() {
					st := sw.Stats()
					dropped := st.Removed.TxDrops.Total() + a.drops.Snapshot().TxDropped()
					if len(c.sent) > 0 || uint64(len(b.sent))+dropped != 3 || st.Dropped() != dropped || st.Replicas() != 0 {
						r.Errorf("b has sent %d, c %d, dropped are %d of 3", len(b.sent), len(c.sent), dropped)
					}
					if d := a.drops.Snapshot().TxDrops; d[stats.ReasonPolicy] > 0 {
						r.Errorf("what is for a station behind b is taken to c: %v", d)
					}
					for _, f := range frames {
						if slices.Contains(b.sent, f) == !f.Shared() {
							r.Errorf("a frame is sent and dropped, or neither")
						}
					}
					if all := sw.Addresses(); slices.ContainsFunc(all, func(a Address) bool { return a.MAC == station(2) }) {
						r.Errorf("left are %v", all)
					}
				})
			})
		})
	}
}
