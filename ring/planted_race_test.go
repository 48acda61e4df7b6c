//go:build race

// The race detector sees what is planted for it: two goroutines at one end of an SPSC ring, by each
// of its calls, and slots that are touched after they were given away.

package ring

import (
	"context"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

func init() {
	plants = testkit.Plants{
		// One goroutine at each end, and one that asks: what is allowed.
		"nothing": {Run: func() {
			p, c, _ := NewSPSC[int](4)
			testkit.Apart(
				func() {
					for i := range 100 {
						a, _, err := p.ReserveWait(context.Background(), 1)
						if err != nil {
							return // closed by the third one
						}
						a[0] = i
						p.Commit(1)
						_ = p.Push(context.Background(), i)
					}
					p.Close()
				},
				func() {
					for range c.All() {
					}
				},
				func() { p.Len(); p.Free(); c.Len(); c.Closed(); c.Close() },
			)
		}},
		"nothing, MPMC": {Run: func() {
			r := newMany[int](4)
			both := func() { r.TryPush(1); r.PushBurst([]int{2, 3}); r.TryPop(); r.PopBurst(make([]int, 2)) }
			testkit.Apart(both, both, r.Close)
		}},

		// Slots: the late access is behind the one that gave them away, and so the other end knows nothing of it.
		"reserved slot written after Commit": {Where: testkit.Itself, Run: func() {
			p, c, _ := NewSPSC[int](4)
			testkit.Apart(
				func() { a, _ := p.Reserve(1); p.Commit(1); a[0] = 1 },
				func() { _, _ = c.Pop(context.Background()) },
			)
		}},
		"reserved slot written after a push gave it up": {Where: testkit.Itself, Run: func() {
			p, c, _ := NewSPSC[int](4)
			testkit.Apart(
				func() { a, _ := p.Reserve(1); p.TryPush(1); a[0] = 2 },
				func() { _, _ = c.Pop(context.Background()) },
			)
		}},
		"peeked slot read after Advance": {Where: testkit.Itself, Run: func() {
			p, c, _ := NewSPSC[int](1)
			p.TryPush(1)
			testkit.Apart(
				func() { a, _ := c.Peek(1); c.Advance(1); seen = a[0] },
				func() { _ = p.Push(context.Background(), 2) },
			)
		}},
		"item written after its pointer was pushed": {Where: testkit.Itself, Run: func() {
			p, c, _ := NewSPSC[*int](1)
			testkit.Apart(
				func() { v := new(int); p.TryPush(v); *v = 1 },
				func() { v, _ := c.Pop(context.Background()); seen = *v },
			)
		}},
	}

	for call, push := range map[string]func(p *Producer[int]){
		"TryPush":        func(p *Producer[int]) { p.TryPush(1) },
		"PushBurst":      func(p *Producer[int]) { p.PushBurst([]int{1, 2}) },
		"PushBulk":       func(p *Producer[int]) { p.PushBulk([]int{1, 2}) },
		"Reserve":        func(p *Producer[int]) { p.Reserve(1) },
		"Reserve/Commit": func(p *Producer[int]) { p.Reserve(1); p.Commit(1) },
		"Push":           func(p *Producer[int]) { _ = p.Push(context.Background(), 1) },
		"ReserveWait":    func(p *Producer[int]) { _, _, _ = p.ReserveWait(context.Background(), 1) },
		"Close":          (*Producer[int]).Close,
	} {
		plants["two on one Producer, TryPush and "+call] = testkit.Plant{Where: "ring.(*Producer[", Run: func() {
			p, _, _ := NewSPSC[int](8)
			testkit.Apart(func() { p.TryPush(1) }, func() { push(p) })
		}}
	}

	for call, pop := range map[string]func(c *Consumer[int]){
		"TryPop":       func(c *Consumer[int]) { c.TryPop() },
		"PopBurst":     func(c *Consumer[int]) { c.PopBurst(make([]int, 2)) },
		"PopBulk":      func(c *Consumer[int]) { c.PopBulk(make([]int, 2)) },
		"Peek":         func(c *Consumer[int]) { c.Peek(1) },
		"Peek/Advance": func(c *Consumer[int]) { c.Peek(1); c.Advance(1) },
		"Clear":        func(c *Consumer[int]) { c.Clear() },
		"Pop":          func(c *Consumer[int]) { _, _ = c.Pop(context.Background()) },
		"PeekWait":     func(c *Consumer[int]) { _, _, _ = c.PeekWait(context.Background(), 1) },
		"All": func(c *Consumer[int]) {
			for range c.All() {
				break
			}
		},
	} {
		plants["two on one Consumer, TryPop and "+call] = testkit.Plant{Where: "ring.(*Consumer[", Run: func() {
			p, c, _ := NewSPSC[int](8)
			p.PushBurst(make([]int, 8))
			testkit.Apart(func() { c.TryPop() }, func() { pop(c) })
		}}
	}
}

var seen int // what was read, so that the compiler leaves the read in

func TestPlantedRaces(t *testing.T) { plants.Check(t) }
