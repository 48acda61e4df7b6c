// The summary at the end of a job. Its JSON form is documented in docs/cli.md and stable.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
	"github.com/ringway-net/ringway/vswitch"
)

type summary struct {
	Ports     []portSummary `json:"ports"`
	Pool      control.Pool  `json:"pool"`
	InFlight  int           `json:"in_flight"`
	DurationS float64       `json:"duration_s"`
	Notes     []string      `json:"notes"`
	Error     string        `json:"error,omitempty"`

	came, segments, sent, sentBytes, dropped uint64 // came: received, or dropped before that
}

type portSummary struct {
	Name      string      `json:"name"`
	Kind      string      `json:"kind"`
	RxPackets uint64      `json:"rx_packets"`
	RxBytes   uint64      `json:"rx_bytes"`
	TxPackets uint64      `json:"tx_packets"`
	TxBytes   uint64      `json:"tx_bytes"`
	Segments  uint64      `json:"tx_segments"` // beyond the first of each large frame that was cut
	Drops     stats.Drops `json:"drops"`
}

func poolSummary(p pool.Stats) control.Pool {
	return control.Pool{Capacity: p.Capacity, InUse: p.InUse + p.HeapInUse, HighWater: p.HighWater, HeapFallbacks: p.HeapFallbacks}
}

func newSummary(f vswitch.ForwardStats, p pool.Stats, took time.Duration) *summary {
	s := &summary{
		Pool:      poolSummary(p),
		InFlight:  f.InFlight,
		DurationS: took.Seconds(),
		Notes:     []string{},
		came:      f.Received(), segments: f.Segments(), sent: f.Sent(), dropped: f.Dropped(),
	}
	for _, port := range f.Ports {
		drops := port.RxDrops
		for r, n := range port.TxDrops.All() {
			drops[r] += n
		}
		s.Ports = append(s.Ports, portSummary{
			Name: port.Name, Kind: port.Kind,
			RxPackets: port.RxPackets, RxBytes: port.RxBytes,
			TxPackets: port.TxPackets, TxBytes: port.TxBytes,
			Segments: port.TxSegments,
			Drops:    drops,
		})
		s.sentBytes += port.TxBytes
		s.came += port.RxDropped()
		s.dropped += port.RxDropped()
		for _, note := range port.Notes {
			s.Notes = append(s.Notes, port.Name+": "+note)
		}
	}
	return s
}

// loss returns which share of the frames that came was dropped.
func (s *summary) loss() float64 {
	return float64(s.dropped) / float64(max(1, s.came+s.segments))
}

func (s *summary) setError(text string) { s.Error = text }

func (s *summary) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

func (s *summary) writeText(w io.Writer) error {
	seconds := max(s.DurationS, 1e-9)
	text := fmt.Sprintf("%d frames, %s in %s: %s, %s\n", s.sent, si(float64(s.sentBytes), "B"), time.Duration(s.DurationS*1e9).Round(10*time.Microsecond),
		si(float64(s.sent)/seconds, "pps"), si(float64(s.sentBytes)*8/seconds, "bit/s"))
	for _, p := range s.Ports {
		text += fmt.Sprintf("  %s: received %d, sent %d, dropped %s\n", p.Name, p.RxPackets, p.TxPackets, dropsText(p.Drops))
	}
	text += fmt.Sprintf("  pool: %d buffers, %d at most in use, %d frames on the heap\n", s.Pool.Capacity, s.Pool.HighWater, s.Pool.HeapFallbacks)
	for _, note := range s.Notes {
		text += "  note: " + note + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// dropsText is how many frames were dropped, and why.
func dropsText(d stats.Drops) string {
	text, sep := fmt.Sprint(d.Total()), " ("
	for r, n := range d.All() {
		text += fmt.Sprintf("%s%v %d", sep, r, n)
		sep = ", "
	}
	if sep == ", " {
		text += ")"
	}
	return text
}

// si writes v with three digits and an SI prefix.
func si(v float64, unit string) string {
	for _, p := range []struct {
		factor float64
		prefix string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= p.factor {
			return fmt.Sprintf("%.3g %s%s", v/p.factor, p.prefix, unit)
		}
	}
	return fmt.Sprintf("%.3g %s", v, unit)
}
