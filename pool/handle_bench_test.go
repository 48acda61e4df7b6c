// The experiment behind docs/decisions/0001-buffer-handle.md: should the handle of a buffer be a value
// that carries the length, or a pointer to a header in the buffer?
//
// All variants do the same work on the same structures: get 64, set the length, put
// the handles into a single-producer ring; on the other core take up to 64 out, add up
// their lengths, put them back. Only what a handle is differs. It is a miniature, so
// that nothing of the package's other duties is in the figures.

package pool

import (
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
)

const (
	miniCount  = 8192
	miniStride = 2048 + 128
	miniRing   = 4096
)

// miniDepot is magazines of T, and an endless supply of nothing: who finds it empty tries again.
type miniDepot[T any] struct {
	full, empty cpu.Padded[stack]
	magazines   [][magazineSize]T
}

func newMiniDepot[T any](item func(i int) T) *miniDepot[T] {
	d := &miniDepot[T]{magazines: make([][magazineSize]T, miniCount/magazineSize)}
	links := make([]atomic.Uint32, len(d.magazines))
	d.full.Value.next, d.empty.Value.next = links, links
	for m := range d.magazines {
		for k := range magazineSize {
			d.magazines[m][k] = item(m*magazineSize + k)
		}
		d.full.Value.push(uint32(m))
	}
	return d
}

func (d *miniDepot[T]) get(dst *[magazineSize]T) bool {
	m, ok := d.full.Value.pop()
	if ok {
		*dst = d.magazines[m]
		d.empty.Value.push(m)
	}
	return ok
}

func (d *miniDepot[T]) put(src *[magazineSize]T) {
	m, ok := d.empty.Value.pop()
	if !ok {
		panic("more slots than there are")
	}
	d.magazines[m] = *src
	d.full.Value.push(m)
}

// miniSPSC is a single-producer single-consumer ring with cached indices.
type miniSPSC[T any] struct {
	_     cpu.Pad
	slots []T
	_     cpu.Pad
	tail  atomic.Uint64 // written by the producer
	_     cpu.Pad
	head  atomic.Uint64 // written by the consumer
	_     cpu.Pad
	ptail uint64 // the producer's own index and what it knows of the other
	phead uint64
	_     cpu.Pad
	chead uint64
	ctail uint64
	_     cpu.Pad
}

func (r *miniSPSC[T]) push(vs []T) {
	var w spinner
	for r.ptail+uint64(len(vs))-r.phead > miniRing {
		if r.phead = r.head.Load(); r.ptail+uint64(len(vs))-r.phead > miniRing {
			w.spin()
		}
	}
	at := r.ptail % miniRing
	n := copy(r.slots[at:], vs)
	copy(r.slots, vs[n:])
	r.ptail += uint64(len(vs))
	r.tail.Store(r.ptail)
}

func (r *miniSPSC[T]) pop(dst []T) {
	var w spinner
	for r.ctail-r.chead < uint64(len(dst)) {
		if r.ctail = r.tail.Load(); r.ctail-r.chead < uint64(len(dst)) {
			w.spin()
		}
	}
	n := copy(dst, r.slots[r.chead%miniRing:])
	copy(dst[n:], r.slots)
	r.chead += uint64(len(dst))
	r.head.Store(r.chead)
}

// spinner waits longer and longer, and lets others run now and then.
type spinner uint32

func (w *spinner) spin() {
	*w++
	cpu.Pause(min(uint32(*w), 64))
	if *w%256 == 0 {
		runtime.Gosched()
	}
}

// miniHeader is what the pointer variant has at the start of each slot, as DPDK's mbuf does: one line.
type miniHeader struct {
	off, n uint32
	gen    uint32
	refs   atomic.Int32
	_      [48]byte
}

// handOff runs both ends. A benchmark's N is buffers.
func handOff[S, H any](b *testing.B, d *miniDepot[S], send func(from *[magazineSize]S, to *[magazineSize]H), receive func(from *[magazineSize]H, to *[magazineSize]S) int) {
	r := &miniSPSC[H]{slots: make([]H, miniRing)}
	rounds := b.N/magazineSize + 1
	want := rounds * (magazineSize*60 + magazineSize*(magazineSize-1)/2)
	b.ResetTimer()
	var g sync.WaitGroup
	g.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var slots [magazineSize]S
		var handles [magazineSize]H
		for range rounds {
			for w := spinner(0); !d.get(&slots); {
				w.spin()
			}
			send(&slots, &handles)
			r.push(handles[:])
		}
	})
	bytes := 0
	g.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var slots [magazineSize]S
		var handles [magazineSize]H
		for range rounds {
			r.pop(handles[:])
			bytes += receive(&handles, &slots)
			d.put(&slots)
		}
	})
	g.Wait()
	if bytes != want {
		b.Fatalf("lengths come to %d, want %d", bytes, want)
	}
}

func BenchmarkHandle(b *testing.B) {
	b.Run("value", func(b *testing.B) {
		d := newMiniDepot(func(i int) uint32 { return uint32(i) })
		handOff(b, d,
			func(from *[magazineSize]uint32, to *[magazineSize]Buffer) {
				for k, i := range from {
					to[k] = Buffer{slot: 1<<slotBits | i, off: 128}
				}
				for k := range to {
					to[k].n = uint32(60 + k)
				}
			},
			func(from *[magazineSize]Buffer, to *[magazineSize]uint32) (sum int) {
				for k := range from {
					sum += int(from[k].n)
				}
				for k := range from {
					to[k] = from[k].slot & slotMask
				}
				return sum
			})
	})
	b.Run("value-checked", func(b *testing.B) {
		d := newMiniDepot(func(i int) uint32 { return uint32(i) })
		state := make([]slotState, miniCount)
		handOff(b, d,
			func(from *[magazineSize]uint32, to *[magazineSize]Buffer) {
				for k, i := range from {
					s := &state[i]
					if s.gen&1 != 0 {
						panic("still in use")
					}
					s.gen++
					to[k] = Buffer{slot: 1<<slotBits | i, gen: s.gen, off: 128}
				}
				for k := range to {
					to[k].n = uint32(60 + k)
				}
			},
			func(from *[magazineSize]Buffer, to *[magazineSize]uint32) (sum int) {
				for k := range from {
					sum += int(from[k].n)
				}
				for k := range from {
					i := from[k].slot ^ 1<<slotBits
					if i >= uint32(len(state)) || state[i].gen != from[k].gen || state[i].extra.Load() != 0 {
						panic("dead handle")
					}
					state[i].gen++
					to[k] = i
				}
				return sum
			})
	})
	b.Run("pointer", func(b *testing.B) {
		region, err := newRegion(miniCount*miniStride, false, true)
		if err != nil {
			b.Fatal(err)
		}
		defer region.unmap()
		d := newMiniDepot(func(i int) *miniHeader { return (*miniHeader)(unsafe.Pointer(&region.mem[i*miniStride])) })
		handOff(b, d,
			func(from, to *[magazineSize]*miniHeader) {
				for k, h := range from {
					h.off = 128
					to[k] = h
				}
				for k := range to {
					to[k].n = uint32(60 + k)
				}
			},
			func(from, to *[magazineSize]*miniHeader) (sum int) {
				for k := range from {
					sum += int(from[k].n)
				}
				for k, h := range from {
					if h.refs.Load() != 0 {
						panic("shared")
					}
					to[k] = h
				}
				return sum
			})
	})
}
