// Port strings: kind:target,key=value,…

package port

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// OnFull says what becomes of frames that find the way full.
type OnFull uint8

const (
	// OnFullDefault is to wait, or to drop if the port is Live.
	OnFullDefault OnFull = iota
	// OnFullWait is to hold the source back.
	OnFullWait
	// OnFullDrop is to drop and count.
	OnFullDrop
)

// Spec is a port string taken apart.
type Spec struct {
	Text   string // as it was given
	Kind   string
	Target string
	Name   string // the name= key, or Text
	OnFull OnFull
	keys   map[string]string
	more   []Key // that it may have, beside its kind's
}

// ErrSpec is wrapped by every error about a port string.
var ErrSpec = errors.New("bad port string")

// Parse takes a port string apart and checks its kind and the names of its keys,
// but not their values.
//
// The target ends at the first comma behind which a key=value comes; a comma in it, or in a
// value, that would be an end too early is written \,. Kinds without a target have their keys
// right behind the colon. A string without a kind of Kinds in front of its first
// colon is the name of a capture file if it has no colon at all (and is no kind), begins like C:\, or has anything
// but letters, digits, - and _ before it, such as a dot or a slash; "-" is a capture on stdin or
// stdout.
func Parse(text string) (*Spec, error) { return ParseWith(text, nil) }

// ParseWith is Parse for strings that may have more keys than their kind has, for whoever opens the port and not for the kind. One of
// more may stand without a value, and has an empty one then. A key that the kind has too is the kind's as well: it is for the caller to see
// whose it is.
func ParseWith(text string, more []Key) (*Spec, error) {
	s := &Spec{Text: text, Name: text, keys: map[string]string{}, more: more}
	if text == "" {
		return nil, s.Errorf("it is empty; want kind:target,key=value,… or the name of a capture file")
	}
	rest := text
	head, tail, colon := strings.Cut(text, ":")
	switch _, known := Lookup(head); {
	case colon && known:
		s.Kind, rest = head, tail
	case colon && looksLikeKind(head):
		return nil, s.Errorf("unknown kind %q; kinds are %s; a file of that name is %q", head, kindNames(), "pcap:"+text)
	case known: // and no colon: rather a slip than a file
		return nil, s.Errorf("%s is a kind, and is written %s:; a file of that name is pcap:%s", text, text, text)
	default:
		s.Kind = "pcap"
	}
	k, known := Lookup(s.Kind)
	if !known {
		return nil, s.Errorf("there is no kind %q in this program; kinds are %s", s.Kind, kindNames())
	}
	parts := splitUnescaped(rest)
	if k.Target != "" || parts[0] == "" { // otherwise there is no target, and keys may come at once
		s.Target, parts = parts[0], parts[1:]
	}
	for _, part := range parts {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case ok:
		case slices.ContainsFunc(more, func(have Key) bool { return have.Name == part }):
			key = part
		case k.Target == "":
			return nil, s.Errorf("%q is no key=value, and kind %s has no target; its keys are %s", part, s.Kind, s.keyNames(k))
		case len(s.keys) > 0:
			return nil, s.Errorf("%q is no key=value; a comma that is no end is written \\,", part)
		default:
			s.Target += "," + part // such as a list of peers
			continue
		}
		if err := s.Set(key, value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Set adds a key that the string does not have, as if it had been written there. The error
// says if the kind knows no such key.
func (s *Spec) Set(key, value string) error {
	k, _ := Lookup(s.Kind)
	same := func(have Key) bool { return have.Name == key }
	if !slices.ContainsFunc(CommonKeys, same) && !slices.ContainsFunc(k.Keys, same) && !slices.ContainsFunc(s.more, same) {
		return s.Errorf("kind %s has no key %q; it has %s", s.Kind, key, s.keyNames(k))
	}
	if _, twice := s.keys[key]; twice {
		return s.Errorf("key %s is given twice", key)
	}
	if s.keys == nil {
		s.keys = map[string]string{}
	}
	s.keys[key] = value
	switch key {
	case "name":
		if value == "" {
			return s.Errorf("key name is empty")
		}
		s.Name = value
	case "onfull":
		switch value {
		case "wait":
			s.OnFull = OnFullWait
		case "drop":
			s.OnFull = OnFullDrop
		default:
			return s.bad(key, "wait or drop")
		}
	}
	return nil
}

// looksLikeKind reports whether s, which stands in front of a colon, was rather meant as a
// kind than as a part of a file's name.
func looksLikeKind(s string) bool {
	if len(s) < 2 { // a Windows drive
		return false
	}
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// splitUnescaped splits at commas, except at those that a backslash precedes.
func splitUnescaped(s string) []string {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ',':
			part.WriteByte(',')
			i++
		case s[i] == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(s[i])
		}
	}
	return append(parts, part.String())
}

func kindNames() string {
	var names []string
	for _, k := range Kinds() {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// keyNames lists the keys that the string may have.
func (s *Spec) keyNames(k Kind) string {
	var names []string
	for _, key := range slices.Concat(k.Keys, CommonKeys, s.more) {
		names = append(names, key.Name)
	}
	return strings.Join(names, ", ")
}

func (s *Spec) bad(key, want string) error {
	return s.Errorf("key %s is %q, want %s", key, s.keys[key], want)
}

// Errorf returns an error about the string as a whole, for what a kind finds wrong with it. It
// wraps ErrSpec.
func (s *Spec) Errorf(format string, args ...any) error {
	return fmt.Errorf("%w %q: %w", ErrSpec, s.Text, fmt.Errorf(format, args...))
}

// OpenError returns err, the error of opening what the string names, as one about the string, by Errorf, if it wraps one of wrong,
// such as a kind's ErrConfig. Otherwise the string is right and the world is not as it says: then the port's
// name only stands in front.
func (s *Spec) OpenError(err error, wrong ...error) error {
	for _, w := range wrong {
		if errors.Is(err, w) {
			return s.Errorf("%w", err)
		}
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// Has reports whether the string has the key.
func (s *Spec) Has(key string) bool {
	_, ok := s.keys[key]
	return ok
}

// String returns the value of a key, or def if the string doesn't have it.
func (s *Spec) String(key, def string) string {
	if v, ok := s.keys[key]; ok {
		return v
	}
	return def
}

// OneOf returns the value of a key, which must be one of choices, or the first of them if the
// string doesn't have it.
func (s *Spec) OneOf(key string, choices ...string) (string, error) {
	v := s.String(key, choices[0])
	if !slices.Contains(choices, v) {
		return "", s.bad(key, "one of "+strings.Join(choices, ", "))
	}
	return v, nil
}

// Int returns the value of a key as a whole number of low to high, or def if the
// string doesn't have it. 1k, 1M and 1G are thousands, millions and billions.
func (s *Spec) Int(key string, def, low, high int64) (int64, error) {
	v, ok := s.keys[key]
	if !ok {
		return def, nil
	}
	n, err := ParseCount(v)
	if err != nil || n < low || n > high {
		want := fmt.Sprintf("a whole number of %d to %d", low, high)
		if high == math.MaxInt64 {
			want = fmt.Sprintf("a whole number from %d up", low)
		}
		return 0, s.bad(key, want)
	}
	return n, nil
}

// Ints returns a function that is Int until there is an error, which it leaves in err: then, or if there is one
// already, its numbers mean nothing.
func (s *Spec) Ints(err *error) func(key string, def, low, high int64) int64 {
	return func(key string, def, low, high int64) (n int64) {
		if *err == nil {
			n, *err = s.Int(key, def, low, high)
		}
		return n
	}
}

// Probability returns the value of a key as a number of 0 to 1, or 0 to 100 with
// a % behind it, or 0 if the string doesn't have it.
func (s *Spec) Probability(key string) (float64, error) {
	v, ok := s.keys[key]
	if !ok {
		return 0, nil
	}
	p, err := ParseShare(v)
	if err != nil {
		return 0, s.bad(key, "a share such as 0.01 or 1%")
	}
	return p, nil
}

// Duration returns the value of a key as a duration from 0 up, such as 150ms, or def if
// the string doesn't have it.
func (s *Spec) Duration(key string, def time.Duration) (time.Duration, error) {
	v, ok := s.keys[key]
	if !ok {
		return def, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return 0, s.bad(key, "a duration such as 150ms or 2s")
	}
	return d, nil
}

// Rate returns the value of a key as a rate (see ParseRate), or no rate if the string
// doesn't have it.
func (s *Spec) Rate(key string) (Rate, error) {
	v, ok := s.keys[key]
	if !ok {
		return Rate{}, nil
	}
	r, err := ParseRate(v)
	if err != nil {
		return Rate{}, s.bad(key, "a rate such as 10kpps, 1.5Mpps or 200Mbit/s")
	}
	return r, nil
}

// Rate is a number of frames or of bits a second. The zero Rate is no limit.
type Rate struct {
	PPS float64 // frames a second, or 0
	BPS float64 // bits a second, of frames as they are in buffers, or 0
}

// IsZero reports whether r is no limit.
func (r Rate) IsZero() bool { return r == Rate{} }

// ErrValue is wrapped by the errors of ParseCount, ParseShare and ParseRate.
var ErrValue = errors.New("bad value")

// ParseRate reads a rate: a number, a multiplier k, M or G (decimal), and the unit pps or bit/s
// (bps too).
func ParseRate(text string) (Rate, error) {
	for _, unit := range []string{"pps", "bit/s", "bps"} {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		v, err := parseDecimal(exponents(number))
		if err != nil || v <= 0 {
			break
		}
		if unit == "pps" {
			return Rate{PPS: v}, nil
		}
		return Rate{BPS: v}, nil
	}
	return Rate{}, fmt.Errorf("%w: rate %q, want one such as 10kpps, 1.5Mpps or 200Mbit/s", ErrValue, text)
}

// ParseCount reads a whole number, with a multiplier k, M or G (decimal) if need be.
func ParseCount(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	number := exponents(text)
	v, err := parseDecimal(number)
	if err == nil && math.Abs(v) <= 1<<53 {
		// v is rounded, perhaps to a whole number that the text isn't.
		if exact, ok := new(big.Rat).SetString(number); ok && exact.IsInt() {
			return exact.Num().Int64(), nil
		}
	}
	return 0, fmt.Errorf("%w: number %q, want a whole one such as 1000 or 2M", ErrValue, text)
}

// ParseShare reads a share of 0 to 1, or of 0 to 100 with a % behind it.
func ParseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	v, err := parseDecimal(number)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return 0, fmt.Errorf("%w: share %q, want one such as 0.01 or 1%%", ErrValue, text)
	}
	return v, nil
}

// exponents replaces an SI multiplier by its exponent, so that a number is rounded once.
func exponents(text string) string {
	for suffix, exponent := range map[string]string{"k": "e3", "M": "e6", "G": "e9"} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			return number + exponent
		}
	}
	return text
}

// parseDecimal reads a finite decimal number.
func parseDecimal(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(text, "xXpP_")) {
		err = ErrValue
	}
	return v, err
}
