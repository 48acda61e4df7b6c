// What receives from a port, of a way and of a switch alike: move a burst, look for more, sleep.

package vswitch

import (
	"context"
	"runtime"
	"time"

	"github.com/ringway-net/ringway/internal/sync"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// few is how many frames are no burst yet: what comes so is likely to be a question or an answer to one, and who is sent it may answer
// at once.
const few = 4

// movesAlone is how many bursts a receiver moves before Go's scheduler hears of it: some milliseconds' worth.
const movesAlone = 64

// receiver moves what a port receives to where it goes.
//
// Its goroutine (run) has the turn, but for when it sleeps: then another receiver, which is awake, may take the turn and look for frames
// here too. See look.
type receiver struct {
	port    port.Port
	sleeper port.Sleeper        // the same, if others may look here
	move    func() (int, error) // moves a burst from port to where it goes; io.EOF is the end
	window  time.Duration       // for how long it looks for more before it sleeps; 0 is never

	// rouse ends soft, which has it wake up and end.
	rouse context.CancelFunc

	turn sync.Mutex
	// What follows belongs to whoever has the turn, and so do move and the port's Rx.
	open  bool // run is at work
	soft  context.Context
	fault error              // what another receiver was told by move
	near  [2]*receiver       // those to whose ports it has sent last
	moves int                // since the scheduler heard of it
	doubt doubt              // whether looking is worth it
	bufs  [burst]pool.Buffer // move's: what is given to a Port escapes
}

func (r *receiver) init(p port.Port, move func() (int, error), window time.Duration) {
	r.port, r.move, r.window = p, move, max(window, 0)
	if r.window > 0 {
		r.sleeper, _ = p.(port.Sleeper)
	}
}

// alone makes it one that neither looks nor lets others: move may have it wait.
func (r *receiver) alone() { r.sleeper, r.window = nil, 0 }

// note takes down that it has sent to the port of other.
func (r *receiver) note(other *receiver) {
	if other.sleeper != nil && r.near[0] != other {
		r.near[0], r.near[1] = other, r.near[0]
	}
}

// run moves frames until soft is done, or an error, such as io.EOF.
func (r *receiver) run(soft context.Context) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	r.soft, r.open = soft, true
	defer func() { r.open = false }()
	moved := false // anything since it last slept
	for soft.Err() == nil && r.fault == nil {
		if r.moves++; r.moves >= movesAlone {
			r.moves = 0
			letOthers()
		}
		n, err := r.move()
		switch {
		case err != nil:
			return err
		case n > few || n > 0 && r.window == 0:
			moved = true
			continue
		case n > 0 || moved:
			if moved = r.look(); moved {
				continue
			}
		}
		if err := r.sleep(); err != nil && soft.Err() == nil {
			return err
		}
	}
	return r.fault
}

// letOthers lets goroutines run that wait for this processor, and has Go's scheduler see to the netpoller: who came out of it to this has left
// nobody in it, and what receivers do is nothing that the scheduler hears of.
func letOthers() { runtime.Gosched() }

// sleep sleeps until there may be something to move, and lets others have the turn meanwhile.
func (r *receiver) sleep() error {
	if r.sleeper == nil || !r.sleeper.SleepyRx() {
		return r.port.WaitRx(r.soft)
	}
	soft := r.soft
	r.turn.Unlock()
	defer r.turn.Lock() // L1
	return r.sleeper.SleepRx(soft)
}

// lend gives the turn to another one, if it is free and there is anything to look for.
func (r *receiver) lend() bool {
	if r.sleeper == nil || !r.turn.TryLock() { // L1
		return false
	}
	if !r.open || r.soft.Err() != nil {
		r.turn.Unlock()
		return false
	}
	return true
}
