package perf

import (
	"math"
	"slices"
	"testing"
)

// All works of Ringway do what they say, with few items and odd numbers of them, and give figures that can be.
func TestRingwayWorks(t *testing.T) {
	seen := map[string]bool{}
	for _, w := range Ringway() {
		if w.Impl != Ours || seen[w.Name] {
			t.Errorf("%s is %q's, or there twice", w.Name, w.Impl)
		}
		seen[w.Name] = true
		t.Run(w.Name, func(t *testing.T) {
			for _, n := range []int{1, 100, 5000} {
				f, err := w.Run(n)
				if err != nil {
					t.Fatalf("%d items: %v", n, err)
				}
				if len(f) == 0 {
					t.Errorf("%d items: no figures", n)
				}
				for name, v := range f {
					if !(v > 0) || math.IsInf(v, 0) {
						t.Errorf("%d items: %s is %v", n, name, v)
					}
				}
			}
		})
	}
	for _, name := range []string{
		"spsc/single", "spsc/single/16B", "spsc/burst8", "spsc/burst32/16B", "spsc/burst64", "spsc/burst64/inplace", "spsc/burst256",
		"spsc/burst64/cap64", "spsc/burst64/cap65536", "spsc/burst64/32B", "spsc/burst64/128B",
		"mpmc/single/1", "mpmc/single/1p1c", "mpmc/single/8p8c", "mpmc/burst64/2p2c", "mpmc/burst256/1p1c", "mpmc/single/1p1c/cap64",
		"mpmc/blocking/1p1c", "mpmc/blocking/8p8c", "pool/single", "pool/single/shared", "pool/single/cross", "pool/bulk64",
		"pool/bulk64/shared", "pool/bulk64/cross", "handoff/single", "handoff/64", "frame/64B", "frame/1500B", "copy/64B", "copy/1500B",
		"counters/single", "counters/64", "pingpong", "pingpong/parked", "forward/gen-null",
	} {
		if !seen[name] {
			t.Errorf("there is no work %s", name)
		}
	}
}

// Latencies have their percentiles, in order.
func TestPercentiles(t *testing.T) {
	for _, w := range Ringway() {
		switch w.Name {
		case "pingpong", "pingpong/parked":
			f, err := w.Run(1000)
			if err != nil {
				t.Fatal(err)
			}
			if ordered := []float64{f["p50"], f["p99"], f["p999"]}; len(f) != 3 || !slices.IsSorted(ordered) {
				t.Errorf("%s: %v", w.Name, f)
			}
		case "mpmc/blocking/1p1c", "mpmc/blocking/8p8c", "mpmc/single/8p8c":
			f, err := w.Run(1000)
			if err != nil || len(f) != 2 || f["p999"] == 0 {
				t.Errorf("%s: %v, %v", w.Name, f, err)
			}
		}
	}
}

func TestMemory(t *testing.T) {
	facts, err := memory(1000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range facts {
		if f.Impl != Ours || f.Value < 0 || f.Unit != "B" && f.Unit != "ns" || seen[f.Name] {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
	}
	for _, name := range []string{ScanFact, "start/pool", "start/ring"} {
		if !seen[name] {
			t.Errorf("no fact %s in %v", name, facts)
		}
	}
}
