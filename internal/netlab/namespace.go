//go:build linux

// A namespace, and what can be done in one.

package netlab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/need"
)

// Namespace is a network namespace: a host of its own, with its own interfaces, addresses and sockets. It is
// used from the test's goroutine, except Do.
type Namespace struct {
	t     T
	label string // the test's name for it
	name  string // in the system
}

// Name is the name in the system, as ip netns lists it.
func (n *Namespace) Name() string { return n.name }

// Path is the file that stands for the namespace, to be opened for setns.
func (n *Namespace) Path() string { return filepath.Join(dir, n.name) }

// IP runs ip with these arguments in the namespace and returns what it printed.
func (n *Namespace) IP(args ...string) string {
	n.t.Helper()
	out, err := output(exec.Command("ip", append([]string{"-n", n.name}, args...)...))
	if err != nil {
		n.t.Fatalf("%v", err)
	}
	return out
}

// Addr gives an interface addresses, such as 10.0.0.1/24 and fd00::1/64.
func (n *Namespace) Addr(ifname string, addrs ...string) {
	n.t.Helper()
	for _, a := range addrs {
		n.IP("addr", "add", a, "dev", ifname)
	}
}

// Bridge makes a Linux bridge that is up and joins these interfaces, with the least of their MTUs as its own. It is what
// a test's own forwarder is compared with.
func (n *Namespace) Bridge(name string, ifnames ...string) {
	n.t.Helper()
	n.IP("link", "add", name, "type", "bridge")
	for _, i := range ifnames {
		n.IP("link", "set", i, "master", name)
	}
	n.IP("link", "set", name, "up")
}

// NoOffloads makes an interface like one of a simple card: it sends and receives whole frames with finished checksums,
// each no longer than its MTU.
func (n *Namespace) NoOffloads(ifname string) {
	n.t.Helper()
	need.Program(n.t, "ethtool")
	n.Run("ethtool", "-K", ifname, "tso", "off", "gso", "off", "gro", "off", "tx", "off", "rx", "off")
}

// Sysctl sets a kernel parameter of the namespace, such as net.ipv4.ip_forward.
func (n *Namespace) Sysctl(key, value string) {
	n.t.Helper()
	var err error
	// The kernel shows a thread the parameters of the namespace that it is in.
	n.Do(func() {
		err = os.WriteFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), []byte(value), 0)
	})
	if err != nil {
		n.t.Fatalf("sysctl %s=%s in %s: %v", key, value, n.label, err)
	}
}

// Do calls f on a thread that is in the namespace: a socket that f opens is and stays of the namespace. Goroutines that f
// starts are not in it, and so are some that the standard library starts: a name is to be an address in numbers. Do
// may be called within another's f, and from any goroutine if f ends no test and nothing fails.
func (n *Namespace) Do(f func()) {
	n.t.Helper()
	there, err := os.Open(n.Path())
	if err != nil {
		n.t.Fatalf("entering %s: %v", n.label, err)
	}
	defer there.Close()
	runtime.LockOSThread()
	back, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		n.t.Fatalf("entering %s: %v", n.label, err)
	}
	defer back.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		n.t.Fatalf("entering %s: %v", n.label, err)
	}
	defer func() {
		if err := unix.Setns(int(back.Fd()), unix.CLONE_NEWNET); err != nil {
			// The thread stays locked, so that it ends with its goroutine and nobody else gets it.
			n.t.Errorf("leaving %s: %v", n.label, err)
			return
		}
		runtime.UnlockOSThread()
	}()
	f()
}

// Command returns a command that is not started yet, of a program in the namespace. The process is the program's own, so its
// pid is the program's, and it is killed when the test ends, even if that is killed. It has to be waited for; Start and
// Run do more.
func (n *Namespace) Command(name string, args ...string) *exec.Cmd {
	// ip enters the namespace and becomes the program.
	c := exec.CommandContext(n.t.Context(), "ip", append([]string{"netns", "exec", n.name, name}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.Env = append(os.Environ(), "LC_ALL=C")
	return c
}

// Run runs a program in the namespace that is over soon, and returns what it printed on stdout.
func (n *Namespace) Run(name string, args ...string) string {
	n.t.Helper()
	out, err := output(n.Command(name, args...))
	if err != nil {
		n.t.Fatalf("%v", err)
	}
	return out
}

// Stats are an interface's counters since it was made.
type Stats struct {
	RxPackets, RxBytes, RxErrors, RxDropped uint64
	TxPackets, TxBytes, TxErrors, TxDropped uint64
}

// LinkStats returns the kernel's counters of an interface, at once. A GSO frame is one packet.
func (n *Namespace) LinkStats(ifname string) Stats {
	n.t.Helper()
	var text []byte
	var err error
	n.Do(func() { text, err = os.ReadFile("/proc/thread-self/net/dev") })
	var s Stats
	if err == nil {
		s, err = parseStats(string(text), ifname)
	}
	if err != nil {
		n.t.Fatalf("counters of %s in %s: %v", ifname, n.label, err)
	}
	return s
}

// parseStats finds an interface's line in /proc/net/dev: its name, eight numbers of what it received, and eight of what it
// sent.
func parseStats(text, ifname string) (s Stats, err error) {
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != ifname {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 16 {
			return s, fmt.Errorf("%d numbers in %q", len(fields), line)
		}
		for i, to := range map[int]*uint64{
			0: &s.RxBytes, 1: &s.RxPackets, 2: &s.RxErrors, 3: &s.RxDropped,
			8: &s.TxBytes, 9: &s.TxPackets, 10: &s.TxErrors, 11: &s.TxDropped,
		} {
			if *to, err = strconv.ParseUint(fields[i], 10, 64); err != nil {
				return s, fmt.Errorf("%q: %w", line, err)
			}
		}
		return s, nil
	}
	return s, errors.New("there is no such interface")
}
