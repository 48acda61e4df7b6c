package vswitch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// plug adds a port of the test's own, with what is behind it a station of that number if it is not 0.
func (s *site) plug(name string, p port.Port, c PortConfig, n byte) {
	s.t.Helper()
	if err := s.sw.Add(name, p, c); err != nil {
		s.t.Fatal(err)
	}
	if n != 0 {
		if err := s.sw.AddStatic(name, 0, station(n)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// others shows that a and b talk to each other as ever.
func (s *site) others() {
	s.t.Helper()
	for range 10 {
		s.send("a", station(1), station(2), "a to b")
		s.expect("a to b", "b")
		s.send("b", station(2), station(1), "b to a")
		s.expect("b to a", "a")
	}
	// A running switch at rest is as balanced as one that has ended.
	eventually(s.t, "the account to balance", func() bool {
		st := s.sw.Stats()
		return st.Received()+st.Replicas()+st.Segments() == st.Sent()+st.Dropped()+uint64(st.InFlight())
	})
}

// talk is a switch where a and b know each other.
func talk(t *testing.T, c Config) *site {
	s := newSite(t, c, map[string]PortConfig{"a": {}, "b": {}})
	for name, n := range map[string]byte{"a": 1, "b": 2} {
		if err := s.sw.AddStatic(name, 0, station(n)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A port whose Rx fails takes no part any more, says why, and what was known behind it is forgotten; the others go on, and it can be
// taken out.
func TestSwitchRxError(t *testing.T) {
	s := talk(t, Config{})
	near, far := pair(t, s.pool, mem.Config{RxErrAt: 3}, mem.Config{})
	s.plug("bad", near, PortConfig{}, 0)
	s.hosts["bad"] = far
	s.send("bad", station(3), broadcast, "one")
	s.expect("one", "a", "b")
	s.send("a", station(1), station(3), "to bad")
	s.expect("to bad", "bad")
	s.send("bad", station(3), broadcast, "two") // and behind it comes the error
	s.expect("two", "a", "b")
	eventually(t, "the port to fail", func() bool { return s.port("bad").Err != nil && s.port("bad").Addresses == 0 })
	if err := s.port("bad").Err; !errors.Is(err, mem.ErrInjected) {
		t.Error(err)
	}
	s.others()
	s.send("a", station(1), station(3), "to whom?")
	s.expect("to whom?", "b")
	s.silent("bad", "a", "b")
	if err := s.sw.Remove("bad"); err != nil {
		t.Error(err)
	}
	s.add("bad", PortConfig{})
	s.send("bad", station(3), broadcast, "again")
	s.expect("again", "a", "b")
	s.balance()
}

// So does one whose Tx fails, in the hands of a receiver.
func TestTxErrorMetByReceiver(t *testing.T) {
	s := talk(t, Config{})
	near, far := pair(t, s.pool, mem.Config{TxErrAt: 3}, mem.Config{})
	s.plug("bad", near, PortConfig{}, 3)
	s.hosts["bad"] = far
	for range 2 {
		s.send("a", station(1), station(3), "to bad")
		s.expect("to bad", "bad")
	}
	s.send("a", station(1), station(3), "the third")
	eventually(t, "the port to fail", func() bool { return errors.Is(s.port("bad").Err, mem.ErrInjected) })
	if d := s.port("bad").TxDrops; d[stats.ReasonIOError] != 1 || d.Total() != 1 {
		t.Errorf("dropped %v, want one by the error", d)
	}
	s.others()
	s.silent("bad")
	s.balance()
}

// refuser is a sink whose WaitTx fails, instead of the Tx after it.
type refuser struct{ *sink }

func (p refuser) WaitTx(ctx context.Context) error {
	if err := p.sink.WaitTx(ctx); err != nil || !p.fail.Load() {
		return err
	}
	return errSink
}

// And one that fails the sender, at its Tx or while it waits: what has been in its ring is dropped and counted.
func TestTxErrorMetBySender(t *testing.T) {
	for _, inWait := range []bool{false, true} {
		s := talk(t, Config{OutRing: 100})
		k := newSink(s.pool)
		defer k.Close()
		bad := port.Port(k)
		if inWait {
			bad = refuser{k}
		}
		s.plug("bad", bad, PortConfig{}, 3)
		k.let(5)
		for range 20 {
			s.send("a", station(1), station(3), "to bad")
		}
		eventually(t, "5 frames to be sent and 15 to wait", func() bool { return s.port("bad").TxPackets == 5 && s.port("bad").InFlight == 15 })
		k.fail.Store(true)
		k.let(0)
		eventually(t, "the port to fail", func() bool { return errors.Is(s.port("bad").Err, errSink) })
		if d := s.port("bad").TxDrops; d[stats.ReasonIOError] != 15 || d.Total() != 15 {
			t.Errorf("in its wait %v: dropped %v, want 15 by the error", inWait, d)
		}
		s.others()
		s.balance()
	}
}

// The log is told of an address that moves to and fro, once, and of a port that fails.
func TestSwitchLog(t *testing.T) {
	var log bytes.Buffer // the handler lets one in at a time
	s := talk(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for n := range 2 * flapMoves {
		at := []string{"a", "b"}[n%2]
		s.send(at, station(7), broadcast, "here")
		s.expect("here", []string{"b", "a"}[n%2])
	}
	near, _ := pair(t, s.pool, mem.Config{RxErrAt: 1}, mem.Config{})
	s.plug("bad", near, PortConfig{}, 0)
	eventually(t, "the port to fail", func() bool { return s.port("bad").Err != nil })
	s.balance()
	said := log.String()
	if strings.Count(said, "mac=02:00:00:00:00:07 vlan=0") != 1 || strings.Count(said, "level=ERROR") != 1 || !strings.Contains(said, "port=bad") {
		t.Error(said)
	}
}

// A port that is closed by somebody else is one that has failed.
func TestPortClosedUnderTheSwitch(t *testing.T) {
	s := talk(t, Config{})
	near, far := pair(t, s.pool, mem.Config{}, mem.Config{})
	s.plug("bad", near, PortConfig{}, 3)
	s.hosts["bad"] = far
	s.send("a", station(1), station(3), "to bad")
	s.expect("to bad", "bad")
	near.Close()
	eventually(t, "the port to fail", func() bool { return errors.Is(s.port("bad").Err, port.ErrClosed) })
	s.others()
	s.balance()
}

// A source that has no more ends nothing: what it gave is carried, and it still sends.
func TestSourceEnds(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}})
	s.plug("null", open(t, s.pool, "null:", port.Out), PortConfig{Direction: port.Out}, 0)
	s.plug("gen", open(t, s.pool, "gen:count=500", port.In), PortConfig{Direction: port.In}, 0)
	eventually(t, "all frames to be carried", func() bool { return s.port("null").TxPackets == 500 })
	k := newSink(s.pool) // has no more at once
	defer k.Close()
	k.let(1)
	s.plug("sink", k, PortConfig{}, 0)
	s.send("a", station(1), broadcast, "to all")
	eventually(t, "the frame to be sent", func() bool { return s.port("sink").TxPackets == 1 })
	for range 500 {
		s.must("a").Release()
	}
	for _, p := range s.sw.Stats().Ports {
		if p.Err != nil {
			t.Errorf("%s: %v", p.Name, p.Err)
		}
	}
	s.balance()
}

// A port that takes nothing stalls nobody: what finds its ring full is dropped, under its name. That includes frames to all, and
// sources that come first and last in the list.
func TestStuckPort(t *testing.T) {
	s := talk(t, Config{OutRing: 8})
	k := newSink(s.pool)
	defer k.Close()
	s.plug("stuck", k, PortConfig{}, 3)
	s.add("c", PortConfig{})
	for n := range 100 {
		text := fmt.Sprint("frame ", n)
		s.send("a", station(1), broadcast, text)
		s.send("a", station(1), station(3), "to stuck")
		s.expect(text, "b", "c")
		s.send("c", station(4), broadcast, text)
		s.expect(text, "a", "b")
	}
	s.others()
	p := s.port("stuck")
	if full := int(p.TxDrops[stats.ReasonRingFull]); p.TxPackets != 0 || full < 250 || full+p.InFlight != 300 {
		t.Errorf("stuck: sent %d, dropped %v, in flight %d", p.TxPackets, p.TxDrops, p.InFlight)
	}
	k.let(1000)
	eventually(t, "what has waited to leave", func() bool { return s.port("stuck").InFlight == 0 })
	if st := s.balance(); st.Dropped() != p.TxDrops[stats.ReasonRingFull] {
		t.Errorf("dropped %d, want those of the stuck port", st.Dropped())
	}
}

// Who is to wait waits, and loses nothing; who by default waits is a source that can, and sends only.
func TestOnFull(t *testing.T) {
	const frames = 200
	for _, c := range []struct {
		PortConfig
		live  bool
		waits bool
	}{
		{PortConfig{}, false, false},
		{PortConfig{}, true, false},
		{PortConfig{Direction: port.In}, false, true},
		{PortConfig{Direction: port.In}, true, false},
		{PortConfig{Direction: port.In, OnFull: port.OnFullDrop}, false, false},
		{PortConfig{OnFull: port.OnFullWait}, true, true},
	} {
		s := newSite(t, Config{OutRing: 3}, nil)
		near, far := pair(t, s.pool, mem.Config{Live: c.live}, mem.Config{})
		k := newSink(s.pool)
		defer k.Close()
		s.plug("sink", k, PortConfig{}, 3)
		s.plug("a", near, c.PortConfig, 0)
		s.hosts["a"] = far
		for range frames {
			s.send("a", station(1), station(3), "to the sink")
		}
		if !c.waits {
			eventually(t, "all to be received", func() bool { return s.port("a").RxPackets == frames && s.port("a").InFlight == 0 })
		}
		for range frames {
			k.let(1)
			time.Sleep(10 * time.Microsecond)
		}
		if c.waits {
			eventually(t, "all to be sent", func() bool { return s.port("sink").TxPackets == frames })
		}
		st := s.balance()
		if full := st.Dropped(); c.waits && full != 0 || !c.waits && full < frames-10 {
			t.Errorf("%+v, live %v: %d are dropped", c.PortConfig, c.live, full)
		}
	}
}

// Who waits for a port is released when it is removed.
func TestRemoveReleasesWhoWaits(t *testing.T) {
	s := newSite(t, Config{OutRing: 2, DrainTimeout: 20 * time.Millisecond}, map[string]PortConfig{"a": {OnFull: port.OnFullWait}, "b": {}})
	k := newSink(s.pool)
	defer k.Close()
	s.plug("stuck", k, PortConfig{}, 3)
	for range 10 {
		s.send("a", station(1), station(3), "to stuck")
	}
	s.send("a", station(1), broadcast, "behind them")
	eventually(t, "a to be held back", func() bool { return s.port("stuck").InFlight > 2 })
	if err := s.sw.Remove("stuck"); err != nil {
		t.Fatal(err)
	}
	for {
		text := s.receive("b", patience) // some of those to the station that is unknown now, if a came to them late
		if text == "behind them" {
			break
		}
		if text != "to stuck" {
			t.Fatalf("b got %q", text)
		}
	}
	s.balance()
}

// hoarder is a sink that queues what it takes, and sends nothing.
type hoarder struct {
	*sink
	queue chan pool.Buffer
}

func (p hoarder) Tx(bufs []pool.Buffer) (int, error) {
	for _, b := range bufs {
		p.queue <- b
	}
	return len(bufs), nil
}

func (p hoarder) Queued() int { return len(p.queue) }

func (p hoarder) Drain(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// What a port that is removed has queued, and not sent in time, is dropped: it is not in flight for ever.
func TestRemoveWithQueue(t *testing.T) {
	s := talk(t, Config{DrainTimeout: 20 * time.Millisecond})
	k := hoarder{newSink(s.pool), make(chan pool.Buffer, 10)}
	defer k.Close()
	s.plug("hoarder", k, PortConfig{}, 3)
	for range 10 {
		s.send("a", station(1), station(3), "to hoarder")
	}
	eventually(t, "the frames to be queued", func() bool { return k.Queued() == 10 && s.port("hoarder").InFlight == 10 })
	if err := s.sw.Remove("hoarder"); err != nil {
		t.Error(err)
	}
	if st := s.sw.Stats(); st.Removed.TxDrops[stats.ReasonClosed] != 10 || st.InFlight() != 0 {
		t.Errorf("dropped %v, in flight %d", st.Removed.TxDrops, st.InFlight())
	}
	for range 10 {
		(<-k.queue).Release()
	}
	s.others()
	s.balance()
}

// What is on its way to a port that is removed leaves, in as much time as it is given.
func TestRemoveDrains(t *testing.T) {
	for _, drains := range []bool{true, false} {
		c := Config{OutRing: 100}
		if !drains {
			c.DrainTimeout = 20 * time.Millisecond
		}
		s := talk(t, c)
		k := newSink(s.pool)
		defer k.Close()
		s.plug("slow", k, PortConfig{}, 3)
		for range 10 {
			s.send("a", station(1), station(3), "to slow")
		}
		eventually(t, "the frames to wait", func() bool { return s.port("slow").InFlight == 10 })
		removed := make(chan error, 1)
		go func() { removed <- s.sw.Remove("slow") }()
		eventually(t, "the port to be gone from the list", func() bool { return len(s.sw.Stats().Ports) == 2 })
		if drains {
			if st := s.sw.Stats(); st.Removed.InFlight != 10 || st.InFlight() != 10 {
				t.Errorf("in flight are %d, of those %d to it", st.InFlight(), st.Removed.InFlight)
			}
			s.others()
			k.let(10)
		}
		select {
		case err := <-removed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Fatal("Remove does not end")
		}
		st := s.sw.Stats()
		if sent, closed := st.Removed.TxPackets, st.Removed.TxDrops[stats.ReasonClosed]; st.Removed.InFlight != 0 || drains && sent != 10 || !drains && closed != 10 {
			t.Errorf("drains %v: sent %d, dropped %d, in flight %d", drains, sent, closed, st.Removed.InFlight)
		}
		s.others()
		s.balance()
	}
}

// Frames that a receiver takes to a port that it still sees, but that is removed, are counted.
func TestDropAfterRemove(t *testing.T) {
	sw, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, pool.Config{})
	a, _ := pair(t, p, mem.Config{}, mem.Config{})
	b, _ := pair(t, p, mem.Config{}, mem.Config{})
	for name, port := range map[string]port.Port{"a": a, "b": b} {
		if err := sw.Add(name, port, PortConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	from, to, old := sw.members["a"], sw.members["b"], sw.view.Load()
	take := func(n int) []pool.Buffer {
		bufs := make([]pool.Buffer, n)
		if p.GetBurst(bufs) != n {
			t.Fatal("no buffers")
		}
		return bufs
	}
	to.outlet.drop(stats.ReasonRingFull, take(3))
	if err := sw.Remove("b"); err != nil {
		t.Fatal(err)
	}
	from.give(t.Context(), old, to, take(5))
	if d := sw.Stats().Removed.TxDrops; d[stats.ReasonRingFull] != 3 || d[stats.ReasonClosed] != 5 || sw.Stats().Dropped() != 8 {
		t.Errorf("dropped %v, want 3 before and 5 after", d)
	}
}

// What was known behind a port that was removed is not taken for what is behind the one that has its number next.
func TestNumberIsUsedAgain(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "d": {}})
	for n := range 10 {
		s.add("b", PortConfig{})
		number := s.sw.members["b"].number
		s.send("b", station(2), broadcast, "here")
		s.expect("here", "a", "d")
		if err := s.sw.AddStatic("b", 0, station(3)); err != nil {
			t.Fatal(err)
		}
		s.send("a", station(1), station(2), "to b")
		s.expect("to b", "b")
		if err := s.sw.Remove("b"); err != nil {
			t.Fatal(err)
		}
		s.send("a", station(1), station(2), "to whom?")
		s.expect("to whom?", "d")
		s.add("c", PortConfig{})
		if again := s.sw.members["c"].number; again != number || int(number) != 2 {
			t.Errorf("round %d: number %d after %d", n, again, number)
		}
		for _, gone := range []byte{2, 3} {
			s.send("a", station(1), station(gone), "to all")
			s.expect("to all", "c", "d")
		}
		if p := s.port("c"); p.Addresses != 0 {
			t.Errorf("behind c are %d", p.Addresses)
		}
		if err := s.sw.Remove("c"); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.balance(); st.Dropped() != 0 {
		t.Errorf("%d are dropped, on their way to ports that are gone", st.Dropped())
	}
}

// Run ends by its context: what is on its way leaves, in as much time as it is given. Abort takes none.
func TestSwitchEnds(t *testing.T) {
	for _, how := range []string{"drains", "times out", "aborts"} {
		c := Config{OutRing: 100}
		if how == "times out" {
			c.DrainTimeout = 20 * time.Millisecond
		}
		s := talk(t, c)
		k := newSink(s.pool)
		defer k.Close()
		s.plug("slow", k, PortConfig{}, 3)
		for range 10 {
			s.send("a", station(1), station(3), "to slow")
		}
		eventually(t, "the frames to wait", func() bool { return s.port("slow").InFlight == 10 })
		switch how {
		case "drains":
			s.end()
			time.Sleep(10 * time.Millisecond)
			s.send("a", station(1), station(2), "too late")
			k.let(10)
		case "aborts":
			s.sw.Abort()
			s.sw.Abort()
		}
		s.balance()
		p := s.port("slow")
		if closed := p.TxDrops[stats.ReasonClosed]; how == "drains" && p.TxPackets != 10 || how != "drains" && closed != 10 {
			t.Errorf("%s: sent %d, dropped %v", how, p.TxPackets, p.TxDrops)
		}
		s.silent("b")
		if err := s.sw.Run(t.Context()); err == nil {
			t.Error("Run runs twice")
		}
		if err := s.sw.Add("late", k, PortConfig{}); !errors.Is(err, ErrEnded) {
			t.Error(err)
		}
		if err := s.sw.Remove("slow"); err != nil {
			t.Error(err)
		}
		st := s.sw.Stats()
		if len(st.Ports) != 2 || st.Received()+st.Replicas() != st.Sent()+st.Dropped() {
			t.Errorf("%+v", st)
		}
	}
}

// A switch that was aborted, or whose context is done, before it ran ends at once.
func TestEndBeforeRun(t *testing.T) {
	for _, abort := range []bool{false, true} {
		sw, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		near, _ := pair(t, newPool(t, pool.Config{}), mem.Config{}, mem.Config{})
		if err := sw.Add("a", near, PortConfig{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if abort {
			sw.Abort()
		} else {
			cancel()
		}
		if err := sw.Run(ctx); err != nil {
			t.Error(err)
		}
	}
}

// Ports that are added before Run work from when it begins, and those that are removed before it never do.
func TestAddBeforeRun(t *testing.T) {
	sw, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, pool.Config{})
	s := &site{t: t, pool: p, sw: sw, hosts: map[string]port.Port{}}
	s.add("a", PortConfig{})
	s.add("b", PortConfig{})
	s.add("gone", PortConfig{})
	if err := sw.Remove("gone"); err != nil {
		t.Fatal(err)
	}
	s.send("a", station(1), broadcast, "early")
	s.send("gone", station(3), broadcast, "from nowhere")
	ctx, cancel := context.WithCancel(t.Context())
	s.end = cancel
	done := make(chan error, 1)
	go func() { done <- sw.Run(ctx) }()
	s.wait = func() error { return <-done }
	s.expect("early", "b")
	s.silent("a", "b", "gone")
	s.balance()
}
