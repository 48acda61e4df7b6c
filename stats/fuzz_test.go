// Arithmetic on counters of any value, against whole numbers of any size, and what JSON brings in.

package stats

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// counted returns a snapshot whose counters are 8 bytes each of b, as far as it goes.
func counted(t *testing.T, b []byte) Snapshot {
	t.Helper()
	return numbered(t, func(int) uint64 {
		var word [8]byte
		b = b[copy(word[:], b):]
		return binary.LittleEndian.Uint64(word[:])
	})
}

// total is the sum of counters, as a counter has it: modulo 2^64.
func total(counters ...uint64) uint64 {
	sum := new(big.Int)
	for _, n := range counters {
		sum.Add(sum, new(big.Int).SetUint64(n))
	}
	return sum.And(sum, new(big.Int).SetUint64(1<<64-1)).Uint64()
}

// FuzzStats: sums, differences, totals, rates, text and JSON of two snapshots.
func FuzzStats(f *testing.F) {
	f.Fuzz(func(t *testing.T, now, before, text []byte) {
		s, earlier := counted(t, now), counted(t, before)
		sum, delta := s.Add(earlier), s.Delta(earlier)
		a, b := counterPointers(t, &s), counterPointers(t, &earlier)
		sums, deltas := counterPointers(t, &sum), counterPointers(t, &delta)
		for i := range a {
			if want := total(*a[i], *b[i]); *sums[i] != want {
				t.Errorf("counter %d: %d + %d is %d, want %d", i, *a[i], *b[i], *sums[i], want)
			}
			want := new(big.Int).Sub(new(big.Int).SetUint64(*a[i]), new(big.Int).SetUint64(*b[i]))
			if want.Sign() < 0 {
				want.SetInt64(0)
			}
			if *deltas[i] != want.Uint64() {
				t.Errorf("counter %d: %d - %d is %d, want %d", i, *a[i], *b[i], *deltas[i], want)
			}
		}
		for _, s := range []Snapshot{s, sum, delta} {
			checkTotals(t, s)
		}
		checkText(t, s)
		checkJSON(t, s)
		checkForeignJSON(t, text)
	})
}

func checkTotals(t *testing.T, s Snapshot) {
	t.Helper()
	for what, c := range map[string]struct{ got, want uint64 }{
		"RxDropped":     {s.RxDropped(), total(s.RxDrops[:]...)},
		"TxDropped":     {s.TxDropped(), total(s.TxDrops[:]...)},
		"TotalPackets":  {s.TotalPackets(), total(s.RxPackets, s.TxPackets)},
		"TotalBytes":    {s.TotalBytes(), total(s.RxBytes, s.TxBytes)},
		"Batches.Total": {s.Batches.Total(), total(s.Batches[:]...)},
		"WorkingPolls":  {s.WorkingPolls(), s.Polls - min(s.Polls, s.BusySpins)},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, want %d", what, c.got, c.want)
		}
	}
	for what, c := range map[string]struct {
		got         float64
		part, whole uint64
	}{
		"NATHitRate":     {s.NATHitRate(), s.NATFastPathHits, s.NATTranslations},
		"PollEfficiency": {s.PollEfficiency(), s.WorkingPolls(), s.Polls},
	} {
		want := 0.0
		if c.whole != 0 {
			part := new(big.Int).SetUint64(min(c.part, c.whole))
			want, _ = new(big.Rat).SetFrac(part, new(big.Int).SetUint64(c.whole)).Float64()
		}
		const rounding = 1e-15 // of part, whole and quotient
		if !(c.got >= want*(1-rounding) && c.got <= want*(1+rounding) && c.got <= 1) {
			t.Errorf("%s of %d in %d is %v, want %v", what, c.part, c.whole, c.got, want)
		}
	}
}

// checkText: a line for each counter and total, with its value as the last word.
func checkText(t *testing.T, s Snapshot) {
	t.Helper()
	lines := map[string]string{}
	width := 0
	for line := range strings.Lines(s.String()) {
		words := strings.Fields(line)
		if len(words) != 2 || width != 0 && len(line) != width {
			t.Fatalf("line %q", line)
		}
		lines[words[0]], width = words[1], len(line)
	}
	for name, n := range map[string]uint64{
		"rx_packets": s.RxPackets, "tx_bytes": s.TxBytes, "polls": s.Polls,
		"rx_drops": s.RxDropped(), "tx_drops": s.TxDropped(), "batches": s.Batches.Total(),
		"128+": s.Batches[BatchBuckets-1],
	} {
		if lines[name] != fmt.Sprint(n) {
			t.Errorf("%s is %q, want %d", name, lines[name], n)
		}
	}
	for r, n := range s.RxDrops.All() {
		if s.TxDrops[r] == 0 && lines[r.String()] != fmt.Sprint(n) {
			t.Errorf("%s is %q, want %d", r, lines[r.String()], n)
		}
	}
}

// checkJSON: what is written is read back.
func checkJSON(t *testing.T, s Snapshot) {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Snapshot
	if err := json.Unmarshal(data, &back); err != nil || back != s {
		t.Errorf("%s read back: %v\n%v", data, err, back)
	}
}

// checkForeignJSON: JSON of somebody else gives a snapshot or an error, and a part of it that is
// bad leaves what was there.
func checkForeignJSON(t *testing.T, text []byte) {
	t.Helper()
	var s Snapshot
	if json.Unmarshal(text, &s) == nil {
		checkJSON(t, s)
	}
	d := Drops{ReasonLoss: 7}
	if d.UnmarshalJSON(text) != nil && d != (Drops{ReasonLoss: 7}) {
		t.Errorf("drops after a bad %q: %v", text, d)
	}
	h := BatchHistogram{7}
	if h.UnmarshalJSON(text) != nil && h != (BatchHistogram{7}) {
		t.Errorf("batches after a bad %q: %v", text, h)
	}
}

// FuzzStatsCounters: steps of two workers and a reader, against plain sums. Each step is a byte
// that says what, and 8 bytes that say how much.
func FuzzStatsCounters(f *testing.F) {
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := New()
		var shards [2]*Shard
		var pending [2]Snapshot          // what each shard has counted and not published
		var published, baseline Snapshot // by all of them; at the last Reset
		for i := range shards {
			shards[i] = c.NewShard()
		}
		publish := func(i int) {
			published = published.Add(pending[i])
			pending[i] = Snapshot{}
		}
		for ; len(steps) >= 9; steps = steps[9:] {
			i, n := int(steps[0]>>7), binary.LittleEndian.Uint64(steps[1:])
			s, was := shards[i], &pending[i]
			reason := Reason(n >> 56)
			wanted := reason
			if int(reason) >= NumReasons {
				wanted = ReasonUnspecified
			}
			switch steps[0] & 0x0f {
			case 0:
				s.Rx(n, ^n)
				was.RxPackets, was.RxBytes = total(was.RxPackets, n), total(was.RxBytes, ^n)
			case 1:
				s.Tx(n, ^n)
				was.TxPackets, was.TxBytes = total(was.TxPackets, n), total(was.TxBytes, ^n)
			case 2:
				s.DropRx(reason, n)
				was.RxDrops[wanted] = total(was.RxDrops[wanted], n)
			case 3:
				s.DropTx(reason, n)
				was.TxDrops[wanted] = total(was.TxDrops[wanted], n)
			case 4:
				s.NAT(n, 3)
				was.NATFastPathHits = total(was.NATFastPathHits, n)
				was.NATSlowPathLookups = total(was.NATSlowPathLookups, 3)
				was.NATTranslations = total(was.NATTranslations, n, 3)
			case 5:
				s.Poll(n)
				was.Polls, was.PollWork = total(was.Polls, 1), total(was.PollWork, n)
				if n == 0 {
					was.BusySpins = total(was.BusySpins, 1)
				}
			case 6:
				s.Batch(int(n))
				if at := bucketByRule(int(n)); at >= 0 {
					was.Batches[at] = total(was.Batches[at], 1)
				}
			case 7:
				s.ErrorRx(n)
				was.RxErrors = total(was.RxErrors, n)
			case 8:
				s.Publish()
				publish(i)
			case 9: // the worker ends and another begins
				s.Close()
				publish(i)
				shards[i] = c.NewShard()
			case 10:
				want := since(t, published, baseline)
				if got := c.Reset(); got != want {
					t.Fatalf("Reset gives\n%v\nwant\n%v", got, want)
				}
				baseline = published
			default:
				if got, want := c.Snapshot(), since(t, published, baseline); got != want {
					t.Fatalf("Snapshot gives\n%v\nwant\n%v", got, want)
				}
			}
		}
	})
}

// since is what was counted from a baseline on, though counters wrapped in between.
func since(t *testing.T, now, baseline Snapshot) Snapshot {
	t.Helper()
	a, b := counterPointers(t, &now), counterPointers(t, &baseline)
	for i := range a {
		*a[i] = total(*a[i], ^*b[i], 1) // adding the two's complement takes away
	}
	return now
}
