//go:build unix

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// TestFiles: what a socket's file is like, when an old one is replaced, and when ours is removed.
func TestFiles(t *testing.T) {
	o := port.Options{Pool: newPool(t)}
	for _, kind := range []string{"dgram", "stream"} {
		keys := ",role=listen,type=" + kind
		for _, umask := range []int{0, 0o77} {
			for mode, want := range map[string]fs.FileMode{"": 0o600, ",mode=660": 0o660} {
				path := sockPath(t)
				before := unix.Umask(umask)
				p := open(t, "unix:"+path+keys+mode, o)
				unix.Umask(before)
				if i, err := os.Lstat(path); err != nil || i.Mode() != fs.ModeSocket|want {
					t.Errorf("umask %o%s: the file is %v, %v", umask, mode, i, err)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("the file is there after Close: %v", err)
				}
			}
		}

		// Left behind by a program that has ended.
		path := sockPath(t)
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		p := open(t, "unix:"+path+keys, o)

		// In use, by us.
		if _, err := port.Open("unix:"+path+keys, o); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("a second listener: %v", err)
		}
		// By another one since: left alone.
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("dear"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := port.Open("unix:"+path+keys, o); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("a file in the way: %v", err)
		}
		if text, err := os.ReadFile(path); string(text) != "dear" {
			t.Errorf("somebody's file is %q, %v", text, err)
		}
	}
}

// TestErrors: what is wrong is said, and what to do.
func TestErrors(t *testing.T) {
	o := port.Options{Pool: newPool(t)}
	dir := tempDir(t)
	there := filepath.Join(dir, "there")
	open(t, "unix:"+there+",role=listen", o)
	for s, words := range map[string]string{
		"unix:":                                       "path is empty",
		"unix:/" + strings.Repeat("x", 200):           fmt.Sprintf("room for %d", maxPath),
		"unix:" + dir + "/none,type=stream":           "role=listen",
		"unix:" + there + ",type=stream":              "type=",
		"unix:" + dir + "/no/such,role=listen":        "no such file",
		"unix:" + there + ",mtu=13":                   "mtu",
		"unix:" + there + ",mode=999":                 "mode",
		"unix:" + there + ",mode=0":                   "mode",
		"unix:" + there + ",type=seqpacket":           "dgram, stream",
		"unix:" + there + ",role=peer":                "dial, listen",
		"unix:" + there + ",retry=soon":               "retry",
		"unix:" + there + ",idle=1s":                  "idle",
		"unix:" + there + ",local=":                   "local",
		"unix:" + there + ",role=listen,local=/x":     "local",
		"unix:" + there + ",type=stream,hello=VFKT":   "hello",
		"unix:" + there + ",local=" + there:           "in use",
		"unix:" + dir + "/other,role=listen,sndbuf=0": "sndbuf",
	} {
		p, err := port.Open(s, o)
		if err == nil {
			_ = p.Close()
		}
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.60s: %v, want something with %q", s, err, words)
		}
		// What another machine, or another time, would take is not the string's fault.
		world := slices.Contains([]string{"role=listen", "type=", "no such file", "in use"}, words)
		if errors.Is(err, port.ErrSpec) == world {
			t.Errorf("%.60s: %v: the string's fault, or the world's?", s, err)
		}
	}
	for _, c := range []Config{{MTU: 5}, {Type: 7}, {SendBuffer: -1}, {ReceiveBuffer: -1}, {Mode: fs.ModeDir}, {Idle: -1},
		{Type: Stream, Local: "x"}, {Type: Stream, Hello: "x"}, {Type: Stream, Idle: 1}} {
		if _, err := Dial(there, o, c); !errors.Is(err, ErrConfig) {
			t.Errorf("Dial with %+v: %v", c, err)
		}
	}
	for _, c := range []Config{{Local: "x"}, {Hello: "x"}} {
		if _, err := Listen(there, o, c); !errors.Is(err, ErrConfig) {
			t.Errorf("Listen with %+v: %v", c, err)
		}
	}
	if _, err := Serve(there, port.Options{}, Config{}); err != port.ErrNoPool {
		t.Errorf("Serve without a pool: %v", err)
	}
	s, err := port.Parse("unix:" + there)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenSpec(s, o); err == nil || !strings.Contains(err.Error(), "role=listen") {
		t.Errorf("a Listener of what dials: %v", err)
	}
}

// TestAbstract: sockets without files, on Linux.
func TestAbstract(t *testing.T) {
	o := port.Options{Pool: newPool(t)}
	name := fmt.Sprintf("unix:@ringway-test-%d", os.Getpid())
	if runtime.GOOS != "linux" {
		if _, err := port.Open(name, o); err == nil || !strings.Contains(err.Error(), "only Linux") {
			t.Errorf("an abstract socket: %v", err)
		}
		return
	}
	for _, kind := range []string{"dgram", "stream"} {
		l := open(t, name+",role=listen,type="+kind, o)
		d := open(t, name+",type="+kind, o)
		sendAll(t, d, buffers(t, o.Pool, 0, 3, 60))
		receive(t, l, 3)
		sendAll(t, l, buffers(t, o.Pool, 0, 3, 60))
		receive(t, d, 3)
		if err := errors.Join(d.Close(), l.Close()); err != nil {
			t.Error(err)
		}
	}
}
