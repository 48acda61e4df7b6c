// Landing: buffers that lie ready for frames that are about to come.

package port

import (
	"context"

	"github.com/ringway-net/ringway/pool"
)

// LandingPlaces is how many frames a Landing has room for at a time.
const LandingPlaces = 64

// Landing is where a port lets the system write frames of unknown length: at each place lie a buffer of
// Options.Pool and, behind it, one of Options.Large, if there is such a pool. A frame that fits into the first stays there, and
// the large one lies ready for the next; a longer one ends up in the large one, whole, for the price of copying its beginning.
//
// It is for whoever calls Rx.
type Landing struct {
	base         *Base
	small, large [LandingPlaces]pool.Buffer
	ready        int // places 0 to ready-1 have their buffers
}

// Init prepares l for a port that is b's.
func (l *Landing) Init(b *Base) { l.base = b }

// Ready makes places ready, up to n and LandingPlaces, and returns how many are: fewer, or none, if
// a pool is exhausted.
func (l *Landing) Ready(n int) int {
	n = min(n, LandingPlaces)
	for l.ready < n && l.furnish(l.ready) {
		l.ready++
	}
	return min(n, l.ready)
}

// furnish gives place i the buffers that it lacks, and reports whether it has them.
func (l *Landing) furnish(i int) bool {
	if l.small[i].IsZero() {
		b, err := l.base.RxCache.Get()
		if err != nil {
			return false
		}
		l.small[i] = b
		_, _ = l.small[i].AppendUnzeroed(b.Tailroom())
	}
	if large := l.base.Options.Large; large != nil && l.large[i].IsZero() {
		b, err := large.Get()
		if err != nil {
			return false
		}
		l.large[i] = b
		_, _ = l.large[i].AppendUnzeroed(b.Tailroom())
	}
	return true
}

// Place returns the memory of place i, which is ready: a frame goes into first, and what of it doesn't fit into rest, which
// is empty if there is no large pool.
func (l *Landing) Place(i int) (first, rest []byte) {
	first = l.small[i].Bytes()
	if !l.large[i].IsZero() {
		if all := l.large[i].Bytes(); len(all) > len(first) {
			rest = all[len(first):]
		}
	}
	return first, rest
}

// Take returns the frame of n bytes that was written into place i. The caller owns it. It is false if the
// place has not so much room: then nothing is taken.
func (l *Landing) Take(i, n int) (b pool.Buffer, ok bool) {
	b = l.small[i]
	switch {
	case n <= b.Len():
		_ = b.TrimBack(b.Len() - n)
		l.small[i] = pool.Buffer{}
		l.ready = min(l.ready, i)
		return b, true
	case l.large[i].IsZero() || n > l.large[i].Len():
		return pool.Buffer{}, false
	}
	copy(l.large[i].Bytes(), b.Bytes())
	b = l.large[i]
	_ = b.TrimBack(b.Len() - n)
	l.large[i] = pool.Buffer{}
	l.ready = min(l.ready, i)
	return b, true
}

// Wait sleeps until a place can be made ready, which is to be called when Ready has returned 0.
func (l *Landing) Wait(ctx context.Context) error {
	for _, want := range []struct {
		p    *pool.Pool
		have *pool.Buffer
	}{{l.base.Options.Pool, &l.small[0]}, {l.base.Options.Large, &l.large[0]}} {
		if want.p == nil || !want.have.IsZero() {
			continue
		}
		b, err := l.base.GetContext(ctx, want.p)
		if err != nil {
			return err
		}
		_, _ = b.AppendUnzeroed(b.Tailroom())
		*want.have = b
	}
	return nil
}

// Close gives the buffers back.
func (l *Landing) Close() {
	for i := range l.small {
		for _, b := range []pool.Buffer{l.small[i], l.large[i]} {
			if !b.IsZero() {
				b.Release()
			}
		}
	}
	*l = Landing{base: l.base}
}
