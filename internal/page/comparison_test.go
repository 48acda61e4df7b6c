package page

import (
	"html"
	"strings"
	"testing"
	"time"
)

func compared(t *testing.T, c Comparison) string {
	t.Helper()
	var b strings.Builder
	if err := WriteComparison(&b, c); err != nil {
		t.Fatal(err)
	}
	wellFormed(t, b.String())
	return b.String()
}

func comparisonSample() Comparison {
	c := Comparison{
		Title: "Ringway and other switches", Date: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC), Yardstick: "the Linux bridge",
		Warnings: []string{"a <peer> failed"}, Notes: []string{"Medians of 3 rounds."},
		Works: []Compared{
			{Title: "TCP", Unit: "Gbit/s", Standings: []Standing{
				{Name: "bridge", Value: "10", Ratios: []float64{1.05, 0.95}, CPU: "–"},
				{Name: "ringway-switch-tap", Ours: true, Value: "7.5", Ratios: []float64{0.8, 0.7, 0.75}, CPU: "90.0 %"},
				{Name: "peer", Value: "never connects", CPU: "100.0 %"},
			}},
			{Title: "ping", Unit: "µs", Less: true, Standings: []Standing{{Name: "peer", Value: "80", Ratios: []float64{2}}}},
			{Title: "idle", Standings: []Standing{{Name: "peer", Value: "–", CPU: "0.1 %"}}},
		},
		Goals: []Goal{{What: "TCP", Who: "ringway-switch-tap", Bound: "≥ × 0.80", Measured: "× 0.75", Verdict: "not reached (in 1 of 3 rounds)"}},
	}
	p, few := Plot{Title: "Frames by ports", X: "ports", Y: "kframes/s"}, Plot{Title: "Two points", X: "x", Y: "y"}
	for _, x := range []float64{64, 2, 8} { // in no order
		p.Add("10 addresses", x, []float64{900 + x, 910, 800})
		p.Add("1 M addresses", x, []float64{700, 600})
	}
	p.Add("nothing came", 2, []float64{0})
	few.Add("line", 1, []float64{1})
	few.Add("line", 2, []float64{1})
	c.Plots = []Plot{p, few}
	return c
}

func TestComparison(t *testing.T) {
	c := comparisonSample()
	out := html.UnescapeString(compared(t, c))
	for _, text := range []string{
		"26 November 2026", "a <peer> failed", "Medians of 3 rounds.",
		`<td>bridge</td><td class="n">10</td><td>Gbit/s</td><td class="n">×1.00</td><td class="n">×0.95</td><td class="n">×1.05</td>`,
		`<td class="n">never connects</td><td>Gbit/s</td><td class="n"></td>`,
		"<td>≥ × 0.80</td>", "not reached (in 1 of 3 rounds)",
		"× the Linux bridge, better to the left", "× the Linux bridge, better to the right", "kframes/s against ports",
	} {
		if !strings.Contains(out, text) {
			t.Errorf("%q is not in the page", text)
		}
	}
	if plots := svgs(compared(t, c)); len(plots) != 1 {
		t.Errorf("%d plots", len(plots))
	} else if n := elements(t, plots[0]); n["mark"] != 6 || n["curve"] != 2 {
		t.Errorf("the plot has %v, want 6 points on 2 lines", n)
	}
	if out := compared(t, Comparison{Title: "Empty"}); !strings.Contains(out, "There are no results") {
		t.Errorf("%s", out)
	}
}

// A work without ratios has no card; in the others a mark is between the ends of its line, and 1 is on the axis.
func TestComparisonCards(t *testing.T) {
	cards := comparisonSample().cards()
	if len(cards) != 2 || cards[0].Title != "TCP, Gbit/s" || cards[1].Title != "ping, µs" {
		t.Fatalf("%+v", cards)
	}
	bridge, ours, peer := cards[0].Rows[0], cards[0].Rows[1], cards[0].Rows[2]
	if ours.Ratio != "×0.75" || !(0 < ours.Lower && ours.Lower < ours.Dots[0].At && ours.Dots[0].At < ours.Upper && ours.Upper < cards[0].One) {
		t.Errorf("%+v, 1 is at %v", ours, cards[0].One)
	}
	if !ours.Ours || ours.Dots[0].Mark.Class != "ours" || bridge.Dots[0].Mark.Class == "ours" {
		t.Errorf("%+v, %+v", ours, bridge)
	}
	if peer.Value != "never connects" || len(peer.Dots) > 0 || peer.Ratio != "" {
		t.Errorf("%+v", peer)
	}
}

func TestPlotPointsInOrder(t *testing.T) {
	p, ok := draw(comparisonSample().Plots[0].lines)
	if !ok || len(p.Lines) != 2 {
		t.Fatalf("%+v", p)
	}
	for _, l := range p.Lines {
		for i := 1; i < len(l.Points); i++ {
			if l.Points[i].X <= l.Points[i-1].X {
				t.Errorf("%s: %+v", l.Name, l.Points)
			}
		}
	}
}
