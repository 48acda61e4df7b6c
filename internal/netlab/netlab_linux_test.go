package netlab

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/testkit"
)

// joined makes two hosts, 10.0.0.1 and 10.0.0.2, joined by a Linux bridge in a third namespace.
func joined(t *testing.T, mtu int) (a, b, r *Namespace) {
	lab := New(t)
	r = lab.Namespace("r")
	a, b = lab.Host(1, r, "a0", mtu), lab.Host(2, r, "b0", mtu)
	r.Bridge("br0", "a0", "b0")
	return a, b, r
}

func TestPing(t *testing.T) {
	testkit.Watchdog(t)
	a, b, _ := joined(t, 9000)
	for _, addr := range []string{"10.0.0.2", "fd00::2"} {
		if !a.WaitPing(addr, 5*time.Second) {
			t.Fatalf("%s does not answer", addr)
		}
		before := b.LinkStats("eth0")
		r := a.Ping(addr, PingOptions{Count: 10, Interval: 2 * time.Millisecond, Size: 8900, DontFragment: true})
		if r.Sent != 10 || r.Received != 10 || r.Loss() != 0 || r.Avg <= 0 || r.Min > r.Avg || r.Avg > r.Max {
			t.Errorf("ping %s: %+v", addr, r)
		}
		after := b.LinkStats("eth0")
		if after.RxPackets-before.RxPackets < 10 || after.RxBytes-before.RxBytes < 89000 || after.TxPackets-before.TxPackets < 10 {
			t.Errorf("counters went from %+v to %+v", before, after)
		}
	}
	if r := a.Ping("10.0.0.2", PingOptions{Size: 9000, DontFragment: true, Count: 1, Wait: 100 * time.Millisecond}); r.Received != 0 {
		t.Errorf("9028 bytes in a packet of 9000: %+v", r)
	}
	if a.WaitPing("10.0.0.9", 300*time.Millisecond) {
		t.Error("an answer from nobody")
	}
	if r := a.Ping("10.0.0.9", PingOptions{Count: 2, Wait: 100 * time.Millisecond}); r.Loss() != 1 || r.Avg != 0 {
		t.Errorf("an answer from nobody: %+v", r)
	}
	if r := a.Ping("10.0.0.2", PingOptions{Flood: true, Count: 500, Within: 10 * time.Second}); r.Received != 500 || r.Avg <= 0 {
		t.Errorf("a flood: %+v", r)
	}
	start := time.Now()
	if r := a.Ping("10.0.0.9", PingOptions{Flood: true, Count: 1000, Within: time.Second}); r.Received != 0 || r.Sent == 0 {
		t.Errorf("a flood to nobody: %+v", r)
	}
	if took := time.Since(start); took < time.Second || took >= 10*time.Second { // 1000 of them, 10 ms apart, would be 10 s
		t.Errorf("a second of a flood took %v", took)
	}
}

func TestLoad(t *testing.T) {
	testkit.Watchdog(t)
	a, b, _ := joined(t, 1500)
	for _, o := range []TCPOptions{{}, {Reverse: true, MSS: 1000, Streams: 2}} {
		r, err := TCP(b, a, "10.0.0.2", time.Second, o)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		if r.Bytes == 0 || r.BitsPerSecond <= 0 {
			t.Errorf("%+v: %+v", o, r)
		}
		// The receiver may not have read the last of it.
		if r, err := Transfer(b, a, "fd00::2", o); err != nil || r.Bytes < transferred/2 || r.Bytes > 2*transferred || r.BitsPerSecond <= 0 {
			t.Errorf("%+v: %+v, %v", o, r, err)
		}
	}
	u, err := UDP(b, a, "fd00::2", time.Second, UDPOptions{BitsPerSecond: 8e6, Size: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if u.Sent == 0 || u.Received == 0 || u.Received > u.Sent || u.Far < u.Received {
		t.Errorf("%+v", u)
	}
	// Nobody is there.
	if _, err := TCP(b, a, "10.0.0.9", time.Second, TCPOptions{}); err == nil {
		t.Error("TCP to nobody")
	}
	if _, err := Transfer(b, a, "10.0.0.9", TCPOptions{}); err == nil {
		t.Error("a transfer to nobody")
	}
}

func TestJumbo(t *testing.T) {
	testkit.Watchdog(t)
	a, b, _ := joined(t, 9000)
	a.NoOffloads("eth0")
	b.NoOffloads("eth0")
	before := b.LinkStats("eth0")
	r, err := TCP(b, a, "10.0.0.2", time.Second, TCPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	after := b.LinkStats("eth0")
	if mean := (after.RxBytes - before.RxBytes) / max(1, after.RxPackets-before.RxPackets); mean < 4000 || mean > 9100 {
		t.Errorf("%+v in frames of %d bytes, want about 9000", r, mean)
	}
}

// A TCP connection without offloads has good checksums on the wire, and one with offloads has unfinished ones
// where it is sent.
func TestCapture(t *testing.T) {
	testkit.Watchdog(t)
	tshark := need.Program(t, "tshark")
	a, b, r := joined(t, 1500)
	talk := func() string {
		file := filepath.Join(t.TempDir(), "wire.pcap")
		c := r.Capture("a0", file, "ip or ip6")
		echo(t, a, b, "10.0.0.2:7000", "tcp")
		echo(t, a, b, "[fd00::2]:7000", "udp")
		frames, dropped := c.Stop()
		if frames == 0 || dropped != 0 {
			t.Errorf("captured %d frames and lost %d", frames, dropped)
		}
		if said, _, err := judge(tshark, file); err != nil || said != frames {
			t.Errorf("tcpdump wrote %d frames, tshark reads %d: %v", frames, said, err)
		}
		return file
	}
	file := talk()
	if _, faults, err := judge(tshark, file); err != nil || len(faults) == 0 || !strings.Contains(faults[0], "checksum is bad") {
		t.Errorf("with offloads: %q, %v", faults, err)
	}
	a.NoOffloads("eth0")
	b.NoOffloads("eth0")
	CheckClean(t, talk())
}

// echo sends a little to and fro.
func echo(t *testing.T, a, b *Namespace, addr, network string) {
	t.Helper()
	var conn io.ReadWriteCloser
	var err error
	if network == "tcp" {
		var l net.Listener
		b.Do(func() { l, err = net.Listen("tcp", addr) })
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
	} else {
		var p net.PacketConn
		b.Do(func() { p, err = net.ListenPacket("udp", addr) })
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		go func() {
			buf := make([]byte, 2000)
			for {
				n, from, err := p.ReadFrom(buf)
				if err != nil {
					return
				}
				p.WriteTo(buf[:n], from)
			}
		}()
	}
	a.Do(func() {
		var c net.Conn
		if c, err = net.Dial(network, addr); err == nil {
			c.SetDeadline(time.Now().Add(10 * time.Second))
			conn = c
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	said := strings.Repeat("x", 1000)
	heard := make([]byte, len(said))
	if _, err := io.WriteString(conn, said); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, heard); err != nil || string(heard) != said {
		t.Fatalf("%s: heard %d bytes: %v", network, len(heard), err)
	}
}

// netns is the namespace that the calling thread is in.
func netns(t *testing.T) string {
	t.Helper()
	s, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDo(t *testing.T) {
	lab := New(t)
	a, b := lab.Namespace("a"), lab.Namespace("b")
	home := netns(t)
	var inA, inB, backInA string
	a.Do(func() {
		inA = netns(t)
		b.Do(func() { inB = netns(t) })
		backInA = netns(t)
	})
	if inA == home || inB == home || inA == inB || backInA != inA || netns(t) != home {
		t.Errorf("home %s, in a %s, in b %s, back in a %s, now %s", home, inA, inB, backInA, netns(t))
	}
	func() {
		defer func() { recover() }()
		a.Do(func() { panic("in a") })
	}()
	if netns(t) != home {
		t.Error("a panic in a leaves the thread there")
	}
	if got := strings.TrimSpace(a.Run("readlink", "/proc/self/ns/net")); got != inA {
		t.Errorf("a program in a is in %s, and Do in %s", got, inA)
	}
	a.Sysctl("net.ipv4.ip_forward", "1")
	if got := strings.TrimSpace(a.Run("cat", "/proc/sys/net/ipv4/ip_forward")); got != "1" {
		t.Errorf("ip_forward is %s", got)
	}
	if got := strings.TrimSpace(b.Run("cat", "/proc/sys/net/ipv4/ip_forward")); got != "0" {
		t.Errorf("ip_forward of the other namespace is %s", got)
	}
}

func TestProcess(t *testing.T) {
	testkit.Watchdog(t)
	a := New(t).Namespace("a")
	p := a.Start("sh", "-c", "echo pid $$; exec sleep 100")
	if err := p.Expect(fmt.Sprintf("pid %d\n", p.PID()), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "interrupt") {
		t.Errorf("sleep was interrupted: %v", err)
	}
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("it still runs: %v", err)
	}
	p = a.Start("sh", "-c", "echo here; exit 3")
	if err := p.Expect("there", 10*time.Second); !errors.Is(err, errEnded) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("a program that ends without a word: %v", err)
	}
	p = a.Start("sh", "-c", "trap '' INT; echo ready; exec sleep 100")
	if err := p.Expect("ready", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(10 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "did not end") {
		t.Errorf("a program that goes on: %v", err)
	}
}

// When a test has ended, even in the middle, nothing of it is left.
func TestCleanup(t *testing.T) {
	testkit.Watchdog(t)
	var path string
	var p *Process
	err := Run(t.Context(), t.Name(), func(s T) {
		lab := New(s)
		a, b := lab.Namespace("a"), lab.Namespace("b")
		path = a.Path()
		lab.Veth(a, "eth0", b, "eth0", 0)
		p = a.Start("sleep", "1000")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the namespace is not there: %v", err)
		}
		a.IP("link", "set", "nonsense", "up")
		t.Error("went on after a failure")
	})
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("failed with %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the namespace is left: %v", err)
	}
	if err := syscall.Kill(p.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the process is left: %v", err)
	}
}

func TestRun(t *testing.T) {
	var order []string
	err := Run(t.Context(), "run", func(s T) {
		s.Cleanup(func() { order = append(order, "first") })
		s.Cleanup(func() {
			if s.Context().Err() == nil {
				t.Error("the context is not done yet")
			}
			order = append(order, "second")
		})
		s.Errorf("wrong %d", 1)
		s.Skip("missing")
		t.Error("went on")
	})
	if err == nil || err.Error() != "wrong 1\nmissing" || !slices.Equal(order, []string{"second", "first"}) {
		t.Errorf("%v, cleaned up %q", err, order)
	}
	if err := Run(t.Context(), "run", func(s T) {}); err != nil {
		t.Error(err)
	}
	defer func() {
		if r := recover(); r != "a panic" || len(order) != 3 {
			t.Errorf("recovered %v, cleaned up %q", r, order)
		}
	}()
	Run(t.Context(), "run", func(s T) {
		s.Cleanup(func() { order = append(order, "panic") })
		panic("a panic")
	})
}

// What a test leaves that was killed, the next one removes, and nothing that belongs to one that runs.
func TestLeftovers(t *testing.T) {
	New(t)
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	add := func(pid int) string {
		name := fmt.Sprintf("%s-%d-1-left", prefix, pid)
		if err := exec.Command("ip", "netns", "add", name).Run(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { exec.Command("ip", "netns", "delete", name).Run() })
		return filepath.Join(dir, name)
	}
	dead, alive := add(gone.Process.Pid), add(os.Getppid())
	removeLeftovers()
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a dead process's namespace is left: %v", err)
	}
	if _, err := os.Stat(alive); err != nil {
		t.Errorf("a living process's namespace was removed: %v", err)
	}
}

// A process that is killed takes its programs with it.
func TestKilled(t *testing.T) {
	const key = "NETLAB_KILLED"
	if os.Getenv(key) != "" {
		fmt.Println("pid", New(t).Namespace("killed").Start("sleep", "1000").PID())
		time.Sleep(time.Minute)
		return
	}
	testkit.Watchdog(t)
	New(t)
	self := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	self.Env = append(os.Environ(), key+"=1")
	out, err := self.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	for line := ""; pid == 0; {
		if _, err := fmt.Fscanln(out, &line, &pid); errors.Is(err, io.EOF) {
			break
		}
	}
	self.Process.Kill()
	self.Wait()
	if pid == 0 {
		t.Fatal("the child did not say its program's pid")
	}
	for end := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		// An orphan that was killed is a zombie until init looks.
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("process %d runs on", pid)
		}
	}
	removeLeftovers()
	left, _ := filepath.Glob(filepath.Join(dir, "*-killed"))
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
