package pool

import (
	"errors"
	"strings"
	"testing"
)

func TestUMEM(t *testing.T) {
	for _, c := range []struct {
		Config
		chunk, headroom int
	}{
		{Config{}, 2048, DefaultHeadroom},
		{Config{Headroom: None}, 2048, 0},
		{Config{BufferSize: 4096 - 256, Headroom: 256}, 4096, 256},
	} {
		c.UMEM, c.Count = true, 7
		p := open(t, c.Config)
		mem, chunk, headroom, ok := p.UMEM()
		if !ok || len(mem) != 7*c.chunk || chunk != c.chunk || headroom != c.headroom {
			t.Errorf("%+v: %d bytes, chunk %d, headroom %d, %v", c.Config, len(mem), chunk, headroom, ok)
		}
		// An address is where the device finds the frame.
		all := takeAll(t, p)
		addrs := make([]uint64, len(all)+1)
		for i := range all {
			must(all[i].AppendUnzeroed(10))
		}
		p.Lend(all, addrs)
		for i, b := range all {
			if &b.Bytes()[0] != &mem[addrs[i]] || addrs[i]/uint64(chunk) != uint64(b.Index()) {
				t.Errorf("%v is at %d", b, addrs[i])
			}
		}
		if addrs[len(all)] != 0 {
			t.Error("Lend wrote behind the addresses")
		}
		if s := p.Stats(); s.Lent != 7 || s.InUse != 7 {
			t.Errorf("Stats has %d lent and %d in use", s.Lent, s.InUse)
		}
		p.TakeBack(all[:3])
		if s := p.Stats(); s.Lent != 4 || s.InUse != 7 {
			t.Errorf("Stats has %d lent and %d in use", s.Lent, s.InUse)
		}
		p.TakeBack(all[3:])
		p.PutBurst(all)
		whole(t, p)
	}
	p := open(t, Config{Count: 1, BufferSize: 2048, Headroom: None})
	if mem, _, _, ok := p.UMEM(); ok || mem != nil {
		t.Error("a pool without Config.UMEM says that it is one")
	}
	mustSay(t, func() { new(Pool).UMEM() }, "zero Pool")
}

// What the device has written is the frame, with the room around it that there is.
func TestSetFrame(t *testing.T) {
	p := open(t, Config{Count: 2, UMEM: true})
	all := takeAll(t, p)
	b := all[1]
	b.SetMeta(Meta{Time: 7})
	mem, chunk, headroom, _ := p.UMEM()
	slot := uint64(b.Index() * chunk)
	addr := slot + 256 + uint64(headroom)
	copy(mem[addr:], "written")
	b.SetFrame(addr, 7)
	if string(b.Bytes()) != "written" || b.Headroom() != 256+headroom || b.Tailroom() != chunk-256-headroom-7 {
		t.Errorf("%q with headroom %d and tailroom %d", b.Bytes(), b.Headroom(), b.Tailroom())
	}
	if m, ok := b.Meta(); !ok || m.Time != 7 {
		t.Error("the Meta is gone")
	}
	for _, edge := range []struct {
		addr uint64
		n    int
	}{{slot, 0}, {slot, chunk}, {slot + uint64(chunk), 0}, {slot + uint64(chunk) - 1, 1}} {
		b.SetFrame(edge.addr, edge.n)
		if b.Len() != edge.n || uint64(b.Headroom()) != edge.addr-slot {
			t.Errorf("SetFrame(%d, %d): %v", edge.addr, edge.n, b)
		}
	}
	// Of a shared buffer, a part of its frame.
	b.SetFrame(addr, 7)
	b.Retain(1)
	c := b
	c.SetFrame(addr+1, 3)
	if string(c.Bytes()) != "rit" || string(b.Bytes()) != "written" {
		t.Errorf("%q of %q", c.Bytes(), b.Bytes())
	}
	c.Release()
	p.PutBurst(all)
}

func TestSetFrameMisuse(t *testing.T) {
	p := open(t, Config{Count: 2, UMEM: true, HeapBuffers: 1})
	all := takeAll(t, p)
	for i := range all {
		must(all[i].Append(10))
		_, chunk, _, _ := p.UMEM()
		slot, size := uint64(all[i].Index()*chunk), uint64(chunk)
		for _, bad := range []struct {
			addr uint64
			n    int
		}{{slot - 1, 1}, {slot, chunk + 1}, {slot + size, 1}, {slot + size + 1, 0}, {slot, -1}, {^uint64(0), 2}, {^uint64(0) - 5, 100}} {
			b := all[i]
			mustSay(t, func() { b.SetFrame(bad.addr, bad.n) }, "SetFrame", "slot is 2048 bytes")
			if b != all[i] {
				t.Errorf("SetFrame(%d, %d) panicked and changed %v to %v", bad.addr, bad.n, all[i], b)
			}
		}
	}
	b := all[0]
	b.Retain(1)
	addrs := make([]uint64, 1)
	p.Lend(all[:1], addrs)
	p.TakeBack(all[:1])
	mustSay(t, func() { b.SetFrame(addrs[0]-1, 5) }, "shared buffer")
	mustSay(t, func() { b.SetFrame(addrs[0]+1, 10) }, "shared buffer")
	b.Release()
	p.PutBurst(all)
	heap := must(p.Wrap([]byte("heap")))
	mustSay(t, func() { heap.SetFrame(0, 1) }, "on the heap")
	heap.Release()
}

func TestLendMisuse(t *testing.T) {
	p, other := open(t, Config{Name: "one", Count: 2, UMEM: true, HeapBuffers: 1}), open(t, Config{Name: "other", Count: 1, UMEM: true})
	mine, theirs, heap := must(p.Get()), must(other.Get()), must(p.Wrap([]byte("heap")))
	addrs := make([]uint64, 4)
	for _, f := range []func(bs []Buffer){func(bs []Buffer) { p.Lend(bs, addrs) }, p.TakeBack} {
		mustSay(t, func() { f([]Buffer{mine, theirs}) }, `pool "one", which it is not from`, `pool "other"`)
		mustSay(t, func() { f([]Buffer{mine, heap}) }, "on the heap")
		mustSay(t, func() { f([]Buffer{mine, {}}) }, "zero Buffer")
	}
	mustSay(t, func() { p.TakeBack([]Buffer{mine}) }, "1 buffers taken back", "0 were lent")
	p.Lend([]Buffer{mine}, addrs)
	mustSay(t, func() { p.TakeBack([]Buffer{mine, mine}) }, "2 buffers taken back", "1 were lent")
	if n := p.Stats().Lent; n != 1 {
		t.Errorf("%d lent", n)
	}
	p.TakeBack([]Buffer{mine})
	p.TakeBack(nil)
	ReleaseBurst([]Buffer{mine, theirs, heap})
}

// A leak report tells what a device has from what the program has lost.
func TestLentInLeaks(t *testing.T) {
	p := abandon(t, Config{Count: 5, UMEM: true})
	all := takeAll(t, p)
	p.Lend(all[:3], make([]uint64, 3))
	p.Lend(all[:1], make([]uint64, 1)) // shared, or a mistake
	p.PutBurst(all[4:])
	var e *LeakError
	if err := p.Close(); !errors.As(err, &e) || e.Buffers != 4 || e.Lent != 4 || !strings.Contains(err.Error(), "closed with 4 buffers out (4 of them lent to a device)") {
		t.Errorf("Close: %v", err)
	}
	p.TakeBack(all[:1])
	p.TakeBack(all[:2])
	if err := p.Close(); !errors.As(err, &e) || e.Buffers != 4 || e.Lent != 1 {
		t.Errorf("Close: %v", err)
	}
	// Released while it is lent: the count outlives it, and is never more than what is out.
	p.PutBurst(all[1:4])
	if err := p.Close(); !errors.As(err, &e) || e.Buffers != 1 || e.Lent != 1 {
		t.Errorf("Close: %v", err)
	}
	p.TakeBack(all[:1])
	if err := p.Close(); !errors.As(err, &e) || e.Lent != 0 || strings.Contains(err.Error(), "device") {
		t.Errorf("Close: %v", err)
	}
	p.PutBurst(all[:1])
	if err := p.Close(); err != nil || !unmapped(p) {
		t.Errorf("Close: %v", err)
	}
}

func TestLendAllocs(t *testing.T) {
	p, err := New(Config{Count: 64, UMEM: true})
	if err != nil {
		t.Fatal(err)
	}
	var bufs [64]Buffer
	var addrs [64]uint64
	if n := testing.AllocsPerRun(100, func() {
		p.GetBurst(bufs[:])
		p.Lend(bufs[:], addrs[:])
		for i := range bufs {
			bufs[i].SetFrame(addrs[i]+256, 60)
		}
		p.TakeBack(bufs[:])
		p.PutBurst(bufs[:])
	}); n != 0 {
		t.Errorf("%v allocations a burst", n)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkLend(b *testing.B) {
	p, err := New(Config{Count: 64, UMEM: true})
	if err != nil {
		b.Fatal(err)
	}
	var bufs [64]Buffer
	var addrs [64]uint64
	p.GetBurst(bufs[:])
	for b.Loop() {
		p.Lend(bufs[:], addrs[:])
		for i := range bufs {
			bufs[i].SetFrame(addrs[i], 60)
		}
		p.TakeBack(bufs[:])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/buffer")
	p.PutBurst(bufs[:])
}
