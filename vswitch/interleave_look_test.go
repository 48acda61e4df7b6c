//go:build interleave

// Receivers that look for frames at each other's ports, under every schedule of small cases: one asleep that is lent, muted and woken, one
// that fails or ends meanwhile.

package vswitch

import (
	"context"
	"io"
	"runtime"
	"testing"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/port"
)

// lookCase is a small case: some receivers, what comes to their ports, and what happens to the second one.
type lookCase struct {
	frames []int   // how many come to each port, one at a time
	near   [][]int // for each, those near it
	few    bool    // all frames of a port come at once, and are more than few
	fails  bool    // the second port fails once its frames have been taken
	ends   bool    // the second one is ended at any moment
	bounds int     // on preemptions, or 0
}

// bed is a port at which others may look. How it wakes is how a descriptor in an epoll instance does: told once, if it was asked for.
type bed struct {
	port.Port
	receiver
	x      *lookExploration
	number int

	in    int // written by whoever is inside of Rx or what else is the receiver's
	moved int
	muted bool
	told  bool // of the failure, which is told once
	over  bool // run has returned

	mu    interleave.Mutex // guards the three
	there int
	armed bool
	rung  bool
	wake  interleave.Token

	soft stoppable
	err  error
}

// put is a frame that comes, or some.
func (b *bed) put(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.there += n
	if b.armed {
		b.ring()
	}
}

// ring wakes the sleeper. The caller has mu.
func (b *bed) ring() {
	b.armed = false
	if !b.rung {
		b.rung = true
		b.wake.Give()
	}
}

func (b *bed) SleepRx(context.Context) error {
	b.mu.Lock()
	if b.there > 0 || b.soft.stopped.Load() {
		b.mu.Unlock()
		return nil
	}
	b.armed = true
	b.mu.Unlock()
	b.wake.Take(nil)
	b.mu.Lock()
	b.armed, b.rung = false, false
	b.mu.Unlock()
	return nil
}

func (b *bed) MuteRx(on bool) {
	interleave.Write(&b.in)
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case on:
		b.armed = false
	case b.muted:
		if b.armed = true; b.there > 0 {
			b.ring()
		}
	}
	b.muted = on
}

func (b *bed) SleepyRx() bool {
	interleave.Write(&b.in)
	return true
}

// burst is the receiver's move: what is there, which for who goes by few is all.
func (b *bed) burst() (n int, err error) {
	interleave.Write(&b.in)
	if b.over {
		b.x.Errorf("port %d is asked after its end", b.number)
	}
	b.mu.Lock()
	n = b.there
	b.there = 0
	b.mu.Unlock()
	if n > 0 {
		b.moved += n
		b.x.took(n)
	}
	if b.x.fails && b.number == 1 && b.moved == b.x.frames[1] && !b.told {
		b.told, err = true, io.ErrUnexpectedEOF
	}
	return n, err
}

// stop is what ends the soft context of a receiver.
func (b *bed) stop() {
	b.soft.stopped.Store(true)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ring()
}

// lookExploration is one schedule of a case.
type lookExploration struct {
	*interleave.Run
	lookCase
	beds []*bed
	left interleave.Int32 // frames that nobody has moved yet
	all  interleave.Token // given when there are none
}

func (x *lookExploration) took(n int) {
	if x.left.Add(-int32(n)) == 0 {
		x.all.Give()
	}
}

func (x *lookExploration) run() {
	total := 0
	for i, n := range x.frames {
		b := &bed{x: x, number: i}
		b.soft.Context = context.Background()
		b.receiver.init(b, b.burst, 1)
		b.rouse = b.stop
		x.beds = append(x.beds, b)
		total += n
	}
	x.left.Store(int32(total))
	for i, near := range x.near {
		for _, k := range near {
			x.beds[i].note(&x.beds[k].receiver)
		}
	}
	for _, b := range x.beds {
		x.Go("receiver", func() {
			b.err = b.run(&b.soft)
			interleave.Write(&b.in)
			b.over = true
		})
	}
	x.Go("network", func() {
		for i, n := range x.frames {
			if x.few {
				x.beds[i].put(n)
				continue
			}
			for range n {
				x.beds[i].put(1)
			}
		}
		if !x.ends {
			x.all.Take(nil) // or a frame is left, and nobody woken for it
		}
		for i, b := range x.beds {
			if !x.fails || i != 1 { // which ends by itself
				b.stop()
			}
		}
	})
	if x.ends {
		x.Go("end", x.beds[1].stop)
	}
	x.After(func() {
		for i, b := range x.beds {
			var want error
			if x.fails && i == 1 {
				want = io.ErrUnexpectedEOF
			}
			if b.err != want {
				x.Errorf("receiver %d says %v, want %v", i, b.err, want)
			}
			if b.moved+b.there != x.frames[i] || !x.ends && b.there > 0 {
				x.Errorf("port %d: %d frames moved and %d left of %d", i, b.moved, b.there, x.frames[i])
			}
		}
	})
}

func exploreLook(t *testing.T, name string, c lookCase) {
	if runtime.GOMAXPROCS(0) == 1 {
		runtime.GOMAXPROCS(2) // or nobody looks for long
		t.Cleanup(func() { runtime.GOMAXPROCS(1) })
	}
	options := interleave.Options{}
	if c.bounds > 0 {
		options.Preemptions = c.bounds + testkit.Deeper()
	}
	t.Run(name, func(t *testing.T) {
		interleave.Explore(t, options, func(r *interleave.Run) { (&lookExploration{Run: r, lookCase: c}).run() })
	})
}

// Each frame is moved, by whoever looks there or by its own receiver, who is woken if nobody does; one goroutine at a time is inside of a port.
func TestInterleaveLook(t *testing.T) {
	exploreLook(t, "one looks at the other", lookCase{frames: []int{1, 1}, near: [][]int{{1}, nil}, bounds: 2})
	exploreLook(t, "each at the other", lookCase{frames: []int{1, 1}, near: [][]int{{1}, {0}}, bounds: 2})
	exploreLook(t, "an answer", lookCase{frames: []int{1, 2}, near: [][]int{{1}, nil}, bounds: 2})
	exploreLook(t, "many", lookCase{frames: []int{1, few + 1}, near: [][]int{{1}, {0}}, few: true, bounds: 2})
	exploreLook(t, "one of three", lookCase{frames: []int{1, 1, 1}, near: [][]int{{1}, nil, {1}}, bounds: 1})
	exploreLook(t, "by way of another", lookCase{frames: []int{1, 0, 1}, near: [][]int{{1}, {2}, nil}, bounds: 1})
}

// The error of a port is its own receiver's, whoever meets it.
func TestInterleaveLookFails(t *testing.T) {
	exploreLook(t, "the other one fails", lookCase{frames: []int{1, 1}, near: [][]int{{1}, nil}, fails: true, bounds: 2})
	exploreLook(t, "with frames", lookCase{frames: []int{2, 2}, near: [][]int{{1}, {0}}, few: true, fails: true, bounds: 1})
}

// Who is ended does not wait for those that look at its port, and nobody does after that.
func TestInterleaveLookEnds(t *testing.T) {
	exploreLook(t, "the other one ends", lookCase{frames: []int{1, 1}, near: [][]int{{1}, nil}, ends: true, bounds: 2})
	exploreLook(t, "each looks at the other", lookCase{frames: []int{2, 1}, near: [][]int{{1}, {0}}, ends: true, bounds: 1})
}
