package pool

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
)

// poison fills every byte of every buffer of p's region, so that whatever shows through is seen.
func poison(t testing.TB, p *Pool) {
	t.Helper()
	all := takeAll(t, p)
	for _, b := range all {
		head, tail := must(b.Prepend(b.Headroom())), must(b.AppendUnzeroed(b.Tailroom()))
		for i := range head {
			head[i] = 0xEE
		}
		for i := range tail {
			tail[i] = 0xEE
		}
	}
	p.PutBurst(all)
}

// model is what a buffer should be: a plain slice, and what room there is around it.
type model struct {
	frame      []byte
	head, tail int
	whole      int // where Reset puts the frame
}

// Random edits of a buffer and of a slice come to the same.
func TestBufferEdits(t *testing.T) {
	r := testkit.Rand(t)
	p := open(t, Config{Count: 3, BufferSize: 300, Headroom: 40})
	poison(t, p)
	for range scaled(3000) {
		var b Buffer
		var m model
		switch r.IntN(4) {
		case 0:
			b, m = must(p.Get()), model{head: 40, tail: 300}
		case 1:
			data := noise(r, r.IntN(301))
			b, m = must(p.CopyIn(data)), model{frame: data, head: 40, tail: 300 - len(data)}
		case 2:
			data := noise(r, 301+r.IntN(300))
			b, m = must(p.CopyIn(data)), model{frame: data, head: 40}
		default:
			data := noise(r, r.IntN(100))
			b, m = must(p.Wrap(bytes.Clone(data))), model{frame: data}
		}
		m.whole = min(40, m.head)
		for range 1 + r.IntN(20) {
			edit(t, r, &b, &m)
			if t.Failed() {
				return
			}
		}
		b.Release()
	}
	whole(t, p)
}

func noise(r *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// edit changes b and m in the same way, and compares.
func edit(t *testing.T, r *rand.Rand, b *Buffer, m *model) {
	t.Helper()
	n := r.IntN(60)
	if r.IntN(20) == 0 {
		n = r.IntN(1000)
	}
	var err, want error
	what := ""
	fail := func(sentinel error, if_ bool) bool {
		if if_ {
			want = sentinel
		}
		return !if_
	}
	switch r.IntN(9) {
	case 0:
		what = "Prepend"
		var front []byte
		front, err = b.Prepend(n)
		if fail(ErrHeadroom, n > m.head) {
			m.frame, m.head = append(make([]byte, n), m.frame...), m.head-n
			if len(front) != n || cap(front) != n {
				t.Errorf("Prepend(%d) gave %d of %d bytes", n, len(front), cap(front))
			}
		}
	case 1:
		what = "Append"
		var tail []byte
		tail, err = b.Append(n)
		if fail(ErrTailroom, n > m.tail) {
			m.frame, m.tail = append(m.frame[:len(m.frame):len(m.frame)], make([]byte, n)...), m.tail-n
			if len(tail) != n || cap(tail) != n {
				t.Errorf("Append(%d) gave %d of %d bytes", n, len(tail), cap(tail))
			}
		}
	case 2:
		what = "AppendUnzeroed"
		var tail []byte
		tail, err = b.AppendUnzeroed(n)
		if fail(ErrTailroom, n > m.tail) {
			data := noise(r, n)
			if copy(tail, data) != n || cap(tail) != n {
				t.Errorf("AppendUnzeroed(%d) gave %d of %d bytes", n, len(tail), cap(tail))
			}
			m.frame, m.tail = append(m.frame[:len(m.frame):len(m.frame)], data...), m.tail-n
		}
	case 3:
		what = "TrimFront"
		err = b.TrimFront(n)
		if fail(ErrTooShort, n > len(m.frame)) {
			m.frame, m.head = m.frame[n:], m.head+n
		}
	case 4:
		what = "TrimBack"
		err = b.TrimBack(n)
		if fail(ErrTooShort, n > len(m.frame)) {
			m.frame, m.tail = m.frame[:len(m.frame)-n], m.tail+n
		}
	case 5:
		what = "SetLen"
		err = b.SetLen(n)
		if fail(ErrTailroom, n > len(m.frame)+m.tail) {
			room := len(m.frame) + m.tail
			grown := make([]byte, n)
			copy(grown, m.frame)
			m.frame, m.tail = grown, room-n
		}
	case 6:
		what = "CopyFrom"
		data := noise(r, n)
		err = b.CopyFrom(data)
		if fail(ErrTooLarge, n > len(m.frame)+m.tail) {
			room := len(m.frame) + m.tail
			m.frame, m.tail = data, room-n
		}
	case 7:
		what = "Reset"
		b.Reset()
		room := m.head + len(m.frame) + m.tail
		m.frame, m.head = nil, min(m.whole, room)
		m.tail = room - m.head
	case 8:
		what = "write"
		if len(m.frame) > 0 {
			i := r.IntN(len(m.frame))
			m.frame = bytes.Clone(m.frame)
			m.frame[i]++
			b.Bytes()[i]++
		}
	}
	if !errors.Is(err, want) || (want == nil && err != nil) {
		t.Errorf("%s(%d) of %d+%d+%d bytes: %v, want %v", what, n, m.head, len(m.frame), m.tail, err, want)
	}
	if b.Len() != len(m.frame) || b.Headroom() != m.head || b.Tailroom() != m.tail {
		t.Errorf("after %s(%d): %d+%d+%d bytes, want %d+%d+%d", what, n, b.Headroom(), b.Len(), b.Tailroom(), m.head, len(m.frame), m.tail)
	}
	if got := b.Bytes(); !bytes.Equal(got, m.frame) || cap(got) != len(got) {
		t.Errorf("after %s(%d): frame of %d (capacity %d) is not that of the model", what, n, len(got), cap(got))
	}
}

// Headers grow to the very edge and not a byte further.
func TestBufferEdges(t *testing.T) {
	p := open(t, Config{Count: 1, BufferSize: 10, Headroom: 5, HeapBuffers: None})
	b := must(p.Get())
	defer b.Release()
	for _, c := range []struct {
		what string
		err  error
		want error
	}{
		{"Prepend(6)", second(b.Prepend(6)), ErrHeadroom},
		{"Append(11)", second(b.Append(11)), ErrTailroom},
		{"AppendUnzeroed(11)", second(b.AppendUnzeroed(11)), ErrTailroom},
		{"TrimFront(1)", b.TrimFront(1), ErrTooShort},
		{"TrimBack(1)", b.TrimBack(1), ErrTooShort},
		{"SetLen(11)", b.SetLen(11), ErrTailroom},
		{"CopyFrom of 11", b.CopyFrom(make([]byte, 11)), ErrTooLarge},
		{"CopyIn of 11", second(p.CopyIn(make([]byte, 11))), ErrExhausted},
		{"Prepend(5)", second(b.Prepend(5)), nil},
		{"Append(10)", second(b.Append(10)), nil},
		{"Prepend(1)", second(b.Prepend(1)), ErrHeadroom},
		{"Append(1)", second(b.Append(1)), ErrTailroom},
		{"TrimFront(16)", b.TrimFront(16), ErrTooShort},
		{"TrimFront(15)", b.TrimFront(15), nil},
		{"Append(0)", second(b.Append(0)), nil},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.err, c.want)
		}
	}
	if b.Headroom() != 15 || b.Len() != 0 || b.Tailroom() != 0 {
		t.Errorf("at the end %d+%d+%d", b.Headroom(), b.Len(), b.Tailroom())
	}
}

func second[T any](_ T, err error) error { return err }

// A negative size is a bug in the program.
func TestBufferNegative(t *testing.T) {
	b := must(open(t, Config{Count: 1}).Get())
	defer b.Release()
	for what, f := range map[string]func(){
		"Prepend(-1)":   func() { b.Prepend(-1) },
		"Append(-1)":    func() { b.Append(-1) },
		"Append(-2)":    func() { b.AppendUnzeroed(-2) },
		"TrimFront(-1)": func() { b.TrimFront(-1) },
		"TrimBack(-1)":  func() { b.TrimBack(-1) },
		"SetLen(-1)":    func() { b.SetLen(-1) },
		"Retain(-1)":    func() { b.Retain(-1) },
	} {
		mustSay(t, f, what, "negative")
	}
}

func TestBufferMeta(t *testing.T) {
	p := open(t, Config{Count: 1, HeapBuffers: 1})
	for range 2 {
		b := must(p.CopyIn([]byte("frame")))
		if m, ok := b.Meta(); ok {
			t.Errorf("a new buffer has %+v", m)
		}
		want := Meta{Time: 1 << 60, OrigLen: 1500, Interface: 3}
		b.SetMeta(want)
		must(b.Prepend(4))
		if err := b.TrimFront(8); err != nil {
			t.Fatal(err)
		}
		if m, ok := b.Meta(); !ok || m != want {
			t.Errorf("%+v, %v", m, ok)
		}
		heap := must(p.Wrap([]byte("heap")))
		heap.SetMeta(Meta{Time: 2})
		if m, ok := b.Meta(); !ok || m != want {
			t.Errorf("after another's SetMeta: %+v, %v", m, ok)
		}
		heap.Release()
		b.Reset()
		if _, ok := b.Meta(); ok {
			t.Error("Reset leaves a Meta")
		}
		b.SetMeta(want)
		b.Release()
	}
}

func TestBufferString(t *testing.T) {
	p := open(t, Config{Name: "strung", Count: 1})
	b := must(p.CopyIn([]byte("1234")))
	if got, want := b.String(), `buffer 0 of pool "strung" (4 bytes, `; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("%q", got)
	}
	b.Release()
	if b.String() == "" || b.IsZero() {
		t.Error("a dead handle does not say what it was")
	}
	if got := (Buffer{}).String(); got != "no buffer" {
		t.Errorf("%q", got)
	}
}
