//go:build unix

package udp_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/porttest"
	"github.com/ringway-net/ringway/port/udp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long to wait for a frame: a while if it should come, and otherwise hardly, since what was sent over the
// loopback has come.
func patience(missing bool) time.Duration {
	if missing {
		return 2 * time.Second
	}
	return 20 * time.Millisecond
}

// plain is a port whose other end is a socket of the net package.
func plain(ip string) porttest.Kind {
	return porttest.Kind{
		Name:  "udp",
		Does:  port.Both,
		Lossy: os.Geteuid() != 0, // without root a socket's buffer is small
		Open: func(t porttest.TB, e porttest.Env) *porttest.Link {
			peer, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
			if err != nil {
				t.Fatalf("%v", err)
			}
			_ = peer.SetReadBuffer(8 << 20)
			p, err := udp.Open(e.Options, udp.Config{
				Local:  netip.AddrPortFrom(netip.MustParseAddr(ip), 0),
				Remote: peer.LocalAddr().(*net.UDPAddr).AddrPort(),
			})
			if err != nil {
				t.Fatalf("%v", err)
			}
			sent := func(n int) (frames [][]byte) {
				b := make([]byte, 1<<16)
				for {
					_ = peer.SetReadDeadline(time.Now().Add(patience(len(frames) < n)))
					k, _, err := peer.ReadFromUDPAddrPort(b)
					if err != nil {
						return frames
					}
					frames = append(frames, slices.Clone(b[:k]))
				}
			}
			feed := func(frames [][]byte) {
				for i, f := range frames {
					if _, err := peer.WriteToUDPAddrPort(f, p.Local()); err != nil {
						t.Errorf("the other end: %v", err)
					}
					if i%100 == 99 {
						time.Sleep(time.Millisecond)
					}
				}
			}
			feed(e.Frames)
			return &porttest.Link{
				Port: p,
				Feed: feed,
				Sent: sent,
				Done: func() { _ = peer.Close() },
			}
		},
		String: func(porttest.TB, port.Direction) string { return "udp:>" + net.JoinHostPort(ip, "9") },
	}
}

// pair is a port whose other end is one too, both with buffers for runs.
func pair(runs string) porttest.Kind {
	k := plain("127.0.0.1")
	k.Open = func(t porttest.TB, e porttest.Env) *porttest.Link {
		large, err := pool.New(pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize, Track: 1})
		if err != nil {
			t.Fatalf("%v", err)
		}
		return pairAt(t, e, free(t), large, runs)
	}
	return k
}

// free returns two addresses that nobody has: each end needs to know where the other one will be.
func free(t interface {
	Fatalf(string, ...any)
}) (addr [2]netip.AddrPort) {
	for i := range addr {
		s, err := udpsock.Open(udpsock.Config{Local: netip.MustParseAddrPort("127.0.0.1:0")})
		if err != nil {
			t.Fatalf("%v", err)
		}
		addr[i] = s.Local
		defer func() { _ = s.Close() }() // both are held until both are known
	}
	return addr
}

func pairAt(t porttest.TB, e porttest.Env, addr [2]netip.AddrPort, large *pool.Pool, runs string) *porttest.Link {
	e.Options.Large = large
	var ports [2]*udp.Port
	for i, o := range []port.Options{e.Options, {Pool: e.Other, Large: large}} {
		var err error
		for try := 0; ; try++ { // somebody else may have come between
			ports[i], err = udp.Open(o, udp.Config{Local: addr[i], Remote: addr[1-i], Runs: runs})
			if err == nil || try == 20 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	p, peer := ports[0], ports[1]
	sent := func(want int) (frames [][]byte) {
		bufs := make([]pool.Buffer, 64)
		for {
			n, err := peer.Rx(bufs)
			for _, b := range bufs[:n] {
				frames = append(frames, slices.Clone(b.Bytes()))
				b.Release()
			}
			if err == nil && n == 0 {
				ctx, cancel := context.WithTimeout(context.Background(), patience(len(frames) < want))
				err = peer.WaitRx(ctx)
				cancel()
			}
			if err != nil {
				return frames
			}
		}
	}
	feed := func(frames [][]byte) {
		for some := range slices.Chunk(frames, 64) { // together, so that there are runs
			var bufs []pool.Buffer
			for _, f := range some {
				b, err := e.Other.CopyIn(f)
				if err != nil {
					t.Errorf("no buffer for the other end: %v", err)
					break
				}
				bufs = append(bufs, b)
			}
			if n, err := peer.Tx(bufs); n != len(bufs) || err != nil {
				pool.ReleaseBurst(bufs[n:])
				t.Errorf("the other end's Tx of %d: %d, %v", len(bufs), n, err)
			}
			time.Sleep(time.Millisecond)
		}
	}
	feed(e.Frames)
	return &porttest.Link{
		Port: p,
		Feed: feed,
		Sent: sent,
		Done: func() {
			if err := peer.Close(); err != nil {
				t.Errorf("%v", err)
			}
			if err := large.Close(); err != nil {
				t.Errorf("large buffers are left: %v", err)
			}
		},
	}
}

func TestConformance(t *testing.T) {
	t.Run("IPv4", func(t *testing.T) { porttest.Run(t, plain("127.0.0.1")) })
	t.Run("IPv6", func(t *testing.T) { porttest.Run(t, plain("::1")) })
	t.Run("Pair", func(t *testing.T) { porttest.Run(t, pair(udp.Auto)) })
	t.Run("PairOneByOne", func(t *testing.T) { porttest.Run(t, pair(udp.Off)) })
}
