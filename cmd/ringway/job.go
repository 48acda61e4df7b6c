// What all jobs that move frames share: pools, warnings, and the end that can't wait.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
)

// abortTimeout is how long ports may take to close after the second interrupt.
const abortTimeout = 500 * time.Millisecond

// minBuffers is how many buffers a way needs so that it never stands still for want of one: the caches of
// the receiving and of the sending port may be full, and a burst be on its way between them.
const minBuffers = 2*pool.CacheSize + 4*ring.DefaultBurst

// largeBuffers is how many frames longer than a normal buffer there may be at a time, such as TCP's large segments. Their
// memory is used as they come.
const largeBuffers = 1024

// pools have the buffers of a job: of frames, and of those that are too long for these.
type pools struct{ frames, large *pool.Pool }

// newPools makes pools, of which that of frames has count buffers.
func newPools(count int, umem bool) (*pools, error) {
	frames, err := pool.New(pool.Config{Name: "frames", Count: count, UMEM: umem})
	if err != nil {
		return nil, usageError("--buffers, --ring: %w", err)
	}
	large, err := pool.New(pool.Config{Name: "large", Count: largeBuffers, BufferSize: port.LargeBufferSize, HeapBuffers: pool.None})
	if err != nil {
		return nil, join(err, frames.Close())
	}
	return &pools{frames, large}, nil
}

// options are those of the job's ports.
func (p *pools) options(s streams) port.Options {
	return port.Options{Pool: p.frames, Large: p.large, Interfaces: new(port.Interfaces), Stdin: s.in, Stdout: s.out}
}

// Close gives the memory back. It is an error if a buffer is still out.
func (p *pools) Close() error { return join(p.frames.Close(), p.large.Close()) }

// wantUMEM reports whether one of the kinds of ports works better with buffers that AF_XDP takes.
func wantUMEM(specs ...*port.Spec) bool {
	for _, s := range specs {
		if k, _ := port.Lookup(s.Kind); k.UMEM {
			return true
		}
	}
	return false
}

// warn prints what a port's user should know at once.
func (s streams) warn(info port.Info) {
	for _, warning := range info.Warnings {
		fmt.Fprintf(s.err, "ringway: warning: %s: %s\n", info.Name, warning)
	}
}

// sameCapture reports whether two ports are captures in the same file.
func sameCapture(a, b *port.Spec) bool {
	if a.Kind != "pcap" || b.Kind != "pcap" {
		return false
	}
	one, errOne := os.Stat(a.Target)
	two, errTwo := os.Stat(b.Target)
	return a.Target == b.Target && a.Target != "-" && errOne != nil || errOne == nil && errTwo == nil && one.Mode().IsRegular() && os.SameFile(one, two)
}

// reporting is how a job says how it went.
type reporting struct {
	json, quiet bool
	once        sync.Once // there is one report, by whoever ends the job
}

// report prints a summary, as the job's options say; once.
func (r *reporting) report(s streams, sum interface {
	setError(string)
	writeJSON(io.Writer) error
	writeText(io.Writer) error
}, err error) (failed error) {
	r.once.Do(func() {
		if err != nil {
			sum.setError(oneLine(err))
		}
		switch {
		case r.json:
			failed = sum.writeJSON(s.out)
		case !r.quiet:
			failed = sum.writeText(s.err)
		}
	})
	return failed
}

// openError tells a port string that is wrong from a world that is.
func openError(err error) error {
	if errors.Is(err, port.ErrSpec) {
		return &exitError{exitUsage, err}
	}
	return err
}

// dieSoon ends the program if it has not ended by itself a moment after it was told to stop at once. Before that, report prints
// the error.
func (s streams) dieSoon(report func(error)) {
	time.AfterFunc(abortTimeout, func() {
		err := errors.New("stopped in the middle: a port did not close")
		report(err)
		fmt.Fprintf(s.err, "ringway: %v\n", err)
		os.Exit(exitInterrupted)
	})
}
