// The peers that are programs in other languages.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ringway-net/ringway/bench/peers"
	"github.com/ringway-net/ringway/internal/perf"
)

const (
	// runTimeout is how long a program may take for one run, which is meant to take a tenth of a second.
	runTimeout = 10 * time.Second
	// mostStarts is how often a program is started that dies or hangs: its other works are to be done all the same.
	mostStarts = 4
)

// programs are those that are running.
type programs struct {
	dir string // where they were built
	all []*program
}

// program is a peer, and the process that it runs in now.
type program struct {
	start   func() (*peers.Process, error)
	process *peers.Process
	starts  int
}

// startPrograms builds and starts the programs of the libraries that are installed, and says on stderr which
// are not; if all are required, that is an error. So is one that is installed and does not work. stop has to be called in
// any case.
func startPrograms(ctx context.Context, all bool, stderr io.Writer) (p programs, err error) {
	if p.dir, err = os.MkdirTemp("", "ringway-bench-"); err != nil {
		return p, err
	}
	built, skipped := peers.Build(ctx, p.dir)
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	for _, s := range skipped {
		switch {
		case s.Err != nil:
			err = errors.Join(err, s.Err)
		case all:
			err = errors.Join(err, fmt.Errorf("a peer is missing: %s", s.Reason))
		default:
			fmt.Fprintln(stderr, "bench: skipped", s.Reason)
		}
	}
	for _, b := range built {
		r := &program{start: b.Start}
		if e := r.ready(); e != nil {
			err = errors.Join(err, e)
			continue
		}
		p.all = append(p.all, r)
	}
	return p, err
}

// ready starts the program if it does not run: at first, or because it has failed in another work.
func (r *program) ready() (err error) {
	if r.process != nil && (!r.process.Failed() || r.starts == mostStarts) {
		return nil
	}
	process, err := r.start()
	if err != nil {
		return err
	}
	r.process = process
	r.starts++
	return nil
}

// works returns what the program can do.
func (r *program) works() (all []perf.Work) {
	for _, w := range r.process.Works() {
		all = append(all, perf.Work{Name: w.Name, Impl: w.Impl, Run: func(n int) (perf.Figures, error) {
			if err := r.ready(); err != nil {
				return nil, err
			}
			return r.process.Run(w.Name, w.Impl, n, runTimeout)
		}})
	}
	return all
}

// works returns what all of them can do.
func (p programs) works() (all []perf.Work) {
	for _, r := range p.all {
		all = append(all, r.works()...)
	}
	return all
}

// stop ends them and removes them. By then all figures are there, so how they end does not matter.
func (p programs) stop() {
	for _, r := range p.all {
		_ = r.process.Close()
	}
	_ = os.RemoveAll(p.dir)
}
