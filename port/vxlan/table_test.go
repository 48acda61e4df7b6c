//go:build unix

package vxlan

import (
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
)

// The table is bounded, forgets, and follows what moves; what it says of an address is what it was told last.
func TestTable(t *testing.T) {
	random := testkit.Rand(t)
	tab := newTable(time.Second)
	model := map[uint64]entry{}
	at := int64(1)
	wrong, missing := 0, 0
	for range 200000 {
		at += random.Int64N(int64(time.Millisecond))
		m := uint64(random.IntN(3000))*0x9e3779b97f4a7c15&^(1<<56)&^0xffff | 1<<57
		if random.IntN(2) == 0 {
			peer := random.IntN(5)
			tab.learn(m, peer, at)
			model[m] = entry{peer: int32(peer), seen: at}
			continue
		}
		want, known := model[m]
		known = known && at-want.seen <= int64(time.Second)
		got, ok := tab.peer(m, at)
		switch {
		case ok && (!known || got != int(want.peer)):
			wrong++
		case known && !ok:
			missing++ // pushed out of its set
		}
	}
	if wrong > 0 {
		t.Errorf("%d wrong answers", wrong)
	}
	if missing > 100 {
		t.Errorf("3000 addresses in room for %d, and %d times one was not found", tableSize, missing)
	}
	tab.learn(0, 1, at)
	tab.learn(1<<56, 1, at)
	for _, m := range []uint64{0, 1 << 56} {
		if _, ok := tab.peer(m, at); ok {
			t.Errorf("%012x was learnt", m>>16)
		}
	}
	// Addresses without end: what was seen last is there.
	for i := range uint64(200000) {
		at++
		tab.learn(i<<16|1<<57, int(i%7), at)
		if got, ok := tab.peer(i<<16|1<<57, at); !ok || got != int(i%7) {
			t.Fatalf("address %d, just learnt behind %d: %d, %v", i, i%7, got, ok)
		}
	}
}
