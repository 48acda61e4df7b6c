//go:build race

// The race detector sees what is planted for it: in a frame's bytes, though they lie outside
// of Go's heap in other builds, in a Cache, and in the state of a slot.

package pool

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

func init() {
	// twice runs f in two goroutines that nothing orders.
	twice := func(f func()) {
		var g sync.WaitGroup
		g.Go(f)
		g.Go(f)
		g.Wait()
	}
	plants["nothing"] = func() {
		p := must(New(Config{}))
		twice(func() {
			for range 100 {
				b := must(p.CopyIn([]byte("mine")))
				b.Bytes()[0]++
				b.Release()
			}
		})
	}
	plants["frame"] = func() {
		b := must(must(New(Config{})).CopyIn([]byte("shared")))
		twice(func() { b.Bytes()[3]++ })
	}
	plants["heap frame"] = func() {
		b := must(must(New(Config{})).Wrap([]byte("shared")))
		twice(func() { b.Bytes()[3]++ })
	}
	plants["cache"] = func() {
		c := must(New(Config{})).NewCache()
		twice(func() { must(c.Get()) })
	}
	plants["use and release"] = func() {
		b := must(must(New(Config{})).Get())
		var g sync.WaitGroup
		g.Go(func() { b.Release() })
		g.Go(func() { defer func() { _ = recover() }(); b.Bytes() })
		g.Wait()
	}
}

func TestPlantedRaces(t *testing.T) {
	for plant := range plants {
		t.Run(plant, func(t *testing.T) {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), "RINGWAY_PLANT="+plant, "GORACE=halt_on_error=0 exitcode=66")
			out, err := child.CombinedOutput()
			found := strings.Contains(string(out), "WARNING: DATA RACE")
			if want := plant != "nothing"; found != want || (err != nil) != want {
				t.Errorf("race found: %v, want %v (%v)\n%s", found, want, err, out)
			}
		})
	}
}
