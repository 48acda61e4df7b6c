//go:build linux

package afxdp

import (
	"fmt"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

// forward joins two hosts, left and right, by two ports of m.
func forward(t *testing.T, m Mode, mtu int) (left, right *netlab.Namespace, f *joined.Forward) {
	t.Helper()
	lab := netlab.New(t)
	middle := lab.Namespace("middle")
	left, right = lab.Host(1, middle, "left0", mtu), lab.Host(2, middle, "right0", mtu)
	o := port.Options{
		Pool:  newPool(t, pool.Config{Count: 16384}),
		Large: pooltest.New(t, pool.Config{Name: "large", BufferSize: port.LargeBufferSize, Count: 512}),
	}
	p1, p2 := mustOpen(t, cable{a: middle, ifA: "left0"}, o, Config{Mode: m}), mustOpen(t, cable{a: middle, ifA: "right0"}, o, Config{Mode: m})
	return left, right, joined.Start(t, vswitch.ForwardConfig{In: p1, Out: p2, Both: true})
}

// TestForward: two hosts with their offloads at the defaults reach each other through two ports, by ping, TCP both ways and
// UDP, and every frame is accounted for.
func TestForward(t *testing.T) {
	need.Program(t, "iperf3")
	for _, mtu := range []int{1500, 9000} {
		for _, m := range both {
			if testing.Short() && (mtu == 1500) != (m == ModeCopy) {
				continue // each mode once, and each MTU
			}
			t.Run(fmt.Sprintf("%s %d", m, mtu), func(t *testing.T) {
				left, right, f := forward(t, m, mtu)
				for _, to := range []string{"10.0.0.2", "fd00::2"} {
					if !left.WaitPing(to, 10*time.Second) {
						t.Fatalf("no answer from %s", to)
					}
				}
				size := mtu - 28
				if r := left.Ping("10.0.0.2", netlab.PingOptions{Size: size, DontFragment: true}); r.Received != r.Sent {
					t.Errorf("of %d pings with a full frame %d were answered", r.Sent, r.Received)
				} else {
					t.Logf("ping of a full frame: %v", r.Avg)
				}
				for _, reverse := range []bool{false, true} {
					for _, to := range []string{"10.0.0.2", "fd00::2"} {
						r, err := netlab.Transfer(right, left, to, netlab.TCPOptions{Reverse: reverse})
						if err != nil {
							t.Fatalf("TCP to %s, reverse %v: %v", to, reverse, err)
						}
						if r.Bytes < 1<<20 {
							t.Errorf("TCP to %s, reverse %v: %d bytes came through", to, reverse, r.Bytes)
						}
						t.Logf("TCP to %s, reverse %v: %.2f Gbit/s, %d retransmits", to, reverse, r.BitsPerSecond/1e9, r.Retransmits)
					}
				}
				u, err := netlab.UDP(right, left, "10.0.0.2", time.Second, netlab.UDPOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if u.Far < u.Sent*9/10 {
					t.Errorf("UDP: %d sent, %d came to the far interface", u.Sent, u.Far)
				}
				s := f.Stop()
				t.Logf("%d received, %d segments more, %d dropped", s.Received(), s.Segments(), s.Dropped())
			})
		}
	}
}
