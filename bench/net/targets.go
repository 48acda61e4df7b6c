//go:build linux

// Targets: how Ringway is meant to be, beside the bridge and beside its peers.

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// target is a bound for a work with one of Ringway's systems: a number, or what the best of some peers reached.
type target struct {
	works []string
	kinds []kind // of the systems that it is for; nil: all
	spins bool   // it is for those that spin, and not for the others
	bound float64
	// peers says whose ratio is the bound instead, of those that are not ours; nil: bound is it.
	peers func(ours, peer system) bool
	what  string // in words, what the bound is
	cpu   bool   // it is about the CPU time, as a share of a core, and not about the ratio to the bridge
}

func sameKind(ours, peer system) bool { return peer.kind == ours.kind }
func eventDriven(_, peer system) bool { return !peer.polls }

// joined are the kinds where one system joins the hosts.
var joined = []kind{packet, xdp, tap}

var allTargets = []target{
	{works: []string{"tcp", "tcp-back"}, kinds: []kind{packet, tap}, bound: 0.8},
	{works: []string{"tcp-off", "tcp-off-back", "frames"}, kinds: joined, peers: sameKind, what: "the best peer of the kind"},
	{works: []string{"ping-flood"}, kinds: joined, bound: 2.5},
	{works: []string{"ping-1ms"}, kinds: joined, bound: 4},
	{works: []string{"ping-200ms"}, kinds: joined, peers: eventDriven, what: "the best event-driven peer"},
	{works: []string{"idle"}, bound: 0.01, cpu: true},
	{works: []string{"ping-flood", "ping-1ms", "ping-200ms"}, bound: 2, spins: true},
}

// verdict is what came of a target for one work and one system.
type verdict struct {
	work, system, bound, measured, reached string
}

// verdicts judges all targets, for each of Ringway's systems that was to be measured.
func (r *report) verdicts() (all []verdict) {
	for _, t := range allTargets {
		for _, w := range r.works {
			for _, s := range r.systems {
				if s.ours && s.spins == t.spins && slices.Contains(t.works, w.name) && (t.kinds == nil || slices.Contains(t.kinds, s.kind)) {
					all = append(all, r.judge(t, w, s))
				}
			}
		}
	}
	return all
}

// judge compares medians, and says in how many of the rounds it was so.
func (r *report) judge(t target, w work, s system) verdict {
	row := r.row(w.name, s.name)
	v := verdict{work: w.title, system: s.name, measured: cell(row.Ratio, 1, "× %.2f"), reached: "not measured"}
	value, values, bound := row.Ratio, row.Ratios, &t.bound
	less, sign, format, times := w.less || t.cpu, "≥", "× %.2f", 1.0
	if t.cpu {
		value, values, format, times = row.CPU, nil, "%.1f %%", 100
		v.measured = cell(value, times, format)
	}
	if less {
		sign = "≤"
	}
	v.bound = sign + " " + cell(bound, times, format)
	if t.peers != nil {
		v.bound = sign + " " + t.what
		var best string
		if best, bound = r.best(t, w, s); bound != nil {
			v.bound += fmt.Sprintf(": %s, %s", best, cell(bound, times, format))
		}
	}
	if row.None != "" && value == nil {
		v.measured, v.reached = row.None, "not reached"
	}
	if value == nil {
		return v
	}
	if bound == nil {
		v.reached = "no such peer was measured"
		return v
	}
	good := func(x float64) bool {
		if less {
			return x <= *bound
		}
		return x >= *bound
	}
	v.reached = "not reached"
	if good(*value) {
		v.reached = "reached"
	}
	if n := len(values); n > 1 {
		count := 0
		for _, x := range values {
			if good(x) {
				count++
			}
		}
		v.reached += fmt.Sprintf(" (in %d of %d rounds)", count, n)
	}
	return v
}

// best returns the peer that has the best ratio, and that.
func (r *report) best(t target, w work, ours system) (name string, ratio *float64) {
	for _, p := range r.systems {
		if p.ours || p.name == yardstick || !t.peers(ours, p) {
			continue
		}
		if x := r.row(w.name, p.name).Ratio; x != nil && (ratio == nil || (*x < *ratio) == w.less) {
			name, ratio = p.name, x
		}
	}
	return name, ratio
}

// targets writes what is meant to be beside what is.
func (r *report) targets(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "work\tsystem\ttarget\tmeasured\t\n")
	for _, v := range r.verdicts() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.work, v.system, v.bound, v.measured, v.reached)
	}
	return t.Flush()
}
