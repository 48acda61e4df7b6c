// What a frame costs: go test -run '^$' -bench . -cpu 1 ./internal/capfile
// What it costs in gopacket's pcapgo: bench_peer_test.go.

package capfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// benchFile is a capture of 16 MiB or so of frames of one size.
func benchFile(b *testing.B, f Format, size int) ([]byte, int) {
	var out bytes.Buffer
	w := newTestWriter(b, &out, f, Interface{LinkType: 1, SnapLen: MaxFrame, Resolution: Micro})
	frame := make([]byte, size)
	n := 16 << 20 / (size + 16)
	for i := range n {
		if err := w.WriteFrame(1_700_000_000_000_000_000+int64(i)*1000, 0, frame, uint32(size)); err != nil {
			b.Fatal(err)
		}
	}
	w.Flush()
	return out.Bytes(), n
}

var sizes = []int{64, 1500}

func perFrame(b *testing.B, size int) {
	b.SetBytes(int64(size))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
}

// benchRead reads a file over and over; open gives the function for a frame.
func benchRead(b *testing.B, f Format, size int, open func([]byte) func() error) {
	file, n := benchFile(b, f, size)
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= n {
		next := open(file)
		for range min(left, n) {
			if err := next(); err != nil {
				b.Fatal(err)
			}
		}
	}
	perFrame(b, size)
}

func BenchmarkRead(b *testing.B) {
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		for _, size := range sizes {
			at := fmt.Sprintf("%v/%d", f, size)
			b.Run("parser/"+at, func(b *testing.B) {
				benchRead(b, f, size, func(file []byte) func() error {
					p := NewParser("file")
					var rec Record
					return func() error {
						n, err := p.Next(file, &rec)
						file = file[n:]
						return err
					}
				})
			})
			b.Run("reader/"+at, func(b *testing.B) {
				benchRead(b, f, size, func(file []byte) func() error {
					r, err := NewReader(bytes.NewReader(file), "file")
					if err != nil {
						b.Fatal(err)
					}
					var rec Record
					return func() error { return r.Next(&rec) }
				})
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		for _, size := range sizes {
			at := fmt.Sprintf("%v/%d", f, size)
			frame := make([]byte, size)
			b.Run("writer/"+at, func(b *testing.B) {
				w := newTestWriter(b, io.Discard, f, Interface{LinkType: 1, Resolution: Micro})
				b.ReportAllocs()
				for i := range b.N {
					if err := w.WriteFrame(1_700_000_000_000_000_000+int64(i)*1000, 0, frame, uint32(size)); err != nil {
						b.Fatal(err)
					}
				}
				perFrame(b, size)
			})
		}
	}
}

// BenchmarkWriteBuffer compares lengths of the buffer, with a file below.
func BenchmarkWriteBuffer(b *testing.B) {
	for _, kib := range []int{260, 512, 1024, 2048} {
		for _, size := range sizes {
			b.Run(fmt.Sprintf("%dKiB/%d", kib, size), func(b *testing.B) {
				file, err := os.Create(filepath.Join(b.TempDir(), "out"))
				if err != nil {
					b.Fatal(err)
				}
				defer file.Close()
				w, _ := newWriter(file, FormatPcap, kib<<10)
				w.AddInterface(Interface{LinkType: 1, Resolution: Micro})
				frame := make([]byte, size)
				b.ResetTimer()
				for i := range b.N {
					if err := w.WriteFrame(int64(i)*1000, 0, frame, uint32(size)); err != nil {
						b.Fatal(err)
					}
					if w.base > 64<<20 { // stay in the page cache
						file.Seek(0, io.SeekStart)
						w.base = 24
					}
				}
				perFrame(b, size)
			})
		}
	}
}
