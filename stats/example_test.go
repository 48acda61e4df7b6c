package stats_test

import (
	"encoding/json"
	"fmt"

	"github.com/ringway-net/ringway/stats"
)

// A worker counts in its shard and publishes once a burst; anybody reads.
func Example() {
	c := stats.New()

	sh := c.NewShard() // one for each worker
	defer sh.Close()
	sh.Poll(64)
	sh.Batch(64)
	sh.Rx(64, 64*1500)
	sh.DropTx(stats.ReasonRingFull, 4)
	sh.Tx(60, 60*1500)
	sh.Publish()

	now := c.Snapshot()
	fmt.Println(now.RxPackets, "in,", now.TxPackets, "out,", now.TxDropped(), "dropped")
	for reason, n := range now.TxDrops.All() {
		fmt.Println(reason, n)
	}
	// Output:
	// 64 in, 60 out, 4 dropped
	// ring_full 4
}

// Workers come and go; the totals stay.
func ExampleShard_Close() {
	c := stats.New()
	for range 3 {
		sh := c.NewShard()
		sh.Rx(10, 600)
		sh.Close() // publishes what is left
	}
	fmt.Println(c.Snapshot().RxPackets)
	// Output: 30
}

// A reader that wants rates keeps its last snapshot and subtracts.
func ExampleSnapshot_Delta() {
	c := stats.New()
	sh := c.NewShard()
	sh.Rx(1000, 64000)
	sh.Publish()
	last := c.Snapshot()

	sh.Rx(250, 16000) // in the next second
	sh.Publish()
	now := c.Snapshot()
	fmt.Println(now.Delta(last).RxPackets, "packets a second")
	// Output: 250 packets a second
}

func ExampleCounters_Reset() {
	c := stats.New()
	sh := c.NewShard()
	sh.Tx(7, 420)
	sh.Publish()
	fmt.Println("until now", c.Reset().TxPackets)
	fmt.Println("since then", c.Snapshot().TxPackets)
	// Output:
	// until now 7
	// since then 0
}

func ExampleDrops() {
	var d stats.Drops
	d[stats.ReasonNoBuffer] = 2
	d[stats.ReasonClosed] = 1
	text, _ := json.Marshal(d)
	fmt.Println(string(text), d.Total())
	// Output: {"closed":1,"no_buffer":2} 3
}

func ExampleBatchHistogram_Bounds() {
	h := stats.BatchHistogram{1: 5, 6: 9}
	for i, n := range h {
		if low, high := h.Bounds(i); n > 0 {
			fmt.Printf("%d batches of %d to %d packets\n", n, low, high)
		}
	}
	// Output:
	// 5 batches of 2 to 3 packets
	// 9 batches of 64 to 127 packets
}

func ExampleParseReason() {
	r, err := stats.ParseReason("ring_full")
	fmt.Println(r, err)
	_, err = stats.ParseReason("bad luck")
	fmt.Println(err)
	// Output:
	// ring_full <nil>
	// stats: unknown drop reason: "bad luck"
}

func ExampleSnapshot_String() {
	s := stats.Snapshot{RxPackets: 3, RxBytes: 180}
	s.RxDrops[stats.ReasonNoBuffer] = 12
	fmt.Print(s)
	// Output:
	// rx_packets                  3
	// rx_bytes                  180
	// rx_errors                   0
	// rx_drops                   12
	//   no_buffer                12
	// tx_packets                  0
	// tx_bytes                    0
	// tx_errors                   0
	// tx_segments                 0
	// tx_drops                    0
	// nat_translations            0
	// nat_fast_path_hits          0
	// nat_slow_path_lookups       0
	// nat_hit_rate             0.0%
	// nat_connections_created     0
	// nat_connections_expired     0
	// polls                       0
	// poll_work                   0
	// busy_spins                  0
	// poll_efficiency          0.0%
	// batches                     0
	//   1                         0
	//   2-3                       0
	//   4-7                       0
	//   8-15                      0
	//   16-31                     0
	//   32-63                     0
	//   64-127                    0
	//   128+                      0
}
