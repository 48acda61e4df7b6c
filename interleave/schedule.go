// Schedules in words: for a person to read, and to run again.

package interleave

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// schedule writes the path down: a thread's number, /choice if the step can go several ways, and
// *n for n such steps; before them, after how many operations Options.Stall stops its thread.
func (x *explorer) schedule() string {
	steps := []string{"-"}
	if x.options.Stall != "" {
		steps[0] = stallPrefix + strconv.Itoa(x.exec.stallAfter)
	}
	count := 0
	for i := range x.nodes {
		n := &x.nodes[i]
		step := strconv.Itoa(int(n.thread))
		if n.choice > 0 {
			step += "/" + strconv.Itoa(n.choice)
		}
		if count > 0 && steps[len(steps)-1] == step {
			count++
			continue
		}
		if count > 1 {
			steps[len(steps)-1] += "*" + strconv.Itoa(count)
		}
		steps, count = append(steps, step), 1
	}
	if count > 1 {
		steps[len(steps)-1] += "*" + strconv.Itoa(count)
	}
	return strings.Join(steps, " ")
}

const stallPrefix = "stall="

// parse is the opposite of schedule.
func parse(schedule string) (path []node, stallAfter int, err error) {
	for i, text := range strings.Fields(schedule) {
		if after, ok := strings.CutPrefix(text, stallPrefix); ok && i == 0 {
			if stallAfter, err = strconv.Atoi(after); err != nil || stallAfter < 0 {
				return nil, 0, fmt.Errorf("interleave: schedule: %q, want a number of operations", text)
			}
			continue
		}
		if text == "-" && i == 0 {
			continue
		}
		step, times, many := strings.Cut(text, "*")
		thread, choice, chosen := strings.Cut(step, "/")
		number := func(text string, given bool, most int) int {
			if !given {
				return 0
			}
			n, e := strconv.Atoi(text)
			if e != nil || n < 0 || n > most {
				err = fmt.Errorf("interleave: schedule: %q, want a thread below %d, then /choice and *times if need be", text, MaxThreads)
			}
			return n
		}
		t, c, n := number(thread, true, MaxThreads-1), number(choice, chosen, 1000), number(times, many, 1_000_000)
		if err != nil {
			return nil, 0, err
		}
		for range max(1, n) {
			path = append(path, node{enabled: 1 << t, todo: 1 << t, thread: int8(t), choice: c, choices: c + 1})
		}
	}
	return path, stallAfter, nil
}

// replay runs one schedule. Where it ends before the program does, the rest goes as it may.
func (x *explorer) replay(schedule string) (r Result, err error) {
	if x.nodes, x.exec.stallAfter, err = parse(schedule); err != nil {
		return r, err
	}
	x.exec.traced = true
	x.exec.run(x)
	r = Result{Schedules: 1, Steps: len(x.exec.events)}
	if x.exec.failure != "" {
		return r, &Failure{What: x.exec.failure + x.exec.detail, Schedule: schedule, Trace: x.exec.trace()}
	}
	return r, nil
}

// explain runs the path once more, for the places.
func (x *explorer) explain() *Failure {
	f := &Failure{What: x.exec.failure, Schedule: x.schedule()}
	x.exec.traced = true
	x.exec.run(x)
	if x.exec.failure == f.What {
		f.What += x.exec.detail
		f.Trace = x.exec.trace()
	} else {
		f.Trace = fmt.Sprintf("(and when it was run once more: %q)\n", x.exec.failure)
	}
	return f
}

func (e *execution) trace() string {
	var s strings.Builder
	for i := range e.events {
		v := &e.events[i]
		name := e.threads[v.thread].name
		fmt.Fprintf(&s, "%4d  %-12s %-44s %s\n", i, name, v.op.text(v), v.place)
	}
	for t := range e.threads[:e.count] {
		th := &e.threads[t]
		switch {
		case th.state == waiting:
			fmt.Fprintf(&s, "   -  %-12s %-44s %s\n", th.name, "at "+th.pending.label(), th.place)
		case th.state == stalled:
			fmt.Fprintf(&s, "   -  %-12s %-44s %s\n", th.name, "stopped for ever before "+th.pending.label(), th.place)
		}
	}
	return s.String()
}

// place is a line of code outside of this package.
type place uintptr

// here returns the innermost line outside of this package that is running.
func here() place {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !inside(f) {
			return place(f.PC + 1) // a return address, as Callers gives them
		}
		if !more {
			return 0
		}
	}
}

func inside(f runtime.Frame) bool {
	return strings.HasPrefix(f.Function, "github.com/ringway-net/ringway/interleave.") && !strings.HasSuffix(f.File, "_test.go")
}

func (p place) String() string {
	if p == 0 {
		return ""
	}
	frames := runtime.CallersFrames([]uintptr{uintptr(p)})
	for {
		f, more := frames.Next()
		if !inside(f) || !more {
			return fmt.Sprintf("%s:%d", filepath.Join(filepath.Base(filepath.Dir(f.File)), filepath.Base(f.File)), f.Line)
		}
	}
}
