//go:build linux

package afxdp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// both are the modes that veth has.
var both = []Mode{ModeCopy, ModeGeneric}

func eachMode(t *testing.T, f func(t *testing.T, m Mode)) {
	for _, m := range both {
		t.Run(m.String(), func(t *testing.T) { f(t, m) })
	}
}

// TestMode: the best mode that there is is taken, Info says why not a better one, and one that can't be had is an error.
func TestMode(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	o := port.Options{Pool: newPool(t, pool.Config{})}
	for _, want := range []struct {
		Mode
		says []string
	}{
		{ModeAuto, []string{"native, with a copy by the kernel", "no zerocopy", "not supported"}},
		{ModeCopy, []string{"native, with a copy by the kernel"}},
		{ModeGeneric, []string{"generic, with a copy by the kernel"}},
	} {
		p := mustOpen(t, c, o, Config{Mode: want.Mode})
		for _, w := range want.says {
			if !strings.Contains(p.Info().Mode, w) {
				t.Errorf("mode %s: Info.Mode does not say %q: %s", want.Mode, w, p.Info().Mode)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.open(o, Config{Mode: ModeZeroCopy}); !errors.Is(err, unix.EOPNOTSUPP) {
		t.Errorf("zero-copy over veth: %v", err)
	}
	if n := strings.Count(a.IP("link", "show", c.ifA), "xdp"); n != 0 {
		t.Error("a program is left on the interface")
	}
}

// TestErrors: what is wrong is said, with what to do.
func TestErrors(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 2, 1500)
	p := newPool(t, pool.Config{})
	plain, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	first := mustOpen(t, c, port.Options{Pool: p}, Config{Queues: []int{0}})
	for _, e := range []struct {
		text  string
		pool  *pool.Pool
		is    error
		words []string
	}{
		{"afxdp:", p, port.ErrSpec, []string{"afxdp:eth0"}},
		{"afxdp:nosuch", p, unix.ENODEV, []string{"nosuch", "there are", c.ifA, "lo"}},
		{"afxdp:" + c.ifA + ",queue=2", p, unix.EINVAL, []string{"no queue 2", "0 to 1", "ethtool -l"}},
		{"afxdp:" + c.ifA + ",queue=x", p, port.ErrSpec, []string{"queue"}},
		{"afxdp:" + c.ifA + ",mode=fast", p, port.ErrSpec, []string{"fast", "zerocopy", "generic"}},
		{"afxdp:" + c.ifA + ",ring=1000", p, ErrConfig, []string{"RingSize", "power of two"}},
		{"afxdp:" + c.ifA + ",busypoll=2s", p, ErrConfig, []string{"BusyPoll", "1s"}},
		{"afxdp:" + c.ifA + ",filter=prot=5", p, ErrFilter, []string{"prot=5", "proto="}},
		{"afxdp:" + c.ifA + ",promisc=yes", p, port.ErrSpec, []string{"promisc", "off"}},
		{"afxdp:" + c.ifA + ",queue=1", plain, ErrUMEM, []string{"pool.Config.UMEM"}},
		{"afxdp:" + c.ifA + ",queue=1", nil, port.ErrNoPool, nil},
		{"afxdp:" + c.ifA + ",queue=0", p, unix.EBUSY, []string{"queue 0", "another port"}},
		{"afxdp:" + c.ifA + ",queue=1,filter=arp", p, unix.EBUSY, []string{"share", "another port"}},
	} {
		var err error
		a.Do(func() {
			var q port.Port
			if q, err = port.Open(e.text, port.Options{Pool: e.pool}); err == nil {
				_ = q.Close()
			}
		})
		if !errors.Is(err, e.is) {
			t.Errorf("%s: %v, want one that wraps %v", e.text, err, e.is)
			continue
		}
		if config := e.is == port.ErrSpec || e.is == ErrConfig || e.is == ErrFilter || e.is == port.ErrNoPool; errors.Is(err, port.ErrSpec) != config {
			t.Errorf("%s: %v: the string's fault, or the world's?", e.text, err)
		}
		for _, w := range e.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not say %q: %v", e.text, w, err)
			}
		}
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if n := p.Stats().InUse; n != 0 {
		t.Errorf("%d buffers are out", n)
	}
}

// TestFilterSpares: what the filter does not match reaches the host, what it does the port.
func TestFilterSpares(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		a.Addr(c.ifA, "10.9.0.1/24")
		b.Addr(c.ifB, "10.9.0.2/24")
		f, err := ParseFilter("ethertype=0x88b5")
		if err != nil {
			t.Fatal(err)
		}
		p := mustOpen(t, c, port.Options{Pool: newPool(t, pool.Config{})}, Config{Mode: m, Filter: f})
		if w := p.Info().Warnings; len(w) != 1 || !strings.Contains(w[0], "10.9.0.1/24") || !strings.Contains(w[0], "filter") {
			t.Errorf("warnings: %q", w)
		}
		other := c.far(t)
		defer other.close()
		other.feed([][]byte{frame(100, 1)})
		if r := receive(t, p, 1); !bytes.Equal(r[0], frame(100, 1)) {
			t.Errorf("%x came", r[0])
		}
		if !b.WaitPing("10.9.0.1", 5*time.Second) {
			t.Error("the host does not answer any more")
		}
		if n := p.Stats().RxPackets; n != 1 {
			t.Errorf("%d frames came to the port", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestJumbo: frames longer than a chunk come in several, are copied together, and leave so.
func TestJumbo(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 9000)
		small := newPool(t, pool.Config{})
		large := pooltest.New(t, pool.Config{Name: "large", BufferSize: port.LargeBufferSize, Count: 4, HeapBuffers: pool.None})
		p := mustOpen(t, c, port.Options{Pool: small, Large: large}, Config{Mode: m})
		if mtu := p.Info().MTU; mtu != 9014 {
			t.Errorf("MTU %d", mtu)
		}
		other := c.far(t)
		defer other.close()
		var frames [][]byte
		for i, n := range []int{60, 1514, 1664, 1665, 1920, 1921, 3328, 3329, 9014, 60} {
			frames = append(frames, frame(n, byte(i)))
		}
		other.feed(frames)
		for i, f := range receive(t, p, len(frames)) {
			if !bytes.Equal(f, frames[i]) {
				t.Errorf("received %d: %d bytes instead of %d, or others", i, len(f), len(frames[i]))
			}
		}
		if notes := fmt.Sprint(p.Info().Notes); !strings.Contains(notes, "6 frames came in several chunks") {
			t.Errorf("notes: %s", notes)
		}
		for _, f := range frames {
			buf, err := small.CopyIn(f) // on the heap if it is large
			if err != nil {
				t.Fatal(err)
			}
			transmit(t, p, buf)
		}
		for i, f := range other.sent(len(frames)) {
			if !bytes.Equal(f, frames[i]) {
				t.Errorf("sent %d: %d bytes instead of %d, or others", i, len(f), len(frames[i]))
			}
		}
		if s := p.Stats(); s.TxPackets != uint64(len(frames)) || s.TxBytes != s.RxBytes || s.RxDropped()+s.TxDropped() != 0 {
			t.Errorf("%v", s)
		}

		// Without a large buffer, what needs one is dropped and counted.
		var taken []pool.Buffer
		for range 4 {
			buf, err := large.Get()
			if err != nil {
				t.Fatal(err)
			}
			taken = append(taken, buf)
		}
		other.feed([][]byte{frame(9000, 1), frame(60, 2)})
		if f := receive(t, p, 1); len(f[0]) != 60 {
			t.Errorf("%d bytes came", len(f[0]))
		}
		if d := p.Stats().RxDrops; d[stats.ReasonNoBuffer] != 1 {
			t.Errorf("drops: %v", d)
		}
		pool.ReleaseBurst(taken)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		p = mustOpen(t, c, port.Options{Pool: small}, Config{Mode: m})
		other.feed([][]byte{frame(9000, 1), frame(60, 2)})
		receive(t, p, 1)
		if d := p.Stats().RxDrops; d[stats.ReasonTooLong] != 1 {
			t.Errorf("drops without a large pool: %v", d)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestQueues: a port of two queues receives from both and sends by both, a flow by one; and two ports have one each.
func TestQueues(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 2, 1500)
	p := newPool(t, pool.Config{})
	other := c.far(t)
	defer other.close()
	all := mustOpen(t, c, port.Options{Pool: p}, Config{})
	if !strings.Contains(all.Info().Mode, "2 queues") {
		t.Errorf("mode: %s", all.Info().Mode)
	}
	// Which queue of the far end a frame takes is its thread's processor's choice; both must do.
	var frames [][]byte
	for i := range 200 {
		f := frame(80, byte(i))
		frames = append(frames, f)
	}
	other.feed(frames)
	if got := receive(t, all, len(frames)); len(got) != len(frames) {
		t.Errorf("%d came", len(got))
	}
	flows := map[byte][]byte{}
	var bufs []pool.Buffer
	for i := range 200 {
		f := make([]byte, 200)
		n, err := packet.PutUDP(f, &packet.UDPSpec{Src: addrPort("10.0.0.1:1000"), Dst: addrPort(fmt.Sprintf("10.0.0.2:%d", 2000+i%8))}, []byte{byte(i % 8), byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		buf, err := p.CopyIn(f[:n])
		if err != nil {
			t.Fatal(err)
		}
		bufs = append(bufs, buf)
	}
	transmit(t, all, bufs...)
	for _, f := range other.sent(200) {
		h := packet.Parse(f)
		flow, number := f[h.Payload], f[h.Payload+1]
		flows[flow] = append(flows[flow], number)
	}
	count := 0
	for flow, numbers := range flows {
		count += len(numbers)
		if !slices.IsSorted(numbers) {
			t.Errorf("flow %d left in the order %v", flow, numbers)
		}
	}
	if count != 200 {
		t.Errorf("%d frames left", count)
	}
	x := all.(*afxdp)
	for _, q := range x.queues {
		if q.tx.next == 0 {
			t.Errorf("queue %d has sent nothing", q.id)
		}
	}
	if err := all.Close(); err != nil {
		t.Error(err)
	}

	one, two := mustOpen(t, c, port.Options{Pool: p}, Config{Queues: []int{0}}), mustOpen(t, c, port.Options{Pool: p}, Config{Queues: []int{1}})
	if one.(*afxdp).attachment != two.(*afxdp).attachment || !two.(*afxdp).queues[0].shared {
		t.Error("two ports on one interface have two programs or registrations")
	}
	other.feed(frames)
	got := 0
	rx := make([]pool.Buffer, 64)
	for end := time.Now().Add(10 * time.Second); got < len(frames) && time.Now().Before(end); {
		for _, p := range []port.Port{one, two} {
			n, err := p.Rx(rx)
			if err != nil {
				t.Fatal(err)
			}
			got += n
			pool.ReleaseBurst(rx[:n])
		}
	}
	if got != len(frames) {
		t.Errorf("%d of %d frames came to the two", got, len(frames))
	}
	if err := errors.Join(one.Close(), two.Close()); err != nil {
		t.Error(err)
	}
	if len(attachments.m)+len(registrations.m) != 0 {
		t.Errorf("%d attachments and %d registrations are left", len(attachments.m), len(registrations.m))
	}
}

// TestShare: two ports on two interfaces over one pool have one registration, which outlives the first of them, and
// hand frames from one to the other without a copy.
func TestShare(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		one, two := connect(a, b, 1, 1500), connect(a, b, 1, 1500)
		o := port.Options{Pool: newPool(t, pool.Config{})}
		p1, p2 := mustOpen(t, one, o, Config{Mode: m}), mustOpen(t, two, o, Config{Mode: m})
		if len(registrations.m) != 1 || !strings.Contains(p2.Info().Mode, "registered together") {
			t.Errorf("%d registrations; %s", len(registrations.m), p2.Info().Mode)
		}
		farOne, farTwo := one.far(t), two.far(t)
		defer farOne.close()
		defer farTwo.close()
		pass := func(from, to port.Port, in, out *far) {
			t.Helper()
			in.feed([][]byte{frame(99, 3), frame(1514, 4)})
			bufs := make([]pool.Buffer, 4)
			n := 0
			for end := time.Now().Add(10 * time.Second); n < 2 && time.Now().Before(end); {
				k, err := from.Rx(bufs[n:])
				if err != nil {
					t.Fatal(err)
				}
				n += k
			}
			transmit(t, to, bufs[:n]...)
			got := out.sent(2)
			if len(got) != 2 || !bytes.Equal(got[0], frame(99, 3)) || !bytes.Equal(got[1], frame(1514, 4)) {
				t.Errorf("%d frames passed, or others", len(got))
			}
			if notes := to.Info().Notes; len(notes) != 0 {
				t.Errorf("notes: %q", notes)
			}
		}
		pass(p1, p2, farOne, farTwo)
		pass(p2, p1, farTwo, farOne)
		if err := p1.Close(); err != nil {
			t.Error(err)
		}
		p3 := mustOpen(t, one, o, Config{Mode: m}) // by the registration that the second one keeps
		if len(registrations.m) != 1 {
			t.Errorf("%d registrations", len(registrations.m))
		}
		pass(p2, p3, farTwo, farOne)
		pass(p3, p2, farOne, farTwo)
		if err := errors.Join(p2.Close(), p3.Close()); err != nil {
			t.Error(err)
		}
		if len(registrations.m) != 0 {
			t.Errorf("%d registrations are left", len(registrations.m))
		}
	})
}

// TestLinkDown: while the link is down, frames are dropped and counted, and nothing fails; then all is as before.
func TestLinkDown(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		p := newPool(t, pool.Config{})
		x := mustOpen(t, c, port.Options{Pool: p}, Config{Mode: m})
		other := c.far(t)
		defer other.close()
		waiting := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			bufs := make([]pool.Buffer, 8)
			for {
				n, err := x.Rx(bufs)
				pool.ReleaseBurst(bufs[:n])
				if err == nil {
					err = x.WaitRx(ctx)
				}
				if err != nil {
					waiting <- err
					return
				}
			}
		}()
		for _, end := range []struct {
			in   interface{ IP(...string) string }
			name string
		}{{a, c.ifA}, {b, c.ifB}} {
			end.in.IP("link", "set", end.name, "down")
			before := x.Stats()
			for i := range 10 {
				buf, err := p.CopyIn(frame(100, byte(i)))
				if err != nil {
					t.Fatal(err)
				}
				transmit(t, x, buf)
			}
			d := x.Stats()
			if lost := d.TxDrops[stats.ReasonLinkDown] - before.TxDrops[stats.ReasonLinkDown]; lost < 9 || d.TxPackets != before.TxPackets {
				t.Errorf("%s down: %d dropped, %d sent, %d queued", end.name, lost, d.TxPackets-before.TxPackets, x.(port.Queuer).Queued())
			}
			end.in.IP("link", "set", end.name, "up")
			time.Sleep(50 * time.Millisecond)
		}
		cancel()
		if err := <-waiting; err != context.Canceled {
			t.Errorf("WaitRx returned %v", err)
		}
		buf, err := p.CopyIn(frame(200, 1))
		if err != nil {
			t.Fatal(err)
		}
		transmit(t, x, buf)
		if err := x.(port.Queuer).Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if got := other.sent(1); len(got) == 0 || !bytes.Equal(got[len(got)-1], frame(200, 1)) {
			t.Errorf("after that, %d frames came out", len(got))
		}
		other.feed([][]byte{frame(300, 2)})
		receive(t, x, 1)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if s := x.Stats(); s.TxPackets+s.TxDropped() != 21 {
			t.Errorf("of 21 frames %d were sent and %d dropped", s.TxPackets, s.TxDropped())
		}
	})
}

// TestDeleted: when the interface is deleted, under traffic and in the middle of waiting, every call says so, and
// nothing is left.
func TestDeleted(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		for round := range 4 {
			c := connect(a, b, 1, 1500)
			p := newPool(t, pool.Config{})
			x := mustOpen(t, c, port.Options{Pool: p}, Config{Mode: m})
			var wait sync.WaitGroup
			wait.Go(func() {
				bufs := make([]pool.Buffer, 16)
				for {
					n, err := x.Rx(bufs)
					pool.ReleaseBurst(bufs[:n])
					if err == nil && n == 0 {
						err = x.WaitRx(t.Context())
					}
					if err != nil {
						if !errors.Is(err, unix.ENODEV) {
							t.Errorf("Rx or WaitRx: %v", err)
						}
						return
					}
				}
			})
			wait.Go(func() {
				for {
					buf, err := p.CopyIn(frame(100, 1))
					if err != nil {
						t.Error(err)
						return
					}
					bufs := []pool.Buffer{buf}
					n, err := x.Tx(bufs)
					pool.ReleaseBurst(bufs[n:])
					if err == nil && n == 0 {
						err = x.WaitTx(t.Context())
					}
					if err != nil {
						if !errors.Is(err, unix.ENODEV) || !strings.Contains(err.Error(), c.ifA) {
							t.Errorf("Tx or WaitTx: %v", err)
						}
						return
					}
				}
			})
			time.Sleep(20 * time.Millisecond)
			if round%2 == 1 { // nobody tells of the end of an interface that is down
				a.IP("link", "set", c.ifA, "down")
				time.Sleep(20 * time.Millisecond)
			}
			c.remove()
			wait.Wait()
			for range 2 { // again and again
				if _, err := x.Rx(make([]pool.Buffer, 1)); !errors.Is(err, unix.ENODEV) {
					t.Errorf("Rx: %v", err)
				}
			}
			if err := x.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
}

// TestOpenedDown: a port can be opened while the link is down, and who only polls it learns of the interface's end.
func TestOpenedDown(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		a.IP("link", "set", c.ifA, "down")
		p := newPool(t, pool.Config{})
		x := mustOpen(t, c, port.Options{Pool: p}, Config{Mode: m})
		a.IP("link", "set", c.ifA, "up")
		time.Sleep(50 * time.Millisecond)
		other := c.far(t)
		defer other.close()
		other.feed([][]byte{frame(100, 1)})
		receive(t, x, 1)
		c.remove()
		var err error
		for calls := 0; err == nil && calls < 2*patience; calls++ {
			_, err = x.Rx(make([]pool.Buffer, 1))
		}
		if !errors.Is(err, unix.ENODEV) {
			t.Errorf("Rx of a port whose interface is gone: %v", err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestStarved: a port that finds no buffers, in the middle of traffic, counts what it loses, and goes on when there are some,
// though nobody wakes it.
func TestStarved(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		p := newPool(t, pool.Config{Count: 128})
		x := mustOpen(t, c, port.Options{Pool: p, Direction: port.In}, Config{Mode: m, RingSize: 64})
		taken := make([]pool.Buffer, 128)
		taken = taken[:p.GetBurst(taken)]
		other := c.far(t)
		defer other.close()
		var frames [][]byte
		for i := range 100 {
			frames = append(frames, frame(100, byte(i)))
		}
		other.feed(frames)
		bufs := make([]pool.Buffer, 64)
		got := 0
		for end := time.Now().Add(10 * time.Second); uint64(got)+x.Stats().RxDropped() < 100 && time.Now().Before(end); {
			n, err := x.Rx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			got += n
			taken = append(taken, bufs[:n]...)
		}
		s := x.Stats()
		if got == 0 || s.RxDrops[stats.ReasonNoBuffer] != uint64(100-got) {
			t.Errorf("%d came, dropped: %v", got, s.RxDrops)
		}
		// Asleep without a buffer in the kernel's hands, it wakes up when the pool has some.
		woken := make(chan error, 1)
		go func() {
			one := make([]pool.Buffer, 1)
			for {
				n, err := x.Rx(one)
				if err == nil && n == 0 {
					err = x.WaitRx(t.Context())
				}
				if err != nil || n == 1 {
					pool.ReleaseBurst(one[:n])
					woken <- err
					return
				}
			}
		}()
		pool.ReleaseBurst(taken)
		time.Sleep(50 * time.Millisecond)
		other.feed([][]byte{frame(100, 1)})
		select {
		case err := <-woken:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Error("it sleeps on, though there are buffers and a frame")
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCycles: opened and closed again and again under traffic, a port leaves nothing behind.
func TestCycles(t *testing.T) {
	rounds, beside := 1000, 8 // opening and closing is waiting for the kernel, for the most part
	if testing.Short() || raceDetector {
		rounds = 100
	}
	a, b := veths(t)
	p := newPool(t, pool.Config{Count: 1024 * beside})
	var cables []cable
	for range beside {
		cables = append(cables, connect(a, b, 1, 1500))
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for _, c := range cables {
		other := c.far(t)
		defer other.close()
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = unix.Sendto(other.socket, frame(200, 1), 0, &unix.SockaddrLinklayer{Ifindex: other.index})
					time.Sleep(100 * time.Microsecond)
				}
			}
		})
	}
	var received, sent atomic.Uint64
	once := func(c cable, i int) error {
		x, err := c.open(port.Options{Pool: p}, Config{Mode: both[i%2], RingSize: 128})
		if err != nil {
			return err
		}
		bufs := make([]pool.Buffer, 8)
		for range 2 {
			n, err := x.Rx(bufs)
			if err != nil {
				return err
			}
			k, err := x.Tx(bufs[:n])
			pool.ReleaseBurst(bufs[k:n])
			if err != nil {
				return err
			}
			buf, err := p.CopyIn(frame(100, 1))
			if err != nil {
				return err
			}
			if n, err = x.Tx([]pool.Buffer{buf}); n == 0 {
				buf.Release()
				return errors.Join(errors.New("a port that was just opened takes no frame"), err)
			}
		}
		err = x.Close()
		s := x.Stats()
		received.Add(s.RxPackets)
		sent.Add(s.TxPackets)
		return err
	}
	if err := once(cables[0], 0); err != nil { // what is opened once, such as the netpoller's, is open then
		t.Fatal(err)
	}
	before := len(descriptors(t))
	var all sync.WaitGroup
	for _, c := range cables {
		all.Go(func() {
			for i := range rounds / beside {
				if err := once(c, i); err != nil {
					t.Errorf("%s, round %d: %v", c.ifA, i, err)
					return
				}
			}
		})
	}
	all.Wait()
	close(stop)
	wait.Wait()
	if received.Load() == 0 || sent.Load() == 0 {
		t.Errorf("%d frames were received and %d sent by %d ports", received.Load(), sent.Load(), rounds)
	}
	if after := descriptors(t); len(after) > before {
		t.Errorf("%d descriptors are open, %d were: %v", len(after), before, after)
	}
	for _, c := range cables {
		if strings.Contains(a.IP("link", "show", c.ifA), "xdp") {
			t.Errorf("a program is left on %s", c.ifA)
		}
	}
	if s := p.Stats(); s.InUse != 0 || s.Lent != 0 {
		t.Errorf("%d buffers in use, %d lent", s.InUse, s.Lent)
	}
}

// descriptors returns what this process has open.
func descriptors(t testing.TB) (all []string) {
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if what, err := os.Readlink(n); err == nil {
			all = append(all, what)
		}
	}
	return all
}

// TestCrash: of a process that is killed nothing stays on the interface: neither program nor promiscuous mode.
func TestCrash(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	child, line := startChild(t, c, "0")
	if line != "open\n" {
		t.Fatalf("the child said %q", line)
	}
	state := func() string { return a.IP("-d", "link", "show", c.ifA) }
	if s := state(); !strings.Contains(s, "xdp") || !strings.Contains(s, "promiscuity 1") {
		t.Errorf("while the port is open: %s", s)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		s := state()
		if !strings.Contains(s, "xdp") && strings.Contains(s, "promiscuity 0") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("after the port's process was killed: %s", s)
		}
	}
	x := mustOpen(t, c, port.Options{Pool: newPool(t, pool.Config{})}, Config{})
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// startChild starts a process that opens a port, and returns what it says about that.
func startChild(t *testing.T, c cable, uid string) (child *exec.Cmd, line string) {
	t.Helper()
	child = c.a.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"="+c.ifA, childUser+"="+uid)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err = bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return child, line
}

// TestUnprivileged: who may not is told what it takes.
func TestUnprivileged(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	err := explain(fmt.Errorf("loading: %w", unix.EPERM))
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF") {
		t.Errorf("EPERM: %v", err)
	}
	child, line := startChild(t, c, "65534")
	_ = child.Wait()
	if !strings.Contains(line, "operation not permitted") || !strings.Contains(line, "CAP_BPF") {
		t.Errorf("as nobody: %q", line)
	}
}

// TestReleased: a queue that a socket has is not taken for one that the kernel has let go of, and a closed one soon is.
func TestReleased(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	x := mustOpen(t, c, port.Options{Pool: newPool(t, pool.Config{})}, Config{}).(*afxdp)
	released := func() (err error) {
		a.Do(func() { err = (&queue{id: 0}).released(x.device) })
		return err
	}
	if err := released(); err == nil || !strings.Contains(err.Error(), "queue 0 of "+c.ifA) {
		t.Errorf("while the port is open: %v", err)
	}
	// And another port finds it busy, for as long as it tries.
	o := port.Options{Pool: newPool(t, pool.Config{})}
	attachments.Lock()
	x.attachment.taken = map[int]bool{} // as if the socket were another process's
	attachments.Unlock()
	if _, err := c.open(o, Config{Mode: ModeCopy}); !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "another socket has the queue") {
		t.Errorf("a second port: %v", err)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	if err := released(); err != nil {
		t.Error(err)
	}
}

// TestString: keys of a port string arrive.
func TestString(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 2, 1500)
	o := port.Options{Pool: newPool(t, pool.Config{})}
	a.Do(func() {
		p, err := port.Open("afxdp:"+c.ifA+",queue=1,mode=generic,filter=arp|vlan=7,busypoll=30us,ring=256,promisc=off,name=me", o)
		if err != nil {
			t.Fatal(err)
		}
		got := p.(*afxdp).config
		if p.Info().Name != "me" || !slices.Equal(got.Queues, []int{1}) || got.Mode != ModeGeneric || got.Filter.String() != "arp|vlan=7" || got.BusyPoll != 30*time.Microsecond || got.RingSize != 256 || !got.NotPromiscuous {
			t.Errorf("%+v", got)
		}
		if s := a.IP("-d", "link", "show", c.ifA); !strings.Contains(s, "promiscuity 0") {
			t.Errorf("promiscuous all the same: %s", s)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

const (
	childVariable = "RINGWAY_AFXDP_CHILD"
	childUser     = "RINGWAY_AFXDP_CHILD_USER"
)

// childOpens makes this process the one that startChild has started, if it is.
func childOpens() {
	name := os.Getenv(childVariable)
	if name == "" {
		return
	}
	p, err := pool.New(pool.Config{UMEM: true})
	if err != nil {
		panic(err)
	}
	if uid, err := strconv.Atoi(os.Getenv(childUser)); err != nil || syscall.Setuid(uid) != nil {
		panic("no such user")
	}
	if _, err := port.Open("afxdp:"+name, port.Options{Pool: p}); err != nil {
		fmt.Println(strings.ReplaceAll(err.Error(), "\n", " / "))
		os.Exit(1)
	}
	fmt.Println("open")
	time.Sleep(time.Minute)
	os.Exit(1)
}

// TestForeignProgram: an interface that has another program on it is left alone.
func TestForeignProgram(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	var d device
	var err error
	a.Do(func() {
		if d, err = lookup(c.ifA); err == nil {
			var foreign *attachment
			if foreign, err = attach(d, nil, nil, true, false); err == nil {
				delete(attachments.m, foreign.key) // as if it were another process's
				defer func() { _ = foreign.detach() }()
				_, err = Open(c.ifA, port.Options{Pool: newPool(t, pool.Config{})}, Config{})
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "another program has XDP on "+c.ifA) {
		t.Errorf("Open: %v", err)
	}
}

// TestAllocs: Rx and Tx allocate nothing.
func TestAllocs(t *testing.T) {
	eachMode(t, func(t *testing.T, m Mode) {
		a, b := veths(t)
		c := connect(a, b, 1, 1500)
		p := newPool(t, pool.Config{})
		x := mustOpen(t, c, port.Options{Pool: p}, Config{Mode: m})
		other := c.far(t)
		defer other.close()
		frames := [][]byte{frame(100, 1), frame(1514, 2), frame(60, 3)}
		bufs := make([]pool.Buffer, 64)
		to := &unix.SockaddrLinklayer{Ifindex: other.index}
		feed := func() {
			for _, f := range frames {
				if err := unix.Sendto(other.socket, f, 0, to); err != nil {
					t.Fatal(err)
				}
			}
		}
		without := testing.AllocsPerRun(100, feed)
		moved := 0
		if n := testing.AllocsPerRun(100, func() {
			feed()
			n, err := x.Rx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			sent, err := x.Tx(bufs[:n])
			if err != nil || sent < n {
				t.Fatal(sent, err)
			}
			moved += n
		}); n > without {
			t.Errorf("%v allocations a burst, of which %v are the test's", n, without)
		}
		if moved == 0 {
			t.Error("nothing was received")
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestIdle: a port that waits costs no CPU.
func TestIdle(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 2, 1500)
	x := mustOpen(t, c, port.Options{Pool: newPool(t, pool.Config{})}, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	calls := 0
	for ctx.Err() == nil {
		if err := x.WaitRx(ctx); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
		calls++
	}
	if calls > 10 {
		t.Errorf("WaitRx returned %d times, and nothing happened", calls)
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

// TestBusyPoll: frames come with it too.
func TestBusyPoll(t *testing.T) {
	a, b := veths(t)
	c := connect(a, b, 1, 1500)
	x := mustOpen(t, c, port.Options{Pool: newPool(t, pool.Config{})}, Config{BusyPoll: 50 * time.Microsecond})
	other := c.far(t)
	defer other.close()
	for i := range 20 {
		go other.feed([][]byte{frame(100, byte(i))})
		bufs := make([]pool.Buffer, 1)
		for {
			n, err := x.Rx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			if n == 1 {
				bufs[0].Release()
				break
			}
			if err := x.WaitRx(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}
