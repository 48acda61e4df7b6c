package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
)

// BenchmarkCopy copies a capture of two million 64-byte frames with ringway and with tcpdump, in turns, as
// whole processes, and reports the medians and their ratio:
//
//	go test -run '^$' -bench Copy -benchtime 11x ./cmd/ringway
func BenchmarkCopy(b *testing.B) {
	const frames = 2_000_000
	dir := b.TempDir()
	in, out := filepath.Join(dir, "in.pcap"), filepath.Join(dir, "out.pcap")
	ok(b, "forward", "-q", "gen:size=64,count=2M", in)
	contestants := []struct {
		name string
		args []string
		took []time.Duration
	}{
		{name: "ringway", args: []string{program, "forward", "-q", in, out}},
		{name: "tcpdump", args: []string{need.Program(b, "tcpdump"), "-r", in, "-w", out}},
	}
	for b.Loop() {
		for i := range contestants {
			c := &contestants[i]
			start := time.Now()
			if out, err := exec.Command(c.args[0], c.args[1:]...).CombinedOutput(); err != nil {
				b.Fatalf("%s: %v: %s", c.name, err, out)
			}
			c.took = append(c.took, time.Since(start))
		}
	}
	var medians []float64
	for _, c := range contestants {
		slices.Sort(c.took)
		m := float64(c.took[len(c.took)/2].Nanoseconds()) / frames
		medians = append(medians, m)
		b.ReportMetric(m, c.name+"-ns/frame")
	}
	b.ReportMetric(medians[0]/medians[1], "ratio")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}
