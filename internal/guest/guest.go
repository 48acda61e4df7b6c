//go:build linux

// The guest: QEMU, and a shell in it.

package guest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
)

// Config is what a guest is to be like.
type Config struct {
	// Netdev is how QEMU attaches the guest's interface, as its option -netdev has it, without an id:
	// "stream,server=off,addr.type=unix,addr.path=/tmp/s" or "tap,ifname=tap0,script=no,downscript=no".
	Netdev string
	// MAC is the interface's address, "" for one of QEMU's own, which all guests have.
	MAC string
	// Addrs are addresses of the interface, such as 10.0.0.2/24 and fd00::2/64.
	Addrs []string
	// MTU of the interface, 0 for 1500.
	MTU int
}

const (
	// memory of a guest, in MiB: a kernel of Debian's takes half of that until it has unpacked itself.
	memory = 128
	// patience is how long a guest may take to boot, on a busy machine, and how long a command may take.
	patience = time.Minute
)

// Guest is a virtual machine that runs. Its methods are called from the test's goroutine.
type Guest struct {
	t     netlab.T
	qemu  *netlab.Process
	shell net.Conn
	lines *bufio.Reader
}

// Start boots a guest, whose QEMU runs in namespace n, and returns when its interface is up. What its netdev dials, or is
// dialed by, may come later.
func Start(t netlab.T, n *netlab.Namespace, c Config) *Guest {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		need.Missing(t, "guests are for amd64")
	}
	qemu := need.Program(t, "qemu-system-x86_64")
	dir, err := os.MkdirTemp("", "guest-") // short enough for a socket's name
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	k := newestKernel(t)
	initramfs, socket := filepath.Join(dir, "initramfs"), filepath.Join(dir, "shell")
	if err := os.WriteFile(initramfs, image(t, k, c), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	device := "virtio-net-pci,netdev=n0,romfile="
	if c.MAC != "" {
		device += ",mac=" + c.MAC
	}
	if c.MTU > 1500 {
		device += ",host_mtu=" + strconv.Itoa(c.MTU)
	}
	g := &Guest{t: t}
	g.qemu = n.Start(qemu, "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot",
		"-machine", "pc", "-accel", "tcg", "-cpu", "qemu64", "-m", strconv.Itoa(memory),
		"-kernel", k.image, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1",
		"-serial", "stdio", "-serial", "unix:"+socket+",server=on,wait=off",
		"-netdev", c.Netdev+",id=n0", "-device", device)
	end := time.Now().Add(patience)
	for g.shell == nil {
		if g.shell, err = net.Dial("unix", socket); err != nil {
			g.mayGoOn(end, "QEMU has no console")
			time.Sleep(10 * time.Millisecond)
		}
	}
	t.Cleanup(func() { _ = g.shell.Close() })
	g.lines = bufio.NewReader(g.shell)
	if out, code, err := g.until(end); err != nil || code != 0 {
		t.Fatalf("the guest did not boot: exit code %d, %v\n%s\n%s", code, err, out, g.Console())
	}
	return g
}

func (g *Guest) mayGoOn(end time.Time, what string) {
	g.t.Helper()
	select {
	case <-g.qemu.Done():
		g.t.Fatalf("%s: it has ended\n%s", what, g.Console())
	default:
	}
	if time.Now().After(end) {
		g.t.Fatalf("%s in %v\n%s", what, patience, g.Console())
	}
}

// Console is what the guest's kernel, and QEMU, have said so far.
func (g *Guest) Console() string { return g.qemu.Output() }

// done begins the line that ends what a command has printed; its exit code follows.
const done = "=ringway= "

// until reads what a command prints, until it has ended.
func (g *Guest) until(end time.Time) (out string, code int, err error) {
	if err := g.shell.SetReadDeadline(end); err != nil {
		return "", 0, err
	}
	var all strings.Builder
	for {
		line, err := g.lines.ReadString('\n')
		line = strings.TrimRight(line, "\r\n") // a terminal has both
		// The last line of what is printed may have had no end.
		if before, number, ok := strings.Cut(line, done); ok {
			all.WriteString(before)
			code, err = strconv.Atoi(number)
			return all.String(), code, err
		}
		fmt.Fprintln(&all, line)
		if err != nil {
			return all.String(), 0, err
		}
	}
}

// Try runs a line for the shell in the guest and returns what it printed, on stdout and on stderr, and its exit code. An error is
// one of the guest: it has ended, or the line takes longer than a minute.
func (g *Guest) Try(line string) (out string, code int, err error) {
	if strings.ContainsAny(line, "\r\n") {
		return "", 0, errors.New("guest: more than a line")
	}
	if _, err := fmt.Fprintln(g.shell, line); err != nil {
		return "", 0, err
	}
	return g.until(time.Now().Add(patience))
}

// Run is Try for a line that must succeed.
func (g *Guest) Run(line string) string {
	g.t.Helper()
	out, code, err := g.Try(line)
	if err != nil || code != 0 {
		g.t.Fatalf("in the guest, %s: exit code %d, %v\n%s\n%s", line, code, err, out, g.Console())
	}
	return out
}

// Begin starts a line in the guest, whose end and output Finish waits for.
func (g *Guest) Begin(line string) {
	g.t.Helper()
	if _, err := fmt.Fprintln(g.shell, line); err != nil {
		g.t.Fatalf("in the guest, %s: %v", line, err)
	}
}

// Finish returns what the line of Begin has printed, once it has ended, which must be with success.
func (g *Guest) Finish() string {
	g.t.Helper()
	out, code, err := g.until(time.Now().Add(patience))
	if err != nil || code != 0 {
		g.t.Fatalf("in the guest: exit code %d, %v\n%s\n%s", code, err, out, g.Console())
	}
	return out
}

// Ping pings an address from the guest, count times, 0.1 s apart, with size bytes of payload, and returns how many answers
// came.
func (g *Guest) Ping(addr string, count, size int) (received int) {
	g.t.Helper()
	out, _, err := g.Try(fmt.Sprintf("ping -q -c %d -i 0.1 -W 2 -s %d %s", count, size, addr))
	if err != nil {
		g.t.Fatalf("ping: %v\n%s", err, out)
	}
	for line := range strings.Lines(out) {
		if n, err := fmt.Sscanf(line, "%d packets transmitted, %d packets received", new(int), &received); n == 2 && err == nil {
			return received
		}
	}
	g.t.Fatalf("ping printed no summary: %s", out)
	return 0
}

// WaitPing pings an address until it answers, and reports whether it did in time.
func (g *Guest) WaitPing(addr string, within time.Duration) bool {
	g.t.Helper()
	for end := time.Now().Add(within); ; {
		if _, code, err := g.Try("ping -q -c 1 -W 1 " + addr); err != nil {
			g.t.Fatalf("ping: %v", err)
		} else if code == 0 {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Kill ends the guest at once, as a loss of power does: it says good-bye to nobody. The kernel closes its sockets.
func (g *Guest) Kill() {
	_ = syscall.Kill(g.qemu.PID(), syscall.SIGKILL) // if it has ended, all the better
	<-g.qemu.Done()
}
