package patience

import (
	"testing"
	"testing/synctest"
	"time"
)

// state is what p says of itself.
func state(p *Patience) (tries int, left time.Duration, waits bool) {
	end, ok := p.End()
	if ok {
		left = time.Until(end)
	}
	return p.Tries(), left, ok
}

func TestPatience(t *testing.T) {
	for bound, want := range map[time.Duration]time.Duration{0: DefaultBound, 3 * time.Second: 3 * time.Second, 1: 1} {
		synctest.Test(t, func(t *testing.T) {
			p := Patience{Bound: bound}
			for round := range 3 {
				if tries, left, waits := state(&p); tries != 0 || left != 0 || waits {
					t.Errorf("%v, round %d: with room, %d tries, %v left, waits %v", bound, round, tries, left, waits)
				}
				if p.Full() {
					t.Errorf("%v, round %d: over at once", bound, round)
				}
				if tries, left, waits := state(&p); tries != 1 || left != want || !waits {
					t.Errorf("%v, round %d: at first, %d tries, %v left, waits %v", bound, round, tries, left, waits)
				}
				time.Sleep(want - 1)
				if p.Full() {
					t.Errorf("%v, round %d: over before its time", bound, round)
				}
				if tries, left, waits := state(&p); tries != 2 || left != 1 || !waits {
					t.Errorf("%v, round %d: before its time, %d tries, %v left, waits %v", bound, round, tries, left, waits)
				}
				time.Sleep(time.Nanosecond)
				// It doesn't know until it tries again.
				if _, left, waits := state(&p); left != 0 || !waits {
					t.Errorf("%v, round %d: at its time, %v left, waits %v", bound, round, left, waits)
				}
				for range 2 {
					if !p.Full() {
						t.Errorf("%v, round %d: not over at its time", bound, round)
					}
					if tries, _, waits := state(&p); tries < 3 || waits {
						t.Errorf("%v, round %d: over, %d tries, waits %v", bound, round, tries, waits)
					}
					time.Sleep(time.Hour)
				}
				p.Room()
			}
		})
	}
}

func TestAllocs(t *testing.T) {
	var p Patience
	if n := testing.AllocsPerRun(100, func() {
		p.Full()
		p.End()
		p.Room()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
