package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/perf"
)

// Every work is in a group, and every group has works.
func TestBenchGroups(t *testing.T) {
	var listed []string
	for _, g := range benchGroups {
		works, err := benchWorks(g.name)
		if err != nil || len(works) == 0 {
			t.Errorf("%s: %d works, %v", g.name, len(works), err)
		}
		for _, w := range works {
			if slices.Contains(listed, w.Name) {
				t.Errorf("%s is in two groups", w.Name)
			}
			listed = append(listed, w.Name)
		}
	}
	for _, w := range perf.Ringway() {
		if !slices.Contains(listed, w.Name) {
			t.Errorf("%s is in no group", w.Name)
		}
	}
	all, err := benchWorks("all")
	if err != nil || len(all) != len(listed) {
		t.Errorf("all: %d works of %d, %v", len(all), len(listed), err)
	}
	if n := strings.Count(ok(t, "bench", "--list"), "\n"); n != len(listed) {
		t.Errorf("%d of %d works are listed", n, len(listed))
	}
	if out := ok(t, "bench", "--list", "handoff"); strings.Contains(out, "spsc") || !strings.HasPrefix(out, "handoff") {
		t.Errorf("%s", out)
	}
}

// short are the flags of a run that is over soon, of a group with few works.
func short(flags ...string) []string {
	return append([]string{"bench", "--rounds", "2", "--time", "1ms", "handoff"}, flags...)
}

// parsed is the documented form of the JSON.
type parsed struct {
	Machine  map[string]any `json:"machine"`
	Warnings []string       `json:"warnings"`
	Results  []struct {
		Name   string   `json:"name"`
		Median float64  `json:"ns_per_op_median"`
		Min    float64  `json:"ns_per_op_min"`
		Max    float64  `json:"ns_per_op_max"`
		Spread *float64 `json:"spread"`
		Mops   float64  `json:"mops"`
		Runs   int      `json:"runs"`
	} `json:"results"`
	Memory []perf.Fact `json:"memory"`
	Error  string      `json:"error"`
}

func parseBench(t *testing.T, out string) (p parsed) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if strings.Count(out, "\n") != 1 || p.Warnings == nil || p.Results == nil {
		t.Errorf("%s", out)
	}
	for _, r := range p.Results {
		if r.Min < 0 || r.Min > r.Median || r.Median > r.Max || r.Spread == nil || r.Runs < 1 {
			t.Errorf("%+v", r)
		}
	}
	return p
}

func TestBenchJSON(t *testing.T) {
	p := parseBench(t, ok(t, short("--json")...))
	if len(p.Results) == 0 || p.Results[0].Name != "handoff/single" || p.Results[0].Runs != 2 || p.Error != "" {
		t.Errorf("%+v", p)
	}
	if m := p.Results[0].Mops * p.Results[0].Median; m < 999 || m > 1001 {
		t.Errorf("%+v", p.Results[0])
	}
	for _, name := range []string{"cpus", "gomaxprocs", "pinning", "os", "arch", "go"} {
		if p.Machine[name] == nil {
			t.Errorf("the machine has no %s: %v", name, p.Machine)
		}
	}
	if len(p.Warnings) == 0 || !strings.Contains(p.Warnings[len(p.Warnings)-1], "2 rounds are too few") {
		t.Errorf("%q", p.Warnings)
	}
}

func TestBenchTable(t *testing.T) {
	stdout, stderr, code := ringway(t, nil, short()...)
	if code != exitOK || !strings.Contains(stderr, "warning: 2 rounds are too few") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	for _, pattern := range []string{
		`(?m)^CPU +\S`, `(?m)^governor +\S`, `(?m)^pinning +\S`, `(?m)^GOMAXPROCS +\d+$`,
		`(?m)^work +ns/op +M ops/s +min +max +spread$`,
		`(?m)^handoff/single( +[\d.]+){4} +\d+ %$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(stdout) {
			t.Errorf("no %s in\n%s", pattern, stdout)
		}
	}
}

// With buffers comes what a pool costs beside time, in every form of the report that has a place for it.
func TestBenchMemory(t *testing.T) {
	j, out := quietJob(after(0, nil))
	j.memory, j.html = true, filepath.Join(t.TempDir(), "bench.html")
	if err := j.run(make(chan os.Signal)); err != nil {
		t.Fatal(err)
	}
	p := parseBench(t, out.String())
	if !slices.ContainsFunc(p.Memory, func(f perf.Fact) bool { return f.Name == "start/pool" && f.Unit == "ns" }) {
		t.Errorf("%+v", p.Memory)
	}
	if html := string(read(t, j.html)); !strings.Contains(html, "start/pool") {
		t.Error("the page has no memory")
	}
	var table strings.Builder
	r := benchReport{Memory: []perf.Fact{{Name: "resident/pool", Impl: perf.Ours, Value: 1 << 20, Unit: "B"}}, results: []perf.Result{{Work: "w", Figure: perf.NS, Values: []float64{1}}}}
	if err := r.writeTable(&table); err != nil || !regexp.MustCompile(`(?m)^memory\n +resident/pool +1.00 MiB$`).MatchString(table.String()) {
		t.Errorf("%v, %s", err, table.String())
	}
}

// The form is that of https://go.dev/design/14313-benchmark-format.
func TestBenchGo(t *testing.T) {
	out := ok(t, short("--go")...)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	config := regexp.MustCompile(`^(goos|goarch|pkg|cpu): \S`)
	result := regexp.MustCompile(`^BenchmarkRingway/\S+\t[1-9]\d*\t[\d.e+-]+ ((p\d+-)?ns/op)$`)
	runs := 0
	for _, l := range lines {
		switch {
		case result.MatchString(l):
			runs++
		case runs > 0 || !config.MatchString(l):
			t.Errorf("%q", l)
		}
	}
	works, _ := benchWorks("handoff")
	if runs != 2*len(works) {
		t.Errorf("%d runs in\n%s", runs, out)
	}
}

func TestBenchPage(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "bench.html"), bytes.Repeat([]byte("an old page, "), 100_000))
	ok(t, short("--html", file)...)
	html := string(read(t, file))
	if !strings.HasPrefix(html, "<!DOCTYPE html>") || !strings.HasSuffix(html, "</html>\n") || !strings.Contains(html, "handoff/single") {
		t.Errorf("%.300s", html)
	}
}

// A page that can't be written is told of before the long run, and nothing is measured.
func TestBenchPageCantBeWritten(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{dir, filepath.Join(dir, "none", "bench.html")} {
		stdout, stderr, code := ringway(t, nil, "bench", "--html", file)
		if code != exitRuntime || stdout != "" || !strings.Contains(stderr, "--html: open "+file) || !strings.Contains(stderr, "can be written") {
			t.Errorf("%s: exit code %d\n%s%s", file, code, stdout, stderr)
		}
	}
}

// benchOf runs works of a test with --json and returns what a user sees.
func benchOf(t *testing.T, interrupts <-chan os.Signal, run time.Duration, works ...perf.Work) (p parsed, err error) {
	t.Helper()
	j, out := quietJob(works...)
	j.options = perf.Options{Rounds: 1_000_000, Time: run}
	err = j.run(interrupts)
	return parseBench(t, out.String()), err
}

// quietJob returns a job that writes JSON to out, soon.
func quietJob(works ...perf.Work) (j *benchJob, out *bytes.Buffer) {
	out = new(bytes.Buffer)
	return &benchJob{
		streams: streams{strings.NewReader(""), out, io.Discard},
		works:   works, options: perf.Options{Rounds: 4, Time: minTime},
		write: (*benchReport).writeJSON,
	}, out
}

// after is a work that calls do once it has been run some times.
func after(runs int, do func() error) perf.Work {
	return perf.Work{Name: "spsc/test", Impl: perf.Ours, Run: func(int) (perf.Figures, error) {
		time.Sleep(time.Millisecond) // so that a run is long enough
		if runs--; runs == 0 {
			if err := do(); err != nil {
				return nil, err
			}
		}
		return perf.Figures{perf.NS: 10, "p99": 0}, nil
	}}
}

func TestBenchInterrupted(t *testing.T) {
	interrupts := make(chan os.Signal, 1)
	p, err := benchOf(t, interrupts, minTime, after(10, func() error { interrupts <- os.Interrupt; return nil }))
	var e *exitError
	if !errors.As(err, &e) || e.code != exitInterrupted || p.Error != "interrupted" {
		t.Errorf("%v, %+v", err, p)
	}
	if len(p.Results) != 2 || p.Results[0].Name != "spsc/test" || p.Results[0].Mops != 100 || p.Results[1].Name != "spsc/test/p99" || p.Results[1].Mops != 0 {
		t.Errorf("%+v", p.Results)
	}
}

func TestBenchInterruptedAtOnce(t *testing.T) {
	interrupts := make(chan os.Signal, 1)
	// Its runs are too short to be measured: it is never more than prepared.
	p, err := benchOf(t, interrupts, maxTime, after(1, func() error { interrupts <- os.Interrupt; return nil }))
	var e *exitError
	if !errors.As(err, &e) || e.code != exitInterrupted || !strings.Contains(p.Error, "before anything") || len(p.Results) != 0 {
		t.Errorf("%v, %+v", err, p)
	}
}

func TestBenchFails(t *testing.T) {
	j, out := quietJob(after(5, func() error { return errors.New("the payload is wrong") }), perf.Work{Name: "pool/test", Impl: perf.Ours, Run: after(0, nil).Run})
	err := j.run(make(chan os.Signal))
	p := parseBench(t, out.String())
	if err == nil || p.Error != "spsc/test by ringway: the payload is wrong" {
		t.Errorf("%v, %+v", err, p)
	}
	if len(p.Results) != 2 || p.Results[0].Name != "pool/test" {
		t.Errorf("what did not fail has the results %+v", p.Results)
	}
}

// The second interrupt does not wait for the run to end.
func TestBenchInterruptedTwice(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process can't be interrupted there by another one")
	}
	file := filepath.Join(t.TempDir(), "bench.html")
	c := exec.Command(program, "bench", "--time", "10s", "--html", file, "ring")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for { // until it has begun
		if _, err := os.Stat(file); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for range 2 {
		if err := c.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond) // two signals that come together may be one
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

func TestBenchProgressLine(t *testing.T) {
	w := perf.Work{Name: "spsc/single"}
	for done, want := range map[int]string{0: "spsc/single", 25: "spsc/single, 25 %, 30s left", 100: "spsc/single, 100 %, 0s left"} {
		if got := benchProgressLine(done, 100, w, 10*time.Second); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
