// The way out by one port of a switch: a ring that many receivers fill, and the sender that empties it.

package vswitch

import (
	"context"
	"errors"

	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// outlet is a port's way out. Receivers put frames in, and its sender (run) takes them to the port, which has one caller at a time:
// whoever has the role. A receiver takes it only if it is free, and so waits for nobody; the sender keeps it for as long as
// it has frames that the port doesn't take.
//
// Frames of one receiver keep their order: it sends by itself only while the ring is empty and the role its own, and the sender
// takes frames out of the ring only while it has the role. So if the ring is empty then, all that the receiver put in before have been sent.
type outlet struct {
	port  port.Port
	takes port.Offloads // what the port leaves to others
	ring  *ring.MPMC[pool.Buffer]

	role   sync.Mutex
	failed error // the port's, after which it is not called any more; guarded by role

	// inHand is how many frames the sender has taken out that the port has not.
	inHand atomic.Int64
	// drops are written by receivers and the sender, but seldom. Once there is an heir, they are his: a receiver that still has an old
	// view comes to drop frames when the account of a port that was removed is closed.
	drops tally
	heir  atomic.Pointer[tally]
}

// tally counts drops by reason.
type tally [stats.NumReasons]atomic.Uint64

func (t *tally) load() (d stats.Drops) {
	for i := range t {
		d[i] = t[i].Load()
	}
	return d
}

func newOutlet(p port.Port, capacity int) (*outlet, error) {
	r, err := ring.NewMPMC[pool.Buffer](capacity)
	if err != nil {
		return nil, err
	}
	return &outlet{port: p, takes: p.Info().Offloads, ring: r}, nil
}

// put sends bufs, puts them into the ring, or drops and counts them. With wait it waits for room in the ring, until ctx is done.
func (o *outlet) put(ctx context.Context, bufs []pool.Buffer, wait bool) {
	for bufs = o.direct(bufs, wait); len(bufs) > 0; {
		bufs = bufs[o.ring.PushBurst(bufs):]
		switch {
		case len(bufs) == 0:
		case o.ring.Closed():
			o.drop(stats.ReasonClosed, bufs)
			return
		case !wait:
			o.drop(stats.ReasonRingFull, bufs)
			return
		case o.ring.Push(ctx, bufs[0]) != nil: // it waits for one, and the others follow
			o.drop(stats.ReasonClosed, bufs)
			return
		default:
			bufs = bufs[1:]
		}
	}
}

// direct sends bufs in the receiver's own goroutine if none is before them, and the role is free. It returns those that the port has not taken.
// With apart, a full burst is left to the sender, who works beside the receiver: see way.direct.
func (o *outlet) direct(bufs []pool.Buffer, apart bool) []pool.Buffer {
	if apart && len(bufs) == burst || o.ring.Len() > 0 || o.cuts(bufs) || !o.role.TryLock() {
		return bufs
	}
	defer o.role.Unlock()
	if o.ring.Len() > 0 || o.failure() != nil || o.ring.Closed() {
		return bufs
	}
	n, err := o.port.Tx(bufs)
	if err != nil {
		o.fail(err)
		o.drop(stats.ReasonIOError, bufs[n:])
		return nil
	}
	return bufs[n:]
}

// cuts reports whether the port has to cut one of bufs (port.Finisher). Of such a frame it may send a part, and wants it again before any other
// that is to be cut: the sender sees to that, while behind a receiver another one may come.
func (o *outlet) cuts(bufs []pool.Buffer) bool {
	for _, b := range bufs {
		if b.HasOffload() {
			if left, _ := b.Offload(); left.GSO != pool.GSONone && !o.takes.Take(left) {
				return true
			}
		}
	}
	return false
}

// run is the sender: it moves frames from the ring to the port until the ring is closed and empty. Once ctx is done or the port has
// failed, it drops and counts what comes. It returns the port's error.
func (o *outlet) run(ctx context.Context) error {
	var bufs [burst]pool.Buffer
	wait := ctx
	for {
		err := o.ring.Wait(wait)
		if errors.Is(err, ring.ErrClosed) {
			return o.end(ctx)
		}
		if err != nil { // ctx is done; what receivers are about to put in comes still
			o.ring.Close()
			wait = context.Background()
			continue
		}
		o.role.Lock()
		n := o.ring.PopBurst(bufs[:])
		o.inHand.Store(int64(n))
		o.transmit(ctx, bufs[:n])
		o.role.Unlock()
	}
}

// transmit takes bufs to the port, and waits for room in it. The caller has the role.
func (o *outlet) transmit(ctx context.Context, bufs []pool.Buffer) {
	for len(bufs) > 0 {
		reason := stats.ReasonClosed
		if o.failure() != nil {
			reason = stats.ReasonIOError
		}
		if reason == stats.ReasonIOError || ctx.Err() != nil {
			o.drop(reason, bufs)
			o.inHand.Store(0)
			return
		}
		n, err := o.port.Tx(bufs)
		bufs = bufs[n:]
		o.inHand.Add(-int64(n))
		if err == nil && len(bufs) > 0 {
			if err = o.port.WaitTx(ctx); ctx.Err() != nil {
				err = nil
			}
		}
		if err != nil {
			o.fail(err)
		}
	}
}

// end waits until the port has sent what it has queued, or until ctx is done, when it is for the port's Close to say what becomes of it.
// It returns the port's error.
func (o *outlet) end(ctx context.Context) error {
	o.role.Lock()
	defer o.role.Unlock()
	if q, ok := o.port.(port.Queuer); ok && o.failure() == nil {
		if err := q.Drain(ctx); err != nil && ctx.Err() == nil {
			o.fail(err)
		}
	}
	return o.failure()
}

func (o *outlet) failure() error {
	if interleave.On {
		interleave.Read(&o.failed)
	}
	return o.failed
}

// fail ends the outlet with the port's error: nothing more is put in. The caller has the role.
func (o *outlet) fail(err error) {
	o.failed = err
	if interleave.On {
		interleave.Write(&o.failed)
	}
	o.ring.Close()
}

// drop drops and counts frames for the port.
func (o *outlet) drop(reason stats.Reason, bufs []pool.Buffer) {
	o.drops[reason].Add(uint64(len(bufs))) // H1
	if heir := o.heir.Load(); heir != nil {
		heir[reason].Add(o.drops[reason].Swap(0))
	}
	pool.ReleaseBurst(bufs)
}

// bequeath counts all drops, those to come too, as heir's. Who drops sees the heir, or was here before (H1) and is counted by this.
func (o *outlet) bequeath(heir *tally) {
	o.heir.Store(heir)
	for i := range o.drops {
		heir[i].Add(o.drops[i].Swap(0)) // H1
	}
}

// dropped returns the drops so far that are not the heir's.
func (o *outlet) dropped() (d stats.Drops) {
	if o.heir.Load() != nil {
		return d
	}
	return o.drops.load()
}

// inFlight returns how many frames are between the receivers and the end of their way, be it that the port has them.
func (o *outlet) inFlight() int {
	n := o.ring.Len() + int(o.inHand.Load())
	if q, ok := o.port.(port.Queuer); ok {
		n += q.Queued()
	}
	return n
}
