// A stack of small numbers that any goroutine may push to and pop from.

package pool

import "github.com/ringway-net/ringway/internal/atomic"

// stack is Treiber's (Systems Programming: Coping with Parallelism, IBM RJ 5118, 1986),
// with links beside the elements instead of in them and a tag against ABA: a pop that
// was overtaken by pops and pushes which left the same number on top finds another tag, and
// does not put a stale link on top. 40 bits of tag wrap after a trillion pops.
//
// The edges:
//
//	S1  push swaps head   after it wrote the link, and whatever it puts away    publishes the element
//	S2  pop loads head    before it reads the link                              sees S1
//
// A pop that loses its race may read the link of an element that somebody else is
// pushing again just then; so links are atomic.
type stack struct {
	head atomic.Uint64   // tag<<24 | number on top + 1; 0 in the lower 24 bits is empty
	next []atomic.Uint32 // per number: the number below + 1, or 0
}

const (
	topBits = 24
	topMask = 1<<topBits - 1
)

func (s *stack) push(i uint32) { s.pushChain(i, i) }

// pushAll pushes all of is with one swap; the first is on top.
func (s *stack) pushAll(is []uint32) {
	if len(is) == 0 {
		return
	}
	for k, i := range is[:len(is)-1] {
		s.next[i].Store(is[k+1] + 1)
	}
	s.pushChain(is[0], is[len(is)-1])
}

// pushChain pushes the elements from first to last, which are linked already.
func (s *stack) pushChain(first, last uint32) {
	for {
		old := s.head.Load()
		s.next[last].Store(uint32(old & topMask))
		if s.head.CompareAndSwap(old, old&^topMask|uint64(first+1)) { // S1
			return
		}
	}
}

// pop takes the number on top off, and returns false if there is none.
func (s *stack) pop() (i uint32, ok bool) {
	for {
		old := s.head.Load() // S2
		if old&topMask == 0 {
			return 0, false
		}
		i, next := s.below(old)
		if s.replace(old, next) {
			return i, true
		}
	}
}

// popAll pops up to len(dst) numbers with one swap, and returns how many there were. Links
// that change while it follows them lead it astray among valid numbers, but then
// something was popped and the swap fails.
func (s *stack) popAll(dst []uint32) int {
	for {
		old := s.head.Load() // S2
		top := uint32(old & topMask)
		n := 0
		for ; n < len(dst) && top != 0; n++ {
			dst[n] = top - 1
			top = s.next[top-1].Load()
		}
		if n == 0 || s.replace(old, top) {
			return n
		}
	}
}

// below returns the number on top of a stack whose head is old, and the link to the one below.
func (s *stack) below(old uint64) (i, next uint32) {
	i = uint32(old&topMask) - 1
	return i, s.next[i].Load()
}

// replace makes next the top, if nothing was popped since head was old.
func (s *stack) replace(old uint64, next uint32) bool {
	return s.head.CompareAndSwap(old, (old>>topBits+1)<<topBits|uint64(next))
}
