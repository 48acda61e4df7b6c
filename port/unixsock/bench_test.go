//go:build unix

package unixsock

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// BenchmarkOneWay: frames a second from one port to another, in bursts of 64 and one by one.
func BenchmarkOneWay(b *testing.B) {
	p := pooltest.New(b, pool.Config{Count: 4096})
	o := port.Options{Pool: p}
	pairs(b, o, func(name string, dialing, listening port.Port) {
		for _, way := range []struct {
			name     string
			from, to port.Port
		}{{"in", dialing, listening}, {"out", listening, dialing}} {
			for _, size := range []int{60, 1514} {
				for _, burst := range []int{1, 64} {
					b.Run(fmt.Sprintf("%s/%s/%d/burst=%d", name, way.name, size, burst), func(b *testing.B) {
						b.SetBytes(int64(size))
						var reader sync.WaitGroup
						reader.Go(func() {
							bufs := make([]pool.Buffer, burst)
							for n := 0; n < b.N; {
								k, err := way.to.Rx(bufs)
								pool.ReleaseBurst(bufs[:k])
								n += k
								if err == nil && k == 0 {
									err = way.to.WaitRx(b.Context())
								}
								if err != nil {
									b.Error(err)
									return
								}
							}
						})
						c := p.NewCache()
						defer c.Close()
						bufs := make([]pool.Buffer, burst)
						for left := b.N; left > 0; {
							out := bufs[:c.GetBurst(bufs[:min(burst, left)])]
							for i := range out {
								_, _ = out[i].AppendUnzeroed(size)
							}
							left -= len(out)
							for len(out) > 0 {
								n, err := way.from.Tx(out)
								out = out[n:]
								if err == nil && len(out) > 0 {
									err = way.from.WaitTx(b.Context())
								}
								if err != nil {
									b.Fatal(err)
								}
							}
						}
						reader.Wait()
						if d := way.from.Stats().TxDropped() + way.to.Stats().RxDropped(); d > 0 {
							b.Fatalf("%d dropped", d)
						}
					})
				}
			}
		}
	})
}
