// The whole way of many buffers: taken by one, through a ring for many, a second owner's hands and a ring
// for two, released by somebody else.

package pool

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/ring"
)

// A journey is one run: producers stamp frames, forwarders check them and stamp them anew, and each forwarder
// has a receiver that checks again and releases. Every other worker has a Cache.
type journey struct {
	p                     *Pool
	producers, forwarders int
	each                  int // frames of each producer
	seed                  uint64

	first *ring.MPMC[Buffer]
	seen  [][]atomic.Uint32 // per producer and frame: 0 not made, 1 under way, 2 forwarded, 3 released
}

const (
	stampSize  = 12
	unreleased = 20 // frames that a receiver collects at most
)

// length is how long the frame must be, so that a handle with another one's frame is found out.
func length(producer, seq int) int { return stampSize + (producer*7+seq*5)%50 }

// stamp writes a frame's name into it: who made it, its number, and how far it has come.
func stamp(frame []byte, producer, seq, stage int) {
	binary.LittleEndian.PutUint32(frame, uint32(producer))
	binary.LittleEndian.PutUint32(frame[4:], uint32(seq))
	binary.LittleEndian.PutUint32(frame[8:], uint32(stage))
	for i := stampSize; i < len(frame); i++ {
		frame[i] = byte(producer + seq + stage)
	}
}

// check fails the test unless b is a frame at that stage, the first to get there, and later than the one
// of the same producer that came before it. It moves the frame on to the next stage.
func (j *journey) check(t *testing.T, b Buffer, stage int, last []int) (producer, seq int) {
	frame := b.Bytes()
	if len(frame) < stampSize {
		t.Errorf("a frame of %d bytes", len(frame))
		return 0, 0
	}
	producer, seq = int(binary.LittleEndian.Uint32(frame)), int(binary.LittleEndian.Uint32(frame[4:]))
	if producer >= j.producers || seq >= j.each || len(frame) != length(producer, seq) {
		t.Errorf("%v: not a frame that was made: % x", b, frame)
		return 0, 0
	}
	want := make([]byte, len(frame))
	if stamp(want, producer, seq, stage); string(want) != string(frame) {
		t.Errorf("%v: % x, want % x", b, frame, want)
	}
	if !j.seen[producer][seq].CompareAndSwap(uint32(stage), uint32(stage+1)) {
		t.Errorf("frame %d of producer %d came to stage %d more than once", seq, producer, stage)
	}
	if seq <= last[producer] {
		t.Errorf("frame %d of producer %d after frame %d", seq, producer, last[producer])
	}
	last[producer] = seq
	return producer, seq
}

func (j *journey) none() []int {
	last := make([]int, j.producers)
	for i := range last {
		last[i] = -1
	}
	return last
}

func (j *journey) produce(t *testing.T, id int, rnd *rand.Rand) {
	get, put := j.p.GetBurst, j.p.PutBurst
	if id%2 == 0 {
		c := j.p.NewCache()
		defer c.Close()
		get, put = c.GetBurst, c.PutBurst
	}
	for seq := 0; seq < j.each; {
		bs := make([]Buffer, 1+rnd.IntN(20))
		n := get(bs)
		put(bs[min(n, j.each-seq):n]) // more than are needed
		bs = bs[:min(n, j.each-seq)]
		for i := range bs {
			stamp(must(bs[i].AppendUnzeroed(length(id, seq))), id, seq, 1)
			j.seen[id][seq].Store(1)
			seq++
		}
		for len(bs) > 0 {
			if n := j.first.PushBurst(bs); n > 0 {
				bs = bs[n:]
			} else if err := j.first.Push(background, bs[0]); err != nil {
				t.Error(err)
				return
			} else {
				bs = bs[1:]
			}
		}
		if n == 0 {
			runtime.Gosched()
		}
	}
}

func (j *journey) forward(t *testing.T, second *ring.Producer[*Buffer], rnd *rand.Rand) {
	defer second.Close()
	last := j.none()
	for {
		bs := make([]Buffer, 1+rnd.IntN(10))
		n := j.first.PopBurst(bs)
		if n == 0 {
			b, err := j.first.Pop(background)
			if err != nil {
				return
			}
			bs[0], n = b, 1
		}
		for _, b := range bs[:n] {
			producer, seq := j.check(t, b, 1, last)
			stamp(b.Bytes(), producer, seq, 2)
			if err := second.Push(background, &b); err != nil {
				t.Error(err)
			}
		}
	}
}

func (j *journey) receive(t *testing.T, id int, second *ring.Consumer[*Buffer], rnd *rand.Rand) {
	put := func(bs []Buffer) {
		for _, b := range bs {
			b.Release()
		}
	}
	if id%2 == 0 {
		c := j.p.NewCache()
		defer c.Close()
		put = c.PutBurst
	}
	last := j.none()
	var mine []Buffer
	for b := range second.All() {
		j.check(t, *b, 2, last)
		if mine = append(mine, *b); len(mine) == unreleased || rnd.IntN(10) == 0 {
			put(mine)
			mine = mine[:0]
		}
	}
	put(mine)
}

func (j *journey) run(t *testing.T, capacity int) {
	j.first = must(ring.NewMPMC[Buffer](capacity))
	j.seen = make([][]atomic.Uint32, j.producers)
	for i := range j.seen {
		j.seen[i] = make([]atomic.Uint32, j.each)
	}
	dice := func(id int) *rand.Rand { return rand.New(rand.NewPCG(j.seed, uint64(id))) }
	var producers, others sync.WaitGroup
	for id := range j.producers {
		producers.Go(func() { j.produce(t, id, dice(id)) })
	}
	for id := range j.forwarders {
		in, out, err := ring.NewSPSC[*Buffer](capacity)
		if err != nil {
			t.Fatal(err)
		}
		others.Go(func() { j.forward(t, in, dice(100+id)) })
		others.Go(func() { j.receive(t, id, out, dice(200+id)) })
	}
	producers.Wait()
	j.first.Close()
	others.Wait()
	for producer := range j.seen {
		for seq := range j.seen[producer] {
			if stage := j.seen[producer][seq].Load(); stage != 3 {
				t.Fatalf("frame %d of producer %d is at stage %d at the end", seq, producer, stage)
			}
		}
	}
	whole(t, j.p)
}

// Nothing is lost, nothing comes twice, and each receiver sees each producer's frames in order: with fewer and
// with more goroutines than processors, under a collector that never rests.
func TestStressEndToEnd(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	for _, procs := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			testkit.Hard(t, procs)
			for _, n := range [][2]int{{1, 1}, {3, 2}, {5, 4}} {
				for _, capacity := range []int{1, 7, 64} {
					// Little more than what the receivers may keep idle, so that the producers find it exhausted.
					count := (n[1]+1)/2*CacheSize + n[1]*unreleased + 10
					j := journey{p: open(t, Config{Count: count, BufferSize: 64, Headroom: None, HeapBuffers: None}),
						producers: n[0], forwarders: n[1], each: scaled(3000) / n[0], seed: seed}
					j.run(t, capacity)
				}
			}
		})
	}
}

// TestOwnership under a collector that never rests.
func TestStressOwnership(t *testing.T) {
	testkit.Watchdog(t)
	seed := testkit.Rand(t).Uint64()
	for _, procs := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("procs=%d", procs), func(t *testing.T) {
			testkit.Hard(t, procs)
			for _, workers := range []int{1, 3, 9} {
				ownership(t, 200, workers, scaled(500), seed)
			}
		})
	}
}

func TestStressWithoutPreemption(t *testing.T) {
	testkit.WithoutPreemption(t, "^TestStress(EndToEnd|Ownership)$")
}
