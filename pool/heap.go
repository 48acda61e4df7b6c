// Buffers on the Go heap: for frames that find no room in the region.

package pool

import (
	"context"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
)

// heap is the slots whose memory is on the Go heap, one allocation each. They
// have numbers behind those of the region and are buffers like all others.
type heap struct {
	depot   depot
	first   uint32   // the number of its first slot
	data    [][]byte // per slot, its memory while it is out
	wrapped []bool   // per slot, whether the memory is the caller's

	_ cpu.Pad
	// out is how many slots are not in the depot. As with Pool.out, a get adds before it
	// looks whether the pool is closed.
	out atomic.Int64
	_   cpu.Pad
}

func (h *heap) init(first, n uint32, next []atomic.Uint32) {
	h.first = first
	h.data = make([][]byte, n)
	h.wrapped = make([]bool, n)
	h.depot.init(first, n, next)
}

func (h *heap) free() int64 { return int64(len(h.data)) - h.out.Load() }

func (h *heap) put(i uint32) {
	h.data[i-h.first] = nil
	if interleave.On {
		interleave.Write(&h.data[i-h.first])
	}
	h.depot.put([]uint32{i})
	h.out.Add(-1)
}

// onHeap makes a buffer out of data, where the frame begins at off and is n bytes long.
func (p *Pool) onHeap(data []byte, off, n int, wrapped bool) (Buffer, error) {
	h := &p.heap
	h.out.Add(1)
	var one [1]uint32
	closed, got := p.closed.Load(), 0
	if !closed {
		got, _ = h.depot.get(one[:]) // never spills: its slots come back one by one
	}
	if got == 0 {
		h.out.Add(-1)
		p.made()
		p.afterHeap()
		if closed {
			return Buffer{}, ErrClosed
		}
		return Buffer{}, ErrExhausted
	}
	i := one[0]
	h.data[i-p.count], h.wrapped[i-p.count] = data, wrapped
	if interleave.On {
		interleave.Write(&h.data[i-p.count])
	}
	b := p.lend(i)
	b.off = b.off&^offMask | uint32(off)
	b.n = uint32(n)
	return b, nil
}

// CopyIn takes a buffer and copies data into it. If the region is exhausted or data is larger than
// BufferSize, the buffer is made on the Go heap and counted (Stats.HeapFallbacks).
// The error is ErrTooLarge if data is longer than BufferSize and MaxFrame, ErrExhausted if
// the heap's share (Config.HeapBuffers) is used up as well, or ErrClosed.
func (p *Pool) CopyIn(data []byte) (Buffer, error) {
	b, err := p.copyIn(data, p.config.Headroom)
	return b, p.counted(err)
}

func (p *Pool) copyIn(data []byte, headroom int) (Buffer, error) {
	if len(data) <= int(p.room)-headroom {
		if b, ok := p.take(); ok {
			b.fill(p, headroom, data)
			return b, nil
		}
	}
	return p.copyToHeap(data, headroom)
}

// fill makes data the frame of a buffer that was just taken.
func (b *Buffer) fill(p *Pool, headroom int, data []byte) {
	b.off = b.off&^offMask | uint32(headroom)
	b.n = uint32(len(data))
	copy(p.bytes(*b, uint32(headroom), b.n), data)
}

func (p *Pool) copyToHeap(data []byte, headroom int) (Buffer, error) {
	if len(data) > MaxFrame {
		return Buffer{}, ErrTooLarge
	}
	if p.closed.Load() { // these two before the memory is allocated
		return Buffer{}, ErrClosed
	}
	if p.heap.free() <= 0 {
		p.made()
		return Buffer{}, ErrExhausted
	}
	room := make([]byte, headroom+len(data))
	copy(room[headroom:], data)
	b, err := p.onHeap(room, headroom, len(data), false)
	if err == nil {
		p.fallbacks.Add(1)
	}
	return b, err
}

// CopyInContext is CopyIn that waits for a buffer, of the region or of the
// heap, while there is none. The error is ErrTooLarge, ErrClosed, or ctx.Err()
// once ctx is done. A nil ctx is as with GetContext.
func (p *Pool) CopyInContext(ctx context.Context, data []byte) (b Buffer, err error) {
	waitErr := p.returned.Wait(ctx, func() bool {
		b, err = p.copyIn(data, p.config.Headroom)
		return err != ErrExhausted
	})
	if waitErr != nil {
		return Buffer{}, waitErr
	}
	return b, err
}

// Wrap makes a buffer of the caller's bytes without a copy: a frame of all of
// data, without headroom or tailroom. The bytes are the buffer's until its
// release. It takes one of Config.HeapBuffers. The error is ErrTooLarge if data
// is longer than MaxFrame, ErrExhausted, or ErrClosed.
func (p *Pool) Wrap(data []byte) (Buffer, error) {
	if len(data) > MaxFrame {
		return Buffer{}, ErrTooLarge
	}
	b, err := p.onHeap(data, 0, len(data), true)
	return b, p.counted(err)
}
