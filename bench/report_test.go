package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/perf"
)

func TestRows(t *testing.T) {
	got := rows([]perf.Result{
		{Work: "a", Impl: "peer", Figure: perf.NS, Values: []float64{1, 2, 3}},
		{Work: "a", Impl: "peer", Figure: "p99", Values: []float64{7}},
		{Work: "b", Impl: "peer", Figure: perf.NS, Values: []float64{5}},
		{Work: "a", Impl: perf.Ours, Figure: perf.NS, Values: []float64{4, 8}},
		{Work: "a", Impl: perf.Ours, Figure: "p99", Values: []float64{9}},
	})
	var order string
	for _, r := range got {
		order += r.Work + " " + r.Impl + ", "
	}
	if want := "a ringway, a peer, a/p99 ringway, a/p99 peer, b peer, "; order != want {
		t.Errorf("%s, want %s", order, want)
	}
	if r := got[0]; r.Median != 6 || r.Min != 4 || r.Max != 8 || r.Rounds != 2 {
		t.Errorf("%+v", r)
	}
}

func TestTable(t *testing.T) {
	r := report{
		Rows: []row{
			{Work: "a", Impl: perf.Ours, Median: 5, Spread: 0.1},
			{Work: "a", Impl: "peer", Median: 20, Spread: 0.2},
			{Work: "b", Impl: "peer", Median: 1500},
		},
		Memory: []perf.Fact{{Name: "start", Impl: perf.Ours, Value: 2 << 20, Unit: "B"}},
	}
	var out bytes.Buffer
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}
	squeezed := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{"ringway 5.00 ns 10 % –", "peer 20.0 ns 20 % 0.25", "peer 1.50 µs 0 % –", "start 2.00 MiB ringway"} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestTargets(t *testing.T) {
	r := report{
		Rows: []row{
			{Work: "a", Impl: perf.Ours, Median: 5}, {Work: "a", Impl: "peer", Median: 20}, {Work: "b", Impl: perf.Ours, Median: 2},
		},
		Memory: []perf.Fact{{Name: "f", Impl: perf.Ours, Value: 100, Unit: "B"}, {Name: "f", Impl: "peer", Value: 900, Unit: "B"}},
	}
	for _, c := range []struct {
		target
		want  float64
		known bool
	}{
		{vs("peer", 1, "a")[0], 0.25, true},
		{vs("other", 1, "a")[0], 0, false},
		{vs("peer", 1, "c")[0], 0, false},
		{target{row: "a", how: over, other: "b", impl: perf.Ours}, 2.5, true},
		{target{row: "a", how: minus, other: "b", impl: perf.Ours}, 3, true},
		{target{row: "a", how: alone}, 5, true},
		{target{row: "f", how: fact}, 100, true},
		{target{row: "g", how: fact}, 0, false},
	} {
		if v, ok := c.measure(r); ok != c.known || ok && v != c.want {
			t.Errorf("%s: %v, %v; want %v, %v", c.target, v, ok, c.want, c.known)
		}
	}
}

// Every target is about something that Ringway measures.
func TestTargetsAreMeasured(t *testing.T) {
	measured := map[string]bool{perf.ScanFact: true, "mpmc/blocking/8p8c/p999": true}
	for _, w := range perf.Ringway() {
		measured[w.Name] = true
	}
	for _, target := range allTargets {
		if !measured[target.row] || target.how != alone && target.how != fact && !measured[target.other] {
			t.Errorf("%s is not measured", target)
		}
		if target.most <= 0 {
			t.Errorf("%s has no bound", target)
		}
	}
}
