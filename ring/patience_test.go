//go:build !interleave

package ring

import (
	"runtime"
	"testing"

	"github.com/ringway-net/ringway/cpu"
)

// An end begins to pause when it has found several items after a wait, doubles the pause while it finds several, but
// few, halves it for single ones, and leaves off when it finds none.
func TestPacer(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	p := newPacer(1000, options{patience: 5})
	for _, step := range []struct {
		woken bool
		found uint64
		now   uint32
	}{
		{false, 7, 0}, // not asked: no pause, no look
		{true, 1, 0},
		{true, 2, 1},
		{false, 2, 2},
		{false, 63, 4},
		{false, 63, 5}, // the most
		{false, 64, 5}, // enough
		{false, 1, 2},
		{false, 1, 1},
		{false, 1, 1},
		{false, 0, 0},
	} {
		before := p.now
		if step.woken {
			p.woken(step.found)
		} else if n := p.look(func(uint64) uint64 { return step.found }); n != step.found && before > 0 || n != 0 && before == 0 {
			t.Errorf("%+v: found %d", step, n)
		}
		if p.now != step.now {
			t.Fatalf("%+v: now %d", step, p.now)
		}
	}
	runtime.GOMAXPROCS(1)
	if p.woken(64); p.now != 0 {
		t.Errorf("pauses with one processor: %d", p.now)
	}
}

// Half of a small ring is enough: who waits for more keeps the other end waiting.
func TestPacerOfSmallRing(t *testing.T) {
	for capacity, enough := range map[int]uint64{1: 1, 2: 1, 3: 2, 8: 4, 127: 64, 128: 64, MaxCapacity: 64} {
		if p := newPacer(capacity, options{}); p.enough != enough {
			t.Errorf("capacity %d: %d is enough, want %d", capacity, p.enough, enough)
		}
	}
}

func TestPatienceOption(t *testing.T) {
	for want, o := range map[uint32][]Option{
		DefaultPatience: nil,
		0:               {Patience(0)},
		3:               {Patience(7), Patience(3)},
		cpu.MaxPause:    {Patience(cpu.MaxPause + 1)},
	} {
		p, c, err := NewSPSC[int](4, o...)
		if err != nil || p.pace.most != want || c.pace.most != want {
			t.Errorf("%v: %d and %d, want %d", err, p.pace.most, c.pace.most, want)
		}
	}
}

// Who pauses, and finds nothing, is told of the other end's Close as ever; nothing of it allocates.
func TestPatientEndIsToldOfClose(t *testing.T) {
	p, c, _ := NewSPSC[int](1)
	p.TryPush(1)
	c.Close()
	if n := testing.AllocsPerRun(100, func() {
		p.pace.now = 1
		if err := p.Push(t.Context(), 2); err != ErrClosed {
			t.Errorf("Push: %v", err)
		}
	}); n != 0 {
		t.Errorf("Push: %v allocations", n)
	}
	c.TryPop()
	if n := testing.AllocsPerRun(100, func() {
		c.pace.now = 1
		if _, err := c.Pop(t.Context()); err != ErrClosed || c.pace.now != 0 {
			t.Errorf("Pop: %v, then a pause of %d", err, c.pace.now)
		}
	}); n != 0 {
		t.Errorf("Pop: %v allocations", n)
	}
}
