// Timestamps against arithmetic without bounds.

package capfile

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactNS is the conversion in rational numbers.
func exactNS(ticks uint64, res Resolution, off int64) (ns int64, sub, sat bool) {
	base := big.NewInt(10)
	if res.Binary() {
		base.SetInt64(2)
	}
	v := new(big.Int).SetUint64(ticks)
	v.Mul(v, big.NewInt(1e9))
	unit := base.Exp(base, big.NewInt(int64(res.Exponent())), nil)
	rem := new(big.Int)
	v.DivMod(v, unit, rem)
	sub = rem.Sign() != 0
	v.Add(v, new(big.Int).Mul(big.NewInt(off), big.NewInt(1e9)))
	switch {
	case v.IsInt64():
		return v.Int64(), sub, false
	case v.Sign() > 0:
		return math.MaxInt64, sub, true
	}
	return math.MinInt64, sub, true
}

func TestClock(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	offs := []int64{0, 0, 1, -1, 3600, 9223372036, -9223372036, 9223372037, -9223372037, math.MaxInt64, math.MinInt64}
	check := func(ticks uint64, res Resolution, off int64) {
		t.Helper()
		c := newClock(res, off)
		ns, sub, sat := c.ns(ticks)
		if ns3, sub3, sat3 := c.slow(ticks); ns3 != ns || sub3 != sub || sat3 != sat {
			t.Fatalf("%d ticks of %v offset %d: fast and slow way differ", ticks, res, off)
		}
		ns2, sub2, sat2 := exactNS(ticks, res, off)
		if ns != ns2 || sub != sub2 || sat != sat2 {
			t.Fatalf("%d ticks of %v offset %d: have %d %v %v, want %d %v %v", ticks, res, off, ns, sub, sat, ns2, sub2, sat2)
		}
	}
	for res := range 256 {
		for range 40 {
			ticks := r.Uint64() >> r.IntN(64)
			off := offs[r.IntN(len(offs))]
			check(ticks, Resolution(res), off)
			check(ticks, Resolution(res), int64(r.Uint64()>>r.IntN(64)))
		}
		for _, off := range offs {
			for _, ticks := range []uint64{0, 1, math.MaxUint64, math.MaxInt64, 1 << 63, math.MaxInt64 / 1000, math.MaxInt64/1000 + 1} {
				check(ticks, Resolution(res), off)
			}
		}
	}
	// The ends of int64, from either side.
	for d := range uint64(5) {
		check(math.MaxInt64-2+d, Nano, 0)
		check(145224192-2+d, Nano, -9223372037) // MinInt64
		check(854775807-2+d, Nano, 9223372036)
		check(9223372036854775-2+d, Micro, 0)
	}
}

func TestTimesAreCounted(t *testing.T) {
	for _, o := range orders {
		f := ng(o).idb(1, 0, option(o, 9, "\x0c")).idb(1, 0). // ps, µs
									epb(0, 1_999, "a", 1).epb(0, 2_000, "b", 1).epb(1, 1<<63, "c", 1).epb(1, 5, "d", 1)
		frames, p := mustParse(t, f.b)
		var have []int64
		for _, g := range frames {
			have = append(have, g.NS)
		}
		same(t, "times", have, []int64{1, 2, math.MaxInt64, 5000})
		same(t, "below a nanosecond", p.SubNanosecond(), 1)
		same(t, "saturated", p.Saturated(), 1)
	}
}
