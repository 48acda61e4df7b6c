//go:build linux

// Filter: which frames come to the port, as text. What it becomes in the XDP program is in program.go.

package afxdp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Filter says which frames come to the port. What it does not name stays with the kernel, as if the
// port weren't there. The zero Filter and a nil one take all frames.
type Filter struct {
	text string
	any  [][]term // a frame matches if all terms of one of these do
}

// term is one condition: one of its tests has to hold.
type term []test

// test says that a field of the frame has a value of low to high, or, for addresses, that one of
// the two is in prefix.
type test struct {
	field     field
	low, high uint32
	prefix    netip.Prefix
}

// field is something that a frame has, or not: it is absent then, which no test but that of "vlan=none" meets.
type field uint8

const (
	fieldType field = iota
	fieldVLAN       // of the outer tag
	fieldProtocol
	fieldPort // the source's or the destination's
	fieldHost // likewise
)

const (
	absent    = 0xffffffff // in place of a field that the frame doesn't have
	maxValues = 500        // of a filter, so that the program stays small
)

// ErrFilter is wrapped by the errors of ParseFilter.
var ErrFilter = errors.New("bad filter")

// ParseFilter reads a filter. It is made of terms that are joined by + ("and"), and these of
// groups that are joined by | ("or"):
//
//	arp|ip+host=10.0.0.1+port=53;4789
//
// The terms are
//
//	ip, ip6, arp            by EtherType
//	ethertype=0x88b5        one or more EtherTypes
//	vlan, vlan=none         with a VLAN tag, without
//	vlan=7;100-199          the outer tag's number, 0 to 4095
//	host=10.0.0.1;fd00::/8  source or destination, an address or a prefix; ARP has addresses too
//	tcp, udp, icmp, icmp6   by protocol
//	proto=89                IP protocols by number
//	port=53;8000-8099       source or destination of TCP, UDP or SCTP
//
// Values are separated by ; of which one has to match, and numbers may be ranges. Up to two VLAN tags are looked
// behind, and up to four IPv6 extension headers. Of a fragmented packet only the first fragment has ports.
//
// The error wraps ErrFilter and says which term is wrong.
func ParseFilter(text string) (*Filter, error) {
	f := &Filter{text: text}
	if text == "" {
		return f, nil
	}
	values := 0
	for group := range strings.SplitSeq(text, "|") {
		var all []term
		for word := range strings.SplitSeq(group, "+") {
			t, err := parseTerm(word)
			if err != nil {
				return nil, fmt.Errorf("%w %q: term %q: %w", ErrFilter, text, word, err)
			}
			all = append(all, t)
			values += len(t)
		}
		f.any = append(f.any, all)
	}
	if values > maxValues {
		return nil, fmt.Errorf("%w: it has %d values, more than %d", ErrFilter, values, maxValues)
	}
	return f, nil
}

// String returns the filter as it was written.
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// words are the terms that are a word alone.
var words = map[string]test{
	"ip":    one(fieldType, 0x0800),
	"ip6":   one(fieldType, 0x86dd),
	"arp":   one(fieldType, 0x0806),
	"tcp":   one(fieldProtocol, 6),
	"udp":   one(fieldProtocol, 17),
	"icmp":  one(fieldProtocol, 1),
	"icmp6": one(fieldProtocol, 58),
	"vlan":  {field: fieldVLAN, low: 0, high: 4095},
}

// names are the terms with values, and what these may be at most.
var names = map[string]struct {
	field field
	most  uint32
}{
	"ethertype": {fieldType, 0xffff},
	"vlan":      {fieldVLAN, 4095},
	"proto":     {fieldProtocol, 255},
	"port":      {fieldPort, 0xffff},
	"host":      {fieldHost, 0},
}

func one(f field, value uint32) test { return test{field: f, low: value, high: value} }

func parseTerm(word string) (term, error) {
	name, values, ok := strings.Cut(word, "=")
	if !ok {
		t, ok := words[word]
		if !ok {
			return nil, fmt.Errorf("unknown; there are %s", terms())
		}
		return term{t}, nil
	}
	n, ok := names[name]
	if !ok {
		return nil, fmt.Errorf("unknown; there are %s", terms())
	}
	var all term
	for value := range strings.SplitSeq(values, ";") {
		t, err := parseValue(n.field, n.most, value)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func parseValue(f field, most uint32, value string) (test, error) {
	if f == fieldHost {
		p, err := netip.ParsePrefix(value)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(value); err == nil && a.Zone() == "" {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if !p.IsValid() {
			return test{}, fmt.Errorf("%q is no address such as 10.0.0.1 or fd00::1, and no prefix such as 10.0.0.0/8", value)
		}
		return test{field: f, prefix: p.Masked()}, nil
	}
	if f == fieldVLAN && value == "none" {
		return one(f, absent), nil
	}
	first, last, isRange := strings.Cut(value, "-")
	low, err := strconv.ParseUint(first, 0, 32)
	high := low
	if err == nil && isRange {
		high, err = strconv.ParseUint(last, 0, 32)
	}
	if err != nil || low > high || high > uint64(most) {
		return test{}, fmt.Errorf("%q is no number of 0 to %d, and no range of such", value, most)
	}
	return test{field: f, low: uint32(low), high: uint32(high)}, nil
}

// terms lists what there is, for errors.
func terms() string {
	var all []string
	for w := range words {
		all = append(all, w)
	}
	for n := range names {
		all = append(all, n+"=")
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}
