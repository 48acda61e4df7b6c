// Plain accesses: checked for happens-before, and no steps of the schedule. That is enough, since a
// race-free program can't tell when they are done, and one with a race is reported.

package interleave

import (
	"fmt"
	"unsafe"
)

// shadow is what is known of a plain location.
type shadow struct {
	writer int8   // who wrote it last, or -1
	write  uint32 // when: after so many publications of his
	wrote  place
	reads  clock // when each thread has read it since
	read   [MaxThreads]place
}

// Read says that the calling thread reads *p by a plain access, and Write that it writes it.
// Two accesses by two threads, one of them a Write, between which there is no happens-before are a data
// race. p is the location's name: *p as a whole, not a part of it.
func Read[T any](p *T) { access(unsafe.Pointer(p), unsafe.Sizeof(*p), false) }

// Write is Read's counterpart.
func Write[T any](p *T) { access(unsafe.Pointer(p), unsafe.Sizeof(*p), true) }

// ReadAll and WriteAll are Read and Write for each element of s.
func ReadAll[T any](s []T) {
	for i := range s {
		Read(&s[i])
	}
}

// WriteAll is ReadAll's counterpart.
func WriteAll[T any](s []T) {
	for i := range s {
		Write(&s[i])
	}
}

func access(p unsafe.Pointer, size uintptr, writes bool) {
	e := current.Load()
	if e == nil || e.cur == nil || e.aborting || size == 0 {
		return
	}
	t := e.cur
	s := e.plain[p]
	if s == nil {
		s = &shadow{writer: -1}
		e.plain[p] = s
	}
	what := "reads"
	if writes {
		what = "writes"
	}
	var at place
	if e.traced {
		at = here()
	}
	if s.writer >= 0 && s.writer != t.id && s.write > t.sync[s.writer] {
		e.race(s.writer, "wrote", s.wrote, what, at)
	}
	if writes {
		for r, n := range s.reads {
			if int8(r) != t.id && n > t.sync[r] {
				e.race(int8(r), "read", s.read[r], what, at)
			}
		}
		s.writer, s.write, s.wrote = t.id, t.sync[t.id]+1, at
		s.reads = clock{}
		return
	}
	s.reads[t.id], s.read[t.id] = t.sync[t.id]+1, at
}

// race fails: the current thread does now, at a place, what another one did before.
func (e *execution) race(other int8, did string, before place, does string, now place) {
	if e.traced {
		e.detail = fmt.Sprintf("\n%v and %v", now, before)
	}
	e.fail("data race: %s %s what %s %s, with nothing to order the two", e.cur.name, does, e.threads[other].name, did)
}
