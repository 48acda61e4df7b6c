// A snapshot as text for people.

package stats

import (
	"fmt"
	"strings"
)

// String returns the counters as text, one a line, always in the same order and
// under the names that JSON has, the values right-aligned in a column. Under the sums
// rx_drops and tx_drops stand the reasons that are not zero; under batches all
// buckets. Lines end in a newline.
func (s Snapshot) String() string {
	var t table
	t.count("rx_packets", s.RxPackets)
	t.count("rx_bytes", s.RxBytes)
	t.count("rx_errors", s.RxErrors)
	t.drops("rx_drops", s.RxDrops)
	t.count("tx_packets", s.TxPackets)
	t.count("tx_bytes", s.TxBytes)
	t.count("tx_errors", s.TxErrors)
	t.count("tx_segments", s.TxSegments)
	t.drops("tx_drops", s.TxDrops)
	t.count("nat_translations", s.NATTranslations)
	t.count("nat_fast_path_hits", s.NATFastPathHits)
	t.count("nat_slow_path_lookups", s.NATSlowPathLookups)
	t.share("nat_hit_rate", s.NATHitRate())
	t.count("nat_connections_created", s.NATConnectionsCreated)
	t.count("nat_connections_expired", s.NATConnectionsExpired)
	t.count("polls", s.Polls)
	t.count("poll_work", s.PollWork)
	t.count("busy_spins", s.BusySpins)
	t.share("poll_efficiency", s.PollEfficiency())
	t.count("batches", s.Batches.Total())
	for i, n := range s.Batches {
		t.count("  "+batchLabel(i), n)
	}
	return t.String()
}

// table is rows of two columns.
type table [][2]string

func (t *table) count(label string, n uint64) {
	*t = append(*t, [2]string{label, fmt.Sprint(n)})
}

func (t *table) share(label string, x float64) {
	*t = append(*t, [2]string{label, fmt.Sprintf("%.1f%%", 100*x)})
}

func (t *table) drops(label string, d Drops) {
	t.count(label, d.Total())
	for r, n := range d.All() {
		t.count("  "+r.String(), n)
	}
}

func (t table) String() string {
	var width [2]int
	for _, row := range t {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range t {
		fmt.Fprintf(&b, "%-*s  %*s\n", width[0], row[0], width[1], row[1])
	}
	return b.String()
}
