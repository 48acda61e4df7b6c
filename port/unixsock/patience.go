//go:build unix

// patience: what to do about a socket that is full.

package unixsock

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// patience is how long a socket may be full before frames are dropped, and how long it has been. It belongs to whoever
// sends.
type patience struct {
	bound time.Duration
	since time.Time // when it was found full; zero if it is not
	tries int       // how often in a row
	over  bool      // for longer than the bound
	timer *time.Timer
}

// isFull returns the reason for which frames are dropped if the socket stays full, which is what err says, if ok.
func isFull(err error) (r stats.Reason, ok bool) {
	switch {
	case errors.Is(err, unix.EAGAIN):
		return stats.ReasonWouldBlock, true
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
		return stats.ReasonNoSpace, true
	}
	return 0, false
}

// full notes that the socket is full, and reports whether it has been for so long that frames are to be dropped.
func (p *patience) full() (drop bool) {
	now := time.Now()
	if p.since.IsZero() {
		p.since = now
	}
	p.tries++
	p.over = now.Sub(p.since) >= p.bound
	return p.over
}

// room notes that it is not.
func (p *patience) room() {
	p.since, p.tries, p.over = time.Time{}, 0, false
}

// longestNap is how long is waited at a time where the system can't tell of room.
const longestNap = time.Millisecond

// wait sleeps until there may be room in a socket of b's, but no longer than until frames are dropped. f is what to wait by, nil if there is
// nothing.
func (p *patience) wait(ctx context.Context, b *port.Base, f *fd.FD) error {
	if p.since.IsZero() || p.over {
		return nil
	}
	end := p.since.Add(p.bound)
	var err error
	if f != nil && !f.Writable() {
		err = f.WaitWriteUntil(ctx, end)
	} else if f == nil || p.tries > 1 {
		// The system calls it writable, and takes nothing: what is full isn't this socket but the other end's, to which
		// it isn't connected, or something that ENOBUFS is about.
		err = p.nap(ctx, b, min(longestNap>>max(0, 6-p.tries), time.Until(end)))
	}
	return b.Awake(err)
}

func (p *patience) nap(ctx context.Context, b *port.Base, d time.Duration) error {
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	defer p.timer.Stop()
	select {
	case <-p.timer.C:
		return nil
	case <-b.Shutting():
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
