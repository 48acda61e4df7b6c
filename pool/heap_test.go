package pool

import (
	"bytes"
	"errors"
	"testing"
)

// Frames that don't fit a buffer go to the heap, up to MaxFrame.
func TestHeapSizes(t *testing.T) {
	p := open(t, Config{Count: 4})
	for _, n := range []int{0, 1, 2048, 2049, MaxPacketSize, MaxPacketSize + 18, MaxFrame} {
		data := bytes.Repeat([]byte{byte(n), 7}, n/2+1)[:n]
		for what, b := range map[string]Buffer{"CopyIn": must(p.CopyIn(data)), "Wrap": must(p.Wrap(data))} {
			if !bytes.Equal(b.Bytes(), data) {
				t.Errorf("%s of %d bytes: other bytes come out", what, n)
			}
			if onHeap := b.Index() >= p.Count(); onHeap != (n > 2048 || what == "Wrap") {
				t.Errorf("%s of %d bytes: on the heap %v", what, n, onHeap)
			}
			if what == "CopyIn" && b.Headroom() != DefaultHeadroom {
				t.Errorf("%s of %d bytes: headroom %d", what, n, b.Headroom())
			}
			b.Release()
		}
	}
	tooLarge := make([]byte, MaxFrame+1)
	c := p.NewCache()
	defer c.Close()
	for what, err := range map[string]error{
		"CopyIn":        second(p.CopyIn(tooLarge)),
		"Cache.CopyIn":  second(c.CopyIn(tooLarge)),
		"CopyInContext": second(p.CopyInContext(background, tooLarge)),
		"Wrap":          second(p.Wrap(tooLarge)),
	} {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s of MaxFrame+1: %v", what, err)
		}
	}
	// A pool whose buffers have room for more takes more.
	large := open(t, Config{Count: 1, BufferSize: MaxFrame + 1})
	b := must(large.CopyIn(tooLarge))
	if b.Len() != MaxFrame+1 || b.Index() != 0 {
		t.Error("a frame of BufferSize is not in the region")
	}
	b.Release()
}

// Wrap makes no copy: both sides see what the other writes, and it can't grow.
func TestHeapWrap(t *testing.T) {
	p := open(t, Config{Count: 1, HeapBuffers: 2})
	mine := make([]byte, 100, 200)
	b := must(p.Wrap(mine))
	mine[3] = 5
	b.Bytes()[4] = 6
	if b.Bytes()[3] != 5 || mine[4] != 6 || b.Headroom() != 0 || b.Tailroom() != 0 {
		t.Error("not the same bytes, or with room around them")
	}
	if _, err := b.Append(1); err != ErrTailroom {
		t.Errorf("Append into the slice's capacity: %v", err)
	}
	b.Reset()
	if b.Headroom() != 0 || b.Len() != 0 || b.Tailroom() != 100 {
		t.Errorf("Reset: %d+%d+%d", b.Headroom(), b.Len(), b.Tailroom())
	}
	// Counted and bounded.
	second := must(p.Wrap(nil))
	if s := p.Stats(); s.HeapInUse != 2 || s.HeapFallbacks != 0 || s.InUse != 0 {
		t.Errorf("%+v", s)
	}
	if _, err := p.Wrap(mine); err != ErrExhausted {
		t.Errorf("third Wrap: %v", err)
	}
	if _, err := p.CopyIn(make([]byte, 5000)); err != ErrExhausted {
		t.Errorf("CopyIn beyond the bound: %v", err)
	}
	second.Release()
	b.Release()
	if s := p.Stats(); s.HeapInUse != 0 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}
	if p.heap.data[0] != nil || p.heap.data[1] != nil {
		t.Error("the caller's bytes are kept alive")
	}
}

// When the region is exhausted the heap goes on, to its bound.
func TestHeapFallback(t *testing.T) {
	p := open(t, Config{Count: 2, HeapBuffers: 3})
	c := p.NewCache()
	var all []Buffer
	for i := range 5 {
		take := p.CopyIn
		if i%2 == 1 {
			take = c.CopyIn
		}
		all = append(all, must(take([]byte{byte(i), 1, 2, 3})))
	}
	s := p.Stats()
	if s.HeapFallbacks != 3 || s.HeapInUse != 3 || s.HighWater != 2 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
	for what, err := range map[string]error{
		"CopyIn":       second(p.CopyIn(nil)),
		"Cache.CopyIn": second(c.CopyIn(nil)),
		"Wrap":         second(p.Wrap(nil)),
	} {
		if err != ErrExhausted {
			t.Errorf("%s beyond the bound: %v", what, err)
		}
	}
	for i, b := range all {
		if want := []byte{byte(i), 1, 2, 3}; !bytes.Equal(b.Bytes(), want) {
			t.Errorf("buffer %d has %v", i, b.Bytes())
		}
	}
	c.PutBurst(all)
	c.Close()
	if s := p.Stats(); s.InUse != 0 || s.HeapInUse != 0 || s.Failed != 3 {
		t.Errorf("%+v", s)
	}
	whole(t, p)
}
