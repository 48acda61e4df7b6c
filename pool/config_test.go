package pool

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// Every field has bad values, and the error names the field.
func TestConfigBad(t *testing.T) {
	for _, c := range []struct {
		field string
		Config
	}{
		{"Count", Config{Count: -1}},
		{"Count", Config{Count: maxSlots}},
		{"Count", Config{Count: maxSlots - DefaultHeapBuffers + 1}},
		{"Count", Config{Count: maxSlots + 1, HeapBuffers: None}},
		{"Count", Config{Count: math.MaxInt}},
		{"BufferSize", Config{BufferSize: -1}},
		{"BufferSize", Config{BufferSize: maxBufferSize - DefaultHeadroom + 1}},
		{"BufferSize", Config{BufferSize: math.MaxInt}},
		{"BufferSize", Config{BufferSize: math.MinInt}},
		{"Headroom", Config{Headroom: -2}},
		{"Headroom", Config{Headroom: maxHeadroom + 1}},
		{"Headroom", Config{Headroom: math.MaxInt}},
		{"HeapBuffers", Config{HeapBuffers: -2}},
		{"HeapBuffers", Config{HeapBuffers: maxSlots/2 + 1}},
		{"HeapBuffers", Config{HeapBuffers: math.MaxInt}},
		{"Track", Config{Track: -1}},
		{"Headroom + BufferSize", Config{UMEM: true, BufferSize: 2048}},
		{"Headroom + BufferSize", Config{UMEM: true, BufferSize: 8192 - 128}},
		{"Headroom + BufferSize", Config{UMEM: true, BufferSize: 65536, Headroom: None}},
		{"Headroom", Config{UMEM: true, Headroom: 2048 - 256}},
		{"Headroom", Config{UMEM: true, Headroom: 4000}},
		{"BufferSize", Config{UMEM: true, Headroom: 4096 - 256, BufferSize: 256}},
	} {
		p, err := New(c.Config)
		if err == nil {
			t.Errorf("%+v: made %v", c.Config, p.Close())
			continue
		}
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "Config."+c.field+" is ") {
			t.Errorf("%+v: %q is not ErrConfig or does not name %s", c.Config, err, c.field)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	p := open(t, Config{Name: "d"})
	want := Config{Name: "d", Count: 8192, BufferSize: 2048, Headroom: 128, HeapBuffers: 1024}
	if p.config != want {
		t.Errorf("%+v, want %+v", p.config, want)
	}
	b := must(p.Get())
	defer b.Release()
	if b.Headroom() != 128 || b.Len() != 0 || b.Tailroom() != 2048 {
		t.Errorf("headroom %d, length %d, tailroom %d", b.Headroom(), b.Len(), b.Tailroom())
	}
	if c, err := (Config{}).withDefaults(); err != nil || c.Name != "pool" {
		t.Errorf("%+v, %v", c, err)
	}
}

// The limits themselves are good values.
func TestConfigLimits(t *testing.T) {
	for _, c := range []Config{
		{Count: 1, HeapBuffers: None},
		{Count: maxSlots, HeapBuffers: None, BufferSize: 1, Headroom: None},
		{Count: 1, HeapBuffers: maxSlots / 2},
		{Count: 1, BufferSize: maxBufferSize - DefaultHeadroom},
		{Count: 1, Headroom: maxHeadroom},
		{UMEM: true, Headroom: 2048 - 257},
	} {
		if _, err := c.withDefaults(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	// The largest buffer works to its last byte.
	p := open(t, Config{Count: 2, BufferSize: maxBufferSize - DefaultHeadroom})
	b := must(p.Get())
	defer b.Release()
	tail := must(b.AppendUnzeroed(b.Tailroom()))
	tail[len(tail)-1] = 1
	must(b.Prepend(b.Headroom()))[0] = 2
	if b.Len() != maxBufferSize || b.Bytes()[0] != 2 || b.Bytes()[b.Len()-1] != 1 {
		t.Error("a buffer of the largest size does not hold it")
	}
}

func TestConfigNone(t *testing.T) {
	p := open(t, Config{Count: 1, Headroom: None, HeapBuffers: None})
	b := must(p.Get())
	defer b.Release()
	if b.Headroom() != 0 || b.Tailroom() != DefaultBufferSize {
		t.Errorf("headroom %d, tailroom %d", b.Headroom(), b.Tailroom())
	}
	if _, err := p.CopyIn(nil); err != ErrExhausted {
		t.Errorf("CopyIn without a heap: %v", err)
	}
	if _, err := p.Wrap(nil); err != ErrExhausted {
		t.Errorf("Wrap without a heap: %v", err)
	}
}

// More memory than there is: an error, not a crash. (The race detector's pools are Go
// slices, whose makers can't be asked, so there it is the limit of the address space.)
func TestConfigTooMuchMemory(t *testing.T) {
	c := Config{Count: maxSlots, HeapBuffers: None, BufferSize: 1 << 23}
	if math.MaxInt == math.MaxInt32 {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("beyond the address space: %v", err)
		}
		return
	}
	if raceDetector {
		if _, err := c.withDefaults(); err != nil {
			t.Errorf("within the address space: %v", err)
		}
		return
	}
	if p, err := New(c); err == nil {
		t.Errorf("128 TiB: %v", p.Close())
	} else if errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "no memory for 16777215 buffers") {
		t.Errorf("128 TiB: %v", err)
	}
}
