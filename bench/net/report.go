//go:build linux

// The report: medians of the rounds, and ratios to the yardstick, as a table and as JSON.

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
)

// report is what -json writes.
type report struct {
	Machine  machine.Info `json:"machine"`
	Date     time.Time    `json:"date"`
	Seconds  float64      `json:"seconds"` // of a work
	Rounds   int          `json:"rounds"`
	Warnings []string     `json:"warnings"` // what speaks against trusting the figures
	Failed   []string     `json:"failed"`   // systems that were not measured, at least in one round, and why
	Rows     []row        `json:"rows"`

	titles map[string]string
}

// row is what came of a work with a system. What is not known is null.
type row struct {
	Work   string    `json:"work"`
	System string    `json:"system"`
	Unit   string    `json:"unit"`
	Median *float64  `json:"median"`
	Values []float64 `json:"values"` // of the rounds
	Ratio  *float64  `json:"ratio"`  // to the bridge: the median of the rounds' ratios
	CPU    *float64  `json:"cpu"`    // of the system's processes, in cores; the kernel's own is not known
	None   string    `json:"none"`   // why a round has no value, as "no TCP"
}

// fill makes the rows, work by work, and lists what failed.
func (r *report) fill(systems []system, works []work, turns []turn) {
	r.titles = map[string]string{}
	if r.Warnings == nil { // in JSON, none of them is [] and not null
		r.Warnings = []string{}
	}
	for _, t := range turns {
		if t.err != nil {
			r.Failed = append(r.Failed, fmt.Sprintf("%s, round %d: %v", t.system, t.round+1, t.err))
		}
	}
	r.Rows = []row{}
	for _, w := range works {
		r.titles[w.name] = w.title
		byRound := map[int]float64{}
		for _, t := range turns {
			if f, ok := t.figure(w.name); ok && t.system == yardstick && f.none == "" {
				byRound[t.round] = f.value
			}
		}
		for _, s := range systems {
			if row, ok := newRow(w, s, turns, byRound); ok {
				r.Rows = append(r.Rows, row)
			}
		}
	}
}

// figure returns what came of a work in a turn.
func (t turn) figure(work string) (figure, bool) {
	i := slices.IndexFunc(t.figures, func(f figure) bool { return f.work == work })
	if i < 0 {
		return figure{}, false
	}
	return t.figures[i], true
}

// newRow returns what came of a work with a system, and false if nothing did. bridge is the yardstick's value in each round.
func newRow(w work, s system, turns []turn, bridge map[int]float64) (row, bool) {
	r := row{Work: w.name, System: s.name, Unit: w.unit, Values: []float64{}}
	var ratios, cpus []float64
	found := false
	for _, t := range turns {
		f, ok := t.figure(w.name)
		if t.system != s.name || !ok {
			continue
		}
		found = true
		if !t.kernel {
			cpus = append(cpus, f.cpu)
		}
		if r.None = cmp.Or(f.none, r.None); f.none != "" || w.unit == "" {
			continue
		}
		r.Values = append(r.Values, f.value)
		if bridge[t.round] > 0 {
			ratios = append(ratios, f.value/bridge[t.round])
		}
	}
	r.Median, r.Ratio, r.CPU = median(r.Values), median(ratios), median(cpus)
	return r, found
}

// median returns the median, or nil if there is none.
func median(values []float64) *float64 {
	if len(values) == 0 {
		return nil
	}
	s := slices.Sorted(slices.Values(values))
	m := (s[(len(s)-1)/2] + s[len(s)/2]) / 2
	return &m
}

func (r report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// table writes all for people.
func (r report) table(w io.Writer) error {
	var b strings.Builder
	fact := func(name, value string) { fmt.Fprintf(&b, "%-14s%s\n", name, value) }
	for _, f := range r.Machine.Facts() {
		if f.Name != "pinning" { // nothing is pinned here but DPDK's own threads
			fact(f.Name, f.Value)
		}
	}
	fact("date", r.Date.Format(time.DateTime+" MST"))
	for _, warning := range r.Warnings {
		fact("warning", warning)
	}
	for _, failed := range r.Failed {
		fact("failed", failed)
	}
	fmt.Fprintf(&b, "\nMedians of %d rounds of %g s; × is to the bridge of the same round; CPU is of the system's processes, 100 %% is a core.\n", r.Rounds, r.Seconds)
	work := ""
	for _, row := range r.Rows {
		if row.Work != work {
			work = row.Work
			fmt.Fprintf(&b, "\n%-36s%18s%8s%8s\n", r.titles[work], row.Unit, "×", "CPU")
		}
		value := cell(row.Median, 1, "%.4g")
		switch {
		case row.Median == nil && row.None != "":
			value = row.None
		case row.None != "":
			value += fmt.Sprintf(" (%d of %d)", len(row.Values), r.Rounds) // in the others there was none
		}
		fmt.Fprintf(&b, "  %-34s%18s%8s%8s\n", row.System, value, cell(row.Ratio, 1, "%.2f"), cell(row.CPU, 100, "%.0f %%"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell writes a number, or that there is none.
func cell(v *float64, times float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v*times)
}
