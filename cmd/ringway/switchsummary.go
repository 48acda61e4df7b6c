// The summary of a switch. Its JSON form is documented in docs/cli.md and stable.

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ringway-net/ringway/internal/control"
	"github.com/ringway-net/ringway/stats"
	"github.com/ringway-net/ringway/vswitch"
)

type switchSummary struct {
	Ports   []control.Port `json:"ports"`
	Removed control.Port   `json:"removed"` // the sum of the ports that were removed
	control.Stats
	Notes []string `json:"notes"`
	Error string   `json:"error,omitempty"`

	failed []error // of ports
}

// loss returns which share of the frames was lost: dropped, but not because they were not meant to go on.
func (s *switchSummary) loss() float64 {
	came, lost := s.Received+s.Replicas+s.Segments, uint64(0)
	for _, p := range slices.Concat(s.Ports, []control.Port{s.Removed}) {
		for r, n := range p.Drops.All() {
			switch r {
			case stats.ReasonFiltered, stats.ReasonPolicy, stats.ReasonUnknownDestination:
			default:
				lost += n
			}
		}
		came += p.Drops.Total()
	}
	came -= s.Dropped // those after they were received are in it twice
	return float64(lost) / float64(max(1, came))
}

func (s *switchSummary) setError(text string) { s.Error = text }

func (s *switchSummary) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(s)
}

func (s *switchSummary) writeText(w io.Writer) error {
	var text strings.Builder
	bytes := s.Removed.TxBytes
	for _, p := range s.Ports {
		bytes += p.TxBytes
	}
	seconds := max(s.DurationS, 1e-9)
	fmt.Fprintf(&text, "%d frames, %s in %s: %s, %s\n", s.Sent, si(float64(bytes), "B"), time.Duration(s.DurationS*1e9).Round(10*time.Microsecond),
		si(float64(s.Sent)/seconds, "pps"), si(float64(bytes)*8/seconds, "bit/s"))
	ports := s.Ports
	if s.Removed.RxPackets+s.Removed.TxPackets+s.Removed.Drops.Total() > 0 {
		gone := s.Removed
		gone.Name = "(removed)"
		ports = append(ports[:len(ports):len(ports)], gone)
	}
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  port\treceived\tsent\tdropped\n")
	for _, p := range ports {
		if p.State != control.StateListens {
			fmt.Fprintf(table, "  %s\t%d\t%d\t%s\n", p.Name, p.RxPackets, p.TxPackets, dropsText(p.Drops))
		}
	}
	table.Flush()
	sign := "="
	if !s.Balance() {
		sign = "≠ (report this)"
	}
	fmt.Fprintf(&text, "  received %d + replicas %d + segments %d %s sent %d + dropped %d + in flight %d\n",
		s.Received, s.Replicas, s.Segments, sign, s.Sent, s.Dropped, s.InFlight)
	fmt.Fprintf(&text, "  table: %d addresses, %d learned, %d moved\n", s.Table.Addresses, s.Table.Learned, s.Table.Moved)
	fmt.Fprintf(&text, "  pool: %d buffers, %d at most in use, %d frames on the heap\n", s.Pool.Capacity, s.Pool.HighWater, s.Pool.HeapFallbacks)
	for _, note := range s.Notes {
		fmt.Fprintf(&text, "  note: %s\n", note)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// progressLine is what a terminal shows meanwhile.
func (j *switchJob) progressLine(s vswitch.SwitchStats, took time.Duration) string {
	bytes := s.Removed.TxBytes
	for i := range s.Ports {
		bytes += s.Ports[i].TxBytes
	}
	line := fmt.Sprintf("%d ports, %d addresses, %d frames, %s, %s", len(s.Ports), s.Table.Addresses, s.Sent(), si(float64(bytes), "B"), si(float64(s.Sent())/took.Seconds(), "pps"))
	if dropped := s.Dropped(); dropped > 0 {
		line += fmt.Sprintf(", %d dropped", dropped)
	}
	if j.duration > 0 {
		line += fmt.Sprintf(", %v left", max(0, j.duration-took).Round(time.Second))
	}
	return line
}

// verdict is what the job's end means for the exit code.
func (j *switchJob) verdict(sum *switchSummary, interrupted bool) error {
	if err := errors.Join(sum.failed...); err != nil {
		return err
	}
	if loss := sum.loss(); j.maxLoss >= 0 && loss > j.maxLoss {
		return &exitError{exitThreshold, fmt.Errorf("%.4g %% of the frames were lost, more than the %.4g %% of --max-loss", loss*100, j.maxLoss*100)}
	}
	if interrupted {
		return &exitError{exitInterrupted, errors.New("interrupted")}
	}
	return nil
}
