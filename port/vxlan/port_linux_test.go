package vxlan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/vxlan"
	"github.com/ringway-net/ringway/stats"
)

func peers(addrs ...string) (all []netip.Addr) {
	for _, a := range addrs {
		all = append(all, netip.MustParseAddr(a))
	}
	return all
}

// bench is a port at 127.0.0.1, and peers made of sockets.
type bench struct {
	t      *testing.T
	port   port.Port
	pool   *pool.Pool
	at     netip.AddrPort
	nodes  []*node
	frames int
}

// newBench opens a port of network 7 whose peers are at addrs. The last others of these are no peers of its.
func newBench(t *testing.T, c vxlan.Config, others int, addrs ...string) *bench {
	t.Helper()
	return newBenchOf(t, pool.Config{Count: 4096, Track: 1}, c, others, addrs...)
}

func newBenchOf(t *testing.T, pc pool.Config, c vxlan.Config, others int, addrs ...string) *bench {
	t.Helper()
	testkit.Watchdog(t)
	small := pooltest.New(t, pc)
	b := &bench{t: t, pool: small, at: netip.AddrPortFrom(netip.MustParseAddr(here), freePort(t, here))}
	for _, a := range addrs {
		b.nodes = append(b.nodes, newNode(t, netip.AddrPortFrom(netip.MustParseAddr(a), b.at.Port()), 7))
	}
	c.Peers, c.Local, c.Port, c.VNI = peers(addrs[:len(addrs)-others]...), b.at.Addr(), b.at.Port(), 7
	var err error
	if b.port, err = vxlan.Open(port.Options{Pool: small, Large: largePool(t)}, c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, n := range b.nodes {
			n.close()
		}
		if err := b.port.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// frame makes a frame of its own from one address, the last byte of which is given, to another; 255 is the broadcast.
func (b *bench) frame(to, from byte) []byte {
	b.frames++
	f := append([]byte{2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 0x88, 0xb5}, fmt.Sprintf("frame %d", b.frames)...)
	if to == 255 {
		copy(f, bytes.Repeat([]byte{255}, 6))
	}
	return f
}

func (b *bench) tx(frames ...[]byte) {
	b.t.Helper()
	bufs := make([]pool.Buffer, len(frames))
	for i, f := range frames {
		var err error
		if bufs[i], err = b.pool.CopyIn(f); err != nil {
			b.t.Fatal(err)
		}
	}
	if n, err := b.port.Tx(bufs); n != len(bufs) || err != nil {
		b.t.Fatalf("Tx of %d: %d, %v", len(bufs), n, err)
	}
}

// rx receives n frames, and looks for more.
func (b *bench) rx(n int) (frames [][]byte) {
	b.t.Helper()
	bufs := make([]pool.Buffer, 64)
	for {
		k, err := b.port.Rx(bufs)
		for _, x := range bufs[:k] {
			frames = append(frames, slices.Clone(x.Bytes()))
			x.Release()
		}
		if k == 0 && err == nil {
			wait := 5 * time.Second
			if len(frames) >= n {
				wait = 20 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(b.t.Context(), wait)
			err = b.port.WaitRx(ctx)
			cancel()
		}
		if err != nil {
			return frames
		}
	}
}

// got checks which peers have got a frame, by their numbers.
func (b *bench) got(frame []byte, want ...int) {
	b.t.Helper()
	for i, n := range b.nodes {
		expected := 0
		if slices.Contains(want, i) {
			expected = 1
		}
		if got := n.take(expected); len(got) != expected || expected == 1 && !bytes.Equal(got[0], frame) {
			b.t.Errorf("peer %d has got %q, want %d times %q", i, got, expected, frame)
		}
	}
}

// Frames go to who has their destination, and to all if that is unknown.
func TestLearning(t *testing.T) {
	b := newBench(t, vxlan.Config{}, 0, there, third, "127.0.0.4")
	try := func(to byte, want ...int) {
		t.Helper()
		f := b.frame(to, 99)
		b.tx(f)
		b.got(f, want...)
	}
	says := func(node int, from byte) {
		t.Helper()
		f := b.frame(255, from)
		b.nodes[node].send(b.at, 7, f)
		if got := b.rx(1); len(got) != 1 || !bytes.Equal(got[0], f) {
			t.Errorf("received %q, want %q", got, f)
		}
		b.got(nil) // split horizon: the others get it from the peer itself
	}
	all := []int{0, 1, 2}
	try(255, all...)
	try(10, all...)
	says(1, 10)
	try(10, 1)
	try(11, all...)
	says(0, 11)
	try(10, 1)
	try(11, 0)
	try(255, all...)
	says(2, 10) // it has moved
	try(10, 2)
	b.nodes[0].send(b.at, 7, append([]byte{2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 50}, "\x88\xb5 from a group"...))
	b.rx(1)
	f := b.frame(0, 99)
	copy(f, []byte{1, 0, 0, 0, 0, 50})
	b.tx(f)
	b.got(f, all...)
	if s := b.port.Stats(); s.TxPackets != 9 || s.TxDropped() != 0 {
		t.Errorf("9 frames were %d sent and %v dropped", s.TxPackets, s.TxDrops)
	}
}

// What is known is forgotten, and with learning off nothing is known.
func TestForgetting(t *testing.T) {
	for _, c := range []vxlan.Config{{Age: time.Nanosecond}, {NoLearning: true}} {
		b := newBench(t, c, 0, there, third)
		b.nodes[1].send(b.at, 7, b.frame(255, 10))
		b.rx(1)
		f := b.frame(10, 99)
		b.tx(f)
		b.got(f, 0, 1)
	}
}

// Datagrams of every sort that is none of ours are dropped, and counted by what is wrong with them.
func TestHostile(t *testing.T) {
	b := newBench(t, vxlan.Config{}, 1, there, third, "127.0.0.9")
	peer, stranger := b.nodes[0].c, b.nodes[2].c
	frame := b.frame(1, 2)
	want := map[stats.Reason]uint64{}
	send := func(reason stats.Reason, datagram []byte) {
		t.Helper()
		if _, err := peer.WriteToUDPAddrPort(datagram, b.at); err != nil {
			t.Fatal(err)
		}
		want[reason]++
	}
	good := append(head(7), frame...)
	for n := range 8 {
		send(stats.ReasonTooShort, good[:n])
	}
	for n := 8; n < 8+14; n++ {
		send(stats.ReasonTooShort, good[:n])
	}
	for flags := range 256 {
		if flags&8 == 0 {
			send(stats.ReasonMalformed, append([]byte{byte(flags)}, good[1:]...))
		}
	}
	for _, vni := range []uint32{0, 6, 8, 7 << 8, 7 << 16, 1<<24 - 1} {
		send(stats.ReasonFiltered, append(head(vni), frame...))
	}
	for range 5 {
		if _, err := stranger.WriteToUDPAddrPort(good, b.at); err != nil {
			t.Fatal(err)
		}
		want[stats.ReasonFiltered]++
	}
	// Reserved bits are nobody's business.
	odd := slices.Clone(good)
	odd[0], odd[1], odd[3], odd[7] = 0xff, 1, 2, 3
	for _, d := range [][]byte{odd, good} {
		if _, err := peer.WriteToUDPAddrPort(d, b.at); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.rx(2); len(got) != 2 || !bytes.Equal(got[0], frame) || !bytes.Equal(got[1], frame) {
		t.Errorf("received %q", got)
	}
	s := b.port.Stats()
	for r := range stats.NumReasons {
		if got := s.RxDrops[r]; got != want[stats.Reason(r)] {
			t.Errorf("%v: %d dropped, want %d", stats.Reason(r), got, want[stats.Reason(r)])
		}
	}
	if s.RxPackets != 2 {
		t.Errorf("%d received", s.RxPackets)
	}
}

// udp makes a frame of flow n.
func udpFrame(n int) []byte {
	f := make([]byte, 14+20+8+20)
	copy(f, []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 48, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2})
	f[34], f[35], f[37], f[39] = byte(n>>8), byte(n), 53, 28
	return f
}

// Flows spread over the source ports, and each keeps to one.
func TestSpread(t *testing.T) {
	b := newBench(t, vxlan.Config{}, 0, there)
	n := b.nodes[0]
	for flow := range 320 {
		b.tx(udpFrame(flow))
	}
	n.take(320)
	if len(n.from) != 16 {
		t.Errorf("320 flows came from %d ports, want all 16", len(n.from))
	}
	for p, k := range n.from {
		if p < 49152 || k > 60 {
			t.Errorf("%d of 320 flows came from port %d", k, p)
		}
	}
	clear(n.from)
	for range 50 {
		b.tx(udpFrame(1), udpFrame(1))
	}
	n.take(100)
	if len(n.from) != 1 {
		t.Errorf("one flow came from ports %v", n.from)
	}

	c := vxlan.Config{SourcePorts: [2]uint16{50000, 50003}}
	b = newBench(t, c, 0, there)
	for flow := range 100 {
		b.tx(udpFrame(flow))
	}
	b.nodes[0].take(100)
	for p := range b.nodes[0].from {
		if p < 50000 || p > 50003 {
			t.Errorf("port %d is not in the range", p)
		}
	}
}

// Runs: frames of all lengths and flows, next to each other, come out as they went in.
func TestRuns(t *testing.T) {
	random := testkit.Rand(t)
	for _, runs := range []string{vxlan.On, vxlan.Off} {
		one := newBench(t, vxlan.Config{Runs: runs}, 0, there)
		one.nodes[0].close()
		two, err := vxlan.Open(port.Options{Pool: one.pool, Large: largePool(t)}, vxlan.Config{
			Peers: peers(here), Local: netip.MustParseAddr(there), Port: one.at.Port(), VNI: 7, Runs: runs})
		if err != nil {
			t.Fatal(err)
		}
		other := &bench{t: t, port: two, pool: one.pool}
		for range 200 {
			var frames [][]byte
			for size := 14 + random.IntN(1400); len(frames) < 64; size = 14 + random.IntN(1400) {
				for range min(1+random.IntN(80), 64-len(frames)) {
					f := make([]byte, size)
					for i := range f {
						f[i] = byte(random.Uint32())
					}
					copy(f[:14], []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5})
					frames = append(frames, f)
				}
			}
			one.tx(frames...)
			var got [][]byte
			for len(got) < len(frames) {
				bufs := make([]pool.Buffer, 1+random.IntN(40))
				n, err := two.Rx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range bufs[:n] {
					got = append(got, slices.Clone(b.Bytes()))
					b.Release()
				}
				if n == 0 {
					ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
					err := two.WaitRx(ctx)
					cancel()
					if err != nil {
						t.Fatalf("%d of %d frames came: %v", len(got), len(frames), err)
					}
				}
			}
			for i := range got {
				if !bytes.Equal(got[i], frames[i]) {
					t.Fatalf("gso=%s: frame %d of %d bytes came as one of %d", runs, i, len(frames[i]), len(got[i]))
				}
			}
		}
		if got := other.rx(0); len(got) > 0 {
			t.Errorf("%d frames too many", len(got))
		}
		if mode := one.port.Info().Mode; strings.Contains(mode, "UDP_SEGMENT") != (runs == vxlan.On) {
			t.Errorf("gso=%s: %s", runs, mode)
		}
		if err := two.Close(); err != nil {
			t.Error(err)
		}
	}
}

func largePool(t testing.TB) *pool.Pool {
	t.Helper()
	return pooltest.New(t, pool.Config{Name: "large", Count: 256, BufferSize: port.LargeBufferSize, Track: 1})
}

// Neither sending nor receiving allocates.
func TestAllocs(t *testing.T) {
	b := newBenchOf(t, pool.Config{Count: 4096}, vxlan.Config{}, 0, there, third)
	frames := make([][]byte, 64)
	datagrams := make([][]byte, 64)
	for i := range frames {
		frames[i] = b.frame(byte(i), byte(i))
		datagrams[i] = append(head(7), frames[i]...)
	}
	bufs := make([]pool.Buffer, 64)
	if n := testing.AllocsPerRun(100, func() {
		for i, f := range frames {
			x, err := b.pool.Get()
			if err != nil {
				t.Fatal(err)
			}
			_ = x.CopyFrom(f)
			bufs[i] = x
		}
		if n, err := b.port.Tx(bufs); n != 64 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations in Tx of 64", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, d := range datagrams {
			if _, err := b.nodes[0].c.WriteToUDPAddrPort(d, b.at); err != nil {
				t.Fatal(err)
			}
		}
		for got := 0; got < 64; {
			n, err := b.port.Rx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			pool.ReleaseBurst(bufs[:n])
			got += n
		}
	}); n != 0 {
		t.Errorf("%v allocations in Rx of 64", n)
	}
}

// Strings that are wrong get an error that says what is wrong.
func TestStrings(t *testing.T) {
	p, err := pool.New(pool.Config{Count: 64})
	if err != nil {
		t.Fatal(err)
	}
	for text, words := range map[string][]string{
		"vxlan:":                                 {"peers", "vxlan:192.0.2.7"},
		"vxlan:127.0.0.2":                        {"vni", "missing", "16777215"},
		"vxlan:127.0.0.2,vni=16777216":           {"vni", "16777216", "0 to 16777215"},
		"vxlan:127.0.0.2,vni=-1":                 {"vni", "-1"},
		"vxlan:127.0.0.2,::1,vni=1":              {"::1", "family"},
		"vxlan:127.0.0.2,127.0.0.2,vni=1":        {"127.0.0.2", "once"},
		"vxlan:239.0.0.1,vni=1":                  {"239.0.0.1", "multicast"},
		"vxlan:0.0.0.0,vni=1":                    {"0.0.0.0"},
		"vxlan:no.such.name.invalid,vni=1":       {"no.such.name.invalid"},
		"vxlan:127.0.0.2,vni=1,sport=9":          {"sport", "LOW-HIGH"},
		"vxlan:127.0.0.2,vni=1,sport=9-8":        {"sport", "9-8"},
		"vxlan:127.0.0.2,vni=1,sport=0-8":        {"sport", "0-8"},
		"vxlan:127.0.0.2,vni=1,ttl=0":            {"ttl", "1 to 255"},
		"vxlan:127.0.0.2,vni=1,age=0s":           {"age", "learn=off"},
		"vxlan:127.0.0.2,vni=1,learn=maybe":      {"learn", "maybe"},
		"vxlan:127.0.0.2,vni=1,local=::1":        {"local", "::1", "family"},
		"vxlan:127.0.0.2,vni=1,local=192.0.2.77": {"192.0.2.77", "ip addr"},
		"vxlan:127.0.0.2,vni=1,mtu=10":           {"mtu", "10"},
		"vxlan:127.0.0.2,vni=1,port=0":           {"port", "1 to 65535"},
		"vxlan:127.0.0.2,vni=1,dev=nosuch0":      {"nosuch0", "ip link"},
	} {
		o, err := port.Open(text, port.Options{Pool: p})
		if err == nil {
			t.Errorf("%s was opened", text)
			_ = o.Close()
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not say %q: %v", text, w, err)
			}
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := vxlan.Open(port.Options{}, vxlan.Config{Peers: peers(there)}); !errors.Is(err, port.ErrNoPool) {
		t.Errorf("without a pool: %v", err)
	}
}
