// Keys of generators that nobody meant to write.

package gen_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/gen"
)

// FuzzGenerator: keys are refused in one line that wraps port.ErrSpec, or the first frames are
// whole, numbered from 0, and of the addresses, sizes, version and tag that were asked for.
func FuzzGenerator(f *testing.F) {
	p := newPool(f, pool.Config{Count: 64})
	f.Fuzz(func(t *testing.T, keys string) {
		g, err := port.Open("gen:"+keys, port.Options{Pool: p, Direction: port.In})
		if err != nil {
			if !errors.Is(err, port.ErrSpec) || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("%q: %q is not one line that wraps ErrSpec", keys, err)
			}
			return
		}
		defer g.Close()
		s, _ := port.Parse("gen:" + keys)
		var bufs [16]pool.Buffer
		n, _ := g.Rx(bufs[:]) // with a rate, those that are due already
		for i, b := range bufs[:n] {
			checkGenerated(t, s, b.Bytes(), i)
			b.Release()
		}
	})
}

// checkGenerated compares frame number i with the keys that it was made by.
func checkGenerated(t *testing.T, s *port.Spec, frame []byte, i int) {
	t.Helper()
	h := packet.Parse(frame)
	if seq, ok := gen.Sequence(frame); !ok || seq != uint64(i) || h.Status != packet.OK || int(h.End) != len(frame) {
		t.Fatalf("%q: frame %d is number %d, %v, %+v", s.Text, i, seq, ok, h)
	}
	var pseudo uint16
	if h.IPVersion == 4 {
		ip := packet.IPv4(frame[h.L3:])
		pseudo = ip.PseudoSum(packet.ProtoUDP, h.End-h.L4)
		if !ip.ChecksumOK() {
			t.Errorf("%q: frame %d: IPv4 checksum", s.Text, i)
		}
	} else {
		pseudo = packet.IPv6(frame[h.L3:]).PseudoSum(packet.ProtoUDP, h.End-h.L4)
	}
	if packet.Sum(frame[h.L4:], pseudo) != 0xffff {
		t.Errorf("%q: frame %d: UDP checksum", s.Text, i)
	}
	vlan, _ := s.Int("vlan", -1, 0, 4094)
	if tagged := h.NumVLANs == 1; tagged != (vlan >= 0) || tagged && int64(h.VLANs[0].ID()) != vlan || fmt.Sprint(h.IPVersion) != s.String("ip", "4") {
		t.Errorf("%q: frame %d: %+v", s.Text, i, h)
	}
	from, to := packet.Ethernet(frame).Src(), packet.Ethernet(frame).Dst()
	for key, got := range map[string]packet.MAC{"src": from, "dst": to} {
		want, err := packet.ParseMAC(s.String(key, got.String()))
		if err != nil || !want.IsZero() && want != got { // zero stands for the default
			t.Errorf("%q: frame %d has %s %s, want %s, %v", s.Text, i, key, got, want, err)
		}
	}
	if from.IsMulticast() {
		t.Errorf("%q: frame %d comes from the group %s", s.Text, i, from)
	}
	if mix, err := gen.ParseMix(s.String("size", "")); err == nil {
		ofSize := func(share gen.Share) bool { return share.Size == len(frame) }
		if len(mix) > 256 || !slices.ContainsFunc(mix, ofSize) {
			t.Errorf("%q: frame %d has %d bytes, of %d sizes", s.Text, i, len(frame), len(mix))
		}
		if again, err := gen.ParseMix(mix.String()); err != nil || again.String() != mix.String() {
			t.Errorf("%q: the mix is %v and again %v, %v", s.Text, mix, again, err)
		}
	}
}
