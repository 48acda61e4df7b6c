//go:build linux

// Sending: frames become places in the transmit rings, and buffers again when the kernel is through with them.

package afxdp

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

const (
	// maxPieces is how many chunks a frame may have at most (MAX_SKB_FRAGS + 1 of the kernel).
	maxPieces = 18
	// The kernel doesn't tell when it is through with a frame, so a full port is looked at again after a while: at first
	// soon, then less and less often.
	firstLook, lastLook = 20 * time.Microsecond, 2 * time.Millisecond
	// lingering is how long Close waits for frames that are with the device.
	lingering = 20 * time.Millisecond
)

// sender is what belongs to whoever calls Tx.
type sender struct {
	sending []piece  // by slot, what the kernel has to send
	queues  []*queue // those that send
	full    *queue   // the one that had no room when Tx was called last, if any
	down    bool     // the link was, when last asked

	pieces [64]piece // about to be lent
	n      int
	bufs   [64]pool.Buffer
	addrs  [64]uint64
	timer  *time.Timer
}

// piece is a frame, or a part of one, in a chunk.
type piece struct {
	buf   pool.Buffer
	queue *queue
	size  uint32 // of the whole frame, if this is its last piece
	more  bool   // if it isn't
}

func (t *sender) init(p *afxdp) {
	t.sending = make([]piece, p.Options.Pool.Count())
	t.timer = time.NewTimer(time.Hour)
	t.timer.Stop()
}

// send is Tx for finished frames.
func (p *afxdp) send(bufs []pool.Buffer) (n int, err error) {
	t := &p.tx
	p.reap()
	if t.down || t.full != nil {
		p.kick() // perhaps things are better now
	}
	t.full = nil
	for n < len(bufs) && !p.gone.Load() && !t.down {
		if !p.place(bufs[n]) {
			break
		}
		n++
	}
	p.flush()
	p.kick()
	if t.down && n < len(bufs) && !p.gone.Load() {
		p.Dropped(stats.ReasonLinkDown, bufs[n:])
		n = len(bufs)
	}
	p.reap()
	p.TxShard.Publish()
	if n < len(bufs) && p.gone.Load() {
		return n, p.errGone()
	}
	return n, nil
}

// place puts a frame among the pieces that are about to be lent, or drops it, and returns false if its queue
// has no room.
func (p *afxdp) place(b pool.Buffer) bool {
	t := &p.tx
	size := b.Len()
	switch {
	case size < packet.EthernetLen:
		p.drop(stats.ReasonTooShort, b)
		return true
	case size > p.limit && (size > p.limit+packet.VLANLen || !tagged(b.Bytes())):
		p.drop(stats.ReasonTooLong, b)
		return true
	}
	q := t.queues[0]
	if len(t.queues) > 1 { // all frames of a flow go the same way
		q = t.queues[uint64(packet.FlowHash(b.Bytes()))*uint64(len(t.queues))>>32]
	}
	own := p.TxCache.Owns(b) && b.Index() < len(t.sending) && t.sending[b.Index()].buf.IsZero()
	part := p.Options.Pool.BufferSize()
	k := 1
	if !own {
		k = (size + part - 1) / part
	}
	if q.out+q.staged+k > p.config.RingSize {
		t.full = q
		return false
	}
	if t.n+k > len(t.pieces) {
		p.flush()
	}
	if own {
		p.stage(piece{buf: b, queue: q, size: uint32(size)})
		return true
	}
	if got := p.TxCache.GetBurst(t.bufs[:k]); got < k {
		p.TxCache.PutBurst(t.bufs[:got])
		p.drop(stats.ReasonNoBuffer, b)
		return true
	}
	data := b.Bytes()
	for i := range k {
		c := t.bufs[i]
		data = data[fill(&c, data[:min(part, len(data))]):]
		last := piece{buf: c, queue: q, more: i < k-1}
		if !last.more {
			last.size = uint32(size)
		}
		p.stage(last)
	}
	p.copied.Add(1)
	t.bufs[0] = b
	p.Free(t.bufs[:1])
	return true
}

// fill copies data into a buffer that was just taken, in which there is room, and returns how much that was.
func fill(b *pool.Buffer, data []byte) int {
	room, _ := b.AppendUnzeroed(len(data))
	return copy(room, data)
}

func tagged(frame []byte) bool {
	return frame[12] == 0x81 && frame[13] == 0x00 || frame[12] == 0x88 && frame[13] == 0xa8
}

func (p *afxdp) drop(r stats.Reason, b pool.Buffer) {
	p.tx.bufs[0] = b
	p.TxShard.DropTx(r, 1)
	p.Free(p.tx.bufs[:1])
}

func (p *afxdp) stage(one piece) {
	t := &p.tx
	t.pieces[t.n] = one
	t.n++
	one.queue.staged++
	t.sending[one.buf.Index()] = one // so that the same slot is not staged twice
}

// flush lends the pieces to the kernel.
func (p *afxdp) flush() {
	t := &p.tx
	if t.n == 0 {
		return
	}
	for i := range t.n {
		t.bufs[i] = t.pieces[i].buf
	}
	p.Options.Pool.Lend(t.bufs[:t.n], t.addrs[:t.n])
	frames := 0
	for i := range t.n {
		one := &t.pieces[i]
		d := unix.XDPDesc{Addr: t.addrs[i], Len: uint32(one.buf.Len())}
		if one.more {
			d.Options = unix.XDP_PKT_CONTD
		} else {
			frames++
		}
		q := one.queue
		*q.tx.at(q.written) = d
		q.written++
		one.buf = pool.Buffer{}
	}
	t.n = 0
	p.flying.Add(int64(frames))
	for _, q := range t.queues {
		if q.written > 0 {
			q.tx.publish(q.written) // K1
			q.out += q.written
			q.written, q.staged = 0, 0
		}
	}
}

// kick has the kernel send what it has not taken yet.
func (p *afxdp) kick() {
	p.tx.down = false
	for _, q := range p.tx.queues {
		if q.out > 0 {
			p.kickQueue(q)
		}
	}
}

// kickQueue calls the kernel as long as it takes frames: it does a limited number of them in one call, and stops at each
// that the device drops.
func (p *afxdp) kickQueue(q *queue) {
	for idle := 0; idle < 2; {
		before := q.tx.pending()
		if before == 0 || p.way.wakeup && !q.tx.asksForWake() {
			return
		}
		switch err := q.wake(); err {
		case nil, unix.EAGAIN, unix.ENOBUFS:
		case unix.EBUSY:
			if !p.way.zeroCopy { // the device has dropped a frame, which is completed all the same
				q.refused++
			}
		case unix.ENETDOWN:
			p.tx.down = true
			return
		case unix.ENXIO:
			p.gone.Store(true)
			return
		default:
			p.TxShard.ErrorTx(1)
			return
		}
		if p.way.zeroCopy {
			return // it is the device's now
		}
		// Before Linux 6.17 a call that has reached its limit doesn't show what it took: only another one does.
		if q.tx.pending() == before {
			idle++
		} else {
			idle = 0
		}
	}
}

// reap takes buffers back that the kernel is through with.
func (p *afxdp) reap() {
	t := &p.tx
	for _, q := range t.queues {
		for q.out > 0 {
			n := min(q.completion.full(len(t.bufs)), len(t.bufs))
			if n == 0 {
				break
			}
			var frames, refused, bytes uint64
			for i := range n {
				one := &t.sending[*q.completion.at(i)/p.chunk]
				t.bufs[i] = one.buf
				if !one.more {
					if frames++; q.refused > 0 {
						q.refused--
						refused++
					} else {
						bytes += uint64(one.size)
					}
				}
				*one = piece{}
			}
			q.completion.publish(n) // K2
			q.out -= n
			p.flying.Add(-int64(frames))
			p.Options.Pool.TakeBack(t.bufs[:n])
			p.TxCache.PutBurst(t.bufs[:n])
			p.TxShard.Tx(frames-refused, bytes)
			p.TxShard.DropTx(stats.ReasonLinkDown, refused)
		}
	}
}

// WaitTx sleeps until the queue that had no room has some.
func (p *afxdp) WaitTx(ctx context.Context) error {
	if !p.Enter() {
		return port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.Out == 0 {
		return nil
	}
	return p.settle(ctx, func() bool {
		q := p.tx.full
		return q == nil || q.out+maxPieces <= p.config.RingSize || q.out == 0
	})
}

// settle sleeps until done reports true, and looks after what is on its way meanwhile.
func (p *afxdp) settle(ctx context.Context, done func() bool) error {
	for pause := firstLook; ; pause = min(2*pause, lastLook) {
		p.reap()
		if done() || p.gone.Load() {
			return nil
		}
		p.kick()
		p.reap()
		p.TxShard.Publish()
		if done() || p.gone.Load() || p.tx.down {
			return nil
		}
		if err := p.sleep(ctx, p.tx.timer, pause); err != nil {
			return err
		}
	}
}

// Queued returns how many frames are with the kernel or the device.
func (p *afxdp) Queued() int { return int(p.flying.Load()) }

// Drain sleeps until there are none.
func (p *afxdp) Drain(ctx context.Context) error {
	if !p.Enter() {
		return port.ErrClosed
	}
	defer p.Leave()
	for p.flying.Load() > 0 {
		err := p.settle(ctx, func() bool { return p.flying.Load() == 0 })
		if err == nil && p.gone.Load() {
			err = p.errGone()
		}
		if err == nil && p.tx.down {
			err = p.sleep(ctx, p.tx.timer, lastLook)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// linger sends what is there, and waits a little for what is with the device, at the port's end.
func (p *afxdp) linger() {
	for end := time.Now().Add(lingering); p.flying.Load() > 0; time.Sleep(firstLook) {
		p.kick()
		p.reap()
		if p.gone.Load() || p.tx.down || time.Now().After(end) {
			break
		}
	}
	p.TxShard.Publish()
}

// takeBackSending gives the buffers back that the kernel had to send, and counts their frames as dropped.
func (p *afxdp) takeBackSending() {
	t := &p.tx
	frames := int64(0)
	for i := range t.sending {
		one := &t.sending[i]
		if one.buf.IsZero() {
			continue
		}
		if !one.more {
			frames++
		}
		t.bufs[0] = one.buf
		p.Options.Pool.TakeBack(t.bufs[:1])
		p.TxCache.PutBurst(t.bufs[:1])
		*one = piece{}
	}
	p.TxShard.DropTx(stats.ReasonClosed, uint64(frames))
	p.flying.Add(-frames)
}
