package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ringway-net/ringway/bench/peers"
)

// The programs do works that Ringway does too, and what is wrong with a run of theirs is an error of it.
func TestPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("compiling the programs takes half a minute")
	}
	var skipped bytes.Buffer
	programs, err := startPrograms(t.Context(), os.Getenv("RINGWAY_CI") == "1", &skipped)
	defer programs.stop()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(skipped.String())
	ours := oursByName()
	for _, w := range programs.works() {
		if !ours[w.Name] {
			t.Errorf("%s by %s is no work of Ringway's", w.Name, w.Impl)
		}
		if f, err := w.Run(1000); err != nil || len(f) == 0 {
			t.Errorf("%s by %s: %v, %v", w.Name, w.Impl, f, err)
		}
		if _, err := w.Run(0); err == nil {
			t.Errorf("%s by %s: no items, and no error", w.Name, w.Impl)
		}
	}
}

// A program that dies in one work does its others all the same; one that always dies is given up.
func TestProgramIsStartedAgain(t *testing.T) {
	script := filepath.Join(t.TempDir(), "peer")
	text := `#!/bin/sh
while read -r request work impl n; do
	case $request$work in
	list) printf 'good peer\nbad peer\nend\n' ;;
	runbad) exit 7 ;;
	*) echo ok ns=1 ;;
	esac
done
`
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	r := &program{start: peers.Program{Name: "peer", Path: script}.Start}
	if err := r.ready(); err != nil {
		t.Fatal(err)
	}
	defer programs{all: []*program{r}}.stop()
	good, bad := r.works()[0], r.works()[1]
	for range mostStarts - 1 {
		if _, err := bad.Run(1); err == nil || !strings.Contains(err.Error(), "exit status 7") {
			t.Errorf("the bad work: %v", err)
		}
		if f, err := good.Run(1); err != nil || f["ns"] != 1 {
			t.Errorf("after it: %v, %v", f, err)
		}
	}
	if _, err := bad.Run(1); err == nil {
		t.Error("no error")
	}
	if _, err := good.Run(1); err == nil || r.starts != mostStarts {
		t.Errorf("started %d times: %v", r.starts, err)
	}
}

// The program's exit codes, where no peer but those in Go can be had.
func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "bench")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	command := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		c, words := exec.Command(binary, args...), new(bytes.Buffer)
		c.Env = []string{"PATH=" + dir, "TMPDIR=" + dir, "HOME=" + dir}
		c.Stderr = words
		return c, words
	}
	code := func(c *exec.Cmd) int {
		if err := c.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		return c.ProcessState.ExitCode()
	}
	short := []string{"--quick", "--rounds", "1", "--only", "^counters/64$"}
	for _, x := range []struct {
		args []string
		code int
		says string
	}{
		{short, 0, "skipped dpdk: g++ is not installed: apt-get install libdpdk-dev dpdk-dev g++ pkg-config"},
		{append(short, "--require-all"), exitFailed, "a peer is missing: dpdk"},
		{append(short, "--json", filepath.Join(dir, "no", "file")), exitFailed, "no such file"},
		{[]string{"--rounds", "0"}, exitUsage, "-rounds is 0"},
		{[]string{"-h"}, 0, "Usage: bench/run"},
	} {
		c, words := command(x.args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if got := code(c); got != x.code || !strings.Contains(words.String(), x.says) {
			t.Errorf("%v: exit code %d, want %d: %s", x.args, got, x.code, words)
		}
	}
	compilers := filepath.Join(dir, "compilers")
	started := filepath.Join(dir, "started")
	script := "#!/bin/sh\n: >" + started + "\nexec /bin/sleep 60\n"
	if err := errors.Join(os.Mkdir(compilers, 0o755), os.WriteFile(filepath.Join(compilers, "g++"), []byte(script), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		what   string
		path   string
		signal os.Signal
	}{
		{"while it measures", dir, os.Interrupt},
		{"while it measures", dir, syscall.SIGTERM},
		{"while it builds", compilers, os.Interrupt},
	} {
		c, words := command("--json", started)
		if x.path == compilers {
			c, words = command()
			c.Env[0] = "PATH=" + compilers
		}
		_ = os.Remove(started)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for { // until it has begun
			if _, err := os.Stat(started); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		begin := time.Now()
		if err := c.Process.Signal(x.signal); err != nil {
			t.Fatal(err)
		}
		if got := code(c); got != exitInterrupted || time.Since(begin) > 20*time.Second {
			t.Errorf("%v %s: exit code %d: %s", x.signal, x.what, got, words)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "ringway-bench-*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
