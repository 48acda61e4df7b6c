// The port: who gets which frames when.

package gen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// Open opens a generator of c. The error wraps ErrConfig and names the field if c is
// bad, or says what is wrong with o.
func Open(c Config, o port.Options) (port.Port, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	g := &generator{config: c, frames: newFrames(&c), room: o.Pool.BufferSize(), burst: true}
	for _, t := range g.templates {
		if len(t.frame) <= g.room {
			continue
		}
		g.burst = false
		if !hasHeap(o.Pool) {
			return nil, bad("Sizes", "has %d bytes, and buffers of pool %q have room for %d and none on the heap", len(t.frame), o.Pool.Name(), g.room)
		}
	}
	g.Init(o)
	g.closing, g.wake = context.WithCancel(context.Background())
	g.pace = newPace(c.Rate)
	return g, nil
}

// hasHeap reports whether p can have buffers on the heap.
func hasHeap(p *pool.Pool) bool {
	b, err := p.Wrap(nil)
	if err == nil {
		b.Release()
	}
	return err == nil || p.Stats().HeapInUse > 0 // all of them out: there are some
}

// generator is the port. The fields below Base are Rx's and WaitRx's alone, but for
// those that Open alone writes.
type generator struct {
	port.Base
	config Config
	room   int  // a frame that fits into a pool's buffer, in bytes
	burst  bool // all frames fit
	frames

	seq  uint64 // the next frame's number
	flow uint32 // and its flow: seq modulo flows
	// held is a buffer that WaitRx has waited for, for the next frame: empty, or its template.
	held  pool.Buffer
	pace  pace
	timer *time.Timer

	closing context.Context // done when the port is closed
	wake    context.CancelFunc
}

// Rx returns the frames that are due and for which there are buffers.
func (g *generator) Rx(bufs []pool.Buffer) (int, error) {
	if !g.Enter() {
		return 0, port.ErrClosed
	}
	n, err := g.rx(bufs)
	g.Leave()
	return n, err
}

func (g *generator) rx(bufs []pool.Buffer) (n int, err error) {
	if g.over() {
		return 0, io.EOF
	}
	if c := g.config.Count; c > 0 && c-g.seq < uint64(len(bufs)) {
		bufs = bufs[:c-g.seq]
	}
	if g.pace.on {
		bufs = bufs[:g.pace.due(g.pace.elapsed(), len(bufs), g.seq, &g.frames)]
	}
	if len(bufs) == 0 {
		return 0, nil
	}
	switch {
	case !g.held.IsZero():
		n, err = g.each(bufs)
	case g.burst:
		n = g.RxCache.GetBurst(bufs)
		g.fill(bufs[:n])
	default:
		n, err = g.each(bufs)
	}
	if n > 0 {
		g.pace.took(bufs[:n])
		g.Received(bufs[:n])
		return n, nil
	}
	if err == nil {
		var b pool.Buffer
		if b, err = g.RxCache.Get(); err == nil { // one came back just now
			g.held = b
			return 0, nil
		}
	}
	if errors.Is(err, pool.ErrExhausted) {
		return 0, nil
	}
	return 0, fmt.Errorf("gen: %w", err)
}

// over reports whether all frames are out.
func (g *generator) over() bool { return g.config.Count > 0 && g.seq == g.config.Count }

// fill makes the next frames in bufs, which are new and have room for them.
func (g *generator) fill(bufs []pool.Buffer) {
	seq, flow := g.seq, g.flow
	for i := range bufs {
		t := g.template(seq)
		data, _ := bufs[i].AppendUnzeroed(len(t.frame))
		copy(data, t.frame)
		t.number(data, seq, flow)
		seq++
		if flow++; flow == g.flows {
			flow = 0
		}
	}
	g.seq, g.flow = seq, flow
}

// each makes the next frames in bufs, one by one: some are too long for the pool's buffers, or
// WaitRx holds a buffer for the first one.
func (g *generator) each(bufs []pool.Buffer) (int, error) {
	for i := range bufs {
		t := g.template(g.seq)
		b, err := g.held, error(nil)
		if b.IsZero() {
			b, err = g.take(t)
		}
		if err != nil {
			return i, err
		}
		g.held = pool.Buffer{}
		data := b.Bytes()
		if len(data) == 0 {
			data, _ = b.AppendUnzeroed(len(t.frame))
			copy(data, t.frame)
		}
		t.number(data, g.seq, g.flow)
		bufs[i] = b
		g.next()
	}
	return len(bufs), nil
}

func (g *generator) next() {
	g.seq++
	if g.flow++; g.flow == g.flows {
		g.flow = 0
	}
}

// take takes a buffer for a frame of t: an empty one, or a copy of the template on the heap.
func (g *generator) take(t *template) (pool.Buffer, error) {
	if len(t.frame) <= g.room {
		return g.RxCache.Get()
	}
	return g.RxCache.CopyIn(t.frame)
}

// WaitRx sleeps until the next frame is due and there is a buffer for it.
func (g *generator) WaitRx(ctx context.Context) error {
	if !g.Enter() {
		return port.ErrClosed
	}
	defer g.Leave()
	if g.over() {
		return nil
	}
	for g.pace.on {
		wait := g.pace.wait(g.pace.elapsed())
		if wait == 0 {
			break
		}
		if err := g.sleep(ctx, wait); err != nil {
			return err
		}
	}
	return g.waitBuffer(ctx)
}

// sleep sleeps for d.
func (g *generator) sleep(ctx context.Context, d time.Duration) error {
	if g.timer == nil {
		g.timer = time.NewTimer(d)
	} else {
		g.timer.Reset(d)
	}
	defer g.timer.Stop()
	select {
	case <-g.timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-g.closing.Done():
		return port.ErrClosed
	}
}

// waitBuffer sleeps until there is a buffer for the next frame, and holds it.
func (g *generator) waitBuffer(ctx context.Context) (err error) {
	t := g.template(g.seq)
	if !g.held.IsZero() {
		return nil
	}
	if g.held, err = g.take(t); !errors.Is(err, pool.ErrExhausted) {
		return nil // or an error for Rx to return
	}
	either, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.closing, cancel)()
	if len(t.frame) <= g.room {
		g.held, err = g.Options.Pool.GetContext(either)
	} else {
		g.held, err = g.Options.Pool.CopyInContext(either, t.frame)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return ctx.Err()
	case g.closing.Err() != nil && err != nil:
		return port.ErrClosed
	}
	return nil
}

// Tx takes nothing: a generator only receives.
func (g *generator) Tx([]pool.Buffer) (int, error) {
	if !g.Enter() {
		return 0, port.ErrClosed
	}
	g.Leave()
	return 0, port.ErrDirection
}

// WaitTx returns at once: Tx has its error to return.
func (g *generator) WaitTx(context.Context) error {
	if !g.Enter() {
		return port.ErrClosed
	}
	g.Leave()
	return nil
}

// Info describes the frames.
func (g *generator) Info() port.Info {
	i := port.Info{
		Name:     g.config.Name,
		Kind:     "gen",
		LinkType: port.LinkTypeEthernet,
		Mode:     fmt.Sprintf("frames of %s bytes", g.config.Sizes),
	}
	if c := g.config; c.Count > 0 && len(c.Sizes) == 1 && c.Count <= math.MaxInt64/uint64(c.Sizes[0].Size) {
		i.Total = int64(c.Count) * int64(c.Sizes[0].Size)
		i.Done = int64(g.Stats().RxBytes)
	}
	return i
}

// Close ends the port.
func (g *generator) Close() error {
	return g.Shut(g.wake, func() error {
		if !g.held.IsZero() {
			g.held.Release()
		}
		return nil
	})
}
