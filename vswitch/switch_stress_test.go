package vswitch

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// splitter is a port that has large frames cut, like cutter, of several streams, of which it wants each in order.
type splitter struct {
	cutter
	of     [2]uint32 // bytes of each stream
	during func()    // what happens while it sends for the first time
}

func (c *splitter) send(bufs []pool.Buffer) (int, error) {
	n := c.rnd.IntN(len(bufs) + 1)
	if c.during != nil {
		n = min(2, len(bufs))
		c.during()
		c.during = nil
	}
	for _, b := range bufs[:n] {
		f := b.Bytes()
		bytes := &c.of[f[29]]
		if seq := binary.BigEndian.Uint32(f[38:]); seq != *bytes {
			c.t.Errorf("byte %d of stream %d is sent, the next one is %d", seq, f[29], *bytes)
		}
		*bytes += uint32(binary.BigEndian.Uint16(f[16:])) - 40
	}
	c.Sent(bufs[:n])
	return n, nil
}

// newSplitter makes one, and a way out to it.
func newSplitter(t *testing.T, p *pool.Pool, seed uint64, ring int) (*splitter, *outlet) {
	out := &splitter{cutter: cutter{t: t, rnd: rand.New(rand.NewPCG(seed, 0))}}
	out.Base.Init(port.Options{Pool: p})
	out.Finisher.Init(&out.Base, port.NoOffloads, out.send)
	t.Cleanup(func() { out.Close() })
	o, err := newOutlet(out, ring)
	if err != nil {
		t.Fatal(err)
	}
	return out, o
}

// A frame of which a part is sent comes again before any other one that is to be cut: also if a receiver takes it to a port that is free, and
// another one puts one in meanwhile.
func TestCutInParts(t *testing.T) {
	p := newPool(t, pool.Config{})
	out, o := newSplitter(t, p, 1, 10)
	const payload = 10 * segment
	put := func(id byte) {
		b, err := p.CopyIn((&stream{id: id}).frame(payload))
		if err != nil {
			t.Fatal(err)
		}
		b.SetOffload(pool.Offload{GSO: pool.GSOTCP4, NeedsChecksum: true, SegmentSize: segment, ChecksumStart: 34, ChecksumOffset: 16})
		o.put(t.Context(), []pool.Buffer{b}, true)
	}
	done := make(chan struct{})
	out.during = func() { // the other one, and there are no more
		put(1)
		o.ring.Close()
		close(done)
	}
	put(0)
	if err := o.run(t.Context()); err != nil {
		t.Error(err)
	}
	<-done
	if out.of != [2]uint32{payload, payload} || o.inFlight() != 0 {
		t.Errorf("sent are %d bytes, in flight %d", out.of, o.inFlight())
	}
}

// Two receivers send to a port that cuts what they send and takes a part of it: each segment leaves once and in order.
func TestStressCut(t *testing.T) {
	testkit.Watchdog(t)
	rnd := testkit.Rand(t)
	p := newPool(t, pool.Config{})
	out, o := newSplitter(t, p, rnd.Uint64(), 1+rnd.IntN(200))
	var streams [2]*stream
	var receivers, sender sync.WaitGroup
	sender.Go(func() {
		if err := o.run(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for i := range streams {
		in := &stream{id: byte(i), rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), frames: 10_000 * testkit.Scale(1)}
		in.Base.Init(port.Options{Pool: p})
		defer in.Close()
		streams[i] = in
		receivers.Go(func() {
			var bufs [burst]pool.Buffer
			for {
				n, err := in.Rx(bufs[:])
				if o.put(t.Context(), bufs[:n], true); err != nil {
					return
				}
				runtime.Gosched()
			}
		})
	}
	receivers.Wait()
	o.ring.Close()
	sender.Wait()
	for i, in := range streams {
		if out.of[i] != in.bytes {
			t.Errorf("of stream %d %d bytes are sent, want %d", i, out.of[i], in.bytes)
		}
	}
	if d := o.dropped(); d.Total() != 0 || o.inFlight() != 0 {
		t.Errorf("dropped %v, in flight %d", d, o.inFlight())
	}
}
