// Line plots on two logarithmic axes, as SVG: how a figure goes with a parameter of the work.

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ringway-net/ringway/internal/perf"
)

// Places in a plot, in units of its own that are about pixels.
const (
	plotWidth  = 430
	plotHeight = 320
	left       = 38.0
	right      = 278.0 // what is beyond is for names, if there are several
	top        = 12.0
	bottom     = 276.0
	names      = right + 16 // where names begin
	nameHeight = 14.0
)

// plot is one of them.
type plot struct {
	Title          string // what is the same in all its works
	X, Y           string // what is on its axes
	Width, Height  int
	Left, Right    float64
	Top, Bottom    float64
	XTicks, YTicks []tick // At is a place in the plot
	Lines          []line
}

// Middle is where the name of the x axis stands.
func (p plot) Middle() float64 { return (p.Left + p.Right) / 2 }

// line is what one implementation does.
type line struct {
	Name, Path string
	Band       string // the middle half of the runs, Ringway's only
	Mark       mark
	Ours       bool
	Points     []point
	NameX      float64
	NameY      float64
	Leader     string // from the last point to the name
	last       point
}

// point is one result.
type point struct {
	X, Y, Lower, Upper float64
	Title              string
}

// fewest is how many points one of the lines needs to make a plot: two make no curve. A line with a single
// point is left out, since the bars show it better.
const fewest = 3

// sweeps returns the plots that the results have points for.
func (s *sheet) sweeps() (all []plot) {
	for _, sweep := range []struct {
		parameter  int
		name, axis string
	}{
		{burst, "burst size", "items at a time"},
		{goroutines, "goroutines", "goroutines"},
		{capacity, "capacity", "slots of the ring"},
		{size, "element size", "bytes of an element"},
	} {
		var order []workName
		works := map[workName][]string{}
		for _, work := range s.works {
			n := parseName(work)
			if n.params[sweep.parameter] == 0 {
				continue
			}
			n = n.without(sweep.parameter)
			if len(works[n]) == 0 {
				order = append(order, n)
			}
			works[n] = append(works[n], work)
		}
		for _, n := range order {
			if p, ok := s.plot(works[n], sweep.parameter); ok {
				p.Title, p.X, p.Y = n.title()+", by "+sweep.name, sweep.axis, "ns an item"
				all = append(all, p)
			}
		}
	}
	return all
}

// title says what is the same in all works of a plot.
func (n workName) title() string {
	parts := []string{n.family}
	switch b := n.params[burst]; {
	case b == 1:
		parts = append(parts, "one at a time")
	case b > 1:
		parts = append(parts, fmt.Sprintf("bursts of %d", b))
	}
	if g := n.params[goroutines]; g > 0 {
		parts = append(parts, fmt.Sprintf("%d goroutines", g))
	}
	if c := n.params[capacity]; c > 0 && c != usual[capacity] {
		parts = append(parts, fmt.Sprintf("%d slots", c))
	}
	if b := n.params[size]; b > 0 && (b != usual[size] || !n.ring) {
		parts = append(parts, fmt.Sprintf("%d bytes", b))
	}
	if n.variant != "" {
		parts = append(parts, n.variant)
	}
	return strings.Join(parts, ", ")
}

// plot draws the works, which differ in the parameter.
func (s *sheet) plot(works []string, parameter int) (p plot, ok bool) {
	at := func(work string) float64 { return float64(parseName(work).params[parameter]) }
	slices.SortStableFunc(works, func(a, b string) int { return cmp.Compare(at(a), at(b)) })
	var all []series
	for _, impl := range s.impls {
		c := series{name: impl, mark: s.mark(impl), ours: impl == perf.Ours}
		for _, work := range works {
			if r, has := s.cells[cell{work, perf.NS, impl}]; has {
				c.points = append(c.points, reading{r, at(work), told(r)})
			}
		}
		all = append(all, c)
	}
	return draw(all)
}

// series is a line before it is drawn.
type series struct {
	name   string
	mark   mark
	ours   bool
	points []reading // from left to right
}

// reading is what was measured at a place of the x axis.
type reading struct {
	perf.Result
	x     float64
	title string
}

// draw makes a plot of all that have points enough. The first of them is above all others.
func draw(all []series) (p plot, ok bool) {
	p = plot{Width: plotWidth, Height: plotHeight, Left: left, Right: right, Top: top, Bottom: bottom}
	alone := len(all) == 1
	all = slices.DeleteFunc(all, func(s series) bool { return len(s.points) < 2 })
	var xs, ys []float64
	for _, s := range all {
		ok = ok || len(s.points) >= fewest
		for _, r := range s.points {
			lower, upper := r.Quartiles()
			xs, ys = append(xs, r.x), append(ys, lower, upper)
		}
	}
	if !ok {
		return p, false
	}
	xAxis, yAxis := scale{slices.Min(xs), slices.Max(xs), true}, logScale(ys)
	if xAxis.lo == xAxis.hi {
		return p, false // works that differ in something that isn't drawn
	}
	if alone {
		p.Right = plotWidth - 10
	}
	placeX := func(x float64) float64 { return left + 10 + xAxis.at(x)*(p.Right-left-20) }
	placeY := func(y float64) float64 { return bottom - yAxis.at(y)*(bottom-top) }

	for _, t := range yAxis.ticks(10) {
		p.YTicks = append(p.YTicks, tick{bottom - t.At*(bottom-top), t.Value, t.Label})
	}
	slices.Sort(xs)
	for _, x := range slices.Compact(xs) {
		t := tick{placeX(x), x, plain(x)}
		if k := len(p.XTicks); k > 0 && t.At-p.XTicks[k-1].At < 12+6*float64(len(t.Label)) {
			t.Label = "" // no room for it
		}
		p.XTicks = append(p.XTicks, t)
	}
	for _, s := range slices.Backward(all) {
		l := line{Name: s.name, Mark: s.mark, Ours: s.ours, NameX: names}
		for _, r := range s.points {
			lower, upper := r.Quartiles()
			l.Points = append(l.Points, point{placeX(r.x), placeY(r.Median()), placeY(lower), placeY(upper), r.title})
		}
		l.Path, l.last = path(l.Points, func(p point) float64 { return p.Y }), l.Points[len(l.Points)-1]
		if l.Ours {
			back := slices.Clone(l.Points)
			slices.Reverse(back)
			l.Band = path(l.Points, func(p point) float64 { return p.Upper }) +
				"L" + path(back, func(p point) float64 { return p.Lower })[1:] + "Z"
		}
		p.Lines = append(p.Lines, l)
	}
	if !alone {
		placeNames(p.Lines)
	}
	return p, true
}

// path joins points.
func path(points []point, y func(point) float64) string {
	var b strings.Builder
	for k, p := range points {
		b.WriteByte("ML"[min(k, 1)])
		fmt.Fprintf(&b, "%.1f,%.1f", p.X, y(p))
	}
	return b.String()
}

// placeNames puts the names beside the ends of their lines, none above another.
func placeNames(lines []line) {
	order := make([]*line, len(lines))
	for k := range lines {
		order[k] = &lines[k]
	}
	slices.SortStableFunc(order, func(a, b *line) int { return cmp.Compare(a.last.Y, b.last.Y) })
	for k, l := range order {
		l.NameY = l.last.Y
		if k > 0 {
			l.NameY = max(l.NameY, order[k-1].NameY+nameHeight)
		}
	}
	limit := bottom // and back up, if the last ones are below the plot
	for _, l := range slices.Backward(order) {
		l.NameY = min(l.NameY, limit)
		limit = l.NameY - nameHeight
		l.Leader = fmt.Sprintf("M%.1f,%.1fL%.1f,%.1f", l.last.X, l.last.Y, l.NameX-4, l.NameY)
	}
}
