// Finisher: software in place of offloads that a port doesn't have.

package port

import (
	"context"
	"sync/atomic"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// Finisher does in software what others have left to do on frames (pool.Offload) and a port can't leave to anybody:
// it completes checksums and cuts large frames into segments. A kind embeds it beside Base, calls
// its Init after Base's, and so gets Tx, and the methods of a Queuer: segments for which there was no room wait in it.
//
// A burst in which all is finished goes through as it is. Otherwise its frames go out in order, by way of a
// stock of finished ones.
type Finisher struct {
	base  *Base
	takes Offloads
	send  func([]pool.Buffer) (int, error)
	wait  func(context.Context) error

	// ready[from:to] are finished and come next.
	ready    [64]pool.Buffer
	from, to int
	// large is the frame that is being cut, if any, and next its next segment: they come after those.
	large pool.Buffer
	next  int
	cut   packet.Segmenter

	queued atomic.Int64
}

// Init prepares f for a port that is b's, can leave takes to others, sends finished frames by send, which is like
// Port.Tx but is called inside of Enter and Leave, and for an Out port only, and waits by wait, which is Port.WaitTx.
func (f *Finisher) Init(b *Base, takes Offloads, send func([]pool.Buffer) (int, error), wait func(context.Context) error) {
	f.base, f.takes, f.send, f.wait = b, takes, send, wait
	b.finisher = f
}

// Tx is the port's Tx.
func (f *Finisher) Tx(bufs []pool.Buffer) (n int, err error) {
	if !f.base.Enter() {
		return 0, ErrClosed
	}
	defer f.base.Leave()
	if f.base.Options.Direction&Out == 0 {
		return 0, ErrDirection
	}
	if f.waiting() == 0 && !unfinished(bufs) {
		return f.send(bufs)
	}
	defer f.publish()
	for {
		n += f.fill(bufs[n:])
		if f.from == f.to {
			return n, nil
		}
		sent, err := f.send(f.ready[f.from:f.to])
		f.from += sent
		if err != nil || f.from < f.to {
			return n, err
		}
		f.from, f.to = 0, 0
	}
}

func unfinished(bufs []pool.Buffer) bool {
	for _, b := range bufs {
		if b.HasOffload() {
			return true
		}
	}
	return false
}

// fill finishes frames, those that have begun first, until the stock is full. It returns how many of bufs it took.
func (f *Finisher) fill(bufs []pool.Buffer) (n int) {
	if f.from > 0 {
		f.to = copy(f.ready[:], f.ready[f.from:f.to])
		f.from = 0
	}
	for f.to < len(f.ready) {
		if !f.large.IsZero() {
			f.segment()
			continue
		}
		if n == len(bufs) {
			break
		}
		b := bufs[n]
		n++
		switch left, _ := b.Offload(); {
		case f.takes.Take(left):
			f.add(b)
		case left.GSO == pool.GSONone:
			f.checksum(b, left)
		default:
			f.begin(b, left)
		}
	}
	return n
}

func (f *Finisher) add(b pool.Buffer) {
	f.ready[f.to] = b
	f.to++
}

// checksum completes the checksum of b, of a copy of its own if others have it too.
func (f *Finisher) checksum(b pool.Buffer, left pool.Offload) {
	if b.Writable() != nil {
		f.drop(stats.ReasonNoBuffer, b)
		return
	}
	if packet.FinishChecksum(b.Bytes(), int(left.ChecksumStart), int(left.ChecksumOffset)) != nil {
		f.drop(stats.ReasonMalformed, b)
		return
	}
	b.ClearOffload()
	f.add(b)
}

// begin begins to cut b.
func (f *Finisher) begin(b pool.Buffer, left pool.Offload) {
	if Cut(&f.cut, b.Bytes(), left) != nil {
		f.drop(stats.ReasonMalformed, b)
		return
	}
	f.large, f.next = b, 0
	f.base.TxShard.Segments(uint64(f.cut.Count() - 1))
}

// Cut prepares s to cut a frame as left, whose GSO is one, says. The error is Segmenter.Reset's.
func Cut(s *packet.Segmenter, frame []byte, left pool.Offload) error {
	l3 := 0
	if !left.NetworkFrame {
		h := packet.Parse(frame)
		l3 = int(h.L3)
	}
	kind := packet.SegmentTCP4
	switch left.GSO {
	case pool.GSOTCP6:
		kind = packet.SegmentTCP6
	case pool.GSOUDP:
		kind = packet.SegmentUDP
	}
	return s.Reset(frame, l3, kind, int(left.SegmentSize))
}

// segment makes the next segments, as far as there is room in the stock.
func (f *Finisher) segment() {
	for ; f.to < len(f.ready) && f.next < f.cut.Count(); f.next++ {
		b, ok := f.buffer(f.cut.Len(f.next))
		if !ok {
			f.base.TxShard.DropTx(stats.ReasonNoBuffer, 1)
			continue
		}
		f.cut.Put(b.Bytes(), f.next)
		if m, ok := f.large.Meta(); ok {
			m.OrigLen = 0
			b.SetMeta(m)
		}
		f.add(b)
	}
	if f.next == f.cut.Count() {
		f.base.Free([]pool.Buffer{f.large})
		f.large = pool.Buffer{}
	}
}

// buffer takes a buffer with a frame of n bytes, whatever they are.
func (f *Finisher) buffer(n int) (b pool.Buffer, ok bool) {
	var err error
	switch large := f.base.Options.Large; {
	case n <= f.base.Options.Pool.BufferSize():
		b, err = f.base.TxCache.Get()
	case large != nil && n <= large.BufferSize():
		b, err = large.Get()
	default:
		return b, false
	}
	if err != nil {
		return b, false
	}
	_, err = b.AppendUnzeroed(n)
	return b, err == nil
}

func (f *Finisher) drop(r stats.Reason, b pool.Buffer) {
	f.base.Dropped(r, []pool.Buffer{b})
}

// waiting returns how many frames have been taken and not been sent.
func (f *Finisher) waiting() int {
	n := f.to - f.from
	if !f.large.IsZero() {
		n += f.cut.Count() - f.next
	}
	return n
}

// publish tells others what waits.
func (f *Finisher) publish() {
	f.queued.Store(int64(f.waiting()))
	f.base.TxShard.Publish()
}

// Queued returns how many frames wait for room in the port.
func (f *Finisher) Queued() int { return int(f.queued.Load()) }

// Drain sleeps until none does: see Queuer.
func (f *Finisher) Drain(ctx context.Context) error {
	for {
		if _, err := f.Tx(nil); err != nil {
			return err
		}
		if f.Queued() == 0 {
			return nil
		}
		if err := f.wait(ctx); err != nil {
			return err
		}
	}
}

// discard drops what waits, at the port's end.
func (f *Finisher) discard() {
	f.base.TxShard.DropTx(stats.ReasonClosed, uint64(f.waiting()))
	f.base.Free(f.ready[f.from:f.to])
	if !f.large.IsZero() {
		f.base.Free([]pool.Buffer{f.large})
	}
	f.from, f.to, f.large = 0, 0, pool.Buffer{}
	f.queued.Store(0)
}
