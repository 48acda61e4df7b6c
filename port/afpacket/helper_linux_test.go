package afpacket_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/netif"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tester is what helpers use of a test, or of a check of the suite.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// quiet makes a namespace in which the kernel sends nothing by itself.
func quiet(lab *netlab.Lab, name string) *netlab.Namespace {
	n := lab.Namespace(name)
	n.Sysctl("net.ipv6.conf.default.disable_ipv6", "1")
	n.Sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	return n
}

// cable makes two such namespaces with a cable between, eth0 at both ends.
func cable(t *testing.T, mtu int) (near, far *netlab.Namespace) {
	t.Helper()
	lab := netlab.New(t)
	near, far = quiet(lab, "near"), quiet(lab, "far")
	lab.Veth(near, "eth0", far, "eth0", mtu)
	return near, far
}

// newPool makes a pool that must be whole in the end.
func newPool(t tester, c pool.Config) *pool.Pool {
	t.Helper()
	c.Track = max(1, c.Track)
	return pooltest.New(t, c)
}

// seldom is a pool.Config.Track that costs nothing.
const seldom = 1 << 30

// newLarge makes a pool for Options.Large.
func newLarge(t tester, count int) *pool.Pool {
	return newPool(t, pool.Config{Name: "large", BufferSize: port.LargeBufferSize, Count: count})
}

// try opens a port in a namespace.
func try(n *netlab.Namespace, ifname string, o port.Options, c afpacket.Config) (p port.Port, err error) {
	n.Do(func() { p, err = afpacket.Open(ifname, o, c) })
	return p, err
}

// open opens a port that is closed in the end.
func open(t *testing.T, n *netlab.Namespace, ifname string, o port.Options, c afpacket.Config) port.Port {
	t.Helper()
	if o.Pool == nil {
		o.Pool = newPool(t, pool.Config{})
	}
	p, err := try(n, ifname, o, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// raw is the other end of the cable: a packet socket of the simplest sort.
type raw struct {
	t   tester
	num int
}

func dial(t tester, n *netlab.Namespace) *raw {
	t.Helper()
	var num int
	var err error
	n.Do(func() { num, err = rawSocket("eth0") })
	if err != nil {
		t.Fatalf("a packet socket for the other end: %v", err)
	}
	return &raw{t, num}
}

func rawSocket(ifname string) (num int, err error) {
	num, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	r, err := unix.NewIfreq(ifname)
	if err == nil {
		err = unix.IoctlIfreq(num, unix.SIOCGIFINDEX, r)
	}
	if err == nil {
		err = errors.Join(
			unix.SetsockoptInt(num, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
			unix.SetsockoptInt(num, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20),
			unix.SetsockoptTimeval(num, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 20000}),
			unix.Bind(num, &unix.SockaddrLinklayer{Ifindex: int(r.Uint32()), Protocol: netif.NetworkOrder(unix.ETH_P_ALL)}),
		)
	}
	if err != nil {
		_ = unix.Close(num)
	}
	return num, err
}

func (r *raw) close() {
	if err := unix.Close(r.num); err != nil {
		r.t.Errorf("the other end: %v", err)
	}
}

// send sends a frame and reports whether it could.
func (r *raw) send(frame []byte) bool {
	_, err := unix.Write(r.num, frame)
	if err != nil {
		r.t.Errorf("sending %d bytes from the other end: %v", len(frame), err)
	}
	return err == nil
}

func (r *raw) feed(frames [][]byte) {
	for _, f := range frames {
		if !r.send(f) {
			return
		}
	}
}

// sent returns what has come; it waits for n frames, a while.
func (r *raw) sent(n int) (frames [][]byte) {
	buf := make([]byte, port.LargeBufferSize)
	for until := time.Now().Add(10 * time.Second); ; {
		flags := 0
		if len(frames) >= n {
			flags = unix.MSG_DONTWAIT
		}
		k, _, err := unix.Recvfrom(r.num, buf, flags)
		switch {
		case err == nil:
			frames = append(frames, slices.Clone(buf[:k]))
		case err == unix.EINTR:
		case err != unix.EAGAIN:
			r.t.Errorf("receiving at the other end: %v", err)
			return frames
		case len(frames) >= n || time.Now().After(until):
			return frames
		}
	}
}

// frame makes a frame of an experimental type, of size bytes, number i.
func frame(i, size int) []byte {
	f := make([]byte, size)
	copy(f, []byte{0x02, 0, 0, 0, 0, 0x0b, 0x02, 0, 0, 0, 0, 0x0a, 0x88, 0xb5, byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
	for k := 18; k < size; k++ {
		f[k] = byte(k + i)
	}
	return f
}

// receive receives n frames, or as many as come within a while, and gives the buffers back.
func receive(t tester, p port.Port, n int) (frames [][]byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bufs := make([]pool.Buffer, 64)
	for {
		k, err := p.Rx(bufs)
		for _, b := range bufs[:k] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if err != nil {
			t.Errorf("Rx after %d frames: %v", len(frames), err)
			return frames
		}
		if k > 0 {
			continue
		}
		if len(frames) >= n {
			return frames
		}
		if err := p.WaitRx(ctx); err != nil {
			t.Errorf("WaitRx after %d of %d frames: %v", len(frames), n, err)
			return frames
		}
	}
}

// transmit sends all of bufs.
func transmit(t tester, p port.Port, bufs ...pool.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for len(bufs) > 0 {
		n, err := p.Tx(bufs)
		bufs = bufs[n:]
		if err == nil && len(bufs) > 0 && n == 0 {
			err = p.WaitTx(ctx)
		}
		if err != nil {
			t.Errorf("Tx or WaitTx, with %d frames to go: %v", len(bufs), err)
			pool.ReleaseBurst(bufs)
			return
		}
	}
}

// copyIn puts a frame into a buffer.
func copyIn(t tester, p *pool.Pool, frame []byte) pool.Buffer {
	t.Helper()
	b, err := p.CopyIn(frame)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

// eventually waits for ok, a while.
func eventually(t tester, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

// sendTCP sends n bytes by TCP from one host to another.
func sendTCP(from, to *netlab.Namespace, addr string, n int) error {
	var l net.Listener
	var err error
	to.Do(func() { l, err = net.Listen("tcp", net.JoinHostPort(addr, "0")) })
	if err != nil {
		return err
	}
	defer l.Close()
	got := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(15 * time.Second))
			var k int64
			if k, err = io.Copy(io.Discard, c); err == nil && k != int64(n) {
				err = fmt.Errorf("%d bytes of %d came", k, n)
			}
		}
		got <- err
	}()
	var c net.Conn
	from.Do(func() { c, err = net.DialTimeout("tcp", l.Addr().String(), 5*time.Second) })
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = c.Write(make([]byte, n))
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		l.Close()
		return errors.Join(err, <-got)
	}
	return <-got
}
