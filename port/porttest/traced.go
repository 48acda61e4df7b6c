// traced: the port under test, with each call watched.

package porttest

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// traced is a port that notes which calls are inside, for the watchdog, and checks after
// each of them what holds for all: who owns which buffer.
type traced struct {
	t TB
	p port.Port
	// what is inside, or nil
	rx, sleep, tx, closing atomic.Pointer[string]
}

func (p *traced) inside() string {
	var calls []string
	for _, call := range []*atomic.Pointer[string]{&p.rx, &p.sleep, &p.tx, &p.closing} {
		if what := call.Load(); what != nil {
			calls = append(calls, *what)
		}
	}
	if len(calls) == 0 {
		return "no call of the port"
	}
	return strings.Join(calls, " and ")
}

func note(where *atomic.Pointer[string], format string, args ...any) func() {
	s := fmt.Sprintf(format, args...)
	where.Store(&s)
	return func() { where.Store(nil) }
}

// alive returns what is wrong with a buffer that should be live.
func alive(b pool.Buffer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	b.Bytes()
	return nil
}

// Rx is Rx of the port.
func (p *traced) Rx(bufs []pool.Buffer) (int, error) {
	p.t.Helper()
	clear(bufs)
	n, err := func() (int, error) {
		defer note(&p.rx, "Rx of %d", len(bufs))()
		return p.p.Rx(bufs)
	}()
	if n < 0 || n > len(bufs) {
		p.t.Fatalf("Rx of %d returned %d frames", len(bufs), n)
	}
	for i, b := range bufs[:n] {
		if b.IsZero() {
			p.t.Fatalf("Rx of %d returned %d frames, and number %d is the zero Buffer", len(bufs), n, i)
		}
		if err := alive(b); err != nil {
			p.t.Fatalf("Rx of %d returned %d frames, and number %d is not live: %v", len(bufs), n, i, err)
		}
	}
	for i, b := range bufs[n:] {
		if !b.IsZero() && alive(b) == nil {
			p.t.Fatalf("Rx of %d returned %d frames, and left a live buffer at number %d: whose is it?", len(bufs), n, n+i)
		}
	}
	return n, err
}

// Tx is Tx of the port.
func (p *traced) Tx(bufs []pool.Buffer) (int, error) {
	p.t.Helper()
	before := append([]pool.Buffer(nil), bufs...)
	n, err := func() (int, error) {
		defer note(&p.tx, "Tx of %d", len(bufs))()
		return p.p.Tx(bufs)
	}()
	if n < 0 || n > len(bufs) {
		p.t.Fatalf("Tx of %d returned %d frames", len(bufs), n)
	}
	for i, b := range bufs[n:] {
		if b != before[n+i] {
			p.t.Fatalf("Tx of %d returned %d frames, and changed number %d, which is the caller's: %v instead of %v", len(bufs), n, n+i, b, before[n+i])
		}
		if err := alive(b); err != nil {
			p.t.Fatalf("Tx of %d returned %d frames, and number %d is dead, though it is still the caller's: %v", len(bufs), n, n+i, err)
		}
	}
	return n, err
}

// WaitRx is WaitRx of the port.
func (p *traced) WaitRx(ctx context.Context) error {
	defer note(&p.rx, "WaitRx")()
	return p.p.WaitRx(ctx)
}

// WaitTx is WaitTx of the port.
func (p *traced) WaitTx(ctx context.Context) error {
	defer note(&p.tx, "WaitTx")()
	return p.p.WaitTx(ctx)
}

func (p *traced) Stats() stats.Snapshot { return p.p.Stats() }
func (p *traced) Info() port.Info       { return p.p.Info() }

// Close is Close of the port.
func (p *traced) Close() error {
	defer note(&p.closing, "Close")()
	return p.p.Close()
}

// sleeper is a traced port that is a port.Sleeper.
type sleeper struct {
	t *traced
	p port.Sleeper
}

// SleepyRx is SleepyRx of the port.
func (p *sleeper) SleepyRx() bool {
	defer note(&p.t.rx, "SleepyRx")()
	return p.p.SleepyRx()
}

// SleepRx is SleepRx of the port.
func (p *sleeper) SleepRx(ctx context.Context) error {
	defer note(&p.t.sleep, "SleepRx")()
	return p.p.SleepRx(ctx)
}

// MuteRx is MuteRx of the port.
func (p *sleeper) MuteRx(on bool) {
	defer note(&p.t.rx, "MuteRx of %v", on)()
	p.p.MuteRx(on)
}
