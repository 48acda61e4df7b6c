package vswitch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// echo is a live port whose stations answer each frame at once, and whose receiver nobody ever wakes: answers come only to who looks.
type echo struct {
	port.Port
	t testing.TB

	mu      sync.Mutex
	answers []pool.Buffer
	err     error // what Rx says once there are no answers
	muted   int
	muting  bool

	sent, received atomic.Uint64

	inside atomic.Bool // somebody is inside of Rx
	asleep atomic.Bool // its receiver is, and its turn free
}

var errEcho = errors.New("no echo")

// newEcho returns one that counts and closes as a mem port does.
func newEcho(t testing.TB, p *pool.Pool) *echo {
	near, _ := pair(t, p, mem.Config{}, mem.Config{})
	e := &echo{Port: near, t: t}
	t.Cleanup(func() { pool.ReleaseBurst(e.answers) })
	return e
}

func (e *echo) Info() port.Info {
	i := e.Port.Info()
	i.Live = true
	return i
}

func (e *echo) Stats() (s stats.Snapshot) {
	s.TxPackets, s.RxPackets = e.sent.Load(), e.received.Load()
	return s
}

func (e *echo) Tx(bufs []pool.Buffer) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range bufs {
		var src [6]byte
		frame := b.Bytes()
		copy(src[:], frame[6:])
		copy(frame[6:], frame[:6])
		copy(frame, src[:])
		e.answers = append(e.answers, b)
	}
	e.sent.Add(uint64(len(bufs)))
	return len(bufs), nil
}

func (e *echo) Rx(bufs []pool.Buffer) (n int, err error) {
	if !e.inside.CompareAndSwap(false, true) {
		e.t.Error("two are inside of Rx")
	}
	defer e.inside.Store(false)
	e.mu.Lock()
	defer e.mu.Unlock()
	if n = copy(bufs, e.answers); n == 0 {
		return 0, e.err
	}
	e.answers = slices.Delete(e.answers, 0, n)
	e.received.Add(uint64(n))
	return n, nil
}

func (e *echo) SleepyRx() bool { return true }

func (e *echo) WaitRx(ctx context.Context) error { return e.SleepRx(ctx) }

func (e *echo) SleepRx(ctx context.Context) error {
	e.asleep.Store(true)
	<-ctx.Done()
	return ctx.Err()
}

func (e *echo) MuteRx(on bool) {
	if on && e.muting {
		e.t.Error("muted twice")
	}
	e.muting = on
	e.muted++
}

// asked is a switch with a host a, and an echo at station 2.
func asked(t *testing.T, c Config) (s *site, e *echo) {
	s = newSite(t, c, map[string]PortConfig{"a": {}})
	if err := s.sw.AddStatic("a", 0, station(1)); err != nil {
		t.Fatal(err)
	}
	e = s.plugEcho("echo", 2)
	t.Cleanup(func() { s.balance() })
	return s, e
}

// plugEcho adds an echo and waits until its receiver sleeps.
func (s *site) plugEcho(name string, n byte) *echo {
	e := newEcho(s.t, s.pool)
	s.plug(name, e, PortConfig{}, n)
	eventually(s.t, "the receiver to sleep", e.asleep.Load)
	return e
}

// What answers at once is answered by whoever has asked, though nobody is woken; and so again and again.
func TestLookAnswers(t *testing.T) {
	testkit.Watchdog(t)
	for _, window := range []time.Duration{0, time.Microsecond, MaxLookAgain} {
		s, _ := asked(t, Config{LookAgain: window})
		for range 100 {
			s.send("a", station(1), station(2), "echo")
			s.expect("echo", "a")
		}
	}
}

// Who does not look leaves the answer to the port's own receiver.
func TestLookNever(t *testing.T) {
	testkit.Watchdog(t)
	s, e := asked(t, Config{LookAgain: -1})
	s.send("a", station(1), station(2), "echo")
	s.silent("a")
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.answers) != 1 || e.muted != 0 {
		t.Errorf("%d answers left, muted %d times", len(e.answers), e.muted)
	}
}

// A port is removed and another comes in its place while somebody looks there, for as long as anybody asks.
func TestLookRemoved(t *testing.T) {
	testkit.Watchdog(t)
	s, _ := asked(t, Config{LookAgain: MaxLookAgain})
	for range 50 {
		s.send("a", station(1), station(2), "echo")
		s.expect("echo", "a")
		if err := s.sw.Remove("echo"); err != nil {
			t.Fatal(err)
		}
		s.plugEcho("echo", 2)
	}
}

// The error of a port is its own, whoever meets it: it is told once, the port takes no part any more, and who met it goes on.
func TestLookFails(t *testing.T) {
	testkit.Watchdog(t)
	s, e := asked(t, Config{LookAgain: MaxLookAgain})
	s.send("a", station(1), station(2), "echo")
	s.expect("echo", "a")
	e.mu.Lock()
	e.err = errEcho
	e.mu.Unlock()
	s.send("a", station(1), station(2), "echo") // which has somebody look, if nobody does any more
	eventually(t, "the port to fail", func() bool { return s.port("echo").Err != nil })
	if err := s.port("echo").Err; !errors.Is(err, errEcho) {
		t.Errorf("the port failed by %v", err)
	}
	if err := s.port("a").Err; err != nil {
		t.Errorf("and the one that looked by %v", err)
	}
	s.plugEcho("other", 3)
	s.send("a", station(1), station(3), "and you?")
	for s.receive("a", patience) != "and you?" {
	}
}

// Both ways of a Forward look at each other's port.
func TestLookForward(t *testing.T) {
	testkit.Watchdog(t)
	p := newPool(t, pool.Config{})
	near, host := pair(t, p, mem.Config{}, mem.Config{})
	e := newEcho(t, p)
	f, err := NewForward(ForwardConfig{In: live{near}, Out: e, Both: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	eventually(t, "the receiver to sleep", e.asleep.Load)
	for range 100 {
		b, err := p.CopyIn(make([]byte, packet.EthernetLen))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := host.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		var bufs [1]pool.Buffer
		for n := 0; n == 0; {
			if n, err = host.Rx(bufs[:]); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				if err := host.WaitRx(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		bufs[0].Release()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// live is a port that can't be held back.
type live struct{ port.Port }

func (l live) Info() port.Info {
	i := l.Port.Info()
	i.Live = true
	return i
}

// After it was in vain twice, looking is left out for more and more sleeps, up to 128, and for none once it found something.
func TestDoubt(t *testing.T) {
	var d doubt
	skipped := func() (n int) {
		for !d.looks() {
			n++
		}
		return n
	}
	for i, want := range []int{0, 0, 4, 8, 16, 32, 64, 128, 128, 128} {
		if got := skipped(); got != want {
			t.Errorf("look %d after %d sleeps, want %d", i, got, want)
		}
		d.learn(false)
	}
	skipped()
	d.learn(true)
	for range 10 { // every other time is enough
		for _, found := range []bool{false, true} {
			if n := skipped(); n > 0 {
				t.Errorf("%d sleeps without a look", n)
			}
			d.learn(found)
		}
	}
}

// A look allocates nothing.
func TestLookAllocs(t *testing.T) {
	idle := func() (int, error) { return 0, nil }
	var r, other receiver
	for _, r := range []*receiver{&r, &other} {
		r.init(&echo{t: t}, idle, time.Microsecond)
		r.soft, r.open = t.Context(), true
	}
	r.note(&other)
	if n := testing.AllocsPerRun(1000, func() {
		r.doubt, r.moves = doubt{}, 0
		if r.look() {
			t.Error("many of nothing")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
