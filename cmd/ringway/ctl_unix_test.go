//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/unixsock"
)

const patience = 20 * time.Second

// eventually waits until check has nothing to say against it.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// text is where a program writes while others read it.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *text) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *text) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// running is a switch that runs in this process.
type running struct {
	t          *testing.T
	control    string
	out, err   text
	interrupts chan os.Signal
	code       chan int
}

// start starts a switch with a control socket, and waits until that answers.
func start(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	r := &running{t: t, control: filepath.Join(dir, "ctl"), interrupts: make(chan os.Signal, 2), code: make(chan int, 1)}
	args = append([]string{"ringway", "switch", "--control", r.control}, args...)
	go func() { r.code <- run(args, streams{strings.NewReader(""), &r.out, &r.err}, r.interrupts) }()
	t.Cleanup(func() {
		select {
		case r.interrupts <- os.Interrupt:
			<-r.code
		default:
		}
	})
	eventually(t, func() error {
		select {
		case code := <-r.code:
			t.Fatalf("exit code %d: %s", code, r.err.String())
		default:
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := control.Ask(ctx, r.control, control.Request{Op: control.OpStats})
		return err
	})
	return r
}

// end interrupts the switch, and returns its summary.
func (r *running) end() (s switchSummary) {
	r.t.Helper()
	r.interrupts <- os.Interrupt
	select {
	case code := <-r.code:
		if code != exitInterrupted {
			r.t.Errorf("exit code %d: %s", code, r.err.String())
		}
		r.code <- code // for Cleanup
	case <-time.After(patience):
		r.t.Fatal("it does not end")
	}
	if out := r.out.String(); out != "" {
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			r.t.Errorf("%v: %s", err, out)
		}
	}
	return s
}

// ctl asks the switch, which must do it.
func (r *running) ctl(args ...string) string {
	r.t.Helper()
	return ok(r.t, append([]string{"ctl", "--control", r.control}, args...)...)
}

// ports lists the ports by name.
func (r *running) ports() map[string]control.Port {
	r.t.Helper()
	var a control.Answer
	if err := json.Unmarshal([]byte(r.ctl("--json", "ports")), &a); err != nil {
		r.t.Fatal(err)
	}
	ports := map[string]control.Port{}
	for _, p := range a.Ports {
		ports[p.Name] = p
	}
	return ports
}

// visitor is a client of a listening port.
type visitor struct {
	t    *testing.T
	pool *pool.Pool
	port port.Port
}

func attend(t *testing.T, path string) *visitor {
	t.Helper()
	p, err := pool.New(pool.Config{Count: 1024})
	if err != nil {
		t.Fatal(err)
	}
	g := &visitor{t: t, pool: p}
	if g.port, err = unixsock.Dial(path, port.Options{Pool: p}, unixsock.Config{Type: unixsock.Stream}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.port.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// say sends a frame.
func (g *visitor) say(dst, src byte, text string) {
	g.t.Helper()
	frame := fmt.Sprintf("\x02\x00\x00\x00\x00%c\x02\x00\x00\x00\x00%c\x88\xb5%-46s", dst, src, text)
	if dst == 0xff {
		frame = "\xff\xff\xff\xff\xff\xff" + frame[len(frame)-54:]
	}
	buf, err := g.pool.CopyIn([]byte(frame))
	if err != nil {
		g.t.Fatal(err)
	}
	if n, err := g.port.Tx([]pool.Buffer{buf}); n != 1 || err != nil {
		g.t.Fatalf("Tx: %d, %v", n, err)
	}
}

// hears waits for a frame with that text.
func (g *visitor) hears(text string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	for {
		var bufs [8]pool.Buffer
		n, err := g.port.Rx(bufs[:])
		found := false
		for i := range n {
			found = found || strings.Contains(string(bufs[i].Bytes()), text)
		}
		pool.ReleaseBurst(bufs[:n])
		if found {
			return
		}
		if err == nil {
			err = g.port.WaitRx(ctx)
		}
		if err != nil {
			g.t.Fatalf("waiting for %q: %v", text, err)
		}
	}
}

// Clients of a listener come, talk, leave and come back, while the others go on.
func TestSwitchClients(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "vm")
	r := start(t, dir, "--json", "unix:"+socket+",type=stream,role=listen,name=vm,maxaddresses=4")
	a, b := attend(t, socket), attend(t, socket)
	have := func(names ...string) {
		t.Helper()
		eventually(t, func() error {
			ports := r.ports()
			for _, name := range names {
				if ports[name].State != control.StateUp {
					return fmt.Errorf("no port %s: %+v", name, ports)
				}
			}
			if len(ports) != len(names)+1 || ports["vm"].State != control.StateListens {
				return fmt.Errorf("ports %+v, want %s", ports, names)
			}
			return nil
		})
	}
	have("vm#1", "vm#2")
	a.say(0xff, 'a', "hello to all")
	b.hears("hello to all")
	b.say('a', 'b', "hello to a")
	a.hears("hello to a")
	if table := r.ctl("table"); !strings.Contains(table, "02:00:00:00:00:61  -") || !strings.Contains(table, "vm#2") {
		t.Errorf("table:\n%s", table)
	}

	a.port.Close()
	have("vm#2")
	if table := r.ctl("table"); strings.Contains(table, "vm#1") {
		t.Errorf("the address of one who has left is there:\n%s", table)
	}
	c := attend(t, socket)
	have("vm#2", "vm#3")
	c.say(0xff, 'a', "here again")
	b.hears("here again")
	b.say('a', 'b', "welcome")
	c.hears("welcome")

	if out := r.ctl("remove", "vm#3"); out != "removed vm#3\n" {
		t.Error(out)
	}
	have("vm#2")
	sum := r.end()
	if !sum.Balance() || sum.InFlight != 0 || sum.Received != 4 || sum.Removed.RxPackets != 2 || sum.Error != "interrupted" {
		t.Errorf("summary %+v", sum)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	for _, says := range []string{"a client has come; port: vm#3", "a client has gone; port: vm#1"} {
		if !strings.Contains(r.err.String(), says) {
			t.Errorf("stderr does not say %s:\n%s", says, r.err.String())
		}
	}
}

// Removing a listener removes its clients.
func TestSwitchRemovesListener(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "vm")
	r := start(t, dir, "null:")
	if out := r.ctl("add", "unix:"+socket+",type=stream,role=listen,name=vm"); out != "added vm\n" {
		t.Error(out)
	}
	attend(t, socket)
	attend(t, socket)
	eventually(t, func() error {
		if ports := r.ports(); len(ports) != 4 {
			return fmt.Errorf("ports %+v", ports)
		}
		return nil
	})
	r.ctl("remove", "vm")
	if ports := r.ports(); len(ports) != 1 {
		t.Errorf("ports %+v", ports)
	}
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is still there")
	}
	r.end()
}

func TestCtl(t *testing.T) {
	dir := t.TempDir()
	dump := filepath.Join(dir, "dump.pcap")
	r := start(t, dir, "null:", "null:,name=b,vlan=7")
	if info, err := os.Lstat(r.control); err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	for _, step := range []struct {
		args []string
		says string
	}{
		{[]string{"add", "gen:count=10,name=g,switchvlan=7"}, "added g\n"},
		{[]string{"add", dump + ",mirror=b,name=dump"}, "added dump\n"},
		{[]string{"ports"}, "vlan 7, in only"},
		{[]string{"ports"}, "mirror of b, out only"},
		{[]string{"--json", "ports"}, `"state":"up"`},
		{[]string{"ports", "--json"}, `"state":"up"`},
		{[]string{"stats"}, "addresses "},
		{[]string{"stats", "--json"}, `"received":`},
		{[]string{"table", "--json"}, `{"addresses":[`},
		{[]string{"remove", "dump"}, "removed dump\n"},
		{[]string{"flush", "--json"}, `{"flushed":`},
		{[]string{"flush"}, "forgot 0 addresses\n"},
	} {
		if out := r.ctl(step.args...); !strings.Contains(out, step.says) {
			t.Errorf("%q says\n%swant %s", step.args, out, step.says)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"add", "tapp:x"}, exitUsage, "unknown kind"},
		{[]string{"add", "null:vlan=0"}, exitUsage, "1 to 4094"},
		{[]string{"add"}, exitUsage, "one argument, PORT"},
		{[]string{"remove", "a", "b"}, exitUsage, "one argument, NAME"},
		{[]string{"flush", "all"}, exitUsage, "no arguments"},
		{[]string{"nonsense"}, exitUsage, "ports, stats, table, add, remove, flush"},
		{nil, exitUsage, "ports, stats, table, add, remove, flush"},
		{[]string{"add", "null:"}, exitRuntime, "name="},
		{[]string{"add", "null:name=m,mirror=x"}, exitRuntime, "\"x\""},
		{[]string{"add", "mem:x"}, exitRuntime, "at its start"},
		{[]string{"add", "pcap:-,mirror=b"}, exitRuntime, "name a file"},
		{[]string{"add", filepath.Join(dir, "missing.pcap") + ",direction=in"}, exitRuntime, "missing.pcap"},
		{[]string{"remove", "x"}, exitRuntime, "there are b, g, null:"},
	} {
		_, stderr, code := ringway(t, nil, append([]string{"ctl", "--control", r.control}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: exit code %d, want %d with %s:\n%s", c.args, code, c.code, c.says, stderr)
		}
	}
	// A second switch can't have the socket, and leaves it alone.
	if _, stderr, code := ringway(t, nil, "switch", "--control", r.control); code != exitRuntime || !strings.Contains(stderr, "another program listens") {
		t.Errorf("a second one: exit code %d: %s", code, stderr)
	}
	r.ctl("stats")
	r.end()
	if !strings.Contains(r.err.String(), "received 10 + replicas 0 + segments 0 = sent 10 + dropped 0 + in flight 0") &&
		!strings.Contains(r.err.String(), "= sent") {
		t.Errorf("summary:\n%s", r.err.String())
	}
	if _, stderr, code := ringway(t, nil, "ctl", "--control", r.control, "ports"); code != exitRuntime || !strings.Contains(stderr, "no switch listens") {
		t.Errorf("none is there: exit code %d: %s", code, stderr)
	}
}

// The program itself: signals, what it leaves behind, and ctl by the environment.
func TestSwitchProgram(t *testing.T) {
	dir := t.TempDir()
	path, socket := filepath.Join(dir, "ctl"), filepath.Join(dir, "vm")
	// A socket that was left behind is replaced.
	l, err := control.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	stale, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+"2"); err != nil { // so that closing doesn't remove it
		t.Fatal(err)
	}
	l.Close()
	if err := os.Rename(path+"2", path); err != nil {
		t.Fatal(err)
	}

	for _, signals := range [][]os.Signal{{syscall.SIGTERM}, {syscall.SIGINT}, {syscall.SIGINT, syscall.SIGTERM}} {
		cmd := exec.Command(program, "switch", "--control", path, "unix:"+socket+",role=listen", "gen:rate=1kpps")
		var stderr text
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill()
		eventually(t, func() error {
			ask := exec.Command(program, "ctl", "ports", "--json")
			ask.Env = append(os.Environ(), "RINGWAY_CONTROL="+path)
			out, err := ask.Output()
			if err == nil && !strings.Contains(string(out), "listens at "+socket) {
				err = fmt.Errorf("%s", out)
			}
			return err
		})
		if now, err := os.Lstat(path); err != nil || os.SameFile(now, stale) && now.ModTime().Equal(stale.ModTime()) {
			t.Errorf("the stale socket is still there: %v", err)
		}
		for _, s := range signals {
			cmd.Process.Signal(s)
		}
		err := cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), " = sent ") {
			t.Errorf("%v: exit code %d, %v:\n%s", signals, code, err, stderr.String())
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%v: left behind: %v", signals, entries)
		}
	}
}
