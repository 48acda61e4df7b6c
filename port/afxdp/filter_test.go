//go:build linux

package afxdp

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/testkit"
)

// xdpDrop stands for what the program hands to a socket: there is none in these tests.
const xdpDrop = 1

// loaded loads the program of a filter, changed so that it drops what it would hand to a socket.
func loaded(t testing.TB, text string) *ebpf.Program {
	t.Helper()
	need.Root(t)
	f, err := ParseFilter(text)
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.XSKMap, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	s := spec(f, sockets, true)
	i := slices.IndexFunc(s.Instructions, func(i asm.Instruction) bool { return i.IsBuiltinCall() })
	s.Instructions[i-1].Constant = xdpDrop // what the call returns if there is no socket
	p, err := ebpf.NewProgram(s)
	if err != nil {
		t.Fatalf("filter %q: %+v", text, err)
	}
	t.Cleanup(func() {
		if err := errors.Join(p.Close(), sockets.Close()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// header builders; what they make is as short as can be, so that every check of the end is met.
func ether(typ uint16, rest ...byte) []byte {
	return append(append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, byte(typ>>8), byte(typ)), rest...)
}

func tag(tpid, vid uint16, frame []byte) []byte {
	f := append(slices.Clone(frame[:12]), byte(tpid>>8), byte(tpid), byte(vid>>8)|0x60, byte(vid))
	return append(f, frame[12:]...)
}

func ports(from, to uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
}

func ip4(proto byte, options int, fragment uint16, rest ...byte) []byte {
	h := make([]byte, 20+options)
	h[0] = 0x40 | byte(5+options/4)
	binary.BigEndian.PutUint16(h[6:], fragment)
	h[9] = proto
	copy(h[12:], netip.MustParseAddr("10.0.0.1").AsSlice())
	copy(h[16:], netip.MustParseAddr("192.168.7.9").AsSlice())
	return ether(0x0800, append(h, rest...)...)
}

func ip6(next byte, rest ...byte) []byte {
	h := make([]byte, 40)
	h[0], h[6] = 0x60, next
	copy(h[8:], netip.MustParseAddr("fd00::1").AsSlice())
	copy(h[24:], netip.MustParseAddr("2001:db8:0:1::9").AsSlice())
	return ether(0x86dd, append(h, rest...)...)
}

func arp() []byte {
	b := make([]byte, 28)
	copy(b, []byte{0, 1, 8, 0, 6, 4, 0, 1})
	copy(b[14:], netip.MustParseAddr("10.0.0.1").AsSlice())
	copy(b[24:], netip.MustParseAddr("10.0.0.2").AsSlice())
	return ether(0x0806, b...)
}

func TestFilter(t *testing.T) {
	udp53, tcp443 := ports(40000, 53), ports(443, 50000)
	hop := func(next byte) []byte { return []byte{next, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0} }
	frag := func(next byte, offset uint16) []byte {
		return []byte{next, 0, byte(offset >> 5), byte(offset<<3) | 1, 0, 0, 0, 1}
	}
	frames := map[string][]byte{
		"other":       ether(0x88b5, 1, 2, 3),
		"arp":         arp(),
		"udp":         ip4(17, 0, 0, udp53...),
		"options":     ip4(17, 40, 0, udp53...),
		"tcp":         ip4(6, 0, 0x4000, tcp443...),
		"first":       ip4(17, 0, 0x2000, udp53...),
		"later":       ip4(17, 0, 0x2001, udp53...),
		"cut":         ip4(17, 0, 0, udp53[:3]...),
		"icmp":        ip4(1, 0, 0, 8, 0, 0, 0),
		"tagged":      tag(0x8100, 7, ip4(17, 0, 0, udp53...)),
		"twice":       tag(0x88a8, 100, tag(0x8100, 7, ip4(6, 4, 0, tcp443...))),
		"udp6":        ip6(17, udp53...),
		"tcp6":        ip6(6, tcp443...),
		"hop6":        ip6(0, append(hop(60), append(hop(17), udp53...)...)...),
		"first6":      ip6(44, append(frag(17, 0), udp53...)...),
		"later6":      ip6(44, append(frag(17, 4), udp53...)...),
		"tag alone":   ether(0x8100, 0, 7, 0x88, 0xb5),
		"bad version": slices.Replace(ip4(17, 0, 0, udp53...), 14, 15, 0x55),
		"bad length":  slices.Replace(ip4(17, 0, 0, udp53...), 14, 15, 0x44),
	}
	all := func(names ...string) []string { return names }
	v4 := all("udp", "options", "tcp", "first", "later", "cut", "icmp", "tagged", "twice", "bad version", "bad length")
	v6 := all("udp6", "tcp6", "hop6", "first6", "later6")
	for text, want := range map[string][]string{
		"":                                  nil, // all, see below
		"ip":                                v4,
		"ip6":                               v6,
		"arp":                               all("arp"),
		"ethertype=0x88b5;0x0806":           all("other", "arp", "tag alone"),
		"ethertype=0x0800-0x0806":           append(all("arp"), v4...),
		"vlan":                              all("tagged", "twice", "tag alone"),
		"vlan=7":                            all("tagged", "tag alone"),
		"vlan=8-100":                        all("twice"),
		"vlan=none+udp":                     all("udp", "options", "first", "later", "cut", "bad length", "udp6", "hop6", "first6", "later6"),
		"tcp":                               all("tcp", "twice", "tcp6"),
		"icmp":                              all("icmp"),
		"proto=1;6":                         all("icmp", "tcp", "twice", "tcp6"),
		"port=53":                           all("udp", "options", "first", "tagged", "udp6", "hop6", "first6"),
		"port=443;60000-65535":              all("tcp", "twice", "tcp6"),
		"port=52;54-442;444-39999":          nil,
		"port=40000-40000+ip6":              all("udp6", "hop6", "first6"),
		"udp+port=443":                      nil,
		"host=10.0.0.1":                     slices.DeleteFunc(append(all("arp"), v4...), func(n string) bool { return n == "bad version" }),
		"host=192.168.7.9+port=443":         all("tcp", "twice"),
		"host=10.0.0.2":                     all("arp"),
		"host=10.0.0.3;0.0.0.1":             nil,
		"host=192.168.0.0/16+udp+port=53":   all("udp", "options", "first", "tagged"),
		"host=0.0.0.0/0+arp":                all("arp"),
		"host=fd00::1":                      v6,
		"host=2001:db8::/47;10.0.0.2":       append(all("arp"), v6...),
		"host=2001:db8::/64":                nil,
		"host=2001:db8:0:1::8/125+tcp":      all("tcp6"),
		"arp|ip+host=10.0.0.1+port=53;4789": all("arp", "udp", "options", "first", "tagged"),
		"vlan=100+tcp+host=10.0.0.1|icmp|ip6+tcp": all("twice", "icmp", "tcp6"),
	} {
		t.Run(text, func(t *testing.T) {
			p := loaded(t, text)
			for name, f := range frames {
				got, err := p.Run(&ebpf.RunOptions{Data: f})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				expect := uint32(xdpPass)
				if text == "" || slices.Contains(want, name) {
					expect = xdpDrop
				}
				if got != expect {
					t.Errorf("%s: the program returned %d, want %d", name, got, expect)
				}
			}
		})
	}
}

// TestFilterCut: frames that end anywhere, and random ones, do no harm, and what is too short for a port has none.
func TestFilterCut(t *testing.T) {
	p := loaded(t, "port=53")
	whole := tag(0x88a8, 1, tag(0x8100, 2, ip4(17, 8, 0, ports(1, 53)...)))
	for n := 14; n <= len(whole); n++ {
		got, err := p.Run(&ebpf.RunOptions{Data: whole[:n]})
		if err != nil {
			t.Fatal(err)
		}
		if want := n == len(whole); (got == xdpDrop) != want {
			t.Errorf("of %d bytes, %d: %d", len(whole), n, got)
		}
	}
	r := testkit.Rand(t)
	for range 2000 {
		f := slices.Clone(whole[:14+r.IntN(len(whole)-13)])
		for range r.IntN(6) {
			f[r.IntN(len(f))] = byte(r.Uint32())
		}
		if got, err := p.Run(&ebpf.RunOptions{Data: f}); err != nil || got != xdpDrop && got != xdpPass {
			t.Fatalf("%x: %d, %v", f, got, err)
		}
	}
}

// TestFilterLargest: the largest filter that is taken loads.
func TestFilterLargest(t *testing.T) {
	loaded(t, "host=fd00::/9"+strings.Repeat(";fd00::/9", maxValues-1))
	loaded(t, "port=1-2"+strings.Repeat(";1-2", maxValues-1))
	loaded(t, "tcp"+strings.Repeat("|tcp", maxValues-1))
}

func TestFilterErrors(t *testing.T) {
	for text, words := range map[string][]string{
		"tpc":               {`"tpc"`, "unknown", "tcp", "host="},
		"ip+":               {`""`, "unknown"},
		"port":              {"unknown", "port="},
		"ports=5":           {"unknown", "port="},
		"port=":             {`""`, "0 to 65535"},
		"port=65536":        {"65536", "0 to 65535"},
		"port=9-8":          {"9-8"},
		"port=53,54":        {"53,54"},
		"vlan=4096":         {"0 to 4095"},
		"host=example.com":  {"example.com", "10.0.0.1"},
		"host=10.0.0.1/33":  {"10.0.0.1/33"},
		"host=fe80::1%eth0": {"fe80::1%eth0"},
		"ethertype=0x10000": {"0 to 65535"},
		"tcp" + strings.Repeat("|tcp", maxValues): {"501 values"},
	} {
		_, err := ParseFilter(text)
		if !errors.Is(err, ErrFilter) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: the error does not say %q: %v", text, w, err)
			}
		}
	}
	for _, text := range []string{"", "ip+host=10.0.0.1+port=53;4789"} {
		if f, err := ParseFilter(text); err != nil || f.String() != text {
			t.Errorf("%q: %v, %v", text, f, err)
		}
	}
}
