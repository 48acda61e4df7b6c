//go:build linux

// The report: medians of the rounds, and ratios to the yardstick, as a table and as JSON.

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	Skipped  []string     `json:"skipped"`  // systems that are not installed, and what installs them
	Failed   []string     `json:"failed"`   // systems that were not measured, at least in one round, and why
	Rows     []row        `json:"rows"`
	Scale    []scaleRow   `json:"scale"`

	systems []system
	works   []work
}

// row is what came of a work with a system. What is not known is null.
type row struct {
	Work   string    `json:"work"`
	System string    `json:"system"`
	Unit   string    `json:"unit"`
	Runs   int       `json:"runs"` // one a round; of the bridge two
	Median *float64  `json:"median"`
	Values []float64 `json:"values"` // of the runs
	Ratio  *float64  `json:"ratio"`  // to the bridge: the median of the rounds' ratios
	Ratios []float64 `json:"ratios"` // of the runs, each to the mean of the bridge's two in the round
	CPU    *float64  `json:"cpu"`    // of the system's processes, in cores; the kernel's own is not known
	None   string    `json:"none"`   // why a run has no value, as "never connects"
}

// scaleRow is what a frame costs in one spot.
type scaleRow struct {
	Fabric    string    `json:"fabric"`
	Ports     int       `json:"ports"`
	Addresses int       `json:"addresses"`
	Frames    []float64 `json:"kframes"` // a second, of the rounds
	CPU       []float64 `json:"cpu_ns"`  // a frame, of the rounds
}

func newReport(o options, date time.Time) report {
	return report{
		Machine: machine.Read(), Date: date.UTC().Truncate(time.Second), Seconds: o.time.Seconds(), Rounds: o.rounds,
		Warnings: []string{}, Skipped: []string{}, Failed: []string{}, Rows: []row{}, Scale: []scaleRow{}, // in JSON, none of them is [] and not null
		systems: o.systems, works: o.works,
	}
}

// fill makes the rows, work by work, and lists what failed.
func (r *report) fill(turns []turn) {
	for _, t := range turns {
		if t.err != nil {
			r.Failed = append(r.Failed, fmt.Sprintf("%s, round %d: %v", t.system, t.round+1, t.err))
		}
	}
	for _, w := range r.works {
		bridge := map[int][]float64{}
		for _, t := range turns {
			if f, ok := t.figure(w.name); ok && t.system == yardstick && f.none == "" {
				bridge[t.round] = append(bridge[t.round], f.value)
			}
		}
		for _, s := range r.systems {
			if row := newRow(w, s, turns, bridge); row.Runs > 0 {
				r.Rows = append(r.Rows, row)
			}
		}
	}
}

// newRow returns what came of a work with a system. bridge has the yardstick's values in each round.
func newRow(w work, s system, turns []turn, bridge map[int][]float64) row {
	r := row{Work: w.name, System: s.name, Unit: w.unit, Values: []float64{}, Ratios: []float64{}}
	var cpus []float64
	for _, t := range turns {
		f, ok := t.figure(w.name)
		if t.system != s.name || !ok {
			continue
		}
		r.Runs++
		if !t.kernel {
			cpus = append(cpus, f.cpu)
		}
		if r.None = cmp.Or(f.none, r.None); f.none != "" || w.unit == "" {
			continue
		}
		r.Values = append(r.Values, f.value)
		if m := mean(bridge[t.round]); m > 0 {
			r.Ratios = append(r.Ratios, f.value/m)
		}
	}
	r.Median, r.Ratio, r.CPU = median(r.Values), median(r.Ratios), median(cpus)
	return r
}

// scale adds what was measured in a spot in one round.
func (r *report) scale(s spot, c cost) {
	i := slices.IndexFunc(r.Scale, func(x scaleRow) bool {
		return x.Fabric == s.fabric.name && x.Ports == s.ports && x.Addresses == s.addresses
	})
	if i < 0 {
		i = len(r.Scale)
		r.Scale = append(r.Scale, scaleRow{Fabric: s.fabric.name, Ports: s.ports, Addresses: s.addresses})
	}
	r.Scale[i].Frames, r.Scale[i].CPU = append(r.Scale[i].Frames, c.frames), append(r.Scale[i].CPU, c.cpu)
	slices.SortStableFunc(r.Scale, func(a, b scaleRow) int {
		return cmp.Or(cmp.Compare(a.Fabric, b.Fabric), a.Addresses-b.Addresses, a.Ports-b.Ports)
	})
}

// row returns what came of a work with a system; without a Median if nothing did.
func (r *report) row(work, system string) row {
	for _, row := range r.Rows {
		if row.Work == work && row.System == system {
			return row
		}
	}
	return row{}
}

// mean returns the mean, 0 of none.
func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
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

// write writes the table, and what else is asked for, to files: JSON and page.
func (r *report) write(stdout io.Writer, targets bool, files []*os.File) error {
	err := r.table(stdout)
	if targets {
		err = errors.Join(err, r.targets(stdout))
	}
	for i, to := range []func(io.Writer) error{r.json, r.page} {
		if f := files[i]; f != nil {
			err = errors.Join(err, to(f), f.Close())
		}
	}
	return err
}

func (r *report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// facts are where it was measured.
func (r *report) facts() []machine.Fact {
	return slices.DeleteFunc(r.Machine.Facts(), func(f machine.Fact) bool {
		return f.Name == "pinning" // nothing is pinned here but DPDK's own threads
	})
}

// howMeasured says what the figures are.
func (r *report) howMeasured() string {
	return fmt.Sprintf("Medians of %d rounds, with works of %g s. × is to the bridge, which has the first and the last turn in each round: the ratio to the mean of the two, "+
		"and how far it goes from round to round (the bridge's own says how calm the machine was). CPU is of the system's processes, 100 %% is a core.", r.Rounds, r.Seconds)
}

// table writes all for people.
func (r *report) table(w io.Writer) error {
	var b strings.Builder
	fact := func(name, value string) { fmt.Fprintf(&b, "%-14s%s\n", name, value) }
	for _, f := range r.facts() {
		fact(f.Name, f.Value)
	}
	fact("date", r.Date.Format(time.DateTime+" MST"))
	for _, list := range []struct {
		name string
		all  []string
	}{{"warning", r.Warnings}, {"skipped", r.Skipped}, {"failed", r.Failed}} {
		for _, what := range list.all {
			fact(list.name, what)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", strings.ReplaceAll(r.howMeasured(), ". ", ".\n"))
	for _, w := range r.works {
		first := true
		for _, row := range r.Rows {
			if row.Work != w.name {
				continue
			}
			if first {
				fmt.Fprintf(&b, "\n%-50s%18s%8s%14s%8s\n", w.title, w.unit, "×", "", "CPU")
			}
			first = false
			fmt.Fprintf(&b, "  %-48s%18s%8s%14s%8s\n", row.System, row.value(), cell(row.Ratio, 1, "%.2f"), row.spread(), cell(row.CPU, 100, "%.1f %%"))
		}
	}
	if len(r.Scale) > 0 {
		fmt.Fprintf(&b, "\n%-50s%18s%22s\n", "60-byte frames between mem ports", "kframes/s", "ns of CPU a frame")
	}
	for _, s := range r.Scale {
		fmt.Fprintf(&b, "  %-48s%18s%22s\n", fmt.Sprintf("%s, %d ports, %d addresses", s.Fabric, s.Ports, s.Addresses),
			cell(median(s.Frames), 1, "%.0f"), cell(median(s.CPU), 1, "%.0f"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// value writes the median, or why there is none.
func (r row) value() string {
	switch {
	case r.Median == nil && r.None != "":
		return r.None
	case r.None != "":
		return fmt.Sprintf("%.4g (%d of %d)", *r.Median, len(r.Values), r.Runs) // in the others there was none
	}
	return cell(r.Median, 1, "%.4g")
}

// spread writes between which the ratios lie, if there are several.
func (r row) spread() string {
	if len(r.Ratios) < 2 {
		return ""
	}
	return fmt.Sprintf("%.2f–%.2f", slices.Min(r.Ratios), slices.Max(r.Ratios))
}

// cell writes a number, or that there is none.
func cell(v *float64, times float64, format string) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf(format, *v*times)
}
