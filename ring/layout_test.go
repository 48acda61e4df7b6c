// What different cores write lies on different cache lines.

package ring

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
)

// A span is a group of fields that the same cores write.
type span struct {
	name       string
	start, end uintptr
}

func checkApart(t *testing.T, size uintptr, spans ...span) {
	t.Helper()
	end := uintptr(0)
	for _, s := range append(spans, span{"end of the struct", size, size}) {
		if s.start < end || s.start-end < cpu.PadSize {
			t.Errorf("%s begins at %d, %d after what stands before", s.name, s.start, int(s.start)-int(end))
		}
		end = s.end
	}
}

func TestLayoutSPSC(t *testing.T) {
	type T = [3]byte
	var s spsc[T]
	at := func(name string, first, behind unsafe.Pointer) span {
		base := uintptr(unsafe.Pointer(&s))
		return span{name, uintptr(first) - base, uintptr(behind) - base}
	}
	tail := unsafe.Offsetof(s.tail)
	head := unsafe.Offsetof(s.head)
	p, c := &s.producer, &s.consumer
	checkApart(t, unsafe.Sizeof(s),
		span{"shared", unsafe.Offsetof(s.capacity), unsafe.Offsetof(s.notFull) + unsafe.Sizeof(s.notFull)},
		span{"tail", tail, tail + unsafe.Sizeof(s.tail)},
		span{"head", head, head + unsafe.Sizeof(s.head)},
		at("producer", unsafe.Pointer(&p.s), unsafe.Add(unsafe.Pointer(&p.pace), unsafe.Sizeof(p.pace))),
		at("consumer", unsafe.Pointer(&c.s), unsafe.Add(unsafe.Pointer(&c.pace), unsafe.Sizeof(c.pace))),
	)
	if off := unsafe.Offsetof(s.capacity); off < cpu.PadSize {
		t.Errorf("first field at %d", off)
	}
}

func TestLayoutMPMC(t *testing.T) {
	var r MPMC[[3]byte]
	of := func(name string, s *side) span {
		start := uintptr(unsafe.Pointer(&s.claimed)) - uintptr(unsafe.Pointer(&r))
		return span{name, start, start + unsafe.Sizeof(s.claimed) + unsafe.Sizeof(s.seen)}
	}
	checkApart(t, unsafe.Sizeof(r),
		span{"read-mostly", unsafe.Offsetof(r.slots), unsafe.Offsetof(r.notFull) + unsafe.Sizeof(r.notFull)},
		of("tail", &r.tail),
		of("head", &r.head),
	)
}

// The slots of two rings are two pads apart, one of each, wherever the allocator puts them. With
// sizes that are exactly a size class it puts them side by side.
func TestSlotsArePadded(t *testing.T) {
	t.Run("8 bytes", testPadded[uint64])
	t.Run("16 bytes", testPadded[pair])
	t.Run("3 bytes", testPadded[[3]byte])
	t.Run("marks", testPadded[atomic.Uint64])
}

func testPadded[S any](t *testing.T) {
	var zero S
	var spans []span
	var keep [][]S
	for range 200 {
		slots := newSlots[S](32)
		if len(slots) != 32 || cap(slots) != 32 {
			t.Fatalf("len %d, cap %d", len(slots), cap(slots))
		}
		keep = append(keep, slots)
		start := uintptr(unsafe.Pointer(unsafe.SliceData(slots)))
		spans = append(spans, span{"slots", start, start + 32*unsafe.Sizeof(zero)})
	}
	slices.SortFunc(spans, func(a, b span) int {
		if a.start < b.start {
			return -1
		}
		return 1
	})
	for i := range spans[1:] {
		if gap := spans[i+1].start - spans[i].end; gap < 2*cpu.PadSize {
			t.Fatalf("two rings' slots are %d bytes apart", gap)
		}
	}
	_ = keep
}
