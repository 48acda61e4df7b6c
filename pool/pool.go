// Pool: making one, taking buffers from it, giving them back, closing it.

package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/ringway-net/ringway/cpu"
	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/park"
	"github.com/ringway-net/ringway/internal/sync"
)

var (
	// ErrExhausted says that all buffers are out, or idle in Caches; or that the last ones are for this
	// moment in the hands of another get, which splits a magazine of 64 or
	// takes many and gives them back since it wanted more.
	ErrExhausted = errors.New("pool: exhausted")
	// ErrTooLarge says that data is longer than MaxFrame, or than a buffer has
	// room for where the heap can't help.
	ErrTooLarge = errors.New("pool: data too large for a buffer")
	// ErrClosed says that the pool was closed.
	ErrClosed = errors.New("pool: closed")
	// ErrTooManyPools says that 255 pools are open, which is what a handle can tell apart. A closed
	// one counts until its last buffer has come back.
	ErrTooManyPools = errors.New("pool: 255 pools are open, there can be no more")
)

// Pool is a fixed number of buffers. All its methods may be called from any
// goroutine. A worker that moves many buffers is quicker with a Cache.
//
// It comes from New and must not be copied, which go vet reports. The zero Pool panics when it is
// asked for a buffer or a Cache, or closed; a nil one is a nil dereference.
type Pool struct {
	// Written by New alone.
	config   Config
	id       uint32 // in the place that it has in a handle
	stride   uintptr
	headroom uint32 // where a new frame begins, from the slot's start
	room     uint32 // bytes of a slot: headroom and BufferSize
	count    uint32 // slots below it are in the region, the others on the heap
	base     unsafe.Pointer
	region   region
	slots    []slotState // Count of them, then HeapBuffers
	meta     []Meta      // likewise
	offload  []Offload   // likewise
	heap     heap
	track    *tracker // nil without Config.Track

	depot depot

	_ cpu.Pad
	// out is how many slots of the region are not in the depot. A get adds before it looks
	// whether the pool is closed, Close says so before it looks at out: one of
	// them sees the other, so that the region is not unmapped under a buffer.
	out       atomic.Int64
	_         cpu.Pad
	highWater atomic.Int64 // the most that out ever was
	failed    atomic.Uint64
	fallbacks atomic.Uint64
	closed    atomic.Bool
	returned  park.List // those who wait for a slot of the region, or of the heap
	_         cpu.Pad
	lent      atomic.Int64 // buffers that devices have, a shared one as often as it was lent
	_         cpu.Pad

	mu     sync.Mutex
	caches map[*Cache]struct{}
	unmap  sync.Once

	firstGen uint32 // handles with generations before it are of an earlier pool with this id
}

// New makes a pool. The region is mapped but, unless Config.Prefault is set, no memory is used
// before buffers are. The error wraps ErrConfig and names the field if c is bad,
// is ErrTooManyPools, or says why the system gave no memory.
func New(c Config) (*Pool, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	r, err := newRegion(c.Count*c.stride(), c.HugePages, c.Prefault)
	if err != nil {
		return nil, fmt.Errorf("pool: no memory for %d buffers: %w", c.Count, err)
	}
	total := c.Count + c.HeapBuffers
	p := &Pool{
		config:   c,
		stride:   uintptr(c.stride()),
		headroom: uint32(c.Headroom),
		room:     uint32(c.Headroom + c.BufferSize),
		count:    uint32(c.Count),
		region:   r,
		base:     unsafe.Pointer(unsafe.SliceData(r.mem)),
		slots:    make([]slotState, total),
		meta:     make([]Meta, total),
		offload:  make([]Offload, total),
		track:    newTracker(c.Track),
		caches:   map[*Cache]struct{}{},
	}
	next := make([]atomic.Uint32, total)
	p.depot.init(0, uint32(c.Count), next)
	p.heap.init(uint32(c.Count), uint32(c.HeapBuffers), next)
	if err := register(p); err != nil {
		return nil, errors.Join(err, r.unmap())
	}
	return p, nil
}

// Name returns the pool's name.
func (p *Pool) Name() string { return p.config.Name }

// BufferSize returns the room for a frame in bytes, behind the headroom.
func (p *Pool) BufferSize() int { return p.config.BufferSize }

// Count returns the number of buffers in the region.
func (p *Pool) Count() int { return p.config.Count }

// Get takes a buffer: empty, with the configured headroom in front of it. The error is
// ErrExhausted or ErrClosed.
func (p *Pool) Get() (Buffer, error) {
	b, ok := p.take()
	if !ok {
		return Buffer{}, p.empty()
	}
	return b, nil
}

// take takes one buffer, if there is one.
func (p *Pool) take() (b Buffer, ok bool) {
	var one [1]uint32
	if p.withdraw(one[:]) == 0 {
		return Buffer{}, false
	}
	return p.lend(one[0]), true
}

// empty counts a get that found nothing and returns why.
func (p *Pool) empty() error {
	if p.closed.Load() {
		return ErrClosed
	}
	return p.counted(ErrExhausted)
}

// counted counts err if it is ErrExhausted, and returns it.
func (p *Pool) counted(err error) error {
	if err == ErrExhausted {
		p.failed.Add(1)
	}
	return err
}

// GetBurst takes up to len(dst) buffers and returns how many there were.
func (p *Pool) GetBurst(dst []Buffer) int {
	var slots [magazineSize]uint32
	for n := 0; n < len(dst); {
		want := min(len(dst)-n, magazineSize)
		got := p.withdraw(slots[:want])
		p.lendAll(dst[n:], slots[:got])
		n += got
		if got < want {
			return n
		}
	}
	return len(dst)
}

// GetBulk takes len(dst) buffers, or none and returns false. Two that run at the same time may
// both find too few, since each may hold what the other lacks.
func (p *Pool) GetBulk(dst []Buffer) bool {
	n := p.GetBurst(dst)
	if n < len(dst) {
		p.PutBurst(dst[:n])
		clear(dst[:n])
		p.empty()
		return false
	}
	return true
}

// GetContext is Get that waits while the pool is exhausted. The error is ErrClosed, or
// ctx.Err() once ctx is done. Buffers that lie idle in Caches can't be waited for
// before their workers put one back: see Cache. A nil ctx is a nil dereference where it has to wait.
func (p *Pool) GetContext(ctx context.Context) (b Buffer, err error) {
	waitErr := p.returned.Wait(ctx, func() bool {
		var ok bool
		if b, ok = p.take(); ok {
			return true
		}
		if p.closed.Load() {
			err = ErrClosed
		}
		return err != nil
	})
	if waitErr != nil {
		return Buffer{}, waitErr
	}
	return b, err
}

// PutBurst releases all of bs, which are this pool's: it is Release for many.
// It panics if one of them is not live or another pool's; those before it are
// released then.
func (p *Pool) PutBurst(bs []Buffer) {
	var slots [magazineSize]uint32
	for len(bs) > 0 {
		n := min(len(bs), magazineSize)
		p.deposit(p.reclaimAll(bs[:n], slots[:0]))
		bs = bs[n:]
	}
}

// ReleaseBurst releases all of bs, of whatever pools they are, neighbours of one pool
// together. It panics if one of them is not live; those before it are released then.
func ReleaseBurst(bs []Buffer) {
	for len(bs) > 0 {
		p, n := bs[0].Pool(), 1
		for n < len(bs) && bs[n].slot>>slotBits == p.id>>slotBits {
			n++
		}
		p.PutBurst(bs[:n])
		bs = bs[n:]
	}
}

// withdraw gets free slots from the depot and counts them as out. Whoever waits and
// missed slots that the depot's get held for a moment is woken.
func (p *Pool) withdraw(slots []uint32) int {
	want := int64(len(slots))
	out := p.out.Add(want)
	if p.closed.Load() {
		p.back(want)
		return 0
	}
	got, spilled := p.depot.get(slots)
	if spilled {
		p.returned.WakeAll()
	}
	if miss := want - int64(got); miss > 0 {
		out = p.out.Add(-miss)
		p.made()
	}
	for high := p.highWater.Load(); out > high && !p.highWater.CompareAndSwap(high, out); {
		high = p.highWater.Load()
	}
	return got
}

// made panics if p is the zero Pool, in calls that are rare or have found nothing.
func (p *Pool) made() {
	if p.slots == nil {
		panic("pool: use of the zero Pool: make one with New")
	}
}

// deposit puts free slots into the depot.
func (p *Pool) deposit(slots []uint32) {
	if len(slots) == 0 {
		return
	}
	p.depot.put(slots)
	p.back(int64(len(slots)))
	p.returned.WakeAll() // all, since what comes back may not suit everyone: see afterHeap
}

// back counts n slots as not out any more, and unmaps the region if they were the last of a
// closed pool.
func (p *Pool) back(n int64) {
	if p.out.Add(-n) == 0 && p.closed.Load() {
		p.release()
	}
}

// afterHeap tells those whom the return of a heap slot concerns. All who wait for a
// buffer are on one list, whatever kind they need, and so all of them try again.
func (p *Pool) afterHeap() {
	p.back(0)
	p.returned.WakeAll()
}

// Free returns how many buffers can be taken now, those idle in Caches not counted.
func (p *Pool) Free() int {
	return int(max(0, int64(p.count)-p.out.Load()))
}

// Close ends the pool: nothing is taken from it any more (but for what Caches hold: 128 buffers each
// at most), and those who wait get ErrClosed. If buffers are out or Caches open it returns a *LeakError
// that says how many (and, with Config.Track, where they were taken), and the memory stays mapped
// until the last of them has come back. Closing again reports what is out by then.
//
// A []byte of a buffer that was kept beyond its Release must not be touched any more: its memory is
// gone, and the fault can't be recovered from.
func (p *Pool) Close() error {
	p.made()
	p.closed.Store(true)
	p.returned.WakeAll()
	p.back(0)
	return p.leaks()
}

// release unmaps the region once nothing of a closed pool is out.
func (p *Pool) release() {
	if p.heap.out.Load() != 0 || p.out.Load() != 0 {
		return
	}
	p.unmap.Do(func() {
		unregister(p)
		if err := p.region.unmap(); err != nil {
			panic(fmt.Sprintf("pool %q: unmapping its region: %v", p.config.Name, err))
		}
	})
}

// LeakError says what was not given back to a pool that was closed.
type LeakError struct {
	Pool     string
	Buffers  int      // out, those in open Caches not counted; exact if there are none such
	Lent     int      // of them, lent to devices: ports that are still open, or have not let go yet
	Caches   []string // open ones: where each was made and what it holds
	Where    []string // with Track: what is out, and where it was taken
	Tracking bool     // whether Config.Track was set
}

func (e *LeakError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "pool %q: closed with %d buffers out", e.Pool, e.Buffers)
	if e.Lent > 0 {
		fmt.Fprintf(&s, " (%d of them lent to a device)", e.Lent)
	}
	if len(e.Caches) > 0 {
		fmt.Fprintf(&s, " and %d caches open (%s)", len(e.Caches), strings.Join(e.Caches, "; "))
	}
	if len(e.Where) > 0 {
		fmt.Fprintf(&s, ": %s", strings.Join(e.Where, "; "))
	} else if !e.Tracking && e.Buffers > 0 {
		s.WriteString("; set Config.Track to learn where they were taken")
	}
	return s.String()
}

func (p *Pool) leaks() error {
	s := p.Stats()
	e := &LeakError{Pool: p.config.Name, Buffers: s.InUse + s.HeapInUse, Lent: min(s.Lent, s.InUse), Tracking: p.track != nil}
	p.mu.Lock()
	for c := range p.caches {
		e.Caches = append(e.Caches, fmt.Sprintf("made at %s, holding %d buffers by its last burst", c.madeAt, c.idle.Load()))
	}
	p.mu.Unlock()
	if e.Buffers == 0 && len(e.Caches) == 0 {
		return nil
	}
	e.Where = p.track.leaks()
	return e
}
