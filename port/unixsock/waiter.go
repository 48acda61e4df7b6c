//go:build unix

// waiter: what to do about a socket that is full.

package unixsock

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/patience"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// waiter has patience with a socket that is full, until frames are dropped. It belongs to whoever sends.
type waiter struct {
	patience.Patience
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

// longestNap is how long is waited at a time where the system can't tell of room.
const longestNap = time.Millisecond

// wait sleeps until there may be room in a socket of b's, but no longer than until frames are dropped. f is what to wait by, nil if there is
// nothing.
func (w *waiter) wait(ctx context.Context, b *port.Base, f *fd.FD) error {
	end, ok := w.End()
	if !ok {
		return nil
	}
	var err error
	if f != nil && !f.Writable() {
		err = f.WaitWriteUntil(ctx, end)
	} else if f == nil || w.Tries() > 1 {
		// The system calls it writable, and takes nothing: what is full isn't this socket but the other end's, to which
		// it isn't connected, or something that ENOBUFS is about.
		err = w.nap(ctx, b, min(longestNap>>max(0, 6-w.Tries()), time.Until(end)))
	}
	return b.Awake(err)
}

func (w *waiter) nap(ctx context.Context, b *port.Base, d time.Duration) error {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	defer w.timer.Stop()
	select {
	case <-w.timer.C:
		return nil
	case <-b.Shutting():
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
