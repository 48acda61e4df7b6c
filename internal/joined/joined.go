// Package joined joins ports in a test, as a program that forwards does, and holds the account of it in the end: of every frame that was
// received, or cut from one, it is known where it has gone.
//
//	f := joined.Start(t, vswitch.ForwardConfig{In: a, Out: b, Both: true})
//	// … traffic …
//	s := f.Stop()
package joined

import (
	"context"
	"testing"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

// Forward is a vswitch.Forward at work. It is used from the test's goroutine.
type Forward struct {
	Ports [2]port.Port // In and Out

	t       testing.TB
	forward *vswitch.Forward
	cancel  context.CancelFunc
	done    chan error
	stopped bool
}

// Start forwards as c says until Stop, or until the test ends. The ports are the caller's to close, after that: who gives their
// closing to t.Cleanup does so before Start.
func Start(t testing.TB, c vswitch.ForwardConfig) *Forward {
	t.Helper()
	forward, err := vswitch.NewForward(c)
	if err != nil {
		t.Fatal(err)
	}
	f := &Forward{Ports: [2]port.Port{c.In, c.Out}, t: t, forward: forward, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	go func() { f.done <- forward.Run(ctx) }()
	t.Cleanup(func() { f.Stop() })
	return f
}

// Stats returns a moment of it.
func (f *Forward) Stats() vswitch.ForwardStats { return f.forward.Stats() }

// Stop ends it, and returns what it has done. The test fails if a port has, or if a frame is not accounted for. A second call does
// nothing more.
func (f *Forward) Stop() vswitch.ForwardStats {
	f.t.Helper()
	if f.stopped {
		return f.Stats()
	}
	f.stopped = true
	f.cancel()
	if err := <-f.done; err != nil {
		f.t.Errorf("Forward: %v", err)
	}
	s := f.Stats()
	for _, p := range s.Ports {
		f.t.Logf("%s: %d received, %d sent, dropped in %v, out %v; %s; %q", p.Name, p.RxPackets, p.TxPackets, p.RxDrops, p.TxDrops, p.Mode, p.Notes)
	}
	if s.InFlight != 0 || s.Received()+s.Segments() != s.Sent()+s.Dropped() {
		f.t.Errorf("%d received + %d segments, but %d sent + %d dropped, and %d in flight", s.Received(), s.Segments(), s.Sent(), s.Dropped(), s.InFlight)
	}
	return s
}

// Namespace is where ports are opened, such as a *netlab.Namespace.
type Namespace interface{ Do(func()) }

// Between opens two ports in a namespace, by their names, and forwards both ways between them, until Stop or until
// the test ends. Then they are closed, and all buffers must have come back.
func Between(t testing.TB, n Namespace, one, two string) *Forward {
	t.Helper()
	o := port.Options{
		Pool:  pooltest.New(t, pool.Config{Count: 8192, Track: 64}),
		Large: pooltest.New(t, pool.Config{Name: "large", Count: 1024, BufferSize: port.LargeBufferSize, Track: 64}),
	}
	var ports [2]port.Port
	for i, name := range []string{one, two} {
		var err error
		n.Do(func() { ports[i], err = port.Open(name, o) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := ports[i].Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return Start(t, vswitch.ForwardConfig{In: ports[0], Out: ports[1], Both: true})
}
