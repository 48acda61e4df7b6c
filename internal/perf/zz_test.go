package perf
import ("testing";"os";"regexp";"context";"fmt";"time")
func TestZZ(t *testing.T) {
	re := regexp.MustCompile(os.Getenv("ONLY"))
	var ws []Work
	for _, w := range Ringway() { if re.MatchString(w.Name) { ws = append(ws, w) } }
	rs, err := Measure(context.Background(), ws, Options{Rounds: 20, Time: 15*time.Millisecond})
	for _, r := range rs { fmt.Printf("%-30s %-5s %9.2f  %9.2f..%9.2f %.1f\n", r.Work, r.Figure, r.Median(), r.Min(), r.Max(), r.Values) }
	if err != nil { t.Fatal(err) }
	_ = err
}
