package port

import (
	"context"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
)

// landed writes a frame of n bytes to place i, as the system would, and takes it.
func landed(t testing.TB, l *Landing, i, n int) pool.Buffer {
	t.Helper()
	first, rest := l.Place(i)
	for k := range min(n, len(first)) {
		first[k] = byte(k + n)
	}
	for k := len(first); k < min(n, len(first)+len(rest)); k++ {
		rest[k-len(first)] = byte(k + n)
	}
	b, ok := l.Take(i, n)
	if fits := n <= len(first)+len(rest); ok != fits {
		t.Fatalf("Take of %d bytes, with room for %d: %v", n, len(first)+len(rest), ok)
	}
	if !ok {
		return b
	}
	if b.Len() != n {
		t.Errorf("a frame of %d bytes has %d", n, b.Len())
	}
	for k, x := range b.Bytes() {
		if x != byte(k+n) {
			t.Fatalf("byte %d of %d is wrong", k, n)
		}
	}
	return b
}

// Small frames stay where they are, large ones end up whole, and what has no room leaves its place as it is.
func TestLanding(t *testing.T) {
	r := testkit.Rand(t)
	for _, with := range []bool{false, true} {
		small, large := newPool(t, pool.Config{BufferSize: 200, Count: 512}), newPool(t, pool.Config{BufferSize: 1000, Count: 512})
		var base Base
		o := Options{Pool: small}
		most := 200
		if with {
			o.Large, most = large, 1000
		}
		base.Init(o)
		var l Landing
		l.Init(&base)
		if n := l.Ready(1000); n != LandingPlaces {
			t.Errorf("%d places are ready, want all %d", n, LandingPlaces)
		}
		var kept []pool.Buffer
		for _, n := range []int{0, 1, 199, 200, 201, 999, 1000, 1001} {
			if l.Ready(1) != 1 {
				t.Fatal("no place is ready")
			}
			b := landed(t, &l, 0, n)
			switch {
			case n > most:
				continue
			case n <= 200 && b.Pool() != small || n > 200 && b.Pool() != large:
				t.Errorf("a frame of %d bytes is in %v", n, b)
			}
			kept = append(kept, b)
		}
		for range testkit.Scale(300) {
			n := l.Ready(r.IntN(LandingPlaces + 10))
			var got []pool.Buffer
			for i := range n {
				if r.IntN(5) == 0 {
					continue // nothing came there, or it was dropped
				}
				if b := landed(t, &l, i, r.IntN(1100)); !b.IsZero() {
					got = append(got, b)
				}
			}
			pool.ReleaseBurst(got)
		}
		for _, b := range kept { // nobody has written there since
			n := b.Len()
			for k, x := range b.Bytes() {
				if x != byte(k+n) {
					t.Fatalf("byte %d of a frame of %d that was taken long ago has changed", k, n)
				}
			}
		}
		pool.ReleaseBurst(kept)
		if in := large.Stats().InUse; with && in > LandingPlaces || !with && in != 0 {
			t.Errorf("%d large buffers are out", in)
		}
		l.Close()
		l.Close()
		base.Shut(nil, nil)
	}
}

// A large pool whose buffers are no larger adds nothing.
func TestLandingLargeIsSmall(t *testing.T) {
	small, large := newPool(t, pool.Config{BufferSize: 200}), newPool(t, pool.Config{BufferSize: 200})
	var base Base
	base.Init(Options{Pool: small, Large: large})
	var l Landing
	l.Init(&base)
	l.Ready(1)
	if first, rest := l.Place(0); len(first) != 200 || len(rest) != 0 {
		t.Errorf("the place has %d + %d bytes", len(first), len(rest))
	}
	if _, ok := l.Take(0, 201); ok {
		t.Error("201 bytes of 200 were taken")
	}
	l.Close()
	base.Shut(nil, nil)
}

// When a pool is exhausted as many places are ready as there are buffers for; and Wait ends with the buffer that
// comes, of whichever pool it was, with its context, or with the port.
func TestLandingExhausted(t *testing.T) {
	for which := range 2 {
		pools := [2]*pool.Pool{newPool(t, pool.Config{Count: 10, BufferSize: 100}), newPool(t, pool.Config{Count: 10, BufferSize: 300})}
		pools[1-which] = newPool(t, pool.Config{Count: 1000, BufferSize: []int{300, 100}[which]})
		var base Base
		base.Init(Options{Pool: pools[0], Large: pools[1]})
		var l Landing
		l.Init(&base)
		if n := l.Ready(64); n != 10 {
			t.Errorf("%d places are ready, want 10", n)
		}
		var got []pool.Buffer
		for i := range 10 { // of the exhausted pool's
			got = append(got, landed(t, &l, i, []int{50, 250}[which]))
		}
		if n := l.Ready(64); n != 0 {
			t.Errorf("%d places are ready, want none", n)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := l.Wait(short); err != context.DeadlineExceeded {
			t.Errorf("Wait with a deadline: %v", err)
		}
		cancel()
		waited := make(chan error)
		go func() { waited <- l.Wait(context.Background()) }()
		time.Sleep(time.Millisecond)
		got[9].Release()
		if err := <-waited; err != nil {
			t.Errorf("Wait: %v", err)
		}
		if n := l.Ready(64); n != 1 {
			t.Errorf("%d places are ready after one buffer came back, want 1", n)
		}
		got[9] = landed(t, &l, 0, []int{50, 250}[which])
		go func() { waited <- l.Wait(context.Background()) }()
		time.Sleep(time.Millisecond)
		base.Shut(nil, func() error { return nil })
		if err := <-waited; err != ErrClosed {
			t.Errorf("Wait of a port that is closed: %v", err)
		}
		pool.ReleaseBurst(got)
		l.Close()
	}
}

func TestLandingNoAllocations(t *testing.T) {
	small, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	large, err := pool.New(pool.Config{BufferSize: LargeBufferSize, Count: 128})
	if err != nil {
		t.Fatal(err)
	}
	var base Base
	base.Init(Options{Pool: small, Large: large})
	var l Landing
	l.Init(&base)
	if n := testing.AllocsPerRun(100, func() {
		for i := range l.Ready(64) {
			l.Place(i)
			b, ok := l.Take(i, 1000+i%2*2000)
			if !ok {
				t.Fatal("not taken")
			}
			b.Release()
		}
	}); n != 0 {
		t.Errorf("%v allocations for 64 frames", n)
	}
	l.Close()
	base.Shut(nil, nil)
	if err := small.Close(); err != nil {
		t.Error(err)
	}
	if err := large.Close(); err != nil {
		t.Error(err)
	}
}
