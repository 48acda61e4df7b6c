// No call on the way of an item allocates.

package ring

import (
	"context"
	"testing"
)

func TestNoAllocations(t *testing.T) {
	t.Run("uint64", func(t *testing.T) { testNoAllocations(t, uint64(7)) })
	t.Run("16 bytes", func(t *testing.T) { testNoAllocations(t, pair{7, 8}) })
	t.Run("pointer", func(t *testing.T) { testNoAllocations(t, new(int)) })
	t.Run("string", func(t *testing.T) { testNoAllocations(t, "seven") })
}

func testNoAllocations[T any](t *testing.T, v T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p, c, _ := NewSPSC[T](100)
	r := newMany[T](100)
	vs, dst := make([]T, 65), make([]T, 65)
	evicted := func(T) {}
	for _, call := range []struct {
		name string
		f    func()
	}{
		{"SPSC TryPush, TryPop", func() { p.TryPush(v); c.TryPop() }},
		{"SPSC TryPop of nothing", func() { c.TryPop() }},
		{"SPSC bursts", func() { p.PushBurst(vs); c.PopBurst(dst) }},
		{"SPSC bulks", func() { p.PushBulk(vs); c.PopBulk(dst) }},
		{"SPSC in place", func() { p.Reserve(65); p.Commit(65); c.Peek(65); c.Advance(65) }},
		{"SPSC Push, Pop", func() { p.Push(ctx, v); c.Pop(ctx) }},
		{"SPSC ReserveWait, PeekWait", func() { p.ReserveWait(ctx, 65); p.Commit(65); c.PeekWait(ctx, 65); c.Advance(65) }},
		{"SPSC Clear, Len, Free, Cap, Closed", func() { c.Clear(); c.Len(); p.Free(); p.Cap(); p.Closed() }},
		{"MPMC TryPush, TryPop", func() { r.TryPush(v); r.TryPop() }},
		{"MPMC TryPop of nothing", func() { r.TryPop() }},
		{"MPMC bursts", func() { r.PushBurst(vs); r.PopBurst(dst) }},
		{"MPMC bulks", func() { r.PushBulk(vs); r.PopBulk(dst) }},
		{"MPMC Push, Pop", func() { r.Push(ctx, v); r.Pop(ctx) }},
		{"MPMC PushEvict", func() { r.PushEvict(v, evicted) }}, // the last one, full most of the time
		{"MPMC Len, Free, Cap, Closed", func() { r.Len(); r.Free(); r.Cap(); r.Closed() }},
	} {
		if n := testing.AllocsPerRun(200, call.f); n != 0 {
			t.Errorf("%s: %v allocations", call.name, n)
		}
	}
}
