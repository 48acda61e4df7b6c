// Run: what a program under test says to the explorer.

package interleave

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// Run is one execution of a program. Its methods are for the program's set-up, but for
// Choose, which is for its threads, and Errorf, which is for both.
type Run struct{ e *execution }

// Go adds a thread. It runs once the program has returned, and has all of the program's set-up
// behind it. name is what reports call it.
func (r *Run) Go(name string, f func()) { r.e.add(name, false, f) }

func (e *execution) add(name string, timer bool, f func()) {
	if e.cur != nil {
		e.fail("Go(%q) by a thread: threads start other threads in the set-up only", name)
	}
	if e.count == MaxThreads {
		panic(fmt.Sprintf("interleave: %d threads, time-outs among them, are the most", MaxThreads))
	}
	t := &e.threads[e.count]
	*t = thread{id: int8(e.count), name: name, body: f, timer: timer, seen: t.seen[:0]}
	e.count++
}

// After adds a function that runs when all threads have ended and looks at what they left.
func (r *Run) After(f func()) { r.e.after = append(r.e.after, f) }

// Errorf says that the schedule went wrong, and ends it. So does a panic.
func (r *Run) Errorf(format string, args ...any) { r.e.fail(format, args...) }

// Choose returns a number from 0 to n-1: each of them in some schedule.
func (r *Run) Choose(n int) (k int) {
	t := r.e.step(op{kind: opChoose, loc: -1, second: -1})
	if t == nil {
		r.e.fail("Choose(%d) where no thread runs", n)
	}
	k = r.e.choose(n)
	r.e.did(t, false, uint64(k), 0, true)
	return k
}

// choose decides in which of n ways the step goes that is being done.
func (e *execution) choose(n int) int {
	node := &e.explorer.nodes[e.depth]
	if node.choice >= n {
		e.fail(notTheSame, e.depth)
	}
	node.choices = max(node.choices, n)
	return node.choice
}

// Timeout returns a context that is done at some moment: at each there is, in some
// schedule. Background is the one that never is. A Token's Take obeys it; to wait on its Done in
// another way, as in a select, would block the exploration.
func (r *Run) Timeout() context.Context {
	c := &timeout{done: make(chan struct{})}
	r.e.timeouts = append(r.e.timeouts, c)
	r.e.add("time-out", true, func() {
		t := r.e.step(op{kind: opFire, writes: true, loc: r.e.locate(&c.loc), second: -1})
		c.over = true
		close(c.done)
		r.e.did(t, true, 0, 0, true)
	})
	return c
}

// timeout is a context.Context.
type timeout struct {
	loc  loc
	over bool
	done chan struct{}
}

func (c *timeout) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *timeout) Done() <-chan struct{}       { return c.done }
func (c *timeout) Value(any) any               { return nil }

// Err is an operation like Load.
func (c *timeout) Err() error {
	e := current.Load()
	t := e.step(op{kind: opLoad, name: "Err", loc: e.locate(&c.loc), second: -1})
	if t != nil {
		e.did(t, false, 0, 0, true)
	}
	if c.over {
		return context.DeadlineExceeded
	}
	return nil
}

// Yield is for a loop that looks again and again: the thread goes on once something that it has
// read since its last Yield was changed by another. If that can't happen any more, it is
// a livelock.
func Yield() {
	e := current.Load()
	if e == nil {
		runtime.Gosched()
		return
	}
	if t := e.step(op{kind: opYield, loc: -1, second: -1}); t != nil {
		e.did(t, false, 0, 0, true)
	}
}
