//go:build linux

// The port: opened in the best mode that works, and closed.

package afxdp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// ErrUMEM says that the pool is not one that AF_XDP can use.
var ErrUMEM = errors.New("the pool has to be made with pool.Config.UMEM")

var _ port.Sleeper = (*afxdp)(nil)

type afxdp struct {
	port.Base
	port.Finisher
	port.Slumber
	config     Config
	device     device
	limit      int // the longest frame that can be sent, without a VLAN tag
	attachment *attachment
	queues     []*queue
	numbers    []int // of the queues
	way        way
	mode       string
	chunk      uint64

	// wait becomes readable when a queue has frames or the link changes, of which watch has the errors.
	wait  *fd.FD
	watch int

	gone   atomic.Bool  // the interface was deleted
	copied atomic.Int64 // frames that were copied to send them
	joined atomic.Int64 // frames in several chunks that were copied together
	flying atomic.Int64 // frames that are on their way out

	// kernel guards the kernel's counters of sockets that are open, and has those of closed ones.
	kernel struct {
		sync.Mutex
		closed bool
		counts []unix.XDPStatistics
	}

	rx receiver
	tx sender
}

// attempt is one mode to try.
type attempt struct {
	mode             Mode
	native, zeroCopy bool
}

func (a attempt) String() string {
	switch {
	case a.zeroCopy:
		return "native, zero-copy"
	case a.native:
		return "native, with a copy by the kernel"
	}
	return "generic, with a copy by the kernel"
}

var attempts = []attempt{{ModeZeroCopy, true, true}, {ModeCopy, true, false}, {ModeGeneric, false, false}}

// Open opens an interface. The pool of o has to be made with pool.Config.UMEM: its region is what the
// kernel receives into and sends out of, and a third of it at most is lent to the port for that. o.Large is for frames longer than
// a chunk takes. The error is port.ErrNoPool, wraps ErrConfig, ErrUMEM or an error of the system, and says what to do.
func Open(target string, o port.Options, c Config) (port.Port, error) {
	c, err := c.withDefaults(target)
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	_, chunk, headroom, ok := o.Pool.UMEM()
	if !ok {
		return nil, ErrUMEM
	}
	p := &afxdp{config: c, chunk: uint64(chunk), watch: -1}
	if p.device, err = lookup(target); err != nil {
		return nil, err
	}
	if p.numbers, err = p.device.choose(c.Queues); err != nil {
		return nil, err
	}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, 0, p.send)
	p.rx.init(p, chunk-headroom-unix.XDP_PACKET_HEADROOM)
	p.tx.init(p)
	if err := p.open(); err != nil {
		_ = p.Close()
		return nil, explain(err)
	}
	p.Slumber.Init(&p.Base, p.wait, p.sleepy, p.nap)
	return p, nil
}

// choose returns the queues that a port has, of those that there are.
func (d device) choose(queues []int) ([]int, error) {
	if len(queues) == 0 {
		for q := range d.queues() {
			queues = append(queues, q)
		}
	}
	if last := queues[len(queues)-1]; last >= d.queues() {
		return nil, fmt.Errorf("%s has no queue %d; its queues are 0 to %d (ethtool -l %s): %w", d.name, last, d.queues()-1, d.name, unix.EINVAL)
	}
	return queues, nil
}

// open does what the kernel has to be asked for. What is done when it fails is undone by last.
func (p *afxdp) open() (err error) {
	if p.watch, err = linkWatch(p.device, !p.config.NotPromiscuous && p.Options.Direction&port.In != 0); err != nil {
		return err
	}
	if p.device.namespace, err = unix.GetsockoptUint64(p.watch, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE); err != nil {
		p.device.namespace = 0 // before Linux 5.14 namespaces are told apart by nothing
	}
	var why []string
	var failed []error
	for _, a := range attempts {
		if p.config.Mode != ModeAuto && p.config.Mode != a.mode {
			continue
		}
		if err := p.try(a); err != nil {
			why = append(why, fmt.Sprintf("no %s: %v", a.mode, err))
			failed = append(failed, fmt.Errorf("%s: %w", a, err))
			if errors.Is(err, unix.EPERM) {
				break
			}
			continue
		}
		p.mode = p.describe(a, why)
		if err := p.chooseSenders(); err != nil {
			return err
		}
		return p.prepareWait()
	}
	return errors.Join(failed...)
}

// try opens all queues in one mode.
func (p *afxdp) try(a attempt) error {
	// Several chunks a frame where one does not do; in generic mode the sender's large segments come as they are.
	p.way = way{zeroCopy: a.zeroCopy, wakeup: !p.config.AlwaysWake}
	one := min(p.rx.room, p.Options.Pool.BufferSize())
	p.limit = p.device.mtu + packet.EthernetLen
	p.way.sg = p.limit+packet.VLANLen > one || !a.native && p.Options.Large != nil
	if p.way.sg {
		one = maxPieces * p.Options.Pool.BufferSize()
	}
	p.limit = min(p.limit, one-packet.VLANLen)
	if err := p.attach(a.native); err != nil {
		return err
	}
	for _, n := range p.numbers {
		if err := p.openQueue(n); err != nil {
			err = errors.Join(err, p.closeQueues())
			p.queues = nil
			return err
		}
	}
	return nil
}

// attach attaches the program, unless the attempt before has done that in the same way: it may cost a device a reset.
func (p *afxdp) attach(native bool) (err error) {
	if a := p.attachment; a != nil {
		if a.how.native == native && a.how.frags == p.way.sg {
			return nil
		}
		p.attachment = nil
		if err := a.release(p.numbers); err != nil {
			return err
		}
	}
	p.attachment, err = attach(p.device, p.numbers, p.config.Filter, native, p.way.sg)
	return err
}

func (p *afxdp) openQueue(n int) error {
	q, err := openQueue(p.device, n, registration{p.Options.Pool, p.way}, p.config, p.Options.Direction)
	if err != nil {
		return err
	}
	p.queues = append(p.queues, q)
	if p.Options.Direction&port.In != 0 {
		// A third of the pool at most, for there are other ports, and what is under way.
		q.due = max(1, min(p.config.RingSize+spare, p.Options.Pool.Count()/3/len(p.numbers)))
		p.refill(q)
		if err := p.attachment.sockets.Put(uint32(n), uint32(q.socket)); err != nil {
			return fmt.Errorf("entering the socket of queue %d: %w", n, err)
		}
	} else if p.way.zeroCopy { // there are drivers that don't send if they can't receive
		q.due = unused
		p.refill(q)
	}
	return nil
}

// chooseSenders notes which queues send: a device may receive with more.
func (p *afxdp) chooseSenders() error {
	if p.Options.Direction&port.Out == 0 {
		return nil
	}
	for _, q := range p.queues {
		if q.id < p.device.tx {
			p.tx.queues = append(p.tx.queues, q)
		}
	}
	if len(p.tx.queues) == 0 {
		return fmt.Errorf("%s sends with queues 0 to %d only: %w", p.device.name, p.device.tx-1, unix.EINVAL)
	}
	return nil
}

func (p *afxdp) describe(a attempt, why []string) string {
	s := []string{a.String()}
	if len(p.queues) > 1 {
		s = append(s, fmt.Sprintf("%d queues", len(p.queues)))
	}
	if p.way.sg {
		s = append(s, "frames in several chunks")
	}
	if p.queues[0].shared {
		s = append(s, "memory registered together with another port")
	}
	return strings.Join(append(s, why...), "; ")
}

func (p *afxdp) prepareWait() error {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	if p.wait, err = fd.New(epoll, p.config.Name); err != nil {
		return err
	}
	add := func(socket int) {
		if err == nil {
			err = unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(socket)})
		}
	}
	add(p.watch)
	for _, q := range p.queues {
		add(q.socket)
	}
	return err
}

// errGone is the error of a port whose interface was deleted.
func (p *afxdp) errGone() error {
	return fmt.Errorf("afxdp: interface %s is gone: %w", p.device.name, unix.ENODEV)
}

// Info describes the port.
func (p *afxdp) Info() port.Info {
	i := port.Info{
		Name:     p.config.Name,
		Kind:     "afxdp",
		Live:     true,
		LinkType: port.LinkTypeEthernet,
		MTU:      p.limit,
		Mode:     p.mode,
	}
	if p.Options.Direction&port.In != 0 && len(p.device.addresses) > 0 {
		s := fmt.Sprintf("%s has an address (%s), and frames for it come to the port and not to the host", p.device.name, strings.Join(p.device.addresses, ", "))
		if p.config.Filter.String() != "" {
			s = fmt.Sprintf("%s has an address (%s): of frames for it, those that match the filter come to the port and not to the host", p.device.name, strings.Join(p.device.addresses, ", "))
		}
		i.Warnings = append(i.Warnings, s)
	}
	if n := p.copied.Load(); n > 0 {
		i.Notes = append(i.Notes, fmt.Sprintf("%d frames were copied to be sent, since they were of another pool, on the heap, or on their way already.", n))
	}
	if n := p.joined.Load(); n > 0 {
		i.Notes = append(i.Notes, fmt.Sprintf("%d frames came in several chunks and were copied together.", n))
	}
	return i
}

// Stats returns the port's counters, with what the kernel has dropped.
func (p *afxdp) Stats() stats.Snapshot {
	s := p.Base.Stats()
	p.kernel.Lock()
	defer p.kernel.Unlock()
	if !p.kernel.closed {
		p.countKernel()
	}
	for i := range p.kernel.counts {
		k := &p.kernel.counts[i]
		s.RxDrops[stats.ReasonRingFull] += k.Rx_ring_full
		// What the kernel calls dropped had no buffer, of which it tells besides, or was too long for one.
		starved := k.Rx_dropped
		if !p.way.sg {
			starved = min(starved, k.Rx_fill_ring_empty_descs)
		}
		s.RxDrops[stats.ReasonNoBuffer] += starved
		s.RxDrops[stats.ReasonTooLong] += k.Rx_dropped - starved
	}
	return s
}

// countKernel reads the kernel's counters. The caller has the lock.
func (p *afxdp) countKernel() {
	if p.kernel.counts == nil {
		p.kernel.counts = make([]unix.XDPStatistics, len(p.queues))
	}
	for i, q := range p.queues {
		if k, err := kernelCounts(q.socket); err == nil {
			p.kernel.counts[i] = k
		}
	}
}

// Close closes the port.
func (p *afxdp) Close() error {
	return p.Shut(func() {
		if p.wait != nil {
			p.wait.Wake()
		}
	}, p.last)
}

// last gives everything back, in this order: what is to be sent, the sockets, and only then the buffers that the
// kernel had.
func (p *afxdp) last() (err error) {
	p.linger()
	p.kernel.Lock()
	p.countKernel()
	p.kernel.closed = true
	p.kernel.Unlock()
	p.dropUnread()
	if p.wait != nil {
		err = p.wait.Close()
	}
	err = errors.Join(err, p.closeQueues())
	if p.attachment != nil {
		err = errors.Join(err, p.attachment.release(p.numbers))
	}
	if p.watch >= 0 {
		err = errors.Join(err, unix.Close(p.watch))
	}
	return err
}

// closeQueues closes the sockets and takes back what the kernel had.
func (p *afxdp) closeQueues() (err error) {
	for _, q := range p.queues {
		err = errors.Join(err, q.close())
	}
	if p.way.zeroCopy {
		for _, q := range p.queues {
			if kept := q.released(p.device); kept != nil {
				// The buffers stay lent: better lost than written to by a device when they are others'.
				return errors.Join(err, kept)
			}
		}
	}
	p.takeBackReceiving()
	p.takeBackSending()
	return err
}

// sleep sleeps for d, or until the port is closed or ctx is done, which is the error then.
func (p *afxdp) sleep(ctx context.Context, timer *time.Timer, d time.Duration) error {
	timer.Reset(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-p.Shutting():
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
