package pool

import (
	"os"
	"strings"
	"testing"
	"unsafe"
)

// What AF_XDP asks of a UMEM: it begins at a page, and its chunks are of 2048 or 4096 bytes.
func TestRegionUMEM(t *testing.T) {
	for _, c := range []struct {
		Config
		chunk int
	}{
		{Config{}, 2048},
		{Config{Headroom: None}, 2048},
		{Config{Headroom: 256, BufferSize: 2048 - 256}, 2048},
		{Config{BufferSize: 4096 - 128}, 4096},
	} {
		c.UMEM, c.Count = true, 5
		p := open(t, c.Config)
		if int(p.stride) != c.chunk || len(p.region.mem) != 5*c.chunk {
			t.Errorf("%+v: stride %d, region %d", c.Config, p.stride, len(p.region.mem))
		}
		if uintptr(p.base)%uintptr(os.Getpagesize()) != 0 {
			t.Errorf("%+v: base %p is not at a page", c.Config, p.base)
		}
		whole(t, p)
	}
}

// No two buffers share a line, whatever their size.
func TestRegionLines(t *testing.T) {
	for _, size := range []int{1, 63, 64, 65, 1500, 2048} {
		p := open(t, Config{Count: 3, BufferSize: size, Headroom: 1})
		all := takeAll(t, p)
		for i := range all {
			first := &must(all[i].Prepend(1))[0]
			if uintptr(unsafe.Pointer(first))%64 != 0 {
				t.Errorf("size %d: a slot at %p", size, first)
			}
		}
		p.PutBurst(all)
	}
}

// Huge pages may be had or not, but it is said which.
func TestRegionHugePages(t *testing.T) {
	p := open(t, Config{Count: 1000, HugePages: true, Prefault: true})
	got := p.Stats().Memory
	t.Logf("Memory: %s", got)
	switch {
	case raceDetector:
		if got != "Go heap" {
			t.Error("not the Go heap, where the race detector looks")
		}
	case got == "mmap, 2 MiB pages":
	case strings.Contains(got, "no 2 MiB pages: ") && strings.Contains(got, "needed in vm.nr_hugepages"):
	case strings.Contains(got, "huge pages are not asked for on this system"):
	default:
		t.Error("does not say what came of the wish for huge pages")
	}
	whole(t, p)
	if got := open(t, Config{Count: 1}).Stats().Memory; strings.Contains(got, "huge") || got == "" {
		t.Errorf("without huge pages: %q", got)
	}
}

func TestRegionSizeInStats(t *testing.T) {
	if got := open(t, Config{Count: 10}).Stats().MemoryBytes; got != 10*(2048+128) {
		t.Errorf("MemoryBytes is %d", got)
	}
}

// An empty frame behind the last byte of the last slot is no pointer to behind the region.
func TestRegionEmptyAtTheEnd(t *testing.T) {
	p := open(t, Config{Count: 2, BufferSize: 4096, Headroom: None, HeapBuffers: 1})
	inside := func(b Buffer, mem []byte) {
		t.Helper()
		from := uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
		at := uintptr(unsafe.Pointer(unsafe.SliceData(b.Bytes())))
		if len(b.Bytes()) != 0 || at < from || at >= from+uintptr(len(mem)) {
			t.Errorf("empty frame at %#x, memory is %#x to %#x", at, from, from+uintptr(len(mem)))
		}
	}
	for _, b := range takeAll(t, p) {
		must(b.AppendUnzeroed(4096))
		if err := b.TrimFront(4096); err != nil {
			t.Fatal(err)
		}
		inside(b, p.region.mem)
		b.Release()
	}
	mine := make([]byte, 1<<16)
	b := must(p.Wrap(mine))
	if err := b.TrimFront(len(mine)); err != nil {
		t.Fatal(err)
	}
	inside(b, mine)
	b.Release()
}
