package vswitch

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"

	_ "github.com/ringway-net/ringway/port/gen"
	_ "github.com/ringway-net/ringway/port/null"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen before it says that it has not.
const patience = 30 * time.Second

func newPool(t testing.TB, c pool.Config) *pool.Pool {
	t.Helper()
	p, err := pool.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// open opens a port, to be closed with the test.
func open(t testing.TB, p *pool.Pool, name string, d port.Direction) port.Port {
	t.Helper()
	o, err := port.Open(name, port.Options{Pool: p, Direction: d})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// pair opens two mem ends, to be closed with the test.
func pair(t testing.TB, p *pool.Pool, a, b mem.Config) (port.Port, port.Port) {
	t.Helper()
	x, y, err := mem.Pair(port.Options{Pool: p}, port.Options{Pool: p}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); y.Close() })
	return x, y
}

func newForward(t testing.TB, c ForwardConfig) *Forward {
	t.Helper()
	f, err := NewForward(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// balanced checks the account of a Forward that has ended.
func balanced(t testing.TB, f *Forward) ForwardStats {
	t.Helper()
	s := f.Stats()
	if s.InFlight != 0 {
		t.Errorf("%d frames in flight after the end", s.InFlight)
	}
	if s.Received() != s.Sent()+s.Dropped() {
		t.Errorf("received %d, sent %d and dropped %d: off by %d", s.Received(), s.Sent(), s.Dropped(), int64(s.Received()-s.Sent()-s.Dropped()))
	}
	return s
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// start runs f and returns what its end is waited for with.
func start(ctx context.Context, t testing.TB, f *Forward) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	return func() error {
		t.Helper()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			t.Fatal("Run does not end")
			return nil
		}
	}
}

// sink is a port that takes frames only as far as it is let, and can fail.
type sink struct {
	port.Base
	room atomic.Int64 // frames that Tx still takes
	fail atomic.Bool
	more chan struct{}
}

var errSink = errors.New("the sink is broken")

func newSink(p *pool.Pool) *sink {
	s := &sink{more: make(chan struct{}, 1)}
	s.Init(port.Options{Pool: p})
	return s
}

func (s *sink) let(n int64) {
	s.room.Add(n)
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *sink) Rx([]pool.Buffer) (int, error) { return 0, io.EOF }

func (s *sink) WaitRx(ctx context.Context) error { return s.WaitShut(ctx) }

func (s *sink) Tx(bufs []pool.Buffer) (int, error) {
	if !s.Enter() {
		return 0, port.ErrClosed
	}
	defer s.Leave()
	if s.fail.Load() {
		return 0, errSink
	}
	n := int(min(int64(len(bufs)), s.room.Load()))
	s.room.Add(-int64(n))
	s.Sent(bufs[:n])
	return n, nil
}

func (s *sink) WaitTx(ctx context.Context) error {
	for s.room.Load() == 0 && !s.fail.Load() {
		select {
		case <-s.more:
		case <-s.Shutting():
			return port.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *sink) Info() port.Info { return port.Info{Name: "sink", Kind: "sink", AnyLinkType: true} }

func (s *sink) Close() error { return s.Shut(nil, nil) }

func drops(s stats.Snapshot, r stats.Reason) uint64 { return s.TxDrops[r] }
