// Buffers against a model: programs of bytes, from the dice or from the fuzzer, do the same to real buffers and
// to plain slices.

package pool

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// A block is what a buffer's slot should be.
type block struct {
	mem     []byte // headroom, frame and tailroom
	owners  int
	meta    Meta
	region  bool // in the region, else on the heap
	wrapped bool
}

// A holder is one owner's handle, and what should be seen through it.
type holder struct {
	Buffer
	*block
	off, n  int
	hasMeta bool
}

func (h *holder) frame() []byte { return h.mem[h.off:][:h.n] }
func (h *holder) tail() int     { return len(h.mem) - h.off - h.n }
func (h *holder) shared() bool  { return h.owners > 1 }

const (
	modelCount, modelHeap = 3, 2
	modelSize, modelHead  = 100, 20
	modelHolders          = 10 // more than that are not taken
)

// machine runs a program.
type machine struct {
	t       testing.TB
	p       *Pool
	program []byte
	holders []*holder
	pattern byte   // counts the bytes that were written, so that no two frames are the same
	region  int    // free buffers of the region
	heap    int    // and of the heap
	copied  uint64 // CopyIns to the heap
	failed  uint64 // answers that said exhausted
}

// next is the next byte of the program; at its end there are zeroes.
func (m *machine) next() int {
	if len(m.program) == 0 {
		return 0
	}
	b := m.program[0]
	m.program = m.program[1:]
	return int(b)
}

// size is the next byte as a number of bytes, or, once in 256, a negative one.
func (m *machine) size() int {
	n := m.next()
	if n == 255 {
		return -1
	}
	return n
}

var tooLarge = make([]byte, MaxFrame+1)

// data is a frame of the size that the program says.
func (m *machine) data() []byte {
	n := m.size()
	if n < 0 {
		return tooLarge
	}
	return m.fill(make([]byte, n))
}

func (m *machine) fill(b []byte) []byte {
	for i := range b {
		m.pattern++
		b[i] = m.pattern
	}
	return b
}

// add makes the block of a new buffer, and its holder.
func (m *machine) add(b Buffer, bl block, off, n int) {
	bl.owners = 1
	if bl.region {
		m.region--
	} else {
		m.heap--
	}
	m.holders = append(m.holders, &holder{Buffer: b, block: &bl, off: off, n: n})
}

// copyIn says where a frame with so much headroom goes, and with which error if nowhere.
func (m *machine) copyIn(head int, frame []byte) (bl block, err error) {
	switch {
	case head+len(frame) <= modelHead+modelSize && m.region > 0:
		bl = block{mem: make([]byte, modelHead+modelSize), region: true}
	case len(frame) > MaxFrame:
		return bl, ErrTooLarge
	case m.heap == 0:
		m.failed++
		return bl, ErrExhausted
	default:
		m.copied++
		bl = block{mem: make([]byte, head+len(frame))}
	}
	copy(bl.mem[head:], frame)
	return bl, nil
}

// drop takes a holder away. The last handle of a buffer is dead then.
func (m *machine) drop(h *holder) {
	m.holders = slices.DeleteFunc(m.holders, func(o *holder) bool { return o == h })
	if h.owners--; h.owners > 0 {
		return
	}
	if h.region {
		m.region++
	} else {
		m.heap++
	}
	mustSay(m.t, func() { h.Bytes() }, "after it was released")
}

// did fails the test unless an operation ended as it should have.
func (m *machine) did(what string, err, want error) bool {
	m.t.Helper()
	if !errors.Is(err, want) || err != nil && want == nil {
		m.t.Fatalf("%s: %v, want %v", what, err, want)
	}
	return want == nil
}

// forbidden reports whether the rules forbid f, which must panic then: it has not happened.
func (m *machine) forbidden(rule bool, f func()) bool {
	if rule {
		said(m.t, f)
	}
	return rule
}

// take makes new handles.
func (m *machine) take(what int) {
	if len(m.holders) >= modelHolders {
		return
	}
	switch what {
	case 0:
		b, err := m.p.Get()
		if m.region == 0 {
			m.failed++
			m.did("Get", err, ErrExhausted)
		} else if m.did("Get", err, nil) {
			m.add(b, block{mem: make([]byte, modelHead+modelSize), region: true}, modelHead, 0)
		}
	case 1:
		data := m.data()
		b, err := m.p.CopyIn(data)
		bl, want := m.copyIn(modelHead, data)
		if m.did("CopyIn", err, want) {
			m.add(b, bl, modelHead, len(data))
		}
	case 2:
		data := m.data()
		mem := bytes.Clone(data)
		b, err := m.p.Wrap(data)
		var want error
		if len(data) > MaxFrame {
			want = ErrTooLarge
		} else if m.heap == 0 {
			want = ErrExhausted
			m.failed++
		}
		if m.did("Wrap", err, want) {
			m.add(b, block{mem: mem, wrapped: true}, 0, len(data))
		}
	}
}

// run does one operation on the handle that the program chooses.
func (m *machine) run() {
	what := m.next() % 18
	if what < 3 || len(m.holders) == 0 {
		m.take(what % 3)
		return
	}
	h := m.holders[m.next()%len(m.holders)]
	grown := func(name string, part []byte, n int) {
		if len(part) != n || cap(part) != n {
			m.t.Fatalf("%s(%d) gave %d of %d bytes", name, n, len(part), cap(part))
		}
	}
	switch what {
	case 3:
		n := m.size()
		if m.forbidden(n < 0 || h.shared(), func() { h.Prepend(n) }) {
			break
		}
		front, err := h.Prepend(n)
		if m.did("Prepend", err, when(n > h.off, ErrHeadroom)) {
			grown("Prepend", front, n)
			h.off, h.n = h.off-n, h.n+n
			clear(h.frame()[:n])
		}
	case 4:
		n := m.size()
		if m.forbidden(n < 0 || h.shared(), func() { h.Append(n) }) {
			break
		}
		tail, err := h.Append(n)
		if m.did("Append", err, when(n > h.tail(), ErrTailroom)) {
			grown("Append", tail, n)
			h.n += n
			clear(h.frame()[h.n-n:])
		}
	case 5:
		n := m.size()
		if m.forbidden(n < 0 || h.shared(), func() { h.AppendUnzeroed(n) }) {
			break
		}
		tail, err := h.AppendUnzeroed(n)
		if m.did("AppendUnzeroed", err, when(n > h.tail(), ErrTailroom)) {
			grown("AppendUnzeroed", tail, n)
			h.n += n
			copy(h.frame()[h.n-n:], m.fill(tail))
		}
	case 6:
		n := m.size()
		if m.forbidden(n < 0, func() { h.TrimFront(n) }) {
			break
		}
		if m.did("TrimFront", h.TrimFront(n), when(n > h.n, ErrTooShort)) {
			h.off, h.n = h.off+n, h.n-n
		}
	case 7:
		n := m.size()
		if m.forbidden(n < 0, func() { h.TrimBack(n) }) {
			break
		}
		if m.did("TrimBack", h.TrimBack(n), when(n > h.n, ErrTooShort)) {
			h.n -= n
		}
	case 8:
		n := m.size()
		if m.forbidden(n < 0 || n > h.n && h.shared(), func() { h.SetLen(n) }) {
			break
		}
		if m.did("SetLen", h.SetLen(n), when(n > h.n+h.tail(), ErrTailroom)) {
			was := min(n, h.n)
			h.n = n
			clear(h.frame()[was:])
		}
	case 9:
		data := m.data()
		if m.forbidden(h.shared(), func() { h.CopyFrom(data) }) {
			break
		}
		if m.did("CopyFrom", h.CopyFrom(data), when(len(data) > h.n+h.tail(), ErrTooLarge)) {
			h.n = len(data)
			copy(h.frame(), data)
		}
	case 10:
		if m.forbidden(h.shared(), h.Reset) {
			break
		}
		h.Reset()
		h.off, h.n, h.hasMeta = min(modelHead, len(h.mem)), 0, false
		if h.wrapped {
			h.off = 0
		}
	case 11:
		n := m.size() % 4
		if m.forbidden(n < 0, func() { h.Retain(n) }) || len(m.holders)+n > modelHolders {
			break
		}
		h.Retain(n)
		h.owners += n
		for range n {
			other := *h
			m.holders = append(m.holders, &other)
		}
	case 12, 13: // more often than others, or everything would be out all the time
		h.Release()
		m.drop(h)
	case 14:
		var handles []Buffer
		all := slices.Clone(m.holders)[:1+m.next()%len(m.holders)]
		for _, h := range all {
			handles = append(handles, h.Buffer)
		}
		m.p.PutBurst(handles)
		for _, h := range all {
			m.drop(h)
		}
	case 15:
		if !h.shared() {
			m.did("Writable", h.Writable(), nil)
			break
		}
		bl, want := m.copyIn(h.off, h.frame())
		if m.did("Writable", h.Writable(), want) {
			bl.meta = h.meta
			m.add(h.Buffer, bl, h.off, h.n)
			m.holders[len(m.holders)-1].hasMeta = h.hasMeta
			m.drop(h)
		}
	case 16:
		meta := Meta{Time: int64(m.next()), OrigLen: uint32(h.n), Interface: 3}
		if m.forbidden(h.shared(), func() { h.SetMeta(meta) }) {
			break
		}
		h.SetMeta(meta)
		h.meta, h.hasMeta = meta, true
	case 17:
		if h.n > 0 && !h.shared() {
			i := m.next() % h.n
			m.fill(h.Bytes()[i : i+1])
			h.frame()[i] = m.pattern
		}
	}
}

func when(if_ bool, err error) error {
	if if_ {
		return err
	}
	return nil
}

// compare fails the test unless every handle shows what its model says.
func (m *machine) compare() {
	m.t.Helper()
	slots := map[int]*block{}
	for i, h := range m.holders {
		if h.Len() != h.n || h.Headroom() != h.off || h.Tailroom() != h.tail() {
			m.t.Fatalf("handle %d: %d+%d+%d bytes, want %d+%d+%d", i, h.Headroom(), h.Len(), h.Tailroom(), h.off, h.n, h.tail())
		}
		if got := h.Bytes(); !bytes.Equal(got, h.frame()) || cap(got) != len(got) {
			m.t.Fatalf("handle %d: % x (capacity %d), want % x", i, got, cap(got), h.frame())
		}
		if h.Shared() != h.shared() {
			m.t.Fatalf("handle %d: shared %v with %d owners", i, h.Shared(), h.owners)
		}
		if meta, ok := h.Meta(); ok != h.hasMeta || ok && meta != h.meta {
			m.t.Fatalf("handle %d: %+v, %v, want %+v, %v", i, meta, ok, h.meta, h.hasMeta)
		}
		if (h.Index() < modelCount) != h.region {
			m.t.Fatalf("handle %d: slot %d, in the region: %v", i, h.Index(), h.region)
		}
		if other := slots[h.Index()]; other != nil && other != h.block {
			m.t.Fatalf("handle %d: slot %d has two buffers", i, h.Index())
		}
		slots[h.Index()] = h.block
	}
}

// runBuffers runs a program from a new pool to a whole one.
func runBuffers(t testing.TB, program []byte) {
	defer func() {
		if t.Failed() {
			t.Logf("program %q", program)
		}
	}()
	p := must(New(Config{Count: modelCount, HeapBuffers: modelHeap, BufferSize: modelSize, Headroom: modelHead}))
	poison(t, p)
	m := &machine{t: t, p: p, program: program, region: modelCount, heap: modelHeap}
	for len(m.program) > 0 {
		m.run()
		m.compare()
	}
	if s := p.Stats(); s.InUse != modelCount-m.region || s.HeapInUse != modelHeap-m.heap || s.HeapFallbacks != m.copied || s.Failed != m.failed {
		t.Errorf("%+v, want %d and %d in use, %d fallbacks, %d failed", s, modelCount-m.region, modelHeap-m.heap, m.copied, m.failed)
	}
	for len(m.holders) > 0 {
		h := m.holders[0]
		h.Release()
		m.drop(h)
	}
	whole(t, p)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// Random programs.
func TestBufferModel(t *testing.T) {
	r := testkit.Rand(t)
	for range scaled(1000) {
		program := make([]byte, 300)
		for i := range program {
			program[i] = byte(r.Uint32())
			if r.IntN(2) == 0 {
				program[i] %= 24 // small sizes, which fit
			}
		}
		runBuffers(t, program)
	}
}

// Programs that the fuzzer finds.
func FuzzBuffer(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte) {
		runBuffers(t, program[:min(len(program), 2000)])
	})
}
