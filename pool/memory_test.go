package pool

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// scanned returns how many bytes the collector looks through in a cycle.
func scanned() int64 {
	runtime.GC()
	s := []metrics.Sample{{Name: "/gc/scan/total:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// A million buffers give the collector nothing to do.
func TestMemoryNotScanned(t *testing.T) {
	before := scanned()
	p := open(t, Config{Count: 1_000_000, BufferSize: 64, Headroom: None})
	if grown := scanned() - before; grown >= 64<<10 {
		t.Errorf("the collector has %d bytes more to scan", grown)
	}
	runtime.KeepAlive(p)
	// That it would be seen:
	some := make([]*int, 1<<16)
	if grown := scanned() - before; grown < 64<<10 {
		t.Errorf("of 64 Ki pointers it scans %d bytes", grown)
	}
	runtime.KeepAlive(some)
}
