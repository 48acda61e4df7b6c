//go:build unix

package udp_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/udp"
	"github.com/ringway-net/ringway/stats"
)

func newPools(t *testing.T, track int) port.Options {
	t.Helper()
	return port.Options{
		Pool:  pooltest.New(t, pool.Config{Count: 4096, Track: track}),
		Large: pooltest.New(t, pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize, Track: track}),
	}
}

// peer is a socket on the loopback.
func newPeer(t *testing.T) (c *net.UDPConn, at netip.AddrPort) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c, c.LocalAddr().(*net.UDPAddr).AddrPort()
}

func open(t *testing.T, o port.Options, c udp.Config) *udp.Port {
	t.Helper()
	testkit.Watchdog(t)
	if !c.Local.IsValid() {
		c.Local = netip.MustParseAddrPort("127.0.0.1:0")
	}
	p, err := udp.Open(o, c)
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

// receive receives a frame.
func receive(t *testing.T, p port.Port) []byte {
	t.Helper()
	bufs := make([]pool.Buffer, 1)
	for {
		n, err := p.Rx(bufs)
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			defer bufs[0].Release()
			return slices.Clone(bufs[0].Bytes())
		}
		if err := p.WaitRx(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Only the other end is heard, from before the first moment on; an empty datagram is dropped.
func TestStrangers(t *testing.T) {
	peer, at := newPeer(t)
	stranger, _ := newPeer(t)
	p := open(t, newPools(t, 1), udp.Config{Remote: at})
	for _, d := range []string{"one", "two"} {
		if _, err := stranger.WriteToUDPAddrPort([]byte(d), p.Local()); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"", "a frame"} {
		if _, err := peer.WriteToUDPAddrPort([]byte(d), p.Local()); err != nil {
			t.Fatal(err)
		}
	}
	if got := receive(t, p); string(got) != "a frame" {
		t.Errorf("received %q", got)
	}
	if s := p.Stats(); s.RxPackets != 1 || s.RxDrops[stats.ReasonTooShort] != 1 || s.RxDropped() != 1 {
		t.Errorf("%d received, %v dropped", s.RxPackets, s.RxDrops)
	}
}

// Nobody at the other end is no end of the port; when there is somebody, he is heard.
func TestNobodyThere(t *testing.T) {
	peer, at := newPeer(t)
	o := newPools(t, 1)
	p := open(t, o, udp.Config{Remote: at})
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	const frames = 100
	for range frames {
		b, err := o.Pool.CopyIn([]byte("is anybody there?"))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := p.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := p.Rx(make([]pool.Buffer, 4)); n != 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	s := p.Stats()
	if s.TxPackets+s.TxDropped() != frames || s.TxDrops[stats.ReasonLinkDown] != s.TxDropped() || s.TxDropped()+s.RxErrors == 0 {
		t.Errorf("%d sent, %v dropped, %d errors", s.TxPackets, s.TxDrops, s.RxErrors)
	}
	peer, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if _, err := peer.WriteToUDPAddrPort([]byte("yes"), p.Local()); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, p); string(got) != "yes" {
		t.Errorf("received %q", got)
	}
}

// Frames of equal length go as runs, and come out as they went in, one by one or not.
func TestRuns(t *testing.T) {
	random := testkit.Rand(t)
	for _, runs := range []string{udp.Auto, udp.Off} {
		o := newPools(t, 1)
		addr := free(t)
		one := open(t, o, udp.Config{Local: addr[0], Remote: addr[1], Runs: runs})
		two := open(t, o, udp.Config{Local: addr[1], Remote: addr[0], Runs: runs})
		if want := runs == udp.Auto && runtime.GOOS == "linux"; strings.Contains(one.Info().Mode, "UDP_GRO)") != want {
			t.Errorf("gso=%s: %s", runs, one.Info().Mode)
		}
		var bufs []pool.Buffer
		var frames [][]byte
		shared := 0
		for size := 2000; len(frames) < 1000; size = 1 + random.IntN(3000) {
			for range 1 + random.IntN(100) {
				f := make([]byte, size)
				for i := range f {
					f[i] = byte(random.Uint32())
				}
				frames = append(frames, f)
			}
		}
		for sent, got := 0, 0; got < len(frames); {
			for range min(64, len(frames)-sent) {
				b, err := o.Pool.Wrap(frames[sent])
				if err != nil {
					t.Fatal(err)
				}
				bufs = append(bufs, b)
				sent++
			}
			n, err := one.Tx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			bufs = append([]pool.Buffer(nil), bufs[n:]...)
			in := make([]pool.Buffer, 1+random.IntN(90))
			for got < sent-len(bufs) {
				if err := two.WaitRx(t.Context()); err != nil {
					t.Fatal(err)
				}
				n, err := two.Rx(in)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range in[:n] {
					if !bytes.Equal(b.Bytes(), frames[got]) {
						t.Fatalf("gso=%s: frame %d of %d bytes came as one of %d", runs, got, len(frames[got]), b.Len())
					}
					if b.Shared() {
						shared++
					}
					got++
					b.Release()
				}
			}
		}
		if want := runs == udp.Auto && runtime.GOOS == "linux"; (shared > 0) != want {
			t.Errorf("gso=%s: %d of %d frames came in a run", runs, shared, len(frames))
		}
	}
}

// Neither sending nor receiving allocates.
func TestAllocs(t *testing.T) {
	for _, runs := range []string{udp.Auto, udp.Off} {
		o := newPools(t, 0)
		addr := free(t)
		one := open(t, o, udp.Config{Local: addr[0], Remote: addr[1], Runs: runs})
		two := open(t, o, udp.Config{Local: addr[1], Remote: addr[0], Runs: runs})
		bufs := make([]pool.Buffer, 64)
		if n := testing.AllocsPerRun(100, func() {
			if o.Pool.GetBurst(bufs) != 64 {
				t.Fatal("no buffers")
			}
			for i := range bufs {
				_, _ = bufs[i].Append(100)
			}
			if n, err := one.Tx(bufs); n != 64 || err != nil {
				t.Fatal(n, err)
			}
			for got := 0; got < 64; {
				n, err := two.Rx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				pool.ReleaseBurst(bufs[:n])
				got += n
			}
		}); n != 0 {
			t.Errorf("gso=%s: %v allocations in Tx and Rx of 64", runs, n)
		}
	}
}

// Strings that are wrong get an error that says what is wrong, and those that are right do what they say.
func TestStrings(t *testing.T) {
	o := newPools(t, 1)
	taken, at := newPeer(t)
	defer taken.Close()
	for text, words := range map[string][]string{
		"udp:":                                {"LOCAL>REMOTE", "udp:0.0.0.0:7000>192.0.2.1:7000"},
		"udp:127.0.0.1:9":                     {"LOCAL>REMOTE"},
		"udp:127.0.0.1:9>":                    {"LOCAL>REMOTE"},
		"udp:>127.0.0.1":                      {"REMOTE", "host:port"},
		"udp:>127.0.0.1:0":                    {"REMOTE", "1 to 65535"},
		"udp:>:9":                             {"REMOTE", "1 to 65535"},
		"udp:>127.0.0.1:65536":                {"REMOTE", "65536"},
		"udp:x:9>127.0.0.1:http":              {"9"},
		"udp:127.0.0.1:0>[::1]:9":             {"REMOTE", "::1", "family"},
		"udp:>no.such.name.invalid:9":         {"no.such.name.invalid"},
		"udp:" + at.String() + ">127.0.0.1:9": {"address already in use", "ss -ulnp"},
		"udp:192.0.2.77:0>127.0.0.1:9":        {"192.0.2.77", "ip addr"},
		"udp:>127.0.0.1:9,link=tokenring":     {"link", "ethernet, raw"},
		"udp:>127.0.0.1:9,mtu=0":              {"mtu", "1 to 65507"},
		"udp:>127.0.0.1:9,mtu=65508":          {"mtu", "1 to 65507"},
		"udp:>127.0.0.1:9,rcvbuf=1":           {"rcvbuf"},
		"udp:>127.0.0.1:9,gso=yes":            {"gso", "auto, on, off"},
	} {
		p, err := port.Open(text, o)
		if err == nil {
			t.Errorf("%s was opened", text)
			_ = p.Close()
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not say %q: %v", text, w, err)
			}
		}
	}
	for text, want := range map[string]port.Info{
		"udp:>127.0.0.1:9":                   {LinkType: 1, MTU: 65507},
		"udp:127.0.0.1:0>127.0.0.1:9,mtu=99": {LinkType: 1, MTU: 99},
		"udp:>localhost:9,link=raw":          {LinkType: 101, MTU: 65507},
	} {
		p, err := port.Open(text, o)
		if err != nil {
			t.Error(err)
			continue
		}
		i := p.Info()
		if i.LinkType != want.LinkType || runtime.GOOS == "linux" && i.MTU != want.MTU || !i.AnyLinkType || !i.Live || i.Offloads != 0 {
			t.Errorf("%s: %+v", text, i)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := udp.Open(port.Options{}, udp.Config{Remote: at}); !errors.Is(err, port.ErrNoPool) {
		t.Errorf("without a pool: %v", err)
	}
	for _, c := range []udp.Config{{}, {Remote: at, MTU: -1}, {Remote: at, SendBuf: 1}, {Remote: at, Runs: "x"}, {Remote: at, Local: netip.MustParseAddrPort("[::1]:0")}} {
		if _, err := udp.Open(o, c); !errors.Is(err, udp.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A thousand ports are opened and closed under traffic.
func TestManyTimes(t *testing.T) {
	o := newPools(t, 1)
	peer, at := newPeer(t)
	stop := make(chan struct{})
	done := make(chan struct{})
	local := free(t)[0]
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = peer.WriteToUDPAddrPort([]byte("traffic"), local)
			}
		}
	}()
	for range 1000 {
		p, err := udp.Open(o, udp.Config{Local: local, Remote: at})
		if err != nil {
			t.Fatal(err)
		}
		bufs := make([]pool.Buffer, 8)
		n, err := p.Rx(bufs)
		if err != nil {
			t.Fatal(err)
		}
		pool.ReleaseBurst(bufs[:n])
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-done
}
