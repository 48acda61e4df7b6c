//go:build interleave

// The two workers of a way under every schedule of small cases.

package vswitch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// explored is a small case: a source of bursts, a way, and a port out that is slow or fails.
type explored struct {
	bursts []int // what Rx returns, call by call
	stays  bool  // then the source has nothing more, instead of ending
	ring   int
	onFull port.OnFull

	room   int // frames that the port takes before it takes no more until it is told
	failAt int // the call of Tx or WaitTx that fails, or 0
	took   int // frames that a Tx takes which fails

	abort  bool // hard is done at any moment
	pieces bool // what Rx returns is pushed by the piece, which are bursts; and somebody asks for what is in flight
	bounds int  // on preemptions, or 0
}

// anyRoom is more than there are frames.
const anyRoom = 99

// source is the port in.
type source struct {
	port.Port
	x     *exploration
	given int // bursts
	next  int // frame
	stop  interleave.Token
}

func (s *source) Rx(bufs []pool.Buffer) (int, error) {
	if s.given == len(s.x.bursts) {
		if s.x.stays {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(bufs[:s.x.bursts[s.given]], s.x.frames[s.next:])
	s.given++
	s.next += n
	return n, nil
}

func (s *source) WaitRx(context.Context) error {
	s.stop.Take(nil)
	return nil
}

func (s *source) Info() port.Info { return port.Info{} }

var errExplored = errors.New("the port fails")

// target is the port out. What it takes it keeps.
type target struct {
	port.Port
	r      *interleave.Run
	failAt int // the call that fails, or 0
	took   int // frames that a Tx takes which fails
	calls  int
	busy   bool
	failed bool
	many   bool         // come from several, and so not the rest next
	rest   *pool.Buffer // which comes next, if it comes: it may have been sent in part
	sent   []pool.Buffer
	room   interleave.Int32
	told   interleave.Token
}

// enter says that one goroutine at a time is inside, that what the one before did is seen, and that there is no call after a
// failure. It reports whether this call is the one that fails.
func (o *target) enter() (fails bool) {
	interleave.Write(&o.calls)
	if o.busy || o.failed {
		o.r.Errorf("the port is called; busy: %v, failed: %v", o.busy, o.failed)
	}
	o.busy = true
	o.calls++
	o.failed = o.calls == o.failAt
	return o.failed
}

func (o *target) leave() { o.busy = false }

func (o *target) Tx(bufs []pool.Buffer) (n int, err error) {
	fails := o.enter()
	defer o.leave()
	if o.rest != nil && bufs[0] != *o.rest {
		o.r.Errorf("another frame comes before the rest")
	}
	n = min(len(bufs), int(o.room.Load()))
	if fails {
		n, err = min(len(bufs), o.took), errExplored
	}
	o.room.Add(-int32(n))
	o.sent = append(o.sent, bufs[:n]...)
	if o.rest = nil; n < len(bufs) && !o.many {
		rest := bufs[n]
		o.rest = &rest
	}
	return n, err
}

func (o *target) WaitTx(ctx context.Context) error {
	fails := o.enter()
	defer o.leave()
	if fails {
		return errExplored
	}
	if o.room.Load() == 0 && !o.told.Take(ctx.Done()) {
		return ctx.Err()
	}
	return nil
}

// stoppable is a context that a thread can end.
type stoppable struct {
	context.Context
	stopped interleave.Bool
}

func (s *stoppable) Err() error {
	if s.stopped.Load() {
		return context.Canceled
	}
	return nil
}

// exploration is one schedule of a case.
type exploration struct {
	*interleave.Run
	explored
	frames []pool.Buffer
	way    *way
	in     *source
	out    *target
}

func (x *exploration) run() {
	total := 0
	for _, n := range x.bursts {
		total += n
	}
	x.frames = again(x.frames[:total])
	x.in, x.out = &source{x: x}, &target{r: x.Run, failAt: x.failAt, took: x.took}
	x.out.room.Store(int32(x.room))
	var err error
	if x.way, err = newWay(x.in, x.out, x.onFull, x.ring); err != nil {
		x.Errorf("%v", err)
	}
	soft, hard := &stoppable{Context: context.Background()}, context.Background()
	if x.abort {
		hard = x.Timeout()
	}
	stop := func() {
		soft.stopped.Store(true)
		x.in.stop.Give()
	}
	var received, sent error
	receive := func() error { return x.way.receive(soft, hard) }
	if x.pieces {
		receive = func() error { return x.receivePieces(hard) }
	}
	x.Go("receiver", func() { received = receive() })
	x.Go("sender", func() { sent = x.way.send(hard, stop) })
	if x.room < anyRoom {
		x.Go("far end", func() {
			x.out.room.Add(anyRoom)
			x.out.told.Give()
		})
	}
	if x.pieces {
		x.Go("watcher", func() {
			if n := x.way.inFlight(); n < 0 || n > total+slices.Max(x.bursts) {
				x.Errorf("%d in flight of %d", n, total)
			}
		})
	}
	x.After(func() {
		var want error
		if x.out.failed {
			want = errExplored
		}
		if received != nil || sent != want {
			x.Errorf("the receiver says %v and the sender says %v, want %v", received, sent, want)
		}
		x.account()
	})
}

// receivePieces does what receive does with one Rx of all bursts, and looks at what it has in hand after each.
func (x *exploration) receivePieces(hard context.Context) error {
	w := x.way
	defer w.received.Give()
	defer w.producer.Close()
	x.in.next = len(x.frames)
	w.held.Store(int64(len(x.frames)))
	left := x.frames
	for _, n := range x.bursts {
		w.push(hard, left[:n])
		left = left[n:]
		if held := int(w.held.Load()); held != len(left) {
			x.Errorf("%d in hand, want %d", held, len(left))
		}
	}
	return nil
}

// account looks at what became of the frames.
func (x *exploration) account() {
	last, dropped := -1, 0
	for _, b := range x.out.sent {
		at := slices.Index(x.frames, b)
		if at <= last {
			x.Errorf("frame %d is sent after %d", at, last)
		}
		last = at
	}
	for i, b := range x.frames[:x.in.next] {
		sent, gone := slices.Contains(x.out.sent, b), !b.Shared()
		if sent == gone {
			x.Errorf("frame %d: sent %v, dropped %v", i, sent, gone)
		}
		if gone {
			dropped++
		}
	}
	counted := x.way.drops.Snapshot()
	full, closed, failed := int(counted.TxDrops[stats.ReasonRingFull]), int(counted.TxDrops[stats.ReasonClosed]), int(counted.TxDrops[stats.ReasonIOError])
	if full+closed+failed != dropped || int(counted.TxDropped()) != dropped {
		x.Errorf("%d dropped, counted are %d for want of room, %d at the end, %d by an error", dropped, full, closed, failed)
	}
	if full > 0 && x.onFull == port.OnFullWait || closed > 0 && !x.abort || failed > 0 && !x.out.failed {
		x.Errorf("dropped %d for want of room, %d at the end, %d by an error", full, closed, failed)
	}
	if n := x.way.inFlight(); n != 0 {
		x.Errorf("at rest: %d in flight", n)
	}
}

// exploredFrames are frames for the schedules of a case.
func exploredFrames(t *testing.T) []pool.Buffer {
	p := newPool(t, pool.Config{Count: 8})
	frames := make([]pool.Buffer, 8)
	if n := p.GetBurst(frames); n != len(frames) {
		t.Fatal(n)
	}
	t.Cleanup(func() {
		for _, b := range frames {
			if b.Shared() {
				b.Release()
			}
			b.Release()
		}
	})
	return frames
}

// again gives each frame another owner, so that the pool has no part in what is explored, and so that one that was dropped is one
// that is not shared any more.
func again(frames []pool.Buffer) []pool.Buffer {
	for _, b := range frames {
		if !b.Shared() {
			b.Retain(1)
		}
	}
	return frames
}

// exploreWay explores a case as a subtest.
func exploreWay(t *testing.T, name string, c explored) {
	frames := exploredFrames(t)
	options := interleave.Options{}
	if c.bounds > 0 {
		options.Preemptions = c.bounds + testkit.Deeper()
	}
	t.Run(name, func(t *testing.T) {
		interleave.Explore(t, options, func(r *interleave.Run) { (&exploration{Run: r, explored: c, frames: frames}).run() })
	})
}

// Frames leave in order and all of them, whoever of the two sends them: at once, in part, or not before the port has been told.
func TestInterleaveWay(t *testing.T) {
	for _, c := range []explored{
		{bursts: []int{1, 2, 1}, ring: 1, room: anyRoom},
		{bursts: []int{1, 1}, ring: 2, room: 0},
		{bursts: []int{2, 1}, ring: 1, room: 0, bounds: 2},
		{bursts: []int{2, 1}, ring: 2, room: 1},
		{bursts: []int{3}, ring: 1, room: 1},
		{bursts: []int{1, 1, 1}, ring: 3, room: 1},
	} {
		c.onFull = port.OnFullWait
		exploreWay(t, fmt.Sprintf("bursts=%v,ring=%d,room=%d", c.bursts, c.ring, c.room), c)
	}
}

// A source that is not held back loses what finds the ring full, and nothing else.
func TestInterleaveWayFull(t *testing.T) {
	exploreWay(t, "nothing is taken", explored{bursts: []int{2, 1}, ring: 1, onFull: port.OnFullDrop, room: 0})
	exploreWay(t, "a part is taken", explored{bursts: []int{3, 1}, ring: 1, onFull: port.OnFullDrop, room: 1})
}

// The port fails, at each of its calls in turn, with nothing taken or all: the sender says so, whoever met it, the receiver
// ends, and the rest is dropped.
func TestInterleaveWayFails(t *testing.T) {
	for _, c := range []explored{
		{bursts: []int{1, 2}, ring: 2, room: anyRoom, failAt: 1},
		{bursts: []int{1, 2}, ring: 2, room: anyRoom, failAt: 2, took: 1},
		{bursts: []int{2, 1}, ring: 2, room: 1, failAt: 2, took: 2},
		{bursts: []int{2, 1}, ring: 1, room: 1, failAt: 2},
		{bursts: []int{2}, ring: 1, room: 0, failAt: 3},
		{bursts: []int{1, 1}, ring: 2, room: 0, failAt: 3, took: 2, bounds: 2},
	} {
		c.onFull = port.OnFullWait
		for _, c.stays = range []bool{false, true} {
			if c.stays && c.failAt > 2 {
				continue // or without a failure it would not end
			}
			exploreWay(t, fmt.Sprintf("call=%d,took=%d,bursts=%v,ring=%d,room=%d,stays=%v", c.failAt, c.took, c.bursts, c.ring, c.room, c.stays), c)
		}
	}
}

// An abort at any moment ends both, and does not hide an error of the port.
func TestInterleaveWayAbort(t *testing.T) {
	exploreWay(t, "while the port takes nothing", explored{bursts: []int{1, 1}, ring: 1, onFull: port.OnFullWait, room: 0, abort: true, bounds: 1})
	exploreWay(t, "while the port fails for the sender", explored{bursts: []int{2, 1}, ring: 1, onFull: port.OnFullWait, room: 0, failAt: 2, abort: true, bounds: 1})
	exploreWay(t, "while the port fails for the receiver", explored{bursts: []int{1, 1}, ring: 1, onFull: port.OnFullWait, room: anyRoom, failAt: 2, abort: true})
}

// What is in flight is never less than none, nor more than there is with the burst that goes from the hand into the ring.
func TestInterleaveWayInFlight(t *testing.T) {
	exploreWay(t, "in pieces", explored{bursts: []int{2, 1}, ring: 2, onFull: port.OnFullWait, room: 1, pieces: true, bounds: 1})
}
