// Misuse that the other tests don't have: ends that nobody made, and calls that take out more than was looked at.

package ring

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// dereferencesNil fails unless f panics with Go's own words about a nil pointer.
func dereferencesNil(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		r := recover()
		if err, ok := r.(runtime.Error); !ok || err.Error() != "runtime error: invalid memory address or nil pointer dereference" {
			t.Errorf("panic %v, want a nil dereference", r)
		}
	}()
	f()
}

// A nil or zero end, as one has whose constructor's error was ignored, does nothing quietly and waits for nobody.
func TestEndThatNobodyMade(t *testing.T) {
	testkit.Watchdog(t)
	var none Producer[int]
	for what, p := range map[string]*Producer[int]{"nil": nil, "zero": &none} {
		for call, f := range map[string]func(){
			"TryPush":     func() { p.TryPush(1) },
			"PushBurst":   func() { p.PushBurst([]int{1}) },
			"PushBulk":    func() { p.PushBulk([]int{1}) },
			"Reserve":     func() { p.Reserve(1) },
			"Push":        func() { p.Push(t.Context(), 1) },
			"ReserveWait": func() { p.ReserveWait(t.Context(), 1) },
			"Close":       func() { p.Close() },
			"Closed":      func() { p.Closed() },
			"Len":         func() { p.Len() },
			"Free":        func() { p.Free() },
			"Cap":         func() { p.Cap() },
		} {
			t.Run(what+" Producer/"+call, func(t *testing.T) { dereferencesNil(t, f) })
		}
	}
	expectPanic(t, "ring: Commit(1) with 0 slots reserved", func() { none.Commit(1) })

	var nobody Consumer[int]
	for what, c := range map[string]*Consumer[int]{"nil": nil, "zero": &nobody} {
		for call, f := range map[string]func(){
			"TryPop":   func() { c.TryPop() },
			"PopBurst": func() { c.PopBurst(make([]int, 1)) },
			"PopBulk":  func() { c.PopBulk(make([]int, 1)) },
			"Peek":     func() { c.Peek(1) },
			"Clear":    func() { c.Clear() },
			"Pop":      func() { c.Pop(t.Context()) },
			"PeekWait": func() { c.PeekWait(t.Context(), 1) },
			"All": func() {
				for range c.All() {
				}
			},
			"Close":  func() { c.Close() },
			"Closed": func() { c.Closed() },
			"Len":    func() { c.Len() },
			"Free":   func() { c.Free() },
			"Cap":    func() { c.Cap() },
		} {
			t.Run(what+" Consumer/"+call, func(t *testing.T) { dereferencesNil(t, f) })
		}
	}
	expectPanic(t, "ring: Advance(1) with 0 items seen", func() { nobody.Advance(1) })

	var nilRing *MPMC[int]
	for call, f := range map[string]func(r *MPMC[int]){
		"TryPush": func(r *MPMC[int]) { r.TryPush(1) },
		"TryPop":  func(r *MPMC[int]) { r.TryPop() },
		"Push":    func(r *MPMC[int]) { r.Push(t.Context(), 1) },
		"Pop":     func(r *MPMC[int]) { r.Pop(t.Context()) },
		"Close":   (*MPMC[int]).Close,
		"Len":     func(r *MPMC[int]) { r.Len() },
	} {
		t.Run("nil MPMC/"+call, func(t *testing.T) { dereferencesNil(t, func() { f(nilRing) }) })
	}
}

// The zero MPMC is a ring of no slots, but nobody waits for one of them.
func TestZeroMPMC(t *testing.T) {
	testkit.Watchdog(t)
	var r MPMC[int]
	for _, state := range []string{"open", "closed"} {
		_, popped := r.TryPop()
		if r.TryPush(1) || r.PushBurst([]int{1}) != 0 || r.PushBulk([]int{1}) || r.PushEvict(1, func(int) {}) ||
			popped || r.PopBurst(make([]int, 1)) != 0 || r.PopBulk(make([]int, 1)) || r.Len() != 0 || r.Free() != 0 || r.Cap() != 0 {
			t.Errorf("%s: something goes into the zero MPMC, or comes out", state)
		}
		const want = "on the zero MPMC, which has 0 slots"
		expectPanic(t, want, func() { r.Push(t.Context(), 1) })
		expectPanic(t, want, func() { r.Pop(t.Context()) })
		r.Close()
	}
}

// Peek says what is there, Advance goes by what the consumer knows to be there: that can be more than Peek was
// asked for, and is never more than was pushed.
func TestAdvanceBeyondPeek(t *testing.T) {
	for _, c := range []struct {
		what  string
		look  func(c *Consumer[int])
		n     int
		panic string
		next  int // the item that is the oldest then
	}{
		{"what Peek returned", func(c *Consumer[int]) { c.Peek(2) }, 2, "", 3},
		{"more than Peek returned: what was seen is dropped", func(c *Consumer[int]) { c.Peek(1) }, 3, "", 4},
		{"more than there are", func(c *Consumer[int]) { c.Peek(9) }, 6, "ring: Advance(6) with 5 items seen", 1},
		{"nothing was looked at", func(*Consumer[int]) {}, 1, "ring: Advance(1) with 0 items seen", 1},
		{"popped and advanced both: the next ones go", func(c *Consumer[int]) { c.Peek(2); c.TryPop() }, 2, "", 4},
		{"popped and advanced both, more than are left", func(c *Consumer[int]) { c.Peek(5); c.PopBurst(make([]int, 4)) }, 5, "ring: Advance(5) with 1 items seen", 5},
		{"twice", func(c *Consumer[int]) { c.Peek(5); c.Advance(3) }, 3, "ring: Advance(3) with 2 items seen", 4},
	} {
		t.Run(c.what, func(t *testing.T) {
			p, end, _ := NewSPSC[int](8)
			p.PushBurst([]int{1, 2, 3, 4, 5})
			c.look(end)
			if c.panic == "" {
				end.Advance(c.n)
			} else {
				expectPanic(t, c.panic, func() { end.Advance(c.n) })
			}
			if v, ok := end.TryPop(); !ok || v != c.next {
				t.Errorf("the oldest is %d, %v, want %d", v, ok, c.next)
			}
		})
	}
}

// Slots belong to the reservation until it ends, by whatever call, and then to nobody who may write to them: what is
// written then shows in an item, if it comes before that is popped.
func TestSlotWrittenAfterCommit(t *testing.T) {
	p, c, _ := NewSPSC[int](4)
	a, _ := p.Reserve(1)
	a[0] = 1
	p.Commit(1)
	a[0] = 2 // one goroutine, so no race: this is what one gets
	if v, _ := c.TryPop(); v != 2 {
		t.Errorf("popped %d", v)
	}
}

// A nil function for what is evicted is found when there is something for it, as with any nil function.
func TestPushEvictNil(t *testing.T) {
	r := newMany[int](1)
	if !r.PushEvict(1, nil) {
		t.Error("refused with room")
	}
	func() {
		defer func() {
			if text := fmt.Sprint(recover()); !strings.Contains(text, "PushEvict into a full ring without a function") {
				t.Errorf("panic: %s", text)
			}
		}()
		r.PushEvict(2, nil)
	}()
	if v, ok := r.TryPop(); !ok || v != 1 {
		t.Errorf("the item that had to go is lost: %d, %v", v, ok)
	}
}
