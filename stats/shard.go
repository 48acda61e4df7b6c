// Shard: one worker's counters, and how they become visible.
//
// The worker counts in plain memory, in live. To publish, it copies live into a buffer
// that is its own and swaps that buffer's number with the one in mid: a triple buffer.
// Of the three buffers the worker always owns one (back), the reader one (front), and
// the third (mid) holds what was published last. So both sides only ever touch a
// buffer of their own, a reader sees a whole burst or nothing of it, and neither waits:
//
//	worker   live ──copy──▶ [back] ─┐
//	                                ├─swap─ mid
//	reader   sum ◀──read── [front] ─┘
//
// The edges:
//
//	W1  Publish swaps mid  after it wrote its buffer            publishes the counts
//	R1  read swaps mid     before it reads the buffer it got    sees W1
//	R2  read swaps mid     after it last read its old buffer    gives it back
//	W2  Publish swaps mid  before it writes the buffer it got   sees R2
//
// R1 and R2 are the same swap, W1 and W2 as well.
//
// An atomic store is as dear as the swap (an XCHG on amd64), so one swap and a copy
// cost less than storing each changed counter as an atomic of its own, and far less than
// that inside a sequence lock, where moreover a worker descheduled in the middle
// makes readers wait: bench_test.go has the comparison.

package stats

import (
	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/interleave"
	"github.com/ringway-net/ringway/internal/atomic"
)

// Shard is one worker's part of a Counters. It belongs to one goroutine at a time:
// its methods must not run concurrently with each other (the race detector reports
// it if they do). They take no lock, Close excepted, and allocate nothing.
//
// What is counted becomes visible to readers with the next Publish or
// Close. After Close the shard must not be used: Publish panics, and what the
// other methods count is lost.
//
// A Shard comes from Counters.NewShard and must not be copied.
type Shard struct {
	_ cpu.Pad

	// The worker's own: nobody else reads or writes these.
	live   Snapshot  // what was counted, ever
	set    *Counters // where the shard belongs; constant
	back   uint32    // 0..2, the buffer that the worker owns
	closed bool
	_      cpu.Pad

	// mid is the buffer that nobody owns, 0..2, plus fresh if the worker put
	// it there since the reader last looked. Both sides swap it.
	mid atomic.Uint32
	_   cpu.Pad

	// front is the buffer that the reader owns, 0..2. Only for who holds set.mu.
	front uint32
	_     cpu.Pad

	// Each buffer is on lines of its own, since both sides use theirs at the same time.
	buffers [3]buffer
}

// buffer is a Snapshot with a pad behind it, against the next buffer or neighbour.
type buffer struct {
	counts Snapshot
	_      cpu.Pad
}

// fresh marks in mid a buffer that the reader has not seen.
const fresh = 4

func newShard(c *Counters) *Shard {
	s := &Shard{set: c, back: 0, front: 2}
	s.mid.Store(1)
	return s
}

// Publish makes all that was counted so far visible to readers, at once. Call it once
// a burst, and before the worker goes to sleep. It takes one atomic swap and a copy
// of the counters and never waits. It panics after Close.
func (s *Shard) Publish() {
	if s.closed {
		panic("stats: Publish on a closed Shard")
	}
	s.buffers[s.back].counts = s.live
	if interleave.On {
		interleave.Write(&s.buffers[s.back])
	}
	s.back = s.mid.Swap(s.back|fresh) &^ fresh // W1, W2
}

// read returns the counts as of the last Publish, valid until the next call. For one
// goroutine at a time, who holds set.mu.
func (s *Shard) read() *Snapshot {
	if s.mid.Load()&fresh != 0 {
		s.front = s.mid.Swap(s.front) &^ fresh // R1, R2
	}
	if interleave.On {
		interleave.Read(&s.buffers[s.front])
	}
	return &s.buffers[s.front].counts
}

// Close publishes what is left and takes the shard out of the set, whose totals keep its
// counts. Closing again does nothing. It is called by the worker, or by another
// goroutine once the worker has ended (and that is known, by a channel or a
// WaitGroup); it may wait for a reader.
func (s *Shard) Close() {
	if s.closed {
		return
	}
	s.closed = true
	s.set.retire(s, &s.live)
}

// Rx counts received packets and their bytes.
func (s *Shard) Rx(packets, bytes uint64) {
	s.live.RxPackets += packets
	s.live.RxBytes += bytes
}

// Tx counts sent packets and their bytes.
func (s *Shard) Tx(packets, bytes uint64) {
	s.live.TxPackets += packets
	s.live.TxBytes += bytes
}

// Segments counts n more frames to send than were given: all but one of those that a large frame was cut into.
func (s *Shard) Segments(n uint64) { s.live.TxSegments += n }

// DropRx counts n frames dropped on the way in. A number that is no reason counts as
// ReasonUnspecified.
func (s *Shard) DropRx(r Reason, n uint64) {
	if r >= numReasons {
		r = ReasonUnspecified
	}
	s.live.RxDrops[r] += n
}

// DropTx counts n frames dropped on the way out. A number that is no reason counts as
// ReasonUnspecified.
func (s *Shard) DropTx(r Reason, n uint64) {
	if r >= numReasons {
		r = ReasonUnspecified
	}
	s.live.TxDrops[r] += n
}

// ErrorRx counts n errors of receiving: failed calls, not frames. A frame lost by
// one is a drop besides.
func (s *Shard) ErrorRx(n uint64) { s.live.RxErrors += n }

// ErrorTx counts n errors of sending: failed calls, not frames. A frame lost by
// one is a drop besides.
func (s *Shard) ErrorTx(n uint64) { s.live.TxErrors += n }

// NAT counts translated packets: fast of them found their connection in the fast path's
// table, slow of them needed the slow path's lookup.
func (s *Shard) NAT(fast, slow uint64) {
	s.live.NATTranslations += fast + slow
	s.live.NATFastPathHits += fast
	s.live.NATSlowPathLookups += slow
}

// NATCreated counts n connections entered into the translation table.
func (s *Shard) NATCreated(n uint64) { s.live.NATConnectionsCreated += n }

// NATExpired counts n connections removed from the translation table.
func (s *Shard) NATExpired(n uint64) { s.live.NATConnectionsExpired += n }

// Poll counts one look for work that found work units of it (frames, as a rule). One that
// found none is a busy spin.
func (s *Shard) Poll(work uint64) {
	s.live.Polls++
	s.live.PollWork += work
	if work == 0 {
		s.live.BusySpins++
	}
}

// Batch counts one batch of n packets in the histogram. Zero or less is no
// batch and is not counted.
func (s *Shard) Batch(n int) {
	if n > 0 {
		s.live.Batches[batchBucket(n)]++
	}
}
