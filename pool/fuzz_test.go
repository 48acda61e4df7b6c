// Configurations that nobody meant.

package pool

import (
	"errors"
	"math"
	"os"
	"regexp"
	"testing"
)

// FuzzConfig: a Config is taken if it is within the ranges that its fields document, and refused
// with an error that wraps ErrConfig and names a field that is at fault otherwise. A pool that
// is made (small ones are) has what was asked for.
func FuzzConfig(f *testing.F) {
	f.Fuzz(func(t *testing.T, count, bufferSize, headroom, heapBuffers, track int64, umem, hugePages, prefault bool) {
		c := Config{
			Name: "fuzz", Count: int(count), BufferSize: int(bufferSize), Headroom: int(headroom), HeapBuffers: int(heapBuffers),
			HugePages: hugePages, Prefault: prefault, UMEM: umem, Track: int(track),
		}
		want, ok := documented(c)
		got, err := c.withDefaults()
		if ok != (err == nil) || ok && got != want {
			t.Fatalf("%+v:\n%+v, %v\nwant %v: %+v", c, got, err, ok, want)
		}
		if !ok {
			checkConfigError(t, c, err)
			if _, err2 := New(c); err2 == nil || err2.Error() != err.Error() {
				t.Errorf("New: %v, want %v", err2, err)
			}
			return
		}
		const mostBytes, mostSlots = 4 << 20, 4096
		if int64(got.Count)*int64(got.stride()) <= mostBytes && got.Count+got.HeapBuffers <= mostSlots {
			checkPool(t, c, want)
		}
	})
}

// documented is the rules of Config by its documentation: what c is with its defaults, and whether
// that is allowed.
func documented(c Config) (Config, bool) {
	fill := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	orNone := func(field *int, value int) {
		fill(field, value)
		switch {
		case *field == None:
			*field = 0
		case *field < 0:
			*field = math.MaxInt // never allowed
		}
	}
	fill(&c.Count, 8192)
	orNone(&c.Headroom, 128)
	orNone(&c.HeapBuffers, 1024)
	if c.Headroom > 65536 || c.HeapBuffers > 8388607 {
		return c, false
	}
	if c.UMEM {
		fill(&c.BufferSize, 2048-c.Headroom)
		if c.BufferSize <= 256 || c.BufferSize != 2048-c.Headroom && c.BufferSize != 4096-c.Headroom {
			return c, false
		}
	}
	fill(&c.BufferSize, 2048)
	ok := 1 <= c.Count && c.Count <= 16777215-c.HeapBuffers &&
		1 <= c.BufferSize && c.BufferSize <= 16777088-c.Headroom && c.Track >= 0
	lines := (int64(c.Headroom) + int64(c.BufferSize) + 63) / 64
	return c, ok && int64(c.Count)*lines*64 <= math.MaxInt
}

var namedField = regexp.MustCompile(`^pool: bad configuration: Config\.([A-Za-z +]+) is -?\d+, want [^\n]+$`)

// checkConfigError: the field that is named is at fault, so that with its default there is another
// error or none.
func checkConfigError(t *testing.T, c Config, err error) {
	t.Helper()
	named := namedField.FindStringSubmatch(err.Error())
	if !errors.Is(err, ErrConfig) || named == nil {
		t.Fatalf("%+v: %q is not ErrConfig, or not one line that names a field", c, err)
	}
	switch named[1] {
	case "Count":
		c.Count = 1
	case "BufferSize":
		c.BufferSize = 0
	case "Headroom":
		c.Headroom = 0
	case "Headroom + BufferSize":
		c.Headroom, c.BufferSize = 0, 0
	case "HeapBuffers":
		c.HeapBuffers = 0
	case "Track":
		c.Track = 0
	default:
		t.Fatalf("%+v: %q names no field", c, err)
	}
	if _, after := c.withDefaults(); after != nil && namedField.FindStringSubmatch(after.Error())[1] == named[1] {
		t.Errorf("%q, and with a good %s %q", err, named[1], after)
	}
}

// checkPool makes the pool of c and looks for what the configuration, with its defaults, wants.
func checkPool(t *testing.T, c, want Config) {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	if p.Count() != want.Count || p.BufferSize() != want.BufferSize || p.Name() != want.Name {
		t.Errorf("%+v: %d buffers of %d bytes in %q", c, p.Count(), p.BufferSize(), p.Name())
	}
	b := must(p.Get())
	if b.Headroom() != want.Headroom || b.Len() != 0 || b.Tailroom() != want.BufferSize {
		t.Errorf("%+v: headroom %d, length %d, tailroom %d", c, b.Headroom(), b.Len(), b.Tailroom())
	}
	tail := must(b.AppendUnzeroed(b.Tailroom()))
	tail[len(tail)-1] = 1
	if room := must(b.Prepend(b.Headroom())); len(room) > 0 {
		room[0] = 2
	}
	b.Release()
	whole(t, p)
	if c.UMEM {
		chunk := want.Headroom + want.BufferSize
		if int(p.stride) != chunk || len(p.region.mem) != want.Count*chunk || uintptr(p.base)%uintptr(os.Getpagesize()) != 0 {
			t.Errorf("%+v: stride %d in %d bytes at %p", c, p.stride, len(p.region.mem), p.base)
		}
	}
	switch w, err := p.Wrap(nil); {
	case err == nil && want.HeapBuffers > 0:
		w.Release()
	case err != ErrExhausted || want.HeapBuffers > 0:
		t.Errorf("%+v: Wrap: %v", c, err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("%+v: %v", c, err)
	}
	if _, err := p.Get(); err != ErrClosed {
		t.Errorf("%+v: Get after Close: %v", c, err)
	}
}
