package port

import (
	"testing"

	"github.com/ringway-net/ringway/pool"
)

func TestOffloads(t *testing.T) {
	for _, c := range []struct {
		set   Offloads
		left  pool.Offload
		takes bool
	}{
		{NoOffloads, pool.Offload{}, true},
		{NoOffloads, pool.Offload{ChecksumValid: true, NetworkFrame: true}, true},
		{NoOffloads, pool.Offload{NeedsChecksum: true}, false},
		{OffloadChecksum, pool.Offload{NeedsChecksum: true}, true},
		{OffloadChecksum, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4}, false},
		{OffloadTSO4, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4}, false},
		{OffloadChecksum | OffloadTSO4, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4}, true},
		{OffloadChecksum | OffloadTSO4, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP6}, false},
		{OffloadChecksum | OffloadTSO6, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP6}, true},
		{OffloadChecksum | OffloadTSO4, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4, ECN: true}, false},
		{OffloadChecksum | OffloadTSO4 | OffloadECN, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4, ECN: true}, true},
		{OffloadChecksum | OffloadUSO, pool.Offload{NeedsChecksum: true, GSO: pool.GSOUDP}, true},
		{AllOffloads &^ OffloadUSO, pool.Offload{NeedsChecksum: true, GSO: pool.GSOUDP}, false},
		{AllOffloads, pool.Offload{GSO: 200}, false},
		{AllOffloads, pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4, Tunnel: true}, false},
	} {
		if got := c.set.Take(c.left); got != c.takes {
			t.Errorf("%v takes %+v: %v", c.set, c.left, got)
		}
	}
	for set, name := range map[Offloads]string{
		NoOffloads: "none", OffloadChecksum: "checksum", OffloadTSO4 | OffloadUSO: "TSO4, USO",
		AllOffloads: "checksum, TSO4, TSO6, USO, ECN",
	} {
		if set.String() != name {
			t.Errorf("%d is called %q, want %q", set, set, name)
		}
	}
}
