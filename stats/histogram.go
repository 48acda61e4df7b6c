// BatchHistogram: how large the batches were.

package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// BatchBuckets is the number of buckets of a BatchHistogram.
const BatchBuckets = 8

// BatchHistogram counts batches by their size in packets, in powers of two: bucket i
// counts the batches of 2^i to 2^(i+1)-1 packets, and the last bucket, 7,
// all batches of 128 packets or more. So 1 is in bucket 0, 2 and 3 are in bucket 1,
// 64 to 127 in bucket 6. What has no packet is not a batch and is counted in no
// bucket.
type BatchHistogram [BatchBuckets]uint64

// batchBucket returns the bucket for a batch of n > 0 packets.
func batchBucket(n int) int {
	return min(bits.Len(uint(n)), BatchBuckets) - 1
}

// Total returns the number of batches of any size.
func (h BatchHistogram) Total() uint64 {
	var sum uint64
	for _, n := range h {
		sum += n
	}
	return sum
}

// Bounds returns the smallest and the largest size, in packets, that bucket i
// counts. For the last bucket high is math.MaxInt. It panics unless 0 <= i <
// BatchBuckets.
func (h BatchHistogram) Bounds(i int) (low, high int) {
	if i < 0 || i >= BatchBuckets {
		panic(fmt.Sprintf("stats: batch bucket %d, want 0 to %d", i, BatchBuckets-1))
	}
	if i == BatchBuckets-1 {
		return 1 << i, math.MaxInt
	}
	return 1 << i, 2<<i - 1
}

// batchLabel returns a bucket's name in JSON and text: "1", "2-3", … "128+".
func batchLabel(i int) string {
	low, high := BatchHistogram{}.Bounds(i)
	switch high {
	case low:
		return strconv.Itoa(low)
	case math.MaxInt:
		return strconv.Itoa(low) + "+"
	}
	return strconv.Itoa(low) + "-" + strconv.Itoa(high)
}

// MarshalJSON writes an object with all buckets by size, smallest first:
// {"1":0,"2-3":5,"4-7":0,"8-15":0,"16-31":0,"32-63":0,"64-127":9,"128+":0}.
func (h BatchHistogram) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, n := range h {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&b, "%s%q:%d", sep, batchLabel(i), n)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote; a bucket that is absent becomes zero. A
// bucket of another name is an error, and on an error h stays as it was.
func (h *BatchHistogram) UnmarshalJSON(data []byte) error {
	var byLabel map[string]uint64
	if err := json.Unmarshal(data, &byLabel); err != nil {
		return err
	}
	if byLabel == nil { // null, by convention, changes nothing
		return nil
	}
	var parsed BatchHistogram
	for i := range parsed {
		label := batchLabel(i)
		parsed[i] = byLabel[label]
		delete(byLabel, label)
	}
	for label := range byLabel {
		return fmt.Errorf("stats: unknown batch bucket %q", label)
	}
	*h = parsed
	return nil
}
