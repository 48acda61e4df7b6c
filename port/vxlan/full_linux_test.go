package vxlan_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/vxlan"
	"github.com/ringway-net/ringway/stats"
)

// TestFull: the underlay is slow, the socket's buffer is full again and again, and nothing is lost but copies, which are told.
// Then it becomes narrow, and runs that have become too long are no more sent.
func TestFull(t *testing.T) {
	testkit.Watchdog(t)
	need.Program(t, "tc")
	const frames = 640
	for _, addrs := range [][]string{{"10.9.0.1"}, {"10.9.0.1", "10.9.0.3"}} {
		lab := netlab.New(t)
		h, r := lab.Namespace("h"), lab.Namespace("r")
		lab.Veth(h, "u0", r, "u0", 1500)
		h.Addr("u0", "10.9.0.1/24", "10.9.0.3/24")
		r.Addr("u0", "10.9.0.2/24")
		r.Run("tc", "qdisc", "replace", "dev", "u0", "root", "tbf", "rate", "50mbit", "burst", "100kb", "limit", "100mb")
		var nodes []*node
		h.Do(func() {
			for _, a := range addrs {
				nodes = append(nodes, newNode(t, netip.AddrPortFrom(netip.MustParseAddr(a), 4789), 7))
			}
		})
		small, err := pool.New(pool.Config{Count: 2048, Track: 1})
		if err != nil {
			t.Fatal(err)
		}
		var p port.Port
		r.Do(func() {
			p, err = vxlan.Open(port.Options{Pool: small}, vxlan.Config{Peers: peers(addrs...), VNI: 7, SendBuf: 32 << 10})
		})
		if err != nil {
			t.Fatal(err)
		}
		full := 0
		send := func(n, size int) {
			t.Helper()
			for sent := 0; sent < n; {
				var bufs []pool.Buffer
				for i := range min(64, n-sent) {
					f := make([]byte, size)
					copy(f, []byte{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, byte((sent + i) >> 8), byte(sent + i)})
					b, err := small.CopyIn(f)
					if err != nil {
						t.Fatal(err)
					}
					bufs = append(bufs, b)
				}
				k, err := p.Tx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				pool.ReleaseBurst(bufs[k:])
				sent += k
				if k < len(bufs) {
					full++
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					if err := p.WaitTx(ctx); err != nil {
						t.Fatal(err)
					}
					cancel()
				}
			}
		}
		send(frames, 1000)
		if full == 0 {
			t.Error("the socket was never full")
		}
		s := p.Stats()
		if s.TxPackets != frames || s.TxDropped() != 0 {
			t.Errorf("%d sent, dropped %v", s.TxPackets, s.TxDrops)
		}
		got := 0
		for _, n := range nodes {
			came := n.take(frames - 10*len(addrs))
			for i, last := 0, -1; i < len(came); i++ {
				number := int(came[i][14])<<8 | int(came[i][15])
				if number <= last {
					t.Fatalf("frame %d after %d", number, last)
				}
				last = number
			}
			got += len(came)
		}
		lost := 0
		for _, note := range p.Info().Notes {
			_, _ = fmt.Sscanf(note, "%d copies", &lost)
		}
		t.Logf("%d peers: full %d times, %d copies were lost", len(addrs), full, lost)
		if got+lost != frames*len(addrs) || len(addrs) == 1 && lost > 0 {
			t.Errorf("%d datagrams came, and %d copies were lost, of %d frames to %d peers", got, lost, frames, len(addrs))
		}

		r.IP("link", "set", "u0", "mtu", "1000")
		send(64, 1200)
		if d := p.Stats().TxDrops[stats.ReasonTooLong]; d != 64 {
			t.Errorf("of 64 frames too long for the underlay, %d were dropped for it: %v", d, p.Stats().TxDrops)
		}
		send(64, 500)
		for i, n := range nodes {
			if came := n.take(64); len(came) != 64 {
				t.Errorf("of 64 short frames, %d came to peer %d", len(came), i)
			}
		}
		if mode := p.Info().Mode; len(addrs) == 1 && !strings.Contains(mode, "up to") {
			t.Errorf("runs of long datagrams were refused, and the mode is %s", mode)
		}
		for _, n := range nodes {
			n.close()
		}
		if err := errors.Join(p.Close(), small.Close()); err != nil {
			t.Error(err)
		}
	}
}
