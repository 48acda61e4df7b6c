// One execution: the program under one schedule, step by step.

package interleave

import (
	"fmt"
	"iter"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"unsafe"
)

// state is what a thread is about.
type state uint8

const (
	running state = iota // or about to: its next operation is not known yet
	waiting              // for its turn, before an operation
	stalled              // stopped for ever
	over
)

// thread is one of the program's.
type thread struct {
	id      int8
	name    string
	body    func()
	timer   bool
	state   state
	pending op    // what it does next
	place   place // of that, if traced
	done    int   // operations so far

	hb   clock // of its last event, in the order of all dependent operations
	sync clock // what happens before by the Go memory model
	// seen is what it has read since its last Yield.
	seen []sighting

	worker *worker
}

// sighting is a location and which of its values a thread has seen.
type sighting struct {
	loc     int32
	version uint32
}

// event is an operation that was done.
type event struct {
	thread int8
	n      uint32 // its number among the thread's own, from 1
	clock  clock  // which events happened before it, itself included
	op     op
	// The operation's values, for the trace.
	value, argument uint64
	ok              bool
	place           place
}

// location is one atomic, lock or token.
type location struct {
	version uint32            // how often it was written
	write   int32             // the event that wrote it last, or -1
	grab    int32             // the Lock, TryLock or Take that got it last, or -1
	reads   [MaxThreads]int32 // since then, the last event of each thread that read it, or -1
	wrote   clock             // happened before whoever reads or writes it
	read    clock             // happened before whoever writes it
	release clock             // what a reader synchronizes with
}

// execution is reused for one schedule after the other.
type execution struct {
	run_     uint64 // its number: locations of other numbers are not this one's
	explorer *explorer
	threads  [MaxThreads]thread
	count    int
	cur      *thread // who runs; nil in the set-up and in After
	events   []event
	locs     []location
	plain    map[unsafe.Pointer]*shadow
	after    []func()
	timeouts []*timeout

	depth      int
	fresh      int // the first step that the last execution did not do
	stallAfter int
	stalled    bool   // the thread that is to stop did
	failure    string // what went wrong
	detail     string // where, if traced
	aborting   bool   // threads are being unwound
	traced     bool   // note the places

	idle []*worker
}

// current is the execution that goes on in this process, or nil.
var current atomic.Pointer[execution]

// runs numbers the executions.
var runs uint64

func newExecution() *execution {
	return &execution{plain: map[unsafe.Pointer]*shadow{}}
}

// abort is panicked with to unwind a thread whose execution is given up.
type abort struct{}

// run runs the program under the explorer's path, and beyond its end as the explorer
// says. pruned is true if it was given up since nothing new could come.
func (e *execution) run(x *explorer) (pruned bool) {
	runs++
	*e = execution{
		run_: runs, explorer: x, plain: e.plain, idle: e.idle, events: e.events[:0], locs: e.locs[:0],
		stallAfter: e.stallAfter, stalled: e.stalled, traced: e.traced, threads: e.threads,
	}
	clear(e.plain)
	e.fresh = max(0, len(x.nodes)-1)
	current.Store(e)
	defer current.Store(nil)
	if !e.guarded(func() { x.program(&Run{e}) }) {
		return false
	}
	for t := range e.threads[:e.count] {
		if e.start(&e.threads[t]); e.failure != "" {
			break
		}
	}
	if e.failure == "" {
		pruned = e.steps()
	}
	if e.failure == "" && !pruned {
		for _, f := range e.after {
			if !e.guarded(f) {
				break
			}
		}
	}
	e.unwind() // after that, since a stalled thread's defers change what it left
	return pruned
}

// steps lets the threads go on, one at a time.
func (e *execution) steps() (pruned bool) {
	last := int8(-1) // timers do not count: nobody is preempted by them
	for e.depth = 0; ; e.depth++ {
		enabled, blocked := e.enabled()
		if enabled == 0 {
			if e.depth < len(e.explorer.nodes) {
				e.failure = fmt.Sprintf(notTheSame, e.depth)
			} else if blocked != 0 {
				e.failure = e.deadlock(blocked)
			}
			return false
		}
		if e.depth >= e.explorer.options.MaxSteps {
			e.failure = fmt.Sprintf("livelock: more than %d steps", e.depth)
			return false
		}
		n := e.explorer.at(e.depth, enabled, last)
		if n == nil {
			return e.failure == ""
		}
		t := &e.threads[n.thread]
		if !t.timer {
			last = t.id
		}
		e.resume(t)
		if e.failure != "" {
			e.explorer.nodes = e.explorer.nodes[:e.depth+1]
			return false
		}
	}
}

// enabled returns who can go on, and who can't and should.
func (e *execution) enabled() (enabled, blocked mask) {
	for i := range e.threads[:e.count] {
		switch t := &e.threads[i]; {
		case t.state != waiting:
		case t.pending.possible(e, t):
			enabled.add(t.id)
		default:
			blocked.add(t.id)
		}
	}
	return enabled, blocked
}

func (e *execution) deadlock(blocked mask) string {
	var who []string
	spinning := true
	for i := range e.threads[:e.count] {
		if t := &e.threads[i]; blocked.has(t.id) {
			who = append(who, t.name+" at "+t.pending.label())
			spinning = spinning && t.pending.kind == opYield
		}
	}
	what := "deadlock: nobody is left to wake: "
	if spinning {
		what = "livelock: they spin for a change that nobody will make: "
	}
	return what + strings.Join(who, ", ")
}

// independent returns those of sleep whose next operation does not depend on the last event.
func (e *execution) independent(sleep mask) (still mask) {
	at := len(e.events) - 1
	last := &e.events[at]
	for i := range e.threads[:e.count] {
		t := &e.threads[i]
		// What a Yield has read is not in its op.
		read := t.pending.writes && e.locs[t.pending.loc].reads[last.thread] == int32(at)
		if sleep.has(t.id) && t.id != last.thread && !read && !dependent(&t.pending, &last.op, t) {
			still.add(t.id)
		}
	}
	return still
}

// start runs t up to its first operation, and resume does one operation and runs it up to the next.
func (e *execution) start(t *thread) {
	if len(e.idle) == 0 {
		e.idle = append(e.idle, newWorker())
	}
	t.worker = e.idle[len(e.idle)-1]
	e.idle = e.idle[:len(e.idle)-1]
	t.worker.job = func() {
		defer func() { t.state = over }()
		e.guarded(t.body)
	}
	e.resume(t)
}

func (e *execution) resume(t *thread) {
	t.state = running
	e.cur = t
	t.worker.resume()
	e.cur = nil
	if t.state == over {
		e.idle = append(e.idle, t.worker)
		t.worker = nil
	}
}

// unwind ends the threads that have not ended by themselves.
func (e *execution) unwind() {
	e.aborting = true
	for i := range e.threads[:e.count] {
		if t := &e.threads[i]; t.worker != nil {
			was := t.state
			e.resume(t)
			t.state = was // for the trace
		}
	}
	e.aborting = false
}

// guarded runs f, makes a failure of its panic, and reports whether there was none.
func (e *execution) guarded(f func()) (ok bool) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, mine := r.(abort); !mine && !e.aborting {
			e.failure = fmt.Sprintf("panic: %v", r)
			if e.traced {
				e.detail = "\n" + string(debug.Stack())
			}
		}
		ok = false
	}()
	f()
	return true
}

// fail ends the execution with a failure. Whoever runs is unwound.
func (e *execution) fail(format string, args ...any) {
	if !e.aborting {
		e.failure = fmt.Sprintf(format, args...)
	}
	panic(abort{})
}

// worker is a coroutine that runs threads, one after the other.
type worker struct {
	job   func()
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
}

func newWorker() *worker {
	w := &worker{}
	w.next, w.stop = iter.Pull(func(yield func(struct{}) bool) {
		w.yield = yield
		for {
			w.job()
			if !yield(struct{}{}) {
				return
			}
		}
	})
	return w
}

func (w *worker) resume()  { w.next() }
func (w *worker) suspend() { w.yield(struct{}{}) }

func (e *execution) stopWorkers() {
	for _, w := range e.idle {
		w.stop()
	}
}
