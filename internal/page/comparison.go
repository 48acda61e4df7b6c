// The other page: systems beside a yardstick, in figures of any unit.

package page

import (
	"cmp"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/perf"
)

// Comparison is what a page of systems beside a yardstick says.
type Comparison struct {
	Title     string
	Date      time.Time      // when it was measured; not shown if zero
	Machine   []machine.Fact // where
	Warnings  []string       // what speaks against trusting the figures, a sentence each
	Notes     []string       // how it was measured: a paragraph each
	Yardstick string         // what all are compared with, as in "the Linux bridge"
	Works     []Compared
	Goals     []Goal
	Plots     []Plot // one without a line of three points is left out
}

// Compared is a work, and what systems reached.
type Compared struct {
	Title     string
	Unit      string // of the figures; "" if the work has none but CPU time
	Less      bool   // less is better
	Standings []Standing
}

// Standing is what one system reached.
type Standing struct {
	Name   string
	Ours   bool
	Value  string    // the figure, or why there is none
	Ratios []float64 // to the yardstick's, one for each run; above 0
	CPU    string    // that the system used
}

// Goal is something that is meant to be, and what is.
type Goal struct {
	What, Who, Bound, Measured, Verdict string
}

// Plot is how something goes with a number: lines on two logarithmic axes.
type Plot struct {
	Title, X, Y string
	lines       []series
}

// Add adds a point to a line: values, above 0, of several runs at x, above 0.
func (p *Plot) Add(line string, x float64, values []float64) {
	i := slices.IndexFunc(p.lines, func(s series) bool { return s.name == line })
	if i < 0 {
		i = len(p.lines)
		p.lines = append(p.lines, series{name: line, mark: markOf(i)})
	}
	s := &p.lines[i]
	r := reading{perf.Result{Values: slices.Sorted(slices.Values(values))}, x, ""}
	if !drawable(r.Result) {
		return
	}
	r.title = fmt.Sprintf("%s, %s %s: %s %s", line, plain(x), p.X, Digits(r.Median()), p.Y)
	at, _ := slices.BinarySearchFunc(s.points, x, func(r reading, x float64) int { return cmp.Compare(r.x, x) })
	s.points = slices.Insert(s.points, at, r)
}

//go:embed comparison.html
var comparisonHTML string

var comparison = made("comparison", comparisonHTML)

// WriteComparison writes the page of c.
func WriteComparison(w io.Writer, c Comparison) error {
	var drawn []plot
	for _, p := range c.Plots {
		if d, ok := draw(slices.Clone(p.lines)); ok {
			d.Title, d.X, d.Y = p.Title, p.X, p.Y
			drawn = append(drawn, d)
		}
	}
	return comparison.Execute(w, struct {
		Comparison
		Cards []card
		Table []figureRow
		Drawn []plot
	}{c, c.cards(), c.table(), drawn})
}

// theirMark is that of all who are not ours: the rows have their names.
var theirMark = markOf(0)

// cards returns a card of ratios for each work that has some.
func (c Comparison) cards() (all []card) {
	for _, w := range c.Works {
		values := []float64{1}
		for _, s := range w.Standings {
			values = append(values, s.Ratios...)
		}
		if len(values) == 1 {
			continue
		}
		axis := logScale(values)
		better := "right"
		if w.Less {
			better = "left"
		}
		k := card{
			Title: fmt.Sprintf("%s, %s", w.Title, w.Unit), Axis: axis.name("× " + c.Yardstick + ", better to the " + better),
			Ticks: axis.ticks(5), Ratio: true, One: axis.at(1),
		}
		for _, s := range w.Standings {
			r := row{Name: s.Name, Ours: s.Ours, Value: s.Value, Title: strings.TrimSpace(s.Name + ": " + s.Value + " " + w.Unit)}
			if m := s.sorted(); len(m.Values) > 0 {
				d := dot{axis.at(m.Median()), theirMark, r.Title}
				if s.Ours {
					d.Mark = mark{"ours", circle}
				}
				r.Dots, r.Ratio = []dot{d}, times(m.Median())
				r.Lower, r.Upper = axis.at(m.Min()), axis.at(m.Max())
			}
			k.Rows = append(k.Rows, r)
		}
		all = append(all, k)
	}
	return all
}

// sorted returns the ratios as a result, for its median and its ends.
func (s Standing) sorted() perf.Result {
	return perf.Result{Values: slices.Sorted(slices.Values(s.Ratios))}
}

// figureRow is one line of the table.
type figureRow struct {
	Work, Unit, Name, Value, Ratio, Least, Greatest, CPU string
	Ours, First                                          bool // First: of its work
}

func (c Comparison) table() (all []figureRow) {
	for _, w := range c.Works {
		for i, s := range w.Standings {
			f := figureRow{Work: w.Title, Unit: w.Unit, Name: s.Name, Value: s.Value, CPU: s.CPU, Ours: s.Ours, First: i == 0}
			if m := s.sorted(); len(m.Values) > 0 {
				f.Ratio, f.Least, f.Greatest = times(m.Median()), times(m.Min()), times(m.Max())
			}
			all = append(all, f)
		}
	}
	return all
}
