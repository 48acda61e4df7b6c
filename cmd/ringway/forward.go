// ringway forward: frames from one port to another.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/pcap"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/vswitch"
)

const forwardHelp = `IN and OUT are ports: kind:target,key=value,… ("ringway ports" lists the kinds). The name
of a file is a capture, and - is a capture on stdin or stdout.

   ringway forward in.pcap out.pcapng
   ringway forward --pace original in.pcap.gz null:
   ringway forward gen:size=imix,count=1M out.pcap
   tcpdump -w - | ringway forward - out.pcap`

func forwardCommand(s streams, interrupts <-chan os.Signal) *cli.Command {
	return &cli.Command{
		Name:        "forward",
		Usage:       "move frames from IN to OUT",
		ArgsUsage:   "IN OUT",
		Description: forwardHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "both", Usage: "move frames from OUT to IN as well"},
			&cli.StringFlag{Name: "pace", Usage: "`PACE` of the frames: original, a factor such as 2x, 10kpps, or 100Mbit/s (default: as fast as they can)"},
			&cli.StringFlag{Name: "count", Usage: "end after `N` frames from IN"},
			&cli.DurationFlag{Name: "duration", DefaultText: "no end", Usage: "end after `TIME`, such as 10s"},
			&cli.StringFlag{Name: "loop", Usage: "read the capture IN `N` times, 0 for ever"},
			&cli.StringFlag{Name: "max-loss", Usage: "exit code 3 if more than the share `P` of the frames was dropped: 0.001, or 0.1%"},
			&cli.BoolFlag{Name: "json", Usage: "print the summary as JSON on stdout"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print no progress and no summary"},
			&cli.IntFlag{Name: "ring", Value: ring.DefaultCapacity, Usage: "`FRAMES` that fit between the two ports, each way"},
			&cli.IntFlag{Name: "buffers", DefaultText: "as many as the rings need", Usage: "`N` packet buffers in the pool"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			job, err := newForwardJob(c, s)
			if err != nil {
				return err
			}
			return job.run(interrupts)
		},
	}
}

// maxRing is how many frames --ring may ask for: two rings of them still find buffers in one pool.
const maxRing = 1 << 22

// forwardJob is one run of the command.
type forwardJob struct {
	streams
	in, out  *port.Spec
	both     bool
	pace     vswitch.Pace
	count    uint64
	duration time.Duration
	maxLoss  float64 // negative: any
	ring     int
	buffers  int
	reporting
}

// newForwardJob reads the command line, and touches nothing.
func newForwardJob(c *cli.Command, s streams) (*forwardJob, error) {
	j := &forwardJob{
		streams: s, both: c.Bool("both"), reporting: reporting{json: c.Bool("json"), quiet: c.Bool("quiet")},
		duration: c.Duration("duration"), ring: c.Int("ring"), buffers: c.Int("buffers"), maxLoss: -1,
	}
	if c.Args().Len() != 2 {
		return nil, usageError("forward takes two ports, IN and OUT, and got %d: %q", c.Args().Len(), c.Args().Slice())
	}
	var err error
	if j.in, err = port.Parse(c.Args().Get(0)); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if j.out, err = port.Parse(c.Args().Get(1)); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if c.IsSet("pace") {
		if j.pace, err = vswitch.ParsePace(c.String("pace")); err != nil {
			return nil, usageError("--pace: %w", err)
		}
	}
	if c.IsSet("count") {
		n, err := port.ParseCount(c.String("count"))
		if err != nil || n < 1 {
			return nil, usageError("--count: %q, want a whole number from 1 up, such as 1000 or 2M", c.String("count"))
		}
		j.count = uint64(n)
	}
	if c.IsSet("duration") && j.duration <= 0 {
		return nil, usageError("--duration: %v, want more than nothing, such as 10s", j.duration)
	}
	if c.IsSet("loop") {
		if n, err := port.ParseCount(c.String("loop")); err != nil || n < 0 {
			return nil, usageError("--loop: %q, want a whole number from 0 up", c.String("loop"))
		}
		if err := j.in.Set("loop", c.String("loop")); err != nil {
			return nil, usageError("--loop: %w", err)
		}
	}
	if c.IsSet("max-loss") {
		if j.maxLoss, err = port.ParseShare(c.String("max-loss")); err != nil {
			return nil, usageError("--max-loss: %w", err)
		}
	}
	if j.ring < 1 || j.ring > maxRing {
		return nil, usageError("--ring: %d, want 1 to %d", j.ring, maxRing)
	}
	if least := j.ways() * minBuffers; c.IsSet("buffers") && j.buffers < least {
		return nil, usageError("--buffers: %d, want %d or more: ports keep some at hand", j.buffers, least)
	}
	if (j.in.Kind == "mem" || j.out.Kind == "mem") && (j.in.Kind != j.out.Kind || j.in.Target != j.out.Target) {
		return nil, usageError("mem joins two ports of one program, and here nothing would open its other end: IN and OUT are both mem:NAME, or neither")
	}
	if j.json && j.out.Target == "-" && j.out.Kind == "pcap" {
		return nil, usageError("--json and the output - both want stdout: name a file for one of them")
	}
	return j, nil
}

func (j *forwardJob) run(interrupts <-chan os.Signal) (err error) {
	if err := j.sameFile(); err != nil {
		return err
	}
	p, err := newPools(j.poolSize(), wantUMEM(j.in, j.out))
	if err != nil {
		return err
	}
	// Reported if it fails: a buffer that is still out is a fault of ours.
	defer func() { err = join(err, p.Close()) }()

	in, out, err := j.open(p.options(j.streams))
	if err != nil {
		return err
	}
	j.warn(in.Info())
	j.warn(out.Info())
	f, err := vswitch.NewForward(vswitch.ForwardConfig{
		In: in, Out: out, Both: j.both,
		InOnFull: j.in.OnFull, OutOnFull: j.out.OnFull,
		RingSize: j.ring, Pace: j.pace, Count: j.count,
	})
	if err != nil {
		return join(err, in.Close(), out.Close())
	}

	start := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if j.duration > 0 {
		ctx, cancel = context.WithTimeout(ctx, j.duration)
		defer cancel()
	}
	interrupted, ended := watch(interrupts, cancel, func() {
		f.Abort()
		j.dieSoon(func(err error) { j.report(j.streams, newSummary(f.Stats(), p.frames.Stats(), time.Since(start)), err) })
	})
	progress := j.startProgress(j.quiet, func(took time.Duration) string { return j.progressLine(f.Stats(), took) })
	err = f.Run(ctx)
	err = join(err, out.Close(), in.Close())
	took := time.Since(start)
	progress.end()
	close(ended)

	sum := newSummary(f.Stats(), p.frames.Stats(), took)
	err = j.verdict(err, sum, interrupted())
	if e := j.report(j.streams, sum, err); e != nil {
		err = join(err, e)
	}
	return err
}

func (j *forwardJob) ways() int {
	if j.both {
		return 2
	}
	return 1
}

// poolSize is large enough to fill the rings and what lies idle in the workers' caches.
func (j *forwardJob) poolSize() int {
	if j.buffers > 0 {
		return j.buffers
	}
	return j.ways()*j.ring + pool.DefaultCount/2
}

// sameFile refuses to write a capture onto the one that is read, which would empty it.
func (j *forwardJob) sameFile() error {
	if sameCapture(j.in, j.out) {
		return fmt.Errorf("%s and %s are the same file: name another output", j.in.Target, j.out.Target)
	}
	return nil
}

func (j *forwardJob) open(o port.Options) (in, out port.Port, err error) {
	o.Direction = port.In
	if j.both {
		o.Direction = port.Both
	}
	if in, err = j.in.Open(o); err != nil {
		return nil, nil, openError(err)
	}
	if o.Direction = port.Out; j.both {
		o.Direction = port.Both
	}
	if out, err = j.out.Open(o); err != nil {
		return nil, nil, join(openError(err), in.Close())
	}
	err = fits(in, out)
	if err == nil && j.both {
		err = fits(out, in)
	}
	if err != nil {
		return nil, nil, join(err, out.Close(), in.Close())
	}
	return in, out, nil
}

// fits says if out can't take the frames that come from in.
func fits(in, out port.Port) error {
	from, to := in.Info(), out.Info()
	own := to.LinkType
	if own == 0 {
		own = port.LinkTypeEthernet
	}
	if from.LinkType == 0 || to.AnyLinkType || from.LinkType == own {
		return nil
	}
	return fmt.Errorf("%s has frames of link type %d, and %s takes type %d only (1 is Ethernet, 101 IP without it): forward them to a capture, or to a port of their type",
		from.Name, from.LinkType, to.Name, own)
}

// verdict is what the job's end means for the exit code.
func (j *forwardJob) verdict(err error, sum *summary, interrupted bool) error {
	if errors.Is(err, syscall.EPIPE) && j.out.Target == "-" {
		// Whoever reads our stdout has had enough: that is how a pipeline ends.
		sum.Notes = append(sum.Notes, "the reader of stdout has gone before the end")
		if interrupted {
			return &exitError{exitInterrupted, errors.New("interrupted")}
		}
		return nil
	}
	if err != nil {
		var said *pcap.WriteError // which tells by itself what its file holds
		if sent := sum.Ports[1].TxPackets; sent > 0 && !errors.As(err, &said) {
			err = fmt.Errorf("%w; %s has the %d frames before it", err, sum.Ports[1].Name, sent)
		}
		return err
	}
	if loss := sum.loss(); j.maxLoss >= 0 && loss > j.maxLoss {
		return &exitError{exitThreshold, fmt.Errorf("%.4g %% of the frames were dropped, more than the %.4g %% of --max-loss", loss*100, j.maxLoss*100)}
	}
	if interrupted {
		return &exitError{exitInterrupted, errors.New("interrupted")}
	}
	return nil
}
