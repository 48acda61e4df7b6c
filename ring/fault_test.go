// Faults that the seed had once or still has. Each body runs on the real ring, which must be free of
// the fault, and on a tiny variant that has it, where it must be found every time: the schedules are
// written out, nothing depends on luck.

package ring

import (
	"fmt"
	"testing"
)

// checkFault runs body on what must be free of the fault and on what must have it.
func checkFault[I any](t *testing.T, body func(I) string, sound map[string]I, faulty I) {
	t.Helper()
	for name, impl := range sound {
		if fault := body(impl); fault != "" {
			t.Errorf("%s: %s", name, fault)
		}
	}
	if fault := body(faulty); fault == "" {
		t.Error("the faulty variant passed: this test finds nothing")
	} else {
		t.Logf("faulty variant: %s", fault)
	}
}

// --- A reader that saw a slot before its writer had finished.

type slowPushQueue interface {
	claim() (finish func(v int)) // the first half of a push, and the second
	TryPush(v int) bool
	TryPop() (int, bool)
}

type slowMPMC struct{ *MPMC[int] }

func (q slowMPMC) claim() func(int) {
	pos, _ := q.MPMC.claim(&q.tail, 1, 1, room)
	return func(v int) {
		(&step{q.MPMC, pos, 1}).put(v)
		q.pushed(1)
	}
}

// publishFirst moves its tail before it writes the slot.
type publishFirst struct {
	slots      [8]int
	head, tail int
}

func (q *publishFirst) claim() func(int) {
	i := q.tail
	q.tail++
	return func(v int) { q.slots[i] = v }
}

func (q *publishFirst) TryPush(v int) bool { q.claim()(v); return true }

func (q *publishFirst) TryPop() (int, bool) {
	if q.head == q.tail {
		return 0, false
	}
	q.head++
	return q.slots[q.head-1], true
}

func TestFaultReaderSeesUnfinishedWrite(t *testing.T) {
	body := func(q slowPushQueue) string {
		finish := q.claim()
		if v, ok := q.TryPop(); ok {
			return fmt.Sprintf("popped %d out of a slot that nobody has written", v)
		}
		q.TryPush(2)
		if v, ok := q.TryPop(); ok {
			return fmt.Sprintf("popped %d past an unfinished push", v)
		}
		finish(1)
		for want := 1; want <= 2; want++ {
			if v, ok := q.TryPop(); !ok || v != want {
				return fmt.Sprintf("popped %d, %v, want %d", v, ok, want)
			}
		}
		if v, ok := q.TryPop(); ok {
			return fmt.Sprintf("popped %d out of an empty ring", v)
		}
		return ""
	}
	checkFault[slowPushQueue](t, body, map[string]slowPushQueue{"MPMC": slowMPMC{newMany[int](4)}}, &publishFirst{})
}

// --- Capacity 1.

type tryQueue interface {
	TryPush(v int) bool
	TryPop() (int, bool)
}

// vyukov is Vyukov's queue as it was published, for one goroutine: the stamp for "holds an item"
// is pos+1, and so is with a capacity of 1 the one for "free again", pos+cap.
type vyukov struct {
	stamps, items []int
	head, tail    int
}

func newVyukov(capacity int) *vyukov {
	q := &vyukov{stamps: make([]int, capacity), items: make([]int, capacity)}
	for i := range q.stamps {
		q.stamps[i] = i
	}
	return q
}

func (q *vyukov) TryPush(v int) bool {
	i := q.tail % len(q.items)
	if q.stamps[i] != q.tail {
		return false
	}
	q.items[i] = v
	q.stamps[i] = q.tail + 1
	q.tail++
	return true
}

func (q *vyukov) TryPop() (int, bool) {
	i := q.head % len(q.items)
	if q.stamps[i] != q.head+1 {
		return 0, false
	}
	q.stamps[i] = q.head + len(q.items)
	q.head++
	return q.items[i], true
}

func TestFaultCapacityOne(t *testing.T) {
	body := func(q tryQueue) string {
		for lap := range 100 {
			if !q.TryPush(lap) {
				return fmt.Sprintf("lap %d: an empty ring refuses an item", lap)
			}
			if q.TryPush(-1) {
				return fmt.Sprintf("lap %d: took a second item", lap)
			}
			if v, ok := q.TryPop(); !ok || v != lap {
				return fmt.Sprintf("lap %d: popped %d, %v", lap, v, ok)
			}
			if v, ok := q.TryPop(); ok {
				return fmt.Sprintf("lap %d: popped %d out of an empty ring", lap, v)
			}
		}
		return ""
	}
	checkFault[tryQueue](t, body, map[string]tryQueue{"SPSC": newOne[int](1), "MPMC": newMany[int](1)}, newVyukov(1))
}

// --- A length read as two loads.

// A twoLoads makes a length out of two positions that were loaded at different moments.
type twoLoads struct {
	queue  queue[int]
	load   func() (head, tail uint64)
	length func(head, tail uint64) uint64
}

func spscLoads() twoLoads {
	q := newOne[int](3)
	s := q.p.s
	return twoLoads{
		queue:  q,
		load:   func() (uint64, uint64) { return s.head.Load(), s.tail.Load() },
		length: func(head, tail uint64) uint64 { return uint64(s.length(head, tail)) },
	}
}

func mpmcLoads() twoLoads {
	r := newMany[int](3)
	return twoLoads{
		queue:  r,
		load:   func() (uint64, uint64) { return r.head.claimed.Load(), r.tail.claimed.Load() },
		length: func(head, tail uint64) uint64 { return uint64(r.length(head, tail)) },
	}
}

func TestFaultLengthOfTwoLoads(t *testing.T) {
	body := func(l twoLoads) string {
		// The moments: after each of these steps all positions are loaded, and then every head is paired
		// with every tail, as a goroutine sees them that stood still between its two loads.
		var heads, tails []uint64
		for range 4 {
			for range 3 {
				l.queue.TryPush(1)
				head, tail := l.load()
				heads, tails = append(heads, head), append(tails, tail)
			}
			for range 3 {
				l.queue.TryPop()
				head, tail := l.load()
				heads, tails = append(heads, head), append(tails, tail)
			}
		}
		for i, head := range heads {
			for j, tail := range tails {
				if n := l.length(head, tail); n > 3 {
					return fmt.Sprintf("head of moment %d, tail of moment %d: length %d of 3", i, j, n)
				}
			}
			// Both of one moment: exact.
			if n, want := l.length(head, tails[i]), uint64([]int{1, 2, 3, 2, 1, 0}[i%6]); n != want {
				return fmt.Sprintf("moment %d: length %d, want %d", i, n, want)
			}
		}
		return ""
	}
	subtract := spscLoads()
	subtract.length = func(head, tail uint64) uint64 { return tail - head }
	checkFault[twoLoads](t, body, map[string]twoLoads{"SPSC": spscLoads(), "MPMC": mpmcLoads()}, subtract)

	// The other half of the fault: a tail of the past, so that the difference is below zero.
	below := func(l twoLoads) string {
		_, tail := l.load()
		for range 10 {
			l.queue.TryPush(1)
			l.queue.TryPop()
		}
		head, _ := l.load()
		if n := l.length(head, tail); n > 3 {
			return fmt.Sprintf("length %d of 3", n)
		}
		return ""
	}
	subtract = spscLoads()
	subtract.length = func(head, tail uint64) uint64 { return tail - head }
	checkFault[twoLoads](t, below, map[string]twoLoads{"SPSC": spscLoads(), "MPMC": mpmcLoads()}, subtract)
}

// --- A batch larger than 64 that panics.

type batchQueue interface {
	PushBurst([]int) int
	PushBulk([]int) bool
	PopBurst([]int) int
	PopBulk([]int) bool
}

// scratch64 moves bursts through an array of 64 items.
type scratch64 struct{ oneQueue[int] }

func (q scratch64) PushBurst(vs []int) int {
	var scratch [64]int
	//lint:ignore S1001 copy would hide the fault that this variant is here for
	for i, v := range vs {
		scratch[i] = v
	}
	return q.oneQueue.PushBurst(scratch[:len(vs)])
}

func TestFaultBatchOver64(t *testing.T) {
	body := func(q batchQueue) (fault string) {
		defer func() {
			if r := recover(); r != nil {
				fault = fmt.Sprint("panic: ", r)
			}
		}()
		for _, n := range []int{64, 65, 1000} {
			vs, dst := make([]int, n), make([]int, n)
			for i := range vs {
				vs[i] = n + i
			}
			for _, bulk := range []bool{false, true} {
				if bulk {
					if !q.PushBulk(vs) || !q.PopBulk(dst) {
						return fmt.Sprintf("a bulk of %d did not go through", n)
					}
				} else if pushed := q.PushBurst(vs); pushed != n {
					return fmt.Sprintf("pushed %d of %d", pushed, n)
				} else if popped := q.PopBurst(dst); popped != n {
					return fmt.Sprintf("popped %d of %d", popped, n)
				}
				for i, v := range dst {
					if v != vs[i] {
						return fmt.Sprintf("item %d of %d is %d, want %d", i, n, v, vs[i])
					}
				}
				clear(dst)
			}
		}
		return ""
	}
	checkFault[batchQueue](t, body, map[string]batchQueue{"SPSC": newOne[int](1000), "MPMC": newMany[int](1000)}, scratch64{newOne[int](1000)})
}
