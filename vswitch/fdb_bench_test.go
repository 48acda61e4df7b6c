// Benchmarks of the forwarding table: an operation is one address, and those of a run come in random order. Once
// the table is larger than the caches, a lookup is the one cache line that it has to wait for, unless that was asked for
// ahead, as in a burst.
//
//	go test -run '^$' -bench FDB -count 5 ./vswitch

package vswitch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ringway-net/ringway/packet"
)

// benchFDB returns a full table of so many addresses, and as many keys that are in it and that are not, in random order.
func benchFDB(b *testing.B, size int) (t *fdb, in, out []fdbKey) {
	t, err := newFDB(size, 64)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(size) {
		mac := random.Uint64() &^ (1 << 40) >> 1 << 1
		in = append(in, newFDBKey(1, packet.MACFromUint64(mac)))
		out = append(out, newFDBKey(1, packet.MACFromUint64(mac|1)))
		if o := t.learn(in[i], uint16(i%64)); o != learnAdded {
			b.Fatal(o)
		}
	}
	random.Shuffle(size, func(i, j int) { in[i], in[j] = in[j], in[i] })
	random.Shuffle(size, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return t, in, out
}

func eachFDB(b *testing.B, f func(b *testing.B, t *fdb, in, out []fdbKey)) {
	for _, size := range []int{10, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			t, in, out := benchFDB(b, size)
			b.ReportAllocs()
			b.ResetTimer()
			f(b, t, in, out)
		})
	}
}

func BenchmarkFDBLookup(b *testing.B) {
	one := func(b *testing.B, t *fdb, keys []fdbKey, want bool) {
		for _, k := range keys {
			if _, ok := t.lookup(k); ok != want {
				b.Fatal(ok)
			}
		}
	}
	bursts := func(b *testing.B, t *fdb, keys []fdbKey, want bool) {
		for some := range slices.Chunk(keys, burst) {
			for _, k := range some {
				t.prefetch(k)
			}
			one(b, t, some, want)
		}
	}
	for _, way := range []struct {
		name string
		look func(b *testing.B, t *fdb, keys []fdbKey, want bool)
	}{{"one", one}, {"burst", bursts}} {
		for _, hit := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/hit=%v", way.name, hit), func(b *testing.B) {
				eachFDB(b, func(b *testing.B, t *fdb, in, out []fdbKey) {
					keys := out
					if hit {
						keys = in
					}
					for n := b.N; n > 0; n -= len(keys) {
						way.look(b, t, keys[:min(n, len(keys))], hit)
					}
				})
			})
		}
	}
}

func BenchmarkFDBLearn(b *testing.B) {
	// learn learns each key behind the port that port returns for where it is.
	learn := func(b *testing.B, t *fdb, keys []fdbKey, port func(fdbKey) uint16, want outcome) {
		for n := b.N; n > 0; n -= len(keys) {
			for _, k := range keys[:min(n, len(keys))] {
				if o := t.learn(k, port(k)); o != want {
					b.Fatal(o)
				}
			}
			if want == learnRefreshed {
				b.StopTimer()
				t.tick()
				b.StartTimer()
			}
		}
	}
	known := func(t *fdb) func(fdbKey) uint16 {
		return func(k fdbKey) uint16 { p, _ := t.lookup(k); return p }
	}
	b.Run("lookup+known", func(b *testing.B) {
		eachFDB(b, func(b *testing.B, t *fdb, in, _ []fdbKey) { learn(b, t, in, known(t), learnKnown) })
	})
	b.Run("lookup+refresh", func(b *testing.B) {
		eachFDB(b, func(b *testing.B, t *fdb, in, _ []fdbKey) {
			t.setAge(0)
			t.tick()
			learn(b, t, in, known(t), learnRefreshed)
		})
	})
	b.Run("evict", func(b *testing.B) {
		eachFDB(b, func(b *testing.B, t *fdb, in, _ []fdbKey) {
			made := uint64(1)
			for range b.N {
				made += 2
				if o := t.learn(newFDBKey(2, packet.MACFromUint64(made&^(1<<40))), 3); o != learnAdded {
					b.Fatal(o)
				}
			}
		})
	})
}
