package udpsock_test

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/stats"
)

// A run passes as one: who receives without taking it apart sees it whole.
func TestRunIsOne(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	for _, longest := range []int{0, most} {
		to := openSocket(t, udpsock.Config{RecvBuf: udpsock.DefaultBuffer})
		if err := unix.SetsockoptInt(to.Num(), unix.IPPROTO_UDP, unix.UDP_GRO, 1); err != nil {
			t.Fatal(err)
		}
		from := newStart(t, o, to.Local, "", longest)
		if n, err := from.Send(buffers(t, o, 1000, 1000, 1000, 10)); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		if err := to.WaitRead(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, _, err := unix.Recvfrom(to.Num(), make([]byte, 9000), unix.MSG_DONTWAIT)
		if want := map[int]int{0: 1000, most: 3010}[longest]; err != nil || n != want {
			t.Errorf("runs up to %d: %d bytes came at once, want %d: %v", longest, n, want, err)
		}
	}
}

// When the system has no room for datagrams and can't tell when it has (ENOBUFS), they are not taken for a while, then dropped as
// no_space, and sent again once there is room.
func TestNoBuffers(t *testing.T) {
	testkit.Watchdog(t)
	need.Program(t, "tc")
	lab := netlab.New(t)
	r := lab.Namespace("r")
	lab.Host(1, r, "u0", 1500)
	r.Number("u0", 2)
	r.Run("tc", "qdisc", "replace", "dev", "u0", "root", "tbf", "rate", "8kbit", "burst", "2000", "limit", "3000")
	r.IP("neigh", "replace", "10.0.0.1", "dev", "u0", "lladdr", "02:00:00:00:00:01") // asking for it takes room as well

	o := options(t, 1, true)
	s := &start{base: newBase(t, o)}
	var out *udpsock.Socket
	r.Do(func() {
		out = openSocket(t, udpsock.Config{Local: netip.MustParseAddrPort("10.0.0.2:0"), Remote: netip.MustParseAddrPort("10.0.0.1:7")})
	})
	if err := s.Init(s.base, []*udpsock.Socket{out}, nil, nil, straight, 0); err != nil {
		t.Fatal(err)
	}
	// Sockets that don't ask for it are not told that their datagrams are thrown away.
	if err := unix.SetsockoptInt(out.Num(), unix.IPPROTO_IP, unix.IP_RECVERR, 1); err != nil {
		t.Fatal(err)
	}
	bufs := buffers(t, o, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000)
	n, err := s.Send(bufs)
	if err != nil || n == 0 || n == len(bufs) {
		t.Fatalf("of 8 frames, for which there is no room, %d were taken: %v", n, err)
	}
	if d := s.base.Stats().TxDropped(); d != 0 {
		t.Errorf("%d were dropped at once", d)
	}
	began, waits := time.Now(), 0
	for n < len(bufs) {
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		waits++
		k, err := s.Send(bufs[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	took := time.Since(began)
	c := s.base.Stats()
	if c.TxPackets+c.TxDrops[stats.ReasonNoSpace] != 8 || c.TxDrops[stats.ReasonNoSpace] == 0 || c.TxErrors != 0 {
		t.Errorf("%d sent, dropped %v, %d errors", c.TxPackets, c.TxDrops, c.TxErrors)
	}
	if took < 15*time.Millisecond || took > 5*time.Second || waits < 2 {
		t.Errorf("dropped after %v and %d waits", took, waits)
	}
	r.Run("tc", "qdisc", "delete", "dev", "u0", "root")
	before := s.base.Stats().TxPackets
	if n, err := s.Send(buffers(t, o, 1000, 1000)); n != 2 || err != nil || s.base.Stats().TxPackets != before+2 {
		t.Errorf("with room, %d were taken, %d sent: %v", n, s.base.Stats().TxPackets-before, err)
	}
}
