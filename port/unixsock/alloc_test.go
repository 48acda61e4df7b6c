//go:build unix

package unixsock

import (
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// pairs opens both ends of each way to be joined.
func pairs(t testing.TB, o port.Options, each func(name string, dialing, listening port.Port)) {
	for _, kind := range []string{"dgram", "stream"} {
		path := sockPath(t)
		l := open(t, fmt.Sprintf("unix:%s,type=%s,role=listen,retry=1h", path, kind), o)
		d := open(t, fmt.Sprintf("unix:%s,type=%s,retry=1h", path, kind), o)
		// The first frame makes them known to each other.
		sendAll(t, d, buffers(t, o.Pool, 0, 1, 60))
		receive(t, l, 1)
		each(kind, d, l)
	}
}

// TestAllocs: a burst out and in allocates nothing, be it that it fits, or that the socket is full in the middle of it and is waited for.
func TestAllocs(t *testing.T) {
	testkit.Watchdog(t)
	p := pooltest.New(t, pool.Config{Count: 4096})
	o := port.Options{Pool: p}
	c := p.NewCache()
	defer c.Close()
	ctx := t.Context()
	pairs(t, o, func(name string, dialing, listening port.Port) {
		for _, way := range []struct {
			name     string
			from, to port.Port
		}{{"to the listener", dialing, listening}, {"from the listener", listening, dialing}} {
			bufs, in := make([]pool.Buffer, 64), make([]pool.Buffer, 64)
			sent, received := 0, 0
			allocs := testing.AllocsPerRun(200, func() {
				c.GetBulk(bufs)
				for i := range bufs {
					_, _ = bufs[i].AppendUnzeroed(1500)
				}
				for out := bufs; len(out) > 0; {
					n, err := way.from.Tx(out)
					if err != nil {
						t.Fatal(err)
					}
					sent += n
					if out = out[n:]; len(out) > 0 {
						if err := way.from.WaitTx(ctx); err != nil {
							t.Fatal(err)
						}
					}
					n, err = way.to.Rx(in)
					if err != nil {
						t.Fatal(err)
					}
					received += n
					c.PutBurst(in[:n])
				}
			})
			if allocs != 0 {
				t.Errorf("%s, %s: %v allocations a burst", name, way.name, allocs)
			}
			for range receive(t, way.to, sent-received) {
				received++
			}
			if sent != received || sent != 201*64 {
				t.Errorf("%s, %s: %d sent, %d received", name, way.name, sent, received)
			}
		}
	})
}
