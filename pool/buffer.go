// Buffer: the handle to a packet buffer, and how a frame is read and changed.

package pool

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/ringway-net/ringway/interleave"
)

var (
	// ErrHeadroom says that a buffer has less room in front of the frame than was asked for.
	ErrHeadroom = errors.New("pool: not enough headroom")
	// ErrTailroom says that a buffer has less room behind the frame than was asked for.
	ErrTailroom = errors.New("pool: not enough tailroom")
	// ErrTooShort says that a frame has fewer bytes than were to be trimmed.
	ErrTooShort = errors.New("pool: frame is shorter than that")
)

const (
	slotBits = 24
	slotMask = 1<<slotBits - 1

	offMask     = 1<<24 - 1
	hintMeta    = 1 << 24 // there is a Meta
	hintTracked = 1 << 25 // the tracker knows it
	hintOffload = 1 << 26 // there is an Offload
)

// Buffer is a handle to one packet buffer and to the frame in it. It is a value, as a
// slice is: a copy of it is a handle to the same buffer, and has a frame of
// its own only as far as where it begins and ends. The zero Buffer is a handle to nothing.
//
// A buffer has one owner, the goroutine that took it, until it is handed over (a ring or a channel does
// that) or given back. Methods are for its owner alone and panic if the
// handle is dead: given back before, by whomever. Retain makes several owners; then
// the bytes are read-only for all of them.
//
// The bytes between Headroom and Tailroom are the frame: they have whatever the owner put
// there and never what an earlier owner left, unless a method says that it
// does not zero.
type Buffer struct {
	slot uint32 // pool (8 bits) and slot in it (24 bits)
	gen  uint32 // the slot's generation while this handle is live
	off  uint32 // hints (8 bits) and where the frame begins from the slot's start (24 bits), in bytes
	n    uint32 // the frame's length in bytes
}

// live returns b's pool and the state of its slot. It panics if the handle is dead.
func (b Buffer) live() (*Pool, *slotState) {
	if p := pools[b.slot>>slotBits].Load(); p != nil {
		if i := b.slot & slotMask; i < uint32(len(p.slots)) && p.slots[i].gen == b.gen {
			if interleave.On {
				interleave.Read(&p.slots[i].gen)
			}
			return p, &p.slots[i]
		}
	}
	b.dead()
	return nil, nil
}

// size returns how many bytes the slot of b has, headroom and all.
func (p *Pool) size(b Buffer) uint32 {
	i := b.slot & slotMask
	if i >= p.count {
		return uint32(len(p.heap.data[i-p.count]))
	}
	return p.room
}

// bytes returns n bytes of the slot from off on. The caller has checked that
// they are inside of it.
func (p *Pool) bytes(b Buffer, off, n uint32) []byte {
	i := b.slot & slotMask
	if i >= p.count {
		return p.heap.data[i-p.count][off:][:n:n]
	}
	if n == 0 {
		off = 0 // a pointer behind the last slot would be one into somebody else's memory
	}
	// Safe: i < count and off+n is at most the slot's size, which every change of off and n
	// holds; and the region stays mapped as long as a slot is out, which live has
	// found it to be.
	return unsafe.Slice((*byte)(unsafe.Add(p.base, uintptr(i)*p.stride+uintptr(off))), n)
}

// Bytes returns the frame, Len bytes, with nothing to append into behind it. Its owner may
// write to it unless the buffer is shared. It is valid until Release: the memory is
// somebody else's then, and a slice that was kept can't be found out.
func (b Buffer) Bytes() []byte {
	// This is live, which the compiler does not inline, over again: a third of the time.
	if p := pools[b.slot>>slotBits].Load(); p != nil {
		if i := b.slot & slotMask; i < uint32(len(p.slots)) && p.slots[i].gen == b.gen {
			return p.bytes(b, b.off&offMask, b.n)
		}
	}
	b.dead()
	return nil
}

// Len returns the length of the frame in bytes. It looks at nothing but the handle.
func (b Buffer) Len() int { return int(b.n) }

// IsZero reports whether b is the zero Buffer, a handle to nothing.
func (b Buffer) IsZero() bool { return b == Buffer{} }

// Headroom returns how many bytes Prepend can add. It looks at nothing but the
// handle.
func (b Buffer) Headroom() int { return int(b.off & offMask) }

// Tailroom returns how many bytes Append can add.
func (b Buffer) Tailroom() int {
	p, _ := b.live()
	return p.tailroom(b)
}

func (p *Pool) tailroom(b Buffer) int {
	return int(p.size(b) - b.off&offMask - b.n)
}

// Index returns the number of b's slot in its pool: below Count for the region,
// from there on for the heap.
func (b Buffer) Index() int { return int(b.slot & slotMask) }

// Pool returns the pool that b is from.
func (b Buffer) Pool() *Pool {
	p, _ := b.live()
	return p
}

// Prepend makes the frame n bytes longer at its front, zeroes them and returns them. The
// error is ErrHeadroom. It panics if the buffer is shared or n is negative.
func (b *Buffer) Prepend(n int) ([]byte, error) {
	p := b.writer("Prepend")
	b.notNegative("Prepend", n)
	if n > b.Headroom() {
		return nil, ErrHeadroom
	}
	b.off -= uint32(n)
	b.n += uint32(n)
	front := p.bytes(*b, b.off&offMask, uint32(n))
	clear(front)
	return front, nil
}

// Append makes the frame n bytes longer at its end, zeroes them and returns
// them. The error is ErrTailroom. It panics if the buffer is shared or n is negative.
func (b *Buffer) Append(n int) ([]byte, error) {
	tail, err := b.AppendUnzeroed(n)
	clear(tail)
	return tail, err
}

// AppendUnzeroed is Append for bytes that the caller overwrites at once, all of them, or
// trims: they may still hold what an earlier owner left.
func (b *Buffer) AppendUnzeroed(n int) ([]byte, error) {
	// What appendUnzeroed does for the most frequent case, over again: a third of the time.
	if p := pools[b.slot>>slotBits].Load(); p != nil {
		if i := b.slot & slotMask; i < p.count && p.slots[i].gen == b.gen && !p.slots[i].shared() {
			off := b.off&offMask + b.n
			if n > 0 && n <= int(p.room-off) {
				b.n += uint32(n)
				return p.bytes(*b, off, uint32(n)), nil
			}
		}
	}
	return b.appendUnzeroed(n)
}

func (b *Buffer) appendUnzeroed(n int) ([]byte, error) {
	p := b.writer("Append")
	b.notNegative("Append", n)
	if n > p.tailroom(*b) {
		return nil, ErrTailroom
	}
	tail := p.bytes(*b, b.off&offMask+b.n, uint32(n))
	b.n += uint32(n)
	return tail, nil
}

// TrimFront makes the frame n bytes shorter at its front. This handle's frame only: others of a
// shared buffer keep theirs. The error is ErrTooShort. It panics if n is negative.
func (b *Buffer) TrimFront(n int) error {
	if err := b.trim("TrimFront", n); err != nil {
		return err
	}
	b.off += uint32(n)
	return nil
}

// TrimBack makes the frame n bytes shorter at its end, as TrimFront does at its front.
func (b *Buffer) TrimBack(n int) error { return b.trim("TrimBack", n) }

func (b *Buffer) trim(what string, n int) error {
	b.live()
	b.notNegative(what, n)
	if n > int(b.n) {
		return ErrTooShort
	}
	b.n -= uint32(n)
	return nil
}

// SetLen makes the frame n bytes long: by trimming its end, or by appending zeroes.
// The error is ErrTailroom. It panics if n is negative, or for a longer frame
// if the buffer is shared.
func (b *Buffer) SetLen(n int) error {
	if n <= int(b.n) {
		b.notNegative("SetLen", n)
		return b.TrimBack(int(b.n) - n)
	}
	_, err := b.Append(n - int(b.n))
	return err
}

// CopyFrom makes data the frame, in place of what it was, from where that began. The
// error is ErrTooLarge. It panics if the buffer is shared.
func (b *Buffer) CopyFrom(data []byte) error {
	p := b.writer("CopyFrom")
	if len(data) > int(b.n)+p.tailroom(*b) {
		return ErrTooLarge
	}
	b.n = uint32(len(data))
	copy(p.bytes(*b, b.off&offMask, b.n), data)
	return nil
}

// Reset makes the buffer as Get has handed it out: empty, with the pool's headroom in
// front (none in a wrapped buffer), without a Meta or Offload. It panics if the buffer is shared.
func (b *Buffer) Reset() {
	p := b.writer("Reset")
	b.off = b.off&hintTracked | min(p.headroom, p.size(*b))
	if b.slot&slotMask >= p.count && p.heap.wrapped[b.slot&slotMask-p.count] {
		b.off &= hintTracked
	}
	b.n = 0
}

// Retain makes n more owners. Each of the owners releases the buffer once, and handles it as its own
// meanwhile, except that the bytes are read-only: Writable makes a copy to write to.
// It panics if n is negative, or if there would be more than 1<<31 owners.
//
// An owner who releases twice gives up somebody else's share, and nobody can tell whose release was the one too
// many: when the last rightful owner comes to use or release the buffer, that panics. If he never comes, it is
// not found out; nor is what he does meanwhile with bytes that he got from Bytes before.
func (b Buffer) Retain(n int) {
	_, s := b.live()
	b.notNegative("Retain", n)
	if n > math.MaxInt32 {
		b.misuse(fmt.Sprintf("Retain(%d): too many owners", n))
	}
	if n > 0 && s.extra.Add(int32(n)) < 0 {
		s.extra.Add(-int32(n))
		b.misuse(fmt.Sprintf("Retain(%d): too many owners", n))
	}
}

// Shared reports whether the buffer has more than one owner at this moment. Not shared is
// a lasting answer for its owner; shared may end at any time.
func (b Buffer) Shared() bool {
	_, s := b.live()
	return s.shared()
}

// Writable makes sure that b's owner is the only one. If the buffer is shared it
// copies the frame, with its headroom, Meta and Offload, to a buffer of its own (from the same pool,
// or from the heap as CopyIn does) and gives its share of the old one up. On an
// error, which is that of CopyIn, b is as it was.
func (b *Buffer) Writable() error {
	p, s := b.live()
	if !s.shared() {
		return nil
	}
	c, err := p.copyIn(b.Bytes(), b.Headroom())
	if err != nil {
		return p.counted(err)
	}
	if m, ok := b.Meta(); ok {
		c.SetMeta(m)
	}
	if o, ok := b.Offload(); ok {
		c.SetOffload(o)
	}
	b.Release()
	*b = c
	return nil
}

// Release gives the buffer back, or this owner's share of it. Any goroutine
// may; nothing waits and nothing fails. The handle and all copies of it are dead
// then (those of other owners are not). It panics if the handle is dead. After the pool's Close it
// is as before, and the last one ends the pool.
func (b Buffer) Release() {
	p, _ := b.live()
	if i, ok := p.reclaim(b); ok {
		p.deposit([]uint32{i})
	}
}

// writer returns b's pool if its owner may write to it, and panics otherwise.
func (b Buffer) writer(what string) *Pool {
	p, s := b.live()
	if s.shared() {
		b.misuse(what + " on a shared buffer: call Writable first")
	}
	return p
}

func (b Buffer) notNegative(what string, n int) {
	if n < 0 {
		b.misuse(fmt.Sprintf("%s(%d): negative", what, n))
	}
}

// String describes the handle for messages and logs. It may be called on a dead one.
func (b Buffer) String() string {
	if b.IsZero() {
		return "no buffer"
	}
	name := "?"
	if p := pools[b.slot>>slotBits].Load(); p != nil {
		name = p.config.Name
	}
	return fmt.Sprintf("buffer %d of pool %q (%d bytes, generation %d)", b.Index(), name, b.n, b.gen)
}
