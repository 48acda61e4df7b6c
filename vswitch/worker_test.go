// Who sends: the receiver by itself, or the sender out of the ring.

package vswitch

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/mem"
	"github.com/ringway-net/ringway/stats"
)

// A receiver sends by itself while nothing is in the ring: here there is no sender. What the port does not take goes into the
// ring, and so does all that comes behind it, with room in the port or without.
func TestReceiverSends(t *testing.T) {
	p := newPool(t, pool.Config{})
	in, out := newSink(p), newSink(p)
	defer in.Close()
	defer out.Close()
	w, err := newWay(in, out, port.OnFullWait, 100)
	if err != nil {
		t.Fatal(err)
	}
	push := func(n, sent, ring int) {
		t.Helper()
		bufs := make([]pool.Buffer, n)
		if p.GetBurst(bufs) != n {
			t.Fatal("no buffers")
		}
		w.held.Store(int64(n))
		w.push(context.Background(), bufs)
		if now := out.Stats().TxPackets; now != uint64(sent) || w.producer.Len() != ring || w.inFlight() != ring {
			t.Errorf("sent are %d, in the ring %d, in flight %d; want %d, %d and as many", now, w.producer.Len(), w.inFlight(), sent, ring)
		}
	}
	out.room.Store(10)
	push(0, 0, 0)
	push(1, 1, 0)
	push(5, 6, 0)
	push(6, 10, 2)
	out.room.Store(10)
	push(1, 10, 3)
	pool.ReleaseBurst(popped(w))
	push(1, 11, 0)
	push(burst, 11, burst) // a full one is for two processors
	pool.ReleaseBurst(popped(w))
}

func popped(w *way) []pool.Buffer {
	bufs := make([]pool.Buffer, w.consumer.Len())
	return bufs[:w.consumer.PopBurst(bufs)]
}

// An error that the receiver meets is the way's, as one is that the sender meets; the port is not called again.
func TestReceiverMeetsError(t *testing.T) {
	p := newPool(t, pool.Config{})
	far, in := pair(t, p, mem.Config{}, mem.Config{})
	out := newSink(p)
	defer out.Close()
	out.room.Store(1000)
	f := newForward(t, ForwardConfig{In: in, Out: out})
	wait := start(t.Context(), t, f)
	send(t, p, far, 5)
	eventually(t, "5 frames to be sent", func() bool { return f.Stats().Sent() == 5 })
	out.fail.Store(true)
	send(t, p, far, 1)
	if err := wait(); !errors.Is(err, errSink) {
		t.Errorf("error %v", err)
	}
	s := balanced(t, f)
	if lost := drops(s.Ports[1].Snapshot, stats.ReasonIOError); s.Sent() != 5 || lost != 1 || s.Dropped() != 1 {
		t.Errorf("sent %d, dropped %v, want 5 and one by the error", s.Sent(), s.Ports[1].TxDrops)
	}
}

// stream is a source of TCP segments, one behind the other, in bursts of one, of many and of some. Some are large, to be cut.
type stream struct {
	port.Base
	rnd          *rand.Rand
	id           byte // which of several
	frames, next int
	bytes        uint32
}

const headers, segment = 14 + 20 + 20, 100

func (s *stream) Rx(bufs []pool.Buffer) (n int, err error) {
	if s.next == s.frames {
		return 0, io.EOF
	}
	want := min([]int{0, 1, 1, 1, burst, 1 + s.rnd.IntN(burst)}[s.rnd.IntN(6)], s.frames-s.next)
	for ; n < want; n++ {
		payload := 1 + s.rnd.IntN(segment)
		if s.rnd.IntN(4) == 0 {
			payload = segment + s.rnd.IntN(12*segment)
		}
		b, err := s.Options.Pool.CopyIn(s.frame(payload))
		if err != nil {
			break // until some have come back
		}
		if payload > segment {
			b.SetOffload(pool.Offload{GSO: pool.GSOTCP4, NeedsChecksum: true, SegmentSize: segment, ChecksumStart: 34, ChecksumOffset: 16})
		}
		bufs[n] = b
		s.bytes += uint32(payload)
	}
	s.next += n
	s.Received(bufs[:n])
	return n, nil
}

// frame makes the next frame, with so many bytes of payload.
func (s *stream) frame(payload int) []byte {
	f := make([]byte, headers+payload)
	f[12], f[14], f[22], f[23] = 8, 0x45, 64, 6 // IPv4, TCP
	f[29] = s.id                                // of the sender's address
	binary.BigEndian.PutUint16(f[16:], uint16(len(f)-14))
	binary.BigEndian.PutUint32(f[38:], s.bytes)
	f[46], f[47] = 5<<4, 0x10
	return f
}

func (s *stream) WaitRx(context.Context) error     { return nil }
func (s *stream) Tx([]pool.Buffer) (int, error)    { return 0, port.ErrDirection }
func (s *stream) WaitTx(ctx context.Context) error { return s.WaitShut(ctx) }
func (s *stream) Info() port.Info                  { return port.Info{Name: "stream"} }
func (s *stream) Close() error                     { return s.Shut(nil, nil) }

// cutter is a port that has large frames cut, takes as many segments as it likes, and wants the stream in order. What it has is
// guarded by nothing: the race detector sees two callers at once.
type cutter struct {
	port.Base
	port.Finisher
	t     testing.TB
	rnd   *rand.Rand
	whole float64 // how often it takes all
	bytes uint32
	waits int
}

func (c *cutter) send(bufs []pool.Buffer) (int, error) {
	n := len(bufs)
	if c.rnd.Float64() >= c.whole {
		n = c.rnd.IntN(n + 1)
	}
	for _, b := range bufs[:n] {
		if seq := binary.BigEndian.Uint32(b.Bytes()[38:]); seq != c.bytes {
			c.t.Errorf("byte %d of the stream is sent, the next one is %d", seq, c.bytes)
		}
		c.bytes += uint32(binary.BigEndian.Uint16(b.Bytes()[16:])) - 40
	}
	c.Sent(bufs[:n])
	return n, nil
}

func (c *cutter) WaitTx(ctx context.Context) error {
	if c.waits++; c.rnd.IntN(20) == 0 {
		return c.Sleep(ctx, time.Duration(c.rnd.IntN(100))*time.Microsecond)
	}
	return nil
}

func (c *cutter) Rx([]pool.Buffer) (int, error)    { return 0, port.ErrDirection }
func (c *cutter) WaitRx(ctx context.Context) error { return c.WaitShut(ctx) }
func (c *cutter) Info() port.Info                  { return port.Info{Name: "cutter"} }
func (c *cutter) Close() error                     { return c.Shut(nil, nil) }

// Bursts of all sizes, of frames that are cut while they are sent, leave in order and are all accounted for, however much the
// port takes at a time.
func TestStressOrder(t *testing.T) {
	testkit.Watchdog(t)
	rnd := testkit.Rand(t)
	for _, whole := range []float64{0, 0.5, 0.95, 1} {
		p := newPool(t, pool.Config{})
		in := &stream{rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), frames: 10_000 * testkit.Scale(1)}
		in.Base.Init(port.Options{Pool: p})
		out := &cutter{t: t, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 0)), whole: whole}
		out.Base.Init(port.Options{Pool: p})
		out.Finisher.Init(&out.Base, port.NoOffloads, out.send)
		f := newForward(t, ForwardConfig{In: in, Out: out, RingSize: 1 + rnd.IntN(200)})
		if err := f.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := f.Stats()
		if out.bytes != in.bytes || s.Segments() == 0 || s.Dropped() != 0 || s.InFlight != 0 || s.Received()+s.Segments() != s.Sent() {
			t.Errorf("%d bytes of %d; received %d, %d more by segments, sent %d, dropped %v, %d in flight",
				out.bytes, in.bytes, s.Received(), s.Segments(), s.Sent(), s.Ports[1].TxDrops, s.InFlight)
		}
		t.Logf("the port took all in %v of cases: %d frames, %d segments, %d waits", whole, s.Received(), s.Sent(), out.waits)
		in.Close()
		out.Close()
	}
}
