package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
	"github.com/ringway-net/ringway/vswitch"
)

func TestProgressLine(t *testing.T) {
	s := vswitch.ForwardStats{Ports: [2]vswitch.PortStats{
		{Info: port.Info{Done: 25e6, Total: 100e6}, Snapshot: stats.Snapshot{RxPackets: 1100}},
		{Snapshot: stats.Snapshot{TxPackets: 1000, TxBytes: 64000}},
	}}
	s.Ports[1].TxDrops[stats.ReasonRingFull] = 100
	for _, c := range []struct {
		job  *forwardJob
		says string
	}{
		{&forwardJob{}, "1000 frames, 64 kB, 100 pps, 100 dropped, 25 %, 30s left"},
		{&forwardJob{count: 2200}, "50 %, 10s left"},
		{&forwardJob{duration: 20 * time.Second}, "50 %, 10s left"},
		{&forwardJob{duration: time.Second}, "100 %, 0s left"},
	} {
		if got := c.job.progressLine(s, 10*time.Second); !strings.HasSuffix(got, c.says) {
			t.Errorf("%s, want %s", got, c.says)
		}
	}
	one := vswitch.SwitchPort{Filtered: stats.Drops{stats.ReasonPolicy: 3}}
	one.TxPackets, one.TxBytes = 1000, 64000
	of := vswitch.SwitchStats{Ports: []vswitch.SwitchPort{one, {}}, Table: vswitch.TableStats{Addresses: 7}}
	if got, want := (&switchJob{duration: 12 * time.Second}).progressLine(of, 10*time.Second), "2 ports, 7 addresses, 1000 frames, 64 kB, 100 pps, 3 dropped, 2s left"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	s.Ports[0].Info = port.Info{}
	if got := (&forwardJob{}).progressLine(s, time.Second); strings.Contains(got, "%") {
		t.Errorf("a part is told of what has no end: %s", got)
	}
}
