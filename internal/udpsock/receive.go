//go:build unix

// Receiver: datagrams become frames.

package udpsock

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// Receiver receives datagrams into buffers. With UDP_GRO the kernel hands over runs as one: all of a run lies in one
// buffer, mostly one of Options.Large, and each datagram is a part of it with an owner of its own, so that none is copied.
//
// It is for whoever calls Rx.
type Receiver struct {
	base    *port.Base
	socket  *Socket
	landing port.Landing
	batch   *mmsg.Batch
	runs    bool  // they have been asked for
	noRuns  error // why there are none all the same

	// got messages have been received, and message next is the next to be handed on.
	got, next int
	// rest is what is left of message next-1, a run of datagrams of size bytes, or the zero Buffer.
	rest pool.Buffer
	size int

	// from is the number of the message that each of the last datagrams is from.
	from [Burst]uint8
}

// Init prepares r for a port that is b's and receives from socket. With names, From tells who has sent. With runs, the
// kernel is asked for those; the error says why it has none, or why they are of no use, and then there are none.
func (r *Receiver) Init(b *port.Base, socket *Socket, names, runs bool) (err error) {
	r.base, r.socket, r.runs = b, socket, runs
	r.landing.Init(b)
	space := 0
	if runs {
		if b.Options.Large == nil {
			err = errors.New("there is no pool for them")
		} else {
			err = gather(socket.Num())
		}
		if err == nil {
			space = gatherSpace
		}
	}
	r.batch = mmsg.New(Burst, 2, space, names)
	r.noRuns = err
	return err
}

// Mode says how datagrams are received. Any goroutine may call it.
func (r *Receiver) Mode() string {
	switch {
	case r.noRuns != nil:
		return fmt.Sprintf("received one by one (no UDP_GRO: %v)", r.noRuns)
	case r.runs:
		return "received as one too (UDP_GRO)"
	}
	return "received one by one"
}

// Receive receives datagrams into bufs, Burst at most, and returns how many. They are not counted yet; those that didn't fit into a
// buffer are counted as dropped. The error is the port's end.
func (r *Receiver) Receive(bufs []pool.Buffer) (n int, err error) {
	bufs = bufs[:min(len(bufs), Burst)]
	for n < len(bufs) {
		if !r.rest.IsZero() {
			n = r.split(bufs, n)
			continue
		}
		if r.next == r.got {
			if n > 0 {
				break
			}
			if err := r.fetch(len(bufs)); r.got == 0 {
				return 0, err
			}
		}
		n = r.take(bufs, n)
	}
	return n, nil
}

// fetch receives up to n messages.
func (r *Receiver) fetch(n int) error {
	r.got, r.next = 0, 0
	places := r.landing.Ready(n)
	for i := range places {
		first, rest := r.landing.Place(i)
		r.batch.Set(i, 0, first)
		if len(rest) > 0 {
			r.batch.Set(i, 1, rest)
		}
	}
	for range 8 { // each error of ICMP is told once
		got, err := r.batch.Recv(r.socket.Num(), places)
		switch {
		case err == nil:
			r.got = got
			return nil
		case mmsg.WouldBlock(err):
			return nil
		case errors.Is(err, unix.EBADF), errors.Is(err, unix.ENOTSOCK), errors.Is(err, unix.EFAULT), errors.Is(err, unix.EINVAL):
			return fmt.Errorf("receiving: %w", err)
		}
		r.base.RxShard.ErrorRx(1)
		r.base.RxShard.Publish()
	}
	return nil
}

// take hands on the next message as datagram n, or its first part if it is a run.
func (r *Receiver) take(bufs []pool.Buffer, n int) int {
	i := r.next
	r.next++
	if r.batch.Truncated(i) {
		r.Drop(stats.ReasonTruncated)
		return n
	}
	bytes := r.batch.Bytes(i)
	b, ok := r.landing.Take(i, bytes)
	if !ok {
		r.Drop(stats.ReasonTruncated)
		return n
	}
	if size := segmentOf(r.batch.Control(i)); size > 0 && size < bytes {
		r.rest, r.size = b, size
		return r.split(bufs, n)
	}
	bufs[n], r.from[n] = b, uint8(i)
	return n + 1
}

// split hands on parts of the run, from datagram n on, as many as there is room for.
func (r *Receiver) split(bufs []pool.Buffer, n int) int {
	left := (r.rest.Len() + r.size - 1) / r.size
	parts := min(left, len(bufs)-n)
	if parts < left {
		r.rest.Retain(parts)
	} else {
		r.rest.Retain(parts - 1)
	}
	for range parts {
		b := r.rest
		if b.Len() > r.size {
			_ = b.TrimBack(b.Len() - r.size)
		}
		bufs[n], r.from[n] = b, uint8(r.next-1)
		n++
		_ = r.rest.TrimFront(b.Len())
	}
	if parts == left {
		r.rest = pool.Buffer{}
	}
	return n
}

// From returns the host that sent datagram i of those that Receive returned last.
func (r *Receiver) From(i int) Host { return hostOf(r.batch.Name(int(r.from[i]))) }

// Drop counts a datagram as dropped on the way in.
func (r *Receiver) Drop(why stats.Reason) { r.base.RxShard.DropRx(why, 1) }

// left reports whether something has been received and not been handed on.
func (r *Receiver) left() bool { return r.next < r.got || !r.rest.IsZero() }

// Sleepy reports whether only the socket can bring Receive something to do: what port.Slumber wants to know.
func (r *Receiver) Sleepy() bool { return !r.left() && r.landing.Ready(1) > 0 }

// Wait sleeps, if Receiver is not Sleepy, until it has something to do. The error is that of WaitRx, except that it doesn't know of
// the port's end.
func (r *Receiver) Wait(ctx context.Context) error {
	if r.left() {
		return ctx.Err()
	}
	return r.landing.Wait(ctx)
}

// Close gives the buffers back.
func (r *Receiver) Close() {
	if !r.rest.IsZero() {
		r.rest.Release()
		r.rest = pool.Buffer{}
	}
	if r.base != nil {
		r.landing.Close()
	}
}
