package vswitch

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
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
		all = append(all, pacer.offset(b))
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
	pool := newPool(t, pool.Config{Count: 1})
	b, err := pool.Get()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	const frames = 100_000_000
	p := &pacer{Pace: Pace{Rate: port.Rate{PPS: 333_333}}, frames: frames}
	seconds := float64(frames) / 333_333
	if got := p.offset(b).Seconds(); math.Abs(got-seconds) > 1e-8 {
		t.Errorf("%.9f s, want %.9f", got, seconds)
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
