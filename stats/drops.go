// Drops: dropped frames by reason.

package stats

import (
	"encoding/json"
	"iter"
	"maps"
)

// Drops counts dropped frames by reason: d[ReasonNoBuffer] is the number of frames
// dropped for want of a buffer. It is a value; copying it copies the counts.
type Drops [NumReasons]uint64

// Total returns the number of frames dropped for any reason.
func (d Drops) Total() uint64 {
	var sum uint64
	for _, n := range d {
		sum += n
	}
	return sum
}

// All yields each reason whose count is not zero, with its count, in the order
// in which the reasons are declared.
func (d Drops) All() iter.Seq2[Reason, uint64] {
	return func(yield func(Reason, uint64) bool) {
		for i, n := range d {
			if n != 0 && !yield(Reason(i), n) {
				return
			}
		}
	}
}

// MarshalJSON writes an object with the non-zero counts by reason, sorted by name:
// {"no_buffer":2,"ring_full":1}; without drops it is {}.
func (d Drops) MarshalJSON() ([]byte, error) {
	return json.Marshal(maps.Collect(d.All())) // encoding/json sorts by name
}

// UnmarshalJSON reads what MarshalJSON wrote; a reason that is absent becomes zero.
// A name this version does not know counts under ReasonUnspecified, so that a newer
// version's total stays right. On an error d stays as it was.
func (d *Drops) UnmarshalJSON(data []byte) error {
	var byName map[string]uint64
	if err := json.Unmarshal(data, &byName); err != nil {
		return err
	}
	if byName == nil { // null, by convention, changes nothing
		return nil
	}
	*d = Drops{}
	for name, n := range byName {
		r, err := ParseReason(name)
		if err != nil {
			r = ReasonUnspecified
		}
		d[r] += n
	}
	return nil
}
