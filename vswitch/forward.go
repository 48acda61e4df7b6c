// Forward: two ports, where the way out is always the other one.

package vswitch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// DefaultDrainTimeout is how long frames in flight are given to leave after the end.
const DefaultDrainTimeout = 5 * time.Second

// ForwardConfig says what a Forward joins, and how. Its zero fields have defaults.
type ForwardConfig struct {
	// In and Out are the ports; frames go from In to Out. The caller closes them, after Run. Each
	// direction of a port keeps up to pool.CacheSize buffers idle at hand: a pool has at least twice
	// that for each way, and some bursts, or a way may stand still for want of a buffer.
	In, Out port.Port
	// Both lets frames go from Out to In as well.
	Both bool
	// InOnFull says what becomes of frames that come in by In when the way is full, and
	// OutOnFull, with Both, of those that come in by Out.
	InOnFull, OutOnFull port.OnFull
	// RingSize is the capacity of the ring of each way, in frames. Default
	// ring.DefaultCapacity.
	RingSize int
	// Pace is how fast frames go from In to Out. By the capture's clock, a few frames are received before
	// they are due; if the end comes first, they are dropped as stats.ReasonClosed.
	Pace Pace
	// Count is how many frames go from In to Out before the end, 0 for all.
	Count uint64
	// DrainTimeout is how long frames that were received may take to leave once Run's
	// context is done; what is left then is dropped and counted. Default DefaultDrainTimeout.
	DrainTimeout time.Duration
}

// Forward moves frames between two ports.
type Forward struct {
	config ForwardConfig
	ways   []*way
	hard   context.Context
	abort  context.CancelFunc
}

// NewForward makes a Forward of c. The error says which field is wrong.
func NewForward(c ForwardConfig) (*Forward, error) {
	if c.In == nil || c.Out == nil {
		return nil, errors.New("vswitch: ForwardConfig needs In and Out")
	}
	if c.RingSize == 0 {
		c.RingSize = ring.DefaultCapacity
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	f := &Forward{config: c}
	f.hard, f.abort = context.WithCancel(context.Background())
	w, err := newWay(c.In, c.Out, c.InOnFull, c.RingSize)
	if err != nil {
		return nil, fmt.Errorf("vswitch: ForwardConfig.RingSize: %w", err)
	}
	w.limit = c.Count
	if c.Pace != (Pace{}) {
		w.pace = &pacer{Pace: c.Pace}
		w.alone()
	}
	f.ways = append(f.ways, w)
	if c.Both {
		back, err := newWay(c.Out, c.In, c.OutOnFull, c.RingSize)
		if err != nil {
			return nil, fmt.Errorf("vswitch: ForwardConfig.RingSize: %w", err)
		}
		f.ways = append(f.ways, back)
		w.note(&back.receiver)
		back.note(&w.receiver)
	}
	return f, nil
}

// Run moves frames until the sources have no more (with Both: until neither has), Count is reached, a
// port fails, or ctx is done: then nothing more is received, what was received is sent, and Run
// returns. Nothing is in flight afterwards, but for what a port.Queuer could not send before the end
// of DrainTimeout or Abort; and no goroutine is left. The error is the first one of a
// port; an end by ctx is none. Run may be called once.
func (f *Forward) Run(ctx context.Context) error {
	defer f.abort()
	soft, stop := context.WithCancel(ctx)
	defer stop()
	context.AfterFunc(f.hard, stop)
	// The clock of the drain runs from when nothing more is received.
	drain := context.AfterFunc(soft, func() {
		select {
		case <-time.After(f.config.DrainTimeout):
			f.abort()
		case <-f.hard.Done():
		}
	})
	defer drain()

	var workers sync.WaitGroup
	var once sync.Once
	var first error
	work := func(p port.Port, run func() error) {
		workers.Go(func() {
			if err := run(); err != nil {
				once.Do(func() { first = named(p, err) })
				stop() // and the other way ends too
			}
		})
	}
	// Count ends the way back as well; it does not start the clock of the drain.
	back, stopBack := context.WithCancel(soft)
	defer stopBack()
	f.ways[0].atLimit = stopBack
	for i, w := range f.ways {
		receiving := soft
		if i > 0 {
			receiving = back
		}
		receiving, w.rouse = context.WithCancel(receiving)
		defer w.rouse()
		work(w.port, func() error { return w.receive(receiving, f.hard) })
		work(w.out, func() error { return w.send(f.hard, stop) })
	}
	workers.Wait()
	return first
}

// named says which port an error is of, unless it says so itself.
func named(p port.Port, err error) error {
	if name := p.Info().Name; !strings.HasPrefix(err.Error(), name) && name != "-" { // who speaks of - calls it by name
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// Abort ends Run at once: what is in flight is dropped and counted. Any goroutine may
// call it, more than once too.
func (f *Forward) Abort() { f.abort() }

// PortStats is what one port has done, with the drops on the way to it.
type PortStats struct {
	port.Info
	// Snapshot is the port's own counters, and in TxDrops also the frames for this port that were
	// dropped before they reached it.
	stats.Snapshot
}

// ForwardStats is a moment of a Forward.
type ForwardStats struct {
	Ports    [2]PortStats // In and Out
	InFlight int          // frames between a port and the other one
}

// Received returns how many frames the ports have received.
func (s ForwardStats) Received() uint64 { return s.Ports[0].RxPackets + s.Ports[1].RxPackets }

// Sent returns how many frames the ports have sent.
func (s ForwardStats) Sent() uint64 { return s.Ports[0].TxPackets + s.Ports[1].TxPackets }

// Dropped returns how many of the frames that were received have been dropped.
func (s ForwardStats) Dropped() uint64 { return s.Ports[0].TxDropped() + s.Ports[1].TxDropped() }

// Segments returns how many more frames there were to send than had been received, since large ones were cut:
// Received + Segments = Sent + Dropped + InFlight.
func (s ForwardStats) Segments() uint64 { return s.Ports[0].TxSegments + s.Ports[1].TxSegments }

// Stats returns a moment of f. Any goroutine may call it at any time.
func (f *Forward) Stats() ForwardStats {
	s := ForwardStats{Ports: [2]PortStats{
		{Info: f.config.In.Info(), Snapshot: f.config.In.Stats()},
		{Info: f.config.Out.Info(), Snapshot: f.config.Out.Stats()},
	}}
	for i, w := range f.ways {
		out := &s.Ports[1-i].Snapshot
		*out = out.Add(w.drops.Snapshot())
		s.InFlight += w.inFlight()
	}
	return s
}
