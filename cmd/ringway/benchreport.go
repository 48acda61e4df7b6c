// What a benchmark has found, as a table, as JSON, and as Go benchmarks print it. The JSON form is documented in
// docs/cli.md and stable.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/page"
	"github.com/ringway-net/ringway/internal/perf"
)

type benchReport struct {
	Machine  machine.Info  `json:"machine"`
	Warnings []string      `json:"warnings"`
	Results  []benchResult `json:"results"`
	Memory   []perf.Fact   `json:"memory,omitempty"`
	Error    string        `json:"error,omitempty"`

	start   time.Time
	results []perf.Result
	sizes   map[string]int // how many items a run of each work had
}

type benchResult struct {
	Name   string  `json:"name"`
	Median float64 `json:"ns_per_op_median"`
	Min    float64 `json:"ns_per_op_min"`
	Max    float64 `json:"ns_per_op_max"`
	Spread float64 `json:"spread"`
	Mops   float64 `json:"mops,omitempty"`
	Runs   int     `json:"runs"`
}

// sized returns the works such that their sizes are written down: those of the last run count, since the ones
// before it are calibration.
func (r *benchReport) sized(works []perf.Work) (sized []perf.Work) {
	for _, w := range works {
		run := w.Run
		w.Run = func(n int) (perf.Figures, error) {
			r.sizes[w.Name] = n
			return run(n)
		}
		sized = append(sized, w)
	}
	return sized
}

// summed returns the results summed up: a latency has a name of its own, as pingpong/p99.
func (r *benchReport) summed() []benchResult {
	all := []benchResult{}
	for _, p := range r.results {
		b := benchResult{
			Name: p.Row(), Median: p.Median(), Min: p.Min(), Max: p.Max(), Runs: len(p.Values),
		}
		if b.Median > 0 { // a coarse clock has latencies of 0
			b.Spread = p.Spread()
		}
		if p.Figure == perf.NS {
			b.Mops = 1e3 / b.Median
		}
		all = append(all, b)
	}
	return all
}

func (r *benchReport) writeJSON(w io.Writer) error {
	r.Results = r.summed()
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

func (r *benchReport) writeTable(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.Machine.Facts() {
		fmt.Fprintf(w, "%s\t%s\n", f.Name, f.Value)
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil || len(r.results) == 0 {
		return err
	}
	rows := r.summed()
	width := 0
	for _, b := range rows {
		width = max(width, len(b.Name))
	}
	var text strings.Builder
	line := func(name string, cells ...string) {
		fmt.Fprintf(&text, "%-*s", width, name)
		for _, c := range cells {
			fmt.Fprintf(&text, "  %9s", c)
		}
		text.WriteByte('\n')
	}
	line("work", "ns/op", "M ops/s", "min", "max", "spread")
	for _, b := range rows {
		mops := ""
		if b.Mops > 0 {
			mops = page.Digits(b.Mops)
		}
		line(b.Name, page.Digits(b.Median), mops, page.Digits(b.Min), page.Digits(b.Max), fmt.Sprintf("%.0f %%", b.Spread*100))
	}
	if len(r.Memory) > 0 {
		text.WriteString("\nmemory\n")
	}
	for _, f := range r.Memory {
		fmt.Fprintf(&text, "  %-38s%12s\n", f.Name, page.Amount(f.Value, f.Unit))
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// writeGo writes each run as a line of its own. The lines of a work are in ascending order, not in that of the
// rounds, which makes no difference to benchstat.
func (r *benchReport) writeGo(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "goos: %s\ngoarch: %s\npkg: github.com/ringway-net/ringway/cmd/ringway\n", r.Machine.OS, r.Machine.Arch)
	if r.Machine.CPU != "" {
		fmt.Fprintf(&text, "cpu: %s\n", r.Machine.CPU)
	}
	procs := ""
	if p := r.Machine.GOMAXPROCS; p > 1 {
		procs = fmt.Sprintf("-%d", p)
	}
	for _, p := range r.results {
		unit := "ns/op"
		if p.Figure != perf.NS {
			unit = p.Figure + "-ns/op"
		}
		for _, v := range p.Values {
			fmt.Fprintf(&text, "BenchmarkRingway/%s%s\t%d\t%.4g %s\n", p.Work, procs, r.sizes[p.Work], v, unit)
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
