package pool

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
)

// A handle is 16 bytes and the collector has nothing to look for in it.
func TestBufferLayout(t *testing.T) {
	if size := unsafe.Sizeof(Buffer{}); size != 16 {
		t.Errorf("Buffer has %d bytes", size)
	}
	if size := unsafe.Sizeof(slotState{}); size != 8 {
		t.Errorf("slotState has %d bytes", size)
	}
	for _, v := range []any{Buffer{}, slotState{}, Meta{}, Offload{}, [magazineSize]uint32{}} {
		if typ := reflect.TypeOf(v); pointers(typ) {
			t.Errorf("%v has pointers", typ)
		}
	}
	if !pointers(reflect.TypeOf(Pool{})) {
		t.Error("pointers finds none in a Pool")
	}
}

func pointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return pointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return t.Kind() > reflect.Complex128 || t.Kind() == reflect.Uintptr
	}
}

// Fields that different cores write are a pad apart, and apart from what all cores read.
func TestPadding(t *testing.T) {
	var d depot
	var p Pool
	var h heap
	var c Cache
	at := func(base, off uintptr) uintptr { return base + off }
	pd, ph := unsafe.Offsetof(p.depot), unsafe.Offsetof(p.heap)
	for what, gap := range map[string]int{
		"depot: full, empty":     int(unsafe.Offsetof(d.empty) - unsafe.Offsetof(d.full) - unsafe.Sizeof(d.full)),
		"depot: empty, loose":    int(unsafe.Offsetof(d.loose) - unsafe.Offsetof(d.empty) - unsafe.Sizeof(d.empty)),
		"depot: loose, fresh":    int(unsafe.Offsetof(d.fresh) - unsafe.Offsetof(d.loose) - unsafe.Sizeof(d.loose)),
		"depot: fresh, limit":    int(unsafe.Offsetof(d.limit) - unsafe.Offsetof(d.fresh) - unsafe.Sizeof(d.fresh)),
		"depot: begin, full":     int(unsafe.Offsetof(d.full)),
		"heap: wrapped, out":     int(unsafe.Offsetof(h.out) - unsafe.Offsetof(h.wrapped) - unsafe.Sizeof(h.wrapped)),
		"heap: out, end":         int(unsafe.Sizeof(h) - unsafe.Offsetof(h.out) - unsafe.Sizeof(h.out)),
		"pool: meta, heap's top": int(at(ph, unsafe.Offsetof(h.depot)+unsafe.Offsetof(d.full)) - unsafe.Offsetof(p.meta) - unsafe.Sizeof(p.meta)),
		"pool: depot, out":       int(unsafe.Offsetof(p.out) - at(pd, unsafe.Offsetof(d.magazines)) - unsafe.Sizeof(d.magazines)),
		"pool: out, highWater":   int(unsafe.Offsetof(p.highWater) - unsafe.Offsetof(p.out) - unsafe.Sizeof(p.out)),
		"pool: returned, lent":   int(unsafe.Offsetof(p.lent) - unsafe.Offsetof(p.returned) - unsafe.Sizeof(p.returned)),
		"pool: lent, mu":         int(unsafe.Offsetof(p.mu) - unsafe.Offsetof(p.lent) - unsafe.Sizeof(p.lent)),
		"cache: begin, free":     int(unsafe.Offsetof(c.p)),
		"cache: idle, end":       int(unsafe.Sizeof(c) - unsafe.Offsetof(c.idle) - unsafe.Sizeof(c.idle)),
	} {
		if gap < cpu.PadSize {
			t.Errorf("%s: %d bytes apart, want %d", what, gap, cpu.PadSize)
		}
	}
}
