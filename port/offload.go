// Offloads: what a port can leave to others.

package port

import (
	"strings"

	"github.com/ringway-net/ringway/pool"
)

// Offloads is a set of works on a frame (pool.Offload) that a port's Tx takes undone, since its kernel, card or
// other end does them or passes them on.
type Offloads uint8

const (
	// OffloadChecksum is to complete a TCP or UDP checksum.
	OffloadChecksum Offloads = 1 << iota
	// OffloadTSO4 is to cut up TCP over IPv4.
	OffloadTSO4
	// OffloadTSO6 is to cut up TCP over IPv6.
	OffloadTSO6
	// OffloadUSO is to cut up UDP, over either.
	OffloadUSO
	// OffloadECN is to cut up TCP whose sender has reduced its window.
	OffloadECN

	// NoOffloads is for ports that take finished frames only.
	NoOffloads Offloads = 0
	// AllOffloads is for ports that take everything.
	AllOffloads = OffloadChecksum | OffloadTSO4 | OffloadTSO6 | OffloadUSO | OffloadECN
)

// Take reports whether all that is left to do on a frame is in the set.
func (o Offloads) Take(left pool.Offload) bool { return o&needs(left) == needs(left) }

func needs(left pool.Offload) (o Offloads) {
	if left.NeedsChecksum {
		o = OffloadChecksum
	}
	switch left.GSO {
	case pool.GSONone:
		return o
	case pool.GSOTCP4:
		o |= OffloadTSO4
	case pool.GSOTCP6:
		o |= OffloadTSO6
	case pool.GSOUDP:
		o |= OffloadUSO
	default: // a kind that only a later version knows
		o |= 1 << 7
	}
	if left.ECN {
		o |= OffloadECN
	}
	if left.Tunnel {
		o |= 1 << 7 // which is nobody's
	}
	return o
}

// String returns the names of those in the set, such as "checksum, TSO4", or "none".
func (o Offloads) String() string {
	var names []string
	for i, name := range []string{"checksum", "TSO4", "TSO6", "USO", "ECN"} {
		if o&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}
