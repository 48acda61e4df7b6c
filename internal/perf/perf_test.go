package perf

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestResult(t *testing.T) {
	for _, c := range []struct {
		values                   []float64
		median, min, max, spread float64
	}{
		{[]float64{4}, 4, 4, 4, 0},
		{[]float64{2, 4}, 3, 2, 4, 2.0 / 3},
		{[]float64{1, 2, 9}, 2, 1, 9, 4},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, 4.5, 1, 8, 3 / 4.5},
	} {
		r := Result{Values: c.values}
		if r.Median() != c.median || r.Min() != c.min || r.Max() != c.max || r.Spread() != c.spread {
			t.Errorf("%v: median %v, min %v, max %v, spread %v; want %v", c.values, r.Median(), r.Min(), r.Max(), r.Spread(), c)
		}
	}
	if row := (Result{Work: "w", Figure: NS}).Row(); row != "w" {
		t.Error(row)
	}
	if row := (Result{Work: "w", Figure: "p99"}).Row(); row != "w/p99" {
		t.Error(row)
	}
}

// recorder has works that say when they are run.
type recorder struct {
	runs []string
	last map[string]int // items
}

func (r *recorder) work(name string, run func() error) Work {
	return Work{name, "impl", func(n int) (Figures, error) {
		r.runs = append(r.runs, name)
		if r.last == nil {
			r.last = map[string]int{}
		}
		r.last[name] = n
		return Figures{NS: 2e6 / float64(n), "p99": 1}, run() // every run seems to take 2 ms
	}}
}

func good() error { return nil }

func TestMeasureTakesTurns(t *testing.T) {
	var r recorder
	works := []Work{r.work("a", good), r.work("b", good), r.work("c", good)}
	var total []int
	results, err := Measure(context.Background(), works, Options{
		Rounds:   4,
		Time:     time.Millisecond,
		Progress: func(done, all int, w Work) { total = append(total, done, all) },
	})
	if err != nil {
		t.Fatal(err)
	}
	rounds := r.runs[len(r.runs)-12:]
	if want := strings.Split("abcbcacababc", ""); !slices.Equal(rounds, want) {
		t.Errorf("the rounds went %v, want %v", rounds, want)
	}
	if len(results) != 6 {
		t.Fatalf("%d results, want 6", len(results))
	}
	for i, res := range results {
		if res.Work != string("aabbcc"[i]) || res.Impl != "impl" || res.Figure != []string{NS, "p99"}[i%2] {
			t.Errorf("result %d is %+v", i, res)
		}
		if len(res.Values) != 4 || !slices.IsSorted(res.Values) {
			t.Errorf("%s: %v", res.Row(), res.Values)
		}
	}
	for name, n := range r.last {
		if n <= 0 || n%256 != 0 {
			t.Errorf("%s: %d items, want a multiple of 256", name, n)
		}
	}
	if last := total[len(total)-2:]; last[0] != 14 || last[1] != 15 {
		t.Errorf("the last progress is %v", last)
	}
}

// Each work is run for its own time.
func TestMeasureTimeOf(t *testing.T) {
	asked := map[string]bool{}
	var r recorder
	_, err := Measure(context.Background(), []Work{r.work("a", good), r.work("b", good)}, Options{
		Rounds: 1,
		TimeOf: func(w Work) time.Duration { asked[w.Name] = true; return time.Millisecond },
	})
	if err != nil || !asked["a"] || !asked["b"] {
		t.Error(err, asked)
	}
}

// A work that fails has no results and is not run again; all others are.
func TestMeasureGoesOnAfterAFailure(t *testing.T) {
	early, late := errors.New("early"), errors.New("late")
	var r recorder
	runs := 0
	a := r.work("a", func() error { return early })
	c := r.work("c", func() error {
		if runs++; runs == 5 {
			return late
		}
		return nil
	})
	results, err := Measure(context.Background(), []Work{a, r.work("b", good), c}, Options{Rounds: 10, Time: time.Millisecond})
	var failures Failures
	if !errors.As(err, &failures) || len(failures) != 2 || !errors.Is(failures[0], early) || !errors.Is(failures[1], late) {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(err.Error(), "a by impl: early") || !strings.Contains(err.Error(), "c by impl: late") {
		t.Errorf("the error is %v", err)
	}
	if len(results) != 2 || results[0].Work != "b" || len(results[0].Values) != 10 {
		t.Errorf("the results are %v", results)
	}
	if runs != 5 {
		t.Errorf("c was run %d times, and failed the fifth", runs)
	}
}

func TestMeasureEndsWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var r recorder
	n := 0
	a := r.work("a", func() error {
		if n++; n == 6 {
			cancel()
		}
		return nil
	})
	results, err := Measure(ctx, []Work{a}, Options{Rounds: 10, Time: time.Millisecond})
	if !errors.Is(err, context.Canceled) || n != 6 {
		t.Errorf("the error is %v after %d runs", err, n)
	}
	if len(results) == 0 || len(results[0].Values) != 6-2 && len(results[0].Values) != 6-1 {
		t.Errorf("what there was is %v", results)
	}
}
