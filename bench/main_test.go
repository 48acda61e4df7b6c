package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/bench/peers"
	"github.com/ringway-net/ringway/internal/perf"
)

// Every Go peer does its works as it should, with few items and odd numbers of them, and does only works that
// Ringway does too.
func TestGoPeers(t *testing.T) {
	ours, seen := oursByName(), map[string]bool{}
	for _, w := range goPeers() {
		key := w.Name + " by " + w.Impl
		if seen[key] || !ours[w.Name] {
			t.Errorf("%s is there twice, or no work of Ringway's", key)
		}
		seen[key] = true
		for _, n := range []int{1, 100, 5000} {
			f, err := w.Run(n)
			if err != nil {
				t.Errorf("%s, %d items: %v", key, n, err)
			}
			if len(f) == 0 {
				t.Errorf("%s, %d items: no figures", key, n)
			}
		}
	}
}

func goWorks() []perf.Work { return append(perf.Ringway(), goPeers()...) }

// oursByName returns the names of all works that Ringway does.
func oursByName() map[string]bool {
	ours := map[string]bool{}
	for _, w := range perf.Ringway() {
		ours[w.Name] = true
	}
	return ours
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"--quick", "--json", "a", "--html", "b", "--only", "^spsc", "--rounds", "12", "--within", "1m", "--targets"}, io.Discard)
	if err != nil || o.within != time.Minute || !o.quick || !o.targets || o.json != "a" || o.html != "b" || o.only.String() != "^spsc" || o.rounds != 12 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := parse(nil, io.Discard); err != nil || o.rounds != 10 || o.within != quickTime || !o.only.MatchString("anything") {
		t.Errorf("%+v, %v", o, err)
	}
	for _, args := range [][]string{{"--rounds", "0"}, {"--rounds", "x"}, {"--within", "0s"}, {"--within", "60"}, {"--only", "("}, {"--nothing"}, {"file"}, {"--json"}} {
		if _, err := parse(args, io.Discard); err == nil || errors.Is(err, flag.ErrHelp) {
			t.Errorf("%v: the error is %v", args, err)
		}
	}
	var help bytes.Buffer
	if _, err := parse([]string{"-h"}, &help); !errors.Is(err, flag.ErrHelp) || !strings.Contains(help.String(), "-quick") {
		t.Errorf("help: %v, %s", err, help.String())
	}
}

// A short run, with all its outputs.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	o := options{
		quick: true, within: quickTime, targets: true, rounds: 2, only: regexp.MustCompile(`^(counters/64|pingpong)$`),
		json: filepath.Join(dir, "out.json"), html: filepath.Join(dir, "out.html"),
	}
	var out bytes.Buffer
	files, err := create(o.json, o.html)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o, time.Now(), goWorks(), files, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"counters/64", "pingpong/p999", "ringway", "atomic", "below 1 ringway is faster", "at most", "met"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
	text, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Machine map[string]any
		Rows    []map[string]any
		Memory  []map[string]any
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.Machine["go"] == "" || len(got.Memory) == 0 {
		t.Errorf("%s", text)
	}
	seen := map[string]bool{}
	for _, r := range got.Rows {
		seen[r["work"].(string)+" "+r["impl"].(string)] = true
		least, middle, most := r["ns_min"].(float64), r["ns_median"].(float64), r["ns_max"].(float64)
		if !(0 < least && least <= middle && middle <= most) || r["rounds"].(float64) != 2 {
			t.Errorf("%v", r)
		}
	}
	if html, err := os.ReadFile(o.html); err != nil || !bytes.Contains(html, []byte("counters/64")) {
		t.Errorf("the page: %v, %d bytes", err, len(html))
	}
	for _, want := range []string{"counters/64 ringway", "counters/64 mutex", "pingpong/p50 chan", "pingpong/p99 ringway"} {
		if !seen[want] {
			t.Errorf("no row %s in %s", want, text)
		}
	}
}

// A work that fails is named in all outputs, and the others are there.
func TestRunFails(t *testing.T) {
	o := options{rounds: 1, only: regexp.MustCompile("^no such work$")}
	if err := run(t.Context(), o, time.Now(), goWorks(), nil, io.Discard, io.Discard); err == nil {
		t.Error("no work, and no error")
	}
	o.only = regexp.MustCompile("")
	works := []perf.Work{
		{Name: "a", Impl: perf.Ours, Run: func(n int) (perf.Figures, error) { return perf.Figures{perf.NS: 1e5}, nil }},
		{Name: "a", Impl: "peer", Run: func(n int) (perf.Figures, error) { return nil, errors.New("died\nits last words") }},
	}
	file := filepath.Join(t.TempDir(), "out.json")
	files, err := create(file, "")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = run(t.Context(), o, time.Now(), works, files, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "its last words") || !strings.Contains(err.Error(), "no figures of peer") {
		t.Errorf("the error is %v", err)
	}
	if !regexp.MustCompile(`(?m)^failed +a by peer: died$`).MatchString(out.String()) || !strings.Contains(out.String(), perf.Ours) {
		t.Errorf("%s", out.String())
	}
	if text, err := os.ReadFile(file); err != nil || !bytes.Contains(text, []byte(`"a by peer: died"`)) {
		t.Errorf("%s, %v", text, err)
	}
}

// A peer that was too slow to answer is named in the table, and is no error.
func TestRunWithoutAnAnswer(t *testing.T) {
	ok := func(n int) (perf.Figures, error) { return perf.Figures{perf.NS: 1e5}, nil }
	works := []perf.Work{
		{Name: "w", Impl: perf.Ours, Run: ok}, {Name: "w", Impl: "slow", Run: ok},
		{Name: "crowd", Impl: "slow", Run: func(int) (perf.Figures, error) {
			return nil, fmt.Errorf("slow: run crowd: %w within 10s", peers.ErrNoAnswer)
		}},
	}
	files, err := create("", "")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(t.Context(), options{rounds: 1, quick: true, within: quickTime, only: regexp.MustCompile("")}, time.Now(), works, files, &out, io.Discard); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "crowd by slow: slow: run crowd: no answer within 10s") {
		t.Error(out.String())
	}
}

// An interrupted run reports what there is.
func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	files, _ := create("", "")
	err := run(ctx, options{rounds: 1, only: regexp.MustCompile("^counters")}, time.Now(), goWorks(), files, &out, io.Discard)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(out.String(), "below 1") {
		t.Errorf("no report: %s", out.String())
	}
}

// All works of -quick fit into its time, and those that vary a size get less of it.
func TestSchedule(t *testing.T) {
	works := selected(goWorks(), regexp.MustCompile(""))
	for _, o := range []options{{rounds: 10, within: quickTime}, {rounds: 20, within: quickTime}, {rounds: 3, within: time.Minute}} {
		o.quick = true
		timeOf := schedule(works, o, 20*time.Second)
		var all time.Duration
		for _, w := range works {
			all += timeOf(w) * time.Duration(o.rounds+calibration)
		}
		if left := o.within - 20*time.Second; all > left || all < left/8 {
			t.Errorf("%d rounds within %v take %v", o.rounds, o.within, all)
		}
	}
	timeOf := schedule(works, options{quick: true, rounds: 10, within: quickTime}, 0)
	if a, b := timeOf(perf.Work{Name: "spsc/single"}), timeOf(perf.Work{Name: "spsc/burst64/cap64"}); a != 3*b {
		t.Errorf("%v and %v", a, b)
	}
}

func TestSelected(t *testing.T) {
	all := []perf.Work{{Name: "a", Impl: "x"}, {Name: "b", Impl: "x"}, {Name: "c", Impl: "x"}, {Name: "b", Impl: "y"}, {Name: "a", Impl: "z"}}
	var got string
	for _, w := range selected(all, regexp.MustCompile("a|b")) {
		got += w.Name + w.Impl + " "
	}
	if want := "ax az bx by "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
