package pool

import (
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/internal/testkit"
)

// An Offload stays with its place in the frame, whatever is done to the frame's ends, in the region and in
// the heap.
func TestOffloadFollowsTheFrame(t *testing.T) {
	r := testkit.Rand(t)
	p := open(t, Config{Count: 4, BufferSize: 500, Headroom: 100, HeapBuffers: 4})
	for range testkit.Scale(300) {
		var b Buffer
		if r.IntN(2) == 0 {
			b = must(p.Get())
			must(b.Append(200))
		} else {
			b = must(p.Wrap(make([]byte, 200)))
		}
		if _, ok := b.Offload(); ok || b.HasOffload() {
			t.Fatal("a new buffer has an Offload")
		}
		want := Offload{
			NeedsChecksum: true, ChecksumStart: uint32(r.IntN(201)), ChecksumOffset: uint16(r.IntN(20)),
			GSO: GSO(r.IntN(4)), SegmentSize: uint16(r.Uint32()), ECN: r.IntN(2) == 0, ChecksumValid: r.IntN(2) == 0, NetworkFrame: r.IntN(2) == 0, Tunnel: r.IntN(2) == 0,
		}
		b.SetOffload(want)
		at := int(want.ChecksumStart)
		for range r.IntN(20) {
			switch n := r.IntN(60); r.IntN(5) {
			case 0:
				if _, err := b.Prepend(n); err == nil {
					at += n
				}
			case 1:
				if b.TrimFront(min(n, at)) == nil {
					at -= min(n, at)
				}
			case 2:
				if _, err := b.Append(n); err != nil && err != ErrTailroom {
					t.Fatal(err)
				}
			case 3:
				_ = b.TrimBack(n)
			case 4:
				b.Retain(1)
				old := b
				if err := b.Writable(); err != nil {
					t.Fatal(err)
				}
				old.Release()
			}
			want.ChecksumStart = uint32(at)
			if at > b.Len() {
				break // of which Writable and SetOffload would say that it is beyond the frame
			}
			if got, ok := b.Offload(); !ok || !b.HasOffload() || got != want {
				t.Fatalf("%+v, want %+v", got, want)
			}
		}
		if r.IntN(2) == 0 {
			b.Reset()
		} else {
			b.ClearOffload()
		}
		if got, ok := b.Offload(); ok || b.HasOffload() || got != (Offload{}) {
			t.Fatalf("after it was cleared: %+v", got)
		}
		b.Release()
	}
	whole(t, p)
}

// A checksum whose beginning has been trimmed away can't be completed any more.
func TestOffloadTrimmedAway(t *testing.T) {
	p := open(t, Config{Count: 1})
	b := must(p.CopyIn(make([]byte, 100)))
	b.SetOffload(Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: GSOTCP4, SegmentSize: 10})
	if err := b.TrimFront(34); err != nil {
		t.Fatal(err)
	}
	if o, _ := b.Offload(); !o.NeedsChecksum || o.ChecksumStart != 0 {
		t.Errorf("%+v", o)
	}
	if err := b.TrimFront(1); err != nil {
		t.Fatal(err)
	}
	if o, ok := b.Offload(); !ok || o != (Offload{ChecksumOffset: 16, GSO: GSOTCP4, SegmentSize: 10}) {
		t.Errorf("%+v, %v", o, ok)
	}
	b.Release()
}

// The owners of a shared buffer each have their own view: one's ClearOffload is not the others', and a handle from before
// SetOffload does not know of it. The next owner of the slot knows nothing.
func TestOffloadIsTheHandles(t *testing.T) {
	p := open(t, Config{Count: 1})
	before := must(p.CopyIn(make([]byte, 60)))
	b := before
	b.SetOffload(Offload{NeedsChecksum: true, ChecksumStart: 20})
	if before.HasOffload() {
		t.Error("an older handle knows of it")
	}
	b.Retain(1)
	other := b
	b.ClearOffload() // allowed: it changes the handle alone
	if o, ok := other.Offload(); !ok || o.ChecksumStart != 20 {
		t.Errorf("the other owner has %+v, %v", o, ok)
	}
	if _, ok := b.Offload(); ok {
		t.Error("ClearOffload has no effect")
	}
	b.Release()
	other.Release()
	if b = must(p.Get()); b.HasOffload() {
		t.Error("the slot's next owner has an Offload")
	}
	b.Release()
}

func TestOffloadMisuse(t *testing.T) {
	p := open(t, Config{Count: 1})
	b := must(p.CopyIn(make([]byte, 60)))
	mustSay(t, func() { b.SetOffload(Offload{ChecksumStart: 61}) }, "SetOffload with a ChecksumStart beyond the frame", "buffer 0 of pool")
	if b.HasOffload() {
		t.Error("it was set all the same")
	}
	b.SetOffload(Offload{NeedsChecksum: true, ChecksumStart: 60}) // its end: nothing to sum
	b.Retain(1)
	mustSay(t, func() { b.SetOffload(Offload{}) }, "SetOffload on a shared buffer", "buffer 0 of pool")
	if o, ok := b.Offload(); !ok || o.ChecksumStart != 60 {
		t.Errorf("%+v, %v", o, ok)
	}
	b.Release()
	b.Release()
}

func TestOffloadUnfinished(t *testing.T) {
	for o, want := range map[Offload]bool{
		{}: false, {ChecksumValid: true, NetworkFrame: true, SegmentSize: 9}: false,
		{NeedsChecksum: true}: true, {GSO: GSOUDP}: true,
	} {
		if o.Unfinished() != want {
			t.Errorf("%+v: %v", o, !want)
		}
	}
}

// Offloads of a pool lie close together, without a pointer.
func TestOffloadLayout(t *testing.T) {
	if size := unsafe.Sizeof(Offload{}); size > 16 {
		t.Errorf("Offload has %d bytes", size)
	}
}
