// Command bench does the same works with Ringway and with its peers, in turns, and compares the times.
// It is started as bench/run; bench/run -h says how.
//
// It exits with 0 if all works were done, 1 if one failed (a payload that did not come through as it went in
// is a failure; a slow one is none, nor a peer that gives no answer in time), 2 if its arguments are wrong, and 130 if
// it was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ringway-net/ringway/bench/peers"
	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/perf"
)

const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	started := time.Now()
	o, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second one ends it at once
	err = runAll(ctx, o, started)
	interrupted := ctx.Err() != nil
	switch {
	case interrupted:
		os.Exit(exitInterrupted)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(exitFailed)
	}
}

// options are what the command line says.
type options struct {
	quick, targets bool
	all            bool   // peers are required
	json, html     string // files to write, or ""
	only           *regexp.Regexp
	rounds         int
	within         time.Duration // how long -quick may take, from when the program began
}

// parse reads the command line. The error is one of its user's, or flag.ErrHelp once help was printed.
func parse(args []string, help io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench/run", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&o.quick, "quick", false, "shorter runs, so that all is done in less than five minutes")
	f.BoolVar(&o.targets, "targets", false, "print Ringway's targets too, and how the figures compare to them")
	f.StringVar(&o.json, "json", "", "write the figures to this `FILE`")
	f.StringVar(&o.html, "html", "", "write them as a page with charts to this `FILE`")
	f.BoolVar(&o.all, "require-all", os.Getenv("RINGWAY_CI") == "1", "fail if a peer is not installed; so it is with RINGWAY_CI=1")
	only := f.String("only", "", "do only works with names like this `REGEXP`")
	f.IntVar(&o.rounds, "rounds", 10, "do each work `N` times")
	f.DurationVar(&o.within, "within", quickTime, "with -quick, share this `TIME` among the works, but no less than 1ms a run")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(help, "Usage: bench/run [flags]\n\nDoes the same works with Ringway and with its peers, in turns, and compares the times.")
			f.SetOutput(help)
			f.PrintDefaults()
		}
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q; -h lists the flags", f.Arg(0))
	}
	if o.rounds < 1 {
		return o, fmt.Errorf("-rounds is %d, want 1 or more", o.rounds)
	}
	if o.within <= 0 {
		return o, fmt.Errorf("-within is %v, want a time like 90s", o.within)
	}
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	return o, nil
}

// runAll is run with all works of Ringway and of all peers.
func runAll(ctx context.Context, o options, started time.Time) error {
	files, err := create(o.json, o.html)
	if err != nil {
		return err
	}
	p := newProgress(os.Stderr)
	p.say("building the peers that are not in Go")
	programs, err := startPrograms(ctx, o.all, os.Stderr)
	p.end()
	defer programs.stop()
	if err != nil && (o.all || ctx.Err() != nil) {
		return err
	}
	all := slices.Concat(perf.Ringway(), goPeers(), programs.works())
	return errors.Join(err, run(ctx, o, started, all, files, os.Stdout, os.Stderr))
}

// run does the works that are asked for and reports on them. What there is when ctx is done, or a work fails, is
// reported too.
func run(ctx context.Context, o options, started time.Time, all []perf.Work, files []*os.File, stdout, stderr io.Writer) error {
	works := selected(all, o.only)
	if len(works) == 0 {
		return fmt.Errorf("no work has a name like %q", o.only)
	}
	p := newProgress(stderr)
	here := machine.Read()
	watch := machine.NewWatch(here)
	results, err := perf.Measure(ctx, works, perf.Options{
		Rounds:   o.rounds,
		TimeOf:   schedule(works, o, time.Since(started)),
		Progress: p.show,
	})
	p.end()
	var failures perf.Failures
	errors.As(err, &failures)
	if len(failures) > 0 { // who was too slow to answer is told of, and no error
		wrong := slices.DeleteFunc(slices.Clone(failures), func(f error) bool { return errors.Is(f, peers.ErrNoAnswer) })
		err = errors.Join(errors.Join(wrong...), ctx.Err())
	}
	var failed []string
	for _, f := range failures {
		first, _, _ := strings.Cut(f.Error(), "\n") // a program's last words are for stderr
		failed = append(failed, first)
	}
	r := newReport(here, started, results, watch.Warnings(results), failed)
	if ctx.Err() == nil {
		var e error
		r.Memory, e = facts(o)
		err = errors.Join(err, e, complete(works, r.Rows))
	}
	return errors.Join(err, r.write(stdout, o, files))
}

// complete returns an error if there are no figures at all of one who does works.
func complete(works []perf.Work, rows []row) (err error) {
	seen := map[string]bool{}
	for _, r := range rows {
		seen[r.Impl] = true
	}
	for _, w := range works {
		if !seen[w.Impl] {
			seen[w.Impl] = true // say it once
			err = errors.Join(err, fmt.Errorf("there are no figures of %s", w.Impl))
		}
	}
	return err
}

// selected returns the works whose names match, those of one name next to each other and so
// close in time, in the order in which the names first come.
func selected(all []perf.Work, only *regexp.Regexp) (works []perf.Work) {
	place := map[string]int{}
	for _, w := range all {
		if !only.MatchString(w.Name) {
			continue
		}
		if _, ok := place[w.Name]; !ok {
			place[w.Name] = len(place)
		}
		works = append(works, w)
	}
	slices.SortStableFunc(works, func(a, b perf.Work) int { return place[a.Name] - place[b.Name] })
	return works
}

const (
	// quickTime is how long all of -quick may take, without compiling the program, if not told otherwise.
	quickTime = 225 * time.Second
	// fullTime is how long one run takes otherwise.
	fullTime = 100 * time.Millisecond
	// calibration is how many rounds the search for the number of items is worth.
	calibration = 5
	// overhead is what a run takes beside its time: making queues and pools, collecting garbage.
	overhead = 2 * time.Millisecond
)

// schedule returns how long a run of each work is to take. With -quick they share the time that is left, and those
// that only vary a size get a third of what others get.
func schedule(works []perf.Work, o options, gone time.Duration) func(perf.Work) time.Duration {
	if !o.quick {
		return func(perf.Work) time.Duration { return fullTime }
	}
	share := func(w perf.Work) time.Duration {
		if sweep.MatchString(w.Name) {
			return 1
		}
		return 3
	}
	var shares time.Duration
	for _, w := range works {
		shares += share(w)
	}
	runs := time.Duration(o.rounds + calibration)
	one := (o.within - gone - runs*time.Duration(len(works))*overhead) / (shares * runs)
	one = min(max(one, time.Millisecond), fullTime/3)
	return func(w perf.Work) time.Duration { return one * share(w) }
}

// sweep is the names of works that vary one thing of another work.
var sweep = regexp.MustCompile(`/cap\d+$|/(16|32|64|128)B$|burst(8|32|256)|4p4c$|^copy/`)

// facts are Ringway's properties that are not times of works. A peer's, for comparison, takes two gigabytes and
// some seconds, and so is not for -quick.
func facts(o options) ([]perf.Fact, error) {
	all, err := perf.Memory()
	if !o.quick {
		all = append(all, makeFacts()...)
	}
	return all, err
}

// create creates the files that have a name: before anything is measured, since it may fail.
func create(names ...string) (files []*os.File, err error) {
	for _, name := range names {
		var f *os.File
		if name != "" {
			if f, err = os.Create(name); err != nil {
				return nil, err
			}
		}
		files = append(files, f)
	}
	return files, nil
}
