// The results in order: by work, figure and implementation, and which mark stands for whom.

package page

import (
	"cmp"
	"slices"

	"github.com/ringway-net/ringway/internal/perf"
)

// sheet is the results of a page.
type sheet struct {
	all   []perf.Result        // as they came, without those that have no values
	impls []string             // who is compared, Ringway first
	works []string             // what is measured, in the order of the results
	cells map[cell]perf.Result // those that can be drawn
}

// cell is where a result stands.
type cell struct{ work, figure, impl string }

func newSheet(results []perf.Result) *sheet {
	s := &sheet{cells: map[cell]perf.Result{}}
	for _, r := range results {
		if len(r.Values) == 0 {
			continue
		}
		s.all = append(s.all, r)
		if !slices.Contains(s.impls, r.Impl) {
			s.impls = append(s.impls, r.Impl)
		}
		if !slices.Contains(s.works, r.Work) {
			s.works = append(s.works, r.Work)
		}
		if drawable(r) {
			s.cells[cell{r.Work, r.Figure, r.Impl}] = r
		}
	}
	if k := slices.Index(s.impls, perf.Ours); k > 0 {
		s.impls = slices.Insert(slices.Delete(s.impls, k, k+1), 0, perf.Ours)
	}
	return s
}

// row returns the results of a figure of a work, Ringway's first, then the quickest.
func (s *sheet) row(work, figure string) (rs []perf.Result) {
	for _, impl := range s.impls {
		if r, ok := s.cells[cell{work, figure, impl}]; ok {
			rs = append(rs, r)
		}
	}
	slices.SortStableFunc(rs, order)
	return rs
}

// order puts Ringway's result first, then the quickest.
func order(a, b perf.Result) int {
	switch {
	case a.Impl == perf.Ours:
		return -1
	case b.Impl == perf.Ours:
		return 1
	}
	return cmp.Compare(a.Median(), b.Median())
}

// ratio returns Ringway's median divided by r's, below 1 if Ringway is faster; 0 if there is no telling.
func (s *sheet) ratio(r perf.Result) float64 {
	ours, ok := s.cells[cell{r.Work, r.Figure, perf.Ours}]
	if !ok || !drawable(r) {
		return 0
	}
	return ours.Median() / r.Median()
}

// rounds returns how often a work was run, at most.
func (s *sheet) rounds() (n int) {
	for _, r := range s.all {
		n = max(n, len(r.Values))
	}
	return n
}

// who is one line of the legend.
type who struct {
	Name string
	Mark mark
	Ours bool
}

// mark is how an implementation is drawn: a colour of the style sheet, and a shape for those who don't see
// the colour.
type mark struct {
	Class string
	Path  string // around 0,0
}

// shapes and colours repeat after different numbers, so that 21 peers differ in one of the two.
var shapes = []string{
	"M-4,-4H4V4H-4Z",              // square
	"M0,-5.2L5,4H-5Z",             // triangle
	"M0,-5.5L5.5,0L0,5.5L-5.5,0Z", // diamond
}

const (
	circle  = "M-5,0A5,5 0 1 1 5,0A5,5 0 1 1 -5,0Z"
	colours = 7 // .c0 to .c6 in page.css
)

func (s *sheet) mark(impl string) mark {
	if impl == perf.Ours {
		return mark{"ours", circle}
	}
	var peers int
	for _, i := range s.impls {
		if i == impl {
			break
		}
		if i != perf.Ours {
			peers++
		}
	}
	return markOf(peers)
}

// markOf returns the mark of the peer of a number.
func markOf(peer int) mark {
	return mark{"c" + string(rune('0'+peer%colours)), shapes[peer%len(shapes)]}
}

// legend returns all who are compared, if there is anybody to compare with.
func (s *sheet) legend() (all []who) {
	if len(s.impls) < 2 {
		return nil
	}
	for _, impl := range s.impls {
		all = append(all, who{impl, s.mark(impl), impl == perf.Ours})
	}
	return all
}
