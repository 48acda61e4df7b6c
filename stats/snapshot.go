// Snapshot: the values of all counters, and arithmetic on them.

package stats

// Snapshot holds the value of every counter. It is a plain value: copy it,
// compare it with ==, keep it, send it; nothing changes it behind your back. As
// JSON it is one object with the names in the field tags below, which are
// stable; reading it back gives the same Snapshot. (Programs that read numbers as
// float64 lose digits above 2^53.)
//
// Packets are frames as the port saw them; bytes count the frames' bytes without preamble,
// checksum or gap, unless a port says otherwise. All methods may be called
// from any goroutine.
type Snapshot struct {
	// Received: frames that were handed on, their bytes, and failed calls to receive.
	// A frame dropped on the way in is in RxDrops and not here, so frames that
	// arrived are RxPackets + RxDropped().
	RxPackets uint64 `json:"rx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxErrors  uint64 `json:"rx_errors"`

	// Sent: frames that went out, their bytes, and failed calls to send. A frame
	// that was taken for sending and dropped is in TxDrops and not here.
	TxPackets uint64 `json:"tx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxErrors  uint64 `json:"tx_errors"`
	// TxSegments is how many more frames there were to send than had been given: a large one that was cut
	// into k segments counts as k-1 here. So frames given + TxSegments = sent + dropped + queued.
	TxSegments uint64 `json:"tx_segments"`

	// Address translation: translated packets; those of them whose connection was found
	// in the fast path's table; those that needed the slow path's lookup;
	// connections entered into and removed from the table.
	NATTranslations       uint64 `json:"nat_translations"`
	NATFastPathHits       uint64 `json:"nat_fast_path_hits"`
	NATSlowPathLookups    uint64 `json:"nat_slow_path_lookups"`
	NATConnectionsCreated uint64 `json:"nat_connections_created"`
	NATConnectionsExpired uint64 `json:"nat_connections_expired"`

	// Polling: how often a worker looked for work, the units of work (frames, as a
	// rule) it found in all, and how often it looked and found none.
	Polls     uint64 `json:"polls"`
	PollWork  uint64 `json:"poll_work"`
	BusySpins uint64 `json:"busy_spins"`

	// Batches by size.
	Batches BatchHistogram `json:"batches"`

	// Dropped frames by reason, on the way in and on the way out.
	RxDrops Drops `json:"rx_drops"`
	TxDrops Drops `json:"tx_drops"`
}

// RxDropped returns the number of frames dropped on the way in, for any reason.
func (s Snapshot) RxDropped() uint64 { return s.RxDrops.Total() }

// TxDropped returns the number of frames dropped on the way out, for any reason.
func (s Snapshot) TxDropped() uint64 { return s.TxDrops.Total() }

// TotalPackets returns the frames received plus the frames sent.
func (s Snapshot) TotalPackets() uint64 { return s.RxPackets + s.TxPackets }

// TotalBytes returns the bytes received plus the bytes sent.
func (s Snapshot) TotalBytes() uint64 { return s.RxBytes + s.TxBytes }

// NATHitRate returns the share of translations that the fast path served: 0 to 1, and 0 if
// there were none.
func (s Snapshot) NATHitRate() float64 {
	return share(s.NATFastPathHits, s.NATTranslations)
}

// WorkingPolls returns how many polls found work: all that were not busy spins.
func (s Snapshot) WorkingPolls() uint64 { return saturatingSub(s.Polls, s.BusySpins) }

// PollEfficiency returns the share of polls that found work: 0 to 1, and 0 if
// there were none. How much work they found is PollWork and does not enter.
func (s Snapshot) PollEfficiency() float64 {
	return share(s.WorkingPolls(), s.Polls)
}

// Delta returns what was counted between an earlier snapshot and this one. A
// counter that is lower now than earlier (there was a Reset in between) gives
// zero, each counter for itself.
func (s Snapshot) Delta(earlier Snapshot) Snapshot {
	s.combine(&earlier, saturatingSub)
	return s
}

// Add returns the sum of the two snapshots, counter by counter: the totals of
// two ports, for instance. Sums wrap around at 2^64, as counters do.
func (s Snapshot) Add(other Snapshot) Snapshot {
	s.combine(&other, wrappingAdd)
	return s
}

// combine replaces each counter of s by op(that counter, the same one of o).
func (s *Snapshot) combine(o *Snapshot, op func(a, b uint64) uint64) {
	s.RxPackets = op(s.RxPackets, o.RxPackets)
	s.RxBytes = op(s.RxBytes, o.RxBytes)
	s.RxErrors = op(s.RxErrors, o.RxErrors)
	s.TxPackets = op(s.TxPackets, o.TxPackets)
	s.TxBytes = op(s.TxBytes, o.TxBytes)
	s.TxErrors = op(s.TxErrors, o.TxErrors)
	s.TxSegments = op(s.TxSegments, o.TxSegments)
	s.NATTranslations = op(s.NATTranslations, o.NATTranslations)
	s.NATFastPathHits = op(s.NATFastPathHits, o.NATFastPathHits)
	s.NATSlowPathLookups = op(s.NATSlowPathLookups, o.NATSlowPathLookups)
	s.NATConnectionsCreated = op(s.NATConnectionsCreated, o.NATConnectionsCreated)
	s.NATConnectionsExpired = op(s.NATConnectionsExpired, o.NATConnectionsExpired)
	s.Polls = op(s.Polls, o.Polls)
	s.PollWork = op(s.PollWork, o.PollWork)
	s.BusySpins = op(s.BusySpins, o.BusySpins)
	for i := range s.Batches {
		s.Batches[i] = op(s.Batches[i], o.Batches[i])
	}
	for i := range s.RxDrops {
		s.RxDrops[i] = op(s.RxDrops[i], o.RxDrops[i])
		s.TxDrops[i] = op(s.TxDrops[i], o.TxDrops[i])
	}
}

func wrappingAdd(a, b uint64) uint64 { return a + b }

// wrappingSub gives the distance from b to a, right even when the counter
// wrapped around between the two.
func wrappingSub(a, b uint64) uint64 { return a - b }

func saturatingSub(a, b uint64) uint64 { return a - min(a, b) }

// share returns part/whole, 0 to 1; 0 if whole is 0.
func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(min(part, whole)) / float64(whole)
}
