package gen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/pooltest"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/gen"
)

func newPool(t testing.TB, c pool.Config) *pool.Pool {
	t.Helper()
	c.Track = 1
	return pooltest.New(t, c)
}

func open(t testing.TB, p *pool.Pool, name string) port.Port {
	t.Helper()
	g, err := port.Open(name, port.Options{Pool: p, Direction: port.In})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// take receives n frames in bursts of burst, or fewer if the end comes.
func take(t testing.TB, g port.Port, n, burst int) (frames [][]byte) {
	t.Helper()
	bufs := make([]pool.Buffer, burst)
	for len(frames) < n {
		k, err := g.Rx(bufs[:min(burst, n-len(frames))])
		for _, b := range bufs[:k] {
			frames = append(frames, slices.Clone(b.Bytes()))
			b.Release()
		}
		if err == nil && k == 0 {
			err = g.WaitRx(t.Context())
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

// TestDeterministic: the same string gives the same frames, whatever the bursts, pools and rates; another
// seed, others.
func TestDeterministic(t *testing.T) {
	p, small := newPool(t, pool.Config{}), newPool(t, pool.Config{BufferSize: 256, Headroom: pool.None})
	for _, keys := range []string{"", ",size=imix", ",size=100x1+64x2,flows=10", ",ip=6,vlan=3,flows=70000,size=100", ",size=200x1+1000x1"} {
		const n = 500
		want := take(t, open(t, p, "gen:count=500"+keys), n+1, 64)
		if len(want) != n {
			t.Fatalf("%s: %d frames came, want %d", keys, len(want), n)
		}
		for i, f := range want {
			if seq, ok := gen.Sequence(f); seq != uint64(i) || !ok {
				t.Fatalf("%s: frame %d has number %d, %v", keys, i, seq, ok)
			}
		}
		for _, burst := range []int{1, 3, 64, 500} {
			for _, other := range []*pool.Pool{p, small} {
				for _, rate := range []string{"", ",rate=100kpps", ",rate=1Gbit/s"} {
					if got := take(t, open(t, other, "gen:seed=1"+keys+rate), n, burst); !slices.EqualFunc(got, want, slices.Equal) {
						t.Errorf("%s%s: frames in bursts of %d differ", keys, rate, burst)
					}
				}
			}
		}
		if got := take(t, open(t, p, "gen:seed=2"+keys), n, 64); slices.EqualFunc(got, want, slices.Equal) && keys != "" {
			t.Errorf("%s: another seed gives the same frames", keys)
		}
	}
}

// TestFlows: there are as many 5-tuples as there should be, one after the other, each of them again and again.
func TestFlows(t *testing.T) {
	p := newPool(t, pool.Config{})
	for _, version := range []string{"4", "6"} {
		for _, flows := range []int{1, 2, 1000, 16384, 16385, 40000} {
			g := open(t, p, fmt.Sprintf("gen:ip=%s,flows=%d", version, flows))
			seen := map[string]int{}
			for i, f := range take(t, g, flows+flows/2, 64) {
				h := packet.Parse(f)
				tuple := fmt.Sprint(h.Src(f), h.Dst(f), h.SrcPort, h.DstPort, h.Protocol)
				first, again := seen[tuple]
				if !again {
					seen[tuple] = i
				}
				if again != (i >= flows) || again && first != i-flows {
					t.Fatalf("IPv%s, %d flows: frame %d has flow %s, which was frame %d's: %v", version, flows, i, tuple, first, again)
				}
			}
			if len(seen) != flows {
				t.Errorf("IPv%s: %d flows, want %d", version, len(seen), flows)
			}
		}
	}
}

// TestKeys: what the keys say is in the frames.
func TestKeys(t *testing.T) {
	p := newPool(t, pool.Config{})
	for keys, check := range map[string]func(f []byte, h packet.Headers) bool{
		"":               func(f []byte, h packet.Headers) bool { return len(f) == 60 && packet.IPv4(f[h.L3:]).ChecksumOK() },
		"size=1514":      func(f []byte, h packet.Headers) bool { return len(f) == 1514 },
		"ip=6":           func(f []byte, h packet.Headers) bool { return len(f) == 74 && packet.IPv6(f[h.L3:]).Valid() },
		"ip=6,vlan=7":    func(f []byte, h packet.Headers) bool { return len(f) == 78 && h.VLANs[0].ID() == 7 },
		"vlan=0":         func(f []byte, h packet.Headers) bool { return len(f) == 60 && h.VLANs[0].TPID == packet.EtherTypeVLAN },
		"size=imix":      func(f []byte, h packet.Headers) bool { return slices.Contains([]int{60, 590, 1514}, len(f)) },
		"size=imix,ip=6": func(f []byte, h packet.Headers) bool { return slices.Contains([]int{74, 590, 1514}, len(f)) },
		"size=61+62x3":   func(f []byte, h packet.Headers) bool { return len(f) == 61 || len(f) == 62 },
		"src=02:aa:00:00:00:01": func(f []byte, h packet.Headers) bool {
			return packet.Ethernet(f).Src().String() == "02:aa:00:00:00:01"
		},
		"dst=ff:ff:ff:ff:ff:ff": func(f []byte, h packet.Headers) bool { return packet.Ethernet(f).Dst().IsBroadcast() },
	} {
		for i, f := range take(t, open(t, p, "gen:"+keys), 50, 8) {
			if h := packet.Parse(f); h.Status != packet.OK || !check(f, h) {
				t.Errorf("gen:%s: frame %d is %x (%v)", keys, i, f, h.Status)
				break
			}
		}
	}
}

func TestConfig(t *testing.T) {
	p := newPool(t, pool.Config{})
	o := port.Options{Pool: p, Direction: port.In}
	many := make(gen.Mix, 257)
	for i := range many {
		many[i] = gen.Share{Size: 60 + i, Weight: 1}
	}
	for _, c := range []struct {
		field string
		gen.Config
	}{
		{"IP", gen.Config{IP: 5}},
		{"Flows", gen.Config{Flows: -1}},
		{"Flows", gen.Config{Flows: gen.MaxFlows + 1}},
		{"Src", gen.Config{Src: packet.MAC{1}}},
		{"Sizes", gen.Config{Sizes: gen.Mix{{Size: 59, Weight: 1}}}},
		{"Sizes", gen.Config{Sizes: gen.Mix{{Size: 73, Weight: 1}}, IP: 6}},
		{"Sizes", gen.Config{Sizes: gen.Mix{{Size: 65550, Weight: 1}}}},
		{"Sizes", gen.Config{Sizes: gen.Mix{{Size: 60, Weight: 0}}}},
		{"Sizes", gen.Config{Sizes: gen.Mix{{Size: 60, Weight: math.MaxInt}, {Size: 61, Weight: math.MaxInt}}}},
		{"Sizes", gen.Config{Sizes: many}},
		{"Rate", gen.Config{Rate: port.Rate{PPS: 1, BPS: 1}}},
		{"Rate", gen.Config{Rate: port.Rate{PPS: -1}}},
		{"Rate", gen.Config{Rate: port.Rate{BPS: math.NaN()}}},
	} {
		if _, err := gen.Open(c.Config, o); !errors.Is(err, gen.ErrConfig) || !strings.Contains(err.Error(), "Config."+c.field+" ") {
			t.Errorf("%+v: %v, want one about %s", c.Config, err, c.field)
		}
	}
	if _, err := gen.Open(gen.Config{}, port.Options{}); err != port.ErrNoPool {
		t.Errorf("without a pool: %v", err)
	}
	for _, keys := range []string{
		"size=59", "size=", "size=x", "size=60x", "size=60x0", "size=60+", "size=60x70000", "size=IMIX", "size=70000",
		"rate=10", "rate=0pps", "count=-1", "count=1.5", "seed=-1", "flows=0", "flows=17M", "vlan=4095", "vlan=-1", "ip=5", "src=1", "dst=02:00:00:00:00", "src=00:00:00:00:00:0g",
	} {
		key, value, _ := strings.Cut(keys, "=")
		_, err := port.Open("gen:"+keys, o)
		if !errors.Is(err, port.ErrSpec) || !strings.Contains(err.Error(), "key "+key) || !strings.Contains(err.Error(), `"`+value+`"`) {
			t.Errorf("gen:%s: %v; want an error that names key and value", keys, err)
		}
	}
	if _, err := port.Open("gen:src=ff:ff:ff:ff:ff:ff", o); !errors.Is(err, port.ErrSpec) || !strings.Contains(err.Error(), "group address") {
		t.Errorf("with a group address as source: %v", err)
	}
	for text, want := range map[string]string{"60": "60", "60x7+590x4+1514": "60x7+590x4+1514x1", "64x3": "64"} {
		m, err := gen.ParseMix(text)
		if err != nil || m.String() != want {
			t.Errorf("ParseMix(%q) is %v, %v; want %s", text, m, err, want)
		}
	}
	if m := gen.IMIX(74); m.String() != "74x7+590x4+1514x1" || gen.IMIX(0).String() != "60x7+590x4+1514x1" {
		t.Errorf("IMIX is %v and %v", m, gen.IMIX(0))
	}
}

// TestCount: as many as were asked for, and the end.
func TestCount(t *testing.T) {
	p := newPool(t, pool.Config{})
	for _, count := range []int{1, 63, 64, 65, 1000} {
		g := open(t, p, fmt.Sprintf("gen:count=%d", count))
		if i := g.Info(); i.Total != int64(60*count) || i.Done != 0 || i.Live {
			t.Errorf("Info is %+v", i)
		}
		if n := len(take(t, g, 2000, 64)); n != count {
			t.Errorf("%d frames came, want %d", n, count)
		}
		if i := g.Info(); i.Total != i.Done {
			t.Errorf("at the end Info is %+v", i)
		}
	}
	if i := open(t, p, "gen:count=5,size=imix").Info(); i.Total != 0 {
		t.Errorf("nobody knows how many bytes that will be, and Info says %d", i.Total)
	}
}

// TestPaced: no frame comes before its time, by a clock that runs at least as long as the generator's.
func TestPaced(t *testing.T) {
	p := newPool(t, pool.Config{})
	for _, c := range []struct {
		keys string
		n    int
		took time.Duration // from the first frame to the nth
	}{
		{"rate=20kpps", 2001, 100 * time.Millisecond},
		{"rate=4.8Mbit/s", 1001, 100 * time.Millisecond}, // 480 bits each
	} {
		start := time.Now()
		take(t, open(t, p, "gen:"+c.keys), c.n, 64)
		if took := time.Since(start); took < c.took {
			t.Errorf("gen:%s: %d frames took %v, want %v at least", c.keys, c.n, took, c.took)
		}
	}
}

// TestExhausted: without buffers, Rx gives what there is, WaitRx keeps the first one that comes back for the next
// Rx, and no frame is skipped.
func TestExhausted(t *testing.T) {
	for _, keys := range []string{"", ",size=60x1+200x1", ",size=60x1+200x1,rate=1Mpps"} {
		p := newPool(t, pool.Config{Count: 10, HeapBuffers: 3, BufferSize: 100})
		g := open(t, p, "gen:count=400"+keys)
		next := uint64(0)
		bufs := make([]pool.Buffer, 64)
		hold := []pool.Buffer{}
		for {
			n, err := g.Rx(bufs)
			for _, b := range bufs[:n] {
				seq, ok := gen.Sequence(b.Bytes())
				if seq != next || !ok {
					t.Fatalf("%s: frame %d has number %d, %v", keys, next, seq, ok)
				}
				next++
			}
			hold = append(hold, bufs[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				continue
			}
			if len(hold) == 0 {
				if err := g.WaitRx(t.Context()); err != nil {
					t.Fatal(err)
				}
				continue
			}
			done := make(chan error, 1)
			go func() { done <- g.WaitRx(context.Background()) }()
			time.Sleep(100 * time.Microsecond) // most likely it sleeps then
			pool.ReleaseBurst(hold)
			hold = hold[:0]
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s: WaitRx sleeps on, though buffers came back", keys)
			}
		}
		pool.ReleaseBurst(hold)
		if next != 400 || g.Stats().RxPackets != 400 || g.Stats().RxDropped() != 0 {
			t.Errorf("%s: %d of 400 frames came; Stats is\n%s", keys, next, g.Stats())
		}
	}
}

// TestHeld: a buffer that WaitRx holds is given back by Close.
func TestHeld(t *testing.T) {
	p := newPool(t, pool.Config{Count: 1})
	g := open(t, p, "gen:")
	only, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- g.WaitRx(context.Background()) }()
	only.Release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := p.Free(); n != 0 {
		t.Errorf("%d buffers are free after WaitRx, and it should hold the only one", n)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if n := p.Free(); n != 1 {
		t.Errorf("%d buffers are free after Close", n)
	}
}

// TestLongFrames: frames longer than the pool's buffers are made on the heap and counted there, or refused if there
// is none.
func TestLongFrames(t *testing.T) {
	p := newPool(t, pool.Config{Count: 8})
	frames := take(t, open(t, p, "gen:size=9000,flows=3"), 20, 4)
	for i, f := range frames {
		if seq, ok := gen.Sequence(f); len(f) != 9000 || seq != uint64(i) || !ok {
			t.Errorf("frame %d has %d bytes, number %d", i, len(f), seq)
		}
	}
	if n := p.Stats().HeapFallbacks; n != 20 {
		t.Errorf("%d were counted as made on the heap, want 20", n)
	}
	none := newPool(t, pool.Config{Count: 8, HeapBuffers: pool.None})
	_, err := port.Open("gen:size=9000", port.Options{Pool: none, Direction: port.In})
	if !errors.Is(err, gen.ErrConfig) || !strings.Contains(err.Error(), "9000") || !strings.Contains(err.Error(), "2048") {
		t.Errorf("without a heap: %v", err)
	}
	take(t, open(t, none, "gen:size=2048"), 20, 4)
}

// TestClosedPool: a pool that was closed is an error of the port, not the end and not a wait for ever.
func TestClosedPool(t *testing.T) {
	for _, keys := range []string{"", "size=3000"} {
		p, err := pool.New(pool.Config{Count: 8})
		if err != nil {
			t.Fatal(err)
		}
		g, err := port.Open("gen:"+keys, port.Options{Pool: p, Direction: port.In})
		if err != nil {
			t.Fatal(err)
		}
		_ = p.Close() // the port's caches are out
		if err := g.WaitRx(t.Context()); err != nil {
			t.Errorf("WaitRx: %v", err)
		}
		if n, err := g.Rx(make([]pool.Buffer, 3)); n != 0 || !errors.Is(err, pool.ErrClosed) {
			t.Errorf("Rx returned %d, %v", n, err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

var benched = []string{"", "flows=1000", "flows=100000", "size=imix", "size=1514", "rate=1Gpps", "rate=1000Gbit/s", "size=imix,rate=1000Gbit/s"}

func TestAllocs(t *testing.T) {
	p, err := pool.New(pool.Config{}) // tracking allocates
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range benched {
		g, err := port.Open("gen:"+keys, port.Options{Pool: p, Direction: port.In})
		if err != nil {
			t.Fatal(err)
		}
		bufs := make([]pool.Buffer, 64)
		if n := testing.AllocsPerRun(200, func() {
			n, err := g.Rx(bufs)
			if err != nil {
				t.Fatal(err)
			}
			p.PutBurst(bufs[:n])
			if err := g.WaitRx(context.Background()); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("gen:%s: %v allocations a burst", keys, n)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkRx makes frames, in bursts of 64, and gives them back.
func BenchmarkRx(b *testing.B) {
	for _, keys := range benched {
		b.Run(keys, func(b *testing.B) {
			p, err := pool.New(pool.Config{})
			if err != nil {
				b.Fatal(err)
			}
			g, err := port.Open("gen:"+keys, port.Options{Pool: p, Direction: port.In})
			if err != nil {
				b.Fatal(err)
			}
			defer g.Close()
			c := p.NewCache()
			defer c.Close()
			bufs := make([]pool.Buffer, 64)
			b.ReportAllocs()
			for n := 0; n < b.N; {
				k, err := g.Rx(bufs[:min(64, b.N-n)])
				if err != nil {
					b.Fatal(err)
				}
				n += k
				c.PutBurst(bufs[:k])
			}
		})
	}
}

// A receiver finds out from the numbers in the frames what it has missed.
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	g, err := port.Open("gen:size=imix,flows=10,count=5,seed=3", port.Options{Pool: p, Direction: port.In})
	if err != nil {
		panic(err)
	}
	bufs := make([]pool.Buffer, 8)
	n, err := g.Rx(bufs)
	for _, b := range bufs[:n] {
		seq, ok := gen.Sequence(b.Bytes())
		fmt.Println(seq, ok, b.Len(), "bytes")
		b.Release()
	}
	fmt.Println(n, err)
	fmt.Println(g.Rx(bufs))
	g.Close()
	// Output:
	// 0 true 60 bytes
	// 1 true 60 bytes
	// 2 true 60 bytes
	// 3 true 1514 bytes
	// 4 true 1514 bytes
	// 5 <nil>
	// 0 EOF
}
