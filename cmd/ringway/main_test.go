package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/port"
)

// program is the program, built once for the tests that need a process of its own.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ringway-test")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "ringway.exe")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			os.Stderr.WriteString(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// ringway runs the program in this process and returns what it printed and its exit code.
func ringway(t testing.TB, stdin io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	code = run(append([]string{"ringway"}, args...), streams{stdin, &out, &err}, make(chan os.Signal))
	return out.String(), err.String(), code
}

// ok runs the program, which must succeed.
func ok(t testing.TB, args ...string) (stdout string) {
	t.Helper()
	stdout, stderr, code := ringway(t, nil, args...)
	if code != exitOK {
		t.Fatalf("ringway %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		says string // in the message
	}{
		{[]string{"nonsense"}, "forward, switch, ctl, bench, ports, doctor, version"},
		{[]string{"forward"}, "two ports"},
		{[]string{"forward", "gen:"}, "two ports"},
		{[]string{"forward", "gen:", "null:", "null:"}, "two ports"},
		{[]string{"forward", "--nonsense", "gen:", "null:"}, "nonsense"},
		{[]string{"forward", "tapp:x", "null:"}, "gen, mem, null, pcap"},
		{[]string{"forward", "gen:sise=60", "null:"}, "size"},
		{[]string{"forward", "gen:size=59", "null:"}, "59"},
		{[]string{"forward", "gen:onfull=maybe", "null:"}, "wait or drop"},
		{[]string{"forward", "", "null:"}, "empty"},
		{[]string{"forward", "null:", "gen:"}, "gen"},
		{[]string{"forward", "--both", "../../testdata/mixed.pcap", "null:"}, "not both"},
		{[]string{"forward", "--pace", "quick", "gen:", "null:"}, "--pace"},
		{[]string{"forward", "--count", "0", "gen:", "null:"}, "--count"},
		{[]string{"forward", "--count", "many", "gen:", "null:"}, "--count"},
		{[]string{"forward", "--duration", "-1s", "gen:", "null:"}, "--duration"},
		{[]string{"forward", "--duration", "soon", "gen:", "null:"}, "duration"},
		{[]string{"forward", "--max-loss", "2", "gen:", "null:"}, "--max-loss"},
		{[]string{"forward", "--ring", "0", "gen:", "null:"}, "--ring"},
		{[]string{"forward", "--buffers", "0", "gen:", "null:"}, "--buffers"},
		{[]string{"forward", "--buffers", "511", "gen:", "null:"}, "512 or more"},
		{[]string{"forward", "gen:", "null"}, "null:"},
		{[]string{"forward", "--ring", "999999999", "gen:", "null:"}, "--ring"},
		{[]string{"forward", "--loop", "-1", "../../testdata/mixed.pcap", "null:"}, "--loop"},
		{[]string{"forward", "gen:", "mem:x"}, "other end"},
		{[]string{"forward", "gen:", "x.pcap.gz"}, "gzip"},
		{[]string{"forward", "--buffers", "99999999", "gen:", "null:"}, "16"},
		{[]string{"forward", "--loop", "2", "gen:", "null:"}, "no key \"loop\""},
		{[]string{"forward", "--loop", "x", "../../testdata/mixed.pcap", "null:"}, "loop"},
		{[]string{"forward", "--json", "gen:count=1", "-"}, "stdout"},
		{[]string{"forward", "udp:", "null:"}, "udp"},
		{[]string{"forward", "vxlan:192.0.2.1", "null:"}, "vni"},
		{[]string{"forward", "vxlan:192.0.2.1,vni=16777216", "null:"}, "16777215"},
		{[]string{"forward", "unix:", "null:"}, "unix"},
		{[]string{"forward", "unix:/tmp/x,type=seqpacket", "null:"}, "dgram, stream"},
		{[]string{"switch"}, "two ports or more"},
		{[]string{"switch", "null:"}, "two ports or more, and got 1"},
		{[]string{"switch", "null:", "null:,name="}, "name is empty"},
		{[]string{"switch", "null:", "null:"}, "give one of them another with name="},
		{[]string{"switch", "null:", "tapp:x"}, "unknown kind"},
		{[]string{"switch", "--addresses", "0", "null:", "null:name=b"}, "--addresses: 0, want 1 to"},
		{[]string{"switch", "--addresses", "16777217", "null:", "null:name=b"}, "--addresses"},
		{[]string{"switch", "--age", "-1s", "null:", "null:name=b"}, "--age"},
		{[]string{"switch", "--age", "1500ms", "null:", "null:name=b"}, "whole seconds"},
		{[]string{"switch", "--age", "old", "null:", "null:name=b"}, "age"},
		{[]string{"switch", "--ring", "0", "null:", "null:name=b"}, "--ring"},
		{[]string{"switch", "--ring", "many", "null:", "null:name=b"}, "ring"},
		{[]string{"switch", "--buffers", "1023", "null:", "null:name=b"}, "1024 or more"},
		{[]string{"switch", "--buffers", "99999999", "null:", "null:name=b"}, "16"},
		{[]string{"switch", "--look-again", "2m", "null:", "null:name=b"}, "0s to 1m0s"},
		{[]string{"switch", "--look-again", "-1s", "null:", "null:name=b"}, "--look-again"},
		{[]string{"switch", "--duration", "0s", "null:", "null:name=b"}, "--duration"},
		{[]string{"switch", "--max-loss", "x", "null:", "null:name=b"}, "--max-loss"},
		{[]string{"switch", "--control", "", "null:", "null:name=b"}, "--control: it is empty"},
		{[]string{"switch", "--json", "pcap:-,direction=out", "null:"}, "--json"},
		{[]string{"switch", "--both", "null:", "null:name=b"}, "both"},
		{[]string{"ctl"}, "ports, stats, table, add, remove, flush"},
		{[]string{"ctl", "list"}, "\"list\""},
		{[]string{"doctor", "tapp"}, "tapp"},
		{[]string{"bench", "rings"}, "all, ring, pool, handoff, forward"},
		{[]string{"bench", "ring", "pool"}, "one group"},
		{[]string{"bench", "--rounds", "0"}, "1 or more"},
		{[]string{"bench", "--rounds", "-3", "--quick"}, "-3"},
		{[]string{"bench", "--rounds", "many"}, "many"},
		{[]string{"bench", "--time", "0"}, "1ms to 10s"},
		{[]string{"bench", "--time", "1h"}, "1ms to 10s"},
		{[]string{"bench", "--time", "soon"}, "soon"},
		{[]string{"bench", "--html", ""}, "--html"},
		{[]string{"bench", "--html", "-"}, "name of a file"},
		{[]string{"bench", "--json", "--go"}, "choose one"},
		{[]string{"ports", "tapp"}, "tapp"},
		{[]string{"version", "x"}, "no arguments"},
	} {
		stdout, stderr, code := ringway(t, nil, c.args...)
		if code != exitUsage || !strings.Contains(stderr, c.says) || stdout != "" || strings.Count(stderr, "\n") > 2 {
			t.Errorf("ringway %q: exit code %d, want %d with %q in\n%sstdout: %q", c.args, code, exitUsage, c.says, stderr, stdout)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("something was written: %v", entries)
	}
}

// A command line that would be right on another machine, or at another time, is not wrong: exit code 1, in one line that says what is
// missing.
func TestNothingThere(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ kind, target string }{
		{"pcap", dir + "/none.pcap"},
		{"unix", dir + "/none,type=stream"},
		{"udp", "192.0.2.77:7000>127.0.0.1:7000"},
		{"vxlan", "127.0.0.2,vni=7,local=192.0.2.77"},
		{"afpacket", "nosuch0"},
		{"afxdp", "nosuch0"},
	} {
		if _, ok := port.Lookup(c.kind); !ok {
			continue // not on this system
		}
		in := c.kind + ":" + c.target
		stdout, stderr, code := ringway(t, nil, "forward", in, "null:")
		if target, _, _ := strings.Cut(c.target, ","); code != exitRuntime || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, target) {
			t.Errorf("%s: exit code %d, want %d: %s", in, code, exitRuntime, stderr)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "forward"},
		{[]string{"help"}, "forward"},
		{[]string{"help", "forward"}, "--max-loss"},
		{[]string{"forward", "--help"}, "tcpdump -w -"},
		{[]string{"switch", "--help"}, "trunk="},
		{[]string{"ctl", "--help"}, "flush"},
		{[]string{"bench", "--help"}, "benchstat"},
		{[]string{"bench", "--list"}, "ring     spsc/single\n"},
		{[]string{"version"}, "ringway "},
		{[]string{"ports"}, "pcap:"},
		{[]string{"ports", "gen"}, "size="},
		{[]string{"ports", "--json", "null"}, `"name":"null"`},
	} {
		if out := ok(t, c.args...); !strings.Contains(out, c.says) {
			t.Errorf("ringway %q says %q", c.args, out)
		}
	}
	for _, kind := range []string{"gen", "mem", "null", "pcap"} {
		out := ok(t, "ports", kind)
		if !strings.Contains(out, "example") || !strings.Contains(out, "onfull=") {
			t.Errorf("ports %s: %s", kind, out)
		}
	}
}
