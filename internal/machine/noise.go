// Whether the machine was calm: a probe, what the host took, and how far the figures lie apart.

package machine

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringway-net/ringway/internal/perf"
)

// From where on a machine is called noisy. A quiet one is well below all of them.
const (
	noisyProbe  = 0.10 // share of a fixed loop's turns that were slower than slowTurn
	slowTurn    = 1.25 // times the fastest turn
	noisySteal  = 0.01 // share of the CPU time that the host took
	noisySpread = 0.15 // of a work: see apart
	fewRounds   = 5    // fewer say nothing about spread
)

// Watch looks at a machine from before a measurement until after it.
type Watch struct {
	info          Info
	root          fs.FS
	slow          float64
	slowest       float64
	total, stolen uint64
}

// NewWatch looks at the machine for about 50 ms, and begins to watch it.
func NewWatch(i Info) *Watch {
	w := &Watch{info: i, root: os.DirFS("/")}
	w.slow, w.slowest = judge(probe(50 * time.Millisecond))
	w.total, w.stolen = cpuTimes(w.root)
	return w
}

// Warnings returns what speaks against trusting the results, one sentence each; none if the machine was calm.
func (w *Watch) Warnings(results []perf.Result) []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if w.info.GOMAXPROCS < 2 {
		warn("GOMAXPROCS is 1: the two sides of a ring take turns on one CPU")
	}
	if g := w.info.Governor; g != "" && g != "performance" {
		warn("the frequency governor is %q, so the clock may change meanwhile: cpupower frequency-set -g performance", g)
	}
	if load, ok := w.load(); ok && load > float64(w.info.CPUs)/2 {
		warn("other programs were busy when it began: the load average was %.2f, with %d CPUs", load, w.info.CPUs)
	}
	if w.slow > noisyProbe {
		warn("a fixed loop took up to %.1f times its best time, and %.0f %% of its turns more than %v times: something else uses the CPU",
			w.slowest, w.slow*100, slowTurn)
	}
	total, stolen := cpuTimes(w.root)
	if t, s := float64(total-w.total), float64(stolen-w.stolen); t > 0 && s/t > noisySteal {
		warn("the host gave %.1f %% of the CPU time to others meanwhile", s/t*100)
	}
	return append(all, spreads(results)...)
}

// load returns the load average over a minute.
func (w *Watch) load() (float64, bool) {
	first, _, _ := strings.Cut(w.info.LoadAverage, " ")
	load, err := strconv.ParseFloat(first, 64)
	return load, err == nil
}

// spreads warns of works whose runs lie far apart, in one sentence for all of them.
func spreads(results []perf.Result) []string {
	var worst perf.Result
	works, wide, least := 0, 0, fewRounds
	for _, r := range results {
		if r.Figure != perf.NS || len(r.Values) == 0 {
			continue
		}
		works++
		least = min(least, len(r.Values))
		if apart(r) > noisySpread {
			if wide++; wide == 1 || apart(r) > apart(worst) {
				worst = r
			}
		}
	}
	switch {
	case least < fewRounds:
		return []string{fmt.Sprintf("%d rounds are too few to tell how far the figures spread: 10 are better", least)}
	case wide > 0:
		return []string{fmt.Sprintf("the runs of %d of %d works lie far apart (%s by %s: %.3g to %.3g ns, median %.3g): compare ratios of one run only, or measure again on a calmer machine",
			wide, works, worst.Work, worst.Impl, worst.Min(), worst.Max(), worst.Median())}
	}
	return nil
}

// apart is the spread of r, or half the distance from its least value to its median if that is more: a machine
// that was busy most of the time has figures that lie close together, and far above those of its calm moments.
func apart(r perf.Result) float64 {
	return max(r.Spread(), (r.Median()-r.Min())/r.Median()/2)
}

// probe times a fixed loop again and again.
func probe(long time.Duration) (turns []time.Duration) {
	for begin := time.Now(); time.Since(begin) < long; {
		start := time.Now()
		x := uint64(1)
		for range 50_000 {
			x = x*6364136223846793005 + 1 // each step waits for the one before: no compiler and no CPU cuts it short
		}
		runtime.KeepAlive(x)
		turns = append(turns, time.Since(start))
	}
	return turns
}

// judge returns which share of the turns was slow, and how many times as long as the fastest the slowest took.
func judge(turns []time.Duration) (slow, slowest float64) {
	best := float64(max(1, slices.Min(turns)))
	n := 0
	for _, t := range turns {
		if float64(t) > best*slowTurn {
			n++
		}
	}
	return float64(n) / float64(len(turns)), float64(slices.Max(turns)) / best
}
