//go:build linux

// The port.

package afpacket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/internal/patience"
	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// burst is how many frames go into one system call.
const burst = port.LandingPlaces

// Open opens the interface of that name. The error wraps ErrInterface if it is none that can be used, or ErrConfig
// if c is bad, or says what the system refused and what helps.
func Open(name string, o port.Options, c Config) (port.Port, error) {
	c, err := c.withDefaults(name)
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	s, err := newSocket(name, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	p := &afpacket{config: c, socket: s}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, c.offloads(), p.send)
	p.Slumber.Init(&p.Base, s, func() bool { return p.landing.Ready(1) > 0 }, p.landing.Wait)
	p.landing.Init(&p.Base)
	p.rx = mmsg.New(burst, 3, auxSpace, false)
	p.tx = mmsg.New(burst, 2, 0, false)
	p.info = port.Info{
		Name: c.Name, Kind: "afpacket", Live: true, LinkType: port.LinkTypeEthernet, Offloads: c.offloads(),
		MTU: min(s.mtu()+packet.EthernetLen, pool.MaxFrame), Mode: mode(c), Warnings: s.warnings,
	}
	if hasAddress(name) {
		p.info.Warnings = append(p.info.Warnings, name+" has an address: the host answers what comes in, too; ip addr flush dev "+name+" takes it away")
	}
	if p.Options.Direction&port.In != 0 {
		if p.ring, err = newRing(s.Num(), c.Slots, p.info.MTU); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), p.Close())
		}
	}
	if err := s.start(p.Options.Direction&port.In != 0, c); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), p.Close())
	}
	return p, nil
}

func mode(c Config) string {
	m := "a ring for small frames, recvmmsg for large ones, sendmmsg; virtio_net_hdr with all of them"
	if c.Bypass {
		m += ", past the queueing discipline"
	}
	if c.Fanout > 0 {
		m += fmt.Sprintf(", fanout group %d by %s", c.Fanout, c.FanoutMode)
	}
	return m
}

var _ port.Sleeper = (*afpacket)(nil)

type afpacket struct {
	port.Base
	port.Finisher
	port.Slumber
	config Config
	socket socket
	info   port.Info

	// deleted says that the interface is no more.
	deleted atomic.Bool

	// For the caller of Rx.
	ring    ring
	landing port.Landing
	rx      *mmsg.Batch
	rxHead  [burst][vnet.Len]byte

	// For the caller of Tx.
	tx     *mmsg.Batch
	txHead [burst][vnet.Len]byte
	full   patience.Patience

	// mu guards the sum of the kernel's own counter, which it forgets when it is read.
	mu      sync.Mutex
	dropped uint64
	closed  bool
}

// noHead is the header of a frame on which nothing is left to do.
var noHead [vnet.Len]byte

// Rx receives what is in the ring, and the large frames that its slots stand for.
func (p *afpacket) Rx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	n, slots, err := 0, 0, error(nil)
	for n < len(bufs) && err == nil {
		s, status := p.ring.ready()
		if status == unix.TP_STATUS_KERNEL || p.landing.Ready(1) == 0 {
			break
		}
		if status&unix.TP_STATUS_COPY != 0 {
			var got, done int
			got, done, err = p.queued(bufs[n:])
			n, slots = n+got, slots+done
			continue
		}
		if b, ok := p.small(s, status); ok {
			bufs[n] = b
			n++
		}
		p.ring.give(1)
		slots++
	}
	switch {
	case slots > 0:
		p.Slept() // woken by these
		p.Received(bufs[:n])
		if err == nil {
			return n, nil
		}
	case err == nil && p.Slept(): // perhaps woken by an error
		err = p.socket.err()
	}
	return n, p.rxError(err)
}

// small returns the frame in a slot, or counts it as dropped.
func (p *afpacket) small(s slot, status uint32) (b pool.Buffer, ok bool) {
	head, frame, whole := s.frame()
	if !whole { // nor was there room in the queue
		p.RxShard.DropRx(stats.ReasonRingFull, 1)
		return b, false
	}
	first, rest := p.landing.Place(0)
	copy(rest, frame[copy(first, frame):])
	tag, tagged := s.tag(status)
	return p.frame(0, len(frame), head, tag, tagged)
}

// queued receives the large frames whose slots are next, from the socket's queue, and returns how many there were and
// how many slots are done with.
func (p *afpacket) queued(bufs []pool.Buffer) (n, slots int, err error) {
	slots = p.ring.large(p.landing.Ready(len(bufs)))
	for i := range slots {
		first, rest := p.landing.Place(i)
		p.rx.Set(i, 0, p.rxHead[i][:])
		p.rx.Set(i, 1, first)
		if len(rest) > 0 {
			p.rx.Set(i, 2, rest)
		}
	}
	got, err := p.rx.Recv(p.socket.Num(), slots)
	if mmsg.WouldBlock(err) {
		p.ring.give(1) // of a frame that the kernel has not kept after all
		p.RxShard.DropRx(stats.ReasonTruncated, 1)
		return 0, 1, nil
	}
	if err != nil {
		return 0, 0, err // of the socket: the frames are still there
	}
	for i := range got {
		length := p.rx.Bytes(i) - vnet.Len
		if p.rx.Truncated(i) || length < 0 {
			p.RxShard.DropRx(stats.ReasonTruncated, 1)
			continue
		}
		tag, tagged := vlanTag(p.rx.Control(i))
		if b, ok := p.frame(i, length, p.rxHead[i][:], tag, tagged); ok {
			bufs[n] = b
			n++
		}
	}
	p.ring.give(got)
	return n, got, nil
}

// frame returns the frame of n bytes that was written into place i, with what its header and tag say, or counts it as dropped.
func (p *afpacket) frame(i, n int, head []byte, tag [packet.VLANLen]byte, tagged bool) (b pool.Buffer, ok bool) {
	left, err := vnet.Decode(head, n)
	if err != nil {
		p.RxShard.DropRx(stats.ReasonMalformed, 1)
		return b, false
	}
	if b, ok = p.landing.Take(i, n); !ok {
		p.RxShard.DropRx(stats.ReasonTruncated, 1)
		return b, false
	}
	if left.Unfinished() {
		left.Tunnel = left.GSO != pool.GSONone && tunnelled(b.Bytes(), int(left.ChecksumStart))
		b.SetOffload(left)
	}
	if tagged && n >= 12 && !putTag(&b, tag) {
		b.Release()
		p.RxShard.DropRx(stats.ReasonTooLong, 1)
		return b, false
	}
	return b, true
}

// tunnelled reports whether the transport header at l4 of a large frame is in a tunnel. The kernel hands such frames out with a
// header that speaks of their inner protocol alone, and does not take them back.
func tunnelled(frame []byte, l4 int) bool {
	h := packet.Parse(frame)
	return h.IPVersion != 0 && h.L4 != 0 && int(h.L4) < l4
}

// rxError tells what an error of receiving means for the port.
func (p *afpacket) rxError(err error) error {
	switch {
	case err == nil:
		if p.deleted.Load() {
			return p.gone()
		}
		return nil
	case errors.Is(err, unix.ENETDOWN): // once, when it goes down; it goes on when it is up again
		if p.socket.exists() {
			return nil
		}
		return p.gone()
	case errors.Is(err, unix.EINVAL): // a kind of large segment that the header has no word for
		p.RxShard.DropRx(stats.ReasonMalformed, 1)
		p.RxShard.Publish()
		return nil
	}
	p.RxShard.ErrorRx(1)
	p.RxShard.Publish()
	return fmt.Errorf("%s: receiving: %w", p.config.Name, err)
}

// gone is the end of the port, of which the system tells one of its callers, once.
func (p *afpacket) gone() error {
	p.deleted.Store(true)
	p.socket.Wake()
	return fmt.Errorf("%s: the interface has been deleted", p.config.Name)
}

// send sends frames, all of which the kernel can finish by itself.
func (p *afpacket) send(bufs []pool.Buffer) (n int, err error) {
	down := false
	for n < len(bufs) {
		batch := bufs[n:min(n+burst, len(bufs))]
		for i, b := range batch {
			frame, head := b.Bytes(), &noHead
			if left, ok := b.Offload(); ok {
				head = &p.txHead[i]
				vnet.Encode(head[:], left, frame)
			}
			p.tx.Set(i, 0, head[:])
			p.tx.Set(i, 1, frame)
		}
		sent, err := p.tx.Send(p.socket.Num(), 0, len(batch))
		if err == nil {
			p.full.Room()
			p.Sent(batch[:sent])
			n += sent
			continue
		}
		if errors.Is(err, unix.ENETDOWN) && !down {
			down = true // it may have been so for a moment, long ago: once said, it is forgotten
			continue
		}
		drop, why, err := p.txError(err, len(batch))
		if drop == 0 {
			return n, err
		}
		p.Dropped(why, batch[:drop])
		n += drop
	}
	return n, nil
}

// txError tells what becomes of frames whose first the kernel did not take: how many of them are dropped and why, or that
// none is, since there is no room now or the port is at its end.
func (p *afpacket) txError(cause error, frames int) (drop int, why stats.Reason, err error) {
	switch {
	case mmsg.WouldBlock(cause):
		return 0, 0, nil
	case errors.Is(cause, unix.ENOBUFS):
		if !p.full.Full() {
			return 0, 0, nil
		}
		return 1, stats.ReasonNoSpace, nil
	case errors.Is(cause, unix.EMSGSIZE):
		return 1, stats.ReasonTooLong, nil
	case errors.Is(cause, unix.EINVAL):
		return 1, stats.ReasonMalformed, nil // shorter than a header, or what it says of itself is wrong
	case errors.Is(cause, unix.ENETDOWN), errors.Is(cause, unix.ENXIO), errors.Is(cause, unix.ENODEV):
		if !p.socket.exists() {
			return 0, 0, p.gone()
		}
		return frames, stats.ReasonLinkDown, nil
	}
	p.TxShard.ErrorTx(1)
	return 1, stats.ReasonIOError, nil
}

// WaitTx sleeps until the socket has room, or until it is time to try again.
func (p *afpacket) WaitTx(ctx context.Context) error {
	return p.Wait(ctx, port.Out, func(ctx context.Context) error {
		if p.full.Tries() > 0 {
			return p.Sleep(ctx, patience.Every)
		}
		return p.socket.WaitWrite(ctx)
	})
}

// Stats returns the counters, with what the kernel has dropped.
func (p *afpacket) Stats() stats.Snapshot {
	s := p.Base.Stats()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask()
	s.RxDrops[stats.ReasonRingFull] += p.dropped
	return s
}

// ask reads the kernel's counter of drops. The caller holds mu.
func (p *afpacket) ask() {
	if !p.closed {
		p.dropped += p.socket.drops()
	}
}

// Info describes the port.
func (p *afpacket) Info() port.Info { return p.info }

// Close closes the socket.
func (p *afpacket) Close() error {
	return p.Shut(p.socket.Wake, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ask()
		p.closed = true
		p.landing.Close()
		return errors.Join(p.ring.close(), p.socket.Close())
	})
}
