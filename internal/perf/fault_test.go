// Faults are planted, and the drivers have to find each.

package perf

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// impatient makes runs that do not end fail soon.
func impatient(t *testing.T) {
	was := patience
	patience = 100 * time.Millisecond
	t.Cleanup(func() { patience = was })
}

// spoiler changes the items that go into a queue.
type spoiler struct {
	BurstPusher[uint64]
	spoil func(vs []uint64) []uint64
}

func (s spoiler) PushBurst(vs []uint64) int {
	spoiled := s.spoil(slices.Clone(vs))
	for len(spoiled) > 0 {
		spoiled = spoiled[s.BurstPusher.PushBurst(spoiled):]
	}
	return len(vs)
}

// replaced returns what puts v in place of each item that is was.
func replaced(was, v uint64) func([]uint64) []uint64 {
	return func(vs []uint64) []uint64 {
		for i := range vs {
			if vs[i] == was {
				vs[i] = v
			}
		}
		return vs
	}
}

var spoilers = []struct {
	name, says string
	spoil      func([]uint64) []uint64
}{
	{"none", "", func(vs []uint64) []uint64 { return vs }},
	{"corrupt", "the payload is wrong", replaced(777, 778+1<<40)},
	{"one lost and another doubled", "the payload is wrong", replaced(777, 778)},
	{"doubled", "the payload is wrong", func(vs []uint64) []uint64 { // the last one is left in the queue
		if vs[0] == 1 {
			return append(vs, vs[0])
		}
		return vs
	}},
	{"lost", "an item was lost", func(vs []uint64) []uint64 {
		if vs[0] == 1 {
			return vs[1:]
		}
		return vs
	}},
}

func TestTransferFindsFaults(t *testing.T) {
	impatient(t)
	for _, s := range spoilers {
		for _, crowd := range Crowds[:2] {
			w := Transfer("work", "impl", crowd, crowd, func() Queue {
				r := newMPMC(capacity)
				return Bursts[uint64](64, spoiler{r, s.spoil}, r)
			})
			_, err := w.Run(2000)
			expect(t, s.name+Crowd(crowd), err, s.says)
		}
	}
}

// expect checks that err says what it should, or is nil if that is nothing.
func expect(t *testing.T, what string, err error, says string) {
	t.Helper()
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("%s: the error is %v, want %q", what, err, says)
	}
}

func TestSinglesFindFaults(t *testing.T) {
	impatient(t)
	for _, says := range []string{"", "the payload is wrong"} {
		q := spscSingle[Pair]()
		pop := q.Pop
		q.Pop = func(w *Wait, n int) (uint64, error) {
			sum, err := pop(w, n)
			if says != "" {
				sum += 5
			}
			return sum, err
		}
		_, err := Transfer("work", "impl", 1, 1, func() Queue { return q }).Run(1000)
		expect(t, "a wrong sum", err, says)
	}
	_, err := Transfer("work", "impl", 1, 1, func() Queue {
		q := mpmcSingle(capacity)()
		push := q.Push
		q.Push = func(w *Wait, first, n int) error { return push(w, first, n-1) }
		return q
	}).Run(1000)
	expect(t, "the last one not pushed", err, "an item was lost")
}

// An item of more than a word whose ends differ is another number.
func TestItemEnds(t *testing.T) {
	var v [4]uint64
	Write(&v, 7)
	if got := Read(&v); got != 7 || v[0] != 7 || v[3] != 7 {
		t.Errorf("%d, %v", got, v)
	}
	if v[3] = 8; Read(&v) == 7 {
		t.Error("a torn item is read as if it were whole")
	}
	var w uint64
	if Write(&w, 9); Read(&w) != 9 {
		t.Error(w)
	}
}

// Of calls that sleep for ever no run waits for the end.
func TestTimedFindsFaults(t *testing.T) {
	impatient(t)
	for _, c := range []struct {
		says  string
		spoil func(v uint64) uint64
		loses bool
	}{
		{"", func(v uint64) uint64 { return v }, false},
		{"the payload is wrong", func(v uint64) uint64 { return v | 1 }, false},
		{"an item was lost", func(v uint64) uint64 { return v }, true},
	} {
		_, err := Timed("work", "impl", 1, 1, func() Queue {
			ch := make(chan uint64, 10)
			return Queue{
				Push: func(_ *Wait, first, n int) error {
					for i := range n {
						if v := uint64(first + i); v != 5 || !c.loses {
							ch <- c.spoil(v)
						}
					}
					return nil
				},
				Pop: func(_ *Wait, n int) (sum uint64, err error) {
					for range n {
						sum += <-ch
					}
					return sum, nil
				},
			}
		}).Run(100)
		expect(t, "timed", err, c.says)
	}
}

func TestPingPongFindsFaults(t *testing.T) {
	_, err := PingPong("work", "impl", false, func() Link {
		p, c := newSPSC[uint64](capacity)
		return Link{
			Send: func(_ *Wait, v uint64) error { p.TryPush(v); return nil },
			Receive: func(w *Wait) (uint64, error) {
				v, err := Pop(w, c.TryPop)
				return v + v/50, err
			},
		}
	}).Run(100)
	expect(t, "pingpong", err, "the payload is wrong")
}

func TestHandoffFindsFaults(t *testing.T) {
	_, err := Handoff("work", "impl", func() Handover {
		h := handoffBursts()
		receive := h.Receive
		h.Receive = func(w *Wait, n int) (int, error) {
			bytes, err := receive(w, n)
			return bytes - 64, err
		}
		return h
	}).Run(1000)
	expect(t, "handoff", err, "the payload is wrong")
}

// A buffer that is not given back is found.
func TestLeakIsFound(t *testing.T) {
	_, err := Alone("work", "impl", func() (func(n int) error, func() error) {
		c, end := openCache()
		return func(int) error { _, err := c.Get(); return err }, end
	}).Run(1)
	expect(t, "leak", err, "1 buffer")
}

func TestFrameFindsFaults(t *testing.T) {
	for _, w := range FrameWorks("impl", func() (FrameLoop, func() error) {
		return func(frame []byte, n int) (int, error) { return n, nil }, nothing
	}) {
		_, err := w.Run(1000)
		expect(t, w.Name, err, "the payload is wrong")
	}
}

func TestCountersFindFaults(t *testing.T) {
	for _, w := range CounterWorks("impl", func() Counter {
		return Counter{
			Bursts:  func(int) {},
			Singles: func(int) {},
			Read:    func() (uint64, uint64) { return 999, 999 * 64 },
		}
	}) {
		_, err := w.Run(1000)
		expect(t, w.Name, err, "the counters are wrong")
	}
}

// source hands out numbers for buffers.
type source struct{}

func (source) Get() (int, error)  { return 1, nil }
func (source) Put(int)            {}
func (source) GetBulk([]int) bool { return true }
func (source) PutBurst([]int)     {}

// Buffers that are others on the other side are found.
func TestCrossFindsFaults(t *testing.T) {
	looks := 0
	_, err := Cross("work", "impl", 1, func() (a, b BufferSource[int], end func() error) {
		return source{}, source{}, nothing
	}, func(b int) int { looks++; return looks }).Run(1)
	expect(t, "cross", err, "the payload is wrong")
}

// The error of one side ends the others, and is the one that is reported.
func TestRunReportsTheFirstError(t *testing.T) {
	first := errors.New("the first")
	_, err := Crew{Sides: []Side{
		func(w *Wait) error { return w.Until(func() bool { return false }) },
		func(*Wait) error { return first },
	}}.Run()
	if err != first {
		t.Errorf("the error is %v, want %v", err, first)
	}
}
