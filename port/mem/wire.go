// wire: one direction between two ends.

package mem

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/ring"
)

// wire is one direction. The end that sends has in, the end that receives has out.
//
// How it ends: whoever closes an end first closes the consumers of both wires, which any
// goroutine may: nothing goes in any more, and all who sleep wake up. Then, when no call is
// inside of that end, for the wire that it sent on it says over: what the receiver does
// not find now will never come. For the wire that it received from it takes out what is left, and
// says left. A Tx of the other end that was pushing at that moment finds
// left under the lock, and takes its frames out again itself.
type wire struct {
	in  *ring.Producer[pool.Buffer]
	out *ring.Consumer[pool.Buffer]

	// With a delay, dueIn has a time for each frame, in nanoseconds on clock, pushed
	// before the frame: who sees a frame sees its time.
	delay  time.Duration
	dueIn  *ring.Producer[int64]
	dueOut *ring.Consumer[int64]

	over     chan struct{} // closed once nothing will be pushed any more
	overFlag atomic.Bool   // set before that; quicker to ask

	mu   sync.Mutex
	left bool // the receiver is gone, and has taken out what there was
}

var clock = time.Now() // where times of dueIn count from

func newWire(c *Config) (*wire, error) {
	w := &wire{delay: c.Delay, over: make(chan struct{})}
	var err error
	if w.in, w.out, err = ring.NewSPSC[pool.Buffer](c.Capacity); err != nil {
		return nil, err
	}
	if w.delay > 0 {
		w.dueIn, w.dueOut, err = ring.NewSPSC[int64](c.Capacity)
	}
	return w, err
}

// cut stops what goes in and wakes all who sleep. Any goroutine may call it.
func (w *wire) cut() { w.out.Close() }

// push sends as many of bufs as there is room for.
func (w *wire) push(bufs []pool.Buffer) int {
	if w.delay == 0 {
		return w.in.PushBurst(bufs)
	}
	// The frames' ring tells how many fit. That of the times has room for as many at
	// least: see popDelayed.
	a, b := w.in.Reserve(len(bufs))
	n := len(a) + len(b)
	if n == 0 {
		return 0
	}
	due := int64(time.Since(clock) + w.delay)
	for _, part := range reserve(w.dueIn, n) {
		for i := range part {
			part[i] = due
		}
	}
	w.dueIn.Commit(n)
	copy(b, bufs[copy(a, bufs):n])
	w.in.Commit(n)
	return n
}

func reserve(p *ring.Producer[int64], n int) [2][]int64 {
	a, b := p.Reserve(n)
	return [2][]int64{a, b}
}

// pop receives into bufs what has arrived.
func (w *wire) pop(bufs []pool.Buffer) int {
	if w.delay == 0 {
		return w.out.PopBurst(bufs)
	}
	// As many times as there are frames, and no more: the others' frames aren't there yet.
	a, b := w.out.Peek(len(bufs))
	return w.popDelayed(bufs[:w.arrived(len(a)+len(b))])
}

// popDelayed takes out as many frames as bufs has room for, and their times: those first, so that push
// finds room for them wherever it does for frames.
func (w *wire) popDelayed(bufs []pool.Buffer) int {
	w.dueOut.Advance(len(bufs))
	return w.out.PopBurst(bufs)
}

// arrived returns how many of the n oldest frames have arrived.
func (w *wire) arrived(n int) int {
	if n == 0 {
		return 0
	}
	now := int64(time.Since(clock))
	k := 0
	a, b := w.dueOut.Peek(n)
	for _, part := range [2][]int64{a, b} {
		for _, due := range part {
			if due > now {
				return k
			}
			k++
		}
	}
	return k
}

// wait returns how long it is until the oldest frame, which there is, arrives.
func (w *wire) wait() time.Duration {
	if w.delay == 0 {
		return 0
	}
	a, _ := w.dueOut.Peek(1)
	return time.Duration(a[0]) - time.Since(clock)
}

// sweep takes out what is left, for a receiver that is gone or about to be, and calls
// free with it.
func (w *wire) sweep(free func([]pool.Buffer)) {
	var bufs [ring.DefaultBurst]pool.Buffer
	for {
		n := 0
		if w.delay == 0 {
			n = w.out.PopBurst(bufs[:])
		} else {
			a, b := w.out.Peek(len(bufs))
			n = len(a) + len(b)
			w.dueOut.Peek(n) // so that the ring knows of them
			w.popDelayed(bufs[:n])
		}
		if n == 0 {
			return
		}
		free(bufs[:n])
	}
}
