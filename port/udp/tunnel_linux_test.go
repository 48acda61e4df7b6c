package udp_test

import (
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	_ "github.com/ringway-net/ringway/port/afpacket"
)

// TestTunnel: two hosts are joined by a tunnel, over an underlay with room for their frames, and over one where IP fragments
// them; and it survives that the underlay goes and comes back.
func TestTunnel(t *testing.T) {
	for _, c := range []struct {
		name, one, two, keys string
		mtu                  int
	}{
		{"Jumbo", "10.9.0.1", "10.9.0.2", "", 9000},
		{"Fragments", "10.9.0.1", "10.9.0.2", ",mtu=1514", 1500},
		{"IPv6", "[fd09::1]", "[fd09::2]", "", 9000},
		{"OneByOne", "10.9.0.1", "10.9.0.2", ",gso=off", 9000},
	} {
		t.Run(c.name, func(t *testing.T) {
			testkit.Watchdog(t)
			lab := netlab.New(t)
			ra, rb := lab.Namespace("ra"), lab.Namespace("rb")
			a, b := lab.Host(1, ra, "e0", 1500), lab.Host(2, rb, "e0", 1500)
			lab.Veth(ra, "u0", rb, "u0", c.mtu)
			ra.Addr("u0", "10.9.0.1/24")
			rb.Addr("u0", "10.9.0.2/24")
			ra.IP("addr", "add", "fd09::1/64", "dev", "u0")
			rb.IP("addr", "add", "fd09::2/64", "dev", "u0")
			f := joined.Between(t, ra, "afpacket:e0", "udp:"+c.one+":7000>"+c.two+":7000"+c.keys)
			joined.Between(t, rb, "afpacket:e0", "udp:"+c.two+":7000>"+c.one+":7000"+c.keys)
			if !a.WaitPing("10.0.0.2", 5*time.Second) {
				t.Fatal("no answer")
			}
			if r := a.Ping("10.0.0.2", netlab.PingOptions{Size: 1472, DontFragment: true, Count: 20}); r.Received != r.Sent {
				t.Errorf("the longest frames: %+v", r)
			}
			for _, o := range []netlab.TCPOptions{{}, {Reverse: true}} {
				r, err := netlab.Transfer(b, a, "10.0.0.2", o)
				if err != nil {
					t.Errorf("TCP %+v: %v", o, err)
				}
				t.Logf("TCP %+v: %.2f Gbit/s, %d retransmitted", o, r.BitsPerSecond/1e9, r.Retransmits)
			}
			ra.IP("link", "set", "u0", "down")
			a.Ping("10.0.0.2", netlab.PingOptions{Wait: 50 * time.Millisecond})
			ra.IP("link", "set", "u0", "up")
			ra.IP("addr", "replace", "fd09::1/64", "dev", "u0") // the kernel took it away
			if !a.WaitPing("10.0.0.2", 5*time.Second) {
				t.Errorf("no answer after the underlay was gone; dropped: %v, %+v", f.Ports[1].Stats().TxDrops, f.Ports[1].Info())
			}
		})
	}
}
