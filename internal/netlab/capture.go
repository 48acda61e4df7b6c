//go:build linux

// Captures, and tshark's verdict on them.

package netlab

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ringway-net/ringway/internal/need"
)

// Capture is tcpdump at work.
type Capture struct {
	t T
	p *Process
}

// Capture begins to write the frames of an interface to a file, whole: all, or those that a filter of tcpdump's language lets
// through. When it returns, the capture has begun.
func (n *Namespace) Capture(ifname, file string, filter ...string) *Capture {
	n.t.Helper()
	need.Program(n.t, "tcpdump")
	args := []string{"-n", "-i", ifname, "-w", file, "-U", "--immediate-mode", "-s", "0", "-B", "65536", "-Z", "root"}
	p := n.Start("tcpdump", append(args, filter...)...)
	if err := p.Expect("listening on", patience); err != nil {
		n.t.Fatalf("%v", err)
	}
	return &Capture{n.t, p}
}

var (
	captured = regexp.MustCompile(`(\d+) packets? captured`)
	lost     = regexp.MustCompile(`(\d+) packets? dropped by kernel`)
)

// Stop ends the capture, and returns how many frames are in the file, and how many the kernel had no room for.
func (c *Capture) Stop() (frames, dropped int) {
	c.t.Helper()
	if err := c.p.Stop(); err != nil {
		c.t.Fatalf("%v", err)
	}
	said := c.p.Output()
	for _, want := range []struct {
		re *regexp.Regexp
		n  *int
	}{{captured, &frames}, {lost, &dropped}} {
		m := want.re.FindStringSubmatch(said)
		if m == nil {
			c.t.Fatalf("tcpdump did not say how much it captured: %s", said)
		}
		*want.n, _ = strconv.Atoi(m[1]) // digits
	}
	return frames, dropped
}

// CheckClean fails the test for each frame of a capture that has a wrong checksum of IP, ICMP, TCP or UDP, or is malformed, by
// tshark's judgement, and if the capture has no frames. It returns how many it has. A frame that was captured where
// it is sent from, with offloads, has its checksum unfinished, and that is wrong: capture behind what finishes it.
func CheckClean(t T, file string) (frames int) {
	t.Helper()
	tshark := need.Program(t, "tshark")
	frames, faults, err := judge(tshark, file)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if frames == 0 {
		t.Errorf("%s has no frames", file)
	}
	const most = 10
	for i, f := range faults {
		if i == most {
			t.Errorf("%s: and %d more", file, len(faults)-most)
			break
		}
		t.Errorf("%s: %s", file, f)
	}
	return frames
}

// checks are tshark's fields with the status of a checksum: 0 is bad.
var checks = []string{"ip.checksum.status", "icmp.checksum.status", "icmpv6.checksum.status", "tcp.checksum.status", "udp.checksum.status"}

// known are the protocols whose form is judged. What is above is random payload, which tshark takes for this or that.
var known = []string{"eth", "ethertype", "vlan", "arp", "ip", "ipv6", "icmp", "icmpv6", "tcp", "udp", "vxlan", "data"}

// judge has tshark read a capture.
func judge(tshark, file string) (frames int, faults []string, err error) {
	args := []string{"-n", "-r", file, "-T", "fields", "-e", "frame.number", "-e", "frame.len", "-e", "frame.cap_len", "-e", "frame.protocols"}
	for _, c := range checks {
		proto, _, _ := strings.Cut(c, ".")
		if !strings.HasPrefix(proto, "icmp") { // those are always checked
			args = append(args, "-o", proto+".check_checksum:TRUE")
		}
		args = append(args, "-e", c)
	}
	c := exec.Command(tshark, args...)
	home, err := os.MkdirTemp("", "netlab-") // not the user's preferences
	if err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(home)
	c.Env = append(os.Environ(), "HOME="+home, "LC_ALL=C")
	out, err := output(c)
	if err != nil {
		return 0, nil, err
	}
	for line := range strings.Lines(out) {
		frames++
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		if len(fields) != 4+len(checks) {
			return frames, nil, fmt.Errorf("tshark: not a line of %d fields: %q", 4+len(checks), line)
		}
		if wrong := fault(fields); wrong != "" {
			faults = append(faults, fmt.Sprintf("frame %s, %s bytes, %s: %s", fields[0], fields[1], fields[3], wrong))
		}
	}
	return frames, faults, nil
}

// fault returns what is wrong with a frame, or "": fields are number, length, captured length, protocols, and the status of each of
// checks.
func fault(fields []string) string {
	var wrong []string
	if fields[1] != fields[2] {
		wrong = append(wrong, "only "+fields[2]+" bytes were captured")
	}
	protocols := strings.Split(fields[3], ":")
	foreign := func(p string) bool { return !slices.Contains(known, p) }
	if i := slices.Index(protocols, "_ws.malformed"); i >= 0 && !slices.ContainsFunc(protocols[:i], foreign) {
		wrong = append(wrong, "malformed")
	}
	for i, c := range checks {
		// A frame in a tunnel has the field twice.
		if slices.Contains(strings.Split(fields[4+i], ","), "0") {
			wrong = append(wrong, strings.TrimSuffix(c, ".status")+" is bad")
		}
	}
	return strings.Join(wrong, ", ")
}
