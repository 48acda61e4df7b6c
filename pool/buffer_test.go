package pool

import (
	"errors"
	"testing"
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
