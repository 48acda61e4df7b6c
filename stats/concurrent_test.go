// Tests with many writers and readers at once.

package stats

import (
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the random tests; 0 is a random one")

// newSeed returns the run's seed and prints it when the test fails.
func newSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./stats -run '^%s$' -args -seed=%d", t.Name(), seed)
		}
	})
	return seed
}

// burst counts one random burst such that after each of them, and only then, the
// relations hold that brokenBurst checks.
func burst(s *Shard, rng *rand.Rand, total *Snapshot) {
	var d Snapshot
	for range rng.IntN(4) { // some bursts are empty
		n := rng.Uint64N(64) + 1
		s.Rx(n, 100*n)
		d.RxPackets += n
		d.RxBytes += 100 * n
		s.Batch(int(n))
		d.Batches[batchBucket(int(n))]++

		drop := rng.Uint64N(n + 1)
		r := Reason(rng.IntN(NumReasons))
		s.DropTx(r, drop)
		d.TxDrops[r] += drop
		s.Tx(n-drop, 100*(n-drop))
		d.TxPackets += n - drop
		d.TxBytes += 100 * (n - drop)
		fast := rng.Uint64N(n + 1)
		s.NAT(fast, n-fast)
		d.NATTranslations += n
		d.NATFastPathHits += fast
		d.NATSlowPathLookups += n - fast
	}
	s.Poll(d.RxPackets)
	d.Polls++
	d.PollWork += d.RxPackets
	if d.RxPackets == 0 {
		d.BusySpins++
	}
	*total = total.Add(d)
}

// brokenBurst says which relation between counters a snapshot breaks that holds for
// whole bursts; "" if none.
func brokenBurst(s Snapshot) string {
	switch {
	case s.RxBytes != 100*s.RxPackets:
		return "rx bytes and packets"
	case s.TxBytes != 100*s.TxPackets:
		return "tx bytes and packets"
	case s.RxPackets != s.TxPackets+s.TxDropped():
		return "rx = tx + drops"
	case s.NATTranslations != s.RxPackets:
		return "translations and rx"
	case s.NATFastPathHits+s.NATSlowPathLookups != s.NATTranslations:
		return "fast + slow = translations"
	case s.PollWork != s.RxPackets:
		return "poll work and rx"
	}
	return ""
}

// Each writer has a shard, closes it now and then and takes a new one. Two readers take
// snapshots meanwhile: none may show a part of a burst, no counter may go
// back, and the end is exact.
func TestConcurrentWritersAndReaders(t *testing.T) {
	seed := newSeed(t)
	const writers, bursts = 4, 3000
	c := New()

	var writing, reading sync.WaitGroup
	var totals [writers]Snapshot
	for w := range writers {
		writing.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			s := c.NewShard()
			for range bursts {
				burst(s, rng, &totals[w])
				switch k := rng.IntN(100); {
				case k < 1:
					s.Close()
					s = c.NewShard()
				case k < 80: // else let it add up
					s.Publish()
				}
			}
			s.Close()
		})
	}
	end := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			var last Snapshot
			for ended := false; !ended; {
				select {
				case <-end:
					ended = true // once more, after the end
				default:
				}
				now := c.Snapshot()
				if why := brokenBurst(now); why != "" {
					t.Errorf("torn burst: %s\n%v", why, now)
					return
				}
				if now.Delta(last).Add(last) != now { // exact only if no counter went back
					t.Errorf("a counter went back: from\n%v\nto\n%v", last, now)
					return
				}
				last = now
			}
		})
	}
	writing.Wait()
	close(end)
	reading.Wait()

	var want Snapshot
	for _, total := range totals {
		want = want.Add(total)
	}
	if got := c.Snapshot(); got != want {
		t.Errorf("in the end\n%v\nwant\n%v", got, want)
	}
	if len(c.shards) != 0 {
		t.Errorf("%d shards left", len(c.shards))
	}
}

// What Resets return while writers write, and what is left after them, is
// everything, once.
func TestConcurrentResets(t *testing.T) {
	seed := newSeed(t)
	const writers, resetters, bursts = 2, 2, 3000
	c := New()

	var writing, resetting sync.WaitGroup
	var totals [writers]Snapshot
	for w := range writers {
		writing.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			s := c.NewShard()
			defer s.Close()
			for range bursts {
				burst(s, rng, &totals[w])
				s.Publish()
			}
		})
	}
	end := make(chan struct{})
	var taken [resetters]Snapshot
	for r := range resetters {
		resetting.Go(func() {
			for {
				part := c.Reset()
				if why := brokenBurst(part); why != "" {
					t.Errorf("torn burst: %s\n%v", why, part)
					return
				}
				taken[r] = taken[r].Add(part)
				select {
				case <-end:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(end)
	resetting.Wait()

	got := c.Snapshot()
	for _, part := range taken {
		got = got.Add(part)
	}
	var want Snapshot
	for _, total := range totals {
		want = want.Add(total)
	}
	if got != want {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
}
