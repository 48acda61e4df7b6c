// The table of interfaces on which frames were captured.

package port

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Interface is where frames were captured: what a capture file says about it, so that another
// one can say the same.
type Interface struct {
	Source      string // the name of the port that the frames came in by
	Name        string
	Description string
	// LinkType is the link type in the low 16 bits; the bits above are those of a
	// classic capture's header (bit 26 and the top four: the length of the frame check
	// sequence at the end of each frame, in 16-bit words).
	LinkType uint32
	SnapLen  uint32 // the longest capture of a frame; 0 is no limit
	// Resolution is the unit of the source's timestamps, as if_tsresol of pcapng has
	// it: n for 10^-n seconds, 0x80|n for 2^-n.
	Resolution uint8
	// TSOffset is what the source's timestamps have to be added, in seconds;
	// Meta.Time has it added.
	TSOffset int64
}

// Link returns the link type alone.
func (i Interface) Link() uint16 { return uint16(i.LinkType) }

// MaxInterfaces is how many interfaces a table holds.
const MaxInterfaces = 1 << 16

// ErrTooManyInterfaces says that a table of interfaces is full.
var ErrTooManyInterfaces = errors.New("more than 65536 interfaces")

// Interfaces is a table of interfaces, which only grows. pool.Meta's Interface is a
// number in it, from 1 on. The zero table is empty and ready; any goroutine
// may use it.
type Interfaces struct {
	mu    sync.Mutex
	table atomic.Pointer[[]Interface] // replaced, never changed: readers take no lock
}

// Add puts i into the table and returns its number.
func (t *Interfaces) Add(i Interface) (uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.All()
	if len(old) == MaxInterfaces {
		return 0, ErrTooManyInterfaces
	}
	// Appending in place is safe for readers: they see the length that they loaded.
	grown := append(old, i)
	t.table.Store(&grown)
	return uint32(len(grown)), nil
}

// Get returns interface number n, and false if there is none, as for 0.
func (t *Interfaces) Get(n uint32) (Interface, bool) {
	all := t.All()
	if n == 0 || uint64(n) > uint64(len(all)) {
		return Interface{}, false
	}
	return all[n-1], true
}

// All returns all interfaces, number 1 first. What it returns is never changed, and must
// not be by the caller.
func (t *Interfaces) All() []Interface {
	if p := t.table.Load(); p != nil {
		return *p
	}
	return nil
}
