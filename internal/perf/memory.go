// What a pool and a ring cost beside time: what the collector has to look through, how long they take to be
// made, and how much memory is in use then.

package perf

import (
	"math/bits"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/ring"
)

// Fact is one measured property that is not a time an item takes.
type Fact struct {
	Name  string  `json:"name"`
	Impl  string  `json:"impl"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // "B" or "ns"
}

// ScanFact is the name of the fact how much more the collector has to look through because of a million
// buffers.
const ScanFact = "gc/scan more with a million buffers"

const (
	// Million is how many buffers CollectorFacts is about.
	Million = 1_000_000
	// factRounds is how often what takes time is done; the fact is the median.
	factRounds = 11
)

// Memory measures Ringway's facts. It takes about a second. Where addresses have 32 bits a million buffers do not
// fit in, and what they cost is left out.
func Memory() ([]Fact, error) { return memory(Million) }

func memory(buffers int) ([]Fact, error) {
	var failed error
	keep := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	open := func(c pool.Config) func() {
		p, err := pool.New(c)
		if err != nil {
			keep(err)
			return func() {}
		}
		return func() { keep(p.Close()) }
	}
	var facts []Fact
	if buffers < Million || bits.UintSize == 64 {
		facts = CollectorFacts(Ours, func() (end func()) { return open(pool.Config{Count: buffers}) })
	}
	facts = append(facts, startFacts("pool", func() (end func()) { return open(pool.Config{}) })...)
	facts = append(facts, startFacts("ring", func() (end func()) {
		p, _ := newSPSC[pool.Buffer](ring.DefaultCapacity)
		return p.Close
	})...)
	return facts, failed
}

// CollectorFacts measures what it costs the garbage collector that what open makes, a million
// buffers of 2 KiB, is there; end takes it apart, and keeps it alive until then.
func CollectorFacts(impl string, open func() (end func())) []Fact {
	scan, pause, cycle := collector()
	end := open()
	scanWith, pauseWith, cycleWith := collector()
	end()
	return []Fact{
		{ScanFact, impl, max(0, scanWith-scan), "B"},
		{"gc/cycle without", impl, cycle, "ns"},
		{"gc/cycle with a million buffers", impl, cycleWith, "ns"},
		{"gc/pause without", impl, pause, "ns"},
		{"gc/pause with a million buffers", impl, pauseWith, "ns"},
	}
}

// collector returns how many bytes the collector looks through in a cycle, how long it stops the
// program, and how long a call of runtime.GC takes.
func collector() (scanBytes, pauseNS, cycleNS float64) {
	var pauses, cycles []float64
	for range factRounds {
		start := time.Now()
		runtime.GC()
		cycles = append(cycles, float64(time.Since(start).Nanoseconds()))
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		pauses = append(pauses, float64(m.PauseNs[(m.NumGC+255)%256]))
	}
	s := []metrics.Sample{{Name: "/gc/scan/total:bytes"}}
	metrics.Read(s)
	return float64(s[0].Value.Uint64()), median(pauses), median(cycles)
}

// startFacts measures how long it takes to make a thing, and the memory in use that it adds.
func startFacts(what string, open func() (end func())) []Fact {
	var times, sizes []float64
	for range factRounds {
		runtime.GC()
		before, known := resident()
		start := time.Now()
		end := open()
		times = append(times, float64(time.Since(start).Nanoseconds()))
		if after, _ := resident(); known {
			sizes = append(sizes, max(0, after-before))
		}
		end()
	}
	facts := []Fact{{"start/" + what, Ours, median(times), "ns"}}
	if len(sizes) > 0 {
		facts = append(facts, Fact{"resident/" + what, Ours, median(sizes), "B"})
	}
	return facts
}

func median(values []float64) float64 {
	slices.Sort(values)
	return Result{Values: values}.Median()
}
