//go:build linux

// The port: opened, described and closed.

package tap

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// ErrDeleted is wrapped by the error of Rx and Tx once somebody has deleted the device.
var ErrDeleted = errors.New("the device was deleted")

// rawIP is the link type of IP packets without a link header: LINKTYPE_RAW.
const rawIP = 101

var _ port.Sleeper = (*tap)(nil)

// tap is the port, of either kind.
type tap struct {
	port.Base
	port.Finisher
	port.Slumber
	config *config
	device *device
	queues []*fd.FD
	// readable becomes so when any of the queues does. If there is one alone, it is that one.
	readable *fd.FD

	// What was seen of the device at the last look, which one goroutine at a time takes.
	looking   sync.Mutex
	mtu       atomic.Int64
	overflows atomic.Uint64 // frames that the kernel had no room for

	// Rx's and WaitRx's.
	landing port.Landing
	first   int // the queue that is read first
	in      scratch

	// Tx's and WaitTx's.
	out     scratch
	headers packet.Headers
	full    *fd.FD // the queue that takes no more, or nil
	asked   time.Time
}

func open(c *config, o port.Options) (*tap, error) {
	if o.Pool == nil {
		return nil, c.spec.Errorf("%w", port.ErrNoPool)
	}
	d, err := openDevice(c)
	if err != nil {
		return nil, err
	}
	p := &tap{config: c, device: d}
	if err := p.poll(); err != nil {
		return nil, errors.Join(c.errorf("%w", err), p.release())
	}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, d.offloads, p.send)
	p.Slumber.Init(&p.Base, p.readable, func() bool { return p.landing.Ready(1) > 0 }, p.landing.Wait)
	p.landing.Init(&p.Base)
	p.look()
	return p, nil
}

// poll puts the queues into the netpoller. It is late for that on purpose: before it has a device, a descriptor says
// that it is ready for ever.
func (p *tap) poll() error {
	for len(p.device.queues) > 0 {
		num := p.device.queues[0]
		p.device.queues = p.device.queues[1:]
		q, err := fd.New(num, p.device.name)
		if err != nil {
			return err
		}
		p.queues = append(p.queues, q)
	}
	if len(p.queues) == 1 {
		p.readable = p.queues[0]
		return nil
	}
	num, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for i, q := range p.queues {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(num, unix.EPOLL_CTL_ADD, q.Num(), &event); err != nil {
			return errors.Join(fmt.Errorf("epoll: %w", err), unix.Close(num))
		}
	}
	p.readable, err = fd.New(num, p.device.name)
	return err
}

// release closes all descriptors.
func (p *tap) release() error {
	var errs []error
	for _, num := range p.device.queues {
		errs = append(errs, unix.Close(num))
	}
	if p.readable != nil && len(p.queues) > 1 {
		errs = append(errs, p.readable.Close())
	}
	for _, q := range p.queues {
		errs = append(errs, q.Close())
	}
	return errors.Join(append(errs, p.device.rtnl.close())...)
}

// look looks at what may have changed of the device. If it is gone, or in another namespace, what was seen last stays.
func (p *tap) look() {
	p.looking.Lock()
	defer p.looking.Unlock()
	if l, err := p.device.rtnl.get(p.device.index); err == nil {
		p.mtu.Store(int64(l.mtu))
		p.overflows.Store(l.dropped - p.device.dropped)
	}
}

// Stats returns the port's counters, and as ring_full what the kernel has dropped since the device was opened, because its own
// queue for Rx was full.
func (p *tap) Stats() stats.Snapshot {
	if p.Enter() {
		p.look()
		p.Leave()
	}
	s := p.Base.Stats()
	s.RxDrops[stats.ReasonRingFull] += p.overflows.Load()
	return s
}

// Info describes the port and the device as it is now.
func (p *tap) Info() port.Info {
	if p.Enter() {
		p.look()
		p.Leave()
	}
	c, d := p.config, p.device
	i := port.Info{
		Name:     c.spec.Name,
		Kind:     c.spec.Kind,
		Live:     true,
		LinkType: port.LinkTypeEthernet,
		MTU:      int(p.mtu.Load()) + c.header(),
		Offloads: d.offloads,
		Mode:     d.mode(c),
		Warnings: d.warnings,
	}
	if c.tun {
		i.LinkType = rawIP
	}
	if d.name != c.device && !c.spec.Has("name") {
		i.Name = c.spec.Kind + ":" + d.name
	}
	return i
}

// Close ends the port, and the device if it is nobody else's and does not persist.
func (p *tap) Close() error {
	return p.Shut(func() {
		p.readable.Wake()
		for _, q := range p.queues {
			q.Wake()
		}
	}, func() error {
		p.look()
		p.landing.Close()
		return p.release()
	})
}

// closing reports whether Close has been called.
func (p *tap) closing() bool {
	select {
	case <-p.Shutting():
		return true
	default:
		return false
	}
}

// failed makes an error of one that concerns the device, and no frame.
func (p *tap) failed(errno unix.Errno) error {
	if errno == unix.EBADFD || errno == unix.ENODEV {
		return p.config.errorf("%s: %w", p.device.name, ErrDeleted)
	}
	return p.config.errorf("%s: %w", p.device.name, errno)
}
