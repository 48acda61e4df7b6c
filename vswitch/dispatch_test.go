package vswitch

import (
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// gatherModel says in what order the frames of a burst leave, in words that a person would use: take the first one that is left, and with it all
// that go the same way, but for those behind a frame that goes to all; one that goes to all takes those right behind it with it.
func gatherModel(courses []course) (order []int) {
	left := make([]int, len(courses))
	for i := range left {
		left[i] = i
	}
	for len(left) > 0 {
		first := courses[left[0]]
		taken := []int{}
		for _, i := range left {
			if courses[i] == first {
				taken = append(taken, i)
			} else if first.out == nil || courses[i].out == nil {
				break
			}
		}
		order = append(order, taken...)
		left = slices.DeleteFunc(left, func(i int) bool { return slices.Contains(taken, i) })
	}
	return order
}

// Frames that go the same way are gathered, no frame passes another one that goes to its port, and none is lost.
func TestGather(t *testing.T) {
	rnd := testkit.Rand(t)
	outs := []*member{nil, {name: "a"}, {name: "b"}, {name: "c"}}
	p := newPool(t, pool.Config{})
	for range 20_000 {
		n := 1 + rnd.IntN(12)
		kinds := 1 + rnd.IntN(len(outs))
		all := make([]pool.Buffer, n)
		p.GetBurst(all)
		was := make([]course, n)
		for i := range was {
			was[i] = course{out: outs[rnd.IntN(kinds)], vlan: uint16(rnd.IntN(2))}
		}
		bufs, courses := slices.Clone(all), slices.Clone(was)
		var got []int
		groups := 0
		for at := 0; at < n; groups++ {
			k := gather(bufs[at:], courses[at:])
			if k < 1 || at+k > n {
				t.Fatalf("%d of %d", k, n-at)
			}
			for i := at; i < at+k; i++ {
				b := slices.Index(all, bufs[i])
				if courses[i] != was[b] || courses[i] != courses[at] {
					t.Fatalf("frame %d has another's course", b)
				}
				got = append(got, b)
			}
			at += k
		}
		if want := gatherModel(was); !slices.Equal(got, want) {
			t.Fatalf("%v leave as %v, want %v", was, got, want)
		}
		last := map[course]int{} // by where they go: to all is to each
		for _, b := range got {
			for _, o := range outs[1:] {
				if c := was[b]; c.out == nil || c.out == o {
					for v := range uint16(2) {
						k := course{out: o, vlan: v}
						if c.vlan == v && last[k] > b {
							t.Fatalf("frame %d leaves after %d: %v", b, last[k], got)
						} else if c.vlan == v {
							last[k] = b
						}
					}
				}
			}
		}
		pool.ReleaseBurst(all)
	}
}

// still is a switch that does not run, whose ports are sinks that take all: dispatch is called by the test.
func still(t testing.TB, ports map[string]PortConfig) (*Switch, *pool.Pool) {
	sw, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, pool.Config{})
	for _, mirrors := range []bool{false, true} {
		for name, c := range ports {
			if len(c.Mirror) > 0 == mirrors {
				k := newSink(p)
				k.room.Store(1 << 60)
				t.Cleanup(func() { k.Close() })
				if err := sw.Add(name, k, c); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return sw, p
}

// dispatch allocates nothing: for one port, for all, with tags that change, in place and in copies, with mirrors, filtered.
func TestDispatchAllocates(t *testing.T) {
	sw, p := still(t, map[string]PortConfig{
		"a": {VLAN: 10, FloodRate: 1_000_000}, "b": {VLAN: 10}, "c": {}, "d": {Trunk: []uint16{10}}, "m": {Mirror: []string{"b"}},
	})
	for name, n := range map[string]byte{"a": 1, "b": 2, "c": 3, "d": 4} {
		if err := sw.AddStatic(name, 10, station(n)); err != nil {
			t.Fatal(err)
		}
	}
	a := sw.members["a"]
	cache := p.NewCache()
	defer cache.Close()
	for _, c := range []struct {
		name string
		dst  []packet.MAC
	}{
		{"to one", []packet.MAC{station(2)}},
		{"to one, with a tag", []packet.MAC{station(3), station(4)}},
		{"to all", []packet.MAC{broadcast}},
		{"of all kinds", []packet.MAC{station(2), broadcast, station(3), station(1), station(99), {1, 0x80, 0xc2}}},
	} {
		frames := make([][]byte, burst-1)
		for i := range frames {
			frames[i] = frame(station(byte(100+i%50)), c.dst[i%len(c.dst)], noTag, "some text")
		}
		var bufs [burst]pool.Buffer
		if n := testing.AllocsPerRun(200, func() {
			k := cache.GetBurst(bufs[:len(frames)])
			for i := range k {
				if err := bufs[i].CopyFrom(frames[i]); err != nil {
					t.Error(err)
				}
			}
			a.dispatch(a.hard, bufs[:k])
		}); n != 0 {
			t.Errorf("%s: %v allocations a burst", c.name, n)
		}
	}
	if st := p.Stats(); st.InUse != 0 {
		t.Errorf("%d buffers are out", st.InUse)
	}
}

// BenchmarkDispatch is a burst to one port, and to two.
func BenchmarkDispatch(b *testing.B) {
	for _, c := range []struct {
		name string
		dst  packet.MAC
	}{{"one", station(2)}, {"all", broadcast}} {
		b.Run(c.name, func(b *testing.B) {
			sw, p := still(b, map[string]PortConfig{"a": {Direction: port.In}, "b": {}, "c": {}})
			if err := sw.AddStatic("b", 0, station(2)); err != nil {
				b.Fatal(err)
			}
			a := sw.members["a"]
			cache := p.NewCache()
			defer cache.Close()
			f := frame(station(1), c.dst, noTag, "some text")
			var bufs [burst]pool.Buffer
			const n = burst - 1
			b.ReportMetric(n, "frames/op")
			for b.Loop() {
				cache.GetBurst(bufs[:n])
				for i := range n {
					bufs[i].CopyFrom(f)
				}
				a.dispatch(a.hard, bufs[:n])
			}
		})
	}
}
