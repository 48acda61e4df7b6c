// Package stats counts what happens to packets, cheaply enough to leave on.
//
// A [Counters] is the set of counters of one thing: a port, a switch, a
// program. Each worker takes a [Shard] of its own with [Counters.NewShard] and is
// the only one to write to it, so counting is an addition to plain memory. Once
// a burst the worker calls [Shard.Publish], which makes everything counted until
// then visible to readers at once. Anybody may call [Counters.Snapshot] at any time:
// it adds the shards up and disturbs no worker.
//
//	c := stats.New()
//	sh := c.NewShard() // in the worker
//	defer sh.Close()
//	for {
//		n, bytes := rx(burst)
//		sh.Poll(n)
//		sh.Rx(n, bytes)
//		sh.Publish() // before the next burst, and before the worker goes to sleep
//	}
//
// # What a snapshot promises
//
// A shard is seen as it was at one of its calls of Publish, never in the middle of
// a burst: what the worker counted between two calls of Publish is seen together
// or not at all. Different shards are seen at slightly different moments, so a
// frame that one worker received and another one sent may show in one sum and not yet
// in the other. A counter never goes back from one snapshot to the next, except
// by [Counters.Reset], and no count is lost when workers come and go.
//
// Neither side waits for the other: Publish is wait-free, and reading a
// shard takes one atomic swap at most, whatever its worker is doing.
//
// Counters have 64 bits and wrap around; at 100 Gbit/s that takes 46 years of bytes.
package stats
