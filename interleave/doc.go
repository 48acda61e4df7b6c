// Package interleave runs a small concurrent program under every schedule that its
// atomic operations, locks and waits allow, and reports the schedule under which it goes wrong.
//
// Go's atomics are sequentially consistent, so all that a race-free program can do is told by
// the orders of its operations on shared locations. Explore tries them: depth first, and
// of schedules that differ only in the order of independent operations only one. On the
// way it checks the plain accesses in between for happens-before. Found are
//
//   - panics and Run.Errorf: an assertion that some schedule breaks;
//   - data races, between accesses that were reported with Read and Write;
//   - deadlocks, lost wake-ups among them: somebody sleeps and nobody is left to wake him;
//   - livelocks: everybody spins for a change that nobody will make.
//
// The code under test uses this package's types in place of sync/atomic's and sync's: Uint64,
// Pointer, Mutex and so on, whose zero values are ready and whose methods have the same
// names. Outside of an exploration they are correct and slow. So that a program pays
// nothing, it takes the types through a package of its own which has aliases for
// the real ones, and for these under the build tag interleave; plain accesses are reported under the
// constant On, which is false without that tag:
//
//	//go:build !interleave               //go:build interleave
//
//	package atomic                       package atomic
//
//	import "sync/atomic"                 import "github.com/ringway-net/ringway/interleave"
//
//	type Uint64 = atomic.Uint64          type Uint64 = interleave.Uint64
//
//	...
//	slot.item = v
//	if interleave.On {
//		interleave.Write(&slot.item)
//	}
//	slot.ready.Store(1)
//
// A complete exploration is a proof for the case that was run, of the operations that go through
// this package, and of nothing else: a channel, a goroutine that was started with go, or a location that is
// reached by both sync/atomic and this package are invisible to it.
//
// The types must not be copied or overwritten as a whole, as in *slot = T{}: that makes another location of
// them, and go vet finds only some of it.
//
// The search is source-DPOR with sleep sets (Abdulla, Aronsson, Jonsson and Sagonas, Optimal Dynamic
// Partial Order Reduction, POPL 2014), the check of plain accesses FastTrack's idea of
// vector clocks (Flanagan and Freund, PLDI 2009), and the bound on preemptions CHESS's
// (Musuvathi and Qadeer, PLDI 2007).
package interleave
