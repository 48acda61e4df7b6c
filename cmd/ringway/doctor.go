// ringway doctor: which kinds of ports work here and now, and what helps if one doesn't.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/port"
)

func doctorCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:      "doctor",
		Usage:     "try which kinds of ports work here, and say what helps if one doesn't",
		ArgsUsage: "[KIND…]",
		Description: `Each kind is tried for real, with your rights and this kernel, and nothing of that lasts.
The exit code is 1 if one of the kinds doesn't work. Without KIND, all are tried.`,
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print the findings as JSON"}},
		Action: func(_ context.Context, c *cli.Command) error {
			kinds, err := kindsNamed(c.Args().Slice())
			if err != nil {
				return err
			}
			var all []diagnosis
			var broken int
			alone(func() {
				for _, k := range kinds {
					d := diagnose(k)
					all = append(all, d)
					if d.State == stateBroken {
						broken++
					}
				}
			})
			write := writeDiagnoses
			if c.Bool("json") {
				write = writeDiagnosesJSON
			}
			if err := write(s.out, all); err != nil && !errors.Is(err, syscall.EPIPE) {
				return err
			}
			if broken > 0 {
				return fmt.Errorf("%d of %d kinds of ports don't work here", broken, len(all))
			}
			return nil
		},
	}
}

const (
	stateWorks  = "works"
	stateLess   = "works, less well"
	stateBroken = "does not work"
)

// diagnosis is what was found about a kind. Its JSON form is documented in docs/cli.md and stable.
type diagnosis struct {
	Kind     string    `json:"kind"`
	State    string    `json:"state"`
	Findings []finding `json:"findings"`
}

type finding struct {
	What     string `json:"what"`
	OK       bool   `json:"ok"`
	Optional bool   `json:"optional"`
	Error    string `json:"error,omitempty"`
	Mend     string `json:"mend,omitempty"`
}

func diagnose(k port.Kind) diagnosis {
	d := diagnosis{Kind: k.Name, State: stateWorks, Findings: []finding{}}
	if k.Doctor == nil {
		return d
	}
	for _, f := range k.Doctor() {
		out := finding{What: f.What, OK: f.Err == nil, Optional: f.Optional}
		if f.Err != nil {
			out.Error, out.Mend = oneLine(f.Err), f.Mend
			switch {
			case !f.Optional:
				d.State = stateBroken
			case d.State == stateWorks:
				d.State = stateLess
			}
		}
		d.Findings = append(d.Findings, out)
	}
	return d
}

func writeDiagnoses(w io.Writer, all []diagnosis) error {
	for _, d := range all {
		text := fmt.Sprintf("%-10s%s\n", d.Kind, d.State)
		for _, f := range d.Findings {
			if !f.OK {
				text += fmt.Sprintf("    %s: %s\n        %s\n", f.What, f.Error, f.Mend)
			}
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

func writeDiagnosesJSON(w io.Writer, all []diagnosis) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(all)
}
