package perf

import "testing"

func TestCheckSum(t *testing.T) {
	var sum uint64
	for n := range 3000 {
		sum += uint64(n)
		if err := CheckSum(sum, n); err != nil {
			t.Fatal(err)
		}
		if CheckSum(sum+1, n) == nil {
			t.Errorf("%d items: no error", n)
		}
	}
}

func TestAddUp(t *testing.T) {
	for n := range 40 {
		items := make([]Pair, n)
		writeAll(items, 1)
		if err := CheckSum(addUp(items), n); err != nil {
			t.Error(err)
		}
	}
}
