//go:build linux

// A queue: its socket and rings, made and ended.

package afxdp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// queue is one queue of the interface.
type queue struct {
	id     int
	socket int
	from   registration
	shared bool // the registration was another's
	polls  bool // the kernel polls the device in calls

	// Rx's: lent is how many buffers the kernel has to receive into, of which share are its due.
	rx   ring[unix.XDPDesc]
	fill ring[uint64]
	lent int
	due  int

	// Tx's: out is how many places of tx were published and not completed, staged how many are about to be.
	tx         ring[unix.XDPDesc]
	completion ring[uint64]
	out        int
	staged     int
	written    int // of those, how many are in their places
	refused    int // of those that are out, how many the device has dropped
}

const (
	bindPatience = 2 * time.Second // for a queue that the kernel has not let go of
	unused       = 64              // places of a ring that has to be there
	spare        = 64              // buffers beyond those for a full receive ring
)

// openQueue opens a socket for a queue. A queue that is busy, as it is for a moment after a close, is tried again.
func openQueue(d device, id int, from registration, c Config, dir port.Direction) (q *queue, err error) {
	pause := time.Millisecond
	for end := time.Now().Add(bindPatience); ; pause *= 2 {
		q = &queue{id: id, from: from}
		if err = q.open(d, c, dir); err == nil {
			return q, nil
		}
		if !errors.Is(err, unix.EBUSY) {
			return nil, err
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("%w for %v: another socket has the queue", err, bindPatience)
		}
		time.Sleep(pause)
	}
}

func (q *queue) open(d device, c Config, dir port.Direction) (err error) {
	q.socket, err = unix.Socket(unix.AF_XDP, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("opening an AF_XDP socket: %w", err)
	}
	if err = q.prepare(c, dir); err == nil {
		q.shared, err = q.from.bind(q.socket, d, q.id)
	}
	if err != nil {
		return errors.Join(err, unix.Close(q.socket), q.unmap())
	}
	return nil
}

// prepare makes the rings and sets what has to be set before the bind.
func (q *queue) prepare(c Config, dir port.Direction) error {
	rx, tx := c.RingSize, c.RingSize
	if dir&port.In == 0 {
		rx = 0
	}
	if dir&port.Out == 0 {
		tx = 0
	}
	sizes := map[int]int{unix.XDP_RX_RING: rx, unix.XDP_UMEM_FILL_RING: max(2*rx, unused), unix.XDP_TX_RING: tx, unix.XDP_UMEM_COMPLETION_RING: max(tx, unused)}
	for option, size := range sizes {
		if size > 0 {
			if err := unix.SetsockoptInt(q.socket, unix.SOL_XDP, option, size); err != nil {
				return fmt.Errorf("making a ring of %d places: %w", size, err)
			}
		}
	}
	if err := q.mapRings(sizes); err != nil {
		return err
	}
	if tx > 0 { // frames a system call, since Linux 6.18; 32 before
		_ = unix.SetsockoptInt(q.socket, unix.SOL_XDP, unix.XDP_MAX_TX_SKB_BUDGET, min(tx, 128))
	}
	if q.polls = c.BusyPoll > 0; q.polls {
		for option, value := range map[int]int{unix.SO_PREFER_BUSY_POLL: 1, unix.SO_BUSY_POLL: int(c.BusyPoll.Microseconds()), unix.SO_BUSY_POLL_BUDGET: 64} {
			if err := unix.SetsockoptInt(q.socket, unix.SOL_SOCKET, option, value); err != nil {
				return fmt.Errorf("setting busy polling, which needs Linux 5.11: %w", err)
			}
		}
	}
	return nil
}

func (q *queue) mapRings(sizes map[int]int) error {
	offsets, err := mmapOffsets(q.socket)
	if err != nil {
		return err
	}
	if q.fill, err = mapRing[uint64](q.socket, unix.XDP_UMEM_PGOFF_FILL_RING, offsets.Fr, sizes[unix.XDP_UMEM_FILL_RING], true); err != nil {
		return err
	}
	if q.completion, err = mapRing[uint64](q.socket, unix.XDP_UMEM_PGOFF_COMPLETION_RING, offsets.Cr, sizes[unix.XDP_UMEM_COMPLETION_RING], false); err != nil {
		return err
	}
	if n := sizes[unix.XDP_RX_RING]; n > 0 {
		if q.rx, err = mapRing[unix.XDPDesc](q.socket, unix.XDP_PGOFF_RX_RING, offsets.Rx, n, false); err != nil {
			return err
		}
	}
	if n := sizes[unix.XDP_TX_RING]; n > 0 {
		q.tx, err = mapRing[unix.XDPDesc](q.socket, unix.XDP_PGOFF_TX_RING, offsets.Tx, n, true)
	}
	return err
}

func (q *queue) unmap() error {
	return errors.Join(q.fill.unmap(), q.completion.unmap(), q.rx.unmap(), q.tx.unmap())
}

// close closes the socket, after which the kernel touches neither rings nor buffers any more, except by
// zero-copy: see released.
func (q *queue) close() error { return errors.Join(q.from.close(q.socket), q.unmap()) }

// released waits until the kernel has let go of a queue that was closed, which it does in its own time: until then a
// device that receives without a copy may write to the buffers that it had. A probe can be bound to
// the queue once it has.
func (q *queue) released(d device) error {
	ctx, cancel := context.WithTimeout(context.Background(), bindPatience)
	defer cancel()
	for pause := time.Millisecond; ; pause *= 2 {
		err := probe(d, q.id)
		if !errors.Is(err, unix.EBUSY) {
			return nil // free, or the device is gone
		}
		if ctx.Err() != nil {
			return fmt.Errorf("queue %d of %s is still in the kernel's hands %v after it was closed", q.id, d.name, bindPatience)
		}
		time.Sleep(pause)
	}
}

// wake tells the kernel that there is something to send. The error is an unix.Errno.
//
// Raw: it takes some tens of microseconds at most, in which no other goroutine needs this one's processor, and telling Go's scheduler
// of a call, twice, is a tenth of the time of a small burst. But where the kernel polls the device in it, it can be long.
func (q *queue) wake() error {
	call := unix.RawSyscall6
	if q.polls {
		call = unix.Syscall6
	}
	if _, _, errno := call(unix.SYS_SENDTO, uintptr(q.socket), 0, 0, unix.MSG_DONTWAIT, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// poll tells the kernel that there are buffers to receive into, lets it look for frames if it polls, and asks how
// the socket is. The error is an unix.Errno: ENETDOWN if the interface is down, ENXIO if it is gone.
func (q *queue) poll() error {
	if _, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(q.socket), 0, 0, unix.MSG_DONTWAIT, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
