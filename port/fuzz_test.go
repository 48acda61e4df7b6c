// Port strings that nobody meant to write.

package port

import (
	"errors"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzSpec: a string is taken or refused in one line that wraps ErrSpec. What is taken has a
// kind that exists, is the same when it is written out again, and its values are within their
// ranges or refused by the name of their key.
func FuzzSpec(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			checkSpecError(t, text, err, "")
			return
		}
		if _, ok := Lookup(s.Kind); !ok || s.Text != text || s.Name == "" || s.OnFull > OnFullDrop {
			t.Fatalf("%q: %+v", text, s)
		}
		again, err := Parse(written(s))
		if err != nil || again.Kind != s.Kind || again.Target != s.Target || !maps.Equal(again.keys, s.keys) {
			t.Fatalf("%q: %+v, written as %q: %+v, %v", text, s, written(s), again, err)
		}
		for key := range s.keys {
			checkValues(t, s, key)
		}
	})
}

// written is a string that means what s does.
func written(s *Spec) string {
	comma := strings.NewReplacer(",", `\,`)
	parts := []string{comma.Replace(s.Target)}
	for key, value := range s.keys {
		parts = append(parts, key+"="+comma.Replace(value))
	}
	// A backslash would swallow the comma behind it: only the last part can end in one.
	slices.SortStableFunc(parts[1:], func(a, b string) int {
		return strings.Count(a[len(a)-1:], `\`) - strings.Count(b[len(b)-1:], `\`)
	})
	return s.Kind + ":" + strings.Join(parts, ",")
}

// checkValues reads a key in every way there is.
func checkValues(t *testing.T, s *Spec, key string) {
	t.Helper()
	value := s.String(key, "absent")
	check := func(how string, err error, inRange bool) {
		t.Helper()
		if err != nil {
			checkSpecError(t, s.Text, err, "key "+key+" is ")
		} else if !inRange {
			t.Errorf("%q: %s of key %s took %q", s.Text, how, key, value)
		}
	}
	n, err := s.Int(key, 5, -3, 1e6)
	check("Int", err, -3 <= n && n <= 1e6)
	n, err = s.Int(key, 5, 1, math.MaxInt64)
	check("Int", err, n >= 1)
	v, err := s.OneOf(key, "a", "b")
	check("OneOf", err, v == value && (v == "a" || v == "b"))
	p, err := s.Probability(key)
	check("Probability", err, 0 <= p && p <= 1)
	d, err := s.Duration(key, time.Second)
	check("Duration", err, d >= 0)
	r, err := s.Rate(key)
	perSecond := r.PPS + r.BPS // one of them is 0
	check("Rate", err, perSecond > 0 && perSecond <= math.MaxFloat64 && r.PPS*r.BPS == 0)
}

// checkSpecError: one line that wraps ErrSpec and has the words.
func checkSpecError(t *testing.T, text string, err error, words string) {
	t.Helper()
	if said := err.Error(); !errors.Is(err, ErrSpec) || strings.ContainsAny(said, "\n\r") || !strings.Contains(said, words) {
		t.Errorf("%q: %q is not one line that wraps ErrSpec and says %q", text, said, words)
	}
}

// FuzzValues: what is taken as a count is that whole number and no neighbour of it; shares and
// rates are as near as a float64 is. What is refused is refused in one line that wraps ErrValue.
func FuzzValues(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		near := func(what string, got float64, err error, number string) {
			t.Helper()
			if err != nil {
				checkValueError(t, text, err)
				return
			}
			v := 0.0
			if want := decimal(number); want != nil {
				v, _ = want.Float64()
			}
			if math.Abs(got-v) > math.Abs(v)*1e-15+math.SmallestNonzeroFloat64 {
				t.Errorf("%s of %q is %v, want %v", what, text, got, v)
			}
		}
		n, err := ParseCount(text)
		if err != nil {
			checkValueError(t, text, err)
		} else if want := decimal(text); want == nil || want.Cmp(new(big.Rat).SetInt64(n)) != 0 {
			t.Errorf("count of %q is %d, want %v", text, n, want)
		}
		share, err := ParseShare(text)
		if number, percent := strings.CutSuffix(text, "%"); percent {
			near("percentage", share*100, err, number)
		} else {
			near("share", share, err, text)
		}
		rate, err := ParseRate(text)
		near("rate", rate.PPS+rate.BPS, err, strings.TrimRight(text, "bit/ps")) // without its unit
	})
}

// decimal is what a number says, by the rules of school, with its k, M or G. It is nil if it is none,
// or too small to write out.
func decimal(text string) *big.Rat {
	exponent := 0
	if at := strings.IndexAny("kMG", text[max(0, len(text)-1):]); at >= 0 && text != "" {
		exponent, text = 3*at+3, text[:len(text)-1]
	}
	mantissa, power, scaled := text, "", false
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, power, scaled = text[:at], text[at+1:], true
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return nil
	}
	v := new(big.Rat).SetInt(digits)
	if digits.Sign() == 0 {
		return v
	}
	if scaled {
		e, err := strconv.Atoi(power)
		if err != nil || max(e, -e) > 10000 {
			return nil
		}
		exponent += e
	}
	exponent -= len(fraction)
	ten := big.NewInt(10)
	ten.Exp(ten, big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent < 0 {
		return v.Quo(v, new(big.Rat).SetInt(ten))
	}
	return v.Mul(v, new(big.Rat).SetInt(ten))
}

// checkValueError: one line that wraps ErrValue and quotes the text.
func checkValueError(t *testing.T, text string, err error) {
	t.Helper()
	if said := err.Error(); !errors.Is(err, ErrValue) || strings.ContainsAny(said, "\n\r") || !strings.Contains(said, strconv.Quote(text)) {
		t.Errorf("%q: %v", text, err)
	}
}
