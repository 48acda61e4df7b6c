package testkit

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"
)

// An Op is an operation that some goroutine did, between two readings of a clock that all of them share.
type Op[D any] struct {
	Call, Return int64
	Did          D
}

// Overlaps reports whether neither of the two had returned when the other was called.
func (o Op[D]) Overlaps(other Op[D]) bool { return o.Call < other.Return && other.Call < o.Return }

// Linearizable reports whether the operations could have happened one by one, each at a moment between
// its call and its return. step says what state an operation leaves behind, and whether it can happen at all.
func Linearizable[S comparable, D any](start S, step func(S, D) (S, bool), history []Op[D]) bool {
	model := porcupine.Model{
		Init: func() any { return start },
		Step: func(state, did, _ any) (bool, any) {
			next, ok := step(state.(S), did.(D))
			return ok, next
		},
	}
	ops := make([]porcupine.Operation, len(history))
	for i, o := range history {
		ops[i] = porcupine.Operation{Input: o.Did, Call: o.Call, Return: o.Return}
	}
	return porcupine.CheckOperations(model, ops)
}

// Together calls f for each of the rounds in each of n goroutines. All begin a round at the same moment, as
// nearly as the machine can: what they do in it is to overlap.
func Together(n, rounds int, f func(id, round int)) {
	ready := make([]atomic.Int64, rounds)
	var g sync.WaitGroup
	for id := range n {
		g.Go(func() {
			for round := range rounds {
				ready[round].Add(1)
				for spins := 1; ready[round].Load() < int64(n); spins++ {
					if spins%100 == 0 { // there may be fewer cores than goroutines
						runtime.Gosched()
					}
				}
				f(id, round)
			}
		})
	}
	g.Wait()
}
