// The peers that are programs in other languages.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringway-net/ringway/bench/peers"
	"github.com/ringway-net/ringway/internal/perf"
)

// runTimeout is how long a program may take for one run.
const runTimeout = 30 * time.Second

// programs are those that are running.
type programs struct {
	dir       string // where they were built
	processes []*peers.Process
}

// startPrograms builds and starts the programs of the libraries that are installed, and says on stderr which
// are not. It is an error if one is and does not work. stop has to be called in any case.
func startPrograms(stderr io.Writer) (p programs, err error) {
	if p.dir, err = os.MkdirTemp("", "ringway-bench-"); err != nil {
		return p, err
	}
	built, skipped := peers.Build(p.dir)
	for _, s := range skipped {
		if s.Err != nil {
			err = errors.Join(err, s.Err)
			continue
		}
		fmt.Fprintln(stderr, "bench: skipped", s.Reason)
	}
	for _, b := range built {
		process, e := b.Start()
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		p.processes = append(p.processes, process)
	}
	return p, err
}

// works returns what they can do.
func (p programs) works() (all []perf.Work) {
	for _, process := range p.processes {
		for _, w := range process.Works() {
			all = append(all, perf.Work{Name: w.Name, Impl: w.Impl, Run: func(n int) (perf.Figures, error) {
				return process.Run(w.Name, w.Impl, n, runTimeout)
			}})
		}
	}
	return all
}

// stop ends them and removes them. By then all figures are there, so how they end does not matter.
func (p programs) stop() {
	for _, process := range p.processes {
		_ = process.Close()
	}
	_ = os.RemoveAll(p.dir)
}
