//go:build linux

// Command net joins two network namespaces by Ringway and by its peers, in turns, and compares what goes through. It is
// started as bench/net/run, as root; bench/net/run -h says how.
//
// Namespaces A and B are hosts; the system that is measured is in a third one between them, R. In each round every system
// has its turn, in an order drawn anew, with namespaces of its own and all works one after the other. A ratio is of
// figures of one round: to the Linux bridge's, which is the yardstick.
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
	"math/rand/v2"
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
	works   []work
	rounds  int
	time    time.Duration // of each work
	json    string        // a file to write, or ""
	all     bool          // peers are required
}

// parse reads the command line. The error is one of its user's, or flag.ErrHelp once help was printed.
func parse(args []string, help io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench/net/run", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	quick := f.Bool("quick", false, "one round, with works of one second")
	f.IntVar(&o.rounds, "rounds", 5, "give each system `N` turns")
	f.DurationVar(&o.time, "time", 2*time.Second, "let each work take this `TIME`, in whole seconds")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`")
	f.BoolVar(&o.all, "require-all", os.Getenv("RINGWAY_CI") == "1", "fail if a peer is not installed; so it is with RINGWAY_CI=1")
	ringway := f.String("ringway", "ringway", "the `PROGRAM` that is measured")
	systems := f.String("systems", "", "measure only these, as in `bridge,testpmd-af_xdp`")
	works := f.String("works", "", "do only these, as in `tcp,ping`")
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
	for _, program := range []string{"ip", "ping", "iperf3", "ethtool"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is not installed: apt-get install iproute2 iputils-ping iperf3 ethtool", program)
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root")
	}
	var out *os.File
	if o.json != "" { // before anything is measured, since it may fail
		var err error
		if out, err = os.Create(o.json); err != nil {
			return err
		}
		defer out.Close()
	}
	var present []system
	var err error
	for _, s := range o.systems {
		if why := s.missing(); why == "" {
			present = append(present, s)
		} else if o.all {
			err = errors.Join(err, fmt.Errorf("a peer is missing: %s: %s", s.name, why))
		} else {
			fmt.Fprintf(stderr, "bench/net: skipped %s: %s\n", s.name, why)
		}
	}
	if err != nil {
		return err
	}

	r := report{Machine: machine.Read(), Date: time.Now().UTC().Truncate(time.Second), Seconds: o.time.Seconds(), Rounds: o.rounds, Failed: []string{}}
	watch := machine.NewWatch(r.Machine)
	var turns []turn
	for round := range o.rounds {
		rand.Shuffle(len(present), func(i, j int) { present[i], present[j] = present[j], present[i] })
		for _, s := range present {
			if ctx.Err() != nil {
				break
			}
			fmt.Fprintf(stderr, "round %d of %d: %s\n", round+1, o.rounds, s.name)
			t := measure(ctx, s, o.works, o.time)
			t.round = round
			turns = append(turns, t)
		}
	}
	r.Warnings = watch.Warnings(nil)
	r.fill(o.systems, o.works, turns)
	if n := len(r.Failed); n > 0 {
		err = fmt.Errorf("%d of %d turns failed, see above", n, len(turns))
	}
	if out != nil {
		err = errors.Join(err, r.json(out))
	}
	return errors.Join(err, r.table(stdout))
}
