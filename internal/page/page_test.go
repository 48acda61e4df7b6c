package page

import (
	"encoding/xml"
	"errors"
	"html"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/perf"
)

var peers = []string{"rtrb", "a peer with a long name", "channel", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11"}

func written(t *testing.T, d Doc) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements parses SVG as XML, strictly, and counts its elements by class.
func elements(t *testing.T, svg string) map[string]int {
	t.Helper()
	count := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return count
		}
		if err != nil {
			t.Fatalf("%v in\n%.500s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			if a.Name.Local == "class" {
				for class := range strings.FieldsSeq(a.Value) {
					count[class]++
				}
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("<%s %s=%q>", e.Name.Local, a.Name.Local, a.Value)
			}
		}
	}
}

func svgs(html string) []string {
	return regexp.MustCompile(`(?s)<svg class="plot".*?</svg>`).FindAllString(html, -1)
}

// wellFormed holds for every page.
func wellFormed(t *testing.T, html string) {
	t.Helper()
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(html, -1) {
		elements(t, svg)
	}
	for _, open := range []string{"section", "figure", "div", "table", "tr", "td", "span", "details", "g", "svg", "i", "p", "ul", "li"} {
		opened, closed := len(regexp.MustCompile("<"+open+"[ >]").FindAllString(html, -1)), strings.Count(html, "</"+open+">")
		if opened != closed {
			t.Errorf("%d <%s> and %d </%s>", opened, open, closed, open)
		}
	}
	for _, bad := range []string{"http:", "https:", "//", "url(", "@import", "<script", "<link", "<img", " src=", " href=", "ZgotmplZ", "NaN", "Inf"} {
		if k := strings.Index(strings.ReplaceAll(html, ` xmlns="http://www.w3.org/2000/svg"`, ""), bad); k >= 0 {
			t.Errorf("the page has %q in it: %.100s", bad, html[max(0, k-50):])
		}
	}
}

func TestPage(t *testing.T) {
	d := sample(peers...)
	out := written(t, d)
	wellFormed(t, out)
	for _, r := range d.Results {
		if !strings.Contains(out, "<td>"+r.Work+"</td><td>"+r.Impl+"</td><td>"+r.Figure+"</td>") {
			t.Errorf("%s of %s by %s is not in the table", r.Figure, r.Work, r.Impl)
		}
	}
	for _, text := range append(d.Warnings, d.Notes...) {
		if !strings.Contains(html.UnescapeString(out), text) {
			t.Errorf("%q is not in the page", text)
		}
	}
	for _, text := range []string{"23 November 2026", "AMD EPYC", "256 KiB", "10 rounds", "At a glance", "without a peer", "<dt>inplace</dt>"} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in the page", text)
		}
	}
}

// Every plot has all points of all lines, Ringway's line once, and whiskers for the others.
func TestPlots(t *testing.T) {
	s := newSheet(sample(peers...).Results)
	plots := s.sweeps()
	titles := map[string]plot{}
	for _, p := range plots {
		titles[p.Title] = p
	}
	for title, points := range map[string]int{
		"spsc, by burst size": 5, "spsc, inplace, by burst size": 5,
		"mpmc, one at a time, by goroutines": 5, "mpmc, bursts of 64, by goroutines": 5,
		"spsc, bursts of 64, by capacity": 5, "mpmc, one at a time, 2 goroutines, by capacity": 5,
		"spsc, bursts of 64, by element size": 5,
	} {
		p, ok := titles[title]
		if !ok {
			t.Errorf("there is no plot %q", title)
			continue
		}
		ours := p.Lines[len(p.Lines)-1]
		if !ours.Ours || len(ours.Points) != points || ours.Band == "" {
			t.Errorf("%s: the topmost line is %q, of %d points", title, ours.Name, len(ours.Points))
		}
		for k, pt := range ours.Points {
			if k > 0 && pt.X <= ours.Points[k-1].X {
				t.Errorf("%s: the points are not in order", title)
			}
		}
	}
	if len(plots) != 7 {
		t.Errorf("%d plots", len(plots))
	}
	for k, svg := range svgs(written(t, sample(peers...))) {
		n := 0
		for _, l := range plots[k].Lines {
			n += len(l.Points)
		}
		if c := elements(t, svg); c["mark"] != n || c["curve"] != len(plots[k].Lines) || c["band"] != 1 {
			t.Errorf("%s: %v, want %d points and %d lines", plots[k].Title, c, n, len(plots[k].Lines))
		}
	}
}

// Names beside a plot don't cover each other, and stay in it.
func TestPlotNames(t *testing.T) {
	for _, ys := range [][]float64{{100, 100, 100, 100}, {275, 276, 276}, {13, 270, 271, 272}, {50}} {
		var lines []line
		for _, y := range ys {
			lines = append(lines, line{last: point{Y: y}})
		}
		placeNames(lines)
		for k, l := range lines {
			if l.NameY > bottom || l.NameY < 0 {
				t.Errorf("%v: a name is at %v", ys, l.NameY)
			}
			if k > 0 && l.NameY-lines[k-1].NameY < nameHeight-1e-9 {
				t.Errorf("%v: names at %v and %v", ys, lines[k-1].NameY, l.NameY)
			}
		}
	}
}

func TestPageOfRingwayAlone(t *testing.T) {
	html := written(t, sample())
	wellFormed(t, html)
	if n := len(svgs(html)); n != 7 {
		t.Errorf("%d plots", n)
	}
	for _, bad := range []string{"At a glance", `class="legend"`, "<th class=\"n\">×</th>", "without a peer"} {
		if strings.Contains(html, bad) {
			t.Errorf("there is %q, and nobody to compare with", bad)
		}
	}
}

func TestCards(t *testing.T) {
	results := []perf.Result{
		{Work: "spsc/single", Impl: "slow", Figure: perf.NS, Values: []float64{20}},
		{Work: "spsc/single", Impl: "quick", Figure: perf.NS, Values: []float64{5}},
		{Work: "spsc/single", Impl: perf.Ours, Figure: perf.NS, Values: []float64{9, 10, 10, 11}},
		{Work: "pool/single", Impl: perf.Ours, Figure: perf.NS, Values: []float64{3}},
		{Work: "spsc/burst64/cap64", Impl: perf.Ours, Figure: perf.NS, Values: []float64{3}},
		{Work: "spsc/burst64/cap64", Impl: "slow", Figure: perf.NS, Values: []float64{3000}},
	}
	s := newSheet(results)
	cards := s.cards(false)
	if len(cards) != 2 || cards[0].Title != "spsc/single" || cards[1].Title != "without a peer" {
		t.Fatalf("%+v", cards)
	}
	var rows []string
	for _, r := range cards[0].Rows {
		rows = append(rows, r.Name+" "+r.Value+" "+r.Ratio)
	}
	if got := strings.Join(rows, "|"); got != "ringway 10.0 ns |quick 5.00 ns ×2.00|slow 20.0 ns ×0.50" {
		t.Errorf("%s", got)
	}
	if c := cards[0]; c.Axis != "ns" || c.Rows[1].Bar*2 != c.Rows[0].Bar {
		t.Errorf("a linear axis is %q, its bars %v and %v", c.Axis, c.Rows[0].Bar, c.Rows[1].Bar)
	}
	more := s.cards(true)
	if len(more) != 1 || more[0].Axis != "ns, logarithmic" || more[0].Rows[0].Bar <= 0 {
		t.Errorf("%+v", more)
	}
	glance := s.ratios()
	if len(glance.Rows) != 1 || glance.Rows[0].Ratio != "quick ×2.00" || len(glance.Rows[0].Dots) != 3 {
		t.Errorf("%+v", glance)
	}
}

// Every peer has a mark of its own.
func TestMarks(t *testing.T) {
	var results []perf.Result
	for k := range 21 {
		results = append(results, perf.Result{Work: "w", Impl: string(rune('a' + k)), Figure: perf.NS, Values: []float64{1}})
	}
	s := newSheet(results)
	seen := map[mark]string{s.mark(perf.Ours): perf.Ours}
	for _, w := range s.legend() {
		if other, ok := seen[w.Mark]; ok {
			t.Errorf("%s and %s are drawn the same", w.Name, other)
		}
		seen[w.Mark] = w.Name
		if !strings.Contains(pageCSS, "."+w.Mark.Class+" {") {
			t.Errorf("the style sheet has no %s", w.Mark.Class)
		}
	}
}

func TestHostileStrings(t *testing.T) {
	const evil = `"'><script>alert(1)</script><!-- ]]> & </svg> javascript:x`
	d := sample("rtrb")
	d.Title, d.Warnings, d.Notes = evil, []string{evil}, []string{evil}
	d.Machine = []machine.Fact{{Name: evil, Value: evil}}
	d.Memory = []perf.Fact{{Name: evil, Impl: evil, Unit: evil}}
	for _, work := range []string{"spsc/burst8/", "spsc/burst32/", "spsc/burst256/", ""} {
		for _, impl := range []string{perf.Ours, evil} {
			for _, figure := range []string{perf.NS, "p99", evil} {
				d.Results = append(d.Results, perf.Result{Work: work + evil, Impl: impl, Figure: figure, Values: []float64{1, 2}})
			}
		}
	}
	html := written(t, d)
	wellFormed(t, html)
	if strings.Contains(html, "<script") || strings.Contains(html, "<!--") {
		t.Error("markup came through")
	}
	if !strings.Contains(html, "&lt;script&gt;alert(1)") {
		t.Error("the text did not come through")
	}
}

func TestNothing(t *testing.T) {
	html := written(t, Doc{})
	wellFormed(t, html)
	if !strings.Contains(html, "There are no results") || strings.Contains(html, "How it was measured") {
		t.Error(html)
	}
	wellFormed(t, written(t, Doc{Results: []perf.Result{{Work: "spsc/single", Impl: perf.Ours, Figure: perf.NS}}}))
}

// Figures that no axis has a place for stand in the table alone.
func TestValuesThatCantBeDrawn(t *testing.T) {
	for _, v := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		d := sample("rtrb")
		for k := range d.Results {
			if k%3 == 0 {
				d.Results[k].Values = []float64{v, v}
			}
		}
		wellFormed(t, written(t, d))
		for k := range d.Results {
			d.Results[k].Values = []float64{v}
		}
		html := written(t, d)
		wellFormed(t, html)
		if len(svgs(html)) != 0 || !strings.Contains(html, "<td>spsc/single</td>") {
			t.Errorf("%v: %d plots", v, len(svgs(html)))
		}
	}
}

// Numbers of all sizes have a place.
func TestExtremeValues(t *testing.T) {
	for _, scale := range []float64{1e-300, 1e-9, 1, 1e15, 1e300} {
		d := sample("rtrb", "channel")
		for _, r := range d.Results {
			for k := range r.Values {
				r.Values[k] *= scale
			}
		}
		wellFormed(t, written(t, d))
	}
	d := sample("rtrb")
	for k, r := range d.Results {
		for i := range r.Values {
			r.Values[i] = math.Pow(10, float64(k%60)*5-150)
		}
	}
	wellFormed(t, written(t, d))
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.1875: "0.188", 0.9996: "1.00", 1.3: "1.30", 9.996: "10.0", 99.96: "100", 123.4: "123", 123456: "123456", math.NaN(): "–",
	} {
		if got := Digits(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.5: "0.500 ns", 999: "999 ns", 999.9: "1.00 µs", 23500: "23.5 µs", 2.5e9: "2.50 s"} {
		if got := duration(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "", 0.051: "×0.051", 0.5: "×0.50", 1: "×1.00", 9.96: "×10", 13.4: "×13"} {
		if got := times(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for _, c := range []struct {
		v          float64
		unit, want string
	}{{100, "B", "100 B"}, {3 << 20, "B", "3.00 MiB"}, {1500, "ns", "1.50 µs"}} {
		if got := Amount(c.v, c.unit); got != c.want {
			t.Errorf("%v %s: %s, want %s", c.v, c.unit, got, c.want)
		}
	}
}

func TestScale(t *testing.T) {
	labels := func(s scale, n int) string {
		var all []string
		for _, tick := range s.ticks(n) {
			if tick.At < 0 || tick.At > 1 {
				t.Errorf("%v: a tick at %v", s, tick.At)
			}
			all = append(all, tick.Label)
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct {
		values []float64
		n      int
		want   string
	}{
		{[]float64{3, 40}, 10, "2 5 10 20 50"},
		{[]float64{1, 1}, 10, "1 2"},
		{[]float64{0.3, 1e6}, 10, "1 10 100 1000 10000 100000 1000000"},
		{[]float64{1, 1000}, 3, "1 10 100 1000"},
	} {
		if got := labels(logScale(c.values), c.n); got != c.want {
			t.Errorf("%v: ticks %s, want %s", c.values, got, c.want)
		}
	}
	if got := labels(barScale([]float64{3, 9.5}), 5); got != "0 2 4 6 8" {
		t.Errorf("ticks %s", got)
	}
	s := logScale([]float64{1, 100})
	if s.at(1) != 0 || math.Abs(s.at(10)-0.5) > 1e-9 || s.at(100) != 1 || s.at(1e9) != 1 {
		t.Errorf("%v, %v, %v, %v", s.at(1), s.at(10), s.at(100), s.at(1e9))
	}
}

func TestParseName(t *testing.T) {
	for name, want := range map[string]workName{
		"spsc/single":               {family: "spsc", ring: true, params: params{1, 4096, 8, 0}},
		"spsc/burst64/inplace":      {family: "spsc", ring: true, variant: "inplace", params: params{64, 4096, 8, 0}},
		"spsc/burst8/16B":           {family: "spsc", ring: true, params: params{8, 4096, 16, 0}},
		"mpmc/single/1":             {family: "mpmc", ring: true, params: params{1, 4096, 8, 1}},
		"mpmc/single/4p4c/cap64":    {family: "mpmc", ring: true, params: params{1, 64, 8, 8}},
		"pool/bulk64/cross":         {family: "pool", variant: "cross", params: params{64, 0, 0, 0}},
		"handoff/64":                {family: "handoff", variant: "64"},
		"frame/1500B":               {family: "frame", params: params{0, 0, 1500, 0}},
		"":                          {},
		"x//burst":                  {family: "x", variant: "burst"},
		"x/burst0/0B/y":             {family: "x", variant: "burst0/0B/y"},
		"x/cap99999999999999999999": {family: "x", variant: "cap99999999999999999999"},
	} {
		if got := parseName(name); got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestWriteError(t *testing.T) {
	if err := Write(full{}, sample()); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%v", err)
	}
}
