// Tests of Counters and Shard by one goroutine at a time.

package stats

import (
	"math"
	"testing"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
)

// record is every method of Shard that counts, with what it must change.
var record = map[string]struct {
	do   func(*Shard)
	want Snapshot
}{
	"Rx":                {func(s *Shard) { s.Rx(2, 300) }, Snapshot{RxPackets: 2, RxBytes: 300}},
	"Tx":                {func(s *Shard) { s.Tx(3, 400) }, Snapshot{TxPackets: 3, TxBytes: 400}},
	"DropRx":            {func(s *Shard) { s.DropRx(ReasonNoBuffer, 4) }, Snapshot{RxDrops: Drops{ReasonNoBuffer: 4}}},
	"DropTx":            {func(s *Shard) { s.DropTx(ReasonRingFull, 5) }, Snapshot{TxDrops: Drops{ReasonRingFull: 5}}},
	"DropRx last":       {func(s *Shard) { s.DropRx(numReasons-1, 4) }, Snapshot{RxDrops: Drops{numReasons - 1: 4}}},
	"DropTx last":       {func(s *Shard) { s.DropTx(numReasons-1, 4) }, Snapshot{TxDrops: Drops{numReasons - 1: 4}}},
	"DropRx no reason":  {func(s *Shard) { s.DropRx(numReasons, 6) }, Snapshot{RxDrops: Drops{ReasonUnspecified: 6}}},
	"DropTx no reason":  {func(s *Shard) { s.DropTx(255, 7) }, Snapshot{TxDrops: Drops{ReasonUnspecified: 7}}},
	"ErrorRx":           {func(s *Shard) { s.ErrorRx(8) }, Snapshot{RxErrors: 8}},
	"ErrorTx":           {func(s *Shard) { s.ErrorTx(9) }, Snapshot{TxErrors: 9}},
	"Segments":          {func(s *Shard) { s.Segments(43) }, Snapshot{TxSegments: 43}},
	"NAT":               {func(s *Shard) { s.NAT(10, 1) }, Snapshot{NATTranslations: 11, NATFastPathHits: 10, NATSlowPathLookups: 1}},
	"NATCreated":        {func(s *Shard) { s.NATCreated(12) }, Snapshot{NATConnectionsCreated: 12}},
	"NATExpired":        {func(s *Shard) { s.NATExpired(13) }, Snapshot{NATConnectionsExpired: 13}},
	"Poll with work":    {func(s *Shard) { s.Poll(14) }, Snapshot{Polls: 1, PollWork: 14}},
	"Poll without work": {func(s *Shard) { s.Poll(0) }, Snapshot{Polls: 1, BusySpins: 1}},
	"Batch":             {func(s *Shard) { s.Batch(64) }, Snapshot{Batches: BatchHistogram{6: 1}}},
	"Batch of none":     {func(s *Shard) { s.Batch(0) }, Snapshot{}},
}

// Seed row record_tx, record_rx, record_*_drop, record_*_error, record_nat_translation,
// record_nat_connection_*, record_poll, record_batch_size: each changes its counters
// and no other, and adds to what was there.
func TestSeedRecordCalls(t *testing.T) {
	for name, call := range record {
		c := New()
		s := c.NewShard()
		call.do(s)
		if got := c.Snapshot(); got != (Snapshot{}) {
			t.Errorf("%s: seen before Publish:\n%v", name, got)
		}
		s.Publish()
		if got := c.Snapshot(); got != call.want {
			t.Errorf("%s: got\n%v", name, got)
		}
		call.do(s)
		s.Publish()
		if got := c.Snapshot(); got != call.want.Add(call.want) {
			t.Errorf("%s twice: got\n%v", name, got)
		}
	}
}

// Seed row DatapathStats: there is a way to count each of the counters, and shards
// add up.
func TestSeedDatapathStats(t *testing.T) {
	c := New()
	var want Snapshot
	for _, call := range record {
		s := c.NewShard() // a shard for each
		call.do(s)
		s.Publish()
		want = want.Add(call.want)
	}
	got := c.Snapshot()
	if got != want {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	for name, n := range map[string]uint64{
		"tx packets": got.TxPackets, "tx bytes": got.TxBytes, "tx dropped": got.TxDropped(), "tx errors": got.TxErrors,
		"rx packets": got.RxPackets, "rx bytes": got.RxBytes, "rx dropped": got.RxDropped(), "rx errors": got.RxErrors,
		"NAT translations": got.NATTranslations, "fast-path hits": got.NATFastPathHits,
		"slow-path lookups": got.NATSlowPathLookups, "connections created": got.NATConnectionsCreated,
		"connections expired": got.NATConnectionsExpired, "poll iterations": got.Polls,
		"work done": got.WorkingPolls(), "busy spins": got.BusySpins, "batches": got.Batches.Total(),
	} {
		if n == 0 {
			t.Errorf("no way to count %s", name)
		}
	}
}

// Seed row DatapathStats: cache-line padded. No two of the worker's fields, the shared word,
// the reader's field and the buffers are nearer than cpu.PadSize, nor is what is allocated
// before or behind the shard.
func TestSeedShardPadding(t *testing.T) {
	var s Shard
	type span struct {
		name       string
		start, end uintptr
	}
	spans := []span{
		{"the neighbour before", 0, 0},
		{"the worker's", unsafe.Offsetof(s.live), unsafe.Offsetof(s.closed) + unsafe.Sizeof(s.closed)},
		{"mid", unsafe.Offsetof(s.mid), unsafe.Offsetof(s.mid) + unsafe.Sizeof(s.mid)},
		{"front", unsafe.Offsetof(s.front), unsafe.Offsetof(s.front) + unsafe.Sizeof(s.front)},
	}
	for i, name := range []string{"buffer 0", "buffer 1", "buffer 2"} {
		start := unsafe.Offsetof(s.buffers) + uintptr(i)*unsafe.Sizeof(s.buffers[0])
		spans = append(spans, span{name, start, start + unsafe.Sizeof(s.buffers[0].counts)})
	}
	spans = append(spans, span{"the neighbour behind", unsafe.Sizeof(s), 0})
	for i := range len(spans) - 1 {
		a, b := spans[i], spans[i+1]
		if b.start < a.end+cpu.PadSize {
			t.Errorf("%s ends at %d, %s begins at %d: nearer than %d", a.name, a.end, b.name, b.start, cpu.PadSize)
		}
	}
	// The worker's fields are what lies between the first two pads.
	for name, off := range map[string]uintptr{"set": unsafe.Offsetof(s.set), "back": unsafe.Offsetof(s.back)} {
		if off < spans[1].start || off >= spans[1].end {
			t.Errorf("%s at %d is outside of the worker's fields", name, off)
		}
	}
}

// Seed row snapshot, reset, StatsSnapshot.
func TestSeedSnapshotResetDelta(t *testing.T) {
	c := New()
	s := c.NewShard()
	s.Rx(100, 10000)
	s.Batch(3)
	s.Publish()
	first := c.Snapshot()
	if first.RxPackets != 100 || first.Batches[1] != 1 {
		t.Fatalf("first snapshot\n%v", first)
	}

	s.Rx(5, 500)
	s.Publish()
	second := c.Snapshot()
	if got, want := second.Delta(first), (Snapshot{RxPackets: 5, RxBytes: 500}); got != want {
		t.Errorf("delta\n%v", got)
	}
	if first.RxPackets != 100 {
		t.Error("a snapshot changed after it was taken")
	}

	if got := c.Reset(); got != second {
		t.Errorf("Reset returns\n%v\nwant what was there\n%v", got, second)
	}
	if got := c.Snapshot(); got != (Snapshot{}) {
		t.Errorf("after Reset\n%v", got)
	}
	s.Tx(1, 60)
	s.Publish()
	if got, want := c.Snapshot(), (Snapshot{TxPackets: 1, TxBytes: 60}); got != want {
		t.Errorf("after Reset and one more packet\n%v", got)
	}
	if got := c.Reset(); got.TxPackets != 1 || got.RxPackets != 0 {
		t.Errorf("the second Reset returns\n%v", got)
	}
}

// What a worker counted before a Reset and published after it is not lost.
func TestResetKeepsUnpublished(t *testing.T) {
	c := New()
	s := c.NewShard()
	s.Rx(1, 60)
	c.Reset()
	s.Publish()
	if got := c.Snapshot(); got.RxPackets != 1 {
		t.Errorf("got\n%v", got)
	}
}

// However often each side comes in a row, a reader sees the last Publish, and each of the
// three buffers has one owner.
func TestEveryOrderOfPublishAndSnapshot(t *testing.T) {
	const steps = 12
	for order := range 1 << steps {
		c := New()
		s := c.NewShard()
		var published uint64
		for i := range steps {
			if order>>i&1 == 0 {
				s.Rx(1, 0)
				s.Publish()
				published++
			} else if got := c.Snapshot().RxPackets; got != published {
				t.Fatalf("order %#b, step %d: %d, want %d", order, i, got, published)
			}
			if mid := s.mid.Load() &^ fresh; 1<<s.back|1<<mid|1<<s.front != 0b111 {
				t.Fatalf("order %#b, step %d: buffers of worker %d, nobody %d, reader %d", order, i, s.back, mid, s.front)
			}
		}
	}
}

func TestCounterWraps(t *testing.T) {
	c := New()
	a, b := c.NewShard(), c.NewShard()
	a.Rx(math.MaxUint64, math.MaxUint64)
	a.Publish()
	b.Rx(10, 20)
	b.Publish()
	c.Reset() // the baseline is 9 and 19: the sums wrapped
	a.Rx(5, 6)
	a.Publish() // a's own counters wrap
	if got, want := c.Snapshot(), (Snapshot{RxPackets: 5, RxBytes: 6}); got != want {
		t.Errorf("got\n%v", got)
	}

	c = New()
	s := c.NewShard()
	s.Rx(math.MaxUint64-1, 0)
	s.Publish()
	c.Reset()
	s.Rx(4, 0)
	s.Publish() // the sum is 2, the baseline 2^64-2
	if got := c.Snapshot().RxPackets; got != 4 {
		t.Errorf("after a wrap past the baseline: %d, want 4", got)
	}
}

func TestClose(t *testing.T) {
	c := New()
	s, other := c.NewShard(), c.NewShard()
	other.Rx(1, 10)
	other.Publish()
	s.Rx(2, 20)
	s.Publish()
	s.Rx(4, 40) // not published: Close does it
	s.Close()
	want := Snapshot{RxPackets: 7, RxBytes: 70}
	if got := c.Snapshot(); got != want {
		t.Errorf("after Close\n%v", got)
	}
	s.Close()
	if got := c.Snapshot(); got != want {
		t.Errorf("after the second Close\n%v", got)
	}
	if len(c.shards) != 1 || c.shards[0] != other {
		t.Errorf("%d shards left, want the open one", len(c.shards))
	}

	s.Rx(8, 80) // documented as lost
	if !panics(s.Publish) {
		t.Error("Publish after Close does not panic")
	}
	if got := c.Snapshot(); got != want {
		t.Errorf("after use of a closed shard\n%v", got)
	}

	c.Reset()
	other.Close()
	if got := c.Snapshot(); got != (Snapshot{}) {
		t.Errorf("closing after Reset brings back\n%v", got)
	}
}

func TestZeroCounters(t *testing.T) {
	var c Counters
	if got := c.Reset().Add(c.Snapshot()); got != (Snapshot{}) {
		t.Errorf("without a shard\n%v", got)
	}
	s := c.NewShard()
	if got := c.Snapshot(); got != (Snapshot{}) {
		t.Errorf("before the first Publish\n%v", got)
	}
	s.NAT(1, 0)
	s.Close()
	if got := c.Snapshot().NATTranslations; got != 1 {
		t.Errorf("%d translations", got)
	}
}

// A worker that comes and goes must not allocate while it works.
func TestNoAllocations(t *testing.T) {
	c := New()
	s := c.NewShard()
	for name, call := range record {
		if n := testing.AllocsPerRun(100, func() { call.do(s) }); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	for name, f := range map[string]func(){
		"Publish":  s.Publish,
		"Snapshot": func() { s.Publish(); c.Snapshot() },
		"Reset":    func() { c.Reset() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	shards := make([]*Shard, 0, 200)
	for range cap(shards) {
		shards = append(shards, c.NewShard())
	}
	if n := testing.AllocsPerRun(100, func() {
		shards[len(shards)-1].Close()
		shards = shards[:len(shards)-1]
	}); n != 0 {
		t.Errorf("Close allocates %v times", n)
	}
}
