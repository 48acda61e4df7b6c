//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-quick", "-systems", "testpmd-tap,bridge", "-works", "ping"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(o.systems); !slices.Equal(got, []string{"bridge", "testpmd-tap"}) {
		t.Errorf("systems %q", got)
	}
	if got := names(o.works); !slices.Equal(got, []string{"ping"}) || o.rounds != 1 || o.time != time.Second {
		t.Errorf("works %q, %d rounds of %v", got, o.rounds, o.time)
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
	s := system{name: "peer", program: "no-such-program", from: "apt-get install peer"}
	if why := s.missing(); why != "no-such-program is not installed: apt-get install peer" {
		t.Error(why)
	}
	if why := (system{}).missing(); why != "" {
		t.Error(why)
	}
}

func TestCPUTime(t *testing.T) {
	d, err := cpuTime("17 (a ) b) S 1 17 17 0 -1 4194560 100 0 0 0 250 31 0 0 20 0 1 0 100 1000 10 0\n")
	if err != nil || d != 2810*time.Millisecond {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "17 (a) S 1 2 3", "17 (a) S 1 17 17 0 -1 4194560 100 0 0 0 x 31 0 0"} {
		if d, err := cpuTime(bad); err == nil {
			t.Errorf("%q: %v", bad, d)
		}
	}
}

// Two rounds, of which one went badly for the peer; a third system never started.
func TestReport(t *testing.T) {
	systems := []system{{name: yardstick}, {name: "peer"}, {name: "broken"}}
	works := []work{{name: "idle", title: "no traffic"}, {name: "tcp", title: "TCP", unit: "Gbit/s"}, {name: "back", title: "TCP back", unit: "Gbit/s"}}
	turns := []turn{
		{system: "peer", round: 0, figures: []figure{{"idle", 0, 1, ""}, {"tcp", 2, 0.5, ""}, {"back", 0, 0.25, "no TCP"}}},
		{system: yardstick, round: 0, kernel: true, figures: []figure{{"idle", 0, 0, ""}, {"tcp", 8, 0, ""}, {"back", 4, 0, ""}}},
		{system: "broken", round: 0, err: errors.New("it has ended")},
		{system: yardstick, round: 1, kernel: true, figures: []figure{{"idle", 0, 0, ""}, {"tcp", 4, 0, ""}, {"back", 6, 0, ""}}},
		{system: "peer", round: 1, figures: []figure{{"idle", 0, 1, ""}, {"tcp", 3, 0.7, ""}, {"back", 0, 0.35, "no TCP"}}},
		{system: "broken", round: 1, figures: []figure{{"back", 0, 0, "no TCP"}, {"tcp", 5, 1, ""}}, err: errors.New("it has ended")},
		{system: "broken", round: 2, figures: []figure{{"tcp", 0, 1, "no TCP"}}},
	}
	r := report{Rounds: 3, Seconds: 1, Failed: []string{}}
	r.fill(systems, works, turns)

	var text bytes.Buffer
	if err := r.table(&text); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(text.String(), "is a core.\n")
	var got []string
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 0 {
			got = append(got, strings.Join(f, " "))
		}
	}
	want := []string{
		"no traffic × CPU",
		"bridge – – –",
		"peer – – 100 %",
		"TCP Gbit/s × CPU",
		"bridge 6 1.00 –",
		"peer 2.5 0.50 60 %", // the ratios were 0.25 and 0.75
		"broken 5 (1 of 3) 1.25 100 %",
		"TCP back Gbit/s × CPU",
		"bridge 5 1.00 –",
		"peer no TCP – 30 %",
		"broken no TCP – 0 %",
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

func TestMedian(t *testing.T) {
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
	if len(r.Rows) != len(allWorks) {
		t.Fatalf("%d rows: %s", len(r.Rows), text)
	}
	for _, row := range r.Rows {
		if row.Unit != "" && (row.Median == nil || *row.Median <= 0 || row.Ratio == nil || *row.Ratio != 1) {
			t.Errorf("%s: %+v", row.Work, row)
		}
	}
}

// A system that ends at once is named, and the others are measured.
func TestBroken(t *testing.T) {
	need.Root(t)
	need.Program(t, "ip")
	o, err := parse([]string{"-quick", "-systems", "bridge,ringway-afpacket", "-works", "ping", "-ringway", "/bin/false"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), o, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "1 of 2 turns failed") {
		t.Errorf("failed with %v", err)
	}
	for _, want := range []string{"ringway-afpacket, round 1: it has ended", "\n  bridge "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
