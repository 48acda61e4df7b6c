package vswitch

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// stamped is a frame with a stamp: the number of its sender and its place in a flow, what is in it besides, and a sum over all of that.
func stamped(src, dst packet.MAC, t tag, flow uint32, seq uint64, size int) []byte {
	f := frame(src, dst, t, "")
	body := make([]byte, 20+size)
	binary.BigEndian.PutUint32(body[4:], flow)
	binary.BigEndian.PutUint64(body[8:], seq)
	for i := range size {
		body[20+i] = byte(seq) + byte(i)
	}
	binary.BigEndian.PutUint32(body, crc32.ChecksumIEEE(body[4:]))
	return append(f, body...)
}

// stamp reads the stamp of a frame, tagged or not.
func stamp(f []byte) (flow uint32, seq uint64, err error) {
	body := f[packet.EthernetLen:]
	if tagOf(f) != noTag {
		body = body[packet.VLANLen:]
	}
	if len(body) < 20 || binary.BigEndian.Uint32(body) != crc32.ChecksumIEEE(body[4:]) {
		return 0, 0, fmt.Errorf("a frame whose bytes are not those that were sent: %x", f)
	}
	return binary.BigEndian.Uint32(body[4:]), binary.BigEndian.Uint64(body[8:]), nil
}

// crowdHost is a host that sends frames of several flows and looks at what it gets.
type crowdHost struct {
	name     string
	number   byte
	port     port.Port
	received map[uint32]uint64 // the last of each flow
	frames   uint64
}

// listen receives until ctx is done, and wants each flow in order.
func (h *crowdHost) listen(ctx context.Context, t testing.TB) {
	h.received = map[uint32]uint64{}
	var bufs [burst]pool.Buffer
	for {
		n, err := h.port.Rx(bufs[:])
		if err != nil {
			t.Errorf("%s: %v", h.name, err)
			return
		}
		for _, b := range bufs[:n] {
			flow, seq, err := stamp(b.Bytes())
			if err != nil {
				t.Errorf("%s: %v", h.name, err)
			}
			if last := h.received[flow]; seq <= last {
				t.Errorf("%s: of flow %#x frame %d comes after %d", h.name, flow, seq, last)
			}
			h.received[flow] = seq
			h.frames++
		}
		pool.ReleaseBurst(bufs[:n])
		if n == 0 && h.port.WaitRx(ctx) != nil {
			return
		}
	}
}

// talk sends so many frames to all others, in turns of random length: to one, to all, to nobody who is known.
func (h *crowdHost) talk(t testing.TB, p *pool.Pool, rnd *rand.Rand, hosts []*crowdHost, frames int) {
	seq := map[uint32]uint64{}
	for frames > 0 {
		var bufs []pool.Buffer
		for n := 1 + rnd.IntN(min(frames, 1+rnd.IntN(2*burst))); n > 0; n-- {
			to, dst := byte(0xff), broadcast
			switch o := hosts[rnd.IntN(len(hosts))]; rnd.IntN(8) {
			case 0:
			case 1:
				to, dst = 0xfe, station(0xfe)
			default:
				to, dst = o.number, station(o.number)
			}
			flow := uint32(h.number)<<8 | uint32(to)
			seq[flow]++
			b, err := p.CopyIn(stamped(station(h.number), dst, noTag, flow, seq[flow], rnd.IntN(100)))
			if err != nil {
				seq[flow]--
				break // until some have come back
			}
			bufs = append(bufs, b)
		}
		frames -= len(bufs)
		for len(bufs) > 0 {
			n, err := h.port.Tx(bufs)
			if bufs = bufs[n:]; err == nil && len(bufs) > 0 {
				err = h.port.WaitTx(t.Context())
			}
			if err != nil {
				t.Errorf("%s: %v", h.name, err)
				pool.ReleaseBurst(bufs)
				return
			}
		}
		if rnd.IntN(4) == 0 {
			runtime.Gosched()
		}
	}
}

// Many ports, small rings, ports that take little, flows between all of them, each frame with a stamp: all flows keep their order, by
// whatever path, no byte changes under anybody, and all are accounted for.
func TestStressSwitch(t *testing.T) {
	testkit.Watchdog(t)
	rnd := testkit.Rand(t)
	for _, wait := range []bool{false, true} {
		p := newPool(t, pool.Config{Count: 4096})
		s := newSiteOf(t, p, Config{OutRing: 1 + rnd.IntN(200), Addresses: 64}, nil)
		var hosts []*crowdHost
		configs := []PortConfig{{}, {}, {VLAN: 10}, {VLAN: 10}, {Trunk: []uint16{10}, VLAN: 11}, {Isolated: true, VLAN: 11}}
		for i, c := range configs {
			h := &crowdHost{name: fmt.Sprint("host ", i), number: byte(i + 1)}
			near, far := pair(t, p, mem.Config{Capacity: 1 + rnd.IntN(300)}, mem.Config{Capacity: 1 + rnd.IntN(300)})
			if h.port = far; wait {
				c.OnFull = port.OnFullWait
			}
			s.plug(h.name, near, c, 0)
			hosts = append(hosts, h)
		}
		s.plug("mirror", open(t, p, "null:", port.Out), PortConfig{Mirror: []string{"host 0", "host 4"}}, 0)
		slow := &dawdler{rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), last: map[uint32]uint64{}, t: t}
		slow.Init(port.Options{Pool: p})
		s.plug("dawdler", slow, PortConfig{}, 0)
		t.Cleanup(func() { slow.Close() })

		listening, stop := context.WithCancel(t.Context())
		var listeners, talkers sync.WaitGroup
		for _, h := range hosts {
			listeners.Go(func() { h.listen(listening, t) })
			own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
			talkers.Go(func() { h.talk(t, p, own, hosts, 5000*testkit.Scale(1)) })
		}
		watch := make(chan struct{})
		go func() { // a moment of it is never off by more than what is being counted just then
			defer close(watch)
			for listening.Err() == nil {
				if n := s.sw.Stats().InFlight(); n < 0 {
					t.Errorf("%d in flight", n)
				}
				time.Sleep(time.Millisecond)
			}
		}()
		talkers.Wait()
		eventually(t, "the switch to be done", func() bool {
			st := s.sw.Stats()
			return st.InFlight() == 0 && st.Received() >= uint64(len(hosts)*5000*testkit.Scale(1))
		})
		st := s.balance()
		eventually(t, "the hosts to have got all", func() bool {
			return queuedAtHosts(s, hosts) == 0
		})
		stop()
		listeners.Wait()
		<-watch
		for _, o := range st.Ports {
			if full := o.TxDrops[stats.ReasonRingFull]; wait && full > 0 && o.Name != "mirror" {
				t.Errorf("%s: %d frames found the ring full, though their sources wait", o.Name, full)
			}
		}
		t.Logf("wait %v: received %d, replicas %d, sent %d, dropped %d", wait, st.Received(), st.Replicas(), st.Sent(), st.Dropped())
	}
}

// queuedAtHosts is how many frames the switch has sent to hosts that they have not received.
func queuedAtHosts(s *site, hosts []*crowdHost) (n int) {
	for _, h := range hosts {
		n += int(s.port(h.name).TxPackets - h.port.Stats().RxPackets)
	}
	return n
}

// dawdler is a port that takes as many frames as it likes, and sleeps now and then. What it has is guarded by nothing: the race detector
// sees two callers at once. It wants each flow in order.
type dawdler struct {
	port.Base
	rnd  *rand.Rand
	last map[uint32]uint64 // of each flow
	t    testing.TB
}

func (d *dawdler) Tx(bufs []pool.Buffer) (int, error) {
	n := d.rnd.IntN(len(bufs) + 1)
	for _, b := range bufs[:n] {
		flow, seq, err := stamp(b.Bytes())
		if err != nil || seq <= d.last[flow] {
			d.t.Errorf("of flow %#x frame %d comes after %d: %v", flow, seq, d.last[flow], err)
		}
		d.last[flow] = seq
	}
	d.Sent(bufs[:n])
	return n, nil
}

func (d *dawdler) WaitTx(ctx context.Context) error {
	if d.rnd.IntN(20) == 0 {
		return d.Sleep(ctx, time.Duration(d.rnd.IntN(100))*time.Microsecond)
	}
	return nil
}

func (d *dawdler) Rx([]pool.Buffer) (int, error)    { return 0, nil }
func (d *dawdler) WaitRx(ctx context.Context) error { return d.WaitShut(ctx) }
func (d *dawdler) Info() port.Info                  { return port.Info{Name: "dawdler"} }
func (d *dawdler) Close() error                     { return d.Shut(nil, nil) }

// Ports come and go a thousand times, with frames on their way to and from them and to all, while two others talk: those lose
// nothing, and in the end there is no goroutine (TestMain looks), no buffer (the pool does) and no frame that is unaccounted for.
func TestAddRemoveUnderTraffic(t *testing.T) {
	testkit.Watchdog(t)
	rnd := testkit.Rand(t)
	s := newSite(t, Config{DrainTimeout: 5 * time.Millisecond}, map[string]PortConfig{"a": {}, "b": {}})
	for name, n := range map[string]byte{"a": 1, "b": 2} {
		if err := s.sw.AddStatic(name, 0, station(n)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var workers sync.WaitGroup
	// a sends to b, frame by frame and with some in between to all; never more than a ring takes are on their way.
	const window = 200
	var sent, got atomic.Uint64
	workers.Go(func() {
		for n := uint64(1); ctx.Err() == nil; n++ {
			for sent.Load()-got.Load() >= window && ctx.Err() == nil {
				time.Sleep(20 * time.Microsecond)
			}
			b, err := s.pool.CopyIn(stamped(station(1), station(2), noTag, 0x102, n, 10))
			if err != nil {
				t.Error(err)
				return
			}
			bufs := []pool.Buffer{b}
			if n%16 == 0 {
				if b, err := s.pool.CopyIn(stamped(station(1), broadcast, noTag, 0x1ff, n, 10)); err == nil {
					bufs = append(bufs, b)
				}
			}
			if n, err := s.hosts["a"].Tx(bufs); n != len(bufs) || err != nil {
				t.Errorf("a's Tx: %d, %v", n, err)
				return
			}
			sent.Add(1)
		}
	})
	workers.Go(func() {
		var bufs [burst]pool.Buffer
		for last := uint64(0); ; {
			n, err := s.hosts["b"].Rx(bufs[:])
			if err != nil {
				t.Error(err)
				return
			}
			for _, b := range bufs[:n] {
				flow, seq, err := stamp(b.Bytes())
				switch {
				case err != nil:
					t.Error(err)
				case flow == 0x102:
					if seq != last+1 {
						t.Errorf("frame %d comes after %d", seq, last)
					}
					last = seq
					got.Add(1)
				}
			}
			pool.ReleaseBurst(bufs[:n])
			if n == 0 && s.hosts["b"].WaitRx(ctx) != nil {
				return
			}
		}
	})
	workers.Go(func() { // somebody looks all the time
		for ctx.Err() == nil {
			s.sw.Stats()
			s.sw.Addresses()
			time.Sleep(200 * time.Microsecond)
		}
	})
	eventually(t, "a frame to get through", func() bool { return got.Load() > 0 }) // so all goroutines are there
	goroutines := runtime.NumGoroutine()
	const cycles, at = 1000, 4
	var churn sync.WaitGroup
	for c := range at {
		own := rand.New(rand.NewPCG(rnd.Uint64(), 0))
		churn.Go(func() {
			for n := range cycles / at {
				s.comeAndGo(own, fmt.Sprint("guest ", c), byte(10+c), n)
			}
		})
	}
	churn.Wait()
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			t.Errorf("there were %d goroutines, and now are %d:\n%s", goroutines, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
			break
		}
	}
	stop()
	workers.Wait()
	for sent.Load() > got.Load() {
		b := s.must("b")
		if flow, _, _ := stamp(b.Bytes()); flow == 0x102 {
			got.Add(1)
		}
		b.Release()
	}
	st := s.balance()
	if len(st.Ports) != 2 || st.Removed.RxPackets == 0 || st.Removed.TxPackets == 0 || len(s.sw.numbers) > 2+at {
		t.Errorf("%d ports; those that are gone received %d and sent %d; %d numbers", len(st.Ports), st.Removed.RxPackets, st.Removed.TxPackets, len(s.sw.numbers))
	}
	t.Logf("a sent %d to b; guests received %d, sent %d, dropped %v", sent.Load(), st.Removed.RxPackets, st.Removed.TxPackets, st.Removed.TxDrops)
}

// comeAndGo adds a port, has it send and receive a little, and removes it; now and then it is stuck, is closed first, or fails.
func (s *site) comeAndGo(rnd *rand.Rand, name string, number byte, n int) {
	c := mem.Config{Capacity: 1 + rnd.IntN(64)}
	switch rnd.IntN(8) {
	case 0:
		c.RxErrAt = 1 + uint64(rnd.IntN(3))
	case 1:
		c.TxErrAt = 1 + uint64(rnd.IntN(3))
	}
	near, far, err := mem.Pair(port.Options{Pool: s.pool}, port.Options{Pool: s.pool}, c, mem.Config{})
	if err != nil {
		s.t.Error(err)
		return
	}
	if err := s.sw.Add(name, near, PortConfig{MACs: []packet.MAC{station(number)}}); err != nil {
		s.t.Error(err)
	}
	for range rnd.IntN(4) {
		for _, dst := range []packet.MAC{broadcast, station(10 + byte(rnd.IntN(4))), station(number)} {
			b, err := s.pool.CopyIn(stamped(station(number), dst, noTag, 0, 0, rnd.IntN(100)))
			if err != nil {
				continue
			}
			if k, err := far.Tx([]pool.Buffer{b}); k == 0 {
				b.Release()
				if err != nil {
					s.t.Error(err)
				}
			}
		}
		runtime.Gosched()
	}
	var bufs [burst]pool.Buffer
	if rnd.IntN(2) == 0 {
		k, _ := far.Rx(bufs[:])
		pool.ReleaseBurst(bufs[:k])
	}
	if rnd.IntN(8) == 0 {
		near.Close()
	}
	if err := s.sw.Remove(name); err != nil {
		s.t.Error(err)
	}
	near.Close()
	far.Close()
}

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
