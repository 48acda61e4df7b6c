// The report: figures by work and implementation, as JSON, as a table, and as a page.

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/ringway-net/ringway/internal/perf"
)

// report is what -json writes.
type report struct {
	Machine machine     `json:"machine"`
	Rows    []row       `json:"rows"`
	Memory  []perf.Fact `json:"memory"`
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
func (r report) write(stdout io.Writer, o options, files []*os.File, results []perf.Result) error {
	err := r.table(stdout)
	if o.targets {
		err = errors.Join(err, r.targets(stdout))
	}
	for i, to := range []func(io.Writer) error{
		r.json,
		func(w io.Writer) error { return r.page(w, results) },
	} {
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

// table writes all rows and facts for people.
func (r report) table(w io.Writer) error {
	for _, line := range r.Machine.lines() {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w, "Times are of an item, buffer or frame; spread is the distance of the quartiles.")
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
		fmt.Fprintf(w, "  %-38s%12s%12s%8s\n", row.Impl, quantity(row.Median, "ns"), fmt.Sprintf("%.0f %%", 100*row.Spread), ratio)
	}
	if len(r.Memory) > 0 {
		fmt.Fprintf(w, "\nmemory\n")
	}
	for _, f := range r.Memory {
		if _, err := fmt.Fprintf(w, "  %-38s%12s  %s\n", f.Name, quantity(f.Value, f.Unit), f.Impl); err != nil {
			return err
		}
	}
	return nil
}

// quantity writes a value in nanoseconds or bytes with three digits and the prefix that suits it.
func quantity(v float64, unit string) string {
	units := []string{"B", "kB", "MB", "GB"}
	if unit == "ns" {
		units = []string{"ns", "µs", "ms", "s"}
	}
	for len(units) > 1 && v >= 1000 {
		v, units = v/1000, units[1:]
	}
	digits := 0
	switch {
	case v == 0:
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, v, units[0])
}
