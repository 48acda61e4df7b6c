//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-quick", "-systems", "testpmd-tap,bridge", "-works", "ping-1ms"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(o.systems); !slices.Equal(got, []string{"bridge", "testpmd-tap"}) {
		t.Errorf("systems %q", got)
	}
	if got := names(o.works); !slices.Equal(got, []string{"ping-1ms"}) || o.scale || o.rounds != 1 || o.time != time.Second {
		t.Errorf("works %q, scale %v, %d rounds of %v", got, o.scale, o.rounds, o.time)
	}
	if o, err := parse([]string{"-works", "scale"}, io.Discard); err != nil || len(o.works) > 0 || len(o.systems) > 0 || !o.scale {
		t.Errorf("works %q, scale %v, %v", names(o.works), o.scale, err)
	}
	for says, args := range map[string][]string{
		`there is no "brigde", but bridge`: {"-systems", "bridge,brigde"},
		`there is no "", but idle`:         {"-works", "tcp,"},
		"-rounds is 0":                     {"-rounds", "0"},
		"-time is 1.5s":                    {"-time", "1500ms"},
		"-time is 0s":                      {"-time", "0s"},
		`unexpected argument "bridge"`:     {"bridge"},
		"not defined: -no":                 {"-no"},
	} {
		if _, err := parse(args, io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", args, err, says)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "testpmd-af_xdp") || !strings.Contains(help.String(), "tcp-off-back") {
		t.Errorf("%v\n%s", err, help.String())
	}
}

func TestMissingProgram(t *testing.T) {
	s := system{name: "peer", programs: []string{"true", "no-such-program"}, from: "apt-get install peer"}
	if why := s.missing(); why != "no-such-program is not installed: apt-get install peer" {
		t.Error(why)
	}
	if why := (system{}).missing(); why != "" {
		t.Error(why)
	}
	if s := ringwaySwitch("false", "tap", tap, true); s.name != "ringway-switch-tap-spin" || s.missing() != "false has no switch "+spinFlag {
		t.Error(s.name, s.missing())
	}
	if why := ringwaySwitch("true", "tap", tap, false).missing(); why != "" {
		t.Error(why)
	}
}

// The clock of a process counts what it uses, and nobody else's.
func TestCPUTime(t *testing.T) {
	busy, idle := exec.Command("sh", "-c", "while :; do :; done"), exec.Command("sleep", "60")
	for _, c := range []*exec.Cmd{busy, idle} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		}()
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		used, err := cpuTime(busy.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used > 100*time.Millisecond {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("a process that never sleeps has used %v in half a minute", used)
		}
	}
	if used, err := cpuTime(idle.Process.Pid); err != nil || used <= 0 || used > 90*time.Millisecond {
		t.Errorf("a process that sleeps has used %v, %v", used, err)
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	if used, err := cpuTime(gone.Process.Pid); err == nil {
		t.Errorf("a process that is no more has used %v", used)
	}
}

// The yardstick has the first turn and the last, and every other system one between.
func TestOrder(t *testing.T) {
	got := names(order([]system{{name: "x"}, {name: yardstick}, {name: "y"}}))
	if len(got) != 4 || got[0] != yardstick || got[3] != yardstick || !slices.Contains(got, "x") || !slices.Contains(got, "y") {
		t.Errorf("%q", got)
	}
	if got := names(order([]system{{name: "x"}})); !slices.Equal(got, []string{"x"}) {
		t.Errorf("%q", got)
	}
}

func TestWithout(t *testing.T) {
	for says, want := range map[string]error{
		"iperf3: unable to connect to server - server may have stopped running": errConnect,
		"iperf3 to 10.0.0.2: nothing moves: not over in 9s":                     errStalls,
	} {
		if got := without(errors.New(says)); got != want {
			t.Errorf("%s: %v, want %v", says, got, want)
		}
	}
}

// Two rounds, of which one went badly for the peer; a third system never started.
func TestReport(t *testing.T) {
	systems := []system{{name: yardstick}, {name: "peer"}, {name: "broken"}}
	works := []work{{name: "idle", title: "no traffic"}, {name: "tcp", title: "TCP", unit: "Gbit/s"}, {name: "back", title: "TCP back", unit: "Gbit/s"}}
	turns := []turn{
		{system: "peer", round: 0, figures: []figure{{"idle", 0, 1, ""}, {"tcp", 2, 0.5, ""}, {"back", 0, 0.25, "no TCP"}}},
		{system: yardstick, round: 0, kernel: true, figures: []figure{{"idle", 0, 0, ""}, {"tcp", 6, 0, ""}, {"back", 4, 0, ""}}},
		{system: yardstick, round: 0, kernel: true, figures: []figure{{"idle", 0, 0, ""}, {"tcp", 10, 0, ""}, {"back", 4, 0, ""}}},
		{system: "broken", round: 0, err: errors.New("it has ended")},
		{system: yardstick, round: 1, kernel: true, figures: []figure{{"idle", 0, 0, ""}, {"tcp", 4, 0, ""}, {"back", 6, 0, ""}}},
		{system: "peer", round: 1, figures: []figure{{"idle", 0, 1, ""}, {"tcp", 3, 0.7, ""}, {"back", 0, 0.35, "no TCP"}}},
		{system: "broken", round: 1, figures: []figure{{"back", 0, 0, "no TCP"}, {"tcp", 5, 1, ""}}, err: errors.New("it has ended")},
		{system: "broken", round: 2, figures: []figure{{"tcp", 0, 1, "no TCP"}}},
	}
	r := newReport(options{rounds: 3, time: time.Second, systems: systems, works: works}, time.Now())
	r.fill(turns)

	var text bytes.Buffer
	if err := r.table(&text); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(text.String(), "is a core.\n")
	checkPage(t, &r, "broken, round 1: it has ended")
	var got []string
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 0 {
			got = append(got, strings.Join(f, " "))
		}
	}
	want := []string{
		"no traffic × CPU",
		"bridge – – –",
		"peer – – 100.0 %",
		"TCP Gbit/s × CPU",
		"bridge 6 1.00 0.75–1.25 –",
		"peer 2.5 0.50 0.25–0.75 60.0 %",
		"broken 5 (1 of 2) 1.25 100.0 %",
		"TCP back Gbit/s × CPU",
		"bridge 4 1.00 1.00–1.00 –",
		"peer no TCP – 30.0 %",
		"broken no TCP – 0.0 %",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(text.String(), "failed        broken, round 1: it has ended\n") {
		t.Errorf("no word of what failed:\n%s", text.String())
	}

	var data bytes.Buffer
	if err := r.json(&data); err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(data.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Rows) != len(r.Rows) || len(back.Failed) != 2 || strings.Contains(data.String(), `"rows": null`) || strings.Contains(data.String(), `"warnings": null`) {
		t.Errorf("%s", data.String())
	}
}

// checkPage checks that a report can be written as a page, and that something is on it.
func checkPage(t *testing.T, r *report, texts ...string) {
	t.Helper()
	var b strings.Builder
	if err := r.page(&b); err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		if !strings.Contains(html.UnescapeString(b.String()), text) {
			t.Errorf("%q is not on the page", text)
		}
	}
}

func TestMedian(t *testing.T) {
	if mean(nil) != 0 || mean([]float64{1, 2, 6}) != 3 {
		t.Error("a mean is wrong")
	}
	if median(nil) != nil || *median([]float64{3}) != 3 || *median([]float64{9, 1, 2}) != 2 || *median([]float64{4, 1}) != 2.5 {
		t.Error("a median is wrong")
	}
}

// With the bridge alone all works give figures.
func TestBridge(t *testing.T) {
	need.Root(t)
	for _, p := range []string{"ip", "ping", "iperf3", "ethtool"} {
		need.Program(t, p)
	}
	file := filepath.Join(t.TempDir(), "net.json")
	o, err := parse([]string{"-quick", "-systems", "bridge", "-json", file}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.scale = false // see TestScale
	if err := run(t.Context(), o, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != len(o.works) {
		t.Fatalf("%d rows: %s", len(r.Rows), text)
	}
	for _, row := range r.Rows {
		if row.Unit != "" && (row.Runs != 2 || row.Median == nil || *row.Median <= 0 || row.Ratio == nil || math.Abs(*row.Ratio-1) > 1e-9) {
			t.Errorf("%s: %+v", row.Work, row)
		}
	}
}

// A system that ends at once is named, and the others are measured.
func TestBroken(t *testing.T) {
	need.Root(t)
	need.Program(t, "ip")
	o, err := parse([]string{"-quick", "-systems", "bridge,ringway-afpacket", "-works", "ping-1ms", "-ringway", "/bin/false"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), o, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "what could not be measured: 1") {
		t.Errorf("failed with %v", err)
	}
	for _, want := range []string{"ringway-afpacket, round 1: it has ended", "\n  bridge "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
