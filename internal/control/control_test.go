package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// fake is a switch that remembers what it was asked.
type fake struct {
	added, removed atomic.Value
	addresses      int
	hold           chan struct{} // if not nil, Add waits for it
}

func (f *fake) Ports() []Port { return nil }
func (f *fake) Stats() Stats  { return Stats{Received: 3, Replicas: 2, Sent: 4, Dropped: 1} }
func (f *fake) Flush() int    { return 7 }
func (f *fake) Addresses() (all []Address) {
	for i := range f.addresses {
		all = append(all, Address{MAC: fmt.Sprint("02:00:00:00:00:", i), Port: "<&>"})
	}
	return all
}

func (f *fake) Add(text string) (string, error) {
	if f.hold != nil {
		<-f.hold
	}
	f.added.Store(text)
	return "name of " + text, nil
}

func (f *fake) Remove(name string) error {
	f.removed.Store(name)
	if name == "missing" {
		return errors.New("no such port")
	}
	return nil
}

func serve(t *testing.T, f *fake) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(l, f)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error("closing again:", err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket's file is still there: %v", err)
		}
	})
	return path
}

// dial connects, and bounds the test in time.
func dial(t *testing.T, path string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// Every line has its answer, and what is wrong with one spoils no other.
func TestProtocol(t *testing.T) {
	f := &fake{addresses: 1}
	c := dial(t, serve(t, f))
	answers := bufio.NewReader(c)
	for _, step := range []struct{ ask, says string }{
		{`{"op":"ports"}`, `{"ports":[]}`},
		{`{"op":"stats"}`, `"received":3`},
		{`{"op":"table"}`, `{"addresses":[{"mac":"02:00:00:00:00:0","vlan":0,"port":"<&>","static":false,"age_s":0}]}`},
		{`{"op":"add","port":"tap:x,vlan=1"}`, `{"added":"name of tap:x,vlan=1"}`},
		{`{"op":"remove","name":"there"}`, `{"removed":"there"}`},
		{`{"op":"remove","name":"missing"}`, `{"error":"no such port"}`},
		{`{"op":"flush"}`, `{"flushed":7}`},
		{"{\"op\":\"flush\"}\r", `{"flushed":7}`},
		{``, `bad request`},
		{`flush`, `bad request`},
		{`{}`, `op is \"\", want one of ports, stats`},
		{`{"op":"flood"}`, `op is \"flood\"`},
		{`{"op":"flush","force":true}`, `unknown field \"force\"`},
		{`{"op":"flush"} {"op":"flush"}`, `one to a line`},
		{`{"op":"flush","name":"x"}`, `op flush has no \"name\"`},
		{`{"op":"add"}`, `op add needs a \"port\"`},
		{`{"op":"add","port":"x","name":"y"}`, `op add has no \"name\"`},
		{`{"op":7}`, `bad request`},
		{`null`, `op is \"\"`},
		{`{"op":"stats"}`, `"replicas":2`},
	} {
		fmt.Fprintf(c, "%s\n", step.ask)
		line, err := answers.ReadString('\n')
		if err != nil || !strings.Contains(line, step.says) || !json.Valid([]byte(line)) {
			t.Errorf("%s: %v, %s, want %s", step.ask, err, line, step.says)
		}
	}
	if f.added.Load() != "tap:x,vlan=1" || f.removed.Load() != "missing" {
		t.Errorf("added %v, removed %v", f.added.Load(), f.removed.Load())
	}
}

// A line that has no end is not read to its end.
func TestLongLine(t *testing.T) {
	path := serve(t, &fake{})
	c := dial(t, path)
	go func() {
		for range 64 {
			if _, err := c.Write(make([]byte, MaxRequest)); err != nil {
				return // as it should be
			}
		}
	}()
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.Contains(line, "longer than") {
		t.Errorf("%q, %v", line, err)
	}
	a, err := Ask(t.Context(), path, Request{Op: OpAdd, Port: strings.Repeat("x", MaxRequest-30)})
	if err != nil || len(a.Added) < MaxRequest-30 {
		t.Errorf("a line that is just short enough: %d, %v", len(a.Added), err)
	}
}

// Clients that say nothing, or don't read, or wait for the switch, keep no other from being answered.
func TestClientsDontDisturb(t *testing.T) {
	f := &fake{addresses: 200_000, hold: make(chan struct{})}
	path := serve(t, f)
	dial(t, path) // and says nothing
	fmt.Fprintf(dial(t, path), "{\"op\":\"table\"}\n")
	fmt.Fprintf(dial(t, path), "{\"op\":\"add\",\"port\":\"x\"}\n")
	fmt.Fprintf(dial(t, path), "{\"op\":")
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if _, err := Ask(ctx, path, Request{Op: OpFlush}); err != nil {
			t.Error(err)
		}
		cancel()
	}
	close(f.hold)
}

func TestTooManyClients(t *testing.T) {
	path := serve(t, &fake{})
	var clients []*Client
	for range MaxClients {
		c, err := Dial(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Do(t.Context(), Request{Op: OpFlush}); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	if _, err := Ask(t.Context(), path, Request{Op: OpFlush}); err == nil || !strings.Contains(err.Error(), "64 clients already") {
		t.Errorf("one too many: %v", err)
	}
	clients[0].Close()
	for deadline := time.Now().Add(patience); ; {
		if _, err := Ask(t.Context(), path, Request{Op: OpFlush}); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("one has gone, and there is no room: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestDoEndsWithContext(t *testing.T) {
	f := &fake{hold: make(chan struct{})}
	path := serve(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Ask(ctx, path, Request{Op: OpAdd, Port: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	close(f.hold)
}

func TestSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the second one has removed the first: %v", err)
	}
	// One that is not closed leaves its file.
	inner := l.(*listener)
	inner.Listener.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Fatal(err)
	}
	l2, err := Listen(path)
	if err != nil {
		t.Fatalf("a stale one is not replaced: %v", err)
	}
	// It is not its file that the first one removes.
	l.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file of another socket was removed: %v", err)
	}
	if err := l2.Close(); err != nil {
		t.Error(err)
	}
	if err := l2.Close(); err != nil {
		t.Error("closing again:", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	// What is no socket is left alone.
	if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file of another kind: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "text" {
		t.Errorf("the file has %q", text)
	}
	if _, err := Listen(filepath.Join(path, "x")); err == nil {
		t.Error("a path that can't be")
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, line := range []string{`{"op":"ports"}`, `{"op":"add","port":"tap:x"}`, `{"op":"remove","name":"x"}`, `{"op":"flush"}{}`, `null`, `{"op":"add","port":""}`, "\xff", `{"OP":"stats"}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := ParseRequest(line)
		if err != nil {
			if !errors.Is(err, ErrRequest) || r != (Request{}) {
				t.Errorf("%+v, %v", r, err)
			}
			return
		}
		if (r.Op == OpAdd) != (r.Port != "") || (r.Op == OpRemove) != (r.Name != "") {
			t.Errorf("%+v", r)
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := ParseRequest(again); err != nil || same != r {
			t.Errorf("%s is %+v, %v, want %+v", again, same, err, r)
		}
	})
}
