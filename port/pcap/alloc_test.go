//go:build !race

// Nothing is allocated for a burst. Not under -race, whose instrumentation allocates.

package pcap

import (
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/ringway-net/ringway/pool"
)

func TestNoAllocations(t *testing.T) {
	o := env(t)
	// Longer than AllocsPerRun reads, so that loop's new pass does not come into it.
	r := openIn(t, tempFile(t, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 64*300, 64)), o)
	bufs := make([]pool.Buffer, 64)
	if n := testing.AllocsPerRun(200, func() {
		n, err := r.Rx(bufs)
		if n != 64 || err != nil {
			t.Fatal(n, err)
		}
		o.Pool.PutBurst(bufs)
	}); n != 0 {
		t.Errorf("Rx allocates %v times", n)
	}
	for _, format := range []string{"pcap", "pcapng"} {
		w := openOut(t, filepath.Join(t.TempDir(), "out."+format), o)
		send := func() {
			n := o.Pool.GetBurst(bufs)
			for i := range bufs[:n] {
				bufs[i].AppendUnzeroed(64)
				bufs[i].SetMeta(pool.Meta{Time: epoch * 1e9})
			}
			if n, err := w.Tx(bufs[:n]); n != 64 || err != nil {
				t.Fatal(n, err)
			}
		}
		send()
		if n := testing.AllocsPerRun(500, send); n != 0 {
			t.Errorf("Tx to %s allocates %v times", format, n)
		}
	}
	// Into a stream: the goroutine's share counts as well.
	o.Stdout = writerFunc(func(b []byte) (int, error) { return len(b), nil })
	w := openOut(t, "-", o)
	send := func() {
		n := o.Pool.GetBurst(bufs)
		for i := range bufs[:n] {
			bufs[i].AppendUnzeroed(64)
		}
		for rest := bufs[:n]; len(rest) > 0; {
			n, err := w.Tx(rest)
			if err == nil && n == 0 {
				err = w.WaitTx(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
	}
	send()
	if n := testing.AllocsPerRun(500, send); n != 0 {
		t.Errorf("Tx to a stream allocates %v times", n)
	}
}
