// The port: one end.

package mem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// ErrTaken says that a name has two ends already.
var ErrTaken = errors.New("both ends are open")

// Pair opens two ends that are joined: one with oa and a, one with ob and b. The error
// wraps ErrConfig and names the field, or is port.ErrNoPool.
func Pair(oa, ob port.Options, a, b Config) (port.Port, port.Port, error) {
	one, err := newEnd(oa, a)
	if err != nil {
		return nil, nil, err
	}
	two, err := newEnd(ob, b)
	if err != nil {
		_ = one.Close()
		return nil, nil, err
	}
	join(one, two)
	return one, two, nil
}

// names has the ends that have a name and no peer yet, and, as nil, names that have two.
var names = struct {
	sync.Mutex
	m map[string]*name
}{m: map[string]*name{}}

// name is what a name stands for, from the first Open to the last Close. Guarded by names.
type name struct {
	first *end // without a peer; nil once there is one
	open  int  // ends that are open
}

// Open opens an end: the first one of that name, or the one that joins it. The error is
// ErrTaken if both are there, or like that of Pair.
func Open(target string, o port.Options, c Config) (port.Port, error) {
	names.Lock()
	defer names.Unlock()
	n := names.m[target]
	if n != nil && n.first == nil {
		return nil, fmt.Errorf("mem:%s: %w", target, ErrTaken)
	}
	if c.Name == "" {
		c.Name = "mem:" + target
	}
	e, err := newEnd(o, c)
	if err != nil {
		return nil, err
	}
	e.target = target
	if n == nil {
		names.m[target] = &name{first: e, open: 1}
		return e, nil
	}
	join(n.first, e)
	n.first = nil
	n.open = 2
	return e, nil
}

// release gives up e's share in its name. A first end that had no peer will have none after that.
func (e *end) release() {
	if e.target == "" {
		return
	}
	names.Lock()
	defer names.Unlock()
	n := names.m[e.target]
	if n.open--; n.open == 0 {
		delete(names.m, e.target)
	}
}

// join makes two ends peers.
func join(a, b *end) {
	a.in.Store(b.out)
	b.in.Store(a.out)
	close(a.joined)
	close(b.joined)
}

// end is the port.
type end struct {
	port.Base
	config Config
	target string // the name by which it was opened, if any
	once   sync.Once

	out    *wire
	in     atomic.Pointer[wire] // nil until there is a peer
	joined chan struct{}        // closed when there is

	// Rx's and WaitRx's.
	rx      uint64 // frames received
	rxFails bool   // Rx is still to fail
	timer   *time.Timer

	// Tx's and WaitTx's.
	tx      uint64 // frames taken
	txFails bool
	// pass is how many frames pass before one is lost.
	pass   uint64
	random *rand.Rand
}

func newEnd(o port.Options, c Config) (*end, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	e := &end{config: c, joined: make(chan struct{}), rxFails: c.RxErrAt > 0, txFails: c.TxErrAt > 0}
	if e.out, err = newWire(&c); err != nil {
		return nil, err
	}
	e.random = rand.New(rand.NewPCG(c.Seed, 0))
	e.pass = e.nextLoss()
	e.Init(o)
	return e, nil
}

// nextLoss draws how many frames pass before one is lost: one number a loss instead of one a
// frame, and the same ones are lost whatever the bursts.
func (e *end) nextLoss() uint64 {
	switch p := e.config.Loss; {
	case p == 0:
		return math.MaxUint64
	case p == 1:
		return 0
	default: // geometric: P(n or more pass) = (1-p)^n
		n := math.Log(1-e.random.Float64()) / math.Log1p(-p)
		return uint64(min(n, 1<<62))
	}
}

// Rx receives what the other end has sent.
func (e *end) Rx(bufs []pool.Buffer) (int, error) {
	if !e.Enter() {
		return 0, port.ErrClosed
	}
	n, err := e.receive(bufs)
	e.Leave()
	return n, err
}

func (e *end) receive(bufs []pool.Buffer) (int, error) {
	if e.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	if e.rxFails {
		before := e.config.RxErrAt - 1 - e.rx
		if before == 0 {
			e.rxFails = false
			e.RxShard.ErrorRx(1)
			e.RxShard.Publish()
			return 0, e.config.RxErr
		}
		bufs = bufs[:min(uint64(len(bufs)), before)]
	}
	w := e.in.Load()
	if w == nil {
		return 0, nil
	}
	n := w.pop(bufs)
	if n == 0 {
		// In this order: what was pushed before the end is seen by who sees the end.
		if w.overFlag.Load() && w.out.Len() == 0 {
			return 0, io.EOF
		}
		return 0, nil
	}
	e.rx += uint64(n)
	e.Received(bufs[:n])
	return n, nil
}

// Tx sends to the other end.
func (e *end) Tx(bufs []pool.Buffer) (int, error) {
	if !e.Enter() {
		return 0, port.ErrClosed
	}
	n, err := e.send(bufs)
	e.Leave()
	return n, err
}

func (e *end) send(bufs []pool.Buffer) (int, error) {
	if e.Options.Direction&port.Out == 0 {
		return 0, port.ErrDirection
	}
	if e.txFails {
		before := e.config.TxErrAt - 1 - e.tx
		if before == 0 {
			e.txFails = false
			e.TxShard.ErrorTx(1)
			e.TxShard.Publish()
			return 0, e.config.TxErr
		}
		bufs = bufs[:min(uint64(len(bufs)), before)]
	}
	peer := e.in.Load()
	if peer == nil || len(bufs) == 0 {
		return 0, nil
	}
	n := 0
	for n < len(bufs) {
		// A run of frames that go the same way.
		run, drop, reason := e.run(bufs[n:])
		if drop {
			e.Dropped(reason, bufs[n:n+run])
			n += run
			continue
		}
		pushed, left := e.push(bufs[n : n+run])
		n += pushed
		if pushed < run {
			if left {
				e.Dropped(stats.ReasonLinkDown, bufs[n:])
				n = len(bufs)
			}
			break
		}
	}
	e.tx += uint64(n)
	return n, nil
}

// run returns how many of bufs, one at least, have the same fate: to be dropped for a reason, or
// to be sent.
func (e *end) run(bufs []pool.Buffer) (n int, drop bool, r stats.Reason) {
	if bufs[0].Len() > e.config.MTU {
		return 1, true, stats.ReasonTooLong
	}
	if e.pass == 0 {
		e.pass = e.nextLoss()
		return 1, true, stats.ReasonLoss
	}
	most := len(bufs)
	if uint64(most) > e.pass {
		most = int(e.pass)
	}
	if e.config.MTU == pool.MaxFrame {
		return most, false, 0
	}
	n = 1
	for n < most && bufs[n].Len() <= e.config.MTU {
		n++
	}
	return n, false, 0
}

// push sends bufs and returns how many there was room for. If there is nobody any more to
// receive them, now or ever, down is true.
func (e *end) push(bufs []pool.Buffer) (n int, down bool) {
	n = e.out.push(bufs)
	e.pass -= uint64(n)
	return n, e.pushed(bufs[:n])
}

// pushed counts bufs, which have just been pushed, as sent, or as dropped if nobody will take them out.
func (e *end) pushed(bufs []pool.Buffer) (down bool) {
	sent := len(bufs)
	if e.out.out.Closed() {
		select {
		case <-e.Shutting(): // by us, in the middle of this call; the other end may go on
		default:
			down = true
		}
		e.out.mu.Lock()
		if e.out.left { // what we have pushed since then is ours again
			e.out.sweep(func(back []pool.Buffer) {
				sent -= len(back)
				e.Dropped(stats.ReasonLinkDown, back)
			})
		}
		e.out.mu.Unlock()
	}
	if sent > 0 {
		bytes := 0
		for _, b := range bufs[:sent] {
			bytes += b.Len()
		}
		e.TxShard.Tx(uint64(sent), uint64(bytes))
		e.TxShard.Publish()
	}
	return down
}

// WaitRx sleeps until a frame has arrived, or none will any more.
func (e *end) WaitRx(ctx context.Context) error {
	if !e.Enter() {
		return port.ErrClosed
	}
	defer e.Leave()
	if e.Options.Direction&port.In == 0 || e.rxFails && e.rx+1 == e.config.RxErrAt {
		return nil // Rx has an error to return
	}
	if err := e.await(ctx, e.joined); err != nil {
		return err
	}
	w := e.in.Load()
	_, _, err := w.out.PeekWait(ctx, 1)
	if errors.Is(err, ring.ErrClosed) {
		return e.await(ctx, w.over) // by one of us; if by the other, frames may come yet
	}
	if err != nil {
		return err
	}
	for wait := w.wait(); wait > 0; wait = w.wait() {
		if err := e.sleep(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// WaitTx sleeps until there is room, or Tx drops what it gets.
func (e *end) WaitTx(ctx context.Context) error {
	if !e.Enter() {
		return port.ErrClosed
	}
	defer e.Leave()
	if e.Options.Direction&port.Out == 0 || e.txFails && e.tx+1 == e.config.TxErrAt {
		return nil
	}
	if err := e.await(ctx, e.joined); err != nil {
		return err
	}
	_, _, err := e.out.in.ReserveWait(ctx, 1)
	if errors.Is(err, ring.ErrClosed) {
		select {
		case <-e.Shutting():
			return port.ErrClosed
		default:
			return nil
		}
	}
	return err
}

// await sleeps until c is closed.
func (e *end) await(ctx context.Context, c <-chan struct{}) error {
	select { // without looking at ctx, and quicker
	case <-c:
		return nil
	default:
	}
	select {
	case <-c:
		return nil
	case <-e.Shutting():
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sleep sleeps for d.
func (e *end) sleep(ctx context.Context, d time.Duration) error {
	if e.timer == nil {
		e.timer = time.NewTimer(d)
	} else {
		e.timer.Reset(d)
	}
	defer e.timer.Stop()
	select {
	case <-e.timer.C:
		return nil
	case <-e.Shutting():
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Info describes the end.
func (e *end) Info() port.Info {
	i := port.Info{
		Name:        e.config.Name,
		Kind:        "mem",
		Live:        e.config.Live,
		AnyLinkType: true,
		Offloads:    port.AllOffloads,
		MTU:         e.config.MTU,
		Mode:        "by handle, without a copy",
	}
	select {
	case <-e.joined:
	default:
		i.Mode = "waits for the other end"
	}
	return i
}

// Close closes this end.
func (e *end) Close() error {
	e.once.Do(e.release) // there is a peer now, or there will never be one
	return e.Shut(e.wake, e.last)
}

func (e *end) wake() {
	e.out.cut()
	if w := e.in.Load(); w != nil {
		w.cut()
	}
}

// last runs when nobody is inside any more.
func (e *end) last() error {
	e.out.overFlag.Store(true)
	close(e.out.over)
	if w := e.in.Load(); w != nil {
		w.mu.Lock()
		w.sweep(func(bufs []pool.Buffer) {
			e.RxShard.DropRx(stats.ReasonClosed, uint64(len(bufs)))
			e.Free(bufs)
		})
		w.left = true
		w.mu.Unlock()
	}
	return nil
}
