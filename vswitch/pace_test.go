package vswitch

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

func TestParsePace(t *testing.T) {
	for text, want := range map[string]Pace{
		"original":   {Speed: 1},
		"2x":         {Speed: 2},
		"0.5×":       {Speed: 0.5},
		"10kpps":     {Rate: port.Rate{PPS: 10e3}},
		"1.5Mpps":    {Rate: port.Rate{PPS: 1.5e6}},
		"200Mbit/s":  {Rate: port.Rate{BPS: 200e6}},
		"1Gbps":      {Rate: port.Rate{BPS: 1e9}},
		"1000000x":   {Speed: 1e6},
		"0.000001x":  {Speed: 1e-6},
		"100bit/s":   {Rate: port.Rate{BPS: 100}},
		"0.1pps":     {Rate: port.Rate{PPS: 0.1}},
		"9999999pps": {Rate: port.Rate{PPS: 9999999}},
	} {
		if got, err := ParsePace(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "2", "-1x", "0x", "0pps", "-5pps", "NaNx", "Infx", "1e9x", "fast", "10kp", "2xx", "0x10pps", "Original"} {
		if got, err := ParsePace(text); !errors.Is(err, port.ErrValue) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// offsets returns when frames of those capture times (ns, 0: none) may go.
func offsets(t *testing.T, pace Pace, size int, times ...int64) []time.Duration {
	t.Helper()
	p := newPool(t, pool.Config{Count: 1})
	pacer := &pacer{Pace: pace}
	var all []time.Duration
	for _, at := range times {
		b, err := p.CopyIn(make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		if at != 0 {
			b.SetMeta(pool.Meta{Time: at})
		}
		if pace.Speed > 0 {
			all = append(all, pacer.due(b).Sub(pacer.start))
		} else {
			all = append(all, pacer.next())
			pacer.gone([]pool.Buffer{b})
		}
		b.Release()
	}
	return all
}

func TestPaceOffsets(t *testing.T) {
	const T = int64(1_700_000_000_000_000_000)
	ms := func(d ...float64) (all []time.Duration) {
		for _, x := range d {
			all = append(all, time.Duration(x*1e6))
		}
		return all
	}
	for _, c := range []struct {
		name  string
		pace  Pace
		times []int64
		want  []time.Duration
	}{
		{"original", Pace{Speed: 1}, []int64{T, T + 1e6, T + 5e6}, ms(0, 1, 5)},
		{"twice as fast", Pace{Speed: 2}, []int64{T, T + 1e6, T + 5e6}, ms(0, .5, 2.5)},
		{"out of order", Pace{Speed: 1}, []int64{T, T + 5e6, T + 3e6, T + 6e6}, ms(0, 5, 5, 6)},
		{"second pass", Pace{Speed: 1}, []int64{T, T + 5e6, T, T + 5e6}, ms(0, 5, 5, 10)},
		{"without a time", Pace{Speed: 1}, []int64{0, T, 0, T + 2e6}, ms(0, 0, 0, 2)},
		{"frames", Pace{Rate: port.Rate{PPS: 1000}}, []int64{0, 0, 0}, ms(0, 1, 2)},
		{"bits", Pace{Rate: port.Rate{BPS: 1e6}}, []int64{0, 0, 0}, ms(0, 1, 2)},
	} {
		got := offsets(t, c.pace, 125, c.times...) // 1000 bits each
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%s: frame %d at %v, want %v", c.name, i, got[i], c.want[i])
			}
		}
	}
}

// After a hundred million frames at an odd rate the time of the next one is still exact.
func TestPaceDoesNotDrift(t *testing.T) {
	const frames = 100_000_000
	p := &pacer{Pace: Pace{Rate: port.Rate{PPS: 333_333}}, frames: frames}
	seconds := float64(frames) / 333_333
	if got := p.next().Seconds(); math.Abs(got-seconds) > 1e-8 {
		t.Errorf("%.9f s, want %.9f", got, seconds)
	}
}

// By a rate, only frames that are due are received.
func TestPaceAllows(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		rate         port.Rate
		frames, bits float64
		after        time.Duration
		n            int
		wait         time.Duration
	}{
		{port.Rate{PPS: 1000}, 0, 0, 0, 1, 0},
		{port.Rate{PPS: 1000}, 1, 480, 0, 0, time.Millisecond},
		{port.Rate{PPS: 1000}, 1, 480, time.Millisecond, 1, 0},
		{port.Rate{PPS: 1000}, 1, 480, 5 * time.Millisecond, 5, 0},
		{port.Rate{PPS: 1000}, 1, 480, time.Hour, burst, 0},
		{port.Rate{BPS: 1e6}, 10, 10_000, 0, 0, 10 * time.Millisecond},
		{port.Rate{BPS: 1e6}, 10, 10_000, 12 * time.Millisecond, 3, 0},
		{port.Rate{PPS: 1e-6}, 1, 1, 0, 0, 1_000_000 * time.Second},
		{port.Rate{PPS: 1e-12}, 1, 1, 0, 0, math.MaxInt64},
	} {
		p := &pacer{Pace: Pace{Rate: c.rate}, start: now, frames: c.frames, bits: c.bits}
		n, from := p.allow(now.Add(c.after))
		if n != c.n || n == 0 && from.Sub(now) != c.wait {
			t.Errorf("%+v: %d from %v on", c, n, from.Sub(now))
		}
	}
}

// A gap that no clock can hold is the longest that there is, and not one in the past.
func TestPaceOverflow(t *testing.T) {
	got := offsets(t, Pace{Speed: 1e-6}, 60, 1, 1+int64(3*time.Hour))
	if got[1] < 100*365*24*time.Hour {
		t.Errorf("three hours at a millionth of the speed are over in %v", got[1])
	}
}

// A paced way that ends early has sent what was due, and nothing of what was not.
func TestPacedEnd(t *testing.T) {
	for _, pace := range []Pace{{Rate: port.Rate{PPS: 0.001}}, {Rate: port.Rate{BPS: 1}}} {
		p := newPool(t, pool.Config{})
		in, out := open(t, p, "gen:", port.In), open(t, p, "null:", port.Out)
		f := newForward(t, ForwardConfig{In: in, Out: out, Pace: pace})
		ctx, cancel := context.WithCancel(t.Context())
		wait := start(ctx, t, f)
		eventually(t, "the first frame", func() bool { return f.Stats().Sent() == 1 })
		cancel()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		if s := balanced(t, f); s.Received() != 1 || s.Dropped() != 0 {
			t.Errorf("%+v: received %d, dropped %d", pace, s.Received(), s.Dropped())
		}
	}
	// By the capture's clock one frame had to be received to know that it was not due.
	p := newPool(t, pool.Config{})
	far, in := pair(t, p, mem.Config{}, mem.Config{})
	f := newForward(t, ForwardConfig{In: in, Out: open(t, p, "null:", port.Out), Pace: Pace{Speed: 1}})
	ctx, cancel := context.WithCancel(t.Context())
	wait := start(ctx, t, f)
	for _, at := range []time.Duration{1, 2 * time.Hour, 3 * time.Hour} {
		b, err := p.CopyIn(make([]byte, 60))
		if err != nil {
			t.Fatal(err)
		}
		b.SetMeta(pool.Meta{Time: int64(at)})
		if n, err := far.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	eventually(t, "two frames to be received", func() bool { return f.Stats().Received() >= 2 && f.Stats().Sent() == 1 })
	cancel()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	s := balanced(t, f)
	if s.Sent() != 1 || s.Ports[1].TxDrops[stats.ReasonClosed] != s.Received()-1 || s.Received() > 3 {
		t.Errorf("received %d, sent %d, dropped %v", s.Received(), s.Sent(), s.Ports[1].TxDrops)
	}
}

// A stall of up to maxBehind is caught up with, and of a longer one the rest is forgotten.
func TestPaceAfterStall(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ late, moved time.Duration }{{0, 0}, {maxBehind, 0}, {maxBehind + time.Second, time.Second}, {-time.Hour, 0}} {
		p := &pacer{start: now}
		p.behind(now.Add(-c.late), now)
		if got := p.start.Sub(now); got != c.moved {
			t.Errorf("%v late: the clock moved by %v, want %v", c.late, got, c.moved)
		}
	}
}

// Frames of a paced way leave all and in order, and no earlier than the pace says.
func TestForwardPaced(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := open(t, p, "gen:count=200", port.In), open(t, p, "null:", port.Out)
	f := newForward(t, ForwardConfig{In: in, Out: out, Pace: Pace{Rate: port.Rate{PPS: 4000}}})
	began := time.Now()
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The last frame is due 199 intervals after the first. (Later is possible on
	// any machine, earlier on none.)
	if took := time.Since(began); took < 199*time.Second/4000 {
		t.Errorf("200 frames at 4000 a second took %v", took)
	}
	if s := balanced(t, f); s.Sent() != 200 {
		t.Errorf("sent %d of 200", s.Sent())
	}
}
