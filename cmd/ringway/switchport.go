// Ports of a switch: what their port strings say to the switch.

package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

// switchKeys are the keys that every port string may have in a switch. Where the kind itself has a key of that name it is the kind's, and the
// switch's has another name: see switchKey.
var switchKeys = []port.Key{
	{Name: "vlan", Help: "VLAN of the port's untagged frames, 1 to 4094; alone: access port"},
	{Name: "trunk", Help: "VLANs that are carried with tags, such as 20-30;40"},
	{Name: "isolated", Default: "no", Help: "yes: reach only ports that are not isolated; it may stand without a value"},
	{Name: "mac", Help: "the only source addresses that may come in, with + between them"},
	{Name: "maxaddresses", Default: "no limit", Help: "how many addresses are learned behind the port"},
	{Name: "floodrate", Default: "no limit", Help: "frames a second from the port that may go to all ports"},
	{Name: "mirror", Help: "send what the ports of these names, with + between them, receive and send"},
	{Name: "direction", Default: "both, or what the kind can", Help: "in: only receive; out: only send; both"},
	{Name: switchPrefix + "vlan", Help: "vlan= of kinds that have another vlan= (gen)"},
	{Name: switchPrefix + "mac", Help: "mac= of kinds that have another mac= (tap)"},
}

const switchPrefix = "switch"

// switchKey is how the port string of a kind has a key of the switch.
func switchKey(k port.Kind, name string) string {
	if slices.ContainsFunc(k.Keys, func(have port.Key) bool { return have.Name == name }) {
		return switchPrefix + name
	}
	return name
}

// switchKeysHelp is the help about the keys, a line for each.
func switchKeysHelp() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, k := range switchKeys {
		fmt.Fprintf(w, "   %s=\t%s\n", k.Name, k.Help)
	}
	w.Flush()
	return text.String()
}

// switchPort is a port string, and what it says.
type switchPort struct {
	where   string // in which line it stands; "" for the command line
	spec    *port.Spec
	kind    port.Kind
	config  vswitch.PortConfig
	listens bool // it is no port itself, but makes one of each client
}

// parseSwitchPort reads a port string. The error says what is wrong with it.
func parseSwitchPort(text string) (*switchPort, error) {
	s, err := port.ParseWith(text, switchKeys)
	if err != nil {
		return nil, err
	}
	p := &switchPort{spec: s}
	p.kind, _ = port.Lookup(s.Kind)
	if !s.Has("name") {
		s.Name = s.Kind + ":" + s.Target
	}
	p.listens = p.kind.Listen != nil && s.String("role", "") == "listen"
	p.config.OnFull = s.OnFull
	for _, read := range []func() error{p.readVLANs, p.readRules, p.readMirror, p.readDirection} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// writesStdout reports whether the port is stdout.
func (p *switchPort) writesStdout() bool {
	return p.spec.Kind == "pcap" && p.spec.Target == "-" && p.config.Direction == port.Out
}

// bad is the error about the value of a key.
func (p *switchPort) bad(key, value, want string) error {
	return p.spec.Errorf("key %s has %q, want %s", key, value, want)
}

func (p *switchPort) readVLANs() error {
	const want = "VLANs of 1 to 4094, single or from-to with ; between them, such as 20-30;40"
	id, err := p.spec.Int(switchKey(p.kind, "vlan"), 0, 1, vswitch.MaxVLAN)
	if err != nil {
		return err
	}
	p.config.VLAN = uint16(id)
	key := switchKey(p.kind, "trunk")
	if !p.spec.Has(key) {
		return nil
	}
	for _, part := range strings.Split(p.spec.String(key, ""), ";") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		low, errLow := port.ParseCount(from)
		high, errHigh := port.ParseCount(to)
		if errLow != nil || errHigh != nil || low < 1 || high > vswitch.MaxVLAN || low > high {
			return p.bad(key, part, want)
		}
		for id := uint16(low); id <= uint16(high); id++ {
			if !slices.Contains(p.config.Trunk, id) {
				p.config.Trunk = append(p.config.Trunk, id)
			}
		}
	}
	return nil
}

func (p *switchPort) readRules() error {
	key := switchKey(p.kind, "isolated")
	switch value := p.spec.String(key, "no"); value {
	case "", "yes": // it stands without a value
		p.config.Isolated = true
	case "no":
	default:
		return p.bad(key, value, "yes or no")
	}
	key = switchKey(p.kind, "mac")
	if p.spec.Has(key) {
		for _, text := range strings.Split(p.spec.String(key, ""), "+") {
			mac, err := packet.ParseMAC(text)
			if err != nil || !mac.IsUnicast() {
				return p.bad(key, text, "addresses of stations with + between them, such as 02:00:00:00:00:01+02:00:00:00:00:02")
			}
			if !slices.Contains(p.config.MACs, mac) {
				p.config.MACs = append(p.config.MACs, mac)
			}
		}
	}
	var err error
	number := p.spec.Ints(&err)
	p.config.MaxAddresses = int(number(switchKey(p.kind, "maxaddresses"), 0, 1, maxTable))
	p.config.FloodRate = int(number(switchKey(p.kind, "floodrate"), 0, 1, 1e9))
	return err
}

func (p *switchPort) readMirror() error {
	key := switchKey(p.kind, "mirror")
	if !p.spec.Has(key) {
		return nil
	}
	for _, name := range strings.Split(p.spec.String(key, ""), "+") {
		if name == "" {
			return p.bad(key, p.spec.String(key, ""), "names of ports, with + between them")
		}
		p.config.Mirror = append(p.config.Mirror, name)
	}
	if p.listens {
		return p.spec.Errorf("key %s: a port that listens can't be a mirror; mirror to a capture, say", key)
	}
	return nil
}

func (p *switchPort) readDirection() error {
	key := switchKey(p.kind, "direction")
	value := p.spec.String(key, "")
	d, known := map[string]port.Direction{"": p.kind.Does, "in": port.In, "out": port.Out, "both": port.Both}[value]
	switch {
	case !known || value == "" && p.spec.Has(key):
		return p.bad(key, value, "in, out or both")
	case len(p.config.Mirror) > 0:
		if value != "" && value != "out" {
			return p.bad(key, value, "out, or none: a mirror only sends")
		}
		d = port.Out
	case p.spec.Kind == "pcap" && d == port.Both:
		return p.spec.Errorf("a capture is read or written: say %s=in or %s=out, or mirror=NAME to write what a port has", key, key)
	case p.listens && d != port.Both:
		return p.bad(key, value, "both, or none: clients send and receive")
	}
	if missing := d &^ p.kind.Does; missing != 0 {
		return p.spec.Errorf("kind %s works for %s only, not for %s", p.kind.Name, p.kind.Does, d)
	}
	p.config.Direction = d
	return nil
}

// settings says in words what the port string says to the switch.
func (p *switchPort) settings() string {
	c := &p.config
	var words []string
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if c.VLAN != 0 {
		say("vlan %d", c.VLAN)
	}
	if len(c.Trunk) > 0 {
		say("trunk %s", p.spec.String(switchKey(p.kind, "trunk"), ""))
	}
	if c.Isolated {
		say("isolated")
	}
	if len(c.MACs) > 0 {
		say("mac %s", p.spec.String(switchKey(p.kind, "mac"), ""))
	}
	if c.MaxAddresses > 0 {
		say("at most %d addresses", c.MaxAddresses)
	}
	if c.FloodRate > 0 {
		say("floods %d/s", c.FloodRate)
	}
	if len(c.Mirror) > 0 {
		say("mirror of %s", strings.Join(c.Mirror, ", "))
	}
	if c.Direction != port.Both {
		say("%s only", c.Direction)
	}
	switch c.OnFull {
	case port.OnFullDrop:
		say("drop when full")
	case port.OnFullWait:
		say("wait when full")
	}
	return strings.Join(words, ", ")
}

// problems are several errors.
type problems []error

func (p problems) Error() string {
	var all []string
	for _, err := range p {
		all = append(all, err.Error())
	}
	return strings.Join(all, "; ")
}

// checkSwitchPorts checks ports beside each other, and returns all that is wrong with them.
func checkSwitchPorts(ports []*switchPort) (wrong problems) {
	report := func(p *switchPort, format string, args ...any) {
		err := p.spec.Errorf(format, args...)
		if p.where != "" {
			err = fmt.Errorf("%s: %w", p.where, err)
		}
		wrong = append(wrong, err)
	}
	byName := map[string]*switchPort{}
	wires := map[string][]*switchPort{}
	for _, p := range ports {
		if other := byName[p.spec.Name]; other != nil {
			report(p, "its name %q is that of port %q too: give one of them another with name=", p.spec.Name, other.spec.Text)
			continue
		}
		byName[p.spec.Name] = p
		if p.spec.Kind == "mem" {
			wires[p.spec.Target] = append(wires[p.spec.Target], p)
		}
	}
	for _, p := range ports {
		for _, name := range p.config.Mirror {
			switch of := byName[name]; {
			case of == nil:
				report(p, "there is no port %q to mirror", name)
			case of == p:
				report(p, "a port can't mirror itself")
			case of.listens:
				report(p, "%q listens, and the ports of its clients come and go: they can't be mirrored", name)
			}
		}
		if ends := wires[p.spec.Target]; p.spec.Kind == "mem" && len(ends) > 0 && ends[0] == p {
			switch {
			case len(ends) != 2:
				report(p, "mem joins two ports of one switch, and %d of this name are given: its use is to join two VLANs, with a delay or losses if need be", len(ends))
			case loops(ends[0].config, ends[1].config):
				report(p, "its two ends are in the same VLANs: frames would go round for ever; give them VLANs that differ")
			}
		}
		for _, other := range ports {
			if other != p && p.config.Direction == port.Out && sameCapture(p.spec, other.spec) {
				report(p, "port %q is the same file: name another output", other.spec.Text)
			}
		}
	}
	return wrong
}

// loops reports whether what leaves by one of two ports that are joined comes back by the other in the same VLAN.
func loops(a, b vswitch.PortConfig) bool {
	return len(a.Mirror)+len(b.Mirror) == 0 &&
		(a.VLAN == b.VLAN && (a.VLAN != 0 || len(a.Trunk)+len(b.Trunk) == 0) ||
			slices.ContainsFunc(a.Trunk, func(id uint16) bool { return slices.Contains(b.Trunk, id) }))
}
