//go:build linux

// The four rings that a socket shares with the kernel, and the order in which the two see each other's writes.

package afxdp

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is one ring, as its user sees it: a producer of fill and transmit rings, a consumer of the others. Indices
// run through all 32 bits and are masked to get a place. The kernel is at the other end: its
// smp_store_release of an index pairs with our atomic load of it, and our atomic store with its
// smp_load_acquire (net/xdp/xsk_queue.h). The edges are
//
//	K1  producer: what a place holds is written before the index that publishes it
//	K2  consumer: what a place held is read before the index that gives it back
//
// One goroutine at a time uses a ring.
type ring[T any] struct {
	mem    []byte // the mapping
	places []T
	flags  *uint32
	mine   *uint32 // the index that we write
	theirs *uint32 // the index that the kernel writes
	next   uint32  // our index, of which *mine is what the kernel knows
	seen   uint32  // theirs, as it was when it was last read: the true one may be further on
}

// mapRing maps a ring of a socket: entries places, whose parts are at the offsets that the kernel says.
func mapRing[T any](socket int, page int64, at unix.XDPRingOffset, entries int, produce bool) (r ring[T], err error) {
	var one T
	r.mem, err = unix.Mmap(socket, page, int(at.Desc)+entries*int(unsafe.Sizeof(one)), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return r, fmt.Errorf("mapping a ring of %d entries: %w", entries, err)
	}
	// Safe: the kernel has laid the ring out so, in whole pages, and the offsets are multiples of 8.
	word := func(off uint64) *uint32 { return (*uint32)(unsafe.Pointer(&r.mem[off])) }
	r.places = unsafe.Slice((*T)(unsafe.Pointer(&r.mem[at.Desc])), entries)
	r.flags = word(at.Flags)
	r.mine, r.theirs = word(at.Consumer), word(at.Producer)
	if produce {
		r.mine, r.theirs = r.theirs, r.mine
	}
	return r, nil
}

// unmap gives the mapping back. The ring is not used after that.
func (r *ring[T]) unmap() error {
	if r.mem == nil {
		return nil
	}
	err := unix.Munmap(r.mem)
	*r = ring[T]{}
	return err
}

// at is the place that is k after the next one.
func (r *ring[T]) at(k int) *T { return &r.places[(r.next+uint32(k))&uint32(len(r.places)-1)] }

// look reads the kernel's index.
func (r *ring[T]) look() { r.seen = atomic.LoadUint32(r.theirs) } // K1 or K2, at the kernel's side

// publish makes n places more the kernel's: filled ones for it to read (K1), or read ones for it to fill (K2).
func (r *ring[T]) publish(n int) {
	r.next += uint32(n)
	atomic.StoreUint32(r.mine, r.next)
}

// full returns how many places a consumer can read, and looks again if they are fewer than want.
func (r *ring[T]) full(want int) int {
	if n := int(r.seen - r.next); n >= want {
		return n
	}
	r.look()
	return int(r.seen - r.next)
}

// pending returns how many places the kernel has not taken yet from a producer.
func (r *ring[T]) pending() int {
	r.look()
	return int(r.next - r.seen)
}

// asksForWake reports whether the kernel wants to be woken for what a producer has published.
func (r *ring[T]) asksForWake() bool {
	return atomic.LoadUint32(r.flags)&unix.XDP_RING_NEED_WAKEUP != 0
}
