// The report: figures by work and implementation, as JSON, as a table, and as a page.

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/page"
	"github.com/ringway-net/ringway/internal/perf"
)

// report is what -json writes.
type report struct {
	Machine  machine.Info `json:"machine"`
	Date     time.Time    `json:"date"`
	Revision string       `json:"revision"` // of Ringway
	Warnings []string     `json:"warnings"` // what speaks against trusting the figures
	Failed   []string     `json:"failed"`   // works that have no figures, and why
	Rows     []row        `json:"rows"`
	Memory   []perf.Fact  `json:"memory"`

	results []perf.Result
}

func newReport(here machine.Info, date time.Time, results []perf.Result, warnings, failed []string) report {
	r := report{
		Machine: here, Date: date.UTC().Truncate(time.Second), Revision: revision(),
		Warnings: warnings, Failed: failed, Rows: rows(results), results: results,
	}
	// In JSON, none of them is [] and not null.
	if r.Failed == nil {
		r.Failed = []string{}
	}
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Rows == nil {
		r.Rows = []row{}
	}
	return r
}

// revision returns the commit that the program was built from.
func revision() string {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				commit += ", modified"
			}
		}
	}
	return commit
}

// row is one figure of a work, or of a latency of it, as one implementation does it.
type row struct {
	Work   string  `json:"work"`
	Impl   string  `json:"impl"`
	Median float64 `json:"ns_median"`
	Min    float64 `json:"ns_min"`
	Max    float64 `json:"ns_max"`
	Spread float64 `json:"spread"` // of the quartiles, as a share of the median
	Rounds int     `json:"rounds"`
}

// rows returns the rows of results, those of one work next to each other and Ringway's first.
func rows(results []perf.Result) (all []row) {
	place := map[string]int{}
	for _, r := range results {
		if _, ok := place[r.Row()]; !ok {
			place[r.Row()] = len(place)
		}
		all = append(all, row{r.Row(), r.Impl, r.Median(), r.Min(), r.Max(), r.Spread(), len(r.Values)})
	}
	slices.SortStableFunc(all, func(a, b row) int {
		return cmp.Or(place[a.Work]-place[b.Work], theirs(a)-theirs(b))
	})
	return all
}

// theirs is 0 for a row of Ringway's and 1 for others.
func theirs(r row) int {
	if r.Impl == perf.Ours {
		return 0
	}
	return 1
}

// median returns the median of a row, and false if there is none.
func (r report) median(work, impl string) (float64, bool) {
	for _, row := range r.Rows {
		if row.Work == work && row.Impl == impl {
			return row.Median, true
		}
	}
	return 0, false
}

// write writes the table, and what else o asks for, to files: JSON and page.
func (r report) write(stdout io.Writer, o options, files []*os.File) error {
	err := r.table(stdout)
	if o.targets {
		err = errors.Join(err, r.targets(stdout))
	}
	for i, to := range []func(io.Writer) error{r.json, r.page} {
		if f := files[i]; f != nil {
			err = errors.Join(err, to(f), f.Close())
		}
	}
	return err
}

func (r report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// facts are where it was measured, and of what.
func (r report) facts() []machine.Fact {
	return append(r.Machine.Facts(), machine.Fact{Name: "revision", Value: r.Revision})
}

// page writes everything as a page with charts.
func (r report) page(w io.Writer) error {
	return page.Write(w, page.Doc{
		Title: "Ringway and its peers", Date: r.Date, Machine: r.facts(), Warnings: slices.Concat(r.Warnings, r.Failed),
		Results: r.results, Memory: r.Memory,
		Notes: []string{"Peers in C++ and Rust are processes of their own, built for this very CPU; they do the same works, in the same turns."},
	})
}

// table writes all rows and facts for people.
func (r report) table(w io.Writer) error {
	fact := func(name, value string) { fmt.Fprintf(w, "%-14s%s\n", name, value) }
	for _, f := range r.facts() {
		fact(f.Name, f.Value)
	}
	fact("date", r.Date.Format(time.DateTime+" MST"))
	for _, warning := range r.Warnings {
		fact("warning", warning)
	}
	for _, failed := range r.Failed {
		fact("failed", failed)
	}
	fmt.Fprintln(w, "\nTimes are of an item, buffer or frame; spread is the distance of the quartiles.")
	fmt.Fprintln(w, "× is ringway's median divided by the other's: below 1 ringway is faster.")
	work := ""
	for _, row := range r.Rows {
		if row.Work != work {
			work = row.Work
			fmt.Fprintf(w, "\n%-40s%12s%12s%8s\n", work, "median", "spread", "×")
		}
		ratio := "–"
		if ours, ok := r.median(row.Work, perf.Ours); ok && row.Impl != perf.Ours {
			ratio = fmt.Sprintf("%.2f", ours/row.Median)
		}
		fmt.Fprintf(w, "  %-38s%12s%12s%8s\n", row.Impl, page.Amount(row.Median, "ns"), fmt.Sprintf("%.0f %%", 100*row.Spread), ratio)
	}
	if len(r.Memory) > 0 {
		fmt.Fprintf(w, "\nmemory\n")
	}
	for _, f := range r.Memory {
		if _, err := fmt.Fprintf(w, "  %-38s%12s  %s\n", f.Name, page.Amount(f.Value, f.Unit), f.Impl); err != nil {
			return err
		}
	}
	return nil
}
