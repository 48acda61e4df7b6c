package mem_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPool(t testing.TB) *pool.Pool {
	t.Helper()
	return pooltest.New(t, pool.Config{Count: 4096, Track: 1})
}

// link is a pair of ends, closed at the end of the test.
func link(t testing.TB, p *pool.Pool, ca, cb mem.Config) (a, b port.Port) {
	t.Helper()
	o := port.Options{Pool: p}
	a, b, err := mem.Pair(o, o, ca, cb)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, a, b)
	return a, b
}

func closeLater(t testing.TB, ports ...port.Port) {
	t.Cleanup(func() {
		for _, p := range ports {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// numbered makes n buffers that have their numbers, from first on, in them.
func numbered(t testing.TB, p *pool.Pool, first, n int) []pool.Buffer {
	t.Helper()
	bufs := make([]pool.Buffer, n)
	for i := range bufs {
		b, err := p.CopyIn(binary.BigEndian.AppendUint32(nil, uint32(first+i)))
		if err != nil {
			t.Fatal(err)
		}
		bufs[i] = b
	}
	return bufs
}

// take receives until there is nothing, and returns the frames' numbers.
func take(t testing.TB, p port.Port) (numbers []int, err error) {
	t.Helper()
	bufs := make([]pool.Buffer, 16)
	for {
		n, err := p.Rx(bufs)
		for _, b := range bufs[:n] {
			numbers = append(numbers, int(binary.BigEndian.Uint32(b.Bytes())))
			b.Release()
		}
		if n == 0 {
			return numbers, err
		}
	}
}

// sendAll sends bufs, which the way must have room for.
func sendAll(t testing.TB, p port.Port, bufs []pool.Buffer) {
	t.Helper()
	if n, err := p.Tx(bufs); n != len(bufs) || err != nil {
		pool.ReleaseBurst(bufs[n:])
		t.Fatalf("Tx of %d returned %d, %v", len(bufs), n, err)
	}
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// TestByHandle: the very buffers come out, with their Meta, shared ones shared.
func TestByHandle(t *testing.T) {
	p := newPool(t)
	a, b := link(t, p, mem.Config{}, mem.Config{})
	sent := numbered(t, p, 0, 3)
	sent[1].SetMeta(pool.Meta{Time: 7})
	sent[2].Retain(1)
	want := slices.Clone(sent)
	sendAll(t, a, sent)
	got := make([]pool.Buffer, 4)
	if n, err := b.Rx(got); n != 3 || err != nil || !slices.Equal(got[:3], want) {
		t.Fatalf("Rx returned %d, %v: %v, want %v", n, err, got, want)
	}
	if m, ok := got[1].Meta(); !ok || m.Time != 7 || !got[2].Shared() {
		t.Errorf("the Meta is %v, %v, and the third one shared: %v", m, ok, got[2].Shared())
	}
	pool.ReleaseBurst(got[:3])
	want[2].Release()
}

// TestLoss: the frames that are lost depend on the seed alone, not on the bursts, and are about as many as they
// should be; they are counted.
func TestLoss(t *testing.T) {
	r := testkit.Rand(t)
	p := newPool(t)
	const frames = 2000
	pass := func(c mem.Config, burst func() int) []int {
		t.Helper()
		c.Capacity = 300
		a, b := link(t, p, c, mem.Config{})
		var got []int
		for sent := 0; sent < frames; {
			bufs := numbered(t, p, sent, min(burst(), frames-sent))
			for len(bufs) > 0 {
				n, err := a.Tx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				sent += n
				bufs = bufs[n:]
				if r.IntN(10) == 0 || n == 0 {
					more, err := take(t, b)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, more...)
				}
			}
		}
		more, err := take(t, b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, more...)
		s := a.Stats()
		if s.TxPackets != uint64(len(got)) || s.TxDrops[stats.ReasonLoss] != uint64(frames-len(got)) || s.TxDropped() != uint64(frames-len(got)) || s.TxBytes != 4*s.TxPackets {
			t.Errorf("%d of %d frames came, and Stats is\n%s", len(got), frames, s)
		}
		return got
	}
	one := func() int { return 1 }
	any := func() int { return 1 + r.IntN(100) }
	for _, loss := range []float64{0.001, 0.1, 0.5, 0.9} {
		first := pass(mem.Config{Loss: loss, Seed: 7}, one)
		if second := pass(mem.Config{Loss: loss, Seed: 7}, any); !slices.Equal(first, second) {
			t.Errorf("loss %v: the frames that came differ with the bursts:\n%v\n%v", loss, first, second)
		}
		if other := pass(mem.Config{Loss: loss, Seed: 8}, one); slices.Equal(first, other) {
			t.Errorf("loss %v: another seed loses the same frames", loss)
		}
		// These seeds are fixed: this always fails or never.
		lost, want := float64(frames-len(first)), loss*frames
		if math.Abs(lost-want) > 5*math.Sqrt(want*(1-loss)) {
			t.Errorf("loss %v: %v of %d frames were lost", loss, lost, frames)
		}
	}
	if got := pass(mem.Config{Loss: 1}, any); len(got) != 0 {
		t.Errorf("loss 1: %d frames came", len(got))
	}
	if got := pass(mem.Config{}, any); !slices.Equal(got, upTo(frames)) {
		t.Errorf("loss 0: %d of %d frames came", len(got), frames)
	}
}

// TestLossWhenFull: a frame that does not fit is the caller's still, and is not drawn for a second time.
func TestLossWhenFull(t *testing.T) {
	p := newPool(t)
	const loss, seed = 0.3, 3
	wide, far := link(t, p, mem.Config{Loss: loss, Seed: seed}, mem.Config{})
	sendAll(t, wide, numbered(t, p, 0, 100))
	want, err := take(t, far)
	if err != nil {
		t.Fatal(err)
	}
	narrow, far := link(t, p, mem.Config{Loss: loss, Seed: seed, Capacity: 1}, mem.Config{})
	var got []int
	for bufs := numbered(t, p, 0, 100); len(bufs) > 0; {
		n, err := narrow.Tx(bufs)
		if err != nil {
			t.Fatal(err)
		}
		bufs = bufs[n:]
		if n == 0 || len(bufs) == 0 {
			more, err := take(t, far)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, more...)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("by a ring of one came %v, by a wide one %v", got, want)
	}
}

// TestDelay: frames are not there before their time, and come in order, after the sender has gone too.
func TestDelay(t *testing.T) {
	p := newPool(t)
	const delay = 30 * time.Millisecond
	a, b := link(t, p, mem.Config{Delay: delay, Capacity: 50}, mem.Config{})
	var before time.Time
	for i := range 3 {
		before = time.Now()
		sendAll(t, a, numbered(t, p, 10*i, 10))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	// Those of the last burst have its time at least.
	got := []int{}
	for {
		more, err := take(t, b)
		got = append(got, more...)
		if len(got) > 20 && time.Since(before) < delay {
			t.Errorf("frame %d came after %v, before its time", len(got)-1, time.Since(before))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := b.WaitRx(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, upTo(30)) {
		t.Errorf("came %v", got)
	}

	// WaitRx that sleeps for a frame's time wakes up for its context and for Close.
	a, b = link(t, p, mem.Config{Delay: time.Hour}, mem.Config{})
	sendAll(t, a, numbered(t, p, 0, 1))
	if n, err := b.Rx(make([]pool.Buffer, 1)); n != 0 || err != nil {
		t.Errorf("Rx of a frame that takes an hour: %d, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := b.WaitRx(ctx); err != context.DeadlineExceeded {
		t.Errorf("WaitRx with a deadline: %v", err)
	}
	done := make(chan error)
	go func() { done <- b.WaitRx(context.Background()) }()
	time.Sleep(time.Millisecond)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(t, done); err != port.ErrClosed {
		t.Errorf("WaitRx of a port that is closed: %v", err)
	}
	if s := b.Stats(); s.RxPackets != 0 || s.RxDrops[stats.ReasonClosed] != 1 {
		t.Errorf("Stats of the end that was closed with a frame on its way is\n%s", s)
	}
}

func wait(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		buf := make([]byte, 1<<20)
		t.Fatalf("not over after a minute:\n%s", buf[:runtime.Stack(buf, true)])
		return nil
	}
}

// TestErrors: the errors come at their frames, once, whatever the bursts; no frame is lost by them.
func TestErrors(t *testing.T) {
	p := newPool(t)
	mine := errors.New("mine")
	for _, burst := range []int{1, 3, 64} {
		a, b := link(t, p, mem.Config{TxErrAt: 10, TxErr: mine}, mem.Config{RxErrAt: 20})
		var txErr, rxErr []int // how many frames there were before each error
		sent := 0
		for sent < 40 {
			bufs := numbered(t, p, sent, min(burst, 40-sent))
			if err := a.WaitTx(t.Context()); err != nil {
				t.Fatal(err)
			}
			n, err := a.Tx(bufs)
			sent += n
			pool.ReleaseBurst(bufs[n:])
			if err != nil {
				txErr = append(txErr, sent)
				if err != mine || n != 0 {
					t.Errorf("Tx returned %d, %v", n, err)
				}
			}
		}
		var got []int
		for len(got) < 40 {
			if err := b.WaitRx(t.Context()); err != nil {
				t.Fatal(err)
			}
			bufs := make([]pool.Buffer, burst)
			n, err := b.Rx(bufs)
			for _, buf := range bufs[:n] {
				got = append(got, int(binary.BigEndian.Uint32(buf.Bytes())))
				buf.Release()
			}
			if err != nil {
				rxErr = append(rxErr, len(got))
				if err != mem.ErrInjected || n != 0 {
					t.Errorf("Rx returned %d, %v", n, err)
				}
			}
		}
		if !slices.Equal(txErr, []int{9}) || !slices.Equal(rxErr, []int{19}) {
			t.Errorf("in bursts of %d: errors of Tx after %v frames, of Rx after %v, want 9 and 19", burst, txErr, rxErr)
		}
		if !slices.Equal(got, upTo(40)) {
			t.Errorf("in bursts of %d came %v", burst, got)
		}
		if a.Stats().TxErrors != 1 || b.Stats().RxErrors != 1 {
			t.Errorf("counted %d and %d errors", a.Stats().TxErrors, b.Stats().RxErrors)
		}
	}
	// The first of all: WaitRx does not wait for a frame then.
	o := port.Options{Pool: p}
	lone, err := port.Open("mem:errors,rxerr=1,txerr=1", o)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, lone)
	if err := lone.WaitRx(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := lone.Rx(make([]pool.Buffer, 1)); n != 0 || err != mem.ErrInjected {
		t.Errorf("Rx returned %d, %v", n, err)
	}
	if err := lone.WaitTx(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := lone.Tx(nil); n != 0 || err != mem.ErrInjected {
		t.Errorf("Tx returned %d, %v", n, err)
	}
}

// TestNames: two ends a name, and what the first can do alone.
func TestNames(t *testing.T) {
	p := newPool(t)
	o := port.Options{Pool: p}
	open := func(name string) port.Port {
		t.Helper()
		e, err := port.Open(name, o)
		if err != nil {
			t.Fatal(err)
		}
		closeLater(t, e)
		return e
	}
	a := open("mem:names")
	if mode := a.Info().Mode; !strings.Contains(mode, "waits") {
		t.Errorf("Mode of a lone end is %q", mode)
	}
	bufs := numbered(t, p, 0, 2)
	if n, err := a.Tx(bufs); n != 0 || err != nil {
		t.Errorf("Tx of a lone end returned %d, %v", n, err)
	}
	if n, err := a.Rx(make([]pool.Buffer, 1)); n != 0 || err != nil {
		t.Errorf("Rx of a lone end returned %d, %v", n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := errors.Join(a.WaitTx(ctx), a.WaitRx(ctx)); strings.Count(fmt.Sprint(err), "deadline") != 2 {
		t.Errorf("waiting with a deadline, a lone end says %v", err)
	}
	tx, rx := make(chan error, 1), make(chan error, 1)
	go func() { tx <- a.WaitTx(context.Background()) }()
	go func() { rx <- a.WaitRx(context.Background()) }()
	time.Sleep(time.Millisecond)
	b := open("mem:names,capacity=5")
	if err := wait(t, tx); err != nil {
		t.Errorf("WaitTx for the other end: %v", err)
	}
	sendAll(t, b, numbered(t, p, 5, 1))
	if err := wait(t, rx); err != nil {
		t.Errorf("WaitRx for the other end: %v", err)
	}
	sendAll(t, a, bufs)
	for e, want := range map[port.Port][]int{a: {5}, b: {0, 1}} {
		if got, err := take(t, e); err != nil || !slices.Equal(got, want) {
			t.Errorf("came %v, %v; want %v", got, err, want)
		}
	}

	if _, err := port.Open("mem:names", o); !errors.Is(err, mem.ErrTaken) || !errors.Is(err, port.ErrSpec) {
		t.Errorf("a third end: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := mem.Open("names", o, mem.Config{}); !errors.Is(err, mem.ErrTaken) {
		t.Errorf("a third end while one is open: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	c := open("mem:names") // a new pair
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	d, e := open("mem:names"), open("mem:names")
	sendAll(t, d, numbered(t, p, 0, 1))
	if got, err := take(t, e); err != nil || len(got) != 1 {
		t.Errorf("between new ends of an old name came %v, %v", got, err)
	}
	// A lone end that is closed wakes up.
	f := open("mem:other")
	go func() { tx <- f.WaitTx(context.Background()) }()
	go func() { rx <- f.WaitRx(context.Background()) }()
	time.Sleep(time.Millisecond)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(t, tx); err != port.ErrClosed {
		t.Errorf("WaitTx of a lone end that is closed: %v", err)
	}
	if err := wait(t, rx); err != port.ErrClosed {
		t.Errorf("WaitRx of a lone end that is closed: %v", err)
	}
}

// TestPeerCloses: what is on its way still comes; then Rx is at its end, and Tx drops.
func TestPeerCloses(t *testing.T) {
	p := newPool(t)
	a, b := link(t, p, mem.Config{Capacity: 8}, mem.Config{Capacity: 8})
	sendAll(t, a, numbered(t, p, 0, 8))
	sendAll(t, b, numbered(t, p, 0, 5))
	// Asleep for room, which never comes; but nobody takes what is sent any more.
	full := make(chan error, 1)
	go func() { full <- b.WaitTx(context.Background()) }()
	sendAll(t, b, numbered(t, p, 5, 3))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if err := wait(t, full); err != nil {
		t.Errorf("WaitTx of a full end whose peer is closed returned %v", err)
	}
	sendAll(t, b, numbered(t, p, 8, 3))
	if err := b.WaitRx(t.Context()); err != nil {
		t.Error(err)
	}
	got, err := take(t, b)
	if !slices.Equal(got, upTo(8)) || err != io.EOF {
		t.Errorf("came %v, %v; want 8 frames and io.EOF", got, err)
	}
	if err := b.WaitRx(t.Context()); err != nil {
		t.Errorf("WaitRx at the end: %v", err)
	}
	sa, sb := a.Stats(), b.Stats()
	if sa.TxPackets != 8 || sb.RxPackets != 8 || sb.TxPackets != 8 || sb.TxDrops[stats.ReasonLinkDown] != 3 || sb.TxDropped() != 3 || sa.RxPackets != 0 || sa.RxDrops[stats.ReasonClosed] != 8 {
		t.Errorf("Stats of the one that was closed first, and of the other:\n%s\n%s", sa, sb)
	}
}

// TestCloseAnytime: both directions busy, everything closed at any moment, by anybody: nothing leaks,
// nothing panics, and what one end has sent is what the other has received or dropped.
func TestCloseAnytime(t *testing.T) {
	r := testkit.Rand(t)
	p := newPool(t)
	rounds := 250
	if testing.Short() {
		rounds = 50
	}
	for round := range rounds {
		c := mem.Config{Capacity: 1 + r.IntN(40), Loss: []float64{0, 0.2}[r.IntN(2)], Seed: r.Uint64()}
		if r.IntN(3) == 0 {
			c.Delay = time.Duration(r.IntN(50)) * time.Microsecond
		}
		var ends [2]port.Port
		o := port.Options{Pool: p}
		var err error
		if r.IntN(2) == 0 {
			ends[0], ends[1], err = mem.Pair(o, o, c, c)
		} else {
			name := fmt.Sprint("anytime", round)
			for i := range ends {
				if ends[i], err = mem.Open(name, o, c); err != nil {
					break
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		for _, e := range ends {
			taken := 0
			work.Go(func() {
				var bufs [8]pool.Buffer
				for i := 0; ; i++ {
					k := p.GetBurst(bufs[:1+i%8])
					n, err := e.Tx(bufs[:k])
					taken += n
					pool.ReleaseBurst(bufs[n:k])
					if err == nil && n == 0 {
						err = e.WaitTx(context.Background())
					}
					if err != nil {
						if err != port.ErrClosed {
							t.Error(err)
						}
						if s := e.Stats(); s.TxPackets+s.TxDropped() != uint64(taken) {
							t.Errorf("Tx took %d frames; Stats is\n%s", taken, s)
						}
						return
					}
					runtime.Gosched()
				}
			})
			work.Go(func() {
				var bufs [5]pool.Buffer
				for {
					n, err := e.Rx(bufs[:])
					pool.ReleaseBurst(bufs[:n])
					if n == 0 && err == nil {
						err = e.WaitRx(context.Background())
					}
					if err == port.ErrClosed {
						return
					}
					if err != nil && err != io.EOF {
						t.Error(err)
						return
					}
					runtime.Gosched()
				}
			})
		}
		for range 1 + r.IntN(3) { // once by several at least; each is closed in the end
			e := ends[r.IntN(2)]
			pause := time.Duration(r.IntN(150)) * time.Microsecond
			work.Go(func() {
				time.Sleep(pause)
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		for _, i := range r.Perm(2) {
			time.Sleep(time.Duration(r.IntN(100)) * time.Microsecond)
			if err := ends[i].Close(); err != nil {
				t.Error(err)
			}
		}
		work.Wait()
		for i := range ends {
			sent, got := ends[i].Stats(), ends[1-i].Stats()
			if sent.TxPackets != got.RxPackets+got.RxDropped() {
				t.Fatalf("round %d, %+v: end %d sent %d frames, %d were received and %d dropped on the way in", round, c, i, sent.TxPackets, got.RxPackets, got.RxDropped())
			}
		}
		if s := p.Stats(); s.InUse != 0 || s.Cached != 0 {
			t.Fatalf("round %d: %d buffers are in use and %d in caches", round, s.InUse, s.Cached)
		}
	}
}

func TestConfig(t *testing.T) {
	p := newPool(t)
	o := port.Options{Pool: p}
	for field, c := range map[string]mem.Config{
		"Capacity": {Capacity: -1},
		"Loss":     {Loss: 1.5},
		"Loss ":    {Loss: math.NaN()},
		"Delay":    {Delay: -1},
		"MTU":      {MTU: pool.MaxFrame + 1},
	} {
		field = strings.TrimSpace(field)
		for _, pair := range [][2]mem.Config{{c, {}}, {{}, c}} {
			if _, _, err := mem.Pair(o, o, pair[0], pair[1]); !errors.Is(err, mem.ErrConfig) || !strings.Contains(err.Error(), "Config."+field+" is") {
				t.Errorf("%+v: %v, want one about %s", c, err, field)
			}
		}
		if _, err := mem.Open("config", o, c); !errors.Is(err, mem.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, _, err := mem.Pair(o, port.Options{}, mem.Config{}, mem.Config{}); err != port.ErrNoPool {
		t.Errorf("without a pool: %v", err)
	}
	for _, text := range []string{"mem:", "mem:x,capacity=0", "mem:x,capacity=2M", "mem:x,loss=2", "mem:x,loss=-1%", "mem:x,delay=5", "mem:x,mtu=0", "mem:x,rxerr=0", "mem:x,txerr=-1", "mem:x,seed=x"} {
		_, err := port.Open(text, o)
		key, _, _ := strings.Cut(strings.TrimPrefix(text, "mem:x,"), "=")
		if !errors.Is(err, port.ErrSpec) || text != "mem:" && !strings.Contains(err.Error(), "key "+key+" is") {
			t.Errorf("%s: %v", text, err)
		}
	}
	// None of these has left its name behind.
	e, err := port.Open("mem:x,capacity=7,loss=1%,delay=1ms,mtu=100,name=me,seed=5", o)
	if err != nil {
		t.Fatal(err)
	}
	closeLater(t, e)
	if i := e.Info(); i.Name != "me" || i.MTU != 100 || i.Live {
		t.Errorf("Info is %+v", i)
	}
	live, _ := link(t, p, mem.Config{Live: true}, mem.Config{})
	if !live.Info().Live {
		t.Error("Config.Live has no effect")
	}
}

func TestAllocs(t *testing.T) {
	for name, c := range map[string]mem.Config{
		"plain":   {},
		"lossy":   {Loss: 0.3},
		"delayed": {Delay: time.Nanosecond},
		"mtu":     {MTU: 1514},
	} {
		p, err := pool.New(pool.Config{}) // tracking allocates
		if err != nil {
			t.Fatal(err)
		}
		o := port.Options{Pool: p}
		a, b, err := mem.Pair(o, o, c, c)
		if err != nil {
			t.Fatal(err)
		}
		bufs := make([]pool.Buffer, 64)
		if n := testing.AllocsPerRun(200, func() {
			k := p.GetBurst(bufs)
			if n, err := a.Tx(bufs[:k]); n != k || err != nil {
				t.Fatal(n, err)
			}
			if err := a.WaitTx(t.Context()); err != nil {
				t.Fatal(err)
			}
			for {
				n, err := b.Rx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				p.PutBurst(bufs[:n])
				if n == 0 && p.Stats().InUse == 0 {
					break
				}
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a burst", name, n)
		}
		if err := errors.Join(a.Close(), b.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkHandOver: one goroutine sends bursts of buffers, another receives them.
func BenchmarkHandOver(b *testing.B) {
	for _, burst := range []int{1, 32, 64} {
		b.Run(fmt.Sprint(burst), func(b *testing.B) {
			p, err := pool.New(pool.Config{})
			if err != nil {
				b.Fatal(err)
			}
			o := port.Options{Pool: p}
			one, two, err := mem.Pair(o, o, mem.Config{}, mem.Config{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var work sync.WaitGroup
			work.Go(func() {
				c := p.NewCache()
				defer c.Close()
				bufs := make([]pool.Buffer, 64)
				for got := 0; got < b.N; {
					n, err := two.Rx(bufs)
					if err == nil && n == 0 {
						err = two.WaitRx(context.Background())
					}
					if err != nil {
						b.Error(err)
						return
					}
					c.PutBurst(bufs[:n])
					got += n
				}
			})
			c := p.NewCache()
			defer c.Close()
			bufs := make([]pool.Buffer, burst)
			for sent := 0; sent < b.N; {
				k := c.GetBurst(bufs[:min(burst, b.N-sent)])
				if k == 0 {
					runtime.Gosched()
					continue
				}
				sent += k
				for rest := bufs[:k]; len(rest) > 0; {
					n, err := one.Tx(rest)
					rest = rest[n:]
					if err == nil && n == 0 {
						err = one.WaitTx(context.Background())
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			work.Wait()
			if err := errors.Join(one.Close(), two.Close()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkBothEnds: one goroutine sends bursts and receives them.
func BenchmarkBothEnds(b *testing.B) {
	p, err := pool.New(pool.Config{})
	if err != nil {
		b.Fatal(err)
	}
	o := port.Options{Pool: p}
	one, two, err := mem.Pair(o, o, mem.Config{}, mem.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer one.Close()
	defer two.Close()
	c := p.NewCache()
	defer c.Close()
	bufs := make([]pool.Buffer, 64)
	c.GetBulk(bufs)
	b.ReportAllocs()
	for done := 0; done < b.N; {
		n, err := one.Tx(bufs[:min(64, b.N-done)])
		if err != nil {
			b.Fatal(err)
		}
		if k, err := two.Rx(bufs[:n]); k != n || err != nil {
			b.Fatal(k, err)
		}
		done += n
	}
	c.PutBurst(bufs)
}

// Two ends in one program, by name: what one sends, the other receives.
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	a, err := port.Open("mem:wire", port.Options{Pool: p})
	if err != nil {
		panic(err)
	}
	b, err := port.Open("mem:wire", port.Options{Pool: p})
	if err != nil {
		panic(err)
	}
	frame, err := p.CopyIn([]byte("a frame"))
	if err != nil {
		panic(err)
	}
	if _, err := a.Tx([]pool.Buffer{frame}); err != nil {
		panic(err)
	}
	bufs := make([]pool.Buffer, 8)
	n, err := b.Rx(bufs)
	fmt.Printf("%d: %s %v\n", n, bufs[0].Bytes(), err)
	bufs[0].Release()
	a.Close()
	n, err = b.Rx(bufs)
	fmt.Println(n, err)
	b.Close()
	// Output:
	// 1: a frame <nil>
	// 0 EOF
}

// A link that loses every tenth frame or so, always the same ones.
func ExamplePair() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	o := port.Options{Pool: p}
	a, b, err := mem.Pair(o, o, mem.Config{Loss: 0.1, Seed: 1}, mem.Config{})
	if err != nil {
		panic(err)
	}
	bufs := make([]pool.Buffer, 100)
	p.GetBulk(bufs)
	n, _ := a.Tx(bufs)
	got, _ := b.Rx(bufs)
	p.PutBurst(bufs[:got])
	lost := a.Stats().TxDrops[stats.ReasonLoss]
	fmt.Println(n == 100, got+int(lost) == 100, lost > 0)
	a.Close()
	b.Close()
	// Output: true true true
}
