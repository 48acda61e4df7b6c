//go:build linux

package main

import (
	"fmt"
	"strings"
	"testing"
)

// Each target is judged by its own rule, and says so if it could not be.
func TestTargets(t *testing.T) {
	systems := []system{
		{name: yardstick},
		{name: "ours-packet", kind: packet, ours: true}, {name: "ours-tap", kind: tap, ours: true}, {name: "ours-xdp", kind: xdp, ours: true},
		{name: "ours-spin", kind: tap, ours: true, spins: true},
		{name: "polling", kind: packet, polls: true}, {name: "sleeping", kind: packet}, {name: "other", kind: tap},
	}
	var works []work
	for _, w := range allWorks {
		if w.do != nil {
			works = append(works, w)
		}
	}
	r := report{systems: systems, works: works}
	add := func(work, system string, ratios ...float64) {
		r.Rows = append(r.Rows, row{Work: work, System: system, Runs: len(ratios), Ratio: median(ratios), Ratios: ratios})
	}
	add("tcp", "ours-packet", 0.8, 0.9, 0.7)
	add("tcp", "ours-tap", 0.79)
	add("frames", "ours-packet", 1.2)
	add("frames", "polling", 1.2)
	add("frames", "sleeping", 0.4)
	add("frames", "other", 9) // of another kind
	add("frames", "ours-tap", 8)
	add("tcp-off", "ours-xdp", 2)
	add("ping-flood", "ours-packet", 2.6, 2.4)
	add("ping-1ms", "ours-packet", 4)
	add("ping-200ms", "ours-packet", 3.5)
	add("ping-200ms", "polling", 1.1) // never sleeps, so it doesn't count
	add("ping-200ms", "sleeping", 4.1)
	add("ping-200ms", "other", 3.6)
	add("ping-200ms", "ours-tap", 3.7)
	add("ping-flood", "ours-spin", 2.1)
	busy, calm := 0.011, 0.01
	r.Rows = append(r.Rows, row{Work: "idle", System: "ours-packet", Runs: 1, CPU: &calm}, row{Work: "idle", System: "ours-tap", Runs: 1, CPU: &busy},
		row{Work: "tcp-back", System: "ours-tap", Runs: 1, None: "never connects"})

	var b strings.Builder
	if err := r.targets(&b); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range r.verdicts() {
		got[v.work+" | "+v.system] = fmt.Sprintf("%s | %s | %s", v.bound, v.measured, v.reached)
		if line := v.reached; !strings.Contains(b.String(), line) {
			t.Errorf("%q is not in\n%s", line, b.String())
		}
	}
	const tcp, small = "TCP from A to B, default offloads", "60-byte frames that reach B"
	for what, want := range map[string]string{
		tcp + " | ours-packet":                            "≥ × 0.80 | × 0.80 | reached (in 2 of 3 rounds)",
		tcp + " | ours-tap":                               "≥ × 0.80 | × 0.79 | not reached",
		"TCP from B to A, default offloads | ours-tap":    "≥ × 0.80 | never connects | not reached",
		"TCP from B to A, default offloads | ours-packet": "≥ × 0.80 | – | not measured",
		small + " | ours-packet":                          "≥ the best peer of the kind: polling, × 1.20 | × 1.20 | reached",
		small + " | ours-tap":                             "≥ the best peer of the kind: other, × 9.00 | × 8.00 | not reached",
		"TCP from A to B, offloads off | ours-xdp":        "≥ the best peer of the kind | × 2.00 | no such peer was measured",
		small + " | ours-xdp":                             "≥ the best peer of the kind | – | not measured",
		"ping -f, average of 2000 | ours-packet":          "≤ × 2.50 | × 2.50 | reached (in 1 of 2 rounds)",
		"ping every ms, average | ours-packet":            "≤ × 4.00 | × 4.00 | reached",
		"ping every 200 ms, average | ours-packet":        "≤ the best event-driven peer: other, × 3.60 | × 3.50 | reached",
		"ping every 200 ms, average | ours-tap":           "≤ the best event-driven peer: other, × 3.60 | × 3.70 | not reached",
		"ping -f, average of 2000 | ours-spin":            "≤ × 2.00 | × 2.10 | not reached",
		"no traffic | ours-packet":                        "≤ 1.0 % | 1.0 % | reached",
		"no traffic | ours-tap":                           "≤ 1.0 % | 1.1 % | not reached",
	} {
		if got[what] != want {
			t.Errorf("%s: %s, want %s", what, got[what], want)
		}
	}
	for what, why := range map[string]string{
		tcp + " | ours-xdp":         "TCP with offloads is no target of AF_XDP",
		"no traffic | ours-spin":    "who spins may use CPU time",
		"no traffic | other":        "a peer has no targets",
		"no traffic | " + yardstick: "the bridge has no targets",
	} {
		if _, ok := got[what]; ok {
			t.Error(why)
		}
	}
}

// Every work that a target is about is one.
func TestTargetsAreWorks(t *testing.T) {
	for _, target := range allTargets {
		if _, err := pick(allWorks, strings.Join(target.works, ",")); err != nil {
			t.Error(err)
		}
	}
}
