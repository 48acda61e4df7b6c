package vswitch

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// An address is where it was seen last.
func TestSwitchMoves(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {}, "c": {}})
	for _, at := range []string{"a", "b", "a"} {
		s.send(at, station(1), broadcast, "I am here")
		for _, other := range []string{"a", "b"} {
			if other != at {
				s.expect("I am here", other)
			}
		}
		s.expect("I am here", "c")
		s.send("c", station(2), station(1), "hello")
		s.expect("hello", at)
	}
	s.silent("a", "b", "c")
	if st := s.balance(); st.Table.Moved != 2 || st.Table.Learned != 2 {
		t.Errorf("%+v", st.Table)
	}
}

// What no station may send, or no bridge pass on, goes nowhere, is counted by its reason, and teaches nothing.
func TestSwitchFilters(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {}, "short": {}, "group": {}, "zero": {}, "same": {}})
	full := frame(station(1), broadcast, noTag, "")
	for n := range packet.EthernetLen {
		s.sendFrame("short", full[:n])
	}
	s.filtered("short", stats.ReasonTooShort, packet.EthernetLen)
	s.send("group", broadcast, station(1), "from all")
	s.send("group", packet.MAC{1, 0, 0, 0, 0, 1}, station(1), "from a group")
	s.filtered("group", stats.ReasonMalformed, 2)
	s.send("zero", packet.MAC{}, station(1), "from nobody")
	s.filtered("zero", stats.ReasonMalformed, 1)
	for n := range byte(16) {
		s.send("a", station(3), packet.MAC{1, 0x80, 0xc2, 0, 0, n}, "reserved")
	}
	s.filtered("a", stats.ReasonFiltered, 16)
	if all := s.sw.Addresses(); len(all) != 0 {
		t.Errorf("known are %v", all)
	}
	s.send("same", station(5), packet.MAC{1, 0x80, 0xc2, 0, 0, 16}, "not reserved")
	s.expect("not reserved", "a", "b", "short", "group", "zero")
	s.send("same", station(6), station(5), "we are both here")
	s.filtered("same", stats.ReasonFiltered, 1)
	s.silent("a", "b", "short", "group", "zero", "same")
	s.balance()

	s = newSite(t, Config{}, map[string]PortConfig{"alone": {}})
	s.send("alone", station(4), broadcast, "nobody else is here")
	s.filtered("alone", stats.ReasonFiltered, 1)
	s.balance()
}

// A frame as long as its header is one.
func TestShortestFrame(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {VLAN: 5}, "c": {VLAN: 5}, "d": {Trunk: []uint16{5}}})
	s.sendFrame("b", frame(station(1), broadcast, noTag, ""))
	s.expectFrame(frame(station(1), broadcast, noTag, ""), "c")
	want := frame(station(1), broadcast, 5, "")
	want[14] = 0
	s.expectFrame(want, "a", "d")
	// The type says a tag, and the frame ends in the middle of it: it has none.
	cut := frame(station(1), broadcast, 5, "")[:17]
	s.sendFrame("b", cut)
	s.expectFrame(cut, "c")
	s.must("a").Release()
	s.must("d").Release()
	s.balance()
}

// Isolated ports reach only those that are not, whoever knows whom.
func TestIsolated(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {Isolated: true}, "b": {Isolated: true}, "up": {}, "up too": {}})
	for n, h := range []string{"a", "b", "up", "up too"} {
		s.send(h, station(byte(n)), broadcast, h)
		for _, to := range []string{"a", "b", "up", "up too"} {
			if to != h && (h[0] == 'u' || to[0] == 'u') {
				s.expect(h, to)
			}
		}
	}
	s.send("a", station(0), station(1), "to an isolated one")
	s.filtered("a", stats.ReasonPolicy, 1)
	s.send("a", station(0), station(2), "to the uplink")
	s.expect("to the uplink", "up")
	s.send("up", station(2), station(1), "from the uplink")
	s.expect("from the uplink", "b")
	s.silent("a", "b", "up", "up too")
	s.balance()
}

// A port with MACs has those alone, and nobody else has them.
func TestMACs(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {MACs: []packet.MAC{station(1), station(2)}, VLAN: 9}, "b": {VLAN: 9}, "c": {VLAN: 9}})
	s.send("a", station(1), broadcast, "one")
	s.expect("one", "b", "c")
	s.send("a", station(3), broadcast, "another's")
	s.send("a", packet.MAC{2, 0, 0, 0, 1, 1}, station(9), "another's")
	s.filtered("a", stats.ReasonPolicy, 2)
	// Known without having been seen, and where it is whoever says so.
	s.send("b", station(2), broadcast, "I am two")
	s.expect("I am two", "a", "c")
	s.send("c", station(5), station(2), "two?")
	s.expect("two?", "a")
	s.sw.Flush()
	s.send("c", station(5), station(2), "two?")
	s.expect("two?", "a")
	s.silent("b", "c")
	thief, _ := pair(t, s.pool, mem.Config{}, mem.Config{})
	if err := s.sw.Add("d", thief, PortConfig{VLAN: 9, MACs: []packet.MAC{station(7), station(1)}}); !errors.Is(err, ErrPortConfig) || !strings.Contains(err.Error(), `port "a"`) {
		t.Errorf("a port with an address of another one: %v", err)
	}
	if st := s.balance(); st.Table.Elsewhere != 1 || s.port("a").Addresses != 2 {
		t.Errorf("%+v; behind a are %d", st.Table, s.port("a").Addresses)
	}
	if err := s.sw.Remove("a"); err != nil {
		t.Fatal(err)
	}
	for _, a := range s.sw.Addresses() {
		if a.Static {
			t.Errorf("%v is still there", a)
		}
	}
}

// An address that was entered is there for good, until it is forgotten or the port goes.
func TestStatic(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}, "b": {}, "c": {}})
	if err := s.sw.AddStatic("b", 0, station(2)); err != nil {
		t.Fatal(err)
	}
	s.send("a", station(2), station(1), "I am two")
	s.expect("I am two", "b", "c")
	s.send("a", station(1), station(2), "to two")
	s.expect("to two", "b")
	if !s.sw.Forget(0, station(2)) || s.sw.Forget(0, station(2)) {
		t.Error("it was not there once")
	}
	s.send("a", station(1), station(2), "to two")
	s.expect("to two", "b", "c")
	if err := s.sw.AddStatic("nobody", 0, station(2)); !errors.Is(err, ErrNoPort) {
		t.Error(err)
	}
	if err := s.sw.AddStatic("a", 0, broadcast); err == nil {
		t.Error("a group's address is entered")
	}
	s.silent("a", "b", "c")
	s.balance()
}

// Behind a port with MaxAddresses no more are learned; what is for others goes to all ports.
func TestMaxAddresses(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {MaxAddresses: 2}, "b": {}, "c": {}})
	for n := range byte(4) {
		s.send("a", station(n), broadcast, "here")
		s.expect("here", "b", "c")
	}
	for n := range byte(4) {
		s.send("b", station(9), station(n), "to one")
		s.expect("to one", "a")
		if n >= 2 {
			s.expect("to one", "c")
		}
	}
	s.silent("c")
	if st := s.balance(); st.Table.OverLimit != 2 || s.port("a").Addresses != 2 {
		t.Errorf("%+v", st.Table)
	}
}

// A flood of made-up addresses takes the room of nobody else.
func TestTableIsBounded(t *testing.T) {
	s := newSite(t, Config{Addresses: 16}, map[string]PortConfig{"a": {}, "b": {}, "c": {MACs: []packet.MAC{station(3)}}})
	s.send("b", station(2), broadcast, "here")
	s.expect("here", "a", "c")
	for n := range 1000 {
		s.send("a", packet.MAC{6, 0, 0, 0, byte(n >> 8), byte(n)}, station(2), "made up")
		s.expect("made up", "b")
	}
	s.send("b", station(2), station(3), "to the static one")
	s.expect("to the static one", "c")
	s.silent("a", "c")
	if st := s.balance(); st.Table.Addresses > 16 || st.Table.Room != 16 || st.Table.Evicted < 900 {
		t.Errorf("%+v", st.Table)
	}
}

// A port may send so many frames to all, and any number to those that are known.
func TestFloodRate(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {FloodRate: 1}, "b": {}})
	s.send("b", station(2), station(9), "here")
	s.expect("here", "a")
	began := time.Now()
	for n := range 200 {
		s.send("a", station(1), []packet.MAC{broadcast, station(3)}[n%2], "to all")
		s.send("a", station(1), station(2), "to one")
	}
	toAll, toOne := 0, 0
	for toOne < 200 {
		if b := s.must("b"); b.Bytes()[5] == 2 {
			toOne++
			b.Release()
		} else {
			toAll++
			b.Release()
		}
	}
	if most := 64 + int(time.Since(began).Seconds()) + 1; toAll < 64 || toAll > most {
		t.Errorf("%d frames went to all, want 64 to %d", toAll, most)
	}
	st := s.balance()
	if n := s.port("a").Filtered[stats.ReasonUnknownDestination]; int(n) != 200-toAll || st.Dropped() != n {
		t.Errorf("dropped %d of %d: %v", n, 200-toAll, s.port("a").Filtered)
	}
}

func TestLimiter(t *testing.T) {
	passes := func(l *limiter) (n int) {
		for range 10_000 {
			if l.allow() {
				n++
			}
		}
		return n
	}
	for _, c := range []struct{ rate, atOnce int }{{1, 64}, {1000, 100}} {
		l := newLimiter(c.rate)
		if n := passes(&l); n < c.atOnce || n > c.atOnce+c.rate/4+1 {
			t.Errorf("rate %d: %d pass at once, want %d", c.rate, n, c.atOnce)
		}
		l.at = l.at.Add(-10 * time.Millisecond)
		if n := passes(&l); n < c.rate/100 || n > c.rate/100+c.rate/4+1 {
			t.Errorf("rate %d: %d pass after 10 ms", c.rate, n)
		}
		l.at = l.at.Add(-time.Hour)
		if n := passes(&l); n < c.atOnce || n > c.atOnce+c.rate/4+1 {
			t.Errorf("rate %d: %d pass after an hour, want %d", c.rate, n, c.atOnce)
		}
	}
	if n := passes(new(limiter)); n != 10_000 {
		t.Errorf("without a limit %d of 10000 pass", n)
	}
}

// A port that only receives gets nothing, and what comes in by one that only sends is not received.
func TestDirection(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"in": {Direction: port.In}, "out": {Direction: port.Out}, "b": {}})
	s.send("in", station(1), broadcast, "from in")
	s.expect("from in", "out", "b")
	s.send("out", station(2), broadcast, "from out")
	s.send("b", station(3), broadcast, "from b")
	s.expect("from b", "out")
	s.send("b", station(3), station(1), "to in")
	s.filtered("b", stats.ReasonPolicy, 1)
	s.silent("in", "b", "out")
	if p := s.port("out"); p.RxPackets != 0 {
		t.Errorf("out has received %d", p.RxPackets)
	}
	s.balance()
}

// A mirror has what its ports receive and send, as it is there, and shares the buffers; it takes no other part.
func TestMirror(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {VLAN: 10}, "b": {Trunk: []uint16{10}}, "c": {VLAN: 10}})
	s.add("m", PortConfig{Mirror: []string{"a"}})
	s.add("both", PortConfig{Mirror: []string{"a", "b"}})
	toA := frame(station(2), station(1), 10, "to a")
	s.sendFrame("b", toA) // a is not known
	b, m := s.must("a"), s.must("m")
	if b.Index() != m.Index() || string(m.Bytes()) != string(frame(station(2), station(1), noTag, "to a")) {
		t.Errorf("a got %v and m %v: %x", b, m, m.Bytes())
	}
	b.Release()
	m.Release()
	s.expect("to a", "c")
	s.expectFrame(toA, "both") // by b, as it was there
	s.expectFrame(frame(station(2), station(1), noTag, "to a"), "both")
	// What a receives, with what is done to it afterwards, and without what is filtered afterwards.
	s.send("a", station(1), station(2), "to b")
	s.expectFrame(frame(station(1), station(2), noTag, "to b"), "m", "both")
	want := frame(station(1), station(2), 10, "to b")
	want[14] = 0
	s.expectFrame(want, "b", "both")
	s.sendFrame("a", []byte("short"))
	s.expectFrame([]byte("short"), "m", "both")
	// What is not by way of a is nothing to m, and what comes in by m nothing to anybody.
	s.send("c", station(3), station(2), "c to b")
	s.expectFrame(leaves(PortConfig{Trunk: []uint16{10}}, 10, station(3), station(2), noTag, "c to b"), "b", "both")
	s.send("m", station(4), broadcast, "from a mirror")
	s.silent("a", "b", "c", "m", "both")
	if p := s.port("m"); p.RxPackets != 0 || p.Addresses != 0 {
		t.Errorf("%+v", p)
	}
	s.balance()
}

// Nobody waits for a mirror that is stuck, not even who would wait for another port.
func TestMirrorStuck(t *testing.T) {
	s := newSite(t, Config{OutRing: 4}, map[string]PortConfig{"a": {OnFull: port.OnFullWait}, "b": {}})
	stuck := newSink(s.pool)
	defer stuck.Close()
	if err := s.sw.Add("m", stuck, PortConfig{Mirror: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		text := fmt.Sprint("frame ", n)
		s.send("a", station(1), broadcast, text)
		s.expect(text, "b")
	}
	m := s.port("m")
	if full := m.TxDrops[stats.ReasonRingFull]; m.TxPackets != 0 || full < 90 || int(full)+m.InFlight != 100 {
		t.Errorf("the mirror has sent %d, dropped %v, in flight are %d", m.TxPackets, m.TxDrops, m.InFlight)
	}
	stuck.let(100)
	s.balance()
}

// A port that was removed is not mirrored, nor is another one that has its number; one that has its name is.
func TestMirroredPortRemoved(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"b": {}})
	s.add("a", PortConfig{})
	s.add("m", PortConfig{Mirror: []string{"a"}})
	number := s.sw.members["a"].number
	if err := s.sw.Remove("a"); err != nil {
		t.Fatal(err)
	}
	s.add("c", PortConfig{})
	if s.sw.members["c"].number != number {
		t.Error("the number is not used again")
	}
	s.send("c", station(3), broadcast, "by c")
	s.expect("by c", "b")
	s.add("a", PortConfig{})
	s.send("a", station(1), broadcast, "by a")
	s.expect("by a", "b", "c", "m")
	s.silent("m")
	s.balance()
}

// lateType is a port that knows only with its first frame what link it is on.
type lateType struct {
	*sink
	linkType atomic.Uint32
}

func (p *lateType) Info() port.Info {
	return port.Info{Name: "late", LinkType: uint16(p.linkType.Load())}
}

func (p *lateType) Rx(bufs []pool.Buffer) (int, error) {
	if p.linkType.Load() != 0 {
		return 0, io.EOF
	}
	p.linkType.Store(101)
	b, err := p.Options.Pool.CopyIn(make([]byte, 60))
	if err != nil {
		return 0, nil
	}
	bufs[0] = b
	p.Received(bufs[:1])
	return 1, nil
}

// Only Ethernet comes in, be it known at once or with the first frame.
func TestLinkType(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"a": {}})
	raw := &lateType{sink: newSink(s.pool)}
	defer raw.Close()
	if err := s.sw.Add("raw", raw, PortConfig{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the port to fail", func() bool { return errors.Is(s.port("raw").Err, ErrLinkType) })
	s.filtered("raw", stats.ReasonLinkType, 1)
	if err := s.sw.Add("raw too", raw, PortConfig{}); !errors.Is(err, ErrLinkType) || !strings.Contains(err.Error(), "raw too") {
		t.Error(err)
	}
	s.silent("a")
	s.balance()
}

// What can't be is refused, by an error that says what it was.
func TestConfigErrors(t *testing.T) {
	for _, c := range []struct {
		Config
		says string
		is   error
	}{
		{Config{Addresses: -1}, "Addresses", nil},
		{Config{Addresses: 1<<24 + 1}, "Addresses", nil},
		{Config{MaxAge: time.Second / 2}, "MaxAge", nil},
		{Config{MaxAge: 1<<63 - 1 - (1<<63-1)%time.Second}, "MaxAge", nil},
		{Config{OutRing: -1}, "OutRing", ring.ErrCapacity},
		{Config{OutRing: ring.MaxCapacity + 1}, "OutRing", ring.ErrCapacity},
		{Config{LookAgain: MaxLookAgain + 1}, "LookAgain", nil},
	} {
		if _, err := New(c.Config); err == nil || !strings.Contains(err.Error(), "Config."+c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%+v: %v", c.Config, err)
		}
	}
	sw, err := New(Config{MaxAge: -1, LookAgain: -1, DrainTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	near, far := pair(t, newPool(t, pool.Config{}), mem.Config{}, mem.Config{})
	for _, c := range []PortConfig{
		{Direction: 4}, {OnFull: 3}, {MaxAddresses: -1}, {FloodRate: -1}, {MACs: []packet.MAC{broadcast}}, {MACs: []packet.MAC{{}}},
		{Direction: port.In, Mirror: []string{"a"}},
	} {
		if err := sw.Add("x", near, c); !errors.Is(err, ErrPortConfig) || !strings.Contains(err.Error(), `"x"`) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := sw.Add("x", nil, PortConfig{}); err == nil {
		t.Error("no port is one")
	}
	if err := sw.Add("x", near, PortConfig{Mirror: []string{"x"}}); !errors.Is(err, ErrNoPort) {
		t.Error(err)
	}
	if err := sw.Add("x", near, PortConfig{}); err != nil {
		t.Error(err)
	}
	if err := sw.Add("x", far, PortConfig{}); !errors.Is(err, ErrPortExists) {
		t.Error(err)
	}
	if err := sw.Add("m", far, PortConfig{Mirror: []string{"x"}}); err != nil {
		t.Error(err)
	}
	if err := sw.Add("mm", far, PortConfig{Mirror: []string{"m"}}); !errors.Is(err, ErrPortConfig) {
		t.Error(err)
	}
	if err := sw.Remove("y"); !errors.Is(err, ErrNoPort) {
		t.Error(err)
	}
}

// Static addresses of a port that finds the table full are not left behind, and its name and number are free.
func TestAddWithoutRoom(t *testing.T) {
	sw, err := New(Config{Addresses: 3})
	if err != nil {
		t.Fatal(err)
	}
	near, _ := pair(t, newPool(t, pool.Config{}), mem.Config{}, mem.Config{})
	if err := sw.Add("a", near, PortConfig{MACs: []packet.MAC{station(1)}}); err != nil {
		t.Fatal(err)
	}
	macs := []packet.MAC{station(2), station(3), station(4)}
	if err := sw.Add("b", near, PortConfig{MACs: macs}); err == nil {
		t.Error("there is room for all")
	}
	if all := sw.Addresses(); len(all) != 1 || len(sw.Stats().Ports) != 1 {
		t.Errorf("left are %v", all)
	}
	if err := sw.Add("b", near, PortConfig{MACs: macs[:2]}); err != nil {
		t.Error(err)
	}
}

// There are MaxPorts ports and no more.
func TestTooManyPorts(t *testing.T) {
	sw, err := New(Config{OutRing: 1})
	if err != nil {
		t.Fatal(err)
	}
	near, _ := pair(t, newPool(t, pool.Config{}), mem.Config{}, mem.Config{})
	sw.numbers = make([]*member, MaxPorts)
	for i := range sw.numbers {
		sw.numbers[i] = &member{err: ErrNoPort}
	}
	if err := sw.Add("one more", near, PortConfig{}); !errors.Is(err, ErrTooManyPorts) {
		t.Error(err)
	}
}
