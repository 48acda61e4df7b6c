// The tables: of all figures, and of the facts.

package page

import (
	"slices"

	"github.com/ringway-net/ringway/internal/perf"
)

// tableRow is one result.
type tableRow struct {
	Work, Impl, Figure       string
	Median, Min, Max, Spread string
	Ratio                    string
	Runs                     int
	Ours, First              bool // First: of its work
}

func (s *sheet) table() (all []tableRow) {
	last := ""
	for _, work := range s.works {
		for _, r := range s.all {
			if r.Work != work {
				continue
			}
			all = append(all, tableRow{
				Work: r.Work, Impl: r.Impl, Figure: r.Figure,
				Median: Digits(r.Median()), Min: Digits(r.Min()), Max: Digits(r.Max()),
				Spread: share(r.Spread()), Ratio: s.ratioToTell(r), Runs: len(r.Values),
				Ours: r.Impl == perf.Ours, First: work != last,
			})
			last = work
		}
	}
	return all
}

// byName puts the facts of one name together, in the order in which the names first come.
func byName(facts []perf.Fact) []perf.Fact {
	place := func(f perf.Fact) int {
		return slices.IndexFunc(facts, func(g perf.Fact) bool { return g.Name == f.Name })
	}
	sorted := slices.Clone(facts)
	slices.SortStableFunc(sorted, func(a, b perf.Fact) int { return place(a) - place(b) })
	return sorted
}
