package page

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/perf"
)

// sample makes results as they could be: of many works, by Ringway and these peers.
func sample(peers ...string) Doc {
	random := rand.New(rand.NewPCG(1, 2))
	var rs []perf.Result
	impls := append([]string{perf.Ours}, peers...)
	add := func(work, figure string, ns float64, impls ...string) {
		for k, impl := range impls {
			r := perf.Result{Work: work, Impl: impl, Figure: figure}
			factor := math.Pow(1.45, float64((k*7+len(impl))%11)-3)
			if k == 0 {
				factor = 1
			}
			for range 10 {
				r.Values = append(r.Values, ns*factor*(1+math.Abs(random.NormFloat64())*0.08))
			}
			slices.Sort(r.Values)
			rs = append(rs, r)
		}
	}
	some := impls[:max(1, len(impls)*2/3)]
	for _, suffix := range []string{"", "/inplace"} {
		add("spsc/single"+suffix, perf.NS, 10, impls...)
		for _, b := range []struct {
			name string
			ns   float64
		}{{"8", 3.9}, {"32", 2}, {"64", 1.7}, {"256", 1.3}} {
			add("spsc/burst"+b.name+suffix, perf.NS, b.ns, some...)
		}
	}
	for _, c := range []string{"64", "256", "1024", "65536"} {
		add("spsc/burst64/cap"+c, perf.NS, 2, some...)
		add("mpmc/single/1p1c/cap"+c, perf.NS, 16, some...)
	}
	for k, b := range []string{"16B", "32B", "64B", "128B"} {
		add("spsc/burst64/"+b, perf.NS, 1.7*math.Pow(1.6, float64(k)), some...)
	}
	for k, g := range []string{"1", "1p1c", "2p2c", "4p4c", "8p8c"} {
		add("mpmc/single/"+g, perf.NS, 8+12*float64(k), impls...)
		add("mpmc/burst64/"+g, perf.NS, 6+3*float64(k), some...)
	}
	add("pingpong", "p50", 224, impls...)
	add("pingpong", "p99", 800, impls...)
	add("pingpong", "p999", 21000, impls...)
	add("pool/single", perf.NS, 7, some...)
	add("pool/bulk64", perf.NS, 2.3, some...)
	add("frame/64B", perf.NS, 10.5, perf.Ours)
	add("frame/1500B", perf.NS, 21.5, perf.Ours)
	add("counters/each", perf.NS, 0.66, perf.Ours)
	add("handoff", perf.NS, 8.8, impls[:max(1, len(impls)/4)]...)
	add("forward", perf.NS, 15.4, perf.Ours)
	return Doc{
		Title: "Ringway beside its peers", Date: time.Date(2026, 11, 23, 15, 4, 0, 0, time.UTC),
		Machine:  []machine.Fact{{Name: "CPU", Value: "AMD EPYC"}, {Name: "CPUs", Value: "2"}, {Name: "governor", Value: "unknown"}, {Name: "caches", Value: "L1 32K, L2 1024K"}},
		Warnings: []string{"the host gave 2.1 % of the CPU time to others meanwhile"},
		Results:  rs,
		Memory:   []perf.Fact{{Name: "resident/pool", Impl: perf.Ours, Value: 262144, Unit: "B"}, {Name: "start/pool", Impl: perf.Ours, Value: 23400, Unit: "ns"}},
		Notes:    []string{"Peers in C and C++ were built with -O3."},
	}
}
