// Package porttest is the suite of tests that every kind of port passes: what the
// interface port.Port promises, checked from both sides of the port.
//
// A kind describes itself as a Kind, whose Open opens a port and gives the suite the other end of
// it: functions that make frames come in, and that tell which went out. Run then runs
// what applies, and says why the rest does not:
//
//	func TestConformance(t *testing.T) {
//		porttest.Run(t, porttest.Kind{
//			Name:   "null",
//			Does:   port.Out,
//			Open:   func(t porttest.TB, e porttest.Env) *porttest.Link { … },
//			String: func(t porttest.TB, d port.Direction) string { return "null:" },
//		})
//	}
//
// Checked are: frames, their order and their bytes in both directions; who owns which buffer
// at any moment, on errors and after the end too, shared buffers, those of other pools and of
// the heap; that Rx and Tx never block, also without buffers and when the way is full; that
// WaitRx and WaitTx wake up for a frame, for room, for their context and for Close; Close from other goroutines in
// the middle of each call, twice and concurrently; that who sleeps in a port.Sleeper and who looks beside it get all frames together, each
// once, and the one is muted and woken as the other wants; counters, with what a port.Queuer has queued; Info; the keys that all kinds have;
// that nothing is left behind: no buffer, no goroutine, no descriptor. Run it with -race as well.
//
// A check that is not over within Kind.Patience has failed: it says in which call of the port it
// hangs, and the test goes on without it. Random frames and bursts come from a seed that a failure
// names and that RINGWAY_SEED repeats.
package porttest
