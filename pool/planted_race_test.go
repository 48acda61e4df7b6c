//go:build race

// The race detector sees what is planted for it: in a frame's bytes, though they lie outside
// of Go's heap in other builds, in a Cache, by each of its calls, and in the state of a slot.

package pool

import (
	"context"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/ring"
)

func init() {
	plants = testkit.Plants{
		// Each with frames of its own, handed over or shared as the rules say.
		"nothing": {Run: func() {
			p := must(New(Config{Count: 4}))
			shared := must(p.CopyIn([]byte("shared")))
			shared.Retain(1)
			tx, rx, _ := ring.NewSPSC[Buffer](2)
			testkit.Apart(
				func() {
					seen = shared.Bytes()[3]
					shared.Release()
					for range 100 {
						b := must(p.CopyInContext(background, []byte("mine")))
						b.Bytes()[0]++
						_ = tx.Push(background, b)
					}
					tx.Close()
				},
				func() {
					own := shared
					if err := own.Writable(); err != nil {
						panic(err)
					}
					own.Bytes()[3]++
					own.Release()
					c := p.NewCache()
					for b := range rx.All() {
						b.Bytes()[0]++
						c.Put(b)
					}
					c.Close()
				},
			)
			if err := p.Close(); err != nil {
				panic(err)
			}
		}},

		"released by two": {Where: "pool.Buffer.Release", Run: func() {
			b := must(newPool().Get())
			testkit.Apart(b.Release, b.Release)
		}},
		"used while it is released": {Where: "pool.Buffer.Release", Run: func() {
			b := must(newPool().Get())
			testkit.Apart(b.Release, func() { b.Bytes() })
		}},
		"used by a sharer while the last one releases": {Where: "pool.Buffer.Release", Run: func() {
			b := must(newPool().Get())
			b.Retain(1)
			testkit.Apart(func() { b.Release(); b.Release() }, func() { b.Bytes() })
		}},
		"SetMeta by two": {Where: "pool.(*Buffer).SetMeta", Run: func() {
			b := must(newPool().Get())
			set := func() { mine := b; mine.SetMeta(Meta{Time: 1}) }
			testkit.Apart(set, set)
		}},
	}

	// Frame bytes, wherever they are.
	for where, take := range map[string]func() Buffer{
		"region":  func() Buffer { return must(newPool().CopyIn([]byte("frame"))) },
		"heap":    func() Buffer { return must(newPool().CopyIn(make([]byte, 5000))) },
		"wrapped": func() Buffer { return must(newPool().Wrap([]byte("frame"))) },
	} {
		plants[where+" frame written by two"] = testkit.Plant{Where: testkit.Itself, Run: func() {
			b := take()
			testkit.Apart(func() { b.Bytes()[3]++ }, func() { b.Bytes()[3]++ })
		}}
		plants[where+" frame written to while it is shared"] = testkit.Plant{Where: testkit.Itself, Run: func() {
			b := take()
			b.Retain(1)
			testkit.Apart(
				func() { b.Bytes()[3]++; b.Release() },
				func() { seen = b.Bytes()[3]; b.Release() },
			)
		}}
		plants[where+" frame written after it was pushed"] = testkit.Plant{Where: testkit.Itself, Run: func() {
			b := take()
			tx, rx, _ := ring.NewSPSC[Buffer](1)
			testkit.Apart(
				func() { frame := b.Bytes(); tx.TryPush(b); frame[3]++ },
				func() { got, _ := rx.Pop(context.Background()); seen = got.Bytes()[3] },
			)
		}}
		plants[where+" frame of a reserved slot written after Commit"] = testkit.Plant{Where: testkit.Itself, Run: func() {
			b := take()
			tx, rx, _ := ring.NewSPSC[Buffer](1)
			testkit.Apart(
				func() { slots, _ := tx.Reserve(1); slots[0] = b; tx.Commit(1); slots[0].Bytes()[3]++ },
				func() { got, _ := rx.Pop(context.Background()); seen = got.Bytes()[3] },
			)
		}}
	}
	plants["bytes kept after Release while the next owner writes"] = testkit.Plant{Where: testkit.Itself, Run: func() {
		p := must(New(Config{Count: 1, HeapBuffers: None}))
		b := must(p.CopyIn([]byte("frame")))
		testkit.Apart(
			func() { frame := b.Bytes(); b.Release(); seen = frame[3] },
			func() { must(p.CopyInContext(background, []byte("next one"))) },
		)
	}}
	plants["wrapped bytes written by who gave them"] = testkit.Plant{Where: testkit.Itself, Run: func() {
		data := []byte("frame")
		b := must(newPool().Wrap(data))
		testkit.Apart(func() { data[3]++ }, func() { seen = b.Bytes()[3] })
	}}

	for call, f := range map[string]func(c *Cache, b Buffer){
		"Get":      func(c *Cache, _ Buffer) { must(c.Get()) },
		"GetBurst": func(c *Cache, _ Buffer) { c.GetBurst(make([]Buffer, 3)) },
		"GetBulk":  func(c *Cache, _ Buffer) { c.GetBulk(make([]Buffer, 3)) },
		"CopyIn":   func(c *Cache, _ Buffer) { must(c.CopyIn([]byte("frame"))) },
		"Put":      func(c *Cache, b Buffer) { c.Put(b) },
		"PutBurst": func(c *Cache, b Buffer) { c.PutBurst([]Buffer{b}) },
		"Close":    func(c *Cache, _ Buffer) { c.Close() },
	} {
		for with, g := range map[string]func(c *Cache, b Buffer){
			"Get": func(c *Cache, _ Buffer) { must(c.Get()) },
			"Put": func(c *Cache, b Buffer) { c.Put(b) },
		} {
			plants["Cache shared, "+with+" and "+call] = testkit.Plant{Where: "pool.(*Cache).", Run: func() {
				p := newPool()
				c, one, two := p.NewCache(), must(p.Get()), must(p.Get())
				testkit.Apart(func() { g(c, one) }, func() { f(c, two) })
			}}
		}
	}
}

var seen byte // what was read, so that the compiler leaves the read in

// newPool makes a pool that its plant leaves behind: in 100 rounds fewer than the 255 that may be open.
func newPool() *Pool { return must(New(Config{Count: 200, HeapBuffers: 2})) }

func TestPlantedRaces(t *testing.T) { plants.Check(t) }
