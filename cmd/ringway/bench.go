// ringway bench: how fast this machine runs Ringway.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/internal/machine"
	"github.com/ringway-net/ringway/internal/page"
	"github.com/ringway-net/ringway/internal/perf"
)

const benchHelp = `It measures on this machine what a ring, a pool, and what is made of them cost: nanoseconds for
each item, buffer or frame. GROUP is ring, pool, handoff, forward, or all, which is the default.

   ringway bench
   ringway bench --quick ring
   ringway bench --html bench.html
   ringway bench --go --rounds 20 pool >new.txt; benchstat old.txt new.txt`

// How long it measures, if not told otherwise, and with --quick.
const (
	benchRounds, quickRounds = 10, 3
	benchTime, quickTime     = 50 * time.Millisecond, 5 * time.Millisecond
)

// A run that is shorter than minTime is made of noise; one that is much longer than maxTime is taken for one
// that has got stuck.
const minTime, maxTime = time.Millisecond, 10 * time.Second

func benchCommand(s streams, interrupts <-chan os.Signal) *cli.Command {
	return &cli.Command{
		Name:        "bench",
		Usage:       "measure Ringway on this machine",
		ArgsUsage:   "[GROUP]",
		Description: benchHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print the results as JSON"},
			&cli.BoolFlag{Name: "go", Usage: "print the results as Go benchmarks do, one line for each run, for benchstat"},
			&cli.StringFlag{Name: "html", Usage: "write a page with charts to `FILE` as well"},
			&cli.IntFlag{Name: "rounds", Value: benchRounds, Usage: "run everything `N` times, in turns"},
			&cli.DurationFlag{Name: "time", Value: benchTime, Usage: "`TIME` that each run takes, about"},
			&cli.BoolFlag{Name: "quick", Usage: fmt.Sprintf("a first impression: %d rounds, %v a run", quickRounds, quickTime)},
			&cli.BoolFlag{Name: "list", Usage: "print what would be measured, and measure nothing"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			job, err := newBenchJob(c, s)
			if err != nil {
				return err
			}
			if c.Bool("list") {
				return job.list()
			}
			return job.run(interrupts)
		},
	}
}

// benchGroups are the groups of works, and how the names of their works begin.
var benchGroups = []struct {
	name     string
	families []string
}{
	{"ring", []string{"spsc", "mpmc", "pingpong"}},
	{"pool", []string{"pool", "frame", "copy", "counters"}},
	{"handoff", []string{"handoff"}},
	{"forward", []string{"forward"}},
}

// benchGroup returns the group of the work of that name.
func benchGroup(work string) string {
	family, _, _ := strings.Cut(work, "/")
	for _, g := range benchGroups {
		if slices.Contains(g.families, family) {
			return g.name
		}
	}
	return ""
}

// benchWorks returns Ringway's works of a group.
func benchWorks(group string) ([]perf.Work, error) {
	names := []string{"all"}
	for _, g := range benchGroups {
		names = append(names, g.name)
	}
	if !slices.Contains(names, group) {
		return nil, usageError("there is no group %q; choose one of %s", group, strings.Join(names, ", "))
	}
	return slices.DeleteFunc(perf.Ringway(), func(w perf.Work) bool {
		return group != "all" && benchGroup(w.Name) != group
	}), nil
}

// benchJob is one run of the command.
type benchJob struct {
	streams
	works   []perf.Work
	memory  bool // measure perf.Memory too
	options perf.Options
	html    string // a file, or nothing
	write   func(*benchReport, io.Writer) error
}

// newBenchJob reads the command line, and touches nothing.
func newBenchJob(c *cli.Command, s streams) (*benchJob, error) {
	j := &benchJob{streams: s, html: c.String("html"), options: perf.Options{Rounds: c.Int("rounds"), Time: c.Duration("time")}}
	group := "all"
	switch c.Args().Len() {
	case 0:
	case 1:
		group = c.Args().First()
	default:
		return nil, usageError("bench takes one group, and got %d: %q", c.Args().Len(), c.Args().Slice())
	}
	var err error
	if j.works, err = benchWorks(group); err != nil {
		return nil, err
	}
	j.memory = group == "all" || group == "pool"
	if c.Bool("quick") {
		if !c.IsSet("rounds") {
			j.options.Rounds = quickRounds
		}
		if !c.IsSet("time") {
			j.options.Time = quickTime
		}
	}
	if j.options.Rounds < 1 {
		return nil, usageError("--rounds: %d, want 1 or more", j.options.Rounds)
	}
	if t := j.options.Time; t < minTime || t > maxTime {
		return nil, usageError("--time: %v, want %v to %v", t, minTime, maxTime)
	}
	if c.IsSet("html") && (j.html == "" || j.html == "-") {
		return nil, usageError("--html: %q, want the name of a file", j.html)
	}
	switch {
	case c.Bool("json") && c.Bool("go"):
		return nil, usageError("--json and --go both want stdout: choose one of them")
	case c.Bool("json"):
		j.write = (*benchReport).writeJSON
	case c.Bool("go"):
		j.write = (*benchReport).writeGo
	default:
		j.write = (*benchReport).writeTable
	}
	return j, nil
}

// list prints the names of the works, and their groups.
func (j *benchJob) list() error {
	var text strings.Builder
	for _, w := range j.works {
		fmt.Fprintf(&text, "%-8s %s\n", benchGroup(w.Name), w.Name)
	}
	return j.print(&text)
}

// print writes a text to stdout. Whoever reads it may have seen enough.
func (j *benchJob) print(text fmt.Stringer) error {
	if _, err := fmt.Fprint(j.streams.out, text); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

func (j *benchJob) run(interrupts <-chan os.Signal) error {
	if err := j.tryPage(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted, ended := watch(interrupts, cancel, func() {
		fmt.Fprintln(j.streams.err, "ringway: stopped in the middle of a run")
		os.Exit(exitInterrupted)
	})
	report := &benchReport{Machine: machine.Read(), start: time.Now(), sizes: map[string]int{}}
	calm := machine.NewWatch(report.Machine)
	var endProgress func()
	j.options.Progress, endProgress = benchProgress(j.streams, report.start)
	var err error
	report.results, err = perf.Measure(ctx, report.sized(j.works), j.options)
	if ctx.Err() == nil && j.memory {
		var failed error
		report.Memory, failed = perf.Memory()
		err = join(err, failed)
	}
	report.Warnings = calm.Warnings(report.results)
	endProgress()
	close(ended)

	if errors.Is(err, context.Canceled) && interrupted() {
		err = &exitError{exitInterrupted, errors.New("interrupted")}
		if len(report.results) == 0 {
			err = &exitError{exitInterrupted, errors.New("interrupted before anything was measured")}
		}
	}
	if err != nil {
		report.Error = oneLine(err)
	}
	for _, w := range report.Warnings {
		fmt.Fprintf(j.streams.err, "warning: %s\n", w)
	}
	var text bytes.Buffer
	return join(err, j.write(report, &text), j.print(&text), j.writePage(report))
}

// tryPage finds out before the long run whether the page can be written.
func (j *benchJob) tryPage() error {
	if j.html == "" {
		return nil
	}
	f, err := os.OpenFile(j.html, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("--html: %w: name a file that can be written", err)
	}
	return f.Close()
}

func (j *benchJob) writePage(r *benchReport) error {
	if j.html == "" {
		return nil
	}
	var b bytes.Buffer
	err := page.Write(&b, page.Doc{
		Title: "Ringway " + version(), Date: r.start, Machine: r.Machine.Facts(), Warnings: r.Warnings, Results: r.results, Memory: r.Memory,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(j.html, b.Bytes(), 0o644)
}

// benchProgress returns what is called before each run, and at the end: both write on a terminal alone. It
// writes between the runs, so that it takes no time from them.
func benchProgress(s streams, start time.Time) (progress func(done, total int, w perf.Work), end func()) {
	file := s.terminal()
	if file == nil {
		return nil, func() {}
	}
	last := start.Add(progressAfter - progressEvery)
	progress = func(done, total int, w perf.Work) {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			fmt.Fprintf(file, "\r%s\x1b[K", benchProgressLine(done, total, w, now.Sub(start)))
		}
	}
	return progress, func() { fmt.Fprint(file, "\r\x1b[K") }
}

func benchProgressLine(done, total int, w perf.Work, took time.Duration) string {
	line := w.Name
	if part := float64(done) / float64(total); part > 0 {
		left := time.Duration(float64(took) * (1 - part) / part)
		line += fmt.Sprintf(", %.0f %%, %v left", part*100, left.Round(time.Second))
	}
	return line
}
