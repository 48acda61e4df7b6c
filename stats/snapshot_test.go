// Tests of Snapshot: arithmetic, JSON, text.

package stats

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"testing"
)

// Add, Delta and the reader's subtraction reach every counter there is.
func TestArithmeticReachesEveryCounter(t *testing.T) {
	a := numbered(t, func(i int) uint64 { return uint64(i)*1000 + 7 })
	b := numbered(t, func(i int) uint64 { return uint64(i) + 3 })
	sum := numbered(t, func(i int) uint64 { return uint64(i)*1001 + 10 })
	if a.Add(b) != sum {
		t.Errorf("Add gives\n%v", a.Add(b))
	}
	if sum.Delta(b) != a {
		t.Errorf("Delta gives\n%v", sum.Delta(b))
	}
	reader := sum
	reader.combine(&b, wrappingSub)
	if reader != a {
		t.Errorf("the reader's subtraction gives\n%v", reader)
	}
}

// Seed row snapshot: delta is saturating. Each counter saturates for itself.
func TestSeedDeltaSaturates(t *testing.T) {
	earlier := numbered(t, func(i int) uint64 { return 100 })
	// Every second counter went back, the others grew to the maximum.
	now := numbered(t, func(i int) uint64 { return []uint64{99, math.MaxUint64}[i%2] })
	want := numbered(t, func(i int) uint64 { return []uint64{0, math.MaxUint64 - 100}[i%2] })
	if got := now.Delta(earlier); got != want {
		t.Errorf("Delta gives\n%v", got)
	}
	if got := now.Delta(now); got != (Snapshot{}) {
		t.Errorf("Delta to itself gives\n%v", got)
	}
}

func TestAddWraps(t *testing.T) {
	top := numbered(t, func(int) uint64 { return math.MaxUint64 })
	if got, want := top.Add(top), numbered(t, func(int) uint64 { return math.MaxUint64 - 1 }); got != want {
		t.Errorf("Add gives\n%v", got)
	}
}

// Seed row snapshot: total_packets, total_bytes, nat_hit_rate, poll_efficiency.
func TestSeedDerivedValues(t *testing.T) {
	s := Snapshot{
		RxPackets: 1, TxPackets: 2, RxBytes: 30, TxBytes: 40,
		NATTranslations: 4, NATFastPathHits: 3, NATSlowPathLookups: 1,
		Polls: 10, PollWork: 640, BusySpins: 4,
		RxDrops: Drops{ReasonNoBuffer: 1, ReasonLoss: 4}, TxDrops: Drops{ReasonRingFull: 6},
	}
	if s.TotalPackets() != 3 || s.TotalBytes() != 70 {
		t.Errorf("total packets %d, bytes %d", s.TotalPackets(), s.TotalBytes())
	}
	if s.RxDropped() != 5 || s.TxDropped() != 6 {
		t.Errorf("dropped rx %d, tx %d", s.RxDropped(), s.TxDropped())
	}
	if s.NATHitRate() != 0.75 {
		t.Errorf("hit rate %v", s.NATHitRate())
	}
	// The seed divides by the polls too; work in packets must not push it over 1.
	if s.PollEfficiency() != 0.6 || s.WorkingPolls() != 6 {
		t.Errorf("poll efficiency %v, working polls %d", s.PollEfficiency(), s.WorkingPolls())
	}

	var zero Snapshot
	if zero.NATHitRate() != 0 || zero.PollEfficiency() != 0 {
		t.Errorf("of nothing: %v, %v", zero.NATHitRate(), zero.PollEfficiency())
	}
	// Not possible by counting, but by Delta across a Reset or from JSON.
	odd := Snapshot{NATTranslations: 1, NATFastPathHits: 2, Polls: 1, BusySpins: 2}
	if odd.NATHitRate() != 1 || odd.PollEfficiency() != 0 {
		t.Errorf("out of range: %v, %v", odd.NATHitRate(), odd.PollEfficiency())
	}
}

func sample() Snapshot {
	return Snapshot{
		RxPackets: 1000, RxBytes: 64000, RxErrors: 1,
		TxPackets: 990, TxBytes: 63360, TxErrors: 2, TxSegments: 43,
		NATTranslations: 3, NATFastPathHits: 2, NATSlowPathLookups: 1,
		NATConnectionsCreated: 5, NATConnectionsExpired: 4,
		Polls: 40, PollWork: 1000, BusySpins: 10,
		Batches: BatchHistogram{0, 1, 2, 3, 4, 5, 6, 7},
		RxDrops: Drops{ReasonUnknownDestination: 2, ReasonNoBuffer: 11},
		TxDrops: Drops{ReasonRingFull: 10},
	}
}

const sampleJSON = `{
  "rx_packets": 1000,
  "rx_bytes": 64000,
  "rx_errors": 1,
  "tx_packets": 990,
  "tx_bytes": 63360,
  "tx_errors": 2,
  "tx_segments": 43,
  "nat_translations": 3,
  "nat_fast_path_hits": 2,
  "nat_slow_path_lookups": 1,
  "nat_connections_created": 5,
  "nat_connections_expired": 4,
  "polls": 40,
  "poll_work": 1000,
  "busy_spins": 10,
  "batches": {
    "1": 0,
    "2-3": 1,
    "4-7": 2,
    "8-15": 3,
    "16-31": 4,
    "32-63": 5,
    "64-127": 6,
    "128+": 7
  },
  "rx_drops": {
    "no_buffer": 11,
    "unknown_destination": 2
  },
  "tx_drops": {
    "ring_full": 10
  }
}`

func TestSnapshotJSONGolden(t *testing.T) {
	got, err := json.MarshalIndent(sample(), "", "  ")
	if err != nil || string(got) != sampleJSON {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestSnapshotJSONRoundTrip(t *testing.T) {
	for name, want := range map[string]Snapshot{
		"zero":                  {},
		"sample":                sample(),
		"every counter its own": numbered(t, func(i int) uint64 { return math.MaxUint64 - uint64(i) }),
	} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Snapshot
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// A field without a name of its own would show under Go's.
func TestSnapshotJSONNames(t *testing.T) {
	var names []string
	for f := range reflect.TypeFor[Snapshot]().Fields() {
		names = append(names, f.Tag.Get("json"))
	}
	var inJSON map[string]any
	if err := json.Unmarshal([]byte(sampleJSON), &inJSON); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, ok := inJSON[name]; !ok {
			t.Errorf("a field tagged %q is not in the golden JSON", name)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(inJSON) {
		t.Errorf("%d names in %v, %d in JSON", len(names), names, len(inJSON))
	}
}

// Seed row snapshot: text output.
func TestSeedTextGolden(t *testing.T) {
	const want = `rx_packets                1000
rx_bytes                 64000
rx_errors                    1
rx_drops                    13
  no_buffer                 11
  unknown_destination        2
tx_packets                 990
tx_bytes                 63360
tx_errors                    2
tx_segments                 43
tx_drops                    10
  ring_full                 10
nat_translations             3
nat_fast_path_hits           2
nat_slow_path_lookups        1
nat_hit_rate             66.7%
nat_connections_created      5
nat_connections_expired      4
polls                       40
poll_work                 1000
busy_spins                  10
poll_efficiency          75.0%
batches                     28
  1                          0
  2-3                        1
  4-7                        2
  8-15                       3
  16-31                      4
  32-63                      5
  64-127                     6
  128+                       7
`
	if got := sample().String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// The columns grow with what is in them.
func TestTextOfLargeValues(t *testing.T) {
	var s Snapshot
	s.TxBytes = math.MaxUint64
	const first = "rx_packets                                  0\n"
	if got := s.String(); got[:len(first)] != first {
		t.Errorf("got\n%s", got)
	}
}
