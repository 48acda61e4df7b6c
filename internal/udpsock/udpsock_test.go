//go:build unix

package udpsock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// most is the longest datagram of a run: what a loopback with an MTU of 16 KiB, as macOS has it, takes in one piece too.
const most = 16000

// options has pools: with large, one for runs too.
func options(t *testing.T, track int, large bool) port.Options {
	t.Helper()
	o := port.Options{Pool: pooltest.New(t, pool.Config{Count: 4096, Track: track})}
	if large {
		o.Large = pooltest.New(t, pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize, Track: track})
	}
	return o
}

// newBase makes the base of a port.
func newBase(t *testing.T, o port.Options) *port.Base {
	b := new(port.Base)
	b.Init(o)
	t.Cleanup(func() { _ = b.Shut(nil, nil) })
	return b
}

// openSocket opens a socket, which is closed with the test.
func openSocket(t *testing.T, c udpsock.Config) *udpsock.Socket {
	t.Helper()
	if !c.Local.IsValid() {
		c.Local = netip.MustParseAddrPort("127.0.0.1:0")
	}
	c.SendBuf = udpsock.DefaultBuffer
	s, err := udpsock.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// end is where datagrams come to.
type end struct {
	t    *testing.T
	base *port.Base
	sock *udpsock.Socket
	udpsock.Receiver
	noRuns error
}

func newEnd(t *testing.T, o port.Options, runs bool) *end {
	t.Helper()
	e := &end{t: t, base: newBase(t, o), sock: openSocket(t, udpsock.Config{RecvBuf: udpsock.DefaultBuffer})}
	e.noRuns = e.Init(e.base, e.sock, true, runs)
	t.Cleanup(e.Receiver.Close)
	return e
}

// take receives n datagrams, or as many as come in a while, and returns what is in them.
func (e *end) take(n int) (all [][]byte) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 10*time.Second)
	defer cancel()
	bufs := make([]pool.Buffer, 2*udpsock.Burst)
	for len(all) < n {
		k, err := e.Receive(bufs[:min(len(bufs), n-len(all))])
		if err != nil {
			e.t.Fatal(err)
		}
		for i, b := range bufs[:k] {
			if from := e.From(i); from != udpsock.HostOf(netip.MustParseAddr("127.0.0.1")) {
				e.t.Errorf("datagram %d is from %v", len(all), from)
			}
			all = append(all, slices.Clone(b.Bytes()))
			b.Release()
		}
		if k == 0 {
			if err := e.Wait(ctx); err != nil {
				e.t.Fatalf("after %d of %d datagrams: %v", len(all), n, err)
			}
		}
	}
	return all
}

// start is a sender with its sockets.
type start struct {
	base *port.Base
	udpsock.Sender
}

// straight sends all by the first socket.
func straight(bufs []pool.Buffer, ways []udpsock.Way) { clear(ways[:len(bufs)]) }

// newStart makes a sender whose socket is connected to an address.
func newStart(t *testing.T, o port.Options, to netip.AddrPort, header string, most int) *start {
	t.Helper()
	s := &start{base: newBase(t, o)}
	out := openSocket(t, udpsock.Config{Remote: to})
	if err := s.Init(s.base, []*udpsock.Socket{out}, nil, []byte(header), straight, most); err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return s
}

// buffers makes frames of these lengths, number i of bytes i.
func buffers(t *testing.T, o port.Options, sizes ...int) (bufs []pool.Buffer) {
	t.Helper()
	for i, n := range sizes {
		p := o.Pool
		if n > p.BufferSize() {
			p = o.Large
		}
		b, err := p.CopyIn(bytes.Repeat([]byte{byte(i)}, n))
		if err != nil {
			t.Fatal(err)
		}
		bufs = append(bufs, b)
	}
	return bufs
}

// A mixture of lengths: runs, runs with a shorter last one, single ones, empty ones, more than a run may have and more than a burst.
func mixture() (sizes []int) {
	for _, run := range []struct{ n, size, last int }{
		{40, 100, 100}, {1, 1400, 0}, {5, 1200, 7}, {1, 0, 0}, {3, 50, 60}, {70, 1300, 1300}, {2, 0, 0}, {3, 9000, 20}, {1, 30000, 30000}, {90, 64, 1},
	} {
		for range run.n {
			sizes = append(sizes, run.size)
		}
		sizes = append(sizes, run.last)
	}
	return sizes
}

// Whatever the frames' lengths, and whether runs of them pass as one on the way out, on the way in, both or neither: they come as they
// are, in order, and are counted.
func TestAllSizes(t *testing.T) {
	testkit.Watchdog(t)
	for _, header := range []string{"", "a header"} {
		for _, longest := range []int{0, most} {
			for _, gather := range []bool{false, true} {
				t.Run(fmt.Sprintf("header %d, most %d, gather %v", len(header), longest, gather), func(t *testing.T) {
					o := options(t, 1, true)
					to := newEnd(t, o, gather)
					from := newStart(t, o, to.sock.Local, header, longest)
					sizes := mixture()
					bufs := buffers(t, o, sizes...)
					for sent := 0; sent < len(bufs); {
						n, err := from.Send(bufs[sent:])
						if err != nil || n == 0 && from.Wait(t.Context()) != nil {
							t.Fatal(n, err)
						}
						sent += n
					}
					for i, got := range to.take(len(sizes)) {
						want := append([]byte(header), bytes.Repeat([]byte{byte(i)}, sizes[i])...)
						if !bytes.Equal(got, want) {
							t.Fatalf("datagram %d, of %d bytes, came as %d: %.40q", i, len(want), len(got), got)
						}
					}
					if s := from.base.Stats(); s.TxPackets != uint64(len(sizes)) || s.TxDropped() != 0 {
						t.Errorf("of %d frames %d were sent, dropped %v", len(sizes), s.TxPackets, s.TxDrops)
					}
					if runtime.GOOS != "linux" {
						return
					}
					if said := from.Mode(); strings.Contains(said, "UDP_SEGMENT") != (longest > 0) {
						t.Errorf("the mode of sending is %q", said)
					}
					if said := to.Mode(); strings.Contains(said, "UDP_GRO") != gather || to.noRuns != nil {
						t.Errorf("the mode of receiving is %q: %v", said, to.noRuns)
					}
				})
			}
		}
	}
}

// Without a pool for runs there are none, and the mode says why.
func TestNoLarge(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, false)
	to := newEnd(t, o, true)
	if to.noRuns == nil || !strings.Contains(to.Mode(), "no UDP_GRO: there is no pool for them") {
		t.Errorf("%v; the mode is %q", to.noRuns, to.Mode())
	}
	from := newStart(t, options(t, 1, true), to.sock.Local, "", 0)
	// What fits into no buffer is dropped, and what is behind it comes.
	if n, err := from.Send(buffers(t, from.base.Options, 9000, 60)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if got := to.take(1); len(got[0]) != 60 {
		t.Errorf("%d bytes came", len(got[0]))
	}
	to.base.RxShard.Publish()
	if s := to.base.Stats(); s.RxDrops[stats.ReasonTruncated] != 1 {
		t.Errorf("dropped: %v", s.RxDrops)
	}
}

// A datagram that is longer than there can be one is dropped, alone, and a note says so.
func TestTooLong(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	to := newEnd(t, o, false)
	from := newStart(t, o, to.sock.Local, "", most)
	if n, err := from.Send(buffers(t, o, 60, udpsock.MaxPayload+1, 60)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	to.take(2)
	if s := from.base.Stats(); s.TxPackets != 2 || s.TxDrops[stats.ReasonTooLong] != 1 || s.TxDropped() != 1 {
		t.Errorf("%d sent, dropped %v", s.TxPackets, s.TxDrops)
	}
	if notes := strings.Join(from.Notes(), "; "); !strings.Contains(notes, "too long for the path") {
		t.Errorf("notes: %q", notes)
	}
}

// What the way drops isn't sent, and counted for the reason that it gives.
func TestDropped(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	to := newEnd(t, o, false)
	s := &start{base: newBase(t, o)}
	out := openSocket(t, udpsock.Config{Remote: to.sock.Local})
	odd := func(bufs []pool.Buffer, ways []udpsock.Way) {
		for i, b := range bufs {
			ways[i] = udpsock.Way{}
			if b.Bytes()[0]%2 == 1 {
				ways[i].Drop = stats.ReasonFiltered
			}
		}
	}
	_ = s.Init(s.base, []*udpsock.Socket{out}, nil, nil, odd, most)
	if n, err := s.Send(buffers(t, o, 60, 60, 60, 60, 60)); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	for i, got := range to.take(3) {
		if int(got[0]) != 2*i {
			t.Errorf("datagram %d is number %d", i, got[0])
		}
	}
	if n := s.base.Stats().TxDrops[stats.ReasonFiltered]; n != 2 {
		t.Errorf("%d were dropped", n)
	}
}

// Sockets that aren't connected send to one peer, or a copy to each; what is for all is counted once.
func TestPeers(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	var ends []*end
	var names []udpsock.Name
	for range 3 {
		e := newEnd(t, o, false)
		name, err := udpsock.NewName(e.sock.Local)
		if err != nil {
			t.Fatal(err)
		}
		ends, names = append(ends, e), append(names, name)
	}
	s := &start{base: newBase(t, o)}
	sockets := []*udpsock.Socket{openSocket(t, udpsock.Config{}), openSocket(t, udpsock.Config{})}
	// Frames 0 and 3 to peer 0, 1 and 4 to peer 1, 2 and 5 to all; every one by another socket than the one before.
	route := func(bufs []pool.Buffer, ways []udpsock.Way) {
		for i := range bufs {
			ways[i] = udpsock.Way{Socket: i % 2, Peer: []int{0, 1, udpsock.AllPeers}[i%3]}
		}
	}
	_ = s.Init(s.base, sockets, names, []byte("h"), route, most)
	if n, err := s.Send(buffers(t, o, 60, 60, 60, 60, 60, 60)); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	for i, want := range [][]byte{{0, 2, 3, 5}, {1, 2, 4, 5}, {2, 5}} {
		var got []byte
		for _, d := range ends[i].take(len(want)) {
			got = append(got, d[1])
		}
		slices.Sort(got) // two sockets know no order
		if !bytes.Equal(got, want) {
			t.Errorf("to peer %d came %v, want %v", i, got, want)
		}
	}
	if n := s.base.Stats().TxPackets; n != 6 {
		t.Errorf("%d sent", n)
	}
}

// When nobody is at the other end, the system tells after the first datagram, and those that it tells of are dropped. When somebody is
// again, all goes on.
func TestNobodyThere(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	gone := openSocket(t, udpsock.Config{})
	from := newStart(t, o, gone.Local, "", 0)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); from.base.Stats().TxDrops[stats.ReasonLinkDown] == 0; {
		if n, err := from.Send(buffers(t, o, 60)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if time.Now().After(end) {
			t.Fatalf("nothing was dropped: %v", from.base.Stats().TxDrops)
		}
	}
	again := openSocket(t, udpsock.Config{Local: gone.Local, RecvBuf: udpsock.DefaultBuffer})
	before := from.base.Stats()
	if n, err := from.Send(buffers(t, o, 60, 60)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if s := from.base.Stats(); s.TxPackets == before.TxPackets {
		t.Errorf("nothing is sent to who has come back: %v", s.TxDrops)
	}
	if err := again.WaitRead(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A socket that can't send any more drops what it gets, counts an error for each, and says which; one that is closed says so to who
// receives.
func TestBroken(t *testing.T) {
	testkit.Watchdog(t)
	o := options(t, 1, true)
	to := newEnd(t, o, false)
	s := &start{base: newBase(t, o)}
	out := openSocket(t, udpsock.Config{Remote: to.sock.Local})
	_ = s.Init(s.base, []*udpsock.Socket{out}, nil, nil, straight, 0)
	if err := unix.Shutdown(out.Num(), unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Send(buffers(t, o, 60, 60)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if c := s.base.Stats(); c.TxPackets != 0 || c.TxDrops[stats.ReasonIOError] != 2 || c.TxErrors != 2 {
		t.Errorf("%d sent, dropped %v, %d errors", c.TxPackets, c.TxDrops, c.TxErrors)
	}
	if notes := strings.Join(s.Notes(), "; "); !strings.Contains(notes, unix.EPIPE.Error()) {
		t.Errorf("notes: %q", notes)
	}
	if err := to.sock.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := to.Receive(make([]pool.Buffer, 4)); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("from a closed socket: %d, %v", n, err)
	}
}

// Neither sending nor receiving allocates.
func TestAllocs(t *testing.T) {
	testkit.Watchdog(t)
	for _, longest := range []int{0, most} {
		o := options(t, 0, true) // tracking allocates
		to := newEnd(t, o, longest > 0)
		from := newStart(t, o, to.sock.Local, "a header", longest)
		frames := buffers(t, o, slices.Repeat([]int{1000}, udpsock.Burst)...)
		bufs := make([]pool.Buffer, udpsock.Burst)
		if n := testing.AllocsPerRun(100, func() {
			for i, b := range frames {
				b.Retain(1)
				bufs[i] = b
			}
			if n, err := from.Send(bufs); n != len(bufs) || err != nil {
				t.Fatal(n, err)
			}
			for got := 0; got < len(bufs); {
				n, err := to.Receive(bufs)
				if err != nil {
					t.Fatal(err)
				}
				pool.ReleaseBurst(bufs[:n])
				got += n
			}
		}); n != 0 {
			t.Errorf("runs up to %d: %v allocations for %d datagrams", longest, n, len(bufs))
		}
		pool.ReleaseBurst(frames)
	}
}

func TestTuning(t *testing.T) {
	var wrong string
	bad := func(field string, value any, want string) error {
		wrong = fmt.Sprintf("%s %v, want %s", field, value, want)
		return errors.New(wrong)
	}
	got, err := udpsock.Tuning{}.WithDefaults(bad)
	if want := (udpsock.Tuning{SendBuf: udpsock.DefaultBuffer, RecvBuf: udpsock.DefaultBuffer, Runs: udpsock.Auto}); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for says, c := range map[string]udpsock.Tuning{
		"SendBuf 4095, want 4096 to 1073741824":       {SendBuf: 4095},
		"RecvBuf 1073741825, want 4096 to 1073741824": {RecvBuf: 1<<30 + 1},
		"Runs maybe, want auto, on or off":            {Runs: "maybe"},
	} {
		if _, err := c.WithDefaults(bad); err == nil || wrong != says {
			t.Errorf("%+v: %v, want %q", c, err, says)
		}
	}
}

func TestLookupPort(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:7": "127.0.0.1:7", "[::1]:7": "[::1]:7", "[::ffff:127.0.0.1]:7": "127.0.0.1:7", "127.0.0.1:0": "127.0.0.1:0",
	} {
		if a, err := udpsock.LookupPort(text, netip.Addr{}); err != nil || a.String() != want {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
	if a, err := udpsock.LookupPort(":7", netip.Addr{}); err != nil || a.Addr().IsValid() || a.Port() != 7 {
		t.Errorf("no host: %v, %v", a, err)
	}
	for text, says := range map[string]string{
		"127.0.0.1": "host:port", "::1:7": "host:port", "127.0.0.1:65536": "65536", "127.0.0.1:-1": "-1", "127.0.0.1:http": "http", "[::1]:7": "family",
	} {
		a, err := udpsock.LookupPort(text, netip.MustParseAddr("192.0.2.1"))
		if !errors.Is(err, udpsock.ErrAddress) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, %v, want %q", text, a, err, says)
		}
	}
}
