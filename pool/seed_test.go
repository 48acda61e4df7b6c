// What Ringway's seed, a packet pool in Rust, can do, works here too: one test for each of
// its items that belong to a pool.

package pool

import (
	"bytes"
	"errors"
	"testing"
	"unsafe"
)

// Row: PacketBuffer, its size, its length, its views, its edits, its index. Here by Go names; a
// length is never clamped in silence, and the bytes begin at a line.
func TestSeedPacketBuffer(t *testing.T) {
	p := open(t, Config{Count: 4, BufferSize: MaxPacketSize})
	b := must(p.Get())
	if b.Len() != 0 || len(b.Bytes()) != 0 {
		t.Errorf("a new buffer has %d bytes", b.Len())
	}
	packet := bytes.Repeat([]byte("abcde"), MaxPacketSize/5)
	if err := b.CopyFrom(packet); err != nil || !bytes.Equal(b.Bytes(), packet) || b.Len() != MaxPacketSize {
		t.Errorf("CopyFrom of the largest packet: %v, %d bytes", err, b.Len())
	}
	if err := b.CopyFrom(append(packet, 1)); !errors.Is(err, ErrTooLarge) || b.Len() != MaxPacketSize {
		t.Errorf("CopyFrom of one byte more: %v", err)
	}
	if err := b.SetLen(100); err != nil || b.Len() != 100 {
		t.Errorf("SetLen(100): %v, %d", err, b.Len())
	}
	if err := b.SetLen(MaxPacketSize + 1); !errors.Is(err, ErrTailroom) || b.Len() != 100 {
		t.Errorf("SetLen beyond the buffer: %v, %d", err, b.Len())
	}
	b.Bytes()[0] = 'X'
	if b.Bytes()[0] != 'X' || b.Tailroom() != MaxPacketSize-100 {
		t.Error("the bytes are not to be written to")
	}
	if b.Index() < 0 || b.Index() >= 4 {
		t.Errorf("index %d", b.Index())
	}
	b.Reset()
	if b.Len() != 0 || b.Headroom() != DefaultHeadroom {
		t.Error("Reset does not")
	}
	if first := unsafe.SliceData(must(b.Append(1))); uintptr(unsafe.Pointer(first))%64 != 0 {
		t.Errorf("a frame at %p", first)
	}
	b.Release()
}

// Row: add_ref, release, refcount. The pool obeys the count.
func TestSeedRefcount(t *testing.T) {
	p := open(t, Config{Count: 1})
	b := must(p.Get())
	b.Retain(2)
	b.Release()
	b.Release()
	if b.Shared() || p.Free() != 0 {
		t.Errorf("one owner left: shared %v, %d free", b.Shared(), p.Free())
	}
	b.Release()
	if p.Free() != 1 {
		t.Error("no owner left, and it is not free")
	}
}

// Row: PacketRef, the handle that owns and can be handed off. Here the value itself: what is
// sent away belongs to who receives it, and a leak is told.
func TestSeedPacketRef(t *testing.T) {
	p := abandon(t, Config{Count: 2})
	way := make(chan Buffer, 1)
	way <- must(p.CopyIn([]byte("handed off")))
	func() {
		b := <-way
		defer b.Release()
		if string(b.Bytes()) != "handed off" {
			t.Errorf("%q", b.Bytes())
		}
	}()
	if p.Free() != 2 {
		t.Error("not given back")
	}
	b := must(p.Get())
	var leak *LeakError
	if err := p.Close(); !errors.As(err, &leak) || leak.Buffers != 1 {
		t.Errorf("a leaked handle: %v", err)
	}
	b.Release()
}

// Row: PacketPool: new, capacity, free_count, allocated_count.
func TestSeedPacketPool(t *testing.T) {
	p := open(t, Config{Count: 100})
	bs := make([]Buffer, 30)
	p.GetBulk(bs)
	if p.Count() != 100 || p.Free() != 70 || p.Stats().InUse != 30 {
		t.Errorf("count %d, free %d, in use %d", p.Count(), p.Free(), p.Stats().InUse)
	}
	p.PutBurst(bs)
	if p.Free() != 100 || p.Stats().InUse != 0 {
		t.Errorf("free %d, in use %d", p.Free(), p.Stats().InUse)
	}
}

// Row: alloc, alloc_index, alloc_with_data, alloc_batch_indices, for the pool and a Cache.
func TestSeedAlloc(t *testing.T) {
	p := open(t, Config{Count: 500})
	c := p.NewCache()
	defer c.Close()
	var all []Buffer
	for _, from := range []struct {
		get    func() (Buffer, error)
		copyIn func([]byte) (Buffer, error)
		burst  func([]Buffer) int
		bulk   func([]Buffer) bool
	}{{p.Get, p.CopyIn, p.GetBurst, p.GetBulk}, {c.Get, c.CopyIn, c.GetBurst, c.GetBulk}} {
		all = append(all, must(from.get()), must(from.copyIn([]byte("data"))))
		if got := all[len(all)-1].Bytes(); string(got) != "data" {
			t.Errorf("%q", got)
		}
		bs := make([]Buffer, 100)
		all = append(all, bs[:from.burst(bs)]...)
		if !from.bulk(bs) {
			t.Error("no bulk")
		}
		all = append(all, bs...)
	}
	seen := map[int]bool{}
	for _, b := range all {
		seen[b.Index()] = true
	}
	if len(seen) != 404 {
		t.Errorf("%d buffers in %d slots, want 404", len(all), len(seen))
	}
	p.PutBurst(all)
}

// Row: free, free_by_index, get, get_mut: giving back never waits, and misuse is caught.
func TestSeedFree(t *testing.T) {
	p := open(t, Config{Count: 200})
	c := p.NewCache()
	all := takeAll(t, p)
	all[0].Release()
	c.Put(all[1])
	c.PutBurst(all[2:100])
	p.PutBurst(all[100:])
	for _, b := range all {
		mustSay(t, b.Release, "released twice")
		mustSay(t, func() { b.Bytes() }, "after it was released")
	}
	c.Close()
	whole(t, p)
}

// Row: Error::PacketPool with its texts. Here errors to compare with, which cost no allocation.
func TestSeedErrors(t *testing.T) {
	p := open(t, Config{Count: 1, HeapBuffers: None})
	b := must(p.Get())
	_, exhausted := p.Get()
	_, tooLarge := p.CopyIn(make([]byte, MaxFrame+1))
	if !errors.Is(exhausted, ErrExhausted) || !errors.Is(tooLarge, ErrTooLarge) || !errors.Is(b.CopyFrom(make([]byte, 2049)), ErrTooLarge) {
		t.Errorf("%v, %v", exhausted, tooLarge)
	}
	b.Release()
}

// Row: FrameBuf, a frame in the pool or on the heap. Here one handle for both, and the heap
// is counted.
func TestSeedFrameBuf(t *testing.T) {
	p := open(t, Config{Count: 1})
	mine := []byte("mine")
	frames := []Buffer{must(p.CopyIn([]byte("pool"))), must(p.CopyIn([]byte("heap"))), must(p.CopyIn(make([]byte, 9000))), must(p.Wrap(mine))}
	if s := p.Stats(); s.InUse != 1 || s.HeapInUse != 3 || s.HeapFallbacks != 2 {
		t.Errorf("%+v", s)
	}
	if unsafe.SliceData(frames[3].Bytes()) != unsafe.SliceData(mine) {
		t.Error("Wrap copies")
	}
	for i, want := range []string{"pool", "heap", string(make([]byte, 9000)), "mine"} {
		if got := string(frames[i].Bytes()); got != want {
			t.Errorf("frame %d is %q", i, got)
		}
	}
	p.PutBurst(frames)
}

// Row: the defaults: DEFAULT_POOL_CAPACITY 8192, MAX_PACKET_SIZE 65535, DEFAULT_BATCH_SIZE 64.
func TestSeedDefaults(t *testing.T) {
	p := open(t, Config{})
	if DefaultCount != 8192 || p.Count() != 8192 || MaxPacketSize != 65535 || magazineSize != 64 {
		t.Errorf("%d, %d, %d, %d", DefaultCount, p.Count(), MaxPacketSize, magazineSize)
	}
	b := must(p.CopyIn(make([]byte, MaxPacketSize)))
	if b.Len() != MaxPacketSize {
		t.Errorf("the largest packet has %d bytes", b.Len())
	}
	b.Release()
}
