//go:build linux

// The page: the same with charts.

package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/ringway-net/ringway/internal/page"
)

// page writes everything as a page with charts.
func (r *report) page(w io.Writer) error {
	c := page.Comparison{
		Title: "Ringway and other switches", Date: r.Date, Machine: r.facts(), Warnings: slices.Concat(r.Warnings, r.Skipped, r.Failed),
		Yardstick: "the Linux bridge",
		Notes:     []string{r.howMeasured()},
		Plots:     r.plots(),
	}
	for _, work := range r.works {
		p := page.Compared{Title: work.title, Unit: work.unit, Less: work.less}
		for _, s := range r.systems {
			row := r.row(work.name, s.name)
			if row.Runs == 0 {
				continue
			}
			p.Standings = append(p.Standings, page.Standing{
				Name: s.name, Ours: s.ours, Value: row.value(), Ratios: row.Ratios, CPU: cell(row.CPU, 100, "%.1f %%"),
			})
		}
		if len(p.Standings) > 0 {
			c.Works = append(c.Works, p)
		}
	}
	for _, v := range r.verdicts() {
		c.Goals = append(c.Goals, page.Goal{What: v.work, Who: v.system, Bound: v.bound, Measured: v.measured, Verdict: v.reached})
	}
	return page.WriteComparison(w, c)
}

// plots shows how the cost goes with ports and addresses.
func (r *report) plots() (all []page.Plot) {
	ports := func(s scaleRow) (line string, x int) {
		return fmt.Sprintf("%s, %s", s.Fabric, plural(s.Addresses, "address", "addresses")), s.Ports
	}
	addresses := func(s scaleRow) (line string, x int) {
		return fmt.Sprintf("%s, %s", s.Fabric, plural(s.Ports, "port", "ports")), s.Addresses
	}
	frames := func(s scaleRow) []float64 { return s.Frames }
	cpu := func(s scaleRow) []float64 { return s.CPU }
	for _, p := range []struct {
		title, x, y string
		split       func(scaleRow) (string, int)
		values      func(scaleRow) []float64
	}{
		{"Frames per second, by ports", "ports", "thousand frames a second", ports, frames},
		{"CPU per frame, by ports", "ports", "ns of CPU a frame", ports, cpu},
		{"Frames per second, by addresses", "addresses that it has learned", "thousand frames a second", addresses, frames},
		{"CPU per frame, by addresses", "addresses that it has learned", "ns of CPU a frame", addresses, cpu},
	} {
		plot := page.Plot{Title: p.title, X: p.x, Y: p.y}
		for _, s := range r.Scale {
			name, x := p.split(s)
			plot.Add(name, float64(x), p.values(s))
		}
		all = append(all, plot)
	}
	return all
}

// plural writes a number of things, a large one by a word.
func plural(n int, one, many string) string {
	switch {
	case n == 1:
		return "1 " + one
	case n%1_000_000 == 0:
		return fmt.Sprintf("%d M %s", n/1_000_000, many)
	case n%1000 == 0:
		return fmt.Sprintf("%d k %s", n/1000, many)
	}
	return fmt.Sprintf("%d %s", n, many)
}
