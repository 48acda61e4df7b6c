// The network of a running switch: its ports, and what makes ports.

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/vswitch"
)

// network is a switch and its ports, which it opens and closes. Its exported methods are control.Switch.
type network struct {
	sw      *vswitch.Switch
	pools   *pools
	options port.Options
	streams streams
	log     *slog.Logger
	began   time.Time      // when all its ports were open
	work    sync.WaitGroup // of clients that leave

	mu    sync.Mutex
	ended bool
	ports map[string]*attached // by name, listeners too
}

// attached is a port of the network, or a listener. Who takes it out of the network's map closes it.
type attached struct {
	*switchPort
	port port.Port // nil for a listener
	of   *attached // the listener whose client it is, or nil

	// Of a listener.
	listener port.Listener
	stop     context.CancelFunc
	stopped  chan struct{} // closed when it accepts no more
}

func newNetwork(sw *vswitch.Switch, pools *pools, s streams, log *slog.Logger) *network {
	return &network{sw: sw, pools: pools, options: pools.options(s), streams: s, log: log, ports: map[string]*attached{}}
}

// open opens a port and adds it, or a listener.
func (n *network) open(p *switchPort) error {
	if p.listens {
		return n.listen(p)
	}
	o := n.options
	o.Direction = p.config.Direction
	opened, err := p.spec.Open(o)
	if err != nil {
		return openError(err)
	}
	if err := n.add(p.spec.Name, p.config, &attached{switchPort: p, port: opened}); err != nil {
		return join(err, opened.Close())
	}
	n.streams.warn(opened.Info())
	return nil
}

// add makes a a part of the network.
func (n *network) add(name string, c vswitch.PortConfig, a *attached) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ended:
		return fmt.Errorf("port %q: %w", name, vswitch.ErrEnded)
	case n.ports[name] != nil:
		return fmt.Errorf("port %q: %w: give it another with name=", name, vswitch.ErrPortExists)
	}
	if a.port != nil {
		if err := n.sw.Add(name, a.port, c); err != nil {
			return err
		}
	}
	n.ports[name] = a
	return nil
}

// take takes a port out of the map: it is the caller's to close.
func (n *network) take(name string) *attached {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.ports[name]
	delete(n.ports, name)
	return a
}

// listen opens a listener, and makes a port of each client.
func (n *network) listen(p *switchPort) error {
	l, err := p.kind.Listen(p.spec, n.options)
	if err != nil {
		return openError(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	a := &attached{switchPort: p, listener: l, stop: stop, stopped: make(chan struct{})}
	if err := n.add(p.spec.Name, p.config, a); err != nil {
		stop()
		return join(err, l.Close())
	}
	n.streams.warn(l.Info())
	go func() {
		defer close(a.stopped)
		n.accept(ctx, a)
	}()
	return nil
}

// accept makes ports of a listener's clients, until ctx is done.
func (n *network) accept(ctx context.Context, a *attached) {
	const pause = time.Second // for want of descriptors, say
	said := ""
	for clients := 1; ; {
		client, err := a.listener.Accept(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, port.ErrClosed):
			if err == nil {
				client.Close()
			}
			return
		case err != nil:
			if err.Error() != said {
				said = err.Error()
				n.log.Error("no client can be accepted; trying again", "port", a.spec.Name, "error", err)
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		said = ""
		name := fmt.Sprintf("%s#%d", a.spec.Name, clients)
		clients++
		c := a.config
		c.Ended = func(err error) { n.work.Go(func() { n.leave(name, err) }) }
		if err := n.add(name, c, &attached{switchPort: a.switchPort, port: client, of: a}); err != nil {
			if !errors.Is(err, vswitch.ErrEnded) {
				n.log.Error("a client can't be a port", "error", err)
			}
			client.Close()
			continue
		}
		n.log.Info("a client has come", "port", name)
	}
}

// leave removes the port of a client that has gone.
func (n *network) leave(name string, err error) {
	if err == nil { // otherwise the switch has told it
		n.log.Info("a client has gone", "port", name)
	}
	if a := n.take(name); a != nil {
		if err := n.shut(name, a); err != nil {
			n.log.Error("closing the port of a client", "port", name, "error", err)
		}
	}
}

// shut removes what was taken out of the map, and closes it.
func (n *network) shut(name string, a *attached) error {
	if a.port != nil {
		return join(n.sw.Remove(name), a.port.Close())
	}
	err := a.end()
	for client, c := range n.all() {
		if c.of == a {
			if c := n.take(client); c != nil {
				err = join(err, n.shut(client, c))
			}
		}
	}
	return err
}

// end ends a listener: no client comes any more.
func (a *attached) end() error {
	a.stop()
	err := a.listener.Close()
	<-a.stopped
	return err
}

// all returns what there is now.
func (n *network) all() map[string]*attached {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.ports)
}

// close ends listeners and closes ports, once the switch has ended or if it never ran. They stay in the list. Closing again returns nil.
func (n *network) close() (err error) {
	n.mu.Lock()
	again := n.ended
	n.ended = true
	n.mu.Unlock()
	if again {
		return nil
	}
	all := n.all()
	for _, a := range all {
		if a.listener != nil {
			err = join(err, a.end())
		}
	}
	n.work.Wait()
	for _, name := range slices.Sorted(maps.Keys(n.all())) {
		if a := all[name]; a.port != nil {
			err = join(err, a.port.Close())
		}
	}
	return err
}

// Add adds the port of a port string, for the control socket.
func (n *network) Add(text string) (string, error) {
	p, err := parseSwitchPort(text)
	if err != nil {
		return "", err
	}
	switch {
	case p.spec.Kind == "mem":
		return "", p.spec.Errorf("mem joins two ports of one switch, which both have to be given at its start")
	case p.spec.Kind == "pcap" && p.spec.Target == "-":
		return "", p.spec.Errorf("stdin and stdout of the switch can be given at its start only; name a file")
	}
	for _, other := range n.all() {
		if p.config.Direction == port.Out && sameCapture(p.spec, other.spec) {
			return "", p.spec.Errorf("port %q is the same file: name another output", other.spec.Text)
		}
	}
	if err := n.open(p); err != nil {
		return "", err
	}
	return p.spec.Name, nil
}

// Remove removes a port and closes it; that of a listener, with all its clients.
func (n *network) Remove(name string) error {
	a := n.take(name)
	if a == nil {
		return fmt.Errorf("%w: %q; there are %s", vswitch.ErrNoPort, name, strings.Join(slices.Sorted(maps.Keys(n.all())), ", "))
	}
	return n.shut(name, a)
}

// Flush forgets what was learned.
func (n *network) Flush() int {
	before := n.sw.Stats().Table.Removed
	n.sw.Flush()
	return int(n.sw.Stats().Table.Removed - before)
}

// Ports lists ports and listeners by name.
func (n *network) Ports() []control.Port { return n.list(n.sw.Stats()) }

func (n *network) list(st vswitch.SwitchStats) []control.Port {
	all := n.all()
	var list []control.Port
	for i := range st.Ports {
		p := portReport(&st.Ports[i])
		if a := all[p.Name]; a != nil {
			p.Port, p.Settings = a.spec.Text, a.settings()
		}
		list = append(list, p)
	}
	for name, a := range all {
		if a.listener != nil {
			list = append(list, control.Port{
				Name: name, Kind: a.spec.Kind, Port: a.spec.Text, Settings: a.settings(), State: control.StateListens, Mode: a.listener.Info().Mode,
			})
		}
	}
	slices.SortFunc(list, func(a, b control.Port) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// portReport is what is told of a port.
func portReport(p *vswitch.SwitchPort) control.Port {
	out := control.Port{
		Name: p.Name, Kind: p.Kind, State: control.StateUp, Mode: p.Mode, Addresses: p.Addresses,
		RxPackets: p.RxPackets, RxBytes: p.RxBytes, TxPackets: p.TxPackets, TxBytes: p.TxBytes,
		Segments: p.TxSegments, Replicas: p.Replicas, InFlight: p.InFlight, Drops: p.RxDrops,
	}
	for r := range out.Drops {
		out.Drops[r] += p.TxDrops[r] + p.Filtered[r]
	}
	if p.Err != nil {
		out.State, out.Error = control.StateFailed, oneLine(p.Err)
	}
	return out
}

// Stats is the account of the whole.
func (n *network) Stats() control.Stats { return n.account(n.sw.Stats()) }

func (n *network) account(st vswitch.SwitchStats) control.Stats {
	t := st.Table
	return control.Stats{
		Received: st.Received(), Replicas: st.Replicas(), Segments: st.Segments(), Sent: st.Sent(), Dropped: st.Dropped(), InFlight: st.InFlight(),
		DurationS: time.Since(n.began).Seconds(),
		Table: control.Table{
			Addresses: t.Addresses, Room: t.Room, Learned: t.Learned, Moved: t.Moved, Aged: t.Aged, Evicted: t.Evicted, Removed: t.Removed,
			OverLimit: t.OverLimit, Full: t.Full, Elsewhere: t.Elsewhere, Busy: t.Busy,
		},
		Pool: poolSummary(n.pools.frames.Stats()),
	}
}

// Addresses lists what the switch has learned.
func (n *network) Addresses() []control.Address {
	var list []control.Address
	for _, a := range n.sw.Addresses() {
		list = append(list, control.Address{MAC: a.MAC.String(), VLAN: a.VLAN, Port: a.Port, Static: a.Static, AgeS: int(a.Age / time.Second)})
	}
	return list
}

// summary is how the job has gone, or goes.
func (n *network) summary() *switchSummary {
	st := n.sw.Stats()
	s := &switchSummary{Ports: n.list(st), Removed: portReport(&st.Removed), Stats: n.account(st), Notes: []string{}}
	s.Removed.State = control.StateRemoved
	all := n.all()
	for i := range st.Ports {
		p := &st.Ports[i]
		for _, note := range p.Notes {
			s.Notes = append(s.Notes, p.Name+": "+note)
		}
		a := all[p.Name]
		switch {
		case p.Err == nil || a != nil && a.of != nil:
		case errors.Is(p.Err, syscall.EPIPE) && a != nil && a.writesStdout():
			// Whoever reads our stdout has had enough: that is how a pipeline ends.
			s.Notes = append(s.Notes, "the reader of stdout has gone before the end")
		default:
			s.failed = append(s.failed, fmt.Errorf("%s: %w", p.Name, p.Err))
		}
	}
	return s
}
