// The search against one that leaves nothing out: random programs, whose every outcome it must find.

package interleave

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// instruction is one of a random program's; what it reads goes to the thread's log.
type instruction struct{ kind, loc, arg int }

const instructions = 12

// machine is what the threads of a random program share.
type machine struct {
	x      [2]Uint32
	m      [2]Mutex
	k      Token
	given  bool
	logs   [3][]string
	locked [3][2]bool
}

func (s *machine) do(r *Run, t int, in instruction, done <-chan struct{}) {
	say := func(v any) { s.logs[t] = append(s.logs[t], fmt.Sprint(v)) }
	x := &s.x[in.loc]
	switch in.kind {
	case 0, 1:
		say(x.Load())
	case 2:
		x.Store(uint32(in.arg))
	case 3:
		say(x.Add(uint32(in.arg)))
	case 4, 5:
		say(x.CompareAndSwap(uint32(in.arg-1), uint32(in.arg)))
	case 6:
		if !s.locked[t][in.loc] {
			s.m[in.loc].Lock()
			s.locked[t][in.loc] = true
		}
	case 7:
		if s.locked[t][in.loc] {
			s.m[in.loc].Unlock()
			s.locked[t][in.loc] = false
		}
	case 8:
		if t == 0 && !s.given {
			s.given = true
			s.k.Give()
		}
	case 9:
		if t > 0 {
			ok := s.k.Take(done)
			say(ok)
			if ok && in.arg == 2 {
				s.k.Give()
			}
		}
	case 10:
		say(x.Load())
		Yield()
		say(x.Load())
	case 11:
		if !s.locked[t][in.loc] {
			s.locked[t][in.loc] = s.m[in.loc].TryLock()
			say(s.locked[t][in.loc])
		}
	}
}

// outcomes returns how the program can end, and how many schedules that took.
func outcomes(t *testing.T, program [][]instruction, timeout bool, o Options) (map[string]bool, Result) {
	ends := map[string]bool{}
	var s *machine
	run := func(r *Run) {
		s = &machine{}
		var done <-chan struct{}
		if timeout {
			done = r.Timeout().Done()
		}
		m := s
		for i, body := range program {
			r.Go(fmt.Sprint("t", i), func() {
				for _, in := range body {
					m.do(r, i, in, done)
				}
				for l, held := range m.locked[i] {
					if held {
						m.m[l].Unlock()
					}
				}
			})
		}
	}
	// A deadlock is an outcome too: its state is noted, and the search goes on.
	x := explorer{options: o, program: run, exec: newExecution()}
	defer x.exec.stopWorkers()
	for {
		pruned := x.exec.run(&x)
		if f := x.exec.failure; f != "" && !strings.Contains(f, "deadlock") && !strings.Contains(f, "livelock") {
			t.Fatalf("%v: %s", program, f)
		}
		if !pruned {
			x.result.Schedules++
			ends[fmt.Sprint(s.x[0].v, s.x[1].v, s.logs, s.locked, s.k.there, x.exec.failure)] = true
		}
		if !x.next() {
			return ends, x.result
		}
	}
}

func stuck(ends map[string]bool) bool {
	for s := range ends {
		if strings.Contains(s, "lock: ") {
			return true
		}
	}
	return false
}

func TestSearchFindsEveryOutcome(t *testing.T) {
	rnd := testkit.Rand(t)
	exploring.Lock()
	defer exploring.Unlock()
	full := Options{Preemptions: 1 << 30, MaxSteps: 1000, MaxSchedules: 1 << 30}
	reduced := full
	reduced.Preemptions = 0
	programs, locked, all, some := 0, 0, 0, 0
	for all < 30_000 {
		program := make([][]instruction, 2+rnd.IntN(2))
		length := 1 + rnd.IntN(4)
		if len(program) == 3 {
			length = 1 + rnd.IntN(3)
		}
		for i := range program {
			for range length {
				program[i] = append(program[i], instruction{rnd.IntN(instructions), rnd.IntN(2), 1 + rnd.IntN(2)})
			}
		}
		timeout := rnd.IntN(4) == 0 && len(program) == 2
		want, n := outcomes(t, program, timeout, full)
		got, k := outcomes(t, program, timeout, reduced)
		programs, all, some = programs+1, all+n.Schedules, some+k.Schedules
		if stuck(want) {
			// Where somebody waits for ever, what he would have done next is not there to be reordered;
			// but then the search must get stuck too, which ends an exploration.
			if !stuck(got) {
				t.Fatalf("program %v, timeout %v: it can get stuck, and that was not found", program, timeout)
			}
			locked++
		} else if !maps.Equal(got, want) {
			missed := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(s string) bool { return got[s] })
			t.Fatalf("program %v, timeout %v: %d of %d outcomes found; missed for instance %v; %v %v", program, timeout, len(got), len(want), missed[:min(3, len(missed))], n, k)
		}
	}
	t.Logf("%d programs, %d of which get stuck: %d schedules in all, %d after reduction", programs, locked, all, some)
}

// orders are programs whose found must become true in some schedule that the search might think it has
// no need of.
var orders = []struct {
	name    string
	program func(r *Run, found *bool)
}{
	// The second Give waits for the first Take, so that the second Take can't be swapped with it; but
	// each taker may be the first.
	{"two takers", func(r *Run, found *bool) {
		var k Token
		var x Int32
		r.Go("giver", func() {
			k.Give()
			for x.Load() == 0 {
				Yield()
			}
			k.Give()
		})
		for i := range 2 {
			r.Go(fmt.Sprint("taker", i), func() {
				k.Take(nil)
				*found = i == 1 && x.Load() == 0 || *found
				x.Store(1)
			})
		}
	}},
	// Both wait for the same token, and only one has a time-out.
	{"one of two takers times out", func(r *Run, found *bool) {
		var k Token
		ctx := r.Timeout()
		r.Go("giver", func() { k.Give() })
		r.Go("patient", func() { k.Take(nil); k.Give() })
		r.Go("hasty", func() {
			if k.Take(ctx.Done()) {
				k.Give()
			} else {
				*found = true
			}
		})
	}},
	// A TryLock that fails, and one that does not though the other thread is not done.
	{"TryLock in the middle and after it", func(r *Run, found *bool) {
		var m Mutex
		var x Int32
		r.Go("locks", func() { m.Lock(); x.Load(); m.Unlock(); x.Store(1) })
		r.Go("tries", func() {
			first := m.TryLock()
			if !first && m.TryLock() {
				*found = x.Load() == 0 || *found
				m.Unlock()
			}
			if first {
				m.Unlock()
			}
		})
	}},
	// Two try, and the one who fails has time to do something before the other one gives the lock back.
	{"a TryLock that fails, and what comes before the Unlock", func(r *Run, found *bool) {
		var m Mutex
		var x Int32
		for i := range 2 {
			r.Go(fmt.Sprint("tries", i), func() {
				if m.TryLock() {
					*found = i == 1 && x.Load() == 1 || *found
					m.Unlock()
				} else {
					x.Store(1)
				}
			})
		}
	}},
	// The Yield may go on in the middle of the other's critical section.
	{"Yield before Unlock", func(r *Run, found *bool) {
		var m Mutex
		var x, y Int32
		r.Go("holder", func() {
			m.Lock()
			*found = y.Load() == 1 && x.Load() == 0 || *found
			m.Unlock()
			x.Store(1)
		})
		r.Go("looker", func() {
			if x.Load() == 0 {
				m.Lock()
				x.Load()
				m.Unlock()
				Yield()
			}
			y.Store(1)
		})
	}},
}

func TestSearchFindsOrder(t *testing.T) {
	for _, c := range orders {
		t.Run(c.name, func(t *testing.T) {
			found := false
			r, err := Check(Options{}, func(r *Run) { c.program(r, &found) })
			if err != nil || !found {
				t.Errorf("found: %v in %v; error: %v", found, r, err)
			}
		})
	}
}

// A Mutex may be unlocked by somebody else, and then too early.
func TestSearchFindsUnlockByAnother(t *testing.T) {
	_, err := Check(Options{}, func(r *Run) {
		var m Mutex
		r.Go("locks", m.Lock)
		r.Go("unlocks", m.Unlock)
	})
	if err == nil || !strings.Contains(err.Error(), "not locked") {
		t.Error(err)
	}
}
