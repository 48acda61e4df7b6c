// Base: what every kind of port needs and none should write again.

package port

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// Base has the parts that all kinds of ports share: counters, a Cache for each direction,
// and closing while others are inside. A kind embeds it, calls Init first, brackets
// each of its calls with Enter and Leave, and closes through Shut.
type Base struct {
	// Options is what the port was opened with, its defaults filled in.
	Options Options
	// RxCache and RxShard are for whoever calls Rx.
	RxCache *pool.Cache
	RxShard *stats.Shard
	// TxCache and TxShard are for whoever calls Tx.
	TxCache *pool.Cache
	TxShard *stats.Shard

	counters *stats.Counters
	open     context.Context // done when the port is shut
	shut     context.CancelFunc
	finisher *Finisher // or nil

	// inside is the number of calls inside, and shutBit once the port is being closed. Whoever
	// makes it shutBit alone is the last one, and calls last.
	inside   atomic.Int64
	shutOnce sync.Once
	lastOnce sync.Once
	last     func() error
	lastErr  error
}

const shutBit = 1 << 62

// Init prepares the base for a port opened with o, which has a Pool.
func (b *Base) Init(o Options) { b.init(o, stats.New()) }

// InitPart prepares the base for a port that whole, another port, uses and shows as a part of itself: it has whole's
// options, and all that it counts is counted as whole's too, Stats of both being the same.
func (b *Base) InitPart(whole *Base) { b.init(whole.Options, whole.counters) }

// NewShard returns a shard beside RxShard and TxShard, for a goroutine that neither calls Rx nor Tx. It is for that goroutine to
// close.
func (b *Base) NewShard() *stats.Shard { return b.counters.NewShard() }

func (b *Base) init(o Options, counters *stats.Counters) {
	b.Options = o.withDefaults()
	b.counters = counters
	b.RxShard, b.TxShard = b.counters.NewShard(), b.counters.NewShard()
	b.RxCache, b.TxCache = o.Pool.NewCache(), o.Pool.NewCache()
	b.open, b.shut = context.WithCancel(context.Background())
}

// Enter begins a call. If it returns false the port is closed, and the call returns
// ErrClosed; otherwise it must Leave.
func (b *Base) Enter() bool {
	if b.inside.Add(1)&shutBit != 0 {
		b.Leave()
		return false
	}
	return true
}

// Leave ends a call.
func (b *Base) Leave() {
	if b.inside.Add(-1) == shutBit {
		b.end()
	}
}

// Shut is Close for a port whose resources are given back by last: called once, when
// nobody is inside any more, be that at once or at the end of the last call. wake, which is called
// before that, makes calls that wait inside return; those that wait for Shutting need none.
// Either may be nil. Caches and shards are closed after last. It returns last's error if
// that was called at once.
func (b *Base) Shut(wake func(), last func() error) (err error) {
	b.shutOnce.Do(func() {
		b.last = last
		// Inside itself until wake has ended, so that nobody else calls last before that.
		before := b.inside.Add(shutBit+1) - (shutBit + 1)
		b.shut()
		if wake != nil {
			wake()
		}
		// If nobody was inside, there are now at most those whom Enter is turning away.
		if b.inside.Add(-1) == shutBit || before == 0 {
			err = b.end()
		}
	})
	return err
}

func (b *Base) end() error {
	b.lastOnce.Do(func() {
		if b.last != nil {
			b.lastErr = b.last()
		}
		if b.finisher != nil {
			b.finisher.forget()
		}
		b.RxCache.Close()
		b.TxCache.Close()
		b.RxShard.Close()
		b.TxShard.Close()
	})
	return b.lastErr
}

// Shutting returns a channel that is closed when the port is.
func (b *Base) Shutting() <-chan struct{} { return b.open.Done() }

// Stats returns the counters of both directions.
func (b *Base) Stats() stats.Snapshot { return b.counters.Snapshot() }

// Received counts bufs as received and publishes the receiving side's counters.
func (b *Base) Received(bufs []pool.Buffer) {
	count(b.RxShard.Rx, bufs)
	b.RxShard.Publish()
}

// Sent counts bufs as sent and gives them back.
func (b *Base) Sent(bufs []pool.Buffer) {
	count(b.TxShard.Tx, bufs)
	b.Free(bufs)
	b.TxShard.Publish()
}

// Dropped counts bufs as dropped on their way out, for reason r, and gives them back.
func (b *Base) Dropped(r stats.Reason, bufs []pool.Buffer) {
	b.TxShard.DropTx(r, uint64(len(bufs)))
	b.Free(bufs)
	b.TxShard.Publish()
}

func count(add func(packets, bytes uint64), bufs []pool.Buffer) {
	if len(bufs) == 0 {
		return
	}
	bytes := 0
	for _, buf := range bufs {
		bytes += buf.Len()
	}
	add(uint64(len(bufs)), uint64(bytes))
}

// Free gives bufs back through the sender's cache, those of other pools to where
// they are from. It is for whoever calls Tx.
func (b *Base) Free(bufs []pool.Buffer) {
	for len(bufs) > 0 {
		own := b.TxCache.Owns(bufs[0])
		n := 1
		for n < len(bufs) && b.TxCache.Owns(bufs[n]) == own {
			n++
		}
		if own {
			b.TxCache.PutBurst(bufs[:n])
		} else {
			pool.ReleaseBurst(bufs[:n])
		}
		bufs = bufs[n:]
	}
}

// GetContext takes a buffer of p, for whose coming it waits, but no longer than the port is open: then the error is
// ErrClosed.
func (b *Base) GetContext(ctx context.Context, p *pool.Pool) (pool.Buffer, error) {
	either, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.open, cancel)()
	buf, err := p.GetContext(either)
	if err != nil && ctx.Err() == nil && either.Err() != nil {
		err = ErrClosed
	}
	return buf, err
}

// Awake returns the answer to a wait that has ended with err: ErrClosed if the port has been closed meanwhile.
func (b *Base) Awake(err error) error {
	select {
	case <-b.Shutting():
		return ErrClosed
	default:
		return err
	}
}

// Wait is the port's WaitRx or WaitTx: sleep, for a port that works in direction d; otherwise Rx or Tx has its error to return.
func (b *Base) Wait(ctx context.Context, d Direction, sleep func(context.Context) error) error {
	if !b.Enter() {
		return ErrClosed
	}
	defer b.Leave()
	if b.Options.Direction&d == 0 {
		return nil
	}
	return b.Awake(sleep(ctx))
}

// Sleep sleeps for d, or until the port is closed or ctx is done.
func (b *Base) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.open.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WaitShut sleeps until the port is closed or ctx is done: the wait of a port that never has
// anything.
func (b *Base) WaitShut(ctx context.Context) error {
	select {
	case <-b.open.Done():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
