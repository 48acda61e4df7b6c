//go:build linux

// The laboratory: namespaces, and cables.

package netlab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

// T is what a laboratory uses of a test. A *testing.T is one; a program that is no test may bring its own.
type T interface {
	need.T
	Context() context.Context // done just before what was given to Cleanup is called
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any) // does not return
}

// Lab is what one test has built. It is used from the test's goroutine.
type Lab struct{ t T }

const (
	// dir is where iproute2 keeps namespaces by name.
	dir = "/run/netns"
	// prefix begins the names of ours: prefix, pid, number, and the name in the test.
	prefix = "ringway"
	// patience is how long a command may take that has nothing to wait for.
	patience = 20 * time.Second
)

var (
	serial atomic.Uint64 // of namespaces
	sweep  sync.Once
)

// New makes an empty laboratory, which t takes down in the end. Without root or iproute2 the test is skipped.
func New(t T) *Lab {
	t.Helper()
	need.Root(t)
	need.Program(t, "ip")
	sweep.Do(removeLeftovers)
	return &Lab{t}
}

// removeLeftovers deletes the namespaces of processes that were killed before they could: of those that are
// no more, and of an earlier one with our pid, since we have none yet.
func removeLeftovers() {
	names, _ := filepath.Glob(filepath.Join(dir, prefix+"-*-*-*"))
	for _, path := range names {
		name := filepath.Base(path)
		pid, err := strconv.Atoi(strings.Split(name, "-")[1])
		if err != nil || pid <= 0 || pid != os.Getpid() && syscall.Kill(pid, 0) != syscall.ESRCH {
			continue
		}
		_ = exec.Command("ip", "netns", "delete", name).Run() // somebody else may be doing the same
	}
}

// Namespace makes a network namespace with a loopback that is up. name is for messages: it may have letters, digits
// and '_', and need not be unique. Addresses are usable at once (no duplicate address detection), and the kernel asks
// for no router. It still reports its IPv6 groups; a test that counts every frame sets net.ipv6.conf.default.disable_ipv6
// before it makes an interface.
func (l *Lab) Namespace(name string) *Namespace {
	l.t.Helper()
	n := &Namespace{t: l.t, label: name, name: fmt.Sprintf("%s-%d-%d-%s", prefix, os.Getpid(), serial.Add(1), name)}
	if out, err := output(exec.Command("ip", "netns", "add", n.name)); err != nil {
		if strings.Contains(err.Error(), "Operation not permitted") {
			need.Missing(l.t, "this root may not make network namespaces: it lacks CAP_SYS_ADMIN")
		}
		l.t.Fatalf("%v\n%s", err, out)
	}
	l.t.Cleanup(func() {
		if out, err := output(exec.Command("ip", "netns", "delete", n.name)); err != nil {
			l.t.Errorf("%v\n%s", err, out)
		}
	})
	n.IP("link", "set", "lo", "up")
	if _, err := os.Stat("/proc/sys/net/ipv6"); err == nil {
		for _, which := range []string{"all", "default"} {
			n.Sysctl("net.ipv6.conf."+which+".accept_dad", "0")
			n.Sysctl("net.ipv6.conf."+which+".router_solicitations", "0")
		}
	}
	return n
}

// Veth makes a pair of Ethernet interfaces joined by a cable, one in each namespace, both up, with this MTU, or
// 1500 if it is 0.
func (l *Lab) Veth(a *Namespace, ifA string, b *Namespace, ifB string, mtu int) {
	l.t.Helper()
	if mtu == 0 {
		mtu = 1500
	}
	size := strconv.Itoa(mtu)
	a.IP("link", "add", ifA, "mtu", size, "type", "veth", "peer", "name", ifB, "mtu", size, "netns", b.name)
	a.IP("link", "set", ifA, "up")
	b.IP("link", "set", ifB, "up")
}

// output runs a command that is over soon. An error has the command and what it said on stderr.
func output(c *exec.Cmd) (string, error) {
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	c.WaitDelay = time.Second
	err := c.Start()
	if err == nil {
		late := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
		err = c.Wait()
		if !late.Stop() {
			err = fmt.Errorf("not over in %v: %w", patience, err)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", strings.Join(c.Args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), err
}
