// Switch: many ports, one network.

package vswitch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/internal/sync"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

const (
	// DefaultAddresses is how many addresses a Switch learns.
	DefaultAddresses = 8192
	// DefaultMaxAge is for how long a Switch knows an address that it has not seen again.
	DefaultMaxAge = 300 * time.Second
	// DefaultOutRing is how many frames can wait for each port of a Switch.
	DefaultOutRing = 1024
	// AddressMemory is how many bytes each of Config.Addresses takes.
	AddressMemory = 44
	// MaxPorts is how many ports a Switch has at most.
	MaxPorts = 4096
	// MaxLookAgain is the longest that Config.LookAgain may be.
	MaxLookAgain = time.Minute
)

var (
	// ErrNoPort says that a switch has no port of that name.
	ErrNoPort = errors.New("no such port")
	// ErrPortExists says that a switch has a port of that name already.
	ErrPortExists = errors.New("there is a port of that name")
	// ErrTooManyPorts says that a switch has MaxPorts ports.
	ErrTooManyPorts = fmt.Errorf("more than %d ports", MaxPorts)
	// ErrLinkType says that a port is not one for Ethernet frames.
	ErrLinkType = errors.New("wrong link type")
	// ErrEnded says that Run has returned, or is about to.
	ErrEnded = errors.New("the switch has ended")
)

// Config is what a Switch is like. Its zero fields have defaults.
type Config struct {
	// Addresses is how many addresses the table has room for, of all ports and VLANs, 1 to 1<<24. Their memory is taken at once,
	// AddressMemory bytes for each. Default DefaultAddresses.
	Addresses int
	// MaxAge is for how long an address is known that is not seen again, in whole seconds; negative is for ever. Default DefaultMaxAge.
	MaxAge time.Duration
	// OutRing is how many frames can wait for a port. Default DefaultOutRing.
	OutRing int
	// DrainTimeout is how long frames may take to leave once Run's context is done, or their port is removed; what is left
	// then is dropped and counted. Default DefaultDrainTimeout.
	DrainTimeout time.Duration
	// LookAgain is for how long a receiver that has moved frames looks for more before it sleeps, at its own port and at those that it has
	// just sent to, up to MaxLookAgain; negative is not at all. A second or so is to spin: answers are as quick as those of programs that poll, for
	// a processor's time for as long as there is traffic at such intervals, and none after that. At most GOMAXPROCS-1 receivers do at a time.
	// Default DefaultLookAgain.
	LookAgain time.Duration
	// Log is told of addresses that flap and of ports that fail. Default: nobody is.
	Log *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.MaxAge == 0 {
		c.MaxAge = DefaultMaxAge
	}
	for _, d := range []struct {
		field *int
		def   int
	}{{&c.Addresses, DefaultAddresses}, {&c.OutRing, DefaultOutRing}} {
		if *d.field == 0 {
			*d.field = d.def
		}
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	if c.LookAgain == 0 {
		c.LookAgain = DefaultLookAgain
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.MaxAge > 0 && c.MaxAge%time.Second != 0:
		return c, fmt.Errorf("vswitch: Config.MaxAge is %v, want whole seconds, or a negative one for ever", c.MaxAge)
	case c.MaxAge > math.MaxUint32*time.Second:
		return c, fmt.Errorf("vswitch: Config.MaxAge is %v, want up to %v, or a negative one for ever", c.MaxAge, math.MaxUint32*time.Second)
	case c.OutRing < 1 || c.OutRing > ring.MaxCapacity:
		return c, fmt.Errorf("vswitch: Config.OutRing: %w: %d, want 1 to %d", ring.ErrCapacity, c.OutRing, ring.MaxCapacity)
	case c.LookAgain > MaxLookAgain:
		return c, fmt.Errorf("vswitch: Config.LookAgain is %v, want up to %v", c.LookAgain, MaxLookAgain)
	}
	return c, nil
}

// Switch is a learning Ethernet switch: what comes in by a port goes out by the one behind which its destination was seen, and by
// all others if that is unknown.
//
// Any goroutine may call any method at any time. Ports come and go while it runs.
type Switch struct {
	config Config
	table  *fdb
	log    *slog.Logger
	view   atomic.Pointer[view]
	late   tally // drops on the way to ports that were removed

	// mu guards what follows; no worker takes it while frames move.
	mu      sync.Mutex
	members map[string]*member
	numbers []*member  // by number; nil is free
	removed SwitchPort // the sum of those that were removed, without drops on the way to them
	state   state
	hard    context.Context // done when all is to end at once
	abort   context.CancelFunc
}

type state uint8

const (
	made state = iota
	running
	ended
)

// New makes a switch without ports. The error says which field of c is wrong.
func New(c Config) (*Switch, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Switch{config: c, log: c.Log, members: map[string]*member{}}
	if s.table, err = newFDB(c.Addresses, MaxPorts); err != nil {
		return nil, fmt.Errorf("vswitch: Config.Addresses: %w", err)
	}
	s.table.setAge(uint32(max(c.MaxAge, 0) / time.Second))
	s.view.Store(&view{})
	s.hard, s.abort = context.WithCancel(context.Background())
	return s, nil
}

// Add makes p a port of the switch, by a name that no other has. The caller closes it, once it was removed or Run has returned.
//
// The error wraps ErrPortExists, ErrTooManyPorts, ErrLinkType, ErrPortConfig, ErrNoPort for a port to mirror that isn't there, or
// ErrEnded.
func (s *Switch) Add(name string, p port.Port, c PortConfig) error {
	m, err := s.newMember(name, p, c)
	if err != nil {
		return fmt.Errorf("port %q: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter(m); err != nil {
		return fmt.Errorf("port %q: %w", name, err)
	}
	s.publish()
	if s.state == running {
		m.start()
	}
	return nil
}

func (s *Switch) newMember(name string, p port.Port, c PortConfig) (*member, error) {
	if p == nil {
		return nil, errors.New("there is no port to add: it is nil")
	}
	r, err := c.rules() // and c has its defaults
	if err != nil {
		return nil, err
	}
	if err := ethernet(p.Info()); err != nil {
		return nil, err
	}
	o, err := newOutlet(p, s.config.OutRing)
	if err != nil {
		return nil, fmt.Errorf("Config.OutRing: %w", err)
	}
	m := &member{
		sw: s, name: name, config: c, rules: r, outlet: o,
		wait:  c.OnFull == port.OnFullWait || c.OnFull == port.OnFullDefault && c.Direction == port.In && !p.Info().Live,
		drops: stats.New(),
	}
	m.receiver.init(p, m.move, s.config.LookAgain)
	if m.wait || !m.receives() {
		m.alone()
	}
	if c.FloodRate > 0 {
		m.floods = newLimiter(c.FloodRate)
	}
	m.filtered = m.drops.NewShard()
	return m, nil
}

// enter gives m its number. The caller has mu.
func (s *Switch) enter(m *member) error {
	switch {
	case s.state == ended:
		return ErrEnded
	case s.members[m.name] != nil:
		return ErrPortExists
	}
	for _, name := range m.config.Mirror {
		switch of := s.members[name]; {
		case of == nil:
			return fmt.Errorf("to mirror: %w: %q", ErrNoPort, name)
		case of.isMirror():
			return fmt.Errorf("%w: to mirror %q, which is a mirror itself: name the ports that it mirrors", ErrPortConfig, name)
		}
	}
	for _, other := range s.members {
		for _, mac := range m.config.MACs {
			if other.config.VLAN == m.config.VLAN && slices.Contains(other.config.MACs, mac) {
				return fmt.Errorf("%w: MACs has %v, which is that of port %q", ErrPortConfig, mac, other.name)
			}
		}
	}
	n := slices.Index(s.numbers, nil)
	if n < 0 {
		if n = len(s.numbers); n == MaxPorts {
			return ErrTooManyPorts
		}
		s.numbers = append(s.numbers, nil)
	}
	m.number = uint16(n)
	for i, mac := range m.config.MACs {
		if err := s.table.addStatic(newFDBKey(m.config.VLAN, mac), m.number); err != nil {
			for _, mac := range m.config.MACs[:i] {
				s.table.remove(newFDBKey(m.config.VLAN, mac))
			}
			return err
		}
	}
	s.table.setLimit(m.number, uint32(m.config.MaxAddresses))
	m.hard, m.stopHard = context.WithCancel(s.hard)
	m.soft, m.rouse = context.WithCancel(m.hard)
	s.numbers[n], s.members[m.name] = m, m
	return nil
}

// publish shows receivers the ports that there are. The caller has mu.
func (s *Switch) publish() {
	v := &view{ports: make([]*member, len(s.numbers))}
	for i, m := range s.numbers {
		if m == nil || m.err != nil {
			continue
		}
		if !m.isMirror() {
			v.ports[i] = m
			if m.sends() {
				v.all = append(v.all, m)
			}
			continue
		}
		if v.mirrors == nil {
			v.mirrors = make([][]*member, len(s.numbers))
		}
		for _, name := range m.config.Mirror {
			if of := s.members[name]; of != nil {
				v.mirrors[of.number] = append(v.mirrors[of.number], m)
			}
		}
	}
	s.view.Store(v)
}

// Remove takes a port out: nothing more is received by it, and what is on its way to it is sent, for no longer than
// Config.DrainTimeout. The port can be closed then. Others go on meanwhile. The error wraps ErrNoPort.
func (s *Switch) Remove(name string) error {
	s.mu.Lock()
	m := s.members[name]
	if m == nil {
		s.mu.Unlock()
		return fmt.Errorf("%w: %q", ErrNoPort, name)
	}
	delete(s.members, name)
	if m.err == nil {
		m.err = ErrNoPort // for publish: it takes no part any more
	}
	s.publish()
	s.mu.Unlock()

	drain := time.AfterFunc(s.config.DrainTimeout, m.stopHard)
	m.end()
	drain.Stop()
	m.stopHard()
	// Who still has the old view may have put frames in until the ring was closed, and is refused after that; nobody but m itself learned
	// addresses behind it. So its number is free once those are forgotten.
	s.table.flushPort(m.number, true)

	s.mu.Lock()
	defer s.mu.Unlock()
	m.outlet.bequeath(&s.late)
	last := m.report()
	// What the port has still queued could not be sent in time. Whatever its Close makes of it, nobody asks it any more.
	last.TxDrops[stats.ReasonClosed] += uint64(last.InFlight)
	last.InFlight = 0
	s.removed = s.removed.add(last)
	s.numbers[m.number] = nil
	return nil
}

// failed ends a port's part in the network, since it does not work any more. It stays in the list, with its error, until it is removed.
func (s *Switch) failed(m *member, err error) {
	s.mu.Lock()
	first := m.err == nil
	if first {
		m.err = err
		s.publish()
	}
	s.mu.Unlock()
	if !first {
		return
	}
	s.log.Error("a port has failed, and takes no part any more", "port", m.name, "error", err)
	m.rouse()
	m.outlet.ring.Close()
	s.table.flushPort(m.number, false)
	m.ended(err)
}

// Run moves frames between the ports until ctx is done: then nothing more is received, what was received is sent, and Run
// returns. Nothing is in flight afterwards, but for what a port.Queuer could not send before the end of DrainTimeout or Abort; and no goroutine
// is left. A port that fails is no error of Run's. Run may be called once.
func (s *Switch) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.state != made {
		s.mu.Unlock()
		return errors.New("vswitch: Run was called before")
	}
	s.state = running
	for _, m := range s.members {
		m.start()
	}
	s.mu.Unlock()

	second := time.NewTicker(time.Second)
	defer second.Stop()
	for waiting := true; waiting; {
		select {
		case <-second.C:
			s.table.tick()
		case <-ctx.Done():
			waiting = false
		case <-s.hard.Done():
			waiting = false
		}
	}
	s.end()
	return nil
}

// end drains all ports: first all receivers, since each may still put frames in anywhere.
func (s *Switch) end() {
	s.mu.Lock()
	s.state = ended
	members := slices.Clone(s.numbers)
	s.mu.Unlock()
	members = slices.DeleteFunc(members, func(m *member) bool { return m == nil || m.receiving == nil })
	drain := time.AfterFunc(s.config.DrainTimeout, s.abort)
	defer drain.Stop()
	for _, m := range members {
		m.rouse()
	}
	for _, m := range members {
		<-m.receiving
	}
	for _, m := range members {
		m.outlet.ring.Close()
	}
	for _, m := range members {
		<-m.sending
	}
	s.abort()
}

// Abort ends Run at once: what is in flight is dropped and counted.
func (s *Switch) Abort() { s.abort() }

// AddStatic enters an address behind a port for good, in a VLAN, or 0 for frames without a tag. It is in no other place then, and ages
// not. The error wraps ErrNoPort, ErrVLAN or says that the table is full.
func (s *Switch) AddStatic(name string, vlan uint16, mac packet.MAC) error {
	if vlan > MaxVLAN {
		return fmt.Errorf("%w: %d, want 0 to %d", ErrVLAN, vlan, MaxVLAN)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.members[name]
	if m == nil {
		return fmt.Errorf("%w: %q", ErrNoPort, name)
	}
	return s.table.addStatic(newFDBKey(vlan, mac), m.number)
}

// Forget takes an address out of the table, static or not, and reports whether it was there.
func (s *Switch) Forget(vlan uint16, mac packet.MAC) bool {
	return s.table.remove(newFDBKey(vlan, mac))
}

// Flush forgets all addresses that were learned.
func (s *Switch) Flush() { s.table.flush() }
