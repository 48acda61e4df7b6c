// Tests of BatchHistogram: the rule for buckets, at every edge.

package stats

import (
	"encoding/json"
	"math"
	"testing"
)

// bucketByRule finds the bucket as the documentation says it, without bit tricks; -1 is none.
func bucketByRule(n int) int {
	switch {
	case n <= 0:
		return -1
	case n >= 128:
		return 7
	}
	i := 0
	for low := 1; low*2 <= n; low *= 2 {
		i++
	}
	return i
}

// countedIn returns the bucket in which a shard counts a batch of n, -1 if in none.
func countedIn(t *testing.T, n int) int {
	t.Helper()
	c := New()
	s := c.NewShard()
	s.Batch(n)
	s.Publish()
	h := c.Snapshot().Batches
	at := -1
	for i, count := range h {
		switch {
		case count == 1 && at < 0:
			at = i
		case count != 0:
			t.Fatalf("a batch of %d gives %v", n, h)
		}
	}
	return at
}

// Seed row DatapathStats: batch-size histogram of 8 power-of-two buckets, and the fault
// in row snapshot: its bucket for 3 contradicts its doc. Here 3 is in bucket 1.
func TestSeedBatchHistogram(t *testing.T) {
	for n, want := range map[int]int{
		0: -1, -1: -1, math.MinInt: -1,
		1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 7: 2, 8: 3, 64: 6, 127: 6, 128: 7, 129: 7, math.MaxInt: 7,
	} {
		if got := countedIn(t, n); got != want {
			t.Errorf("a batch of %d is in bucket %d, want %d", n, got, want)
		}
	}
}

func TestBatchBucketsAtEveryPowerOfTwo(t *testing.T) {
	try := func(n int) {
		if got, want := countedIn(t, n), bucketByRule(n); got != want {
			t.Errorf("a batch of %d is in bucket %d, want %d", n, got, want)
		}
	}
	for n := -2; n <= 300; n++ {
		try(n)
	}
	for p := 1; p > 0; p <<= 1 { // ends when it overflows, at 1<<31 or 1<<63
		try(p - 1)
		try(p)
		if p < math.MaxInt {
			try(p + 1)
		}
	}
}

// The buckets leave no gap and do not overlap, and Bounds says where Batch counts.
func TestBatchBounds(t *testing.T) {
	var h BatchHistogram
	next := 1
	for i := range h {
		low, high := h.Bounds(i)
		if low != next || high < low {
			t.Errorf("bucket %d is %d to %d, want it to begin at %d", i, low, high, next)
		}
		for _, n := range []int{low, high} {
			if got := countedIn(t, n); got != i {
				t.Errorf("%d is a bound of bucket %d and counted in %d", n, i, got)
			}
		}
		if i < BatchBuckets-1 {
			next = high + 1
		} else if high != math.MaxInt {
			t.Errorf("the last bucket ends at %d", high)
		}
	}
	for _, i := range []int{-1, BatchBuckets} {
		if !panics(func() { h.Bounds(i) }) {
			t.Errorf("Bounds(%d) does not panic", i)
		}
	}
}

func TestBatchHistogramJSON(t *testing.T) {
	h := BatchHistogram{1, 2, 3, 4, 5, 6, 7, math.MaxUint64}
	got, err := json.Marshal(h)
	want := `{"1":1,"2-3":2,"4-7":3,"8-15":4,"16-31":5,"32-63":6,"64-127":7,"128+":18446744073709551615}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v; want %s", got, err, want)
	}
	var back BatchHistogram
	if err := json.Unmarshal(got, &back); err != nil || back != h {
		t.Errorf("read back %v, %v", back, err)
	}
	if h.Total() != 27 { // 28 + (2^64 - 1), wrapped
		t.Errorf("total %d", h.Total())
	}

	back = h
	if err := json.Unmarshal([]byte(`{"2-3":9}`), &back); err != nil || back != (BatchHistogram{0, 9}) {
		t.Errorf("absent buckets: %v, %v", back, err)
	}
	for _, bad := range []string{`{"3":1}`, `{"1":-1}`, `[1,2]`, `{"128+":"x"}`} {
		back = h
		if err := json.Unmarshal([]byte(bad), &back); err == nil || back != h {
			t.Errorf("%s: %v, %v", bad, back, err)
		}
	}
	back = h
	if err := json.Unmarshal([]byte(`null`), &back); err != nil || back != h {
		t.Errorf("null: %v, %v", back, err)
	}
}
