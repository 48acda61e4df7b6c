package port

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// TestShut: whatever goroutines are inside, enter or close: last is called once, when nobody is inside,
// and nobody gets in after that.
func TestShut(t *testing.T) {
	r := testkit.Rand(t)
	p := newPool(t, pool.Config{Count: 256})
	for range 300 {
		var b Base
		b.Init(Options{Pool: p})
		var inside, lasts, wakes atomic.Int64
		var over atomic.Bool
		wake := func() {
			for range 3 {
				runtime.Gosched()
			}
			wakes.Add(1)
		}
		last := func() error {
			if wakes.Load() == 0 {
				t.Error("last was called before wake had ended")
			}
			if n := inside.Load(); n != 0 {
				t.Errorf("last was called with %d calls inside", n)
			}
			over.Store(true)
			lasts.Add(1)
			return nil
		}
		var wait sync.WaitGroup
		for range 4 {
			pause := 1 + r.IntN(20)
			wait.Go(func() {
				for b.Enter() {
					inside.Add(1)
					if over.Load() {
						t.Error("Enter let somebody in after last")
					}
					for range pause {
						runtime.Gosched()
					}
					inside.Add(-1)
					b.Leave()
				}
				if b.Enter() {
					t.Error("Enter let somebody in after it had refused")
				}
			})
		}
		for range 3 {
			pause := r.IntN(50)
			wait.Go(func() {
				for range pause {
					runtime.Gosched()
				}
				if err := b.Shut(wake, last); err != nil {
					t.Error(err)
				}
				select {
				case <-b.Shutting():
				default:
					t.Error("Shutting is open after Shut")
				}
			})
		}
		wait.Wait()
		if lasts.Load() != 1 || wakes.Load() != 1 {
			t.Fatalf("last was called %d times, wake %d times", lasts.Load(), wakes.Load())
		}
	}
}

// TestShutInside: last waits for the last call inside, and what wake wakes.
func TestShutInside(t *testing.T) {
	p := newPool(t, pool.Config{Count: 256})
	var b Base
	b.Init(Options{Pool: p})
	called := false
	for range 3 {
		if !b.Enter() {
			t.Fatal("Enter of an open port failed")
		}
	}
	woken := false
	if err := b.Shut(func() { woken = true }, func() error { called = true; return errors.New("for nobody") }); err != nil {
		t.Errorf("Shut returned %v, though last was not called yet", err)
	}
	if !woken {
		t.Error("wake was not called")
	}
	for i := range 3 {
		if b.Enter() {
			t.Error("Enter of a closed port succeeded")
		}
		if called {
			t.Fatalf("last was called with %d calls inside", 3-i)
		}
		b.Leave()
	}
	if !called {
		t.Error("last was not called after the last call")
	}
	if err := b.Shut(nil, func() error { t.Error("another last was called"); return nil }); err != nil {
		t.Errorf("Shut again returned %v", err)
	}

	// Alone, it returns last's error, once; wake and last may be nil.
	var c Base
	c.Init(Options{Pool: p})
	failed := errors.New("failed")
	if err := c.Shut(nil, func() error { return failed }); err != failed {
		t.Errorf("Shut returned %v, want last's error", err)
	}
	if err := c.Shut(nil, func() error { return failed }); err != nil {
		t.Errorf("Shut again returned %v, want nil", err)
	}
	var d Base
	d.Init(Options{Pool: p})
	if err := d.Shut(nil, nil); err != nil {
		t.Error(err)
	}
}

// TestBaseCounts: frames are counted with their bytes, and published.
func TestBaseCounts(t *testing.T) {
	p := newPool(t, pool.Config{Count: 16})
	var b Base
	b.Init(Options{Pool: p})
	bufs := make([]pool.Buffer, 0, 8)
	for i := range 6 {
		buf, err := p.CopyIn(make([]byte, 100+i))
		if err != nil {
			t.Fatal(err)
		}
		bufs = append(bufs, buf)
	}
	b.Received(bufs[:3])
	b.Received(nil)
	for _, buf := range bufs[:3] {
		buf.Release()
	}
	b.Sent(bufs[3:4])
	b.Sent(nil)
	b.Dropped(stats.ReasonTooLong, bufs[4:])
	b.Dropped(stats.ReasonTooLong, nil)
	check := func() {
		t.Helper()
		s := b.Stats()
		if s.RxPackets != 3 || s.RxBytes != 303 || s.TxPackets != 1 || s.TxBytes != 103 || s.TxDrops[stats.ReasonTooLong] != 2 || s.TxDropped() != 2 || s.RxDropped() != 0 {
			t.Errorf("Stats is\n%s", s)
		}
	}
	check()
	if err := b.Shut(nil, nil); err != nil {
		t.Error(err)
	}
	check()
}

// TestFree: buffers of several pools, of the heap and shared ones, in any order, get where they are from.
func TestFree(t *testing.T) {
	r := testkit.Rand(t)
	own, other, third := newPool(t, pool.Config{Count: 512, Name: "own"}), newPool(t, pool.Config{Count: 512, Name: "other"}), newPool(t, pool.Config{Count: 512, Name: "third"})
	var b Base
	b.Init(Options{Pool: own})
	var shared []pool.Buffer
	for range 200 {
		var bufs []pool.Buffer
		for range r.IntN(100) {
			p := []*pool.Pool{own, own, other, third}[r.IntN(4)]
			var buf pool.Buffer
			var err error
			if r.IntN(5) == 0 {
				buf, err = p.Wrap([]byte("heap"))
			} else {
				buf, err = p.Get()
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.IntN(8) == 0 && len(shared) < 50 {
				buf.Retain(1)
				shared = append(shared, buf)
			}
			bufs = append(bufs, buf)
		}
		b.Free(bufs)
	}
	b.Free(shared)
	if err := b.Shut(nil, nil); err != nil {
		t.Error(err)
	}
	for _, p := range []*pool.Pool{own, other, third} {
		if s := p.Stats(); s.InUse != 0 || s.HeapInUse != 0 {
			t.Errorf("pool %s has %d buffers in use and %d on the heap", p.Name(), s.InUse, s.HeapInUse)
		}
	}
}

func TestBaseAllocs(t *testing.T) {
	p, err := pool.New(pool.Config{Count: 512}) // tracking allocates
	if err != nil {
		t.Fatal(err)
	}
	var b Base
	b.Init(Options{Pool: p})
	bufs := make([]pool.Buffer, 64)
	if n := testing.AllocsPerRun(100, func() {
		if !b.Enter() {
			t.Fatal("closed")
		}
		k := p.GetBurst(bufs)
		b.Received(bufs[:k])
		b.Sent(bufs[:k/2])
		b.Dropped(stats.ReasonLoss, bufs[k/2:k])
		b.Leave()
	}); n != 0 {
		t.Errorf("%v allocations a burst", n)
	}
	if err := errors.Join(b.Shut(nil, nil), p.Close()); err != nil {
		t.Error(err)
	}
}

func TestWaitShut(t *testing.T) {
	p := newPool(t, pool.Config{Count: 4})
	var b Base
	b.Init(Options{Pool: p})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.WaitShut(ctx); err != context.Canceled {
		t.Errorf("WaitShut with a context that is done returned %v", err)
	}
	done := make(chan error)
	go func() { done <- b.WaitShut(context.Background()) }()
	if err := b.Shut(nil, nil); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if err != ErrClosed {
			t.Errorf("WaitShut returned %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("WaitShut sleeps on after Shut")
	}
}

// TestInterfaces: numbers stay valid while others add, and the table has an end.
func TestInterfaces(t *testing.T) {
	var table Interfaces
	if _, ok := table.Get(0); ok || len(table.All()) != 0 {
		t.Error("the zero table has something in it")
	}
	if _, ok := table.Get(1); ok {
		t.Error("the zero table has a number 1")
	}
	const each, adders = 500, 4
	var wait sync.WaitGroup
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			seen := 0
			for {
				all := table.All()
				if len(all) < seen {
					t.Errorf("the table has shrunk from %d to %d", seen, len(all))
					return
				}
				seen = len(all)
				for i := range all {
					got, ok := table.Get(uint32(i + 1))
					if !ok || got != all[i] || got.Name == "" {
						t.Errorf("number %d is %+v, %v; All says %+v", i+1, got, ok, all[i])
						return
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	var numbers [adders][each]uint32
	for a := range adders {
		wait.Go(func() {
			for i := range each {
				n, err := table.Add(Interface{Name: fmt.Sprint(a, "-", i), LinkType: uint32(i)})
				if err != nil {
					t.Error(err)
				}
				numbers[a][i] = n
			}
		})
	}
	wait.Wait()
	close(stop)
	readers.Wait()
	taken := map[uint32]bool{}
	for a := range adders {
		for i, n := range numbers[a] {
			got, ok := table.Get(n)
			if !ok || got.Name != fmt.Sprint(a, "-", i) || taken[n] || n == 0 {
				t.Fatalf("number %d, which was added as %d-%d, is %+v, %v", n, a, i, got, ok)
			}
			taken[n] = true
		}
	}
	if _, ok := table.Get(each*adders + 1); ok {
		t.Error("there is a number that was never added")
	}
	for len(table.All()) < MaxInterfaces {
		if _, err := table.Add(Interface{}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := table.Add(Interface{}); n != 0 || err != ErrTooManyInterfaces {
		t.Errorf("Add to a full table returned %d, %v", n, err)
	}
	if _, ok := table.Get(MaxInterfaces); !ok {
		t.Error("the last number is not there")
	}
	if link := (Interface{LinkType: 0x24000000 | 147}).Link(); link != 147 {
		t.Errorf("Link is %d", link)
	}
}

// TestShutRace: Enter at the very moment of Shut.
func TestShutRace(t *testing.T) {
	p := newPool(t, pool.Config{Count: 64})
	rounds := 20000
	if testing.Short() {
		rounds = 2000
	}
	ports := make(chan *Base)
	entered := make(chan int)
	var over atomic.Bool
	go func() {
		defer close(entered)
		for b := range ports {
			n := 0
			for b.Enter() {
				if over.Load() {
					t.Error("somebody is inside after last")
				}
				n++
				b.Leave()
			}
			entered <- n
		}
	}()
	for i := range rounds {
		var b Base
		b.Init(Options{Pool: p})
		over.Store(false)
		ports <- &b
		for range i % 64 {
			over.Load()
		}
		if err := b.Shut(nil, func() error { over.Store(true); return nil }); err != nil {
			t.Fatal(err)
		}
		<-entered
	}
	close(ports)
	<-entered
}

// GetContext ends with a buffer, with its context, or with the port, and leaves nothing behind.
func TestBaseGetContext(t *testing.T) {
	p := newPool(t, pool.Config{Count: 1})
	var b Base
	b.Init(Options{Pool: p})
	one, err := b.GetContext(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	if _, err := b.GetContext(short, p); err != context.DeadlineExceeded {
		t.Errorf("with a deadline: %v", err)
	}
	cancel()
	type result struct {
		b   pool.Buffer
		err error
	}
	got := make(chan result)
	get := func() {
		b, err := b.GetContext(context.Background(), p)
		got <- result{b, err}
	}
	go get()
	time.Sleep(time.Millisecond)
	one.Release()
	first := <-got
	if first.err != nil || first.b.IsZero() {
		t.Errorf("%+v", first)
	}
	go get()
	time.Sleep(time.Millisecond)
	b.Shut(nil, nil)
	if r := <-got; r.err != ErrClosed {
		t.Errorf("at Shut: %v", r.err)
	}
	if _, err := b.GetContext(context.Background(), p); err != ErrClosed {
		t.Errorf("after Shut: %v", err)
	}
	first.b.Release()
}

func TestBaseSleep(t *testing.T) {
	var b Base
	b.Init(Options{Pool: newPool(t, pool.Config{Count: 1})})
	if err := b.Sleep(t.Context(), time.Microsecond); err != nil {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	if err := b.Sleep(short, time.Hour); err != context.DeadlineExceeded {
		t.Errorf("with a deadline: %v", err)
	}
	cancel()
	slept := make(chan error)
	go func() { slept <- b.Sleep(context.Background(), time.Hour) }()
	time.Sleep(time.Millisecond)
	b.Shut(nil, nil)
	if err := <-slept; err != ErrClosed {
		t.Errorf("at Shut: %v", err)
	}
}

// TestInitPart: what a part counts is counted as the whole's, while it is open and after that, and by its further shards.
func TestInitPart(t *testing.T) {
	p := newPool(t, pool.Config{Count: 256})
	var whole, part Base
	whole.Init(Options{Pool: p, Direction: Out})
	part.InitPart(&whole)
	if part.Options.Direction != Out || part.Options.Pool != p || part.Options.Interfaces != whole.Options.Interfaces {
		t.Errorf("a part's options are %+v, the whole's %+v", part.Options, whole.Options)
	}
	own := part.NewShard()
	part.TxShard.Tx(2, 120)
	part.TxShard.Publish()
	whole.TxShard.DropTx(stats.ReasonLinkDown, 3)
	whole.TxShard.Publish()
	own.DropRx(stats.ReasonRingFull, 4)
	own.Close()
	if err := part.Shut(nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, s := range []stats.Snapshot{whole.Stats(), part.Stats()} {
		if s.TxPackets != 2 || s.TxDrops[stats.ReasonLinkDown] != 3 || s.RxDrops[stats.ReasonRingFull] != 4 {
			t.Errorf("Stats is\n%s", s)
		}
	}
	if err := whole.Shut(nil, nil); err != nil {
		t.Fatal(err)
	}
}
