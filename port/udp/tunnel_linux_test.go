package udp_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/vswitch"
)

// forward joins an interface and a tunnel in a namespace until the test ends.
func forward(t *testing.T, n *netlab.Namespace, ifname, tunnel string) (ports [2]port.Port) {
	t.Helper()
	small, err := pool.New(pool.Config{Count: 8192, Track: 64})
	if err != nil {
		t.Fatal(err)
	}
	large, err := pool.New(pool.Config{Name: "large", Count: 1024, BufferSize: port.LargeBufferSize, Track: 64})
	if err != nil {
		t.Fatal(err)
	}
	n.Do(func() {
		for i, name := range []string{"afpacket:" + ifname, tunnel} {
			if ports[i], err = port.Open(name, port.Options{Pool: small, Large: large}); err != nil {
				t.Fatal(err)
			}
		}
	})
	f, err := vswitch.NewForward(vswitch.ForwardConfig{In: ports[0], Out: ports[1], Both: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		err := <-done
		if s := f.Stats(); s.Received()+s.Segments() != s.Sent()+s.Dropped()+uint64(s.InFlight) {
			t.Errorf("received %d + segments %d, sent %d + dropped %d + in flight %d", s.Received(), s.Segments(), s.Sent(), s.Dropped(), s.InFlight)
		}
		if err := errors.Join(err, ports[0].Close(), ports[1].Close(), small.Close(), large.Close()); err != nil {
			t.Error(err)
		}
	})
	return ports
}

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
			a, b, ra, rb := lab.Namespace("a"), lab.Namespace("b"), lab.Namespace("ra"), lab.Namespace("rb")
			lab.Veth(a, "e0", ra, "e0", 1500)
			lab.Veth(b, "e0", rb, "e0", 1500)
			lab.Veth(ra, "u0", rb, "u0", c.mtu)
			a.Addr("e0", "10.7.0.1/24")
			b.Addr("e0", "10.7.0.2/24")
			ra.Addr("u0", "10.9.0.1/24")
			rb.Addr("u0", "10.9.0.2/24")
			ra.IP("addr", "add", "fd09::1/64", "dev", "u0")
			rb.IP("addr", "add", "fd09::2/64", "dev", "u0")
			ports := forward(t, ra, "e0", "udp:"+c.one+":7000>"+c.two+":7000"+c.keys)
			forward(t, rb, "e0", "udp:"+c.two+":7000>"+c.one+":7000"+c.keys)
			if !a.WaitPing("10.7.0.2", 5*time.Second) {
				t.Fatal("no answer")
			}
			if r := a.Ping("10.7.0.2", netlab.PingOptions{Size: 1472, DontFragment: true, Count: 20}); r.Received != r.Sent {
				t.Errorf("the longest frames: %+v", r)
			}
			for _, o := range []netlab.TCPOptions{{}, {Reverse: true}} {
				r, err := netlab.Transfer(b, a, "10.7.0.2", o)
				if err != nil {
					t.Errorf("TCP %+v: %v", o, err)
				}
				t.Logf("TCP %+v: %.2f Gbit/s, %d retransmitted", o, r.BitsPerSecond/1e9, r.Retransmits)
			}
			ra.IP("link", "set", "u0", "down")
			a.Ping("10.7.0.2", netlab.PingOptions{Wait: 50 * time.Millisecond})
			ra.IP("link", "set", "u0", "up")
			ra.IP("addr", "replace", "fd09::1/64", "dev", "u0") // the kernel took it away
			if !a.WaitPing("10.7.0.2", 5*time.Second) {
				t.Errorf("no answer after the underlay was gone; dropped: %v, %+v", ports[1].Stats().TxDrops, ports[1].Info())
			}
		})
	}
}
