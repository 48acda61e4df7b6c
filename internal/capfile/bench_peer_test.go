// The same work done by gopacket's pcapgo, for a comparison on one machine:
//
//	go test -run '^$' -bench 'Read|Write$|Peer' -cpu 1 ./internal/capfile

package capfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

func BenchmarkPeerRead(b *testing.B) {
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		for _, size := range sizes {
			at := fmt.Sprintf("%v/%d", f, size)
			type peer interface {
				ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
				ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
			}
			newPeer := func(file []byte) (r peer) {
				var err error
				if f == FormatPcap { // it reads 16 bytes at a time and leaves buffering to us
					r, err = pcapgo.NewReader(bufio.NewReaderSize(bytes.NewReader(file), 1<<20))
				} else {
					r, err = pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
				}
				if err != nil {
					b.Fatal(err)
				}
				return r
			}
			b.Run("pcapgo/"+at, func(b *testing.B) {
				benchRead(b, f, size, func(file []byte) func() error {
					r := newPeer(file)
					return func() error { _, _, err := r.ReadPacketData(); return err }
				})
			})
			b.Run("pcapgo_zerocopy/"+at, func(b *testing.B) {
				benchRead(b, f, size, func(file []byte) func() error {
					r := newPeer(file)
					return func() error { _, _, err := r.ZeroCopyReadPacketData(); return err }
				})
			})
		}
	}
}

func BenchmarkPeerWrite(b *testing.B) {
	for _, f := range []Format{FormatPcap, FormatPcapNG} {
		for _, size := range sizes {
			at := fmt.Sprintf("%v/%d", f, size)
			frame := make([]byte, size)
			b.Run("pcapgo/"+at, func(b *testing.B) {
				var write func(gopacket.CaptureInfo, []byte) error
				if f == FormatPcap {
					w := pcapgo.NewWriter(bufio.NewWriterSize(io.Discard, writeBuffer))
					w.WriteFileHeader(MaxFrame, layers.LinkTypeEthernet)
					write = w.WritePacket
				} else {
					w, err := pcapgo.NewNgWriter(io.Discard, layers.LinkTypeEthernet)
					if err != nil {
						b.Fatal(err)
					}
					write = w.WritePacket
				}
				b.ReportAllocs()
				b.ResetTimer()
				for i := range b.N {
					ci := gopacket.CaptureInfo{Timestamp: time.Unix(1_700_000_000, int64(i)*1000), CaptureLength: size, Length: size}
					if err := write(ci, frame); err != nil {
						b.Fatal(err)
					}
				}
				perFrame(b, size)
			})
		}
	}
}
