// Flapping: an address that moves to and fro, which is a loop in the network, or two stations with one address.

package vswitch

const (
	// flapMoves is how many moves within flapWindow ticks are worth a report.
	flapMoves  = 5
	flapWindow = 10

	// flapSets times flapWays is how many addresses are watched at a time.
	flapSets = 64
	flapWays = 4
)

// flaps counts the moves of the addresses that have moved of late. If there are too many, those with the fewest moves are
// given up for others.
type flaps [flapSets][flapWays]flap

// flap is a window of an address: it begins with a move and lasts for flapWindow ticks.
type flap struct {
	key   fdbKey
	since uint32
	moves uint32
}

// moved takes note of a move of an address with such a hash at a tick. It is true at the one that is worth a report, once in a window.
func (f *flaps) moved(k fdbKey, hash uint64, now uint32) bool {
	set := &f[hash%flapSets]
	at := &set[0]
	for i := range set {
		w := &set[i]
		if now-w.since >= flapWindow {
			w.moves = 0 // it is over
		}
		if w.key == k {
			at = w
			break
		}
		if w.moves < at.moves {
			at = w
		}
	}
	if at.key != k || at.moves == 0 {
		*at = flap{key: k, since: now}
	}
	at.moves++
	return at.moves == flapMoves
}
