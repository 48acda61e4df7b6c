//go:build linux

// Receiving: what the kernel has written becomes handles, and its fill rings are topped up.

package afxdp

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

const (
	// starving is how long the receiver sleeps at most while a queue has too few buffers to receive into, since then perhaps no
	// frame will wake it: the pool may have some by then.
	starving = 10 * time.Millisecond
	// down is how long it sleeps at most while the link is down, since nobody tells of the end of an interface that is.
	down = 100 * time.Millisecond
	// patience is how many times Rx finds nothing before it asks whether the interface is still there.
	patience = 1024
)

// receiver is what belongs to whoever calls Rx.
type receiver struct {
	room int           // bytes of a frame that fit into a chunk
	lent []pool.Buffer // by slot, what the kernel has to receive into
	turn int           // the queue that comes first
	down bool          // the link was, when last looked at
	idle int           // calls of Rx that found nothing since it was

	bufs  [64]pool.Buffer
	addrs [64]uint64
	back  []pool.Buffer // what one Rx took out of a ring
	spent []pool.Buffer // of that, what is not handed on
}

func (r *receiver) init(p *afxdp, room int) {
	r.room = room
	if p.Options.Direction&port.In != 0 {
		r.back, r.spent = make([]pool.Buffer, 0, p.config.RingSize), make([]pool.Buffer, 0, p.config.RingSize)
	}
	r.lent = make([]pool.Buffer, p.Options.Pool.Count())
}

// Rx receives from all queues in turn.
func (p *afxdp) Rx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	n := 0
	for range p.queues {
		q := p.queues[p.rx.turn]
		if p.rx.turn++; p.rx.turn == len(p.queues) {
			p.rx.turn = 0
		}
		if p.config.BusyPoll > 0 && q.rx.full(1) == 0 {
			_ = q.poll()
		}
		n += p.receive(q, bufs[n:])
		p.refill(q)
		if n == len(bufs) {
			break
		}
	}
	p.Received(bufs[:n])
	slept := p.Slept()
	if n > 0 {
		p.rx.idle = 0
		return n, nil
	}
	if p.rx.idle++; slept || p.rx.idle == patience { // woken by something else, or somebody who never waits
		p.rx.idle = 0
		p.ask()
	}
	if p.gone.Load() {
		return 0, p.errGone()
	}
	return 0, nil
}

// receive takes frames out of a queue.
func (p *afxdp) receive(q *queue, bufs []pool.Buffer) (n int) {
	r := &p.rx
	r.back, r.spent = r.back[:0], r.spent[:0]
	used := 0
	for there := q.rx.full(len(bufs)); n < len(bufs) && used < there; {
		if d := q.rx.at(used); d.Options&unix.XDP_PKT_CONTD == 0 {
			bufs[n] = p.written(d)
			r.back = append(r.back, bufs[n])
			n++
			used++
			continue
		}
		k, size := q.pieces(used, there)
		if k == 0 { // the rest is still to come
			break
		}
		if b, ok := p.join(q, used, k, size); ok {
			bufs[n] = b
			n++
		}
		used += k
	}
	if used == 0 {
		return 0
	}
	q.rx.publish(used) // K2
	q.lent -= used
	p.Options.Pool.TakeBack(r.back)
	p.RxCache.PutBurst(r.spent)
	return p.mark(bufs[:n])
}

// written takes the buffer that the kernel has written to as d says.
func (p *afxdp) written(d *unix.XDPDesc) pool.Buffer {
	slot := d.Addr / p.chunk
	b := p.rx.lent[slot]
	p.rx.lent[slot] = pool.Buffer{}
	b.SetFrame(d.Addr, int(d.Len))
	return b
}

// pieces returns how many places from number from on, of those that are there, have the pieces of one frame, and how long it
// is: 0 if its end is not there yet.
func (q *queue) pieces(from, there int) (k, size int) {
	for i := from; i < there; i++ {
		d := q.rx.at(i)
		size += int(d.Len)
		if d.Options&unix.XDP_PKT_CONTD == 0 {
			return i - from + 1, size
		}
	}
	return 0, 0
}

// join makes one frame of k pieces, or drops it.
func (p *afxdp) join(q *queue, from, k, size int) (b pool.Buffer, ok bool) {
	var data []byte
	b, err := p.roomFor(size)
	if err == nil {
		data, err = b.AppendUnzeroed(size)
	}
	for i := range k {
		piece := p.written(q.rx.at(from + i))
		p.rx.back = append(p.rx.back, piece)
		p.rx.spent = append(p.rx.spent, piece)
		if err == nil {
			data = data[copy(data, piece.Bytes()):]
		}
	}
	if err != nil {
		reason := stats.ReasonNoBuffer
		if errors.Is(err, pool.ErrTooLarge) {
			reason = stats.ReasonTooLong
		}
		p.RxShard.DropRx(reason, 1)
		return b, false
	}
	p.joined.Add(1)
	return b, true
}

// roomFor takes a buffer for a frame of size bytes.
func (p *afxdp) roomFor(size int) (pool.Buffer, error) {
	switch large := p.Options.Large; {
	case size <= p.Options.Pool.BufferSize():
		return p.RxCache.Get()
	case large != nil && size <= large.BufferSize():
		return large.Get()
	}
	return pool.Buffer{}, pool.ErrTooLarge
}

// mark says of frames what is left to do on them, as far as that can be seen, since AF_XDP doesn't tell. It drops those
// of which nobody can know, and returns how many are left.
func (p *afxdp) mark(bufs []pool.Buffer) (n int) {
	for _, b := range bufs {
		if start, offset, ok := packet.PartialChecksum(b.Bytes()); ok {
			o := pool.Offload{NeedsChecksum: true, ChecksumStart: uint32(start), ChecksumOffset: uint16(offset)}
			if b.Len() > p.limit+packet.VLANLen && !p.segments(b, &o) {
				p.RxShard.DropRx(stats.ReasonTooLong, 1)
				b.Release()
				continue
			}
			b.SetOffload(o)
		}
		bufs[n] = b
		n++
	}
	return n
}

// segments says into what a frame is to be cut that is longer than the link takes: one that a
// sender on this machine has left to the device, which only generic mode hands over. How long the segments are to
// be it does not tell; for TCP it is safe to make them as long as the link takes. Datagrams would not be the same ones.
func (p *afxdp) segments(b pool.Buffer, o *pool.Offload) bool {
	h := packet.Parse(b.Bytes())
	if h.Protocol != packet.ProtoTCP || h.Payload <= h.L3 {
		return false
	}
	o.GSO = pool.GSOTCP4
	if packet.IPv4(b.Bytes()[h.L3:]).Version() == 6 {
		o.GSO = pool.GSOTCP6
	}
	size := p.device.mtu - int(h.Payload-h.L3)
	o.SegmentSize = uint16(max(1, size))
	return size > 0
}

// short reports whether the kernel has so few buffers that it is worth to lend it more.
func (q *queue) short() bool { return q.due-q.lent >= max(1, min(64, q.due/2)) }

// refill lends buffers to the kernel up to what is due to the queue, if that is worth it.
func (p *afxdp) refill(q *queue) {
	r := &p.rx
	if !q.short() {
		return
	}
	for missing := q.due - q.lent; missing > 0; {
		n := p.RxCache.GetBurst(r.bufs[:min(missing, len(r.bufs))])
		if n == 0 {
			break
		}
		p.Options.Pool.Lend(r.bufs[:n], r.addrs[:n])
		for i, b := range r.bufs[:n] {
			r.lent[b.Index()] = b
			*q.fill.at(i) = r.addrs[i]
		}
		q.fill.publish(n) // K1
		q.lent += n
		missing -= n
	}
	if q.fill.asksForWake() {
		_ = q.poll()
	}
}

// sleepy reports whether there is nothing to do until something happens at the sockets.
func (p *afxdp) sleepy() bool { return p.config.BusyPoll == 0 && !p.something() && p.longest() == 0 }

// nap sleeps until a queue has a frame, or the interface is gone, after it has looked for that.
func (p *afxdp) nap(ctx context.Context) error {
	if p.something() || p.pollBusily(ctx) {
		return nil
	}
	return p.waitRead(ctx, p.longest())
}

// longest returns how long the receiver sleeps at most, or 0.
func (p *afxdp) longest() time.Duration {
	if p.rx.down {
		return down
	}
	for _, q := range p.queues {
		if q.short() {
			return starving
		}
	}
	return 0
}

// something reports whether Rx has something to return.
func (p *afxdp) something() bool {
	for _, q := range p.queues {
		if q.rx.full(1) > 0 {
			return true
		}
	}
	return p.gone.Load()
}

// waitRead sleeps until something happens at the sockets, no longer than limit unless that is 0.
func (p *afxdp) waitRead(ctx context.Context, limit time.Duration) error {
	if limit == 0 {
		return p.wait.WaitRead(ctx)
	}
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := p.wait.WaitRead(short); err != nil && ctx.Err() == nil && short.Err() != nil {
		return nil
	} else {
		return err
	}
}

// ask finds out whether the link is up, down or gone.
func (p *afxdp) ask() {
	// Fetched, so that it doesn't wake us again. What it says is old news: the socket knows better.
	_, _ = unix.GetsockoptInt(p.watch, unix.SOL_SOCKET, unix.SO_ERROR)
	err := p.queues[0].poll()
	p.rx.down = err == unix.ENETDOWN
	if err == unix.ENXIO {
		p.gone.Store(true)
	}
}

// pollBusily looks for frames for as long as Config.BusyPoll says.
func (p *afxdp) pollBusily(ctx context.Context) bool {
	if p.config.BusyPoll == 0 {
		return false
	}
	for end := time.Now().Add(p.config.BusyPoll); time.Now().Before(end) && ctx.Err() == nil; {
		for _, q := range p.queues {
			_ = q.poll()
		}
		if p.something() {
			return true
		}
		select {
		case <-p.Shutting():
			return false
		default:
		}
	}
	return false
}

// dropUnread counts what the kernel has received and nobody has taken, at the port's end.
func (p *afxdp) dropUnread() {
	for _, q := range p.queues {
		if q.rx.mem == nil {
			continue
		}
		frames := uint64(0)
		for i := range q.rx.full(len(q.rx.places)) {
			if q.rx.at(i).Options&unix.XDP_PKT_CONTD == 0 {
				frames++
			}
		}
		p.RxShard.DropRx(stats.ReasonClosed, frames)
	}
	p.RxShard.Publish()
}

// takeBackReceiving gives the buffers back that the kernel had to receive into.
func (p *afxdp) takeBackReceiving() {
	for i, b := range p.rx.lent {
		if !b.IsZero() {
			p.Options.Pool.TakeBack(p.rx.lent[i : i+1])
			p.RxCache.Put(b)
			p.rx.lent[i] = pool.Buffer{}
		}
	}
}
