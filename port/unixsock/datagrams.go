//go:build unix

// Datagrams in and out, in batches.

package unixsock

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// receiver receives datagrams into buffers. It belongs to one goroutine at a time.
type receiver struct {
	landing port.Landing
	batch   *mmsg.Batch
	set     [port.LandingPlaces]bool // of the batch's messages, which have their place's memory
}

// init prepares r for a port that is b's; named says whether it needs to know who has sent.
func (r *receiver) init(b *port.Base, named bool) {
	r.landing.Init(b)
	r.batch = mmsg.New(port.LandingPlaces, 2, 0, named)
}

// recv receives up to n datagrams, each of which is to be taken, and returns how many. None and no error: there is none now, or no
// buffer.
func (r *receiver) recv(f *fd.FD, n int) (int, error) {
	n = r.landing.Ready(n)
	for i := range n {
		if r.set[i] {
			continue
		}
		first, rest := r.landing.Place(i)
		r.batch.Set(i, 0, first)
		if len(rest) > 0 {
			r.batch.Set(i, 1, rest)
		}
		r.set[i] = true
	}
	got, err := r.batch.Recv(f.Num(), n)
	switch {
	case err == nil:
		return got, nil
	case mmsg.WouldBlock(err), gone(err): // by the latter the system tells that a peer has left, once
		return 0, nil
	}
	return 0, fmt.Errorf("receiving: %w", err)
}

// take returns datagram i; or false, and why it was dropped, which is counted in shard.
func (r *receiver) take(i int, shard *stats.Shard) (b pool.Buffer, ok bool) {
	n := r.batch.Bytes(i)
	switch {
	case r.batch.Truncated(i):
		shard.DropRx(stats.ReasonTruncated, 1)
		return b, false
	case n < MinFrame:
		shard.DropRx(stats.ReasonTooShort, 1)
		return b, false
	}
	r.set[i] = false
	return r.landing.Take(i, n)
}

// sender sends datagrams to one peer. It belongs to whoever calls Tx.
type sender struct {
	base  *port.Base
	fd    *fd.FD
	mtu   int
	batch *mmsg.Batch
	waiter
}

// init prepares s for b's socket f; to is where frames go, of n bytes, or nil if the socket is connected.
func (s *sender) init(b *port.Base, f *fd.FD, c *Config, to *unix.RawSockaddrAny, n int) {
	s.base, s.fd, s.mtu, s.Bound = b, f, c.MTU, c.Retry
	s.batch = mmsg.New(port.LandingPlaces, 1, 0, false)
	if to != nil {
		for i := range s.batch.Len() {
			s.batch.SetName(i, to, n)
		}
	}
}

// transmit sends bufs and returns how many it has taken: fewer if the socket is full, or if left, an error, says that the peer isn't there any
// more.
func (s *sender) transmit(bufs []pool.Buffer) (n int, left error) {
	for n < len(bufs) {
		k := 0
		var reason stats.Reason
		for fits := true; k < s.batch.Len() && n+k < len(bufs); k++ {
			if reason, fits = fit(bufs[n+k].Len(), s.mtu); !fits {
				break
			}
			s.batch.Set(k, 0, bufs[n+k].Bytes())
		}
		if k == 0 {
			s.base.Dropped(reason, bufs[n:n+1])
			n++
			continue
		}
		sent, err := s.batch.Send(s.fd.Num(), 0, k)
		s.base.Sent(bufs[n : n+sent])
		n += sent
		if err == nil {
			s.Room()
			continue
		}
		reason, full := isFull(err)
		switch {
		case full && s.Full():
			s.base.Dropped(reason, bufs[n:])
			return len(bufs), nil
		case full:
			return n, nil
		case gone(err):
			return n, err
		case errors.Is(err, unix.EMSGSIZE):
			s.base.Dropped(stats.ReasonTooLong, bufs[n:n+1])
		default:
			s.base.TxShard.ErrorTx(1)
			s.base.Dropped(stats.ReasonIOError, bufs[n:n+1])
		}
		n++
	}
	return n, nil
}

// fit reports whether a frame of n bytes can be sent, and for what reason it is dropped if not.
func fit(n, mtu int) (r stats.Reason, ok bool) {
	switch {
	case n < MinFrame:
		return stats.ReasonTooShort, false
	case n > mtu:
		return stats.ReasonTooLong, false
	}
	return 0, true
}

// gone reports whether err says that the peer isn't there any more. EPERM is about one that is another's by now.
func gone(err error) bool {
	for _, e := range []unix.Errno{unix.ECONNREFUSED, unix.ENOENT, unix.ENOTCONN, unix.ECONNRESET, unix.EPIPE, unix.EPERM, unix.ENOTDIR, unix.EPROTOTYPE, unix.EDESTADDRREQ} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
