// What the tests share.

package stats

import (
	"reflect"
	"testing"
)

func panics(f func()) (panicked bool) {
	defer func() { panicked = recover() != nil }()
	f()
	return false
}

// counterPointers returns a pointer to every counter of s, found by reflection, so
// that a counter added later is not forgotten by the tests.
func counterPointers(t *testing.T, s *Snapshot) []*uint64 {
	t.Helper()
	var all []*uint64
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Uint64:
			all = append(all, v.Addr().Interface().(*uint64))
		default:
			t.Fatalf("a %s in Snapshot", v.Type())
		}
	}
	walk(reflect.ValueOf(s).Elem())
	return all
}

// numbered returns a snapshot whose i-th counter is f(i).
func numbered(t *testing.T, f func(i int) uint64) Snapshot {
	t.Helper()
	var s Snapshot
	for i, p := range counterPointers(t, &s) {
		*p = f(i)
	}
	return s
}
