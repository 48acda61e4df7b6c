package porttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/port/null"
	"github.com/ringway-net/ringway/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broken is a port with faults: functions that are nil leave the call to the port.
type broken struct {
	port.Port
	o      port.Options
	rx, tx func(p port.Port, bufs []pool.Buffer) (int, error)
	waitRx func(p port.Port, ctx context.Context) error
	waitTx func(p port.Port, ctx context.Context) error
	stats  func(stats.Snapshot) stats.Snapshot
	info   func(port.Info) port.Info
	close  func(p port.Port) error
	// Of a port.Sleeper: see sleeping.
	sleepyRx func(p port.Sleeper) bool
	sleepRx  func(p port.Sleeper, ctx context.Context) error
	muteRx   func(p port.Sleeper, on bool)
}

func (b *broken) Rx(bufs []pool.Buffer) (int, error) {
	if b.rx != nil {
		return b.rx(b.Port, bufs)
	}
	return b.Port.Rx(bufs)
}

func (b *broken) Tx(bufs []pool.Buffer) (int, error) {
	if b.tx != nil {
		return b.tx(b.Port, bufs)
	}
	return b.Port.Tx(bufs)
}

func (b *broken) WaitRx(ctx context.Context) error {
	if b.waitRx != nil {
		return b.waitRx(b.Port, ctx)
	}
	return b.Port.WaitRx(ctx)
}

func (b *broken) WaitTx(ctx context.Context) error {
	if b.waitTx != nil {
		return b.waitTx(b.Port, ctx)
	}
	return b.Port.WaitTx(ctx)
}

func (b *broken) Stats() stats.Snapshot {
	if b.stats != nil {
		return b.stats(b.Port.Stats())
	}
	return b.Port.Stats()
}

func (b *broken) Info() port.Info {
	if b.info != nil {
		return b.info(b.Port.Info())
	}
	return b.Port.Info()
}

func (b *broken) Close() error {
	if b.close != nil {
		return b.close(b.Port)
	}
	return b.Port.Close()
}

// sleeping is a broken port that is a port.Sleeper.
type sleeping struct{ *broken }

func (b sleeping) SleepyRx() bool {
	if p := b.Port.(port.Sleeper); b.sleepyRx != nil {
		return b.sleepyRx(p)
	} else {
		return p.SleepyRx()
	}
}

func (b sleeping) SleepRx(ctx context.Context) error {
	if p := b.Port.(port.Sleeper); b.sleepRx != nil {
		return b.sleepRx(p, ctx)
	} else {
		return p.SleepRx(ctx)
	}
}

func (b sleeping) MuteRx(on bool) {
	if p := b.Port.(port.Sleeper); b.muteRx != nil {
		b.muteRx(p, on)
	} else {
		p.MuteRx(on)
	}
}

// sleeperKind is like memKind for ports that are port.Sleepers, or nil where none here is.
var sleeperKind func(mend func(b *broken)) Kind

// sleeps reports whether a check is of sleepChecks.
func sleeps(c check) bool { return strings.HasPrefix(c.name, "sleep/") }

// forgetsToWake makes an unmuting that wakes nobody for what frames don't tell of.
func forgetsToWake(b *broken) {
	b.muteRx = func(p port.Sleeper, on bool) {
		if on || p.SleepyRx() {
			p.MuteRx(on)
		}
	}
}

var made atomic.Int64

// memKind is mem, each port of which mend has broken.
func memKind(mend func(b *broken)) Kind {
	return Kind{
		Name: "mem",
		Does: port.Both,
		Open: func(t TB, e Env) *Link {
			c := mem.Config{Capacity: 600, MTU: 2000}
			theirs := port.Options{Pool: e.Other}
			one, two, err := mem.Pair(e.Options, theirs, c, mem.Config{})
			if err != nil {
				t.Fatalf("%v", err)
			}
			feed := func(frames [][]byte) {
				for _, f := range frames {
					b, err := e.Other.CopyIn(f)
					if err != nil {
						t.Fatalf("%v", err)
					}
					if n, err := two.Tx([]pool.Buffer{b}); n != 1 {
						b.Release()
						if !t.Failed() && err != port.ErrClosed {
							t.Errorf("the other end's Tx: %d, %v", n, err)
						}
						return
					}
				}
			}
			sent := func(n int) (frames [][]byte) {
				bufs := make([]pool.Buffer, 64)
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				for {
					k, err := two.Rx(bufs)
					for _, b := range bufs[:k] {
						frames = append(frames, slices.Clone(b.Bytes()))
						b.Release()
					}
					if k == 0 && (len(frames) >= n || err != nil || two.WaitRx(ctx) != nil) {
						return frames
					}
				}
			}
			end := func() { _ = two.Close() }
			feed(e.Frames)
			b := &broken{Port: one, o: e.Options}
			mend(b)
			return &Link{Port: b, Feed: feed, End: end, Sent: sent, Fills: c.Capacity, Done: end}
		},
		String: func(TB, port.Direction) string { return fmt.Sprint("mem:broken", made.Add(1)) },
	}
}

// TestSound: the suite has nothing to say about a port that isn't broken, wrapped in the same way.
func TestSound(t *testing.T) {
	for _, c := range checks {
		r := runCheck(c.name, memKind(func(*broken) {}), c)
		if len(r.errors) > 0 || (r.skipped != "") != sleeps(c) {
			t.Errorf("%s: %q, skipped for %q", c.name, r.errors, r.skipped)
		}
		if sleeps(c) && sleeperKind != nil {
			r := runCheck(c.name, sleeperKind(func(*broken) {}), c)
			if len(r.errors) > 0 || r.skipped != "" {
				t.Errorf("%s: %q, skipped for %q", c.name, r.errors, r.skipped)
			}
		}
	}
}

// TestBroken: each fault is found, by the check that is for it, and named.
func TestBroken(t *testing.T) {
	forever, stop := context.WithCancel(context.Background())
	deaf := func(ctx context.Context) error { // ends for its context alone
		select {
		case <-ctx.Done():
		case <-forever.Done():
		}
		return ctx.Err()
	}
	never := func() error {
		<-forever.Done()
		return nil
	}
	var mu sync.Mutex
	var ports []port.Port
	var hanging, verdicts []func()
	t.Cleanup(func() { // let those go that hang; all faults are through then
		stop()
		for _, p := range ports {
			_ = p.Close()
		}
	})
	// once makes a fault happen at the nth call and no other.
	once := func(nth int) func() bool {
		n := 0
		return func() bool {
			n++
			return n == nth
		}
	}
	injected := errors.New("broken")

	for _, fault := range []struct {
		name  string
		mend  func(b *broken)
		check string // the one that finds it
		says  string // in one of its errors
		hangs bool
	}{
		{"Rx leaks a buffer", func(b *broken) {
			now := once(3)
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 0 && now() {
					bufs[0].Retain(1)
				}
				return n, err
			}
		}, "rx/frames", "buffers are left", false},
		{"Rx gives a dead buffer", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 0 {
					bufs[0].Release()
				}
				return n, err
			}
		}, "rx/kept", "is not live", false},
		{"Rx returns more than it was asked for", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				return len(bufs) + 1, nil
			}
		}, "rx/frames", "Rx of 0 returned 1 frames", false},
		{"Rx returns fewer than it received", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				return max(0, n-1), err
			}
		}, "rx/frames", "left a live buffer", false},
		{"Rx panics without room", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				_ = bufs[0]
				return p.Rx(bufs)
			}
		}, "rx/frames", "panic: runtime error: index out of range", false},
		{"Rx turns the order round", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				slices.Reverse(bufs[:n])
				return n, err
			}
		}, "rx/frames", "it was expected as number", false},
		{"Rx changes a byte", func(b *broken) {
			now := once(5)
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 0 && now() {
					bufs[0].Bytes()[40] ^= 1
				}
				return n, err
			}
		}, "rx/frames", "byte 40 is", false},
		{"Rx loses a frame", func(b *broken) {
			now := once(1)
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if now() {
					p.Rx(bufs[:min(1, len(bufs))])
					for _, b := range bufs[:min(1, len(bufs))] {
						if !b.IsZero() {
							b.Release()
						}
					}
				}
				return p.Rx(bufs)
			}
		}, "rx/end", "is not the one expected", false},
		{"Rx gives one buffer twice", func(b *broken) {
			var last pool.Buffer
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 1 && last.IsZero() {
					last = bufs[0]
					bufs[1].Release()
					bufs[1] = last
				}
				return n, err
			}
		}, "rx/kept", "are the same buffer", false},
		{"Rx goes on writing to what it gave", func(b *broken) {
			var kept []pool.Buffer
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				for _, b := range kept {
					b.Bytes()[50]++
				}
				kept = append(kept, bufs[:n]...)
				return n, err
			}
		}, "rx/kept", "has changed while later ones were received", false},
		{"Rx blocks while there is nothing", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n == 0 && err == nil {
					_ = never()
				}
				return n, err
			}
		}, "rx/idle", "inside of Rx of", true},
		{"Rx fails without buffers", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if b.o.Pool.Free() == 0 {
					return 0, pool.ErrExhausted
				}
				return p.Rx(bufs)
			}
		}, "rx/no_buffers", "Rx without buffers returned pool: exhausted", false},
		{"Rx drops without buffers, though it isn't live", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if b.o.Pool.Free() == 0 {
					for _, b := range bufs[:n] {
						b.Release()
					}
					clear(bufs[:n])
					n = 0
				}
				return n, err
			}
			b.waitRx = func(p port.Port, ctx context.Context) error {
				if b.o.Pool.Free() == 0 {
					return nil
				}
				return p.WaitRx(ctx)
			}
		}, "rx/no_buffers", "inside of WaitRx", true},
		{"io.EOF comes once", func(b *broken) {
			over := false
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if err == io.EOF && over {
					return 0, nil
				}
				over = err == io.EOF
				return n, err
			}
		}, "rx/end", "Rx at the end returned 0, <nil>", false},
		{"WaitRx ignores its context", func(b *broken) {
			b.waitRx = func(p port.Port, ctx context.Context) error { return p.WaitRx(forever) }
		}, "rx/idle", "inside of WaitRx", true},
		{"WaitRx has an error of its own for the context", func(b *broken) {
			b.waitRx = func(p port.Port, ctx context.Context) error {
				if err := p.WaitRx(ctx); err != nil && ctx.Err() != nil {
					return injected
				}
				return nil
			}
		}, "rx/idle", "want context.Canceled", false},
		{"WaitRx misses a frame", func(b *broken) {
			b.waitRx = func(_ port.Port, ctx context.Context) error { return deaf(ctx) }
		}, "rx/idle", "inside of WaitRx", true},
		{"WaitRx misses Close", func(b *broken) {
			b.waitRx = func(p port.Port, ctx context.Context) error {
				err := p.WaitRx(ctx)
				if err == port.ErrClosed {
					_ = never()
				}
				return err
			}
		}, "rx/idle", "inside of WaitRx", true},
		{"Tx leaks a buffer", func(b *broken) {
			now := once(3)
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if len(bufs) > 0 && now() {
					bufs[0].Retain(1)
				}
				return p.Tx(bufs)
			}
		}, "tx/frames", "buffers are left", false},
		{"Tx consumes one more than it says", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if len(bufs) < 2 {
					return p.Tx(bufs)
				}
				n, err := p.Tx(bufs[:len(bufs)-1])
				bufs[n].Release()
				return n, err
			}
		}, "tx/frames", "is dead, though it is still the caller's", false},
		{"Tx consumes one less than it says", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if len(bufs) < 2 {
					return p.Tx(bufs)
				}
				n, err := p.Tx(bufs[:len(bufs)-1])
				return n + 1, err
			}
		}, "tx/frames", "frames, and Stats has", false},
		{"Tx returns a negative number", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) { return -1, injected }
		}, "tx/frames", "Tx of 0 returned -1 frames", false},
		{"Tx clears the caller's slice", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Tx(bufs)
				clear(bufs)
				return n, err
			}
		}, "tx/full", "which is the caller's: no buffer instead of buffer", false},
		{"Tx blocks while the way is full", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Tx(bufs)
				if n < len(bufs) && err == nil {
					_ = never()
				}
				return n, err
			}
		}, "tx/full", "inside of Tx of", true},
		{"Tx fails for frames that are too long", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				for i, b := range bufs {
					if b.Len() > 2000 {
						if i == 0 {
							return 0, injected
						}
						return p.Tx(bufs[:i])
					}
				}
				return p.Tx(bufs)
			}
		}, "tx/odd_sizes", "frames to go: broken", false},
		{"Tx swallows frames that are too long", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				for i, b := range bufs {
					if b.Len() > 2000 && i > 0 {
						return p.Tx(bufs[:i])
					} else if b.Len() > 2000 {
						b.Release()
						return 1, nil
					}
				}
				return p.Tx(bufs)
			}
		}, "tx/odd_sizes", "and 0 dropped as too_long", false},
		{"Tx cuts frames", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if len(bufs) > 0 && bufs[0].Len() > 1000 {
					_ = bufs[0].TrimBack(1)
				}
				return p.Tx(bufs)
			}
		}, "tx/frames", "instead of", false},
		{"Tx writes to shared buffers", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				if len(bufs) > 0 && bufs[0].Len() > 20 {
					bufs[0].Bytes()[20]++
				}
				return p.Tx(bufs)
			}
		}, "tx/shared", "was written to after Tx: byte 20 is", false},
		{"Tx gives shared buffers back twice", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				for _, b := range bufs {
					if b.Shared() {
						b.Release()
					}
				}
				return p.Tx(bufs)
			}
		}, "tx/shared", "is dead", false},
		{"WaitTx ignores its context", func(b *broken) {
			b.waitTx = func(p port.Port, ctx context.Context) error { return p.WaitTx(forever) }
		}, "tx/full", "inside of WaitTx", true},
		{"WaitTx misses Close", func(b *broken) {
			b.waitTx = func(p port.Port, ctx context.Context) error {
				err := p.WaitTx(ctx)
				if err == port.ErrClosed {
					_ = never()
				}
				return err
			}
		}, "tx/full", "inside of WaitTx", true},
		{"received frames are counted twice", func(b *broken) {
			b.stats = func(s stats.Snapshot) stats.Snapshot {
				s.RxPackets *= 2
				return s
			}
		}, "rx/frames", "packets and", false},
		{"sent bytes are not counted", func(b *broken) {
			b.stats = func(s stats.Snapshot) stats.Snapshot {
				s.TxBytes = 0
				return s
			}
		}, "tx/frames", "bytes, and Stats has 0 sent", false},
		{"Tx counts what it refuses", func(b *broken) {
			refused := uint64(0)
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Tx(bufs)
				refused += uint64(len(bufs) - n)
				return n, err
			}
			b.stats = func(s stats.Snapshot) stats.Snapshot {
				s.TxDrops[stats.ReasonRingFull] += refused
				return s
			}
		}, "tx/full", "frames, and Stats has", false},
		{"Close fails the second time", func(b *broken) {
			var closed atomic.Bool
			b.close = func(p port.Port) error {
				err := p.Close()
				if closed.Swap(true) {
					return injected
				}
				return err
			}
		}, "rx/closed", "Close: broken", false},
		{"Close panics the second time", func(b *broken) {
			c := make(chan struct{})
			b.close = func(p port.Port) error {
				err := p.Close()
				close(c)
				return err
			}
		}, "tx/closed", "panic: close of closed channel", false},
		{"Rx after Close is at its end", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if err == port.ErrClosed {
					err = io.EOF
				}
				return n, err
			}
		}, "rx/closed", "Rx after Close returned EOF", false},
		{"Tx after Close takes frames", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Tx(bufs)
				if err == port.ErrClosed {
					for _, b := range bufs {
						b.Release()
					}
					return len(bufs), err
				}
				return n, err
			}
		}, "tx/closed", "Tx after Close took 2 frames", false},
		{"Tx works on a port for receiving", func(b *broken) {
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Tx(bufs)
				if errors.Is(err, port.ErrDirection) {
					for _, b := range bufs {
						b.Release()
					}
					return len(bufs), nil
				}
				return n, err
			}
		}, "rx/not_sending", "returned 2, <nil>, want 0 and port.ErrDirection", false},
		{"Rx works on a port for sending", func(b *broken) {
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if errors.Is(err, port.ErrDirection) {
					err = nil
				}
				return n, err
			}
		}, "tx/not_receiving", "returned 0, <nil>, want 0 and port.ErrDirection", false},
		{"Info has another kind", func(b *broken) {
			b.info = func(i port.Info) port.Info {
				i.Kind = "else"
				return i
			}
		}, "info", `Info.Kind is "else"`, false},
		{"Info changes", func(b *broken) {
			n := int64(0)
			b.info = func(i port.Info) port.Info {
				n++
				i.Done = n
				return i
			}
		}, "info", "with nothing in between", false},
		{"no MTU", func(b *broken) {
			b.info = func(i port.Info) port.Info {
				i.MTU = 0
				return i
			}
		}, "tx/odd_sizes", "Info.MTU is 0", false},
		{"a goroutine is left", func(b *broken) {
			go func() { _ = never() }()
		}, "info", "goroutines are left", false},
		{"a cache is left", func(b *broken) {
			b.o.Pool.NewCache()
		}, "rx/closed", "caches open", false},
		{"a descriptor is left", func(b *broken) {
			f, err := os.Open(os.DevNull)
			if err == nil {
				t.Cleanup(func() { _ = f.Close() })
			}
		}, "descriptors", "descriptors are open", false},
		{"traffic in both directions at once loses frames", func(b *broken) {
			var sending atomic.Bool
			b.tx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				sending.Store(true)
				return p.Tx(bufs)
			}
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 0 && (sending.Load() || n > 8) {
					bufs[0].Bytes()[30]++
				}
				return n, err
			}
		}, "both_ways", "received: frame", false},
		{"SleepyRx is never true", func(b *broken) {
			b.sleepyRx = func(port.Sleeper) bool { return false }
		}, "sleep/wait", "SleepyRx is never true", false},
		{"SleepyRx is always true", func(b *broken) {
			b.sleepyRx = func(port.Sleeper) bool { return true }
		}, "sleep/closed", "SleepyRx of a port that was opened for sending is true", false},
		{"SleepRx ignores its context", func(b *broken) {
			b.sleepRx = func(p port.Sleeper, ctx context.Context) error { return p.SleepRx(forever) }
		}, "sleep/wait", "inside of SleepRx", true},
		{"SleepRx misses a frame", func(b *broken) {
			b.sleepRx = func(_ port.Sleeper, ctx context.Context) error { return deaf(ctx) }
		}, "sleep/wait", "inside of SleepRx", true},
		{"SleepRx misses Close", func(b *broken) {
			b.sleepRx = func(p port.Sleeper, ctx context.Context) error {
				err := p.SleepRx(ctx)
				if err == port.ErrClosed {
					_ = never()
				}
				return err
			}
		}, "sleep/closed", "inside of SleepRx", true},
		{"a muted SleepRx ignores its context", func(b *broken) {
			var muted atomic.Bool
			b.muteRx = func(p port.Sleeper, on bool) {
				muted.Store(on)
				p.MuteRx(on)
			}
			b.sleepRx = func(p port.Sleeper, ctx context.Context) error {
				err := p.SleepRx(ctx)
				if muted.Load() {
					_ = never()
				}
				return err
			}
		}, "sleep/muted", "inside of SleepRx", true},
		{"MuteRx mutes nothing", func(b *broken) {
			b.muteRx = func(p port.Sleeper, on bool) {
				if !on {
					p.MuteRx(on)
				}
			}
		}, "sleep/muted", "a frame has ended each SleepRx", false},
		{"MuteRx with false forgets to wake", func(b *broken) {
			b.muteRx = func(p port.Sleeper, on bool) {
				if on {
					p.MuteRx(on)
				}
			}
		}, "sleep/muted", "inside of SleepRx", true},
		{"MuteRx forgets what Rx has left", forgetsToWake, "sleep/left", "inside of SleepRx", true},
		{"MuteRx forgets that there are no buffers", forgetsToWake, "sleep/no_buffers", "inside of SleepRx", true},
		{"Rx beside SleepRx loses a frame", func(b *broken) {
			var asleep atomic.Bool
			b.sleepRx = func(p port.Sleeper, ctx context.Context) error {
				asleep.Store(true)
				defer asleep.Store(false)
				return p.SleepRx(ctx)
			}
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if n > 0 && asleep.Load() {
					n--
					bufs[n].Release()
					bufs[n] = pool.Buffer{}
				}
				return n, err
			}
		}, "sleep/beside", "not over after", true},
		{"Rx beside SleepRx gives frames that come later first", func(b *broken) {
			var asleep atomic.Bool
			b.sleepRx = func(p port.Sleeper, ctx context.Context) error {
				asleep.Store(true)
				defer asleep.Store(false)
				return p.SleepRx(ctx)
			}
			b.rx = func(p port.Port, bufs []pool.Buffer) (int, error) {
				n, err := p.Rx(bufs)
				if asleep.Load() {
					slices.Reverse(bufs[:n])
				}
				return n, err
			}
		}, "sleep/beside", "it was expected as number", false},
		{"MuteRx panics after Close", func(b *broken) {
			var closed atomic.Bool
			b.close = func(p port.Port) error {
				closed.Store(true)
				return p.Close()
			}
			b.muteRx = func(p port.Sleeper, on bool) {
				if closed.Load() {
					panic("muted too late")
				}
				p.MuteRx(on)
			}
		}, "sleep/closed", "panic: muted too late", false},
	} {
		i := slices.IndexFunc(checks, func(c check) bool { return c.name == fault.check })
		if i < 0 {
			t.Fatalf("there is no check %s", fault.check)
		}
		if fault.check == "descriptors" && checks[i].skip(nil) != "" {
			t.Logf("%s: not tried, %s", fault.name, checks[i].skip(nil))
			continue
		}
		kind := memKind
		if sleeps(checks[i]) {
			if kind = sleeperKind; kind == nil {
				t.Logf("%s: not tried, no port here is a port.Sleeper", fault.name)
				continue
			}
			if !mutes && strings.HasPrefix(fault.name, "MuteRx") && fault.check != "sleep/closed" {
				t.Logf("%s: not tried, nothing can be muted here", fault.name)
				continue
			}
		}
		k := kind(func(b *broken) {
			mu.Lock()
			ports = append(ports, b.Port)
			mu.Unlock()
			fault.mend(b)
		})
		judge := func(r result) {
			t.Run(fault.name, func(t *testing.T) {
				if !slices.ContainsFunc(r.errors, func(e string) bool { return strings.Contains(e, fault.says) }) {
					t.Errorf("no error says %q: %q", fault.says, r.errors)
				}
				for _, e := range r.errors {
					line, _, _ := strings.Cut(e, "\n")
					t.Log(line)
					if file, _, _ := strings.Cut(line, ":"); !strings.HasSuffix(file, ".go") {
						t.Errorf("this doesn't say where")
					}
				}
			})
		}
		if !fault.hangs {
			judge(runCheck(fault.check, k, checks[i]))
			continue
		}
		hanging = append(hanging, func() {
			k.Patience = 3 * time.Second // it hangs for good, however long one waits
			r := runCheck(fault.check, k, checks[i])
			mu.Lock()
			defer mu.Unlock()
			verdicts = append(verdicts, func() { judge(r) })
		})
	}
	// Those that hang do so all at the same time, and not while others look for goroutines.
	var wait sync.WaitGroup
	for _, f := range hanging {
		wait.Go(f)
	}
	wait.Wait()
	for _, f := range verdicts {
		f()
	}
}

// TestBrokenStrings: a kind whose port strings are not what it says they are.
func TestBrokenStrings(t *testing.T) {
	i := slices.IndexFunc(checks, func(c check) bool { return c.name == "strings" })
	k := Kind{
		Name:   "mem",
		Does:   port.Out,
		Open:   func(TB, Env) *Link { return nil },
		String: func(TB, port.Direction) string { return "null:" },
	}
	r := runCheck("strings", k, checks[i])
	if all := strings.Join(r.errors, "\n"); !strings.Contains(all, `kind "null"`) || !strings.Contains(all, `does not say "capacity"`) {
		t.Errorf("the suite says only: %s", all)
	}
	k.Name = "nothing"
	r = runCheck("strings", k, checks[i])
	if all := strings.Join(r.errors, "\n"); !strings.Contains(all, `no kind "nothing" is registered`) {
		t.Errorf("the suite says only: %s", all)
	}
}

// TestNoPort: a kind that opens nothing, and one that can't.
func TestNoPort(t *testing.T) {
	k := Kind{Name: "null", Does: port.Out, Open: func(TB, Env) *Link { return nil }}
	r := runCheck("info", k, checks[slices.IndexFunc(checks, func(c check) bool { return c.name == "info" })])
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "returned no port") {
		t.Errorf("the suite says %q", r.errors)
	}
	k.Open = func(t TB, e Env) *Link {
		t.Fatalf("can't")
		return nil
	}
	r = runCheck("info", k, checks[0])
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "can't") {
		t.Errorf("the suite says %q", r.errors)
	}
}

// Example runs the suite for the port that swallows everything.
func ExampleRun() {
	test := func(t *testing.T) { // as TestConformance, in a file of tests
		Run(t, Kind{
			Name: "null",
			Does: port.Out,
			Open: func(t TB, e Env) *Link {
				p, err := null.Open(e.Options)
				if err != nil {
					t.Fatalf("%v", err)
				}
				return &Link{Port: p}
			},
			String: func(TB, port.Direction) string { return "null:" },
		})
	}
	ok := testing.RunTests(func(string, string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "TestConformance", F: test}})
	fmt.Println(ok)
	// Output: true
}
