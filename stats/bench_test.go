// What counting costs, and what the alternatives would cost.

package stats

import (
	"math/bits"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/cpu"
)

const benchBurst = 64

// perPacket reports the time of one packet of a burst, the loop's step being a burst.
func perPacket(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBurst, "ns/packet")
}

// Each packet counted by itself, published once a burst.
func BenchmarkRxEachPublish(b *testing.B) {
	s := New().NewShard()
	for b.Loop() {
		for i := range uint64(benchBurst) {
			s.Rx(1, 60+i)
		}
		s.Publish()
	}
	perPacket(b)
}

// A burst counted at once, and published.
func BenchmarkRxBurstPublish(b *testing.B) {
	s := New().NewShard()
	for b.Loop() {
		s.Rx(benchBurst, benchBurst*64)
		s.Publish()
	}
	perPacket(b)
}

// What a forwarding worker counts for a burst, in and out.
func BenchmarkForwardBurst(b *testing.B) {
	s := New().NewShard()
	for b.Loop() {
		s.Poll(benchBurst)
		s.Batch(benchBurst)
		s.Rx(benchBurst, benchBurst*64)
		s.DropTx(ReasonRingFull, 1)
		s.Tx(benchBurst-1, (benchBurst-1)*64)
		s.Publish()
	}
	perPacket(b)
}

// The same while a reader takes snapshots all the time on another core: the worst case.
func BenchmarkForwardBurstUnderReader(b *testing.B) {
	c := New()
	s := c.NewShard()
	var stop atomic.Bool
	done := make(chan int)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			c.Snapshot()
		}
		done <- n
	}()
	for b.Loop() {
		s.Poll(benchBurst)
		s.Batch(benchBurst)
		s.Rx(benchBurst, benchBurst*64)
		s.DropTx(ReasonRingFull, 1)
		s.Tx(benchBurst-1, (benchBurst-1)*64)
		s.Publish()
	}
	perPacket(b)
	stop.Store(true)
	b.ReportMetric(float64(<-done)/b.Elapsed().Seconds(), "snapshots/s")
}

func BenchmarkPublish(b *testing.B) {
	s := New().NewShard()
	for b.Loop() {
		s.Publish()
	}
}

func BenchmarkSnapshot(b *testing.B) {
	c := New()
	s := c.NewShard()
	for b.Loop() {
		s.Publish() // or the reader had nothing new to fetch
		c.Snapshot()
	}
}

// The seed's way: one padded atomic per counter, added to for each packet.
func BenchmarkAtomicAddEach(b *testing.B) {
	type counter struct {
		n atomic.Uint64
		_ cpu.Pad
	}
	var packets, octets counter
	for b.Loop() {
		for i := range uint64(benchBurst) {
			packets.n.Add(1)
			octets.n.Add(60 + i)
		}
	}
	perPacket(b)
}

// masked is the way not taken: plain counters with a bit mask of those that
// changed, which are stored one by one as atomics. With sequence it wraps the stores
// in two more, of a sequence number, so that a reader can tell a torn read.
type masked struct {
	_         cpu.Pad
	dirty     uint64
	live      [24]uint64
	_         cpu.Pad
	seq       atomic.Uint64
	published [24]atomic.Uint64
	_         cpu.Pad
}

func (m *masked) add(i uint, n uint64) {
	m.live[i] += n
	m.dirty |= 1 << i
}

func (m *masked) publish(sequence bool) {
	if sequence {
		m.seq.Add(1)
	}
	for d := m.dirty; d != 0; d &= d - 1 {
		i := bits.TrailingZeros64(d)
		m.published[i].Store(m.live[i])
	}
	m.dirty = 0
	if sequence {
		m.seq.Add(1)
	}
}

func benchMasked(b *testing.B, sequence bool, counters uint) {
	m := new(masked)
	for b.Loop() {
		for i := range counters {
			m.add(i, benchBurst)
		}
		m.publish(sequence)
	}
	perPacket(b)
}

func BenchmarkMaskedRxBurst(b *testing.B)         { benchMasked(b, false, 2) }
func BenchmarkMaskedSequenceRxBurst(b *testing.B) { benchMasked(b, true, 2) }
func BenchmarkMaskedForwardBurst(b *testing.B)    { benchMasked(b, false, 8) }
func BenchmarkMaskedSequenceForward(b *testing.B) { benchMasked(b, true, 8) }
