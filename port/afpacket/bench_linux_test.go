package afpacket_test

import (
	"context"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
)

// traffic is what is measured with: frames of a size, which are cut into segments if they are large.
var traffic = []struct {
	name string
	size int
}{{"60", 60}, {"1514", 1514}, {"64K", 45*1448 + 54}}

// cpuTime returns how long the process has been computing, for itself and in the kernel, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkTx sends over a cable at whose end the kernel throws frames away.
func BenchmarkTx(b *testing.B) {
	for _, f := range traffic {
		for _, bypass := range []bool{false, true} {
			name := f.name + "/kernel"
			if bypass {
				name = f.name + "/bypass"
			}
			b.Run(name, func(b *testing.B) {
				lab := netlab.New(b)
				near, far := quiet(lab, "near"), quiet(lab, "far")
				lab.Veth(near, "eth0", far, "eth0", 1500)
				o := port.Options{Pool: newPool(b, pool.Config{Track: seldom}), Large: newPool(b, pool.Config{BufferSize: port.LargeBufferSize, Count: 256, Track: seldom}), Direction: port.Out}
				p, err := try(near, "eth0", o, afpacket.Config{Bypass: bypass})
				if err != nil {
					b.Fatal(err)
				}
				defer p.Close()
				one := benchFrame(b, o, f.size)
				defer one.Release()
				var bufs [64]pool.Buffer
				cpu := cpuTime(b)
				for b.Loop() {
					one.Retain(len(bufs))
					for i := range bufs {
						bufs[i] = one
					}
					for n := 0; n < len(bufs); {
						k, err := p.Tx(bufs[n:])
						if err == nil && k == 0 {
							err = p.WaitTx(context.Background())
						}
						if err != nil {
							b.Fatal(err)
						}
						n += k
					}
				}
				frames := float64(b.N) * float64(len(bufs))
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/frames, "ns/frame")
				b.ReportMetric(float64(cpuTime(b)-cpu)/frames, "cpu-ns/frame")
				b.ReportMetric(0, "ns/op")
				if d := p.Stats().TxDropped(); d > 0 {
					b.Errorf("%d frames were dropped", d)
				}
			})
		}
	}
}

// benchFrame makes a frame, of TCP to be cut if it is large.
func benchFrame(t tester, o port.Options, size int) pool.Buffer {
	if size <= o.Pool.BufferSize() {
		return copyIn(t, o.Pool, frame(0, size))
	}
	b := copyIn(t, o.Large, testkit.UnfinishedTCP(size))
	b.SetOffload(pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: pool.GSOTCP4, SegmentSize: 1448})
	return b
}
