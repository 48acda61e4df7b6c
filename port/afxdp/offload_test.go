//go:build linux

package afxdp

import (
	"encoding/binary"
	"testing"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// unfinished makes an IPv4 frame of n bytes whose checksum is the pseudo header's sum alone, as a host leaves it to its device.
func unfinished(proto byte, n int) []byte {
	header := map[byte]int{6: 20, 17: 8}[proto]
	at := map[byte]int{6: 16, 17: 6}[proto]
	f := ip4(proto, 0, 0x4000, make([]byte, n-34)...)
	binary.BigEndian.PutUint16(f[16:], uint16(n-14))
	l4 := f[34:]
	copy(l4, ports(1000, 2000))
	if proto == 6 {
		l4[12] = 0x50
	} else {
		binary.BigEndian.PutUint16(l4[4:], uint16(len(l4)))
	}
	for i := range l4[header:] {
		l4[header+i] = byte(i * 7)
	}
	sum := uint32(proto) + uint32(len(l4))
	for i := 26; i < 34; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(f[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(l4[at:], uint16(sum))
	return f
}

// TestMark: what is left to do on a frame is seen in it, and what can't be known is not guessed.
func TestMark(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	small := newPool(t, pool.Config{})
	large := pooltest.New(t, pool.Config{Name: "large", BufferSize: port.LargeBufferSize, Count: 8})
	x := mustOpen(t, c, port.Options{Pool: small, Large: large}, Config{Mode: ModeGeneric}).(*afxdp)
	finished := ip4(17, 0, 0, append(ports(1, 2), 0, 12, 0, 0, 1, 2, 3, 4)...) // UDP without a checksum
	var bufs []pool.Buffer
	for _, f := range [][]byte{unfinished(6, 200), unfinished(17, 1514), unfinished(17, 4000), unfinished(6, 4000), finished, frame(60, 1)} {
		buf, err := large.CopyIn(f)
		if err != nil {
			t.Fatal(err)
		}
		bufs = append(bufs, buf)
	}
	n := x.mark(bufs)
	if n != 5 {
		t.Fatalf("%d frames are left", n)
	}
	x.RxShard.Publish()
	if d := x.Stats().RxDrops; d[stats.ReasonTooLong] != 1 {
		t.Errorf("datagrams of unknown size: %v", d)
	}
	for i, want := range []pool.Offload{
		{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16},
		{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6},
		{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: pool.GSOTCP4, SegmentSize: 1460},
		{},
		{},
	} {
		if got, _ := bufs[i].Offload(); got != want {
			t.Errorf("frame %d: %+v, want %+v", i, got, want)
		}
	}
	pool.ReleaseBurst(bufs[:n])
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
