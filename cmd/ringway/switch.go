// ringway switch: many ports, one network.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

const switchHelp = `PORT is kind:target,key=value,… ("ringway ports" lists the kinds). In a switch, every kind has these keys as well:

%s
   ringway switch tap:tap0 afpacket:eth0
   ringway switch tap:a,vlan=10 tap:b,vlan=20 afpacket:eth0,trunk=10;20
   ringway switch unix:/run/vm.sock,role=listen,type=stream tap:tap0
   ringway switch --config net.yaml --control /run/ringway.sock
   ringway switch --dry-run --config net.yaml

A port that listens makes a port of each client. The port "dump.pcap,mirror=tap:a" writes what tap:a receives and sends.
"ringway ctl" talks to a switch that has --control.`

func switchCommand(s streams, interrupts <-chan os.Signal) *cli.Command {
	return &cli.Command{
		Name:        "switch",
		Usage:       "join ports to one network",
		ArgsUsage:   "PORT PORT…",
		Description: fmt.Sprintf(switchHelp, switchKeysHelp()),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "control", Usage: "make a control socket at `PATH`"},
			&cli.StringFlag{Name: "config", Usage: "read ports and settings from `FILE`; ports and flags beside it add to it and override it"},
			&cli.BoolFlag{Name: "dry-run", Usage: "print what would be done, what memory and rights it takes, and do nothing"},
			&cli.IntFlag{Name: "addresses", Value: vswitch.DefaultAddresses, Usage: "learn up to `N` addresses"},
			&cli.DurationFlag{Name: "age", Value: vswitch.DefaultMaxAge, Usage: "forget an address that was not seen for `TIME`; 0s: never"},
			&cli.IntFlag{Name: "ring", Value: vswitch.DefaultOutRing, Usage: "`FRAMES` that can wait for each port"},
			&cli.IntFlag{Name: "buffers", DefaultText: "as many as the rings need", Usage: "`N` packet buffers in the pool"},
			&cli.DurationFlag{Name: "look-again", Value: vswitch.DefaultLookAgain, Usage: "look for more frames for `TIME` before sleeping; 0s: not at all"},
			&cli.DurationFlag{Name: "duration", DefaultText: "no end", Usage: "end after `TIME`, such as 10s"},
			&cli.StringFlag{Name: "max-loss", Usage: "exit code 3 if more than the share `P` of the frames was lost: 0.001, or 0.1%"},
			&cli.BoolFlag{Name: "json", Usage: "print the summary, or the plan, as JSON on stdout"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no progress and no summary"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			job, err := newSwitchJob(c, s)
			if err != nil {
				return err
			}
			if job.dryRun {
				return job.plan()
			}
			return job.run(interrupts)
		},
	}
}

// fileFlags are the flags that a config file may set.
var fileFlags = []string{"control", "addresses", "age", "ring", "buffers", "look-again", "duration", "max-loss", "json", "quiet"}

// maxTable is how many addresses a switch may learn.
const maxTable = 1 << 24

// switchJob is one run of the command.
type switchJob struct {
	streams
	ports    []*switchPort // mirrors last
	config   vswitch.Config
	control  string
	buffers  int
	duration time.Duration
	maxLoss  float64 // negative: any
	dryRun   bool
	reporting
}

// newSwitchJob reads the command line and the config file, and touches nothing. The error has all that is wrong.
func newSwitchJob(c *cli.Command, s streams) (*switchJob, error) {
	var wrong problems
	origin := map[string]string{}
	var ports []setting
	if c.IsSet("config") {
		file, err := readSwitchFile(c.String("config"), fileFlags)
		if unread := (*fs.PathError)(nil); errors.As(err, &unread) {
			return nil, err
		}
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		ports = file.ports
		for _, name := range fileFlags {
			set, ok := file.flags[name]
			if !ok || c.IsSet(name) {
				continue
			}
			origin[name] = set.where + ": " + name
			if err := c.Set(name, set.value); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %q is no value for it: %w", origin[name], set.value, err))
				delete(origin, name)
			}
		}
	}
	for _, text := range c.Args().Slice() {
		ports = append(ports, setting{value: text})
	}
	// bad notes what is wrong with a flag, wherever it was set.
	bad := func(flag, format string, args ...any) {
		where := origin[flag]
		if where == "" {
			where = "--" + flag
		}
		wrong = append(wrong, fmt.Errorf("%s: %w", where, fmt.Errorf(format, args...)))
	}

	j := &switchJob{
		streams: s, control: c.String("control"), buffers: c.Int("buffers"), duration: c.Duration("duration"), maxLoss: -1,
		dryRun: c.Bool("dry-run"), reporting: reporting{json: c.Bool("json"), quiet: c.Bool("quiet")},
		config: vswitch.Config{Addresses: c.Int("addresses"), MaxAge: c.Duration("age"), OutRing: c.Int("ring"), LookAgain: c.Duration("look-again")},
	}
	if c.IsSet("control") && j.control == "" {
		bad("control", "it is empty; want the path of a socket, such as /run/ringway.sock")
	}
	if n := j.config.Addresses; n < 1 || n > maxTable {
		bad("addresses", "%d, want 1 to %d", n, maxTable)
	}
	switch age := j.config.MaxAge; {
	case age < 0 || age%time.Second != 0:
		bad("age", "%v, want whole seconds, or 0s for ever", age)
	case age == 0:
		j.config.MaxAge = -1
	}
	if n := j.config.OutRing; n < 1 || n > maxRing {
		bad("ring", "%d, want 1 to %d", n, maxRing)
	}
	switch look := j.config.LookAgain; {
	case look < 0 || look > vswitch.MaxLookAgain:
		bad("look-again", "%v, want 0s to %v", look, vswitch.MaxLookAgain)
	case look == 0:
		j.config.LookAgain = -1
	}
	if c.IsSet("duration") && j.duration <= 0 {
		bad("duration", "%v, want more than nothing, such as 10s", j.duration)
	}
	if c.IsSet("max-loss") {
		var err error
		if j.maxLoss, err = port.ParseShare(c.String("max-loss")); err != nil {
			bad("max-loss", "%w", err)
		}
	}

	for _, set := range ports {
		p, err := parseSwitchPort(set.value)
		if err != nil {
			if set.where != "" {
				err = fmt.Errorf("%s: %w", set.where, err)
			}
			wrong = append(wrong, err)
			continue
		}
		p.where = set.where
		j.ports = append(j.ports, p)
	}
	if len(j.ports) == len(ports) { // otherwise names are missing
		wrong = append(wrong, checkSwitchPorts(j.ports)...)
		if need := j.fewest(); len(j.ports) < need {
			wrong = append(wrong, fmt.Errorf("switch takes two ports or more, and got %d: one is enough if it listens, and none with --control", len(j.ports)))
		}
	}
	slices.SortStableFunc(j.ports, func(a, b *switchPort) int { return min(1, len(a.config.Mirror)) - min(1, len(b.config.Mirror)) })
	if least := j.places() * minBuffers; c.IsSet("buffers") && j.buffers < least {
		bad("buffers", "%d, want %d or more: ports keep some at hand", j.buffers, least)
	}
	if j.json && slices.ContainsFunc(j.ports, func(p *switchPort) bool { return p.writesStdout() }) {
		bad("json", "the port - wants stdout too: name a file for one of them")
	}
	if len(wrong) > 0 {
		return nil, &exitError{exitUsage, wrong}
	}
	return j, nil
}

// fewest returns how few ports make sense.
func (j *switchJob) fewest() int {
	switch {
	case j.control != "":
		return 0
	case slices.ContainsFunc(j.ports, func(p *switchPort) bool { return p.listens }):
		return 1
	}
	return 2
}

// morePlaces is for how many ports a listener, or a control socket, has buffers beforehand.
const morePlaces = 7

// places returns for how many ports there are buffers.
func (j *switchJob) places() int {
	n := len(j.ports)
	for _, p := range j.ports {
		if p.listens {
			n += morePlaces
		}
	}
	if j.control != "" {
		n += morePlaces
	}
	return n
}

// poolSize is large enough to fill the rings and what lies idle in the workers' caches.
func (j *switchJob) poolSize() int {
	if j.buffers > 0 {
		return j.buffers
	}
	return j.places()*(j.config.OutRing+minBuffers) + pool.DefaultCount/2
}

// wantsUMEM reports whether there are ports that want a pool for AF_XDP, or may come to be.
func (j *switchJob) wantsUMEM() bool {
	return j.control != "" || slices.ContainsFunc(j.ports, func(p *switchPort) bool { return wantUMEM(p.spec) })
}

func (j *switchJob) run(interrupts <-chan os.Signal) (err error) {
	j.streams.err = orderly(j.streams.err)
	pools, err := newPools(j.poolSize(), j.wantsUMEM())
	if err != nil {
		return err
	}
	// Reported if it fails: a buffer that is still out is a fault of ours.
	defer func() { err = join(err, pools.Close()) }()
	config := j.config
	config.Log = slog.New(&logHandler{w: j.streams.err, quiet: j.quiet})
	sw, err := vswitch.New(config)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	n := newNetwork(sw, pools, j.streams, config.Log)
	defer func() { err = join(err, n.close()) }()
	serve := func() (stop func() error) { return func() error { return nil } }
	if j.control != "" {
		l, err := control.Listen(j.control)
		if err != nil {
			return fmt.Errorf("--control: %w", err)
		}
		defer l.Close()
		serve = func() func() error { return control.Serve(l, n).Close }
	}
	for _, p := range j.ports {
		if err := n.open(p); err != nil {
			return err
		}
	}
	n.began = time.Now()
	unserve := serve() // who has connected already is answered from now on
	defer unserve()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if j.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, j.duration)
		defer cancel()
	}
	interrupted, ended := watch(interrupts, cancel, func() {
		sw.Abort()
		j.dieSoon(func(err error) { j.report(j.streams, n.summary(), err) })
	})
	progress := j.startProgress(j.quiet, func(took time.Duration) string { return j.progressLine(sw.Stats(), took) })
	err = sw.Run(ctx)
	err = join(err, unserve(), n.close())
	progress.end()
	close(ended)

	sum := n.summary()
	err = join(err, j.verdict(sum, interrupted()))
	return join(err, j.report(j.streams, sum, err))
}
