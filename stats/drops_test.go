// Tests of Drops.

package stats

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

func TestDropsAllAndTotal(t *testing.T) {
	var none Drops
	for r, n := range none.All() {
		t.Errorf("empty, but yields %v %d", r, n)
	}
	var d Drops
	d[ReasonPolicy] = 7
	d[ReasonNoBuffer] = 1
	d[ReasonRingFull] = 2
	var order []Reason
	for r, n := range d.All() {
		if n != d[r] {
			t.Errorf("%v: %d, want %d", r, n, d[r])
		}
		order = append(order, r)
	}
	if want := []Reason{ReasonNoBuffer, ReasonRingFull, ReasonPolicy}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if d.Total() != 10 {
		t.Errorf("total %d", d.Total())
	}
	for r := range d.All() { // leaving early must not panic
		if r != ReasonNoBuffer {
			t.Errorf("first is %v", r)
		}
		break
	}
}

func TestDropsJSON(t *testing.T) {
	var d Drops
	d[ReasonRingFull] = math.MaxUint64
	d[ReasonClosed] = 3
	d[ReasonNoBuffer] = 1
	got, err := json.Marshal(d)
	// Sorted by name, not by number.
	if want := `{"closed":3,"no_buffer":1,"ring_full":18446744073709551615}`; err != nil || string(got) != want {
		t.Fatalf("%s, %v; want %s", got, err, want)
	}
	back := Drops{ReasonLoss: 5} // absent ones become zero
	if err := json.Unmarshal(got, &back); err != nil || back != d {
		t.Errorf("read back %v, %v", back, err)
	}
	if got, err := json.Marshal(Drops{}); err != nil || string(got) != "{}" {
		t.Errorf("empty: %s, %v", got, err)
	}
}

func TestDropsJSONOfAnotherVersion(t *testing.T) {
	var d Drops
	if err := json.Unmarshal([]byte(`{"no_buffer":1,"new_one":2,"newer":3,"unspecified":4}`), &d); err != nil {
		t.Fatal(err)
	}
	if want := (Drops{ReasonNoBuffer: 1, ReasonUnspecified: 9}); d != want {
		t.Errorf("%v, want %v", d, want)
	}
}

func TestDropsJSONErrors(t *testing.T) {
	for _, bad := range []string{`{"loss":-1}`, `{"loss":1.5}`, `{"loss":"1"}`, `[1]`, `{"loss":18446744073709551616}`} {
		d := Drops{ReasonLoss: 5}
		if err := json.Unmarshal([]byte(bad), &d); err == nil || d != (Drops{ReasonLoss: 5}) {
			t.Errorf("%s: %v, %v", bad, d, err)
		}
	}
	d := Drops{ReasonLoss: 5}
	if err := json.Unmarshal([]byte(`null`), &d); err != nil || d[ReasonLoss] != 5 {
		t.Errorf("null: %v, %v", d, err)
	}
}
