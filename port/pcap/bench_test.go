// What a frame costs: go test -run '^$' -bench . -cpu 1,2 ./port/pcap

package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/ringway-net/ringway/pool"
)

const benchBurst = 64

// nowhere is a regular file that takes everything.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error)    { return len(b), nil }
func (nowhere) Seek(int64, int) (int64, error) { return 0, nil }
func (nowhere) Close() error                   { return nil }
func (nowhere) Truncate(int64) error           { return nil }

func perFrame(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/frame")
}

// BenchmarkRx reads a file of a million frames again and again, and gives the buffers back in bursts.
func BenchmarkRx(b *testing.B) {
	for _, size := range []int{64, 1500} {
		for _, ng := range []bool{false, true} {
			path := tempFile(b, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, 16<<20/size, size))
			if ng {
				to := filepath.Join(b.TempDir(), "in.pcapng")
				copyFile(b, path, to)
				path = to
			}
			b.Run(fmt.Sprintf("%s/%d", filepath.Ext(path)[1:], size), func(b *testing.B) {
				o := env(b)
				r := openIn(b, path+",loop=0", o)
				cache := o.Pool.NewCache()
				defer cache.Close()
				bufs := make([]pool.Buffer, benchBurst)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for left := b.N; left > 0; {
					n, err := r.Rx(bufs[:min(left, benchBurst)])
					if err != nil {
						b.Fatal(err)
					}
					cache.PutBurst(bufs[:n])
					left -= n
				}
				perFrame(b)
			})
		}
	}
}

// BenchmarkTx writes a file, which is begun anew every GiB. Getting the buffers is in it; "get" is what that
// costs alone, and "encode" is a file that takes everything at no cost: the port without the kernel.
func BenchmarkTx(b *testing.B) {
	for _, size := range []int{64, 1500} {
		for _, format := range []string{"get", "encode", "pcap", "pcapng", "stream"} {
			b.Run(fmt.Sprintf("%s/%d", format, size), func(b *testing.B) {
				o := env(b)
				o.Stdout = io.Discard
				cache := o.Pool.NewCache()
				defer cache.Close()
				name := filepath.Join(b.TempDir(), "out."+format)
				if format == "stream" || format == "get" {
					name = "-"
				}
				n, _ := o.Interfaces.Add(onlyInterface)
				w := openOut(b, name, o)
				if format == "encode" {
					w.(*writer).out.w = nowhere{}
				}
				bufs := make([]pool.Buffer, benchBurst)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for left, written := b.N, 0; left > 0; left -= benchBurst {
					cache.GetBurst(bufs)
					for i := range bufs {
						bufs[i].AppendUnzeroed(size)
						bufs[i].SetMeta(pool.Meta{Time: epoch * 1e9, OrigLen: uint32(size), Interface: n})
					}
					if format == "get" {
						cache.PutBurst(bufs)
						continue
					}
					for rest := bufs; len(rest) > 0; {
						k, err := w.Tx(rest)
						if err == nil && k == 0 {
							err = w.WaitTx(b.Context())
						}
						if err != nil {
							b.Fatal(err)
						}
						rest = rest[k:]
					}
					if written += benchBurst * size; written > 1<<30 && (format == "pcap" || format == "pcapng") {
						b.StopTimer()
						w.Close()
						w = openOut(b, name, o)
						written = 0
						b.StartTimer()
					}
				}
				w.Close()
				perFrame(b)
			})
		}
	}
}

// BenchmarkCopy is a file to a file in one goroutine: the work of both ends.
func BenchmarkCopy(b *testing.B) {
	for _, out := range []string{"out.pcap", "out.pcapng"} {
		b.Run(out, func(b *testing.B) {
			const frames = 2_000_000
			path := tempFile(b, "in.pcap", classic(binary.LittleEndian, micro, 65535, 1, frames, 64))
			to := filepath.Join(b.TempDir(), out)
			b.ResetTimer()
			for range b.N {
				o := env(b)
				r, w := openIn(b, path, o), openOut(b, to, o)
				if rx, tx := move(b, r, w); rx != io.EOF || tx != nil {
					b.Fatal(rx, tx)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/frames, "ns/frame")
		})
	}
}
