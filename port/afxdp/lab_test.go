//go:build linux

// What the tests of this package share: a veth pair, with the port at one end and a packet socket at the other.

package afxdp

import (
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netif"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func TestMain(m *testing.M) {
	childOpens()
	goleak.VerifyTestMain(m)
}

// cable is a veth pair: the port goes to end a, the test is at end b.
type cable struct {
	a, b     *netlab.Namespace
	ifA, ifB string
}

var cables atomic.Int64

// veths makes two namespaces without a word from the kernel, to be joined by cables.
func veths(t testing.TB) (a, b *netlab.Namespace) {
	lab := netlab.New(t)
	a, b = lab.Namespace("port"), lab.Namespace("far")
	for _, n := range []*netlab.Namespace{a, b} {
		n.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
		n.Sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	}
	return a, b
}

// connect makes one more pair between the namespaces.
func connect(a, b *netlab.Namespace, queues, mtu int) cable {
	n := cables.Add(1)
	c := cable{a, b, fmt.Sprint("a", n), fmt.Sprint("b", n)}
	q := fmt.Sprint(queues)
	a.IP("link", "add", c.ifA, "mtu", fmt.Sprint(mtu), "numrxqueues", q, "numtxqueues", q, "type", "veth",
		"peer", "name", c.ifB, "mtu", fmt.Sprint(mtu), "numrxqueues", q, "numtxqueues", q, "netns", b.Name())
	a.IP("link", "set", c.ifA, "up")
	b.IP("link", "set", c.ifB, "up")
	return c
}

// remove deletes the pair.
func (c cable) remove() { c.a.IP("link", "del", c.ifA) }

// open opens a port at the cable's end.
func (c cable) open(o port.Options, config Config) (p port.Port, err error) {
	c.a.Do(func() { p, err = Open(c.ifA, o, config) })
	return p, err
}

func mustOpen(t testing.TB, c cable, o port.Options, config Config) port.Port {
	t.Helper()
	p, err := c.open(o, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return p
}

// newPool makes a pool for AF_XDP that must be whole at the end.
func newPool(t testing.TB, c pool.Config) *pool.Pool {
	t.Helper()
	c.UMEM = true
	if c.Name == "" {
		c.Name = t.Name()
	}
	return pooltest.New(t, c)
}

// far is a packet socket at the other end.
type far struct {
	t      fataler
	socket int
	index  int
}

type fataler interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

func (c cable) far(t fataler) *far {
	f := &far{t: t}
	var err error
	c.b.Do(func() {
		var d device
		if d, err = lookup(c.ifB); err != nil {
			return
		}
		f.index = d.index
		if f.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(netif.NetworkOrder(unix.ETH_P_ALL))); err != nil {
			return
		}
		err = unix.Bind(f.socket, &unix.SockaddrLinklayer{Protocol: netif.NetworkOrder(unix.ETH_P_ALL), Ifindex: d.index})
	})
	if err != nil {
		t.Fatalf("the other end: %v", err)
	}
	_ = unix.SetsockoptInt(f.socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20)
	_ = unix.SetsockoptInt(f.socket, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	return f
}

func (f *far) feed(frames [][]byte) {
	for _, frame := range frames {
		if err := unix.Sendto(f.socket, frame, 0, &unix.SockaddrLinklayer{Ifindex: f.index}); err != nil {
			f.t.Errorf("the other end, %d bytes: %v", len(frame), err)
			return
		}
	}
}

// sent returns what has come, and waits up to ten seconds for n frames.
func (f *far) sent(n int) (frames [][]byte) {
	buf := make([]byte, 70000)
	end := time.Now().Add(10 * time.Second)
	for {
		k, _, err := unix.Recvfrom(f.socket, buf, unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			frames = append(frames, slices.Clone(buf[:k]))
		case len(frames) >= n || time.Now().After(end):
			return frames
		default:
			p := []unix.PollFd{{Fd: int32(f.socket), Events: unix.POLLIN}}
			_, _ = unix.Poll(p, 100)
		}
	}
}

func (f *far) close() { _ = unix.Close(f.socket) }

// frame makes a frame of n bytes.
func frame(n int, fill byte) []byte {
	f := make([]byte, n)
	for i := range f {
		f[i] = fill
	}
	copy(f, []byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5})
	return f
}

// receive receives n frames, within ten seconds.
func receive(t testing.TB, p port.Port, n int) (frames [][]byte) {
	t.Helper()
	bufs := make([]pool.Buffer, 64)
	for end := time.Now().Add(10 * time.Second); len(frames) < n; {
		k, err := p.Rx(bufs)
		for _, b := range bufs[:k] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("%d frames of %d came: %v\n%v", len(frames), n, err, p.Stats())
		}
		if k == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return frames
}

// transmit sends all of bufs, within ten seconds.
func transmit(t testing.TB, p port.Port, bufs ...pool.Buffer) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); len(bufs) > 0; {
		n, err := p.Tx(bufs)
		if err != nil || time.Now().After(end) {
			pool.ReleaseBurst(bufs[n:])
			t.Fatalf("%d frames were not taken: %v", len(bufs)-n, err)
		}
		if bufs = bufs[n:]; len(bufs) > 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
