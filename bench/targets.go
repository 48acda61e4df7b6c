// Targets: how quick Ringway is meant to be, beside its peers and by itself.

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/ringway-net/ringway/internal/page"
	"github.com/ringway-net/ringway/internal/perf"
)

// target is a bound for a figure of Ringway's.
type target struct {
	row   string  // whose median it is about
	how   how     // what is done with it
	other string  // a row, and
	impl  string  // whose it is
	most  float64 // the bound
	aim   bool    // it is hoped for, and not required
}

// how says what a target compares.
type how int

const (
	alone how = iota // the median itself, in nanoseconds
	over             // divided by the other row's
	minus            // less the other row's, in nanoseconds
	fact             // a fact by the name of row, in its unit
)

// vs returns the target of taking at most a share of the time that a peer takes for the same work.
func vs(impl string, most float64, rows ...string) (all []target) {
	for _, r := range rows {
		all = append(all, target{row: r, how: over, other: r, impl: impl, most: most})
	}
	return all
}

// aim makes targets hopes.
func aim(all []target) []target {
	for i := range all {
		all[i].aim = true
	}
	return all
}

var allTargets = slices.Concat(
	vs("xsync", 0.5, "spsc/single"),
	vs("chan", 0.2, "spsc/single"),
	aim(vs("atomic_queue-spsc", 1, "spsc/single")),
	vs("dpdk", 1, "spsc/burst32", "spsc/burst64", "spsc/burst256"),
	vs("chan", 0.1, "spsc/burst32", "spsc/burst64", "spsc/burst256"),
	vs("xsync", 0.1, "spsc/burst32", "spsc/burst64", "spsc/burst256"),
	[]target{{row: "spsc/burst64/inplace", how: alone, most: 1}},
	vs("xsync", 0.7, "mpmc/single/1p1c", "mpmc/single/2p2c"),
	vs("dpdk", 0.5, "mpmc/single/1p1c", "mpmc/single/2p2c"),
	aim(vs("atomic_queue-optimist", 1, "mpmc/single/1p1c", "mpmc/single/2p2c")),
	aim(vs("atomic_queue-try", 1, "mpmc/single/1p1c", "mpmc/single/2p2c")),
	vs("dpdk", 1, "mpmc/burst64/1p1c"),
	[]target{{row: "mpmc/blocking/8p8c", how: over, other: "mpmc/blocking/1p1c", impl: perf.Ours, most: 2}},
	vs("chan", 1, "mpmc/blocking/8p8c/p999"),
	vs("dpdk", 0.5, "pool/single"),
	vs("dpdk", 2.5, "pool/bulk64"),
	aim(vs("dpdk", 1, "pool/bulk64")),
	vs("dpdk", 0.4, "handoff/64"),
	[]target{
		{row: "frame/64B", how: minus, other: "copy/64B", impl: perf.Ours, most: 10},
		{row: "counters/64", how: alone, most: 1},
		{row: perf.ScanFact, how: fact, most: 64 << 10},
	},
)

// String says what is compared.
func (t target) String() string {
	switch t.how {
	case over, minus:
		sign := map[how]string{over: "÷", minus: "−"}[t.how]
		if t.impl == perf.Ours {
			return fmt.Sprintf("%s %s %s", t.row, sign, t.other)
		}
		return fmt.Sprintf("%s %s %s", t.row, sign, t.impl)
	default:
		return t.row
	}
}

// measure returns the value that t bounds, and false if r does not have all that it takes.
func (t target) measure(r report) (float64, bool) {
	if t.how == fact {
		for _, f := range r.Memory {
			if f.Name == t.row && f.Impl == perf.Ours {
				return f.Value, true
			}
		}
		return 0, false
	}
	ours, ok := r.median(t.row, perf.Ours)
	if t.how == alone || !ok {
		return ours, ok
	}
	other, ok := r.median(t.other, t.impl)
	if t.how == minus {
		return ours - other, ok
	}
	return ours / other, ok
}

// value writes a value that t bounds, with its unit.
func (t target) value(v float64) string {
	switch t.how {
	case over:
		return fmt.Sprintf("%.2f", v)
	case fact:
		return page.Amount(v, "B")
	default:
		return fmt.Sprintf("%.2f ns", v)
	}
}

// targets writes what is meant to be beside what is.
func (r report) targets(w io.Writer) error {
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "target\tat most\tmeasured\t\n")
	for _, target := range allTargets {
		measured, verdict := "–", "not measured"
		if v, ok := target.measure(r); ok {
			measured, verdict = target.value(v), "met"
			if v > target.most {
				verdict = "missed"
			}
		}
		if target.aim {
			verdict += " (hoped for)"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", target, target.value(target.most), measured, verdict)
	}
	return t.Flush()
}
