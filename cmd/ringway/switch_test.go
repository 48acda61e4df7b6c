package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

func TestSwitchPorts(t *testing.T) {
	mac := func(n byte) packet.MAC { return packet.MAC{2, 0, 0, 0, 0, n} }
	for text, want := range map[string]struct {
		name     string
		config   vswitch.PortConfig
		settings string
	}{
		"null:":                      {"null:", vswitch.PortConfig{Direction: port.Both}, ""},
		"null:isolated":              {"null:", vswitch.PortConfig{Direction: port.Both, Isolated: true}, "isolated"},
		"null:isolated=yes,name=n":   {"n", vswitch.PortConfig{Direction: port.Both, Isolated: true}, "isolated"},
		"null:isolated=no":           {"null:", vswitch.PortConfig{Direction: port.Both}, ""},
		"null:vlan=10,onfull=wait":   {"null:", vswitch.PortConfig{Direction: port.Both, VLAN: 10, OnFull: port.OnFullWait}, "vlan 10, wait when full"},
		"mem:x,trunk=20-22;40":       {"mem:x", vswitch.PortConfig{Direction: port.Both, Trunk: []uint16{20, 21, 22, 40}}, "trunk 20-22;40"},
		"mem:x,trunk=7;7;6-8,vlan=1": {"mem:x", vswitch.PortConfig{Direction: port.Both, VLAN: 1, Trunk: []uint16{7, 6, 8}}, "vlan 1, trunk 7;7;6-8"},
		"mem:x,isolated,vlan=1":      {"mem:x", vswitch.PortConfig{Direction: port.Both, VLAN: 1, Isolated: true}, "vlan 1, isolated"},
		"mem:x,mac=02:00:00:00:00:01+02-00-00-00-00-02": {"mem:x", vswitch.PortConfig{Direction: port.Both, MACs: []packet.MAC{mac(1), mac(2)}},
			"mac 02:00:00:00:00:01+02-00-00-00-00-02"},
		"mem:x,maxaddresses=1k,floodrate=2k": {"mem:x", vswitch.PortConfig{Direction: port.Both, MaxAddresses: 1000, FloodRate: 2000},
			"at most 1000 addresses, floods 2000/s"},
		"gen:vlan=7,switchvlan=9":          {"gen:", vswitch.PortConfig{Direction: port.In, VLAN: 9}, "vlan 9, in only"},
		"gen:vlan=7":                       {"gen:", vswitch.PortConfig{Direction: port.In}, "in only"},
		"in.pcap,direction=in":             {"pcap:in.pcap", vswitch.PortConfig{Direction: port.In}, "in only"},
		"dump.pcap,mirror=a+b:c":           {"pcap:dump.pcap", vswitch.PortConfig{Direction: port.Out, Mirror: []string{"a", "b:c"}}, "mirror of a, b:c, out only"},
		"-,mirror=a,format=pcapng":         {"pcap:-", vswitch.PortConfig{Direction: port.Out, Mirror: []string{"a"}}, "mirror of a, out only"},
		"udp::1>127.0.0.1:2,direction=out": {"udp::1>127.0.0.1:2", vswitch.PortConfig{Direction: port.Out}, "out only"},
	} {
		p, err := parseSwitchPort(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if p.spec.Name != want.name || !reflect.DeepEqual(p.config, want.config) || p.settings() != want.settings || p.spec.Text != text {
			t.Errorf("%s: name %q, %+v, settings %q", text, p.spec.Name, p.config, p.settings())
		}
	}
}

// What is wrong with a port string is told with the string, the key, what it has and what it wants.
func TestSwitchPortErrors(t *testing.T) {
	for text, words := range map[string][]string{
		"null:vlan=0":                  {"vlan", `"0"`, "1 to 4094"},
		"null:vlan=4095":               {"vlan", "1 to 4094"},
		"null:vlan":                    {"vlan", `""`, "1 to 4094"},
		"gen:switchvlan=0":             {"switchvlan", "1 to 4094"},
		"null:trunk=":                  {"trunk", "20-30;40"},
		"null:trunk=1;":                {"trunk", "20-30;40"},
		"null:trunk=30-20":             {"trunk", `"30-20"`, "20-30;40"},
		"null:trunk=1-4095":            {"trunk", `"1-4095"`},
		"null:trunk=0":                 {"trunk", `"0"`},
		"null:trunk=a":                 {"trunk", `"a"`},
		"null:trunk=1-2-3":             {"trunk", `"1-2-3"`},
		"null:isolated=maybe":          {"isolated", `"maybe"`, "yes or no"},
		"null:mac=1":                   {"mac", `"1"`, "02:00:00:00:00:01+"},
		"null:mac=":                    {"mac", "02:00:00:00:00:01+"},
		"null:mac=ff:ff:ff:ff:ff:ff":   {"mac", "stations"},
		"null:mac=02:00:00:00:00:01+":  {"mac", `""`},
		"null:maxaddresses=0":          {"maxaddresses", "1 to 16777216"},
		"null:floodrate=-1":            {"floodrate", "1 to 1000000000"},
		"null:mirror=":                 {"mirror", "names"},
		"null:mirror=a+":               {"mirror", "names"},
		"null:mirror=a,direction=both": {"direction", "only sends"},
		"null:direction=up":            {"direction", `"up"`, "in, out or both"},
		"null:direction":               {"direction", "in, out or both"},
		"gen:direction=out":            {"gen", "in only"},
		"x.pcap":                       {"direction=in or direction=out"},
		"x.pcap,direction=both":        {"direction=in or direction=out"},
		"null:onfull=never":            {"onfull", "wait or drop"},
		"null:nonsense=1":              {"no key \"nonsense\"", "trunk", "mirror"},
		"null:nonsense":                {`"nonsense"`, "no target", "isolated"},
		"null:vlan=1,vlan=2":           {"given twice"},
		"null:isolated,isolated":       {"given twice"},
		"nul:":                         {"unknown kind", "null"},
		"":                             {"empty"},
	} {
		_, err := parseSwitchPort(text)
		if err == nil {
			t.Errorf("%s: no error", text)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) || !strings.Contains(err.Error(), `"`+text+`"`) {
				t.Errorf("%s: %v does not say %s", text, err, w)
			}
		}
	}
}

// No key of a kind has the name of one of the switch, but for those that have another name then.
func TestSwitchKeysAreTheirOwn(t *testing.T) {
	has := func(keys []port.Key, name string) bool {
		return slices.ContainsFunc(keys, func(k port.Key) bool { return k.Name == name })
	}
	used := map[string]bool{}
	for _, kind := range port.Kinds() {
		own := slices.Concat(kind.Keys, port.CommonKeys)
		for _, key := range switchKeys {
			if !has(own, key.Name) {
				continue
			}
			other := switchPrefix + key.Name
			if used[other] = true; !has(switchKeys, other) || has(own, other) || has(port.CommonKeys, key.Name) {
				t.Errorf("kind %s has a key %s, as the switch has: give the switch's the name %s for it as well", kind.Name, key.Name, other)
			}
			if got := switchKey(kind, key.Name); got != other {
				t.Errorf("kind %s: the switch's %s is %s, want %s", kind.Name, key.Name, got, other)
			}
		}
	}
	for _, key := range switchKeys {
		if strings.HasPrefix(key.Name, switchPrefix) && !used[key.Name] {
			t.Errorf("no kind has the key for whose sake there is %s", key.Name)
		}
	}
}

func TestForwardKnowsNoSwitchKeys(t *testing.T) {
	for _, key := range switchKeys {
		if key.Name == "vlan" {
			continue // the generator's
		}
		_, stderr, code := ringway(t, nil, "forward", "gen:count=1,"+key.Name+"=1", "null:")
		if code != exitUsage || !strings.Contains(stderr, `no key "`+key.Name) {
			t.Errorf("key %s: exit code %d: %s", key.Name, code, stderr)
		}
	}
}

// All that is wrong is told at once, with lines.
func TestSwitchFileErrors(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"empty":     {"", []string{"empty", "ports:"}},
		"comment":   {"# nothing\n", []string{"ports:"}},
		"no YAML":   {"ports: [", []string{"line 1"}},
		"a list":    {"- null:x\n", []string{":1: want names and values"}},
		"two":       {"ports: []\n---\nports: []\n", []string{"second document"}},
		"no list":   {"ports: null:\n", []string{"no list.yaml", "mapping values"}},
		"not ports": {"ports: tap:x\n", []string{":1: ports: want a list"}},
		"fields": {"ports:\n  - 'null:'\n  - 'null:,name=b'\nringg: 7\nage: [1]\nring:\nage: 3s\n",
			[]string{`:4: there is no setting "ringg"`, "addresses, age", ":5: age: want one value", ":6: ring: want one value", ":7: age stands in line 5 already"}},
		"mapping":  {"ports:\n  - null:\n  - 'null:'\n", []string{":2: a port is one string", "quoted"}},
		"nothing":  {"ports:\n  -\n  - {a: b}\n", []string{":2: a port", ":3: a port"}},
		"alias":    {"ports:\n  - &a 'null:'\n  - *a\n", []string{":3: a port"}},
		"no ports": {"ring: 7\n", []string{"two ports or more"}},
		"values": {"ports:\n  - 'null:vlan=5000'\n  - tapp:x\n  - 'null:'\nring: 0\naddresses: many\nage: 1ms\nlook-again: 1h\nmax-loss: 7\nduration: -1s\nbuffers: 1\ncontrol: ''\njson: perhaps\n",
			[]string{":2: ", "1 to 4094", ":3: ", "unknown kind", ":5: ring: 0, want", ":6: addresses: \"many\"", ":7: age: 1ms, want whole seconds", ":8: look-again: 1h",
				":9: max-loss", ":10: duration", ":11: buffers: 1, want", ":12: control: it is empty", ":13: json: \"perhaps\""}},
		"names":    {"ports:\n  - 'null:'\n  - 'null:'\n  - 'null:name=m,mirror=x'\n", []string{":3: ", `name "null:"`, "name=", ":4: ", `no port "x" to mirror`}},
		"mirrors":  {"ports:\n  - 'null:name=m,mirror=m'\n  - 'null:'\n", []string{":2: ", "itself"}},
		"captures": {"ports:\n  - x.pcap,direction=in\n  - x.pcap,direction=out,name=y\n", []string{":3: ", "same file"}},
		"one mem":  {"ports:\n  - mem:x\n  - 'null:'\n", []string{":2: ", "1 of this name"}},
		"loop":     {"ports:\n  - mem:x,name=a,vlan=1,trunk=2-5\n  - mem:x,name=b,trunk=4\n", []string{":2: ", "for ever"}},
		"loop all": {"ports:\n  - mem:x,name=a\n  - mem:x,name=b\n", []string{":2: ", "for ever"}},
	} {
		path := write(t, filepath.Join(dir, name+".yaml"), []byte(c.text))
		stdout, stderr, code := ringway(t, nil, "switch", "--config", path)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q\n%s", name, code, stdout, stderr)
		}
		for _, w := range c.says {
			if !strings.Contains(stderr, w) {
				t.Errorf("%s: does not say %s:\n%s", name, w, stderr)
			}
		}
	}
	if _, stderr, code := ringway(t, nil, "switch", "--config", filepath.Join(dir, "missing")); code != exitRuntime || !strings.Contains(stderr, "missing") {
		t.Errorf("no file: exit code %d: %s", code, stderr)
	}
}

// plan is what --dry-run says.
func plan(t *testing.T, args ...string) (p switchPlan) {
	t.Helper()
	if err := json.Unmarshal([]byte(ok(t, append([]string{"switch", "--dry-run", "--json"}, args...)...)), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSwitchFileAndFlags(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "net.yaml"), []byte(`# a network
ports:
  - "null:"
  - dump.pcap,mirror=n2 # it stands before what it mirrors
  - 'null:name=n2,vlan=7,trunk=20-30;40'
addresses: 1000
ring: 128
age: 10s
`))
	p := plan(t, "--config", path, "--ring", "256", "null:name=n3,isolated")
	want := []plannedPort{
		{"null:", "null", "null:", "", false},
		{"n2", "null", "null:name=n2,vlan=7,trunk=20-30;40", "vlan 7, trunk 20-30;40", false},
		{"n3", "null", "null:name=n3,isolated", "isolated", false},
		{"pcap:dump.pcap", "pcap", "dump.pcap,mirror=n2", "mirror of n2, out only", false},
	}
	if !reflect.DeepEqual(p.Ports, want) {
		t.Errorf("ports %+v", p.Ports)
	}
	counts := map[string]int{}
	for _, m := range p.Memory {
		if counts[m.What] = m.Count; m.Bytes != m.Count*m.Each || m.Bytes == 0 {
			t.Errorf("memory %+v", m)
		}
	}
	if counts["addresses in the table"] != 1000 || counts["places in the rings of ports"] != 4*256 {
		t.Errorf("memory %+v", p.Memory)
	}
}

// A plan opens nothing, makes nothing, and says what would be needed.
func TestDryRunTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	args := []string{"switch", "--dry-run", "--control", "ctl.sock", "null:", "null:,name=n", "dump.pcap,mirror=null:"}
	out := ok(t, args...)
	for _, w := range []string{"dump.pcap,mirror=null:", "mirror of null:, out only", "ctl.sock", "addresses in the table", "8192 × 44 B", "null: works"} {
		if !strings.Contains(out, w) {
			t.Errorf("does not say %s:\n%s", w, out)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("something was made: %v, %v", entries, err)
	}
}

// The capture of a mirror has what the port has sent, and the account balances.
func TestSwitchMirrorsAndBalances(t *testing.T) {
	dump := filepath.Join(t.TempDir(), "dump.pcap")
	out := ok(t, "switch", "--json", "--duration", "500ms", "gen:count=1000,switchvlan=7", "null:,vlan=7", dump+",mirror=null:")
	var sum switchSummary
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	if !sum.Balance() || sum.Received != 1000 || sum.Replicas != 1000 || sum.Sent != 2000 || sum.InFlight != 0 || sum.Error != "" {
		t.Errorf("%s", out)
	}
	if p := sum.Ports[2]; len(sum.Ports) != 3 || p.Kind != "pcap" || p.TxPackets != 1000 {
		t.Errorf("ports %+v", sum.Ports)
	}
	count := ok(t, "forward", "--json", dump, "null:")
	if !strings.Contains(count, `"rx_packets":1000`) {
		t.Errorf("the capture: %s", count)
	}
}

func TestSwitchMaxLoss(t *testing.T) {
	_, stderr, code := ringway(t, nil, "switch", "--max-loss", "50%", "--duration", "300ms", "gen:count=100,switchvlan=1", "mem:w,name=a,vlan=1,loss=100%", "mem:w,name=b,vlan=2")
	if code != exitThreshold || !strings.Contains(stderr, "100 % of the frames were lost") || !strings.Contains(stderr, "loss 100") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	// What was not meant to go on is not lost.
	_, stderr, code = ringway(t, nil, "switch", "--max-loss", "0", "--duration", "300ms", "gen:count=100,switchvlan=1", "null:,vlan=2")
	if code != exitOK || !strings.Contains(stderr, "filtered 100") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A port that can't be opened ends it before it begins, and what was made is removed.
func TestSwitchThatCantBegin(t *testing.T) {
	dir := t.TempDir()
	stdout, stderr, code := ringway(t, nil, "switch", "--control", filepath.Join(dir, "ctl"), "null:", filepath.Join(dir, "missing.pcap")+",direction=in")
	if code != exitRuntime || !strings.Contains(stderr, "missing.pcap") || stdout != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestSwitchQuiet(t *testing.T) {
	stdout, stderr, code := ringway(t, nil, "switch", "--quiet", "--duration", "10ms", "null:", "null:name=b")
	if code != exitOK || stdout+stderr != "" {
		t.Errorf("exit code %d: %q, %q", code, stdout, stderr)
	}
}
