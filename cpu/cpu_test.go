package cpu

import (
	"math"
	"testing"
	"unsafe"
)

// Seed row: CachePadded<T>, CACHE_LINE_SIZE.
func TestSeedCachePadded(t *testing.T) {
	if !IsPowerOfTwo(CacheLineSize) || PadSize < CacheLineSize || PadSize%CacheLineSize != 0 {
		t.Fatalf("CacheLineSize %d, PadSize %d", CacheLineSize, PadSize)
	}
	type one = Padded[uint64]
	var two [2]one
	for i := range two {
		two[i].Value = uint64(i) + 7
	}
	if two[0].Value != 7 || two[1].Value != 8 {
		t.Fatalf("values %d, %d", two[0].Value, two[1].Value)
	}
	if off := unsafe.Offsetof(two[0].Value); off < PadSize {
		t.Errorf("value at offset %d: nearer than %d to what stands before", off, PadSize)
	}
	end := unsafe.Offsetof(two[0].Value) + unsafe.Sizeof(two[0].Value)
	if rest := unsafe.Sizeof(two[0]) - end; rest < PadSize {
		t.Errorf("%d bytes behind the value: nearer than %d to what comes after", rest, PadSize)
	}
	if d := uintptr(unsafe.Pointer(&two[1].Value)) - uintptr(unsafe.Pointer(&two[0].Value)); d < PadSize {
		t.Errorf("neighbours %d bytes apart", d)
	}
}

// Seed row: prefetch_read, prefetch_write. A hint must not fault or change anything.
func TestSeedPrefetch(t *testing.T) {
	var x uint64 = 42
	for _, p := range []unsafe.Pointer{unsafe.Pointer(&x), nil} {
		PrefetchRead(p)
		PrefetchWrite(p)
	}
	if x != 42 {
		t.Fatalf("x = %d", x)
	}
}

func TestPrefetchWriteRange(t *testing.T) {
	buf := make([]byte, 3*MaxPrefetch)
	for _, n := range []uintptr{0, 1, 63, 64, 65, MaxPrefetch, math.MaxUint} {
		for off := range uintptr(130) {
			PrefetchWriteRange(unsafe.Pointer(&buf[off]), n) // MaxUint would not come to an end if it were not cut
		}
		PrefetchWriteRange(nil, n)
	}
	for i, x := range buf {
		if x != 0 {
			t.Fatalf("byte %d is %d", i, x)
		}
	}
}

func TestPause(t *testing.T) {
	for _, n := range []uint32{0, 1, 2, MaxPause, MaxPause + 1, math.MaxUint32} {
		Pause(n) // MaxUint32 would take minutes if it were not cut
	}
}

// Seed row: is_power_of_two, next_power_of_two.
func TestSeedPowersOfTwo(t *testing.T) {
	for _, c := range []struct {
		n, next uint64
		is      bool
	}{
		{0, 1, false}, {1, 1, true}, {2, 2, true}, {3, 4, false}, {4, 4, true}, {5, 8, false},
		{1000, 1024, false}, {1 << 32, 1 << 32, true}, {1<<32 + 1, 1 << 33, false},
		{1 << 63, 1 << 63, true}, {1<<63 - 1, 1 << 63, false}, {1<<63 + 1, 0, false}, {math.MaxUint64, 0, false},
	} {
		if got := NextPowerOfTwo(c.n); got != c.next {
			t.Errorf("NextPowerOfTwo(%d) = %d, want %d", c.n, got, c.next)
		}
		if got := IsPowerOfTwo(c.n); got != c.is {
			t.Errorf("IsPowerOfTwo(%d) = %v", c.n, got)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var x uint64
	if n := testing.AllocsPerRun(100, func() {
		Pause(1)
		PrefetchRead(unsafe.Pointer(&x))
		PrefetchWrite(unsafe.Pointer(&x))
		PrefetchWriteRange(unsafe.Pointer(&x), unsafe.Sizeof(x))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPause(b *testing.B) {
	for b.Loop() {
		Pause(1)
	}
}

func BenchmarkPrefetchRead(b *testing.B) {
	var x uint64
	for b.Loop() {
		PrefetchRead(unsafe.Pointer(&x))
	}
}
