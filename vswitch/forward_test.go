package vswitch

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

func TestForwardMovesAll(t *testing.T) {
	for _, ringSize := range []int{1, 3, 64, 1000} {
		p := newPool(t, pool.Config{})
		in, out := open(t, p, "gen:count=10000", port.In), open(t, p, "null:", port.Out)
		f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: ringSize})
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := balanced(t, f)
		if s.Sent() != 10000 || s.Dropped() != 0 || s.Ports[0].RxBytes != s.Ports[1].TxBytes {
			t.Errorf("ring of %d: sent %d of 10000, dropped %d", ringSize, s.Sent(), s.Dropped())
		}
	}
}

func TestForwardConfigErrors(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:", port.In), open(t, p, "null:", port.Out)
	if _, err := NewForward(ForwardConfig{In: in}); err == nil || !strings.Contains(err.Error(), "Out") {
		t.Errorf("without Out: %v", err)
	}
	if _, err := NewForward(ForwardConfig{In: in, Out: out, RingSize: -1}); !errors.Is(err, ring.ErrCapacity) || !strings.Contains(err.Error(), "RingSize") {
		t.Errorf("with RingSize -1: %v", err)
	}
}

func TestCount(t *testing.T) {
	for _, count := range []uint64{1, 63, 64, 65, 1000} {
		p := newPool(t, pool.Config{})
		in, out := open(t, p, "gen:", port.In), open(t, p, "null:", port.Out)
		f := newForward(t, ForwardConfig{In: in, Out: out, Count: count})
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := balanced(t, f); s.Received() != count || s.Sent() != count {
			t.Errorf("count %d: received %d, sent %d", count, s.Received(), s.Sent())
		}
	}
}

// Count ends the way back too, which has nothing to end it otherwise.
func TestCountOfBothWays(t *testing.T) {
	p := newPool(t, pool.Config{})
	far, in := pair(t, p, mem.Config{}, mem.Config{})
	_, out := pair(t, p, mem.Config{}, mem.Config{})
	f := newForward(t, ForwardConfig{In: in, Out: out, Both: true, Count: 5})
	wait := start(t.Context(), t, f)
	send(t, p, far, 5)
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if s := balanced(t, f); s.Sent() != 5 {
		t.Errorf("sent %d, want 5", s.Sent())
	}
}

// A generator is held back by a sink that takes little; nothing is lost.
func TestSourceIsHeldBack(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:count=5000", port.In), newSink(p)
	defer out.Close()
	f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 100})
	wait := start(t.Context(), t, f)
	eventually(t, "the ring to fill", func() bool { return f.Stats().InFlight >= 100 })
	if got := f.Stats().Received(); got > 100+burst {
		t.Errorf("received %d frames while the ring has 100 and nothing was sent", got)
	}
	for range 50 {
		out.let(100)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	if s := balanced(t, f); s.Sent() != 5000 {
		t.Errorf("sent %d of 5000: %v", s.Sent(), s.Ports[1].TxDrops)
	}
}

// With onfull=drop, or by a live source, what finds the ring full is dropped and counted under the
// port that it was for.
func TestFullRingDrops(t *testing.T) {
	for _, live := range []bool{true, false} {
		p := newPool(t, pool.Config{})
		far, in := pair(t, p, mem.Config{}, mem.Config{Live: live})
		out := newSink(p)
		defer out.Close()
		onFull := port.OnFullDrop
		if live {
			onFull = port.OnFullDefault
		}
		f := newForward(t, ForwardConfig{In: in, Out: out, InOnFull: onFull, RingSize: 10})
		wait := start(t.Context(), t, f)
		for range 100 {
			send(t, p, far, 1)
		}
		eventually(t, "100 frames to be received", func() bool { return f.Stats().Received() == 100 })
		out.let(1000)
		far.Close()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		s := balanced(t, f)
		if full := drops(s.Ports[1].Snapshot, stats.ReasonRingFull); s.Sent() != 10 || full != 90 {
			t.Errorf("live %v: sent %d and dropped %d as ring_full, want 10 and 90", live, s.Sent(), full)
		}
	}
}

// send sends n frames by o. Any goroutine may call it.
func send(t testing.TB, p *pool.Pool, o port.Port, n int) {
	t.Helper()
	for range n {
		b, err := p.CopyInContext(context.Background(), make([]byte, 60))
		for sent := 0; err == nil && sent == 0; {
			if sent, err = o.Tx([]pool.Buffer{b}); err == nil && sent == 0 {
				err = o.WaitTx(context.Background())
			}
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// Once its context is done, a Forward receives nothing more and sends what it has.
func TestDrain(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:", port.In), newSink(p)
	defer out.Close()
	f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 100, DrainTimeout: patience})
	ctx, cancel := context.WithCancel(t.Context())
	wait := start(ctx, t, f)
	eventually(t, "the ring to fill", func() bool { return f.Stats().InFlight >= 100 })
	cancel()
	out.let(1000)
	if err := wait(); err != nil {
		t.Errorf("an end by the context is an error: %v", err)
	}
	if s := balanced(t, f); s.Dropped() != 0 || s.Sent() < 100 {
		t.Errorf("sent %d, dropped %d", s.Sent(), s.Dropped())
	}
}

// A port that takes nothing can't hold up the end for longer than DrainTimeout.
func TestDrainTimeout(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:", port.In), newSink(p)
	defer out.Close()
	f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 100, DrainTimeout: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	wait := start(ctx, t, f)
	eventually(t, "the ring to fill", func() bool { return f.Stats().InFlight >= 100 })
	cancel()
	if err := wait(); err != nil {
		t.Error(err)
	}
	s := balanced(t, f)
	if closed := drops(s.Ports[1].Snapshot, stats.ReasonClosed); closed != s.Received() || closed == 0 {
		t.Errorf("received %d, dropped as closed %d", s.Received(), closed)
	}
}

func TestAbort(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:", port.In), newSink(p)
	defer out.Close()
	f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 100, Both: true})
	wait := start(t.Context(), t, f)
	eventually(t, "the ring to fill", func() bool { return f.Stats().InFlight >= 100 })
	f.Abort()
	f.Abort()
	if err := wait(); err != nil {
		t.Error(err)
	}
	if s := balanced(t, f); s.Sent() != 0 || s.Dropped() == 0 {
		t.Errorf("sent %d, dropped %d", s.Sent(), s.Dropped())
	}
}

// A sender's port that fails ends the Forward with its name and error; what was in flight is
// dropped and counted, even while the source has nothing to receive.
func TestTxError(t *testing.T) {
	p := newPool(t, pool.Config{})
	far, in := pair(t, p, mem.Config{}, mem.Config{})
	out := newSink(p)
	defer out.Close()
	f := newForward(t, ForwardConfig{In: in, Out: out})
	wait := start(t.Context(), t, f)
	send(t, p, far, 50)
	eventually(t, "50 frames in flight", func() bool { return f.Stats().InFlight == 50 })
	out.fail.Store(true)
	out.let(1) // wakes the sender, which sees the failure
	err := wait()
	if !errors.Is(err, errSink) || !strings.HasPrefix(err.Error(), "sink: ") {
		t.Errorf("error %v", err)
	}
	s := balanced(t, f)
	if lost := drops(s.Ports[1].Snapshot, stats.ReasonIOError); lost != 50 {
		t.Errorf("dropped %d as io_error, want 50", lost)
	}
}

func TestRxError(t *testing.T) {
	p := newPool(t, pool.Config{})
	far, in := pair(t, p, mem.Config{}, mem.Config{RxErrAt: 31, Name: "broken"})
	out := open(t, p, "null:", port.Out)
	f := newForward(t, ForwardConfig{In: in, Out: out})
	wait := start(t.Context(), t, f)
	send(t, p, far, 100)
	err := wait()
	if !errors.Is(err, mem.ErrInjected) || !strings.HasPrefix(err.Error(), "broken: ") {
		t.Errorf("error %v", err)
	}
	if s := balanced(t, f); s.Sent() != 30 {
		t.Errorf("sent %d, want the 30 before the error", s.Sent())
	}
}

// A port that is closed under a running Forward ends it.
func TestPortClosedUnderneath(t *testing.T) {
	for _, which := range []string{"in", "out"} {
		p := newPool(t, pool.Config{})
		far, in := pair(t, p, mem.Config{}, mem.Config{})
		out := newSink(p)
		defer out.Close()
		f := newForward(t, ForwardConfig{In: in, Out: out})
		wait := start(t.Context(), t, f)
		send(t, p, far, 50)
		eventually(t, "frames in flight", func() bool { return f.Stats().InFlight == 50 })
		if which == "in" {
			in.Close()
			out.let(50)
		} else {
			out.Close()
		}
		if err := wait(); !errors.Is(err, port.ErrClosed) {
			t.Errorf("%s closed: %v", which, err)
		}
		balanced(t, f)
	}
}

// Two far ends talk through a Forward, with losses on the way and bursts of all sizes; in the
// end everything is accounted for.
func TestBothWaysAtRandom(t *testing.T) {
	r := testkit.Rand(t)
	for range 5 {
		p := newPool(t, pool.Config{Count: 500 + r.IntN(3000)})
		farA, a := pair(t, p, mem.Config{Capacity: 1 + r.IntN(200)}, mem.Config{Loss: 0.01, Seed: r.Uint64(), Live: r.IntN(2) == 0})
		farB, b := pair(t, p, mem.Config{Capacity: 1 + r.IntN(200)}, mem.Config{Loss: 0.01, Seed: r.Uint64(), Live: r.IntN(2) == 0})
		f := newForward(t, ForwardConfig{In: a, Out: b, Both: true, RingSize: 1 + r.IntN(300)})
		wait := start(t.Context(), t, f)
		const frames = 5000
		got := make(chan uint64, 2)
		for _, far := range []port.Port{farA, farB} {
			go func() { got <- drain(far) }()
			go send(t, p, far, frames)
		}
		eventually(t, "all frames to come in", func() bool { return f.Stats().Received() == 2*frames })
		eventually(t, "all frames to leave", func() bool { return f.Stats().InFlight == 0 })
		f.Abort()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		a.Close()
		b.Close()
		arrived := <-got + <-got
		s := balanced(t, f)
		if s.Received() != 2*frames || arrived != s.Sent() {
			t.Errorf("received %d of %d, sent %d, arrived %d", s.Received(), 2*frames, s.Sent(), arrived)
		}
		farA.Close()
		farB.Close()
		if use := p.Stats(); use.InUse != 0 || use.HeapInUse != 0 {
			t.Errorf("%d buffers are still out", use.InUse+use.HeapInUse)
		}
	}
}

// drain receives until the end, and returns how many frames came.
func drain(o port.Port) (total uint64) {
	var bufs [burst]pool.Buffer
	for {
		n, err := o.Rx(bufs[:])
		total += uint64(n)
		pool.ReleaseBurst(bufs[:n])
		if err != nil {
			return total
		}
		if n == 0 {
			if err := o.WaitRx(context.Background()); err != nil && !errors.Is(err, port.ErrClosed) {
				return total
			}
		}
	}
}

// Moving frames allocates nothing. Going to sleep may take an object now and then (always a few under the
// race detector, whose sync.Pool forgets); one a burst would be found.
func TestForwardAllocatesNothing(t *testing.T) {
	objects := func(frames string) uint64 {
		p := newPool(t, pool.Config{})
		in, out := open(t, p, "gen:count="+frames, port.In), open(t, p, "null:", port.Out)
		f := newForward(t, ForwardConfig{In: in, Out: out})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.Mallocs - before.Mallocs
	}
	objects("1k")
	few, many := objects("1k"), objects("300k")
	if many > few+300_000/burst/2 {
		t.Errorf("1 k frames: %d objects, 300 k frames: %d", few, many)
	}
}

// In flight is counted by itself: at any time it makes up the balance, up to the bursts in hand.
func TestBalanceWhileRunning(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:count=300k", port.In), open(t, p, "null:", port.Out)
	f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 256})
	wait := start(t.Context(), t, f)
	for f.Stats().Received() < 300_000 {
		s := f.Stats()
		if s.InFlight < 0 || s.InFlight > 256+burst {
			t.Fatalf("%d in flight, the ring has 256", s.InFlight)
		}
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	balanced(t, f)
}

func BenchmarkForwardGenNull(b *testing.B) {
	p := newPool(b, pool.Config{})
	in, out := open(b, p, "gen:", port.In), open(b, p, "null:", port.Out)
	f := newForward(b, ForwardConfig{In: in, Out: out, Count: uint64(b.N)})
	b.ResetTimer()
	if err := f.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
}
