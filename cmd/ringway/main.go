// Command ringway moves packets between captures, generators and networks.
//
// Exit codes: 0 all is well, 1 something went wrong, 2 the command line is
// wrong, 3 a threshold was exceeded, 130 interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v3"

	_ "github.com/ringway-net/ringway/port/all"
)

const (
	exitOK          = 0
	exitRuntime     = 1
	exitUsage       = 2
	exitThreshold   = 3
	exitInterrupted = 130
)

// exitError is an error that ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// streams is where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	// A write to a pipe that nobody reads is an error to be told, not a silent death.
	signal.Ignore(syscall.SIGPIPE)
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(os.Args, streams{os.Stdin, os.Stdout, os.Stderr}, interrupts))
}

// run is the program: it returns the exit code. What comes on interrupts ends a
// command: in order the first time, at once the second.
func run(args []string, s streams, interrupts <-chan os.Signal) int {
	root := &cli.Command{
		Name:      "ringway",
		Usage:     "move packets between captures, generators and networks",
		Writer:    s.out,
		ErrWriter: s.err,
		Commands: []*cli.Command{
			forwardCommand(s, interrupts),
			switchCommand(s, interrupts),
			ctlCommand(s, interrupts),
			benchCommand(s, interrupts),
			portsCommand(s),
			doctorCommand(s),
			versionCommand(s),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usageError("unknown command %q; commands are %s", c.Args().First(), commandNames(c))
			}
			return cli.ShowAppHelp(c)
		},
		ExitErrHandler: func(context.Context, *cli.Command, error) {}, // done below
	}
	each(root, func(c *cli.Command) {
		c.OnUsageError = func(_ context.Context, _ *cli.Command, err error, _ bool) error {
			return &exitError{exitUsage, err}
		}
	})
	err := root.Run(context.Background(), args)
	if err == nil {
		return exitOK
	}
	var many problems
	if !errors.As(err, &many) {
		many = problems{err}
	}
	for _, err := range many {
		fmt.Fprintf(s.err, "ringway: %s\n", oneLine(err))
	}
	var e *exitError
	if !errors.As(err, &e) {
		return exitRuntime
	}
	if e.code == exitUsage {
		fmt.Fprintln(s.err, "see: ringway help")
	}
	return e.code
}

// oneLine is an error in one line.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// join is errors.Join without what is said already: a port that has failed says so once
// more when it is closed.
func join(errs ...error) error {
	var said []error
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(said, func(s error) bool { return strings.HasSuffix(s.Error(), err.Error()) }) {
			said = append(said, err)
		}
	}
	return errors.Join(said...)
}

func each(c *cli.Command, f func(*cli.Command)) {
	f(c)
	for _, sub := range c.Commands {
		each(sub, f)
	}
}

func commandNames(c *cli.Command) string {
	var names []string
	for _, sub := range c.Commands {
		names = append(names, sub.Name)
	}
	return strings.Join(names, ", ")
}
