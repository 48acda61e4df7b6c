//go:build linux

package afxdp

import (
	"bytes"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// TestVLAN: frames with a tag pass, those too that are longer than the MTU by no more than that; without a tag
// such ones are dropped.
func TestVLAN(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		p := newPool(t, pool.Config{})
		x := mustOpen(t, c, port.Options{Pool: p}, Config{Mode: m})
		other := c.far(t)
		defer other.close()
		tagged := func(n int) []byte {
			f := frame(n, 9)
			copy(f[12:], []byte{0x81, 0, 0, 7, 0x88, 0xb5})
			return f
		}
		frames := [][]byte{tagged(60), tagged(1518)}
		other.feed(frames)
		for i, f := range receive(t, x, 2) {
			if !bytes.Equal(f, frames[i]) {
				t.Errorf("received %d: %x…", i, f[:18])
			}
		}
		for _, f := range append(frames, tagged(1519), frame(1515, 1), frame(1514, 2)) {
			buf, err := p.CopyIn(f)
			if err != nil {
				t.Fatal(err)
			}
			transmit(t, x, buf)
		}
		// The far kernel takes a tag out of the frame.
		want := [][]byte{slices.Delete(slices.Clone(frames[0]), 12, 16), slices.Delete(slices.Clone(frames[1]), 12, 16), frame(1514, 2)}
		got := other.sent(3)
		if len(got) != 3 {
			t.Fatalf("%d frames came out", len(got))
		}
		for i, f := range got {
			if !bytes.Equal(f, want[i]) {
				t.Errorf("sent %d: %d bytes, %x…", i, len(f), f[:18])
			}
		}
		if s := x.Stats(); s.TxPackets != 3 || s.TxDrops[stats.ReasonTooLong] != 2 {
			t.Errorf("%v", s)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}
