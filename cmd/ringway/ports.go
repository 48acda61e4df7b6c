// ringway ports: which kinds of ports there are.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"text/tabwriter"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/port"
)

func portsCommand(s streams) *cli.Command {
	return &cli.Command{
		Name:      "ports",
		Usage:     "list the kinds of ports and their keys",
		ArgsUsage: "[KIND…]",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print them as JSON"}},
		Action: func(_ context.Context, c *cli.Command) error {
			kinds, err := kindsNamed(c.Args().Slice())
			if err != nil {
				return err
			}
			write := writeKinds
			if c.Bool("json") {
				write = writeKindsJSON
			}
			if err := write(s.out, kinds); !errors.Is(err, syscall.EPIPE) {
				return err
			}
			return nil // whoever reads has seen enough
		},
	}
}

// kindsNamed returns the kinds of those names, or all if there are none.
func kindsNamed(names []string) ([]port.Kind, error) {
	if len(names) == 0 {
		return port.Kinds(), nil
	}
	var kinds []port.Kind
	for _, name := range names {
		k, ok := port.Lookup(name)
		if !ok {
			return nil, usageError("there is no kind %q; \"ringway ports\" lists them", name)
		}
		kinds = append(kinds, k)
	}
	return kinds, nil
}

func writeKinds(out io.Writer, kinds []port.Kind) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	keys := func(keys []port.Key) {
		for _, k := range keys {
			help := k.Help
			if k.Default != "" {
				help += " (default " + k.Default + ")"
			}
			fmt.Fprintf(w, "    %s=\t%s\n", k.Name, help)
		}
	}
	for _, k := range kinds {
		fmt.Fprintf(w, "%s:%s\t%s\n", k.Name, k.Target, k.Summary)
		fmt.Fprintf(w, "    works\t%s\n    example\t%s\n", k.Does, k.Example)
		keys(k.Keys)
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, "every kind")
	keys(port.CommonKeys)
	return w.Flush()
}

func writeKindsJSON(out io.Writer, kinds []port.Kind) error {
	type key struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		Help    string `json:"help"`
	}
	type kind struct {
		Name    string `json:"name"`
		Summary string `json:"summary"`
		Target  string `json:"target"`
		Works   string `json:"works"`
		Example string `json:"example"`
		Keys    []key  `json:"keys"`
	}
	list := []kind{}
	for _, k := range kinds {
		entry := kind{k.Name, k.Summary, k.Target, k.Does.String(), k.Example, []key{}}
		for _, have := range [][]port.Key{k.Keys, port.CommonKeys} {
			for _, k := range have {
				entry.Keys = append(entry.Keys, key(k))
			}
		}
		list = append(list, entry)
	}
	return json.NewEncoder(out).Encode(map[string]any{"kinds": list})
}
