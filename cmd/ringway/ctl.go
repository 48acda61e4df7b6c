// ringway ctl: talking to a switch that runs.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/internal/control"
)

func ctlCommand(s streams, interrupts <-chan os.Signal) *cli.Command {
	// request makes a subcommand.
	request := func(op, args, usage string, print func(io.Writer, control.Answer) error) *cli.Command {
		return &cli.Command{
			Name: op, Usage: usage, ArgsUsage: args,
			Action: func(_ context.Context, c *cli.Command) error {
				r := control.Request{Op: op}
				switch {
				case args == "" && c.Args().Present():
					return usageError("ctl %s takes no arguments, and got %q", op, c.Args().Slice())
				case args != "" && (c.Args().Len() != 1 || c.Args().First() == ""):
					return usageError("ctl %s takes one argument, %s, and got %q", op, args, c.Args().Slice())
				case op == control.OpAdd:
					r.Port = c.Args().First()
					if _, err := parseSwitchPort(r.Port); err != nil {
						return &exitError{exitUsage, err}
					}
				case op == control.OpRemove:
					r.Name = c.Args().First()
				}
				write := print
				if c.Bool("json") {
					write = writeAnswer
				}
				return ask(c.String("control"), r, s.out, write, interrupts)
			},
		}
	}
	return &cli.Command{
		Name:        "ctl",
		Usage:       "talk to a switch that runs",
		Description: "The switch has to have a control socket: ringway switch --control PATH.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "control", Value: defaultControl(), Usage: "`PATH` of the control socket", Sources: cli.EnvVars("RINGWAY_CONTROL")},
			&cli.BoolFlag{Name: "json", Usage: "print the answer as JSON"},
		},
		Commands: []*cli.Command{
			request(control.OpPorts, "", "list the ports", writePorts),
			request(control.OpStats, "", "print the account of the whole switch", writeStats),
			request(control.OpTable, "", "list the addresses that are known", writeTable),
			request(control.OpAdd, "PORT", "add a port", writeDone),
			request(control.OpRemove, "NAME", "remove a port", writeDone),
			request(control.OpFlush, "", "forget all addresses that were learned", writeDone),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usageError("ctl has no %q; it has %s", c.Args().First(), commandNames(c))
			}
			return usageError("ctl wants to know what to do: %s", commandNames(c))
		},
	}
}

// defaultControl is where ctl looks for a switch that is not named.
func defaultControl() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && os.Geteuid() != 0 {
		return filepath.Join(dir, "ringway.sock")
	}
	return "/run/ringway.sock"
}

// ask asks a switch, and prints its answer.
func ask(path string, r control.Request, out io.Writer, print func(io.Writer, control.Answer) error, interrupts <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted, ended := watch(interrupts, cancel, func() {})
	defer close(ended)
	a, err := control.Ask(ctx, path, r)
	switch {
	case interrupted():
		return &exitError{exitInterrupted, errors.New("interrupted")}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no switch listens at %s: start one with --control %s, or say which with ringway ctl --control PATH", path, path)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := print(out, a); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil // whoever reads has seen enough
}

func writeAnswer(w io.Writer, a control.Answer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(a)
}

func writePorts(out io.Writer, a control.Answer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "port\tstate\taddresses\treceived\tsent\tdropped\tsettings")
	for _, p := range a.Ports {
		state := p.State
		if p.Error != "" {
			state += ": " + p.Error
		}
		if p.State == control.StateListens {
			fmt.Fprintf(w, "%s\t%s\t\t\t\t\t%s\n", p.Name, state, p.Settings)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", p.Name, state, p.Addresses, p.RxPackets, p.TxPackets, dropsText(p.Drops), p.Settings)
	}
	return w.Flush()
}

func writeStats(out io.Writer, a control.Answer) error {
	if a.Stats == nil {
		return errors.New("the switch has sent no account")
	}
	s := a.Stats
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		name  string
		value any
	}{
		{"runs for", (time.Duration(s.DurationS * float64(time.Second))).Round(time.Millisecond)},
		{"received", s.Received}, {"replicas", s.Replicas}, {"segments", s.Segments},
		{"sent", s.Sent}, {"dropped", s.Dropped}, {"in flight", s.InFlight},
		{"addresses", fmt.Sprintf("%d of %d", s.Table.Addresses, s.Table.Room)},
		{"learned", s.Table.Learned}, {"moved", s.Table.Moved}, {"aged", s.Table.Aged}, {"evicted", s.Table.Evicted}, {"removed", s.Table.Removed},
		{"not learned", s.Table.OverLimit + s.Table.Full + s.Table.Elsewhere + s.Table.Busy},
		{"buffers", fmt.Sprintf("%d of %d in use, %d at most", s.Pool.InUse, s.Pool.Capacity, s.Pool.HighWater)},
		{"on the heap", s.Pool.HeapFallbacks},
	} {
		fmt.Fprintf(w, "%s\t%v\n", row.name, row.value)
	}
	return w.Flush()
}

func writeTable(out io.Writer, a control.Answer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "address\tvlan\tage\tport")
	for _, addr := range a.Addresses {
		age, vlan := (time.Duration(addr.AgeS) * time.Second).String(), "-"
		if addr.Static {
			age = "static"
		}
		if addr.VLAN != 0 {
			vlan = fmt.Sprint(addr.VLAN)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", addr.MAC, vlan, age, addr.Port)
	}
	return w.Flush()
}

func writeDone(out io.Writer, a control.Answer) error {
	var text strings.Builder
	if a.Added != "" {
		fmt.Fprintf(&text, "added %s\n", a.Added)
	}
	if a.Removed != "" {
		fmt.Fprintf(&text, "removed %s\n", a.Removed)
	}
	if a.Flushed != nil {
		fmt.Fprintf(&text, "forgot %d addresses\n", *a.Flushed)
	}
	_, err := io.WriteString(out, text.String())
	return err
}
