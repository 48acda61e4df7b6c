// Pools of packets: sync.Pool, and an allocation for each.

package main

import (
	"errors"
	"sync"
	"unsafe"

	"github.com/ringway-net/ringway/internal/perf"
	"github.com/ringway-net/ringway/pool"
)

// packet is a buffer on the Go heap and the length of the frame in it.
type packet struct {
	length int
	data   [pool.DefaultBufferSize]byte
}

// errNoPacket says that a pool has no packet left.
var errNoPacket = errors.New("the pool has no packet")

// nothing is an end to what the collector takes apart.
func nothing() error { return nil }

// address tells packets apart.
func address(p *packet) int { return int(uintptr(unsafe.Pointer(p))) }

// getPutter is a pool of packets as these loops use it. Both of them cost more than the
// call through this interface does, and the loop is the same for both.
type getPutter interface {
	Get() (*packet, error)
	Put(p *packet)
}

// poolLoop takes a packet and gives it back.
func poolLoop(p getPutter) func(n int) error {
	return func(n int) error {
		for range n {
			b, err := p.Get()
			if err != nil {
				return err
			}
			p.Put(b)
		}
		return nil
	}
}

// syncPool is a sync.Pool of packets.
type syncPool struct{ p sync.Pool }

func newSyncPool() *syncPool {
	return &syncPool{sync.Pool{New: func() any { return new(packet) }}}
}

// Get takes a packet.
func (s *syncPool) Get() (*packet, error) { return s.p.Get().(*packet), nil }

// Put gives a packet back.
func (s *syncPool) Put(p *packet) { s.p.Put(p) }

// GetBulk fills dst.
func (s *syncPool) GetBulk(dst []*packet) bool {
	for i := range dst {
		dst[i] = s.p.Get().(*packet)
	}
	return true
}

// PutBurst gives packets back.
func (s *syncPool) PutBurst(ps []*packet) {
	for _, p := range ps {
		s.p.Put(p)
	}
}

func syncPoolWorks() []perf.Work {
	const impl = "sync.Pool"
	open := func() (a, b perf.BufferSource[*packet], end func() error) {
		s := newSyncPool()
		return s, s, nothing
	}
	works := []perf.Work{
		perf.Alone("pool/single", impl, func() (func(n int) error, func() error) {
			p := &newSyncPool().p
			return func(n int) error {
				for range n {
					p.Put(p.Get())
				}
				return nil
			}, nothing
		}),
		perf.Alone("pool/bulk64", impl, func() (func(n int) error, func() error) { return perf.BulkLoop(newSyncPool()), nothing }),
		perf.Cross("pool/single/cross", impl, 1, open, address),
		perf.Cross("pool/bulk64/cross", impl, 64, open, address),
	}
	return append(works, perf.FrameWorks(impl, func() (perf.FrameLoop, func() error) {
		packets := &newSyncPool().p
		return func(frame []byte, n int) (sum int, err error) {
			for i := range n {
				frame[0] = byte(i)
				p := packets.Get().(*packet)
				p.length = copy(p.data[:], frame)
				sum += int(p.data[0])
				packets.Put(p)
			}
			return sum, nil
		}, nothing
	})...)
}

// escaped keeps what is assigned to it from staying on the stack.
var escaped []byte

// makeWorks are those of an allocation for each frame, with the garbage collections that follow.
func makeWorks() []perf.Work {
	return perf.FrameWorks("make", func() (perf.FrameLoop, func() error) {
		return func(frame []byte, n int) (sum int, err error) {
			for i := range n {
				frame[0] = byte(i)
				escaped = append([]byte(nil), frame...)
				sum += int(escaped[0])
			}
			return sum, nil
		}, nothing
	})
}

// makeFacts are what a million packets that are allocated one by one cost the collector.
func makeFacts() []perf.Fact {
	return perf.CollectorFacts("make", func() (end func()) {
		packets := make([]*packet, perf.Million)
		for i := range packets {
			packets[i] = new(packet)
		}
		return func() { clear(packets) }
	})
}
