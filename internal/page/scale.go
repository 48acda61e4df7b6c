// Axes, and how numbers are written.

package page

import (
	"math"
	"slices"
	"strconv"

	"github.com/ringway-net/ringway/internal/perf"
)

// scale is an axis from lo to hi, linear or logarithmic.
type scale struct {
	lo, hi float64
	log    bool
}

// tick is a place on an axis.
type tick struct {
	At    float64 // 0 to 1
	Value float64
	Label string
}

// wide is from which ratio on values are shown on a logarithmic axis.
const wide = 10

// barScale returns an axis for bars: from zero, unless the values differ so much that only a logarithmic one
// shows them all.
func barScale(values []float64) scale {
	lo, hi := slices.Min(values), slices.Max(values)
	if hi/lo > wide {
		s := logScale(values)
		if lo < s.lo*1.5 {
			s.lo = step(s.lo*0.99, -1) // the shortest bar has a length too
		}
		return s
	}
	return scale{0, hi * 1.02, false}
}

// logScale returns a logarithmic axis for values above 0, whose ends are ticks.
func logScale(values []float64) scale {
	lo, hi := step(slices.Min(values), -1), step(slices.Max(values), +1)
	if lo == hi {
		hi = step(hi*1.01, +1)
	}
	return scale{lo, hi, true}
}

// step returns the next of …, 1, 2, 5, 10, … that is not above v, or not below it.
func step(v float64, direction int) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	steps := []float64{1, 2, 5, 10}
	if direction < 0 {
		for _, s := range slices.Backward(steps) {
			if s*decade <= v*(1+1e-9) {
				return s * decade
			}
		}
		return decade
	}
	for _, s := range steps {
		if s*decade >= v*(1-1e-9) {
			return s * decade
		}
	}
	return 10 * decade
}

// at returns where v is, 0 to 1.
func (s scale) at(v float64) float64 {
	if s.log {
		v = math.Log(v/s.lo) / math.Log(s.hi/s.lo)
	} else {
		v = (v - s.lo) / (s.hi - s.lo)
	}
	return min(max(v, 0), 1)
}

// ticks returns at most about n ticks.
func (s scale) ticks(n int) (all []tick) {
	add := func(v float64) { all = append(all, tick{s.at(v), v, plain(v)}) }
	if !s.log {
		d := step((s.hi-s.lo)/float64(n), +1)
		for v := s.lo; v <= s.hi; v += d {
			add(v)
		}
		return all
	}
	decades := math.Log10(s.hi / s.lo)
	only := []float64{1, 2, 5}
	if decades*3+1 > float64(n) {
		only = []float64{1}
	}
	every := max(1, int(math.Ceil(decades/float64(n))))
	first := int(math.Floor(math.Log10(s.lo) + 1e-9))
	for e := first; math.Pow10(e) <= s.hi*(1+1e-9); e += every {
		for _, m := range only {
			if v := m * math.Pow10(e); v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9) {
				add(v)
			}
		}
	}
	return all
}

// Digits writes v with three digits, and a large number with all that are before the point.
func Digits(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	if v == 0 {
		return "0"
	}
	after := 2 - int(math.Floor(math.Log10(max(math.Abs(v), 0.001))+1e-3)) // 9.996 has its digits as 10.0 has
	return decimals(v, max(after, 0))
}

// plain writes a round number.
func plain(v float64) string { return strconv.FormatFloat(v, 'g', 9, 64) }

func decimals(v float64, n int) string { return strconv.FormatFloat(v, 'f', n, 64) }

// duration writes nanoseconds with three digits.
func duration(ns float64) string { return inUnit(ns, Digits) }

// inUnit writes nanoseconds in the unit that suits them.
func inUnit(ns float64, write func(float64) string) string {
	for _, u := range []struct {
		from float64
		name string
	}{{1e9, " s"}, {1e6, " ms"}, {1e3, " µs"}} {
		if ns >= u.from*0.9995 {
			return write(ns/u.from) + u.name
		}
	}
	return write(ns) + " ns"
}

// Amount writes v, in nanoseconds or bytes as its unit says ("ns" or "B"), with three digits and the prefix that suits it.
func Amount(v float64, unit string) string {
	if unit == perf.NS {
		return duration(v)
	}
	for _, p := range []struct {
		from float64
		name string
	}{{1 << 30, " Gi"}, {1 << 20, " Mi"}, {1 << 10, " Ki"}} {
		if v >= p.from {
			return Digits(v/p.from) + p.name + unit
		}
	}
	return Digits(v) + " " + unit
}

// times writes a ratio, with two digits; 0 is none.
func times(ratio float64) string {
	switch {
	case ratio == 0:
		return ""
	case ratio < 0.0995:
		return "×" + decimals(ratio, 3)
	case ratio < 9.95:
		return "×" + decimals(ratio, 2)
	}
	return "×" + decimals(ratio, 0)
}
