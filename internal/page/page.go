// Package page writes the results of a benchmark as one HTML page that needs nothing else: no network, no
// script, no font. Charts are SVG and boxes that the page's own style sheet colours, in light and dark. Doc is for times of
// Ringway and its peers, Comparison for figures of any kind beside a yardstick's.
package page

import (
	_ "embed"
	"html/template"
	"io"
	"math"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/perf"
)

// Doc is what a page says.
type Doc struct {
	Title    string
	Date     time.Time      // when it was measured; not shown if zero
	Machine  []machine.Fact // where
	Warnings []string       // what speaks against trusting the figures, a sentence each
	Results  []perf.Result  // of Ringway and its peers; what has no values, or none above 0, is left out of the charts
	Memory   []perf.Fact    // what was measured beside times
	Notes    []string       // how it was measured, beyond what is true of all works: a paragraph each
}

var (
	//go:embed parts.html
	partsHTML string
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string

	// parts are what all pages are made of.
	parts = template.Must(template.New("parts").Funcs(template.FuncMap{
		"css":     func() template.CSS { return template.CSS(pageCSS) },
		"percent": func(share float64) string { return decimals(share*100, 2) + "%" },
		"px":      func(v float64) string { return decimals(v, 1) },
		"amount":  Amount,
	}).Parse(partsHTML))
	page = made("page", pageHTML)
)

// made returns a page that uses the parts.
func made(name, html string) *template.Template {
	return template.Must(template.Must(parts.Clone()).New(name).Parse(html))
}

// Write writes the page of d.
func Write(w io.Writer, d Doc) error {
	s := newSheet(d.Results)
	return page.Execute(w, struct {
		Doc
		Who      []who
		Ratios   *card
		Sweeps   []plot
		Cards    []card
		More     []card
		Latency  []card
		Table    []tableRow
		Glossary []entry
		Facts    []perf.Fact
		Rounds   int
	}{
		d, s.legend(), s.ratios(), s.sweeps(), s.cards(false), s.cards(true), s.latencies(), s.table(), s.glossary(), byName(d.Memory), s.rounds(),
	})
}

// drawable reports whether a logarithmic axis has a place for all values of r.
func drawable(r perf.Result) bool {
	for _, v := range r.Values {
		if !(v > 0) || math.IsInf(v, 0) {
			return false
		}
	}
	return len(r.Values) > 0
}
