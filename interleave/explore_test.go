// What an exploration finds, how it says so, and how often it has to try.

package interleave

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// spin waits for x as a loop without a lock does.
func spin(x *Int32) {
	for x.Load() == 0 {
		Yield()
	}
}

// overLock stops a thread at each of its steps while another one wants its lock, or its number.
func overLock(r *Run, m *Mutex) {
	var x Int32
	for _, name := range []string{"victim", "other"} {
		r.Go(name, func() {
			if m != nil {
				m.Lock()
				defer m.Unlock()
			}
			x.Add(1)
		})
	}
}

// failures are programs that go wrong.
var failures = []struct {
	name    string
	want    string
	options Options
	program func(*Run)
}{
	{"lost update", "1 of 2", Options{}, func(r *Run) {
		var x Int32
		for i := range 2 {
			r.Go(fmt.Sprint("adder", i), func() { x.Store(x.Load() + 1) })
		}
		r.After(func() {
			if n := x.Load(); n != 2 {
				r.Errorf("%d of 2", n)
			}
		})
	}},
	{"Errorf by a thread", "saw 1", Options{}, func(r *Run) {
		var x Int32
		r.Go("writer", func() { x.Store(1) })
		r.Go("reader", func() {
			if n := x.Load(); n != 0 {
				r.Errorf("saw %d", n)
			}
		})
	}},
	{"panic", "panic: oops", Options{}, func(r *Run) {
		var x Int32
		r.Go("writer", func() { x.Store(1) })
		r.Go("reader", func() {
			if x.Load() == 1 {
				panic("oops")
			}
		})
	}},
	{"deadlock by lock order", "deadlock: nobody is left to wake: first at Lock, second at Lock", Options{}, func(r *Run) {
		var m [2]Mutex
		for i, name := range []string{"first", "second"} {
			r.Go(name, func() {
				m[i].Lock()
				defer m[i].Unlock()
				m[1-i].Lock()
				defer m[1-i].Unlock()
			})
		}
	}},
	{"lost wake-up", "deadlock: nobody is left to wake: waiter at Take", Options{}, func(r *Run) {
		var ready, waits Bool
		var wake Token
		r.Go("waiter", func() {
			if !ready.Load() {
				waits.Store(true) // too late: it should look once more
				wake.Take(nil)
			}
		})
		r.Go("waker", func() {
			ready.Store(true)
			if waits.Load() {
				wake.Give()
			}
		})
	}},
	{"livelock by Yield", "livelock: they spin", Options{}, func(r *Run) {
		var x, y Int32
		r.Go("a", func() { spin(&x); y.Store(1) })
		r.Go("b", func() { spin(&y); x.Store(1) })
	}},
	{"livelock by steps", "livelock: more than 20 steps", Options{MaxSteps: 20}, func(r *Run) {
		var x Int32
		r.Go("a", func() {
			for x.Load() == 0 {
			}
		})
		r.Go("b", func() { x.Store(1) })
	}},
	{"token twice", "Give of a Token that is there", Options{}, func(r *Run) {
		var k Token
		r.Go("a", func() { k.Give() })
		r.Go("b", func() { k.Give() })
	}},
	{"unlocked twice", "Unlock of a Mutex that is not locked", Options{}, func(r *Run) {
		var m Mutex
		r.Go("a", func() { m.Lock(); defer m.Unlock(); defer m.Unlock() })
	}},
	{"unlocked twice after TryLock", "Unlock of a Mutex that is not locked", Options{}, func(r *Run) {
		var m Mutex
		r.Go("a", func() {
			if m.TryLock() {
				m.Unlock()
			}
			m.Unlock()
		})
	}},
	{"locked by TryLock for ever", "deadlock: nobody is left to wake: b at Lock", Options{}, func(r *Run) {
		var m Mutex
		r.Go("a", func() { m.TryLock() })
		r.Go("b", func() { m.Lock(); defer m.Unlock() })
	}},
	{"tries without end", "livelock: they spin", Options{}, func(r *Run) {
		var m Mutex
		m.Lock()
		r.Go("a", func() {
			for !m.TryLock() {
				Yield()
			}
		})
	}},
	{"stalled with a lock", "deadlock", Options{Stall: "victim"}, func(r *Run) { overLock(r, new(Mutex)) }},
	{"needs two preemptions", "caught", Options{Preemptions: 2}, twice},
	{"thread of a thread", `Go("b") by a thread`, Options{}, func(r *Run) {
		var x Int32
		r.Go("a", func() { x.Load(); r.Go("b", func() {}) })
	}},
}

// twice goes wrong if each of two threads is made to wait in the middle.
func twice(r *Run) {
	var x, y Int32
	r.Go("a", func() { x.Store(1); y.Load(); x.Store(0) })
	r.Go("b", func() {
		if x.Load() == 1 && x.Load() == 0 {
			r.Errorf("caught")
		}
	})
}

// goroutine numbers and addresses in the stack of a panic are not the same each time.
func firstLine(s string) string { line, _, _ := strings.Cut(s, "\n"); return line }

var placed = regexp.MustCompile(`interleave/explore_test\.go:\d+`)

func TestFailures(t *testing.T) {
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			_, err := Check(c.options, c.program)
			var f, again *Failure
			if !errors.As(err, &f) || !strings.Contains(firstLine(f.What), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if !placed.MatchString(f.Trace) {
				t.Errorf("no places in the trace: %v", f)
			}
			o := c.options
			o.Schedule = f.Schedule
			if _, err = Check(o, c.program); !errors.As(err, &again) {
				t.Fatalf("again: %v, want %v", err, f)
			}
			if firstLine(again.What) != firstLine(f.What) || again.Trace != f.Trace || again.Schedule != f.Schedule {
				t.Errorf("again: %v, want %v", again, f)
			}
		})
	}
	if _, err := Check(Options{Preemptions: 1}, twice); err != nil {
		t.Errorf("one preemption is enough: %v", err)
	}
}

// What goes wrong before there is a step has no trace.
func TestFailuresInTheSetUp(t *testing.T) {
	for want, program := range map[string]func(*Run){
		"are the most": func(r *Run) {
			for range MaxThreads + 1 {
				r.Go("", func() {})
			}
		},
		"Choose(2) where no thread runs":    func(r *Run) { r.Choose(2) },
		"Take of a Token that is not there": func(r *Run) { new(Token).Take(nil) },
		"Lock of a Mutex that is locked": func(r *Run) {
			var m Mutex
			m.Lock()
			m.Lock()
		},
		"panic: oops": func(r *Run) { r.Go("", func() { panic("oops") }) },
	} {
		_, err := Check(Options{}, program)
		if f, ok := err.(*Failure); !ok || !strings.Contains(f.What, want) || f.Schedule != "-" {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestBackgroundIsNeverDone(t *testing.T) {
	r, err := Check(Options{}, func(r *Run) {
		var k Token
		ctx := context.Background()
		r.Go("giver", func() { k.Give() })
		r.Go("taker", func() {
			if !k.Take(ctx.Done()) || ctx.Err() != nil {
				r.Errorf("done")
			}
		})
	})
	if err != nil || r.Schedules != 1 {
		t.Error(r, err)
	}
}

func TestDataRaces(t *testing.T) {
	for want, accesses := range map[string][2]func(*int){
		"writes what a wrote": {Write[int], Write[int]},
		"writes what a read":  {Read[int], Write[int]},
		"reads what a wrote":  {Write[int], Read[int]},
		"":                    {Read[int], Read[int]},
	} {
		_, err := Check(Options{}, func(r *Run) {
			var plain int
			r.Go("a", func() { accesses[0](&plain) })
			r.Go("b", func() { accesses[1](&plain) })
		})
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		f, ok := err.(*Failure)
		if !ok || !strings.Contains(f.What, "data race: b "+want) || len(placed.FindAllString(f.What, -1)) != 2 {
			t.Errorf("got %v, want %q and two places", err, want)
		}
	}
}

// publications are ways for a thread to tell another one that it is done.
var publications = []struct {
	name         string
	fine         bool
	tell, listen func(x *Int32, m *Mutex, o *Once, k *Token) bool
}{
	{"Store", true, func(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { x.Store(1); return true }, loaded},
	{"Swap", true, func(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { x.Swap(1); return true }, loaded},
	{"Add", true, func(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { x.Add(1); return true }, loaded},
	{"CompareAndSwap", true, func(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { return x.CompareAndSwap(0, 1) },
		func(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { return x.CompareAndSwap(1, 2) }},
	{"Mutex", true, locked(1), func(x *Int32, m *Mutex, o *Once, k *Token) bool {
		m.Lock()
		defer m.Unlock()
		return x.v == 1
	}},
	{"Unlock, for a TryLock", true, locked(1), func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		if !m.TryLock() {
			return false
		}
		defer m.Unlock()
		return x.v == 1
	}},
	{"TryLock, for a Lock", true, func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		if m.TryLock() {
			x.v = 1
			m.Unlock()
		}
		return true
	}, func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		m.Lock()
		defer m.Unlock()
		return x.v == 1
	}},
	// Though there was an Unlock, that it fails tells nothing of what was before.
	{"TryLock that fails", false, func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		m.Lock()
		x.v = 0
		m.Unlock()
		x.v = 1
		m.Lock()
		return true
	}, func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		if m.TryLock() {
			m.Unlock()
			return false
		}
		return x.v == 1
	}},
	{"Once", true, func(x *Int32, _ *Mutex, o *Once, _ *Token) bool { o.Do(func() { x.v = 1 }); return true },
		func(x *Int32, _ *Mutex, o *Once, _ *Token) bool { o.Do(func() {}); return x.v == 1 }},
	{"Token", true, func(_ *Int32, _ *Mutex, _ *Once, k *Token) bool { k.Give(); return true },
		func(_ *Int32, _ *Mutex, _ *Once, k *Token) bool { return k.Take(nil) }},
	{"nothing", false, func(*Int32, *Mutex, *Once, *Token) bool { return true },
		func(*Int32, *Mutex, *Once, *Token) bool { return true }},
}

func loaded(x *Int32, _ *Mutex, _ *Once, _ *Token) bool { return x.Load() != 0 }

func locked(v int32) func(*Int32, *Mutex, *Once, *Token) bool {
	return func(x *Int32, m *Mutex, _ *Once, _ *Token) bool {
		m.Lock()
		x.v = v
		m.Unlock()
		return true
	}
}

func TestPublication(t *testing.T) {
	for _, c := range publications {
		heard := false
		_, err := Check(Options{}, func(r *Run) {
			var x Int32
			var m Mutex
			var o Once
			var k Token
			var plain int
			r.Go("teller", func() { Write(&plain); c.tell(&x, &m, &o, &k) })
			r.Go("listener", func() {
				if c.listen(&x, &m, &o, &k) {
					heard = true
					Read(&plain)
				}
			})
		})
		f, failed := err.(*Failure)
		if failed == c.fine || failed && !strings.Contains(f.What, "data race") || !heard {
			t.Errorf("%s: %v; heard: %v", c.name, err, heard)
		}
	}
}

// A Store that has not read what it overwrites does not pass it on; a Swap does.
func TestPassingOn(t *testing.T) {
	for name, overwrite := range map[string]func(*Int32){
		"Store": func(x *Int32) { x.Store(2) },
		"Swap":  func(x *Int32) { x.Swap(2) },
	} {
		_, err := Check(Options{}, func(r *Run) {
			var x Int32
			var plain int
			told := false // and not seen by the explorer: it only tells which schedule this is
			r.Go("teller", func() { Write(&plain); told = x.CompareAndSwap(0, 1) })
			r.Go("between", func() { overwrite(&x) })
			r.Go("listener", func() {
				if x.Load() == 2 && told {
					Read(&plain)
				}
			})
		})
		if raced := err != nil && strings.Contains(err.Error(), "data race"); raced != (name == "Store") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchedules(t *testing.T) {
	same := func(n int, f func(x *Int32)) func(*Run) {
		return func(r *Run) {
			var x Int32
			for i := range n {
				r.Go(fmt.Sprint(i), func() { f(&x) })
			}
		}
	}
	add := func(x *Int32) { x.Add(1) }
	for _, c := range []struct {
		name    string
		want    int
		options Options
		program func(*Run)
	}{
		{"nobody", 1, Options{}, func(*Run) {}},
		{"2 Adds", 2, Options{}, same(2, add)},
		{"3 Adds", 6, Options{}, same(3, add)},
		{"5 Adds", 120, Options{}, same(5, add)},
		{"Loads", 1, Options{}, same(2, func(x *Int32) { x.Load(); x.Load() })},
		{"locks", 6, Options{}, func(r *Run) {
			var m Mutex
			for i := range 3 {
				r.Go(fmt.Sprint(i), func() { m.Lock(); defer m.Unlock() })
			}
		}},
		{"TryLocks", 3, Options{}, func(r *Run) { // those that fail make no difference to each other
			var m Mutex
			for i := range 3 {
				r.Go(fmt.Sprint(i), func() { m.TryLock() })
			}
		}},
		{"independent", 1, Options{}, func(r *Run) {
			for i := range 4 {
				var x Int32
				r.Go(fmt.Sprint(i), func() { x.Add(1); x.Add(1) })
			}
		}},
		{"stalled without a lock", 3, Options{Stall: "victim"}, func(r *Run) { overLock(r, nil) }},
		{"Choose", 6, Options{}, func(r *Run) { r.Go("", func() { r.Choose(2); r.Choose(3) }) }},
	} {
		if r, err := Check(c.options, c.program); err != nil || r.Schedules != c.want {
			t.Errorf("%s: %v, %v; want %d", c.name, r, err, c.want)
		}
	}
	two := same(2, func(x *Int32) { x.Add(1); x.Add(1); x.Add(1) })
	one, _ := Check(Options{Preemptions: 1}, two)
	more, _ := Check(Options{Preemptions: 2}, two)
	if one.Schedules >= more.Schedules || more.Schedules >= 20 { // of 6 over 3
		t.Errorf("%v with one preemption, %v with two", one, more)
	}
}

func TestChooseAndTimeout(t *testing.T) {
	got := map[string]bool{}
	_, err := Check(Options{}, func(r *Run) {
		var k Token
		ctx := r.Timeout()
		k.Give()
		r.Go("taker", func() {
			n := r.Choose(2)
			before := ctx.Err()
			got[fmt.Sprint(n, before, k.Take(ctx.Done()), ctx.Err())] = true
		})
	})
	late := "context deadline exceeded"
	for n := range 2 {
		for _, end := range []string{"<nil> true <nil>", "<nil> true " + late, "<nil> false " + late, late + " true " + late, late + " false " + late} {
			if end = fmt.Sprint(n, " ", end); !got[end] {
				t.Errorf("missed: %s", end)
			}
		}
	}
	if err != nil || len(got) != 10 {
		t.Error(err, got)
	}
}

func TestErrorsThatAreNoFailure(t *testing.T) {
	three := func(r *Run) {
		var x Int32
		for i := range 3 {
			r.Go(fmt.Sprint(i), func() { x.Add(1) })
		}
	}
	for _, c := range []struct {
		want    string
		options Options
	}{
		{"MaxSchedules", Options{MaxSchedules: 5}},
		{"negative", Options{MaxSchedules: -1}},
		{"negative", Options{MaxSteps: -1}},
		{"negative", Options{Preemptions: -1}},
		{`no thread named "4"`, Options{Stall: "4"}},
		{"schedule", Options{Schedule: "x"}},
		{"schedule", Options{Schedule: "9*3"}},
		{"schedule", Options{Schedule: "0/z"}},
		{"schedule", Options{Schedule: "0*z"}},
		{"schedule", Options{Schedule: "stall=x"}},
		{"schedule", Options{Schedule: "stall=-1"}},
	} {
		_, err := Check(c.options, three)
		if f, ok := err.(*Failure); ok || err == nil || !strings.HasPrefix(err.Error(), "interleave: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v %v", c.options, err, f)
		}
	}
	for _, schedule := range []string{"0*2", "0 1 2 2", "0/1"} { // of another program
		if _, err := Check(Options{Schedule: schedule}, func(r *Run) { r.Go("", func() { r.Choose(1) }) }); err == nil || !strings.Contains(err.Error(), "is not there") {
			t.Errorf("%s: %v", schedule, err)
		}
	}
}

func TestProgramThatIsNotDeterministic(t *testing.T) {
	n := 0
	_, err := Check(Options{}, func(r *Run) {
		var x Int32
		n++
		for i := range 2 {
			r.Go("", func() {
				for range 3 - n%2*i {
					x.Add(1)
				}
			})
		}
	})
	if err == nil || !strings.Contains(err.Error(), "does not do the same") {
		t.Error(err)
	}
}

// The defers of threads that are given up run, and what one that is stopped for ever would do in them is not
// yet done in After.
func TestDefersRun(t *testing.T) {
	ran := 0
	program := func(r *Run) {
		var m Mutex
		var k Token
		var x Int32
		r.Go("victim", func() {
			m.Lock()
			defer func() { ran++; x.Store(1); m.Unlock() }()
			k.Take(nil)
		})
		r.After(func() {
			if x.Load() != 0 {
				r.Errorf("it went on")
			}
		})
	}
	if _, err := Check(Options{}, program); err == nil || !strings.Contains(err.Error(), "deadlock") || ran == 0 {
		t.Errorf("%v; ran %d times", err, ran)
	}
	ran = 0
	if _, err := Check(Options{Schedule: "stall=1 0", Stall: "victim"}, program); err != nil || ran != 1 {
		t.Errorf("%v; ran %d times", err, ran)
	}
}

// fake is a test that only listens.
type fake struct{ logged, failed string }

func (f *fake) Helper()                      {}
func (f *fake) Name() string                 { return "TestFake" }
func (f *fake) Logf(form string, a ...any)   { f.logged += fmt.Sprintf(form, a...) }
func (f *fake) Fatalf(form string, a ...any) { f.failed += fmt.Sprintf(form, a...) }

func TestExplore(t *testing.T) {
	t.Setenv(ScheduleVariable, "")
	lost := failures[0].program
	var good, bad, none fake
	Explore(&good, Options{}, func(*Run) {})
	if !strings.Contains(good.logged, "1 schedules") || good.failed != "" {
		t.Error(good)
	}
	Explore(&bad, Options{}, lost)
	command := regexp.MustCompile(ScheduleVariable + `='(.*)' go test .*-run '\^TestFake\$'`).FindStringSubmatch(bad.failed)
	if command == nil {
		t.Fatal(bad)
	}
	if Explore(&none, Options{MaxSteps: -1}, lost); !strings.HasPrefix(none.failed, "interleave: negative") {
		t.Error(none)
	}
	for schedule, want := range map[string]bool{command[1]: true, "- 0*2 1*2": false} {
		t.Setenv(ScheduleVariable, schedule)
		var again fake
		if Explore(&again, Options{}, lost); (again.failed != "") != want {
			t.Errorf("%s: %v", schedule, again)
		}
	}
}
