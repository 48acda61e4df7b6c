//go:build linux

// Command net joins two network namespaces by Ringway and by its peers, in turns, and compares what goes through. It is
// started as bench/net/run, as root; bench/net/run -h says how.
//
// Namespaces A and B are hosts; the system that is measured is in a third one between them, R. In each round every system
// has its turn, in an order drawn anew, with namespaces of its own and all works one after the other. A ratio is of
// figures of one round: to the mean of the Linux bridge's, which is the yardstick and has two turns, the first and the last.
//
// The work scale is another one: it needs no hosts, but mem ports of this process (see scale.go).
//
// It exits with 0 if all was measured (that TCP never connects is a result), 1 if a system could not be measured, 2 if its
// arguments are wrong, and 130 if it was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ringway-net/ringway/internal/machine"
)

const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench/net:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second one ends it at once
	err = run(ctx, o, os.Stdout, os.Stderr)
	switch {
	case ctx.Err() != nil:
		os.Exit(exitInterrupted)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench/net:", err)
		os.Exit(exitFailed)
	}
}

// options are what the command line says.
type options struct {
	systems []system
	works   []work // between hosts
	scale   bool   // the work that is not
	rounds  int
	time    time.Duration // of each work
	json    string        // a file to write, or ""
	html    string        // the same
	targets bool
	all     bool // peers are required
}

// parse reads the command line. The error is one of its user's, or flag.ErrHelp once help was printed.
func parse(args []string, help io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench/net/run", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	quick := f.Bool("quick", false, "one round, with works of one second")
	f.IntVar(&o.rounds, "rounds", 5, "give each system `N` turns")
	f.DurationVar(&o.time, "time", 2*time.Second, "let each work take this `TIME`, in whole seconds")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`")
	f.StringVar(&o.html, "html", "", "write them as a page with charts to this `FILE`")
	f.BoolVar(&o.targets, "targets", false, "print what is meant to be beside what is")
	f.BoolVar(&o.all, "require-all", os.Getenv("RINGWAY_CI") == "1", "fail if a peer is not installed; so it is with RINGWAY_CI=1")
	ringway := f.String("ringway", "ringway", "the `PROGRAM` that is measured")
	systems := f.String("systems", "", "measure only these, as in `bridge,testpmd-af_xdp`")
	works := f.String("works", "", "do only these, as in `tcp,ping-flood`")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(help, "Usage: bench/net/run [flags]\n\nJoins two network namespaces by Ringway and by its peers, in turns, and compares what goes through.")
			f.SetOutput(help)
			f.PrintDefaults()
			fmt.Fprintf(help, "\nsystems: %s\nworks:\n", strings.Join(names(allSystems("")), ", "))
			for _, w := range allWorks {
				fmt.Fprintf(help, "  %-14s%s\n", w.name, w.title)
			}
		}
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; -h lists the flags", f.Arg(0))
	}
	if *quick {
		o.rounds, o.time = 1, time.Second
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("-rounds is %d, want 1 or more", o.rounds)
	}
	if o.time < time.Second || o.time%time.Second != 0 {
		return o, fmt.Errorf("-time is %v, want whole seconds, 1s or more", o.time)
	}
	if o.systems, err = pick(allSystems(*ringway), *systems); err != nil {
		return o, fmt.Errorf("-systems: %w", err)
	}
	if o.works, err = pick(allWorks, *works); err != nil {
		return o, fmt.Errorf("-works: %w", err)
	}
	between := slices.DeleteFunc(slices.Clone(o.works), func(w work) bool { return w.name == scaleWork })
	o.scale, o.works = len(between) < len(o.works), between
	if len(o.works) == 0 {
		o.systems = nil // none has anything to do
	}
	return o, nil
}

// named is what has a name on the command line.
type named interface{ id() string }

func names[T named](all []T) (names []string) {
	for _, x := range all {
		names = append(names, x.id())
	}
	return names
}

// pick returns those that a list names, in their own order, or all if it is empty.
func pick[T named](all []T, list string) (picked []T, err error) {
	if list == "" {
		return all, nil
	}
	wanted := strings.Split(list, ",")
	for _, w := range wanted {
		if !slices.Contains(names(all), w) {
			return nil, fmt.Errorf("there is no %q, but %s", w, strings.Join(names(all), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return !slices.Contains(wanted, x.id()) }), nil
}

// run measures and reports. What there is when ctx is done is reported too.
func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	if len(o.works) > 0 {
		if err := able(); err != nil {
			return err
		}
	}
	files, err := create(o.json, o.html)
	if err != nil {
		return err
	}
	r := newReport(o, time.Now())
	present, err := installed(o, &r, stderr)
	if err != nil {
		return err
	}
	watch := machine.NewWatch(r.Machine)
	var turns []turn
	for round := range o.rounds {
		if len(o.works) > 0 {
			for _, s := range order(present) {
				if ctx.Err() != nil {
					break
				}
				fmt.Fprintf(stderr, "round %d of %d: %s\n", round+1, o.rounds, s.name)
				t := measure(ctx, s, o.works, o.time)
				t.round = round
				turns = append(turns, t)
			}
		}
		if o.scale {
			r.measureScale(ctx, round, o.time, stderr)
		}
	}
	r.Warnings = append(r.Warnings, watch.Warnings(nil)...)
	r.fill(turns)
	if n := len(r.Failed); n > 0 {
		err = fmt.Errorf("what could not be measured: %d, see above", n)
	}
	return errors.Join(err, r.write(stdout, o.targets, files))
}

// able says what it lacks.
func able() error {
	for _, program := range []string{"ip", "ping", "iperf3", "ethtool"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed: apt-get install iproute2 iputils-ping iperf3 ethtool", program)
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	return nil
}

// create makes files before anything is measured, since it may fail. One without a name is nil.
func create(names ...string) (files []*os.File, err error) {
	for _, name := range names {
		var f *os.File
		if name != "" {
			var e error
			f, e = os.Create(name)
			err = errors.Join(err, e)
		}
		files = append(files, f)
	}
	return files, err
}

// installed returns the systems that are, and notes why others are not.
func installed(o options, r *report, stderr io.Writer) (present []system, err error) {
	for _, s := range o.systems {
		why := s.missing()
		switch {
		case why == "":
			present = append(present, s)
			continue
		case o.all:
			err = errors.Join(err, fmt.Errorf("a system is missing: %s: %s", s.name, why))
		}
		r.Skipped = append(r.Skipped, s.name+": "+why)
		fmt.Fprintf(stderr, "bench/net: skipped %s: %s\n", s.name, why)
	}
	return present, err
}

// measureScale measures all spots once.
func (r *report) measureScale(ctx context.Context, round int, long time.Duration, stderr io.Writer) {
	for _, s := range spots() {
		if ctx.Err() != nil {
			return
		}
		name := fmt.Sprintf("%s of %d ports and %d addresses", s.fabric.name, s.ports, s.addresses)
		fmt.Fprintf(stderr, "round %d of %d: %s\n", round+1, r.Rounds, name)
		c, err := s.measure(ctx, long)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			r.Failed = append(r.Failed, fmt.Sprintf("%s, round %d: %v", name, round+1, err))
		default:
			r.scale(s, c)
		}
	}
}
