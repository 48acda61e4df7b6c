// Track: where buffers were taken and given back.

package pool

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/ringway-net/ringway/internal/atomic"
)

const (
	trackDepth = 12 // call frames kept per place
	trackTold  = 16 // places told in a leak report
)

// tracker remembers one in every many buffers. A nil tracker remembers nothing.
type tracker struct {
	every uint64
	seen  atomic.Uint64

	mu sync.Mutex
	// records has the last two tracked turns of each slot: a buffer that was given back is
	// soon somebody else's, and it is the turn before that a misuse is about.
	records map[uint32]*record
}

type record struct {
	gen          uint32
	takenAt      time.Time
	taken, given place
	before       *record // the slot's tracked turn before this one, or nil
}

type place [trackDepth]uintptr

func newTracker(every int) *tracker {
	if every == 0 {
		return nil
	}
	return &tracker{every: uint64(every), records: map[uint32]*record{}}
}

func here() (pcs place) {
	runtime.Callers(3, pcs[:])
	return pcs
}

// taken notes where b is taken if it is its turn, and says so in the handle.
func (t *tracker) taken(b *Buffer) {
	if t.seen.Add(1)%t.every != 0 {
		return
	}
	b.off |= hintTracked
	r := &record{gen: b.gen, takenAt: time.Now(), taken: here()}
	t.mu.Lock()
	if r.before = t.records[b.slot&slotMask]; r.before != nil {
		r.before.before = nil
	}
	t.records[b.slot&slotMask] = r
	t.mu.Unlock()
}

// given notes where a tracked buffer is given back.
func (t *tracker) given(b Buffer) {
	t.mu.Lock()
	if r := t.records[b.slot&slotMask]; r != nil && r.gen == b.gen {
		r.given = here()
	}
	t.mu.Unlock()
}

// story tells what is known of the turn that b is of.
func (t *tracker) story(b Buffer) string {
	if t == nil {
		return "; set Config.Track to learn where it was taken and given back"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[b.slot&slotMask]
	if r != nil && r.gen != b.gen {
		r = r.before
	}
	if r == nil || r.gen != b.gen {
		if t.every == 1 {
			return "; its slot was taken more than once since, so where it was is forgotten"
		}
		return fmt.Sprintf("; this one was not tracked (Config.Track is one in %d), or its slot was taken more than once since", t.every)
	}
	s := fmt.Sprintf("\n\ttaken %v ago at %v", time.Since(r.takenAt).Round(time.Millisecond), r.taken)
	if r.given != (place{}) {
		s += fmt.Sprintf("\n\tgiven back at %v", r.given)
	}
	return s
}

// out calls f for every tracked buffer that was not given back.
func (t *tracker) out(f func(slot uint32, r *record)) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for slot, r := range t.records {
		if r.given == (place{}) {
			f(slot, r)
		}
	}
}

// leaks tells which tracked buffers are out, by the place where they were taken, the most
// frequent first.
func (t *tracker) leaks() []string {
	count := map[place]int{}
	t.out(func(_ uint32, r *record) { count[r.taken]++ })
	places := make([]place, 0, len(count))
	for p := range count {
		places = append(places, p)
	}
	sort.Slice(places, func(i, j int) bool {
		a, b := places[i], places[j]
		return count[a] > count[b] || count[a] == count[b] && a.String() < b.String()
	})
	var told []string
	for i, p := range places {
		if i == trackTold {
			told = append(told, fmt.Sprintf("and %d more places", len(places)-i))
			break
		}
		told = append(told, fmt.Sprintf("%d taken at %v", count[p], p))
	}
	return told
}

// oldest returns how long the oldest tracked buffer has been out and where it was
// taken, or 0.
func (t *tracker) oldest() (age time.Duration, where string) {
	var first *record
	t.out(func(_ uint32, r *record) {
		if first == nil || r.takenAt.Before(first.takenAt) {
			first = r
		}
	})
	if first == nil {
		return 0, ""
	}
	return time.Since(first.takenAt), first.taken.String()
}

// String lists the callers outside of this package and what it waits with, innermost first.
func (p place) String() string {
	var s []string
	frames := runtime.CallersFrames(p[:])
	for {
		f, more := frames.Next()
		if f.PC != 0 && !strings.HasPrefix(f.Function, "runtime.") && !inside(f) {
			s = append(s, fmt.Sprintf("%s:%d", f.File, f.Line))
		}
		if !more {
			return strings.Join(s, " < ")
		}
	}
}

// inside reports whether f is a function of this package, its tests not counted, or of package park.
func inside(f runtime.Frame) bool {
	const module = "github.com/ringway-net/ringway/"
	return strings.HasPrefix(f.Function, module+"pool.") && !strings.HasSuffix(f.File, "_test.go") ||
		strings.HasPrefix(f.Function, module+"internal/park.")
}
