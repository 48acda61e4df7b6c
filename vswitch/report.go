// What a switch says about itself: counters and addresses.

package vswitch

import (
	"cmp"
	"slices"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/stats"
)

// SwitchPort is what a port of a switch has done.
type SwitchPort struct {
	// Name is the one in the switch; PortStats has the port's own.
	Name string
	PortStats
	Config PortConfig
	// Filtered are frames that were received by the port and went nowhere.
	Filtered stats.Drops
	// Replicas is how many more frames there were to send than were received by the port, since some went to several ports or to
	// mirrors: those to k of them count as k-1 here.
	Replicas uint64
	// InFlight is how many frames are on the way: received by the port and not yet at a ring, or in the ring of the port, or queued in it.
	InFlight int
	// Addresses is how many are known behind the port.
	Addresses int
	// Err says why the port takes no part any more; nil if it does.
	Err error
}

// SwitchStats is a moment of a Switch.
type SwitchStats struct {
	// Ports are those that there are, by name.
	Ports []SwitchPort
	// Removed is the sum of those that were removed.
	Removed SwitchPort
	Table   TableStats
}

// TableStats is what has become of addresses. Each count is of frames or addresses since the switch was made.
type TableStats struct {
	Addresses int // that are known now
	Room      int // for how many there is room

	Learned uint64 // new ones
	Moved   uint64 // that were seen behind another port than before
	Aged    uint64 // not seen for longer than Config.MaxAge
	Evicted uint64 // to make room for others
	Removed uint64 // by Remove, Forget, Flush or AddStatic

	// Of frames whose source was not learned: those of ports that have PortConfig.MaxAddresses; those that found the table full of static
	// addresses; those with an address that is static behind another port; and those at whose moment another port was learning.
	OverLimit, Full, Elsewhere, Busy uint64
}

// Received returns how many frames the ports have received.
func (s SwitchStats) Received() (n uint64) {
	return s.sum(func(p *SwitchPort) uint64 { return p.RxPackets })
}

// Sent returns how many frames the ports have sent.
func (s SwitchStats) Sent() uint64 {
	return s.sum(func(p *SwitchPort) uint64 { return p.TxPackets })
}

// Dropped returns how many frames have been dropped, after they were received.
func (s SwitchStats) Dropped() uint64 {
	return s.sum(func(p *SwitchPort) uint64 { return p.TxDropped() + p.Filtered.Total() })
}

// Replicas returns how many more frames there were to send than had been received, since some went to several ports.
func (s SwitchStats) Replicas() uint64 {
	return s.sum(func(p *SwitchPort) uint64 { return p.Replicas })
}

// Segments returns how many more frames there were to send than had been received, since large ones were cut. So
// Received + Replicas + Segments = Sent + Dropped + InFlight.
func (s SwitchStats) Segments() uint64 {
	return s.sum(func(p *SwitchPort) uint64 { return p.TxSegments })
}

// InFlight returns how many frames are on their way.
func (s SwitchStats) InFlight() int {
	return int(s.sum(func(p *SwitchPort) uint64 { return uint64(p.InFlight) }))
}

func (s SwitchStats) sum(of func(*SwitchPort) uint64) uint64 {
	n := of(&s.Removed)
	for i := range s.Ports {
		n += of(&s.Ports[i])
	}
	return n
}

// Stats returns a moment of s.
func (s *Switch) Stats() SwitchStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := SwitchStats{Removed: s.removed}
	for i, n := range s.late.load() {
		st.Removed.TxDrops[i] += n
	}
	for _, m := range s.numbers {
		if m == nil {
			continue
		}
		p := m.report()
		if s.members[m.name] == m {
			st.Ports = append(st.Ports, p)
		} else { // being removed
			st.Removed = st.Removed.add(p)
		}
	}
	slices.SortFunc(st.Ports, func(a, b SwitchPort) int { return cmp.Compare(a.Name, b.Name) })
	t := s.table.stats()
	st.Table = TableStats{
		Addresses: s.table.len(), Room: s.config.Addresses,
		Learned: t.Outcomes[learnAdded], Moved: t.Outcomes[learnMoved] + t.Outcomes[learnFlaps], Aged: t.Aged, Evicted: t.Evicted, Removed: t.Removed,
		OverLimit: t.Outcomes[learnOverLimit], Full: t.Outcomes[learnFull], Elsewhere: t.Outcomes[learnElsewhere], Busy: t.Outcomes[learnBusy],
	}
	return st
}

// report returns what the port has done. The caller has the switch's mu.
func (m *member) report() SwitchPort {
	p := SwitchPort{
		Name: m.name, Config: m.config, Err: m.err,
		PortStats: PortStats{Info: m.port.Info(), Snapshot: m.port.Stats()},
		Filtered:  m.drops.Snapshot().TxDrops,
		Replicas:  m.replicas.Load(),
		InFlight:  int(m.held.Load()) + m.outlet.inFlight(),
	}
	for i, n := range m.outlet.dropped() {
		p.TxDrops[i] += n
	}
	dynamic, static := m.sw.table.behind(m.number)
	p.Addresses = dynamic + static
	return p
}

// add returns the sum of the counts of p and q.
func (p SwitchPort) add(q SwitchPort) SwitchPort {
	p.Snapshot = p.Snapshot.Add(q.Snapshot)
	for i, n := range q.Filtered {
		p.Filtered[i] += n
	}
	p.Replicas += q.Replicas
	p.InFlight += q.InFlight
	return p
}

// Address is what a switch knows of an address.
type Address struct {
	MAC    packet.MAC
	VLAN   uint16 // 0 is that of frames without a tag, at ports that know of none
	Port   string // behind which it was seen
	Static bool
	Age    time.Duration // since it was seen, in whole seconds
}

// Addresses returns what s knows, by VLAN and address.
func (s *Switch) Addresses() []Address {
	var names [MaxPorts]string
	s.mu.Lock()
	for i, m := range s.numbers {
		if m != nil {
			names[i] = m.name
		}
	}
	s.mu.Unlock()
	var all []Address
	for a := range s.table.all() {
		all = append(all, Address{a.MAC, a.VLAN, names[a.Port], a.Static, time.Duration(a.Age) * time.Second})
	}
	slices.SortFunc(all, func(a, b Address) int {
		return cmp.Or(cmp.Compare(a.VLAN, b.VLAN), cmp.Compare(a.MAC.Uint64(), b.MAC.Uint64()))
	})
	return all
}
