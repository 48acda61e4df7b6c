package vswitch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

var broadcast = packet.MAC{255, 255, 255, 255, 255, 255}

// vlanPorts are one of each kind, and some twice.
var vlanPorts = map[string]PortConfig{
	"all":     {},
	"all too": {},
	"ten":     {VLAN: 10},
	"ten too": {VLAN: 10},
	"twenty":  {VLAN: 20},
	"trunk":   {Trunk: []uint16{10, 20, 4094}},
	"hybrid":  {VLAN: 20, Trunk: []uint16{10}},
	"both":    {VLAN: 10, Trunk: []uint16{10, 4094}}, // its own without a tag
}

// enters says in what VLAN a frame is that comes in by a port with a tag: what PortConfig says, in other words than the switch has.
func enters(c PortConfig, t tag) (vlan uint16, ok bool) {
	if t == noTag || t == 0 {
		return c.VLAN, c.VLAN != 0 || len(c.Trunk) == 0
	}
	if c.VLAN == 0 && len(c.Trunk) == 0 {
		return uint16(t), t != 4095
	}
	return uint16(t), slices.Contains(c.Trunk, uint16(t))
}

// leaves says what a frame is like that goes out by a port: nil if it does not.
func leaves(c PortConfig, vlan uint16, src, dst packet.MAC, t tag, text string) []byte {
	tagged := func() []byte {
		f := frame(src, dst, tag(vlan), text)
		if t == noTag {
			f[14] &= 0x0f // the switch's own tag has no priority
		}
		return f
	}
	switch {
	case c.VLAN == 0 && len(c.Trunk) == 0:
		if vlan == 0 {
			return frame(src, dst, t, text)
		}
		return tagged()
	case vlan == 0:
		return nil
	case vlan == c.VLAN:
		return frame(src, dst, noTag, text)
	case slices.Contains(c.Trunk, vlan):
		return tagged()
	}
	return nil
}

// Between all kinds of ports frames of all kinds of tags go to where their VLAN is, with the tag that they have there, whether they go
// to all or to one; and those that may not come in are dropped.
func TestSwitchVLANs(t *testing.T) {
	s := newSite(t, Config{}, vlanPorts)
	src, nobody := station(1), station(99)
	refused := map[string]uint64{}
	n := 0
	for from, c := range vlanPorts {
		for _, tag := range []tag{noTag, 0, 10, 20, 30, 4094, 4095} {
			vlan, ok := enters(c, tag)
			if !ok {
				s.sendFrame(from, frame(src, broadcast, tag, "refused"))
				refused[from]++
				continue
			}
			for _, dst := range []packet.MAC{broadcast, nobody} {
				n++
				text := fmt.Sprint("to all, ", n)
				s.sendFrame(from, frame(src, dst, tag, text))
				for to, c := range vlanPorts {
					if want := leaves(c, vlan, src, dst, tag, text); want != nil && to != from {
						s.expectFrame(want, to)
					}
				}
			}
			for to, c := range vlanPorts {
				if to == from {
					continue
				}
				n++
				text, dst := fmt.Sprint("to one, ", n), station(2)
				if err := s.sw.AddStatic(to, vlan, dst); err != nil {
					t.Fatal(err)
				}
				s.sendFrame(from, frame(src, dst, tag, text))
				if want := leaves(c, vlan, src, dst, tag, text); want != nil {
					s.expectFrame(want, to)
				} else {
					refused[from]++ // where it was said to be it can't go
					s.filtered(from, stats.ReasonPolicy, refused[from])
				}
				s.sw.Forget(vlan, dst)
			}
			s.sw.Flush()
		}
		s.filtered(from, stats.ReasonPolicy, refused[from])
	}
	s.silent("all", "ten", "trunk", "hybrid", "both")
	s.balance()
}

// An address is known in the VLAN where it was seen, and may be elsewhere in another one.
func TestSwitchLearnsPerVLAN(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"trunk": {Trunk: []uint16{10, 20}}, "ten": {VLAN: 10}, "ten too": {VLAN: 10}, "twenty": {VLAN: 20}, "twenty too": {VLAN: 20}})
	me, other := station(1), station(2)
	s.send("ten", me, broadcast, "I am in 10")
	s.expect("I am in 10", "ten too")
	s.expectFrame(leaves(PortConfig{Trunk: []uint16{10}}, 10, me, broadcast, noTag, "I am in 10"), "trunk")
	s.send("twenty", me, broadcast, "I am in 20")
	s.expect("I am in 20", "twenty too")
	s.must("trunk").Release()
	for i, to := range []string{"ten", "twenty"} {
		s.sendFrame("trunk", frame(other, me, tag(10*(i+1)), "to one"))
		s.expect("to one", to)
	}
	s.silent("ten too", "twenty too")
	var got []string
	for _, a := range s.sw.Addresses() {
		got = append(got, fmt.Sprint(a.VLAN, " ", a.MAC, " ", a.Port))
	}
	want := []string{"10 02:00:00:00:00:01 ten", "10 02:00:00:00:00:02 trunk", "20 02:00:00:00:00:01 twenty", "20 02:00:00:00:00:02 trunk"}
	if !slices.Equal(got, want) {
		t.Errorf("known are %q, want %q", got, want)
	}
	s.balance()
}

// A frame that goes to all is one buffer for all who get it with the tag that it has, and one copy for all who get it with another.
func TestFloodShares(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{
		"from": {VLAN: 10}, "ten": {VLAN: 10}, "ten too": {VLAN: 10}, "trunk": {Trunk: []uint16{10}}, "all": {}, "twenty": {VLAN: 20},
	})
	b, err := s.pool.CopyIn(frame(station(1), broadcast, noTag, "hello"))
	if err != nil {
		t.Fatal(err)
	}
	original := b.Index()
	s.sendBuffer("from", b)
	got := map[string]pool.Buffer{}
	for _, h := range []string{"ten", "ten too", "trunk", "all"} {
		got[h] = s.must(h)
		if !got[h].Shared() {
			t.Errorf("%s got a buffer that nobody shares", h)
		}
	}
	if got["ten"].Index() != original || got["ten too"].Index() != original {
		t.Errorf("%v and %v, want those that were sent, of buffer %d", got["ten"], got["ten too"], original)
	}
	if copied := got["trunk"].Index(); copied == original || got["all"].Index() != copied {
		t.Errorf("%v and %v, want one copy of buffer %d", got["trunk"], got["all"], original)
	}
	if n := s.pool.Stats().InUse; n != 2 {
		t.Errorf("%d buffers are out, want 2", n)
	}
	for _, b := range got {
		b.Release()
	}
	if st := s.balance(); st.Replicas() != 3 || st.Sent() != 4 {
		t.Errorf("replicas %d, sent %d", st.Replicas(), st.Sent())
	}
}

// A frame for one port has its tag changed in place; where it is, its unfinished checksum, moves with it.
func TestTagsInPlace(t *testing.T) {
	s := newSite(t, Config{}, map[string]PortConfig{"access": {VLAN: 10}, "trunk": {Trunk: []uint16{10}}, "hybrid": {VLAN: 10}})
	for name, mac := range map[string]packet.MAC{"access": station(1), "trunk": station(2)} {
		if err := s.sw.AddStatic(name, 10, mac); err != nil {
			t.Fatal(err)
		}
	}
	tcp := testkit.UnfinishedTCP(100) // from station 1 to 2
	b, err := s.pool.CopyIn(tcp)
	if err != nil {
		t.Fatal(err)
	}
	b.SetOffload(pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16})
	b.SetMeta(pool.Meta{Time: 7})
	was := b.Index()
	s.sendBuffer("access", b)
	b = s.must("trunk")
	if o, _ := b.Offload(); o.ChecksumStart != 38 || !o.NeedsChecksum || b.Index() != was || b.Len() != 104 {
		t.Errorf("%v, was buffer %d: %+v", b, was, o)
	}
	if m, ok := b.Meta(); !ok || m.Time != 7 {
		t.Errorf("Meta %v %v", m, ok)
	}
	// And back, the addresses exchanged.
	copy(b.Bytes(), slices.Concat(tcp[6:12], tcp[:6]))
	s.sendBuffer("trunk", b)
	b = s.must("access")
	o, _ := b.Offload()
	if o.ChecksumStart != 34 || b.Index() != was || !bytes.Equal(b.Bytes()[12:], tcp[12:]) {
		t.Errorf("%v, was buffer %d: %+v", b, was, o)
	}
	if err := packet.FinishChecksum(b.Bytes(), int(o.ChecksumStart), int(o.ChecksumOffset)); err != nil {
		t.Error(err)
	}
	b.Release()
	// The copy of a frame that goes to all has it right too.
	b, _ = s.pool.CopyIn(tcp)
	b.SetOffload(pool.Offload{NeedsChecksum: true, GSO: pool.GSOTCP4, SegmentSize: 10, ChecksumStart: 34, ChecksumOffset: 16})
	s.sw.Forget(10, station(2))
	s.sendBuffer("access", b)
	for name, start := range map[string]uint32{"trunk": 38, "hybrid": 34} {
		b := s.must(name)
		if o, _ := b.Offload(); o.ChecksumStart != start || o.GSO != pool.GSOTCP4 || o.SegmentSize != 10 {
			t.Errorf("%s: %+v", name, o)
		}
		b.Release()
	}
	s.balance()
}

// Without headroom for a tag, or a buffer for a copy, the frame is dropped and counted for those who would have got it, and the others get it.
func TestTagWithoutRoom(t *testing.T) {
	ports := map[string]PortConfig{"from": {VLAN: 10}, "ten": {VLAN: 10}, "trunk": {Trunk: []uint16{10}}, "all": {}}
	s := newSiteOf(t, newPool(t, pool.Config{Headroom: pool.None}), Config{}, ports)
	s.send("from", station(1), broadcast, "no headroom")
	s.expect("no headroom", "ten")
	s.filtered("from", stats.ReasonNoBuffer, 2)
	if err := s.sw.AddStatic("trunk", 10, station(2)); err != nil {
		t.Fatal(err)
	}
	s.send("from", station(1), station(2), "to one")
	s.filtered("from", stats.ReasonNoBuffer, 3)
	s.balance()

	p := newPool(t, pool.Config{Count: 1, HeapBuffers: pool.None})
	s = newSiteOf(t, p, Config{}, ports)
	s.send("from", station(1), broadcast, "the only one")
	s.filtered("from", stats.ReasonNoBuffer, 2)
	s.expect("the only one", "ten")
	s.balance()
}

// What is no VLAN is refused.
func TestVLANNumbers(t *testing.T) {
	sw, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, pool.Config{})
	near, _ := pair(t, p, mem.Config{}, mem.Config{})
	for _, c := range []PortConfig{{VLAN: 4095}, {VLAN: 65535}, {Trunk: []uint16{0}}, {Trunk: []uint16{1, 4095}}} {
		if err := sw.Add("x", near, c); !errors.Is(err, ErrVLAN) || !errors.Is(err, ErrPortConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := sw.Add("x", near, PortConfig{VLAN: 1, Trunk: []uint16{1, 4094}}); err != nil {
		t.Error(err)
	}
	if err := sw.AddStatic("x", 4095, station(1)); !errors.Is(err, ErrVLAN) {
		t.Error(err)
	}
}
