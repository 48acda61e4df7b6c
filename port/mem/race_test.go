package mem

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// pair opens two ends for the tests of what happens in the middle of calls.
func pair(t *testing.T, c Config) (p *pool.Pool, a, b *end) {
	t.Helper()
	p, err := pool.New(pool.Config{Count: 256, Track: 1})
	if err != nil {
		t.Fatal(err)
	}
	o := port.Options{Pool: p}
	one, two, err := Pair(o, o, c, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, e := range []port.Port{one, two} {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, one.(*end), two.(*end)
}

// TestPushAfterSweep: the other end is closed, and has taken out what there was, between the moment at which a push
// has found room and the one at which it publishes its frames: it takes them out again.
func TestPushAfterSweep(t *testing.T) {
	for _, delay := range []time.Duration{0, time.Hour} {
		p, a, b := pair(t, Config{Delay: delay})
		first := []pool.Buffer{get(t, p)}
		if n, err := a.Tx(first); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if !a.Enter() { // in the middle of Tx
			t.Fatal("closed")
		}
		slots, _ := a.out.in.Reserve(2)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if delay > 0 {
			dues, _ := a.out.dueIn.Reserve(2)
			clear(dues)
			a.out.dueIn.Commit(2)
		}
		late := []pool.Buffer{get(t, p), get(t, p)}
		copy(slots, late)
		a.out.in.Commit(2)
		if down := a.pushed(late); !down {
			t.Error("the other end is closed, and nobody noticed")
		}
		a.Leave()
		sa, sb := a.Stats(), b.Stats()
		if sa.TxPackets != 1 || sa.TxDrops[stats.ReasonLinkDown] != 2 || sa.TxDropped() != 2 || sb.RxDrops[stats.ReasonClosed] != 1 || sb.RxDropped() != 1 {
			t.Errorf("delay %v: one frame was sent before Close and two in the middle of it; Stats of both ends are\n%s\n%s", delay, sa, sb)
		}
	}
}

func get(t *testing.T, p *pool.Pool) pool.Buffer {
	t.Helper()
	b, err := p.CopyIn([]byte("frame"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEndAfterLastPush: an end that is being closed while it is in the middle of Tx may still send: the other one is not
// at its end before that is over, and sleeps meanwhile.
func TestEndAfterLastPush(t *testing.T) {
	p, a, b := pair(t, Config{})
	if !a.Enter() { // in the middle of Tx
		t.Fatal("closed")
	}
	slots, _ := a.out.in.Reserve(1)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	bufs := make([]pool.Buffer, 2)
	if n, err := b.Rx(bufs); n != 0 || err != nil {
		t.Errorf("Rx while the other end is in the middle of Tx returned %d, %v", n, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := b.WaitRx(short); err != context.DeadlineExceeded {
		t.Errorf("WaitRx while the other end is in the middle of Tx returned %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- b.WaitRx(context.Background()) }()
	late := []pool.Buffer{get(t, p)}
	copy(slots, late)
	a.out.in.Commit(1)
	if down := a.pushed(late); down {
		t.Error("the other end is there, and goes on receiving")
	}
	a.Leave()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("WaitRx returned %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("WaitRx sleeps on at the end")
	}
	if n, err := b.Rx(bufs); n != 1 || err != nil {
		t.Fatalf("Rx returned %d, %v, want the last frame", n, err)
	}
	bufs[0].Release()
	if n, err := b.Rx(bufs); n != 0 || err != io.EOF {
		t.Errorf("Rx returned %d, %v, want io.EOF", n, err)
	}
	if a.Stats().TxPackets != 1 {
		t.Errorf("Stats has %d sent", a.Stats().TxPackets)
	}
}
