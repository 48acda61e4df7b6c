// The workers of one way: a receiver and a sender, and the ring between them.

package vswitch

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// burst is how many frames a worker moves at a time.
const burst = ring.DefaultBurst

// way is one direction between two ports.
type way struct {
	receiver
	out     port.Port
	wait    bool // hold the source back when the ring is full, instead of dropping
	apart   bool // full bursts are sent by the sender, beside the receiver; see direct
	pace    *pacer
	limit   uint64          // frames to move, or 0
	moved   uint64          // so far
	atLimit func()          // called once that many have been received
	hard    context.Context // the end of waiting for room

	producer *ring.Producer[pool.Buffer]
	consumer *ring.Consumer[pool.Buffer]

	// drops are of frames between Rx and Tx: each worker has a shard.
	drops              *stats.Counters
	receiving, sending *stats.Shard
	// held is how many frames the receiver has in hand: out of Rx, and neither in the ring nor
	// dropped.
	held atomic.Int64
	// received is there when the receiver has ended: nothing is pushed any more.
	received sync.Token

	// failed is the error of the port out, after which it is not called any more. It belongs to whoever may call
	// the port, see direct, and to both once either end of the ring is closed.
	failed error
}

func newWay(in, out port.Port, onFull port.OnFull, ringSize int) (*way, error) {
	p, c, err := ring.NewSPSC[pool.Buffer](ringSize)
	if err != nil {
		return nil, err
	}
	live := in.Info().Live
	w := &way{
		out:      out,
		apart:    !live,
		wait:     onFull == port.OnFullWait || onFull == port.OnFullDefault && !live,
		producer: p, consumer: c,
		drops:    stats.New(),
		received: sync.NewToken(),
	}
	look := DefaultLookAgain
	if !live || w.wait {
		look = 0
	}
	w.receiver.init(in, w.move, look)
	w.receiving, w.sending = w.drops.NewShard(), w.drops.NewShard()
	return w, nil
}

// inFlight returns how many frames are between Rx and the end of their way, be it that the port
// out has them.
func (w *way) inFlight() int {
	n := int(w.held.Load()) + w.producer.Len()
	if q, ok := w.out.(port.Queuer); ok {
		n += q.Queued()
	}
	return n
}

// receive moves frames from the port to the ring until soft is done, the port has no more, or an
// error. Once soft is done it still waits for room in the ring, until hard is done too.
func (w *way) receive(soft, hard context.Context) error {
	defer w.received.Give()
	defer w.producer.Close()
	defer w.receiving.Close()
	w.hard = hard
	if err := w.run(soft); err != io.EOF {
		return err
	}
	return nil
}

// move moves a burst from the port to the ring, or waits until it may.
func (w *way) move() (n int, err error) {
	if w.producer.Closed() {
		return 0, io.EOF
	}
	want := burst
	if w.pace != nil {
		var from time.Time
		for want, from = w.pace.allow(time.Now()); want == 0; want, from = w.pace.allow(sleepUntil(w.soft, from)) {
			if w.soft.Err() != nil {
				return 0, nil
			}
		}
	}
	if w.limit > 0 {
		want = int(min(uint64(want), w.limit-w.moved))
	}
	n, err = w.port.Rx(w.bufs[:want])
	w.held.Store(int64(n))
	w.pass(w.soft, w.hard, w.bufs[:n])
	w.held.Store(0)
	w.receiving.Publish()
	w.moved += uint64(n)
	if err == nil && w.limit > 0 && w.moved == w.limit {
		w.atLimit()
		err = io.EOF
	}
	return n, err
}

// pass pushes bufs: by the capture's clock each when it is due, and otherwise at once. What is not due
// before soft is done is dropped: its time is after the end.
func (w *way) pass(soft, hard context.Context, bufs []pool.Buffer) {
	if w.pace == nil || w.pace.Speed == 0 {
		if w.pace != nil {
			w.pace.gone(bufs)
		}
		w.push(hard, bufs)
		return
	}
	now := time.Now()
	gone, late := 0, false
	for i, b := range bufs {
		due := w.pace.due(b)
		if late = !due.After(now); late {
			w.pace.behind(due, now)
			continue
		}
		w.push(hard, bufs[gone:i])
		gone = i
		if now = sleepUntil(soft, due); now.Before(due) {
			w.drop(stats.ReasonClosed, bufs[i:])
			return
		}
	}
	w.push(hard, bufs[gone:])
	if w.pace.ahead = 1; late {
		w.pace.ahead = min(2*len(bufs), burst)
	}
}

// sleepUntil sleeps until t, or until ctx is done, and returns what time it is then.
func sleepUntil(ctx context.Context, t time.Time) time.Time {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return time.Now()
}

// push sends bufs at once or puts them into the ring, or drops and counts them.
func (w *way) push(hard context.Context, bufs []pool.Buffer) {
	for bufs = w.direct(bufs); len(bufs) > 0; {
		n := w.producer.PushBurst(bufs)
		bufs = bufs[n:]
		w.held.Add(-int64(n))
		if len(bufs) == 0 {
			return
		}
		reason := stats.ReasonRingFull
		if w.wait || w.producer.Closed() {
			if _, _, err := w.producer.ReserveWait(hard, len(bufs)); err == nil {
				continue
			}
			reason = stats.ReasonClosed
			if w.producer.Closed() && w.failure() != nil {
				reason = stats.ReasonIOError
			}
		}
		w.drop(reason, bufs)
		return
	}
}

// direct sends bufs in the receiver's own goroutine if none is before them, which spares handing them over: a live network leaves
// no core over on which the sender would do it sooner. A file or a generator that fills whole bursts is
// another matter: the sender works beside it. direct returns those that the port has not taken.
//
// The ring says whose the port is, without a lock. While there is something in it, it is the sender's, who takes frames
// out after it has sent them, and the last one when it has done all that it had to do with the port. Once the ring is empty it is the
// receiver's, since nobody else fills it. So order is kept too.
func (w *way) direct(bufs []pool.Buffer) []pool.Buffer {
	if len(bufs) == 0 || w.apart && len(bufs) == burst || w.producer.Len() > 0 || w.failure() != nil {
		return bufs
	}
	n, err := w.out.Tx(bufs)
	w.held.Add(-int64(n))
	if err != nil {
		w.fail(err)
		w.producer.Close() // wakes the sender, who ends the way
	}
	return bufs[n:]
}

// failure returns the error of the port out, or nil.
func (w *way) failure() error {
	if interleave.On {
		interleave.Read(&w.failed)
	}
	return w.failed
}

func (w *way) fail(err error) {
	w.failed = err
	if interleave.On {
		interleave.Write(&w.failed)
	}
}

// drop drops and counts frames that the receiver has in hand.
func (w *way) drop(reason stats.Reason, bufs []pool.Buffer) {
	w.receiving.DropTx(reason, uint64(len(bufs)))
	pool.ReleaseBurst(bufs)
}

// send moves frames from the ring to the port until the ring is closed and empty, hard is done,
// or an error: then it calls stop, which ends the receiver, and drops and counts what is left.
func (w *way) send(hard context.Context, stop func()) error {
	defer w.sending.Close()
	for {
		bufs, _, err := w.consumer.PeekWait(hard, burst)
		switch {
		case errors.Is(err, ring.ErrClosed):
			if err = w.failure(); err == nil {
				return w.drain(hard)
			}
		case hard.Err() != nil:
			stop()
			w.discard(stats.ReasonClosed)
			return w.failure() // the receiver may have met it
		default:
			err = w.transmit(hard, bufs)
		}
		if err != nil {
			stop()
			w.discard(stats.ReasonIOError)
			return err
		}
	}
}

// transmit sends bufs, which are next in the ring, and waits for room in the port if there was too little.
func (w *way) transmit(hard context.Context, bufs []pool.Buffer) error {
	n, err := w.out.Tx(bufs)
	if err != nil {
		w.fail(err) // before Advance, since the port is the receiver's after that
	}
	w.consumer.Advance(n)
	if err == nil && n < len(bufs) {
		if err = w.out.WaitTx(hard); hard.Err() != nil {
			return nil
		}
		if err != nil {
			w.fail(err)
		}
	}
	return err
}

// drain waits until the port out has sent what it has queued; or until hard is done, then it is for the
// port's Close to say what becomes of it.
func (w *way) drain(hard context.Context) error {
	q, ok := w.out.(port.Queuer)
	if !ok {
		return nil
	}
	if err := q.Drain(hard); err != nil && hard.Err() == nil {
		return err
	}
	return nil
}

// discard ends the sender: nothing more is pushed, and what was is dropped.
func (w *way) discard(reason stats.Reason) {
	w.consumer.Close()
	w.received.Take(nil) // so that no push is under way
	var bufs [burst]pool.Buffer
	for {
		n := w.consumer.PopBurst(bufs[:])
		if n == 0 {
			return
		}
		w.sending.DropTx(reason, uint64(n))
		pool.ReleaseBurst(bufs[:n])
	}
}
