package perf

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSum(t *testing.T) {
	var sum Sum
	for n := range 3000 {
		if err := sum.Check(n); err != nil {
			t.Fatal(err)
		}
		sum = sum.Plus(uint64(n))
	}
	// Numbers so large that the squares come to more than 64 bits.
	from, to := SumTo(2_000_000_000), SumTo(2_000_001_000)
	for n := range uint64(1000) {
		from = from.Plus(2_000_000_000 + n)
	}
	if from != to {
		t.Errorf("%v, want %v", from, to)
	}
}

func TestSumOf(t *testing.T) {
	for n := range 20 {
		items := make([]Pair, n)
		for i := range items {
			Write(&items[i], uint64(i))
		}
		if err := SumOf(items).Check(n); err != nil {
			t.Error(err)
		}
	}
}

// The order in which numbers come does not matter, nor who has them.
func TestSumOfAnyOrder(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var sums [3]Sum
	random := rand.New(rand.NewPCG(seed, 0))
	for _, v := range random.Perm(1000) {
		k := random.IntN(3)
		sums[k] = sums[k].Plus(uint64(v))
	}
	if err := sums[0].And(sums[1]).And(sums[2]).Check(1000); err != nil {
		t.Error(err)
	}
}
