// Cards: rows of bars or dots on one axis, made of boxes, so that text keeps its size on a small screen.

package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ringway-net/ringway/internal/perf"
)

// card is some rows on one axis. Places on it are 0 to 1.
type card struct {
	Title string
	Axis  string // what the axis is of
	Rows  []row
	Ticks []tick
	One   float64 // where the ratio 1 is, if Ratio is set
	Ratio bool
	Works bool // the rows are works, and not implementations
}

// row is what one implementation does, or one work.
type row struct {
	Name, Title  string // Title is shown when it is pointed at
	Ours         bool
	Bar          float64 // the length of the bar; none if 0
	Lower, Upper float64 // the ends of the whisker
	Dots         []dot
	Value, Ratio string
}

// dot is one mark of a row.
type dot struct {
	At    float64
	Mark  mark
	Title string
}

// linear or not, what an axis is called.
func (s scale) name(of string) string {
	if s.log {
		return of + ", logarithmic"
	}
	return of
}

// cards returns a card for each work that several do. What nobody but one does shares a card, by family if
// there are no peers at all. With peers, the works that are points of plots come with more.
func (s *sheet) cards(more bool) (all []card) {
	var titles []string
	alone := map[string][]perf.Result{}
	for _, work := range s.works {
		rs, n := s.row(work, perf.NS), parseName(work)
		switch {
		case len(rs) == 0 || (n.main() || len(s.impls) == 1) == more:
		case len(rs) == 1:
			title := "without a peer"
			if len(s.impls) == 1 {
				title = n.family
			}
			if len(alone[title]) == 0 {
				titles = append(titles, title)
			}
			alone[title] = append(alone[title], rs[0])
		default:
			all = append(all, s.bars(work, rs, func(r perf.Result) string { return r.Impl }))
		}
	}
	for _, title := range titles {
		c := s.bars(title, alone[title], func(r perf.Result) string { return strings.TrimPrefix(r.Work, title+"/") })
		c.Works = true
		all = append(all, c)
	}
	return all
}

// bars makes a card of bars.
func (s *sheet) bars(title string, rs []perf.Result, name func(perf.Result) string) card {
	var values []float64
	for _, r := range rs {
		_, upper := r.Quartiles()
		values = append(values, r.Median(), upper)
	}
	axis := barScale(values)
	c := card{Title: title, Axis: axis.name("ns"), Ticks: axis.ticks(5)}
	for _, r := range rs {
		lower, upper := r.Quartiles()
		c.Rows = append(c.Rows, row{
			Name: name(r), Title: told(r), Ours: r.Impl == perf.Ours,
			Bar: axis.at(r.Median()), Lower: axis.at(lower), Upper: axis.at(upper),
			Value: duration(r.Median()), Ratio: s.ratioToTell(r),
		})
	}
	return c
}

// ratioToTell is the ratio to a peer; that to Ringway itself says nothing.
func (s *sheet) ratioToTell(r perf.Result) string {
	if r.Impl == perf.Ours {
		return ""
	}
	return times(s.ratio(r))
}

// told is a result in a sentence.
func told(r perf.Result) string {
	return fmt.Sprintf("%s, %s: median %s, %s to %s, spread %s, %d runs", r.Impl, r.Row(),
		duration(r.Median()), duration(r.Min()), duration(r.Max()), share(r.Spread()), len(r.Values))
}

// share writes a share in percent.
func share(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return decimals(v*100, 0) + " %"
}

// ratios returns the overview: Ringway's time divided by each peer's, for all main works that have peers.
func (s *sheet) ratios() *card {
	c := card{Title: "At a glance", Ratio: true}
	var values []float64
	var rows [][]perf.Result
	for _, work := range s.works {
		rs := s.row(work, perf.NS)
		if len(rs) < 2 || rs[0].Impl != perf.Ours || !parseName(work).main() {
			continue
		}
		rows = append(rows, rs)
		for _, r := range rs {
			values = append(values, s.ratio(r))
		}
	}
	if len(rows) == 0 {
		return nil
	}
	axis := logScale(values)
	c.Axis, c.Ticks, c.One = axis.name("Ringway ÷ peer"), axis.ticks(8), axis.at(1)
	for i, t := range c.Ticks {
		c.Ticks[i].Label = "×" + t.Label
	}
	for _, rs := range rows {
		best := rs[1] // the quickest peer
		r := row{
			Name: rs[0].Work, Title: told(rs[0]), Value: duration(rs[0].Median()),
			Ratio: best.Impl + " " + times(s.ratio(best)),
		}
		for _, peer := range slices.Backward(rs) { // Ringway's dot above all others
			r.Dots = append(r.Dots, dot{axis.at(s.ratio(peer)), s.mark(peer.Impl), told(peer) + ", " + times(s.ratio(peer))})
		}
		c.Rows = append(c.Rows, r)
	}
	return &c
}

// latencies returns a card for each work that has latencies and is done by several, and one for all others.
func (s *sheet) latencies() (all []card) {
	var alone [][]perf.Result
	for _, work := range s.works {
		var rows [][]perf.Result
		for _, impl := range s.impls {
			var rs []perf.Result
			for _, figure := range []string{"p50", "p99", "p999"} {
				if r, ok := s.cells[cell{work, figure, impl}]; ok {
					rs = append(rs, r)
				}
			}
			if len(rs) > 0 {
				rows = append(rows, rs)
			}
		}
		if len(rows) == 1 {
			alone = append(alone, rows...)
		} else if len(rows) > 1 {
			slices.SortStableFunc(rows, func(a, b []perf.Result) int { return order(a[0], b[0]) })
			all = append(all, s.spans(work, rows, func(r perf.Result) string { return r.Impl }))
		}
	}
	if len(alone) > 0 {
		all = append(all, s.spans("latencies", alone, func(r perf.Result) string { return r.Work }))
	}
	return all
}

// spans makes a card of rows with one dot for each latency.
func (s *sheet) spans(title string, rows [][]perf.Result, name func(perf.Result) string) card {
	var values []float64
	for _, rs := range rows {
		for _, r := range rs {
			values = append(values, r.Median())
		}
	}
	axis := logScale(values)
	c := card{Title: title, Axis: "logarithmic", Ticks: axis.ticks(5)}
	for i, t := range c.Ticks {
		c.Ticks[i].Label = inUnit(t.Value, plain)
	}
	for _, rs := range rows {
		first := rs[0]
		r := row{Name: name(first), Ours: first.Impl == perf.Ours, Lower: 1}
		var titles, medians []string
		for _, l := range rs {
			at := axis.at(l.Median())
			r.Dots = append(r.Dots, dot{at, s.mark(l.Impl), told(l)})
			r.Lower, r.Upper = min(r.Lower, at), max(r.Upper, at)
			titles = append(titles, told(l))
			median := duration(l.Median())
			if len(rs) == 1 {
				median = l.Figure + " " + median
			}
			medians = append(medians, median)
		}
		r.Title, r.Value = strings.Join(titles, "\n"), strings.Join(medians, " · ")
		c.Rows = append(c.Rows, r)
	}
	return c
}
