// What the explorer is there to find, each in the smallest program that has it; and what it must not report.

package interleave

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// find explores program, which must go wrong and say all of want. The schedule is run again, and must
// go wrong in the same way.
func find(t *testing.T, o Options, program func(*Run), want ...string) *Failure {
	t.Helper()
	_, err := Check(o, program)
	f, ok := err.(*Failure)
	if !ok {
		t.Fatalf("nothing found (%v), want %q", err, want)
	}
	o.Schedule = f.Schedule
	_, err = Check(o, program)
	again, ok := err.(*Failure)
	if !ok {
		t.Fatalf("run again, schedule %q does not fail: %v; it was: %v", f.Schedule, err, f)
	}
	for _, w := range want {
		if !strings.Contains(f.Error(), w) {
			t.Errorf("%q does not say %q", f.Error(), w)
		}
		if !strings.Contains(again.Error(), w) {
			t.Errorf("run again: %q does not say %q", again.Error(), w)
		}
	}
	return f
}

// sound explores program, which must not go wrong, and returns how many schedules it has.
func sound(t *testing.T, o Options, program func(*Run)) Result {
	t.Helper()
	r, err := Check(o, program)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFindsLostUpdate(t *testing.T) {
	f := find(t, Options{}, func(r *Run) {
		var x Int32
		for range 2 {
			r.Go("adder", func() { x.Store(x.Load() + 1) })
		}
		r.After(func() {
			if n := x.Load(); n != 2 {
				r.Errorf("%d, want 2", n)
			}
		})
	}, "1, want 2", "adder", "Load #0 = 0x0", "Store #0, 0x1", "explore_test.go:")
	if f.What != "1, want 2" {
		t.Errorf("what went wrong is %q", f.What)
	}
}

func TestFindsPanic(t *testing.T) {
	find(t, Options{}, func(r *Run) {
		var x Bool
		r.Go("one", func() { x.Store(true) })
		r.Go("two", func() {
			if x.Load() {
				panic("too late")
			}
		})
	}, "panic: too late")
	find(t, Options{}, func(r *Run) { panic("in the set-up") }, "panic: in the set-up")
	find(t, Options{}, func(r *Run) { r.After(func() { panic("at the end") }) }, "panic: at the end")
}

// Plain accesses by two threads, with nothing to order them.
func TestFindsDataRace(t *testing.T) {
	for what, accesses := range map[string][2]func(*int){
		"write, write": {Write[int], Write[int]},
		"read, write":  {Read[int], Write[int]},
		"write, read":  {Write[int], Read[int]},
	} {
		t.Run(what, func(t *testing.T) {
			find(t, Options{}, func(r *Run) {
				v := new(int)
				for i, access := range accesses {
					r.Go(fmt.Sprint("thread", i), func() { access(v) })
				}
			}, "data race", "thread0", "thread1")
		})
	}
	sound(t, Options{}, func(r *Run) { // two who read, and one who wrote before they began
		v := new(int)
		Write(v)
		r.Go("one", func() { Read(v) })
		r.Go("two", func() { Read(v) })
		r.After(func() { Write(v) })
	})
}

// What orders two plain accesses, and what does not.
func TestHappensBefore(t *testing.T) {
	type handOff struct {
		give func()      // after the write
		got  func() bool // before the read
	}
	for what, make := range map[string]func() handOff{
		"Store and Load": func() handOff {
			x := new(Uint32)
			return handOff{func() { x.Store(1) }, func() bool { return x.Load() == 1 }}
		},
		"Add and Add": func() handOff {
			x := new(Int64)
			return handOff{func() { x.Add(1) }, func() bool { return x.Add(0) == 1 }}
		},
		"Swap and Swap": func() handOff {
			x := new(Bool)
			return handOff{func() { x.Swap(true) }, func() bool { return x.Swap(false) }}
		},
		"CompareAndSwap": func() handOff {
			x := new(Uint64)
			return handOff{func() { x.CompareAndSwap(0, 1) }, func() bool { return x.CompareAndSwap(1, 2) }}
		},
		"Pointer": func() handOff {
			x, one := new(Pointer[int]), new(int)
			return handOff{func() { x.Store(one) }, func() bool { return x.Load() == one }}
		},
		"Mutex": func() handOff {
			m, there := new(Mutex), false
			return handOff{func() { m.Lock(); there = true; m.Unlock() }, func() bool { m.Lock(); defer m.Unlock(); return there }}
		},
		"Token": func() handOff { k := new(Token); return handOff{k.Give, func() bool { return k.Take(nil) }} },
	} {
		t.Run(what, func(t *testing.T) {
			sound(t, Options{}, func(r *Run) {
				v, h := new(int), make()
				r.Go("writer", func() { Write(v); h.give() })
				r.Go("reader", func() {
					if h.got() {
						Read(v)
					}
				})
			})
			find(t, Options{}, func(r *Run) { // the same, and the write comes after the publication
				v, h := new(int), make()
				r.Go("writer", func() { h.give(); Write(v) })
				r.Go("reader", func() {
					if h.got() {
						Read(v)
					}
				})
			}, "data race")
		})
	}
	find(t, Options{}, func(r *Run) { // a Store by somebody who has not looked passes nothing on
		var x Uint32
		v := new(int)
		r.Go("writer", func() { Write(v); x.Store(1) })
		r.Go("other", func() { x.Store(2) })
		r.Go("reader", func() {
			if x.Load() == 2 {
				Read(v)
			}
		})
	}, "data race")
	find(t, Options{}, func(r *Run) { // a CompareAndSwap that fails publishes nothing
		var x Uint32
		v := new(int)
		r.Go("writer", func() { Write(v); x.CompareAndSwap(7, 8) })
		r.Go("reader", func() { x.Load(); Read(v) })
	}, "data race")
}

func TestFindsDeadlock(t *testing.T) {
	find(t, Options{}, func(r *Run) { // two locks in two orders
		var m [2]Mutex
		for i := range 2 {
			r.Go(fmt.Sprint("thread", i), func() {
				m[i].Lock()
				m[1-i].Lock()
				defer m[i].Unlock()
				defer m[1-i].Unlock()
			})
		}
	}, "deadlock", "thread0 at Lock", "thread1 at Lock")
	find(t, Options{}, func(r *Run) { // a sleeper looks, and then says that it sleeps
		var there, asleep Bool
		var k Token
		r.Go("sleeper", func() {
			if !there.Load() {
				asleep.Store(true)
				k.Take(nil)
			}
		})
		r.Go("waker", func() {
			there.Store(true)
			if asleep.Load() {
				k.Give()
			}
		})
	}, "deadlock: nobody is left to wake: sleeper at Take")
}

func TestFindsLivelock(t *testing.T) {
	find(t, Options{}, func(r *Run) {
		var x Bool
		r.Go("spinner", func() {
			for !x.Load() {
				Yield()
			}
		})
	}, "livelock", "spinner at Yield")
	find(t, Options{MaxSteps: 100}, func(r *Run) { // they keep each other busy
		var x Int32
		for range 2 {
			r.Go("thread", func() {
				for x.Add(1) > 0 {
				}
			})
		}
	}, "livelock: more than 100 steps")
	sound(t, Options{}, func(r *Run) { // a loop that goes by two values, of which one changes in between
		var x, y Int32
		r.Go("spinner", func() {
			for x.Load() == 0 || y.Load() == 0 {
				Yield()
			}
		})
		r.Go("setter", func() { x.Store(1); y.Store(1) })
	})
}

func TestFindsMisuse(t *testing.T) {
	find(t, Options{}, func(r *Run) {
		var k Token
		r.Go("giver", func() { k.Give(); k.Give() })
	}, "Give of a Token that is there already")
	find(t, Options{}, func(r *Run) {
		var m Mutex
		r.Go("thread", m.Unlock)
	}, "Unlock of a Mutex that is not locked")
	find(t, Options{}, func(r *Run) {
		r.Go("thread", func() { r.Go("another", func() {}) })
	}, `Go("another") by a thread`)
	find(t, Options{}, func(r *Run) {
		for range MaxThreads + 1 {
			r.Go("thread", func() {})
		}
	}, "are the most")
	find(t, Options{}, func(r *Run) {
		var k Token
		r.Go("thread", func() { k.Take(make(chan struct{})) })
	}, "not of a Run.Timeout")
	runs := 0
	_, err := Check(Options{}, func(r *Run) { // not the same each time
		var x Int32
		if runs++; runs > 1 {
			return
		}
		for range 2 {
			r.Go("thread", func() { x.Add(1) })
		}
	})
	if err == nil || !strings.Contains(err.Error(), "does not do the same") {
		t.Errorf("a program that is not the same each time: %v", err)
	}
}

// Choose gives each number, a time-out comes at each moment, and who can do two things does either.
func TestAllThatCanHappen(t *testing.T) {
	seen := map[string]bool{}
	sound(t, Options{}, func(r *Run) {
		r.Go("chooser", func() { seen[fmt.Sprint("choice ", r.Choose(3))] = true })
	})
	for i := range 3 {
		if !seen[fmt.Sprint("choice ", i)] {
			t.Errorf("%d was not chosen", i)
		}
	}
	sound(t, Options{}, func(r *Run) {
		var k Token
		ctx := r.Timeout()
		ok := false
		r.Go("taker", func() {
			if ok = k.Take(ctx.Done()); !ok && ctx.Err() != context.DeadlineExceeded {
				r.Errorf("given up, and Err is %v", ctx.Err())
			}
		})
		r.Go("giver", k.Give)
		r.After(func() { seen[fmt.Sprintf("taken %v, left %v", ok, k.Len() == 1)] = true })
	})
	for _, end := range []string{"taken true, left false", "taken false, left true"} {
		if !seen[end] {
			t.Errorf("it did not end by: %s", end)
		}
	}
	find(t, Options{}, func(r *Run) { // nobody gives, and Background never ends
		var k Token
		r.Go("taker", func() { k.Take(context.Background().Done()) })
	}, "deadlock")
}

// A thread that stops for ever: the others must do without it, unless it holds what they need.
func TestStall(t *testing.T) {
	locked := func(r *Run) {
		var m Mutex
		for _, name := range []string{"victim", "other"} {
			r.Go(name, func() { m.Lock(); defer m.Unlock() })
		}
	}
	sound(t, Options{}, locked)
	find(t, Options{Stall: "victim"}, locked, "deadlock", "other at Lock", "stopped for ever before Unlock", "stall=1")
	steps := map[int32]bool{}
	sound(t, Options{Stall: "victim"}, func(r *Run) {
		var x Int32
		r.Go("victim", func() { x.Add(1); x.Add(1) })
		r.Go("other", func() { x.Add(10) })
		r.After(func() { steps[x.Load()] = true })
	})
	for _, n := range []int32{10, 11, 12} {
		if !steps[n] {
			t.Errorf("it did not stop after %d operations", n-10)
		}
	}
}

// Schedules that differ in nothing but the order of independent operations are one.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		what    string
		program func(r *Run)
		want    int
	}{
		{"nothing", func(r *Run) {}, 1},
		{"three Adds to one location", func(r *Run) {
			var x Int32
			for range 3 {
				r.Go("adder", func() { x.Add(1) })
			}
		}, 6},
		{"three Adds to three", func(r *Run) {
			var x [3]Int32
			for i := range 3 {
				r.Go("adder", func() { x[i].Add(1) })
			}
		}, 1},
		{"Loads alone", func(r *Run) {
			var x Int32
			for range 3 {
				r.Go("reader", func() { x.Load(); x.Load() })
			}
		}, 1},
		{"a Store, and two Loads of it", func(r *Run) {
			var x Int32
			r.Go("writer", func() { x.Store(1) })
			r.Go("reader", func() { x.Load(); x.Load() })
		}, 3},
		{"two who lock", func(r *Run) {
			var m Mutex
			for range 2 {
				r.Go("thread", func() { m.Lock(); defer m.Unlock() })
			}
		}, 2},
	} {
		if r := sound(t, Options{}, c.program); r.Schedules != c.want {
			t.Errorf("%s: %v, want %d", c.what, r, c.want)
		}
	}
}

// A bug that needs three preemptions is found with three and not with two.
func TestPreemptions(t *testing.T) {
	program := func(r *Run) {
		var x, y Int32
		r.Go("one", func() { x.Store(1); x.Store(2); x.Store(3) })
		r.Go("two", func() {
			if x.Load() == 1 {
				y.Store(1)
				if x.Load() == 2 {
					r.Errorf("seen both")
				}
			}
		})
	}
	one := sound(t, Options{Preemptions: 1}, program)
	two := sound(t, Options{Preemptions: 2}, program)
	find(t, Options{Preemptions: 3}, program, "seen both")
	find(t, Options{}, program, "seen both")
	if one.Schedules < 2 || two.Schedules <= one.Schedules {
		t.Errorf("with one preemption: %v, with two: %v", one, two)
	}
}

// A thread that is unwound runs what it deferred, which may lock and unlock.
func TestUnwinding(t *testing.T) {
	deferred := 0
	find(t, Options{}, func(r *Run) {
		var m, n Mutex
		r.Go("waits", func() {
			m.Lock()
			defer m.Unlock()
			defer func() { deferred++; n.Lock(); defer n.Unlock() }()
			new(Token).Take(nil)
		})
	}, "deadlock")
	if deferred == 0 {
		t.Error("what was deferred did not run")
	}
}

func TestBadOptions(t *testing.T) {
	nothing := func(*Run) {}
	for _, o := range []Options{{Preemptions: -1}, {MaxSteps: -1}, {MaxSchedules: -1}, {Schedule: "x"}, {Schedule: "99"}, {Schedule: "0/z"}, {Schedule: "0*-1"}, {Schedule: "stall=x"}} {
		if _, err := Check(o, nothing); err == nil {
			t.Errorf("%+v is taken", o)
		} else if _, ok := err.(*Failure); ok || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	_, err := Check(Options{MaxSchedules: 3}, func(r *Run) {
		var x Int32
		for range 3 {
			r.Go("adder", func() { x.Add(1) })
		}
	})
	if _, ok := err.(*Failure); err == nil || ok || !strings.Contains(err.Error(), "MaxSchedules") {
		t.Errorf("more schedules than allowed: %v", err)
	}
	_, err = Check(Options{Schedule: "0 1"}, nothing)
	if err == nil || !strings.Contains(err.Error(), "another program's") {
		t.Errorf("another program's schedule: %v", err)
	}
}

// recorder is a TB that notes what it is told.
type recorder struct{ logged, fatal string }

func (*recorder) Helper()                      {}
func (*recorder) Name() string                 { return "TestIt" }
func (r *recorder) Logf(f string, args ...any) { r.logged += fmt.Sprintf(f, args...) }
func (r *recorder) Fatalf(f string, args ...any) {
	r.fatal += fmt.Sprintf(f, args...)
}

func TestExplore(t *testing.T) {
	racy := func(r *Run) {
		v := new(int)
		r.Go("one", func() { Write(v) })
		r.Go("two", func() { Write(v) })
	}
	var good, bad, again recorder
	Explore(&good, Options{}, func(r *Run) { r.Go("alone", func() {}) })
	if good.fatal != "" || !strings.Contains(good.logged, "1 schedules") {
		t.Errorf("%+v", good)
	}
	Explore(&bad, Options{}, racy)
	if !strings.Contains(bad.fatal, "data race") || !strings.Contains(bad.fatal, ScheduleVariable+"='-' go test -C '") || !strings.Contains(bad.fatal, "' -tags interleave -run '^TestIt$'") {
		t.Errorf("%+v", bad)
	}
	t.Setenv(ScheduleVariable, "-")
	Explore(&again, Options{}, racy)
	if !strings.Contains(again.fatal, "data race") {
		t.Errorf("%+v", again)
	}
}
