// ringway switch: many ports, one network.

package main

import (
	"context"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

func switchCommand(s streams, interrupts <-chan os.Signal) *cli.Command {
	return &cli.Command{
		Name:      "switch",
		Usage:     "join ports to one network",
		ArgsUsage: "PORT PORT…",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "addresses", Value: vswitch.DefaultAddresses, Usage: "learn up to `N` addresses"},
			&cli.DurationFlag{Name: "age", Value: vswitch.DefaultMaxAge, Usage: "forget an address that was not seen for `TIME`"},
			&cli.IntFlag{Name: "ring", Value: vswitch.DefaultOutRing, Usage: "`FRAMES` that can wait for each port"},
			&cli.IntFlag{Name: "buffers", DefaultText: "as many as the rings need", Usage: "`N` packet buffers in the pool"},
			&cli.DurationFlag{Name: "look-again", Value: vswitch.DefaultLookAgain, Usage: "look for more frames for `TIME` before sleeping; 0s: not at all"},
			&cli.DurationFlag{Name: "duration", DefaultText: "no end", Usage: "end after `TIME`, such as 10s"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no progress and no summary"},
		},
		Action: func(_ context.Context, c *cli.Command) error { return runSwitch(c, s, interrupts) },
	}
}

func runSwitch(c *cli.Command, s streams, interrupts <-chan os.Signal) (err error) {
	var specs []*port.Spec
	for _, text := range c.Args().Slice() {
		spec, err := port.Parse(text)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		if !spec.Has("name") {
			spec.Name = spec.Kind + ":" + spec.Target
		}
		specs = append(specs, spec)
	}
	if len(specs) < 2 {
		return usageError("switch takes two ports or more, and got %d", len(specs))
	}
	look := c.Duration("look-again")
	if look == 0 {
		look = -1
	}
	sw, err := vswitch.New(vswitch.Config{Addresses: c.Int("addresses"), MaxAge: c.Duration("age"), OutRing: c.Int("ring"), LookAgain: look})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	count := c.Int("buffers")
	if count == 0 {
		count = len(specs)*(c.Int("ring")+minBuffers) + pool.DefaultCount/2
	}
	p, err := newPools(count, wantUMEM(specs...))
	if err != nil {
		return err
	}
	defer func() { err = join(err, p.Close()) }()
	for _, spec := range specs {
		o := p.options(s)
		kind, _ := port.Lookup(spec.Kind)
		o.Direction = kind.Does
		one, err := spec.Open(o)
		if err != nil {
			return openError(err)
		}
		defer one.Close()
		s.warn(one.Info())
		if err := sw.Add(spec.Name, one, vswitch.PortConfig{OnFull: spec.OnFull, Direction: kind.Does}); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if d := c.Duration("duration"); d > 0 {
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	_, ended := watch(interrupts, cancel, sw.Abort)
	start := time.Now()
	err = sw.Run(ctx)
	close(ended)
	st := sw.Stats()
	sum := &summary{DurationS: time.Since(start).Seconds(), sent: st.Sent()}
	for _, p := range st.Ports {
		sum.Ports = append(sum.Ports, portSummary{Name: p.Name, RxPackets: p.RxPackets, TxPackets: p.TxPackets, Drops: p.TxDrops})
		sum.sentBytes += p.TxBytes
	}
	if !c.Bool("quiet") {
		err = join(err, sum.writeText(s.err))
	}
	return err
}
