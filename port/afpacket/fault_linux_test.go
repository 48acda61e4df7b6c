package afpacket_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
	"github.com/ringway-net/ringway/stats"
)

// An interface that goes down and comes up again is no error: what is sent meanwhile is dropped and counted, and
// after that all is as before.
func TestDownAndUp(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	pl := newPool(t, pool.Config{})
	p := open(t, near, "eth0", port.Options{Pool: pl}, afpacket.Config{})
	taken := 0
	for round := range 3 {
		near.IP("link", "set", "eth0", "down")
		if n := len(receive(t, p, 0)); n != 0 {
			t.Errorf("%d frames came by an interface that is down", n)
		}
		bufs := make([]pool.Buffer, 100)
		for i := range bufs {
			bufs[i] = copyIn(t, pl, frame(i, 60))
		}
		transmit(t, p, bufs...)
		taken += len(bufs)
		if s := p.Stats(); s.TxDrops[stats.ReasonLinkDown] != uint64(taken) {
			t.Errorf("round %d: %d taken, of which %v were dropped", round, taken, s.TxDrops)
		}
		near.IP("link", "set", "eth0", "up")
		eventually(t, "the link is up", func() bool {
			return strings.Contains(near.IP("link", "show", "eth0"), "LOWER_UP") && strings.Contains(far.IP("link", "show", "eth0"), "LOWER_UP")
		})
		other.sent(0)
		other.send(frame(round, 60))
		if got := receive(t, p, 1); len(got) != 1 || string(got[0]) != string(frame(round, 60)) {
			t.Errorf("round %d: after the interface came up %d frames came", round, len(got))
		}
		transmit(t, p, copyIn(t, pl, frame(1, 60)))
		if n := len(other.sent(1)); n != 1 {
			t.Errorf("round %d: after the interface came up %d frames went", round, n)
		}
	}
	if s := p.Stats(); s.TxPackets+s.TxDropped() != uint64(taken+3) || s.RxDropped() != 0 {
		t.Errorf("%d taken: %+v", taken+3, s)
	}
}

// A deleted interface is the end, for all callers: those who sleep wake up, and whoever calls is told what has happened.
func TestDeleted(t *testing.T) {
	for name, teller := range map[string]string{"receiving": "Rx", "sending": "Tx"} {
		t.Run(name, func(t *testing.T) {
			near, _ := cable(t, 1500)
			pl := newPool(t, pool.Config{})
			p := open(t, near, "eth0", port.Options{Pool: pl}, afpacket.Config{})
			bufs := make([]pool.Buffer, 4)
			rx := func() error {
				for {
					n, err := p.Rx(bufs)
					pool.ReleaseBurst(bufs[:n])
					if err != nil {
						return err
					}
					if err := p.WaitRx(context.Background()); err != nil {
						t.Errorf("WaitRx: %v", err)
						return err
					}
				}
			}
			tx := func() (err error) {
				for err == nil {
					var n int
					b := copyIn(t, pl, frame(0, 60))
					if n, err = p.Tx([]pool.Buffer{b}); n == 0 {
						b.Release()
					}
				}
				return err
			}
			said := make(chan error)
			if teller == "Rx" {
				go func() { said <- rx() }()
				time.Sleep(5 * time.Millisecond)
			}
			near.IP("link", "delete", "eth0")
			if teller == "Tx" {
				said = make(chan error, 1)
				said <- tx()
			}
			check := func(what string, err error) {
				t.Helper()
				if err == nil || !strings.Contains(err.Error(), "afpacket:eth0") || !strings.Contains(err.Error(), "deleted") {
					t.Errorf("%s: %v", what, err)
				}
			}
			check("who was first", <-said)
			check("Rx", rx())
			check("Rx again", rx())
			check("Tx", tx())
			s := p.Stats()
			if s.RxDropped() != 0 || s.TxDropped() != s.TxDrops[stats.ReasonLinkDown] {
				t.Errorf("%+v", s)
			}
		})
	}
}

// When the MTU is lowered, longer frames are dropped and counted, and those that fit go on.
func TestMTULowered(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	pl := newPool(t, pool.Config{})
	p := open(t, near, "eth0", port.Options{Pool: pl}, afpacket.Config{})
	send := func() {
		for i := range 10 {
			transmit(t, p, copyIn(t, pl, frame(i, 1514)), copyIn(t, pl, frame(i, 1014)), copyIn(t, pl, frame(i, 1015)))
		}
	}
	send()
	if n := len(other.sent(30)); n != 30 {
		t.Errorf("%d of 30 frames came", n)
	}
	near.IP("link", "set", "eth0", "mtu", "1000")
	send()
	for _, f := range other.sent(10) {
		if len(f) != 1014 {
			t.Errorf("a frame of %d bytes came", len(f))
		}
	}
	near.IP("link", "set", "eth0", "mtu", "1500")
	send()
	if n := len(other.sent(30)); n != 30 {
		t.Errorf("%d of 30 frames came", n)
	}
	if s := p.Stats(); s.TxDrops[stats.ReasonTooLong] != 20 || s.TxDropped() != 20 || s.TxPackets != 70 {
		t.Errorf("%+v", s)
	}
}

// Opened and closed a thousand times under traffic, with calls inside, a port leaves nothing behind.
func TestOpenedAndClosed(t *testing.T) {
	testkit.Watchdog(t)
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	var stop atomic.Bool
	var received, sent atomic.Uint64
	flood := make(chan struct{})
	go func() {
		defer close(flood)
		f := frame(0, 60)
		for !stop.Load() {
			if !other.send(f) {
				return
			}
		}
	}()
	o := port.Options{Pool: newPool(t, pool.Config{}), Large: newLarge(t, 256)}
	descriptors := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	once := func(i int) {
		p, err := try(near, "eth0", o, afpacket.Config{Slots: 64})
		if err != nil {
			t.Error(err)
			return
		}
		var calls sync.WaitGroup
		calls.Go(func() {
			var bufs [16]pool.Buffer
			for {
				n, err := p.Rx(bufs[:])
				pool.ReleaseBurst(bufs[:n])
				if err == nil && n == 0 {
					err = p.WaitRx(context.Background())
				}
				if err != nil {
					if err != port.ErrClosed {
						t.Errorf("Rx: %v", err)
					}
					return
				}
			}
		})
		calls.Go(func() {
			for {
				b, err := o.Pool.CopyIn(frame(1, 60))
				if err != nil {
					t.Errorf("%v", err)
					return
				}
				n, err := p.Tx([]pool.Buffer{b})
				if n == 0 {
					b.Release()
				}
				if err == nil {
					err = p.WaitTx(context.Background())
				}
				if err != nil {
					if err != port.ErrClosed {
						t.Errorf("Tx: %v", err)
					}
					return
				}
			}
		})
		if i%4 != 0 {
			time.Sleep(time.Duration(i%4) * 100 * time.Microsecond)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		calls.Wait()
		s := p.Stats()
		received.Add(s.RxPackets)
		sent.Add(s.TxPackets)
	}
	once(1) // what is opened once, such as the netpoller's, is open then
	before := descriptors()
	rounds, beside := 1000, 8 // closing is waiting, for the most part
	if testing.Short() {
		rounds = 100
	}
	var all sync.WaitGroup
	for range beside {
		all.Go(func() {
			for i := range rounds / beside {
				once(i)
			}
		})
	}
	all.Wait()
	stop.Store(true)
	<-flood
	if received.Load() == 0 || sent.Load() == 0 {
		t.Errorf("%d frames were received and %d sent by %d ports", received.Load(), sent.Load(), rounds)
	}
	if after := descriptors(); after > before {
		t.Errorf("%d descriptors are open after %d rounds, %d before", after, rounds, before)
	}
	if got := near.IP("-d", "link", "show", "eth0"); !strings.Contains(got, "promiscuity 0 ") {
		t.Errorf("the interface has been left promiscuous: %s", got)
	}
	near.Do(func() {
		if got, err := os.ReadFile("/proc/thread-self/net/packet"); err != nil || strings.Count(string(got), "\n") != 1 {
			t.Errorf("packet sockets are left: %v\n%s", err, got)
		}
	})
}

// Large frames that wait while the interface goes down are received all the same, in order, and so are those that come when it is
// up again.
func TestDownWithLargeFrames(t *testing.T) {
	near, far := cable(t, 1500)
	other := dial(t, far)
	defer other.close()
	if err := unix.SetsockoptInt(other.num, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		t.Fatal(err)
	}
	o := port.Options{Pool: newPool(t, pool.Config{}), Large: newLarge(t, 256)}
	p := open(t, near, "eth0", o, afpacket.Config{})
	left := pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16, GSO: pool.GSOTCP4, SegmentSize: 1448}
	send := func(i int) {
		f := make([]byte, vnet.Len)
		large := testkit.UnfinishedTCP(20000 + i)
		vnet.Encode(f, left, large)
		other.send(append(f, large...))
	}
	for round := range 3 {
		for i := range 10 {
			send(i)
			if i == 5 {
				other.send(append(make([]byte, vnet.Len), frame(0, 60)...))
			}
		}
		near.IP("link", "set", "eth0", "down")
		var got []int
		for _, f := range receive(t, p, 11) {
			got = append(got, len(f))
		}
		if want := []int{20000, 20001, 20002, 20003, 20004, 20005, 60, 20006, 20007, 20008, 20009}; !slices.Equal(got, want) {
			t.Errorf("round %d: frames of %v bytes came, want %v", round, got, want)
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		for short.Err() == nil {
			if err := p.WaitRx(short); err != nil && err != context.DeadlineExceeded {
				t.Errorf("WaitRx: %v", err)
			}
			if n := len(receive(t, p, 0)); n != 0 {
				t.Errorf("%d frames more", n)
			}
		}
		cancel()
		near.IP("link", "set", "eth0", "up")
		eventually(t, "the link is up", func() bool {
			return strings.Contains(near.IP("link", "show", "eth0"), "LOWER_UP") && strings.Contains(far.IP("link", "show", "eth0"), "LOWER_UP")
		})
	}
	if s := p.Stats(); s.RxPackets != 33 || s.RxDropped() != 0 {
		t.Errorf("%+v", s)
	}
}
