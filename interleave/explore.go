// The search: which schedule comes next.

package interleave

import (
	"fmt"
	"math/bits"
	"os"
	"regexp"
	"sync"
)

// Options say how far an exploration goes. The zero Options are all schedules.
type Options struct {
	// Preemptions, if positive, bounds how often a thread that could go on is made to wait: schedules
	// with more of it are left out, and no others are; a time-out that comes while a thread could go on counts as one
	// too. For programs of which there are too many.
	Preemptions int

	// MaxSchedules is how many schedules are tried before the exploration gives up. Default 20 million.
	MaxSchedules int

	// MaxSteps is how many operations one schedule may have. More are a livelock. Default 5000.
	MaxSteps int

	// Stall names a thread that stops for ever. The exploration is done anew for each number
	// of operations that it does before, from none up. The others must end without it.
	Stall string

	// Schedule, if not empty, is the only schedule that is run: one out of a Failure.
	Schedule string
}

// Result is what an exploration has done.
type Result struct {
	Bound     int // on preemptions; 0 is none
	Schedules int // tried to their end
	Pruned    int // begun, and given up since they differ from others in nothing that matters
	Steps     int // operations of the longest
}

// String is the numbers in words.
func (r Result) String() string {
	which := "all of them"
	if r.Bound > 0 {
		which = fmt.Sprintf("those of up to %d preemptions", r.Bound)
	}
	return fmt.Sprintf("%d schedules, %d pruned, of up to %d steps, %s", r.Schedules, r.Pruned, r.Steps, which)
}

// Failure is a schedule under which the program goes wrong.
type Failure struct {
	What     string // what went wrong
	Schedule string // for Options.Schedule
	Trace    string // the operations, a line each
}

func (f *Failure) Error() string {
	return f.What + "\n" + f.Trace + "schedule: " + f.Schedule
}

// TB is what Explore needs of a *testing.T.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// ScheduleVariable is the environment variable with a schedule that Explore is to run, and no other.
const ScheduleVariable = "INTERLEAVE_SCHEDULE"

// Explore is Check for a test: it logs how many schedules there were, and fails the test
// with the one that goes wrong and the command that runs it again.
func Explore(t TB, o Options, program func(*Run)) {
	t.Helper()
	if s := os.Getenv(ScheduleVariable); s != "" && o.Schedule == "" {
		o.Schedule = s
	}
	r, err := Check(o, program)
	if f, ok := err.(*Failure); ok {
		dir, _ := os.Getwd() // a test's is that of its package
		t.Fatalf("interleave: after %d schedules: %v\nagain: %s='%s' go test -C '%s' -tags interleave -run '^%s$'",
			r.Schedules, f, ScheduleVariable, f.Schedule, dir, regexp.QuoteMeta(t.Name()))
	} else if err != nil {
		t.Fatalf("%v", err)
	}
	t.Logf("interleave: %v", r)
}

// exploring is held during an exploration: there is one at a time.
var exploring sync.Mutex

// Check runs program under all schedules, or those that o says. The error is a *Failure if
// one went wrong, and another one if o.MaxSchedules were too few or o makes no sense.
//
// program is called once for each schedule. It sets up what the threads share, starts them with
// Run.Go, and returns; only then do they run. It must do the same each time: no
// clock, no random numbers, no order of a map. While Check runs, nothing else in the
// process may use this package's types.
func Check(o Options, program func(*Run)) (Result, error) {
	exploring.Lock()
	defer exploring.Unlock()
	if o.MaxSchedules == 0 {
		o.MaxSchedules = 20_000_000
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = 5000
	}
	if o.Preemptions < 0 || o.MaxSchedules < 0 || o.MaxSteps < 0 {
		return Result{}, fmt.Errorf("interleave: negative Options: %+v", o)
	}
	x := explorer{options: o, program: program, exec: newExecution(), result: Result{Bound: o.Preemptions}}
	defer x.exec.stopWorkers()
	if o.Schedule != "" {
		return x.replay(o.Schedule)
	}
	if o.Stall == "" {
		err := x.all()
		return x.result, err
	}
	for x.exec.stallAfter = 0; ; x.exec.stallAfter++ {
		x.exec.stalled = false
		err := x.all()
		if err == nil && !x.exec.stalled && x.exec.stallAfter == 0 {
			err = fmt.Errorf("interleave: Options.Stall: no thread named %q does an operation", o.Stall)
		}
		if err != nil || !x.exec.stalled {
			return x.result, err
		}
	}
}

// explorer goes through the tree of schedules.
type explorer struct {
	options Options
	program func(*Run)
	exec    *execution
	nodes   []node // the path: which choice was made at which step
	result  Result
}

// node is a state of the program: where it stands before one step.
type node struct {
	enabled mask // who could go on
	sleep   mask // whose step from here on leads nowhere new
	todo    mask // whose step is to be tried; those tried already stay in it
	thread  int8 // whose step is tried now
	last    int8 // who did the step before, or -1
	choice  int  // of the ways that this step can go, this one
	choices int
	spent   int // preemptions so far
}

// all explores the whole tree.
func (x *explorer) all() error {
	x.nodes = x.nodes[:0]
	for {
		pruned := x.exec.run(x)
		x.result.Steps = max(x.result.Steps, len(x.exec.events))
		if x.exec.failure != "" {
			return x.explain()
		}
		if pruned {
			x.result.Pruned++
		} else {
			x.result.Schedules++
		}
		if !x.next() {
			return nil
		}
		if x.result.Schedules+x.result.Pruned >= x.options.MaxSchedules {
			return fmt.Errorf("interleave: not complete: given up after %v (Options.MaxSchedules)", x.result)
		}
	}
}

// next changes the path's last step of which something is left to try, and reports whether there
// was one.
func (x *explorer) next() bool {
	for len(x.nodes) > 0 {
		n := &x.nodes[len(x.nodes)-1]
		if n.choice+1 < n.choices {
			n.choice++
			return true
		}
		n.sleep.add(n.thread)
		if left := n.todo &^ n.sleep; left != 0 {
			n.pick(int8(bits.TrailingZeros16(uint16(left))))
			return true
		}
		x.nodes = x.nodes[:len(x.nodes)-1]
	}
	return false
}

func (n *node) pick(t int8) { n.thread, n.choice, n.choices = t, 0, 1 }

const notTheSame = "step %d is not there: the program does not do the same under the same schedule, or the schedule is another program's"

// at returns the node of the execution's next step, and nil if all that could come from here has been
// tried elsewhere.
func (x *explorer) at(depth int, enabled mask, last int8) *node {
	if depth < len(x.nodes) {
		n := &x.nodes[depth]
		if !enabled.has(n.thread) || x.options.Schedule == "" && enabled != n.enabled {
			x.exec.failure = fmt.Sprintf(notTheSame, depth)
			return nil
		}
		n.enabled, n.last = enabled, last
		return n
	}
	n := node{enabled: enabled, last: last}
	if depth > 0 {
		before := &x.nodes[depth-1]
		n.spent = before.spent + before.cost(before.thread)
		n.sleep = x.exec.independent(before.sleep)
	}
	if x.options.Preemptions > 0 {
		n.sleep = 0
		for t := range int8(MaxThreads) {
			if enabled.has(t) && n.spent+n.cost(t) <= x.options.Preemptions {
				n.todo.add(t)
			}
		}
	} else {
		n.todo = enabled &^ n.sleep
	}
	if n.todo == 0 {
		return nil
	}
	first := int8(bits.TrailingZeros16(uint16(n.todo)))
	if last >= 0 && n.todo.has(last) {
		first = last
	}
	if x.options.Preemptions == 0 {
		n.todo = 1 << first // the others only where a race shows that their order matters
	}
	n.pick(first)
	x.nodes = append(x.nodes, n)
	return &x.nodes[depth]
}

// cost is 1 if going on with t takes the processor from somebody who could use it.
func (n *node) cost(t int8) int {
	if n.last >= 0 && t != n.last && n.enabled.has(n.last) {
		return 1
	}
	return 0
}

// race is called when the last event depends on that of step i, and nothing but their order keeps
// the two from being swapped. It makes sure that somebody is tried at step i who
// leads to the swap: one of those who can begin what came after i without need of it.
func (x *explorer) race(i int) {
	events := x.exec.events
	e := &events[i]
	var first clock // of each thread, the first of its events in that sequence
	var begin mask
	for k := i + 1; k < len(events); k++ {
		f := &events[k]
		last := k == len(events)-1
		if !last && f.clock[e.thread] >= e.n || first[f.thread] != 0 {
			continue
		}
		first[f.thread] = f.n
		alone := true
		for t, n := range first {
			if n != 0 && int8(t) != f.thread && f.clock[t] >= n {
				alone = false
			}
		}
		if alone {
			begin.add(f.thread)
		}
	}
	n := &x.nodes[i]
	begin &= n.enabled // the last event's own thread may need step i to be able to go on
	if begin != 0 && begin&n.todo == 0 {
		n.todo |= begin & -begin
	}
}
