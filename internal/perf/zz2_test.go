package perf
import ("testing";"context";"fmt";"time";"os";"regexp")
func TestPol(t *testing.T) {
	re := regexp.MustCompile(os.Getenv("ONLY"))
	var ws []Work
	for _, p := range []Pauses{{1,16},{16,16},{1,64},{16,64},{64,64},{1,256},{256,256},{1,1024}} {
		pt := p
		for _, w := range Ringway() { if re.MatchString(w.Name) { w := w; ws = append(ws, Work{w.Name, fmt.Sprint(p), func(n int)(Figures,error){ dflt = pt; return w.Run(n)}}) } }
	}
	rs, err := Measure(context.Background(), ws, Options{Rounds: 12, Time: 15*time.Millisecond})
	if err != nil { t.Fatal(err) }
	for _, r := range rs { if r.Figure=="ns" {fmt.Printf("%-22s %-12s %9.2f  %9.2f..%9.2f\n", r.Work, r.Impl, r.Median(), r.Min(), r.Max())} }
}
