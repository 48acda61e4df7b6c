package all_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// The same faults on every kind that has to do with the world, under traffic both ways. What is peculiar to a kind, the tests
// of its package have; docs/reliability.md has the table.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// link is a port's attachment, and what can happen to it.
type link struct {
	port    string        // its string
	in      func(func())  // calls its argument in the port's namespace
	feed    func()        // sends the port a frame, if there is a way now
	arrived func() uint64 // how many frames have come from the port

	vanish, back func() // the peer goes, and one comes
	last         bool   // the first peer is the last one: without it the port is at its end
	down, up     func() // the interface
	remove       func() // deletes it
	survives     bool   // the port, without its interface: there may be another way to the peer
	jam, clear   func() // nothing gets off any more
	left         func() string
}

// kinds are the ways to be attached, each with what can happen to it: letters of faults. AF_XDP sends past what could be jammed, and a
// tap gives what is sent to the kernel at once; a socket has no interface.
var kinds = []struct {
	name   string
	attach func(t *testing.T) *link
	faults string
}{
	{"afpacket", func(t *testing.T) *link { return cable(t, "afpacket:eth0,sndbuf=131072") }, "VDXFO"},
	{"afxdp-copy", func(t *testing.T) *link { return cable(t, "afxdp:eth0,mode=copy,ring=256") }, "VDXO"},
	{"afxdp-generic", func(t *testing.T) *link { return cable(t, "afxdp:eth0,mode=generic,ring=256") }, "VDXO"},
	{"tap", tap, "DXO"},
	{"udp", func(t *testing.T) *link { return underlay(t, "udp:10.9.0.2:7000>10.9.0.1:7000,sndbuf=32k", 7000, nil) }, "VDXFO"},
	{"vxlan", func(t *testing.T) *link {
		return underlay(t, "vxlan:10.9.0.1,vni=7,local=10.9.0.2,sndbuf=32k", 4789, []byte{8, 0, 0, 0, 0, 0, 7, 0})
	}, "VDXFO"},
	{"unix-dgram-dial", func(t *testing.T) *link { return datagrams(t, false) }, "VFO"},
	{"unix-dgram-serve", func(t *testing.T) *link { return datagrams(t, true) }, "VFO"},
	{"unix-stream-dial", func(t *testing.T) *link { return stream(t, false) }, "VFO"},
	{"unix-stream-serve", func(t *testing.T) *link { return stream(t, true) }, "VFO"},
}

var frame = append([]byte{2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x88, 0xb5}, make([]byte, 186)...)

// raw returns what sends frames by an interface.
func raw(t *testing.T, n *netlab.Namespace, ifname string) func() {
	var num int
	var err error
	var i *net.Interface
	n.Do(func() {
		if i, err = net.InterfaceByName(ifname); err == nil {
			num, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(num) })
	return func() { _ = unix.Sendto(num, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}) }
}

// quiet keeps the kernel from sending frames of its own.
func quiet(n *netlab.Namespace) { n.Sysctl("net.ipv6.conf.default.disable_ipv6", "1") }

// cable is a veth whose near end is the port's.
func cable(t *testing.T, port string) *link {
	lab := netlab.New(t)
	near, far := lab.Namespace("near"), lab.Namespace("far")
	quiet(near)
	quiet(far)
	lab.Veth(near, "eth0", far, "eth0", 1500)
	l := &link{
		port: port, in: near.Do, feed: raw(t, far, "eth0"),
		arrived: func() uint64 { return far.LinkStats("eth0").RxPackets },
		vanish:  func() { far.IP("link", "set", "eth0", "down") },
		back:    func() { far.IP("link", "set", "eth0", "up") },
		down:    func() { near.IP("link", "set", "eth0", "down") },
		up:      func() { near.IP("link", "set", "eth0", "up") },
		remove:  func() { near.IP("link", "delete", "eth0") },
		left: func() (left string) {
			if s := near.IP("-d", "link", "show", "eth0"); !strings.Contains(s, "promiscuity 0") || strings.Contains(s, "xdp") {
				left = s
			}
			return left + sockets(near, "packet")
		},
	}
	l.jam, l.clear = jam(t, near, "eth0")
	return l
}

// jam returns what lets hardly anything pass any more, and what ends that.
func jam(t *testing.T, n *netlab.Namespace, ifname string) (jam, clear func()) {
	need.Program(t, "tc")
	return func() {
			n.Run("tc", "qdisc", "replace", "dev", ifname, "root", "tbf", "rate", "8kbit", "burst", "2kb", "limit", "100mb")
		}, func() {
			n.Run("tc", "qdisc", "delete", "dev", ifname, "root")
		}
}

// sockets returns the sockets of a namespace in a table of /proc/net, or "" if there are none.
func sockets(n *netlab.Namespace, table string) (all string) {
	n.Do(func() {
		text, err := os.ReadFile("/proc/thread-self/net/" + table)
		if _, rest, _ := strings.Cut(string(text), "\n"); err != nil || rest != "" {
			all = fmt.Sprint(err, string(text))
		}
	})
	return all
}

// tap is a device that is there already.
func tap(t *testing.T) *link {
	n := netlab.New(t).Namespace("n")
	quiet(n)
	n.IP("tuntap", "add", "tap0", "mode", "tap", "multi_queue")
	n.IP("link", "set", "tap0", "up")
	return &link{
		port: "tap:tap0", in: n.Do, feed: raw(t, n, "tap0"),
		arrived: func() uint64 { return n.LinkStats("tap0").RxPackets },
		down:    func() { n.IP("link", "set", "tap0", "down") },
		up:      func() { n.IP("link", "set", "tap0", "up") },
		remove:  func() { n.IP("link", "delete", "tap0") },
		left:    func() string { return "" },
	}
}

// underlay is a cable that carries datagrams, each of which is head and a frame, to a socket at its far end.
func underlay(t *testing.T, port string, number uint16, head []byte) *link {
	lab := netlab.New(t)
	near, far := lab.Namespace("near"), lab.Namespace("far")
	lab.Veth(near, "u0", far, "u0", 1500)
	near.Addr("u0", "10.9.0.2/24")
	far.Addr("u0", "10.9.0.1/24")
	var arrived atomic.Uint64
	var peer atomic.Pointer[net.UDPConn]
	listen := func() {
		var c *net.UDPConn
		var err error
		far.Do(func() {
			c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("10.9.0.1"), number)))
		})
		if err != nil {
			t.Fatal(err)
		}
		peer.Store(c)
		go count(c, &arrived, nil)
	}
	listen()
	t.Cleanup(func() { _ = peer.Load().Close() })
	to := netip.AddrPortFrom(netip.MustParseAddr("10.9.0.2"), number)
	datagram := append(head, frame...)
	l := &link{
		port: port, in: near.Do, arrived: arrived.Load,
		feed:   func() { _, _ = peer.Load().WriteToUDPAddrPort(datagram, to) },
		vanish: func() { _ = peer.Load().Close() }, back: listen,
		down:   func() { near.IP("link", "set", "u0", "down") },
		up:     func() { near.IP("link", "set", "u0", "up") },
		remove: func() { near.IP("link", "delete", "u0") }, survives: true,
		left: func() string { return sockets(near, "udp") },
	}
	l.jam, l.clear = jam(t, near, "u0")
	return l
}

// count counts what can be read from a socket, except while jammed.
func count(c net.Conn, n *atomic.Uint64, jammed *atomic.Bool) {
	b := make([]byte, 1<<16)
	for {
		if jammed != nil && jammed.Load() {
			time.Sleep(time.Millisecond)
			continue
		}
		_, err := c.Read(b)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
			return
		}
		if err == nil { // others are of datagrams sent before
			n.Add(1)
		}
	}
}

// socketLink is what the links by sockets of the file system have in common.
func socketLink(t *testing.T, c *atomic.Pointer[net.UnixConn]) (l *link, serve func(*net.UnixConn)) {
	var arrived atomic.Uint64
	var jammed atomic.Bool
	l = &link{
		in: func(f func()) { f() }, arrived: arrived.Load,
		jam: func() { jammed.Store(true) }, clear: func() { jammed.Store(false) },
		left: func() string { return "" },
	}
	t.Cleanup(l.clear) // so that readers see their end
	return l, func(now *net.UnixConn) {
		c.Store(now)
		go count(now, &arrived, &jammed)
	}
}

func datagrams(t *testing.T, served bool) *link {
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "theirs"), filepath.Join(dir, "ours")
	var peer atomic.Pointer[net.UnixConn]
	l, serve := socketLink(t, &peer)
	l.port = "unix:" + theirs + ",retry=20ms,local=" + ours
	if served {
		l.port = "unix:" + ours + ",retry=20ms,role=listen"
	}
	listen := func() {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: theirs, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		serve(c)
	}
	listen()
	t.Cleanup(func() { _ = peer.Load().Close() })
	to := &net.UnixAddr{Name: ours, Net: "unixgram"}
	l.feed = func() {
		c := peer.Load()
		_ = c.SetWriteDeadline(time.Now().Add(time.Millisecond))
		_, _ = c.WriteTo(frame, to)
	}
	l.vanish = func() { _ = errors.Join(peer.Load().Close(), os.Remove(theirs)) }
	l.back = listen
	l.left = func() string { return files(dir, "theirs") }
	return l
}

func stream(t *testing.T, served bool) *link {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	var peer atomic.Pointer[net.UnixConn]
	l, serve := socketLink(t, &peer)
	l.port = "unix:" + path + ",type=stream,retry=20ms,sndbuf=32k"
	if served {
		l.port += ",role=listen"
		l.back = func() {}
		l.left = func() string { return files(dir) }
	} else {
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				c, err := listener.AcceptUnix()
				if err != nil {
					return
				}
				if old := peer.Load(); old != nil {
					_ = old.Close()
				}
				serve(c)
			}
		}()
		l.last = true
	}
	message := append([]byte{0, 0, 0, byte(len(frame))}, frame...)
	l.feed = func() {
		c := peer.Load()
		if c == nil && served {
			if c, _ = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"}); c != nil {
				serve(c)
			}
		}
		if c == nil {
			return
		}
		_ = c.SetWriteDeadline(time.Now().Add(5 * time.Second)) // no part of a frame is left out
		if _, err := c.Write(message); err != nil && served {
			_ = c.Close()
			peer.CompareAndSwap(c, nil)
		}
	}
	l.vanish = func() {
		if c := peer.Load(); c != nil {
			_ = c.Close()
		}
	}
	t.Cleanup(l.vanish)
	return l
}

// files returns the files that are left in a directory.
func files(dir string, except ...string) (left string) {
	all, _ := os.ReadDir(dir)
	for _, f := range all {
		if len(except) == 0 || f.Name() != except[0] {
			left += f.Name() + " is left "
		}
	}
	return left
}

// traffic goes both ways through a port until that is closed, or at its end.
type traffic struct {
	t        *testing.T
	port     port.Port
	pool     *pool.Pool
	workers  sync.WaitGroup
	received atomic.Uint64
	taken    atomic.Uint64 // by Tx
	refused  atomic.Uint64 // calls of Tx that took less than all
	rx, tx   error         // how they ended
}

func (l *link) open(t *testing.T, p *pool.Pool) *traffic {
	t.Helper()
	x := &traffic{t: t, pool: p}
	var err error
	l.in(func() { x.port, err = port.Open(l.port, port.Options{Pool: p}) })
	if err != nil {
		t.Fatal(err)
	}
	x.workers.Go(func() { x.rx = x.receive() })
	x.workers.Go(func() { x.tx = x.send() })
	return x
}

func (x *traffic) receive() error {
	bufs := make([]pool.Buffer, 16)
	for {
		n, err := x.port.Rx(bufs)
		x.received.Add(uint64(n))
		pool.ReleaseBurst(bufs[:n])
		if err == nil && n == 0 {
			err = x.port.WaitRx(context.Background())
		}
		if err != nil {
			return err
		}
	}
}

func (x *traffic) send() error {
	bufs := make([]pool.Buffer, 0, 8)
	for {
		for len(bufs) < cap(bufs) {
			b, err := x.pool.CopyIn(frame)
			if err != nil { // all are under way
				break
			}
			bufs = append(bufs, b)
		}
		n, err := x.port.Tx(bufs)
		x.taken.Add(uint64(n))
		pool.ReleaseBurst(bufs[n:])
		if n < len(bufs) {
			x.refused.Add(1)
		}
		if err == nil && n < len(bufs) {
			err = x.port.WaitTx(context.Background())
		}
		if err != nil {
			return err
		}
		bufs = bufs[:0]
		time.Sleep(20 * time.Microsecond)
	}
}

// close closes the port, from a goroutine that is in the middle of nothing, and holds its account against what was done.
func (x *traffic) close() {
	x.t.Helper()
	begin := time.Now()
	if err := x.port.Close(); err != nil {
		x.t.Errorf("Close: %v", err)
	}
	x.workers.Wait()
	if d := time.Since(begin); d > 5*time.Second {
		x.t.Errorf("it took %v until all calls had returned", d)
	}
	if err := x.port.Close(); err != nil {
		x.t.Errorf("Close again: %v", err)
	}
	s := x.port.Stats()
	if s.RxPackets != x.received.Load() || s.TxPackets+s.TxDropped() != x.taken.Load() {
		x.t.Errorf("received %d, given to Tx %d; Stats is\n%s", x.received.Load(), x.taken.Load(), s)
	}
}

// goes waits until frames go both ways.
func (x *traffic) goes(l *link, when string) {
	x.t.Helper()
	const some = 50
	in, out := x.received.Load()+some, l.arrived()+some
	for end := time.Now().Add(20 * time.Second); x.received.Load() < in || l.arrived() < out; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("%s: of %d frames each way, %d are still to come in, and %d to arrive; %+v; %s", when, some,
				int64(in-x.received.Load()), int64(out-l.arrived()), x.port.Info(), x.port.Stats())
		}
	}
}

// traffic feeds the port, whatever happens, until stop is called.
func (l *link) traffic() (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-over:
				return
			case <-time.After(20 * time.Microsecond):
				l.feed()
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

func descriptors(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// faults are what happens to a port under traffic.
var faults = []struct {
	letter, name string
	happen       func(t *testing.T, l *link, p *pool.Pool)
}{
	{"V", "PeerVanishes", peerVanishes},
	{"D", "DownAndUp", downAndUp},
	{"X", "Deleted", deleted},
	{"F", "Full", full},
	{"O", "OpenedAndClosed", openedAndClosed},
}

// The peer goes in the middle of bursts, and comes back. What is sent meanwhile is dropped, and then all is as before.
func peerVanishes(t *testing.T, l *link, p *pool.Pool) {
	x := l.open(t, p)
	defer x.close()
	x.goes(l, "at first")
	for range 3 {
		l.vanish()
		if l.last {
			x.workers.Wait()
			if x.rx == nil || x.tx == nil || x.rx == port.ErrClosed || x.tx == port.ErrClosed {
				t.Errorf("it ended with %v and %v", x.rx, x.tx)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
		l.back()
		x.goes(l, "after the peer has come back")
	}
}

// The interface goes down and comes up.
func downAndUp(t *testing.T, l *link, p *pool.Pool) {
	x := l.open(t, p)
	defer x.close()
	x.goes(l, "at first")
	for range 3 {
		l.down()
		before := x.port.Stats().TxDropped()
		for end := time.Now().Add(10 * time.Second); x.port.Stats().TxDropped() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it is down, and nothing is dropped: %s", x.port.Stats())
			}
		}
		l.up()
		x.goes(l, "after it has come up")
	}
}

// The interface is deleted: a port on it is at its end, and says so.
func deleted(t *testing.T, l *link, p *pool.Pool) {
	x := l.open(t, p)
	defer x.close()
	x.goes(l, "at first")
	l.remove()
	if l.survives {
		time.Sleep(20 * time.Millisecond)
		return
	}
	x.workers.Wait()
	for _, err := range []error{x.rx, x.tx} {
		if err == nil || err == port.ErrClosed || !strings.Contains(err.Error(), "eth0") && !strings.Contains(err.Error(), "tap0") {
			t.Errorf("it ended with %v", err)
		}
	}
}

// For seconds nothing gets off: what is sent waits or is dropped, frames are received all the same, and a port that is full
// can be closed.
func full(t *testing.T, l *link, p *pool.Pool) {
	x := l.open(t, p)
	defer x.close()
	x.goes(l, "at first")
	l.jam()
	time.Sleep(2 * time.Second)
	in, s := x.received.Load(), x.port.Stats()
	if x.refused.Load() == 0 && s.TxDropped() == 0 {
		t.Errorf("for two seconds hardly a frame got off, and Tx took them all: %s", s)
	}
	time.Sleep(50 * time.Millisecond)
	if x.received.Load() == in {
		t.Errorf("since nothing can be sent, nothing is received either: %s", x.port.Stats())
	}
	l.clear()
	x.goes(l, "after that")
	l.jam()
	time.Sleep(100 * time.Millisecond)
}

// A thousand times a port is opened, and closed while others are in Rx and Tx.
func openedAndClosed(t *testing.T, l *link, p *pool.Pool) {
	rounds := 1000
	switch {
	case testing.Short():
		rounds = 20
	case strings.HasPrefix(l.port, "af"): // closing takes its time; their packages have tests of a thousand, some at once
		rounds = 50
	}
	random := testkit.Rand(t)
	before, received, arrived := 0, uint64(0), l.arrived()
	for i := range rounds {
		x := l.open(t, p)
		time.Sleep(time.Duration(random.IntN(300)) * time.Microsecond)
		x.close()
		received += x.received.Load()
		if i == 10 {
			before = descriptors(t)
		}
	}
	if arrived = l.arrived() - arrived; received == 0 || arrived == 0 {
		t.Errorf("in %d rounds %d frames were received, and %d sent", rounds, received, arrived)
	}
	if after := descriptors(t); after > before+2 { // the peer's come and go
		t.Errorf("%d descriptors are open after %d rounds, %d after ten", after, rounds, before)
	}
}

func TestEveryFault(t *testing.T) {
	for _, kind := range kinds {
		for _, fault := range faults {
			if !strings.Contains(kind.faults, fault.letter) {
				continue
			}
			t.Run(kind.name+"/"+fault.name, func(t *testing.T) {
				testkit.Watchdog(t)
				l := kind.attach(t)
				p, err := pool.New(pool.Config{Count: 2048, UMEM: strings.HasPrefix(l.port, "afxdp")})
				if err != nil {
					t.Fatal(err)
				}
				stop := l.traffic()
				fault.happen(t, l, p)
				stop()
				if fault.name != "Deleted" {
					if left := l.left(); left != "" {
						t.Errorf("left of the port: %s", left)
					}
				}
				if s := p.Stats(); s.InUse != 0 || s.Lent != 0 {
					t.Errorf("%d buffers are in use, %d lent", s.InUse, s.Lent)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
