package port

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// plain is a port whose send takes finished frames only, as many as room says, or fails.
type plain struct {
	Base
	Finisher
	t    testing.TB
	room func(n int) int
	err  error
	sent [][]byte
	meta []pool.Meta
	wake chan struct{}
}

func newPlain(t testing.TB, o Options, takes Offloads) *plain {
	t.Helper()
	p := &plain{t: t, room: func(n int) int { return n }, wake: make(chan struct{}, 1)}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, takes, p.send)
	t.Cleanup(func() { p.Close() })
	return p
}

func (p *plain) send(bufs []pool.Buffer) (int, error) {
	n := min(len(bufs), p.room(len(bufs)))
	for _, b := range bufs[:n] {
		if left, _ := b.Offload(); !p.takes.Take(left) {
			p.t.Errorf("send was given a frame with %+v left to do, and can have %v", left, p.takes)
		}
		m, _ := b.Meta()
		p.sent, p.meta = append(p.sent, bytes.Clone(b.Bytes())), append(p.meta, m)
	}
	p.Sent(bufs[:n])
	return n, p.err
}

func (p *plain) WaitTx(ctx context.Context) error {
	select {
	case <-p.wake:
		return nil
	case <-p.Shutting():
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *plain) Rx([]pool.Buffer) (int, error)    { return 0, ErrDirection }
func (p *plain) WaitRx(ctx context.Context) error { return p.WaitShut(ctx) }
func (p *plain) Info() Info                       { return Info{Kind: "plain", Offloads: p.takes} }
func (p *plain) Close() error                     { return p.Shut(nil, nil) }

var _ Port = (*plain)(nil)

// account holds that frames given + TxSegments = sent + dropped.
func (p *plain) account(given int) {
	p.t.Helper()
	s := p.Stats()
	if uint64(given)+s.TxSegments != s.TxPackets+s.TxDropped() {
		p.t.Errorf("%d given + %d segments, but %d sent and %v dropped", given, s.TxSegments, s.TxPackets, s.TxDrops)
	}
}

// work is a frame with something left to do, and what it must become.
type work struct {
	frame []byte
	left  pool.Offload
	l3    int
	want  [][]byte
}

// job makes TCP or UDP over IPv4 or IPv6, perhaps behind tags or without a link header, to be cut into segments of size
// bytes of payload; or, if size is 0, with nothing but its checksum to be completed.
func job(r *rand.Rand, udp, six, network bool, tags, payload, size int) (w work) {
	var f []byte
	if !network {
		f = append(f, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1)
		for range tags {
			f = append(f, 0x81, 0, 0, 7)
		}
		if six {
			f = append(f, 0x86, 0xdd)
		} else {
			f = append(f, 8, 0)
		}
	}
	w.l3 = len(f)
	proto, l4len := byte(6), 20
	if udp {
		proto, l4len = 17, 8
	}
	var pseudo []byte
	if six {
		h := make([]byte, 40)
		h[0], h[6], h[7], h[8], h[24] = 0x60, proto, 64, 0xfd, 0xfd
		binary.BigEndian.PutUint16(h[4:], uint16(l4len+payload))
		f = append(f, h...)
		pseudo = append(pseudo, h[8:]...)
	} else {
		h := make([]byte, 20)
		h[0], h[8], h[9], h[12], h[16] = 0x45, 64, proto, 10, 10
		binary.BigEndian.PutUint16(h[2:], uint16(20+l4len+payload))
		binary.BigEndian.PutUint16(h[10:], ^ones(0, h))
		f = append(f, h...)
		pseudo = append(pseudo, h[12:]...)
	}
	l4 := len(f)
	h := make([]byte, l4len)
	binary.BigEndian.PutUint16(h, 1000)
	binary.BigEndian.PutUint16(h[2:], 2000)
	at := 16
	if udp {
		at = 6
		binary.BigEndian.PutUint16(h[4:], uint16(l4len+payload))
	} else {
		h[12], h[13] = 5<<4, 0x18
	}
	pseudo = append(pseudo, 0, proto)
	binary.BigEndian.PutUint16(h[at:], ones(uint16(l4len+payload), pseudo))
	f = append(f, h...)
	for range payload {
		f = append(f, byte(r.Uint32()))
	}
	w.frame = f
	w.left = pool.Offload{NeedsChecksum: true, ChecksumStart: uint32(l4), ChecksumOffset: uint16(at), NetworkFrame: network}
	kind := packet.SegmentTCP4
	switch {
	case size == 0:
		done := bytes.Clone(f)
		if err := packet.FinishChecksum(done, l4, at); err != nil {
			panic(err)
		}
		w.want = [][]byte{done}
		return w
	case udp:
		w.left.GSO, kind = pool.GSOUDP, packet.SegmentUDP
	case six:
		w.left.GSO, kind = pool.GSOTCP6, packet.SegmentTCP6
	default:
		w.left.GSO = pool.GSOTCP4
	}
	w.left.SegmentSize = uint16(size)
	var s packet.Segmenter
	if err := s.Reset(f, w.l3, kind, size); err != nil {
		panic(err)
	}
	for i := range s.Count() {
		seg := make([]byte, s.Len(i))
		s.Put(seg, i)
		w.want = append(w.want, seg)
	}
	return w
}

// ones is the ones' complement sum of start and an even number of bytes (RFC 1071).
func ones(start uint16, data []byte) uint16 {
	sum := uint32(start)
	for i := 0; i < len(data); i += 2 {
		sum += uint32(data[i]) << 8
		if i+1 < len(data) {
			sum += uint32(data[i+1])
		}
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// right reports whether the TCP or UDP checksum of a frame is, by the letter of RFC 1071.
func right(frame []byte, l3 int) bool {
	ip := frame[l3:]
	if ip[0]>>4 == 6 {
		return ones(ones(uint16(ip[6])+uint16(len(ip)-40), ip[8:40]), ip[40:]) == 0xffff
	}
	return ones(ones(uint16(ip[9])+uint16(len(ip)-20), ip[12:20]), ip[20:]) == 0xffff && ones(0, ip[:20]) == 0xffff
}

// bufferOf puts w into a buffer.
func (w work) bufferOf(t testing.TB, p *pool.Pool) pool.Buffer {
	t.Helper()
	b, err := p.CopyIn(w.frame)
	if err != nil {
		t.Fatal(err)
	}
	b.SetOffload(w.left)
	return b
}

// Whatever is given, in whatever bursts, and however much send takes at a time: frames leave finished and in order, and
// are all accounted for.
func TestFinisher(t *testing.T) {
	r := testkit.Rand(t)
	small := newPool(t, pool.Config{Count: 4096})
	large := newPool(t, pool.Config{BufferSize: LargeBufferSize, Count: 256})
	for range testkit.Scale(30) {
		takes := Offloads(r.IntN(int(AllOffloads) + 1))
		p := newPlain(t, Options{Pool: small, Large: large}, takes)
		p.room = func(n int) int {
			if r.IntN(3) == 0 {
				return r.IntN(n + 1)
			}
			return n
		}
		var want [][]byte
		var l3 []int
		var others []pool.Buffer
		var othersFrames [][]byte
		given := 0
		for range 40 {
			var bufs []pool.Buffer
			for range r.IntN(20) {
				size := r.IntN(3) * (1 + r.IntN(1400))
				w := job(r, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(4) == 0, r.IntN(3), 1+r.IntN(1+min(20, 1+r.IntN(20))*max(64, size)), size)
				from := large
				if len(w.frame) < small.BufferSize() {
					from = small
				}
				b := w.bufferOf(t, from)
				if takes.Take(w.left) || r.IntN(5) == 0 {
					if !takes.Take(w.left) { // finished already
						b.ClearOffload()
					}
					w.want = [][]byte{w.frame}
					w.l3 = -1
				}
				if r.IntN(3) == 0 {
					b.Retain(1)
					others, othersFrames = append(others, b), append(othersFrames, w.frame)
				}
				bufs = append(bufs, b)
				for _, f := range w.want {
					want, l3 = append(want, f), append(l3, w.l3)
				}
			}
			for tries := 0; len(bufs) > 0 && tries < 100; tries++ {
				n, err := p.Tx(bufs)
				if err != nil {
					t.Fatal(err)
				}
				bufs = bufs[n:]
				given += n
				p.account(given)
			}
			if len(bufs) > 0 {
				t.Fatal("a hundred calls of Tx, and frames are left")
			}
		}
		if d := p.Stats().TxDropped(); d > 0 {
			t.Errorf("%v were dropped", p.Stats().TxDrops)
		}
		if len(p.sent) != len(want) {
			t.Fatalf("%d frames were sent, want %d", len(p.sent), len(want))
		}
		for i, f := range p.sent {
			if !bytes.Equal(f, want[i]) {
				t.Fatalf("frame %d is\n%x\nwant\n%x", i, f, want[i])
			}
			if l3[i] >= 0 && !right(f, l3[i]) {
				t.Fatalf("frame %d has a wrong checksum: %x", i, f)
			}
		}
		for i, b := range others {
			if !bytes.Equal(b.Bytes(), othersFrames[i]) {
				t.Error("a shared frame was written to")
			}
			b.Release()
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Segments and completed frames carry the frame's Meta, but for a length that is not theirs.
func TestFinisherMeta(t *testing.T) {
	r := testkit.Rand(t)
	small, large := newPool(t, pool.Config{}), newPool(t, pool.Config{BufferSize: LargeBufferSize, Count: 4})
	p := newPlain(t, Options{Pool: small}, NoOffloads)
	for _, size := range []int{1000, 0} {
		b := job(r, false, false, false, 0, 1500, size).bufferOf(t, large)
		b.SetMeta(pool.Meta{Time: 77, OrigLen: 9999, Interface: 3})
		if n, err := p.Tx([]pool.Buffer{b}); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	want := []pool.Meta{{Time: 77, Interface: 3}, {Time: 77, Interface: 3}, {Time: 77, OrigLen: 9999, Interface: 3}}
	if fmt.Sprint(p.meta) != fmt.Sprint(want) {
		t.Errorf("Meta is %+v, want %+v", p.meta, want)
	}
}

// What can't be finished is dropped for its reason, and those around it go.
func TestFinisherDrops(t *testing.T) {
	r := testkit.Rand(t)
	large := newPool(t, pool.Config{BufferSize: LargeBufferSize, Count: 16})
	for name, c := range map[string]struct {
		left   pool.Offload
		shared bool
		drops  stats.Reason
	}{
		"no header":             {left: pool.Offload{GSO: pool.GSOTCP4, SegmentSize: 100}, drops: stats.ReasonMalformed},
		"no size":               {left: pool.Offload{GSO: pool.GSOUDP}, drops: stats.ReasonMalformed},
		"unknown kind":          {left: pool.Offload{GSO: 77, SegmentSize: 100}, drops: stats.ReasonMalformed},
		"checksum behind it":    {left: pool.Offload{NeedsChecksum: true, ChecksumStart: 60, ChecksumOffset: 16}, drops: stats.ReasonMalformed},
		"checksum at the end":   {left: pool.Offload{NeedsChecksum: true, ChecksumStart: 50, ChecksumOffset: 9}, drops: stats.ReasonMalformed},
		"shared, and no buffer": {left: pool.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}, shared: true, drops: stats.ReasonNoBuffer},
	} {
		t.Run(name, func(t *testing.T) {
			small := newPool(t, pool.Config{Count: 3, HeapBuffers: pool.None})
			p := newPlain(t, Options{Pool: small, Large: large}, NoOffloads)
			var bufs []pool.Buffer
			for i := range 3 {
				b, err := small.CopyIn(bytes.Repeat([]byte{byte(i)}, 60))
				if err != nil {
					t.Fatal(err)
				}
				bufs = append(bufs, b)
			}
			bufs[1].SetOffload(c.left)
			first, other := bufs[0], bufs[1]
			if c.shared {
				bufs[1].Retain(1)
				bufs[0].Retain(1) // and so does not come back to be of use for the second
			}
			if n, err := p.Tx(bufs); n != 3 || err != nil {
				t.Errorf("Tx: %d, %v", n, err)
			}
			if c.shared {
				if !bytes.Equal(other.Bytes(), bytes.Repeat([]byte{1}, 60)) {
					t.Errorf("the other owner's frame is %x", other.Bytes())
				}
				other.Release()
				first.Release()
			}
			p.account(3)
			if len(p.sent) != 2 || p.sent[0][0] != 0 || p.sent[1][0] != 2 {
				t.Errorf("sent %x", p.sent)
			}
			if d := p.Stats().TxDrops; d[c.drops] != 1 || p.Stats().TxDropped() != 1 {
				t.Errorf("dropped %v, want one for %v", d, c.drops)
			}
		})
	}
	t.Run("segments without buffers", func(t *testing.T) {
		small := newPool(t, pool.Config{Count: 3})
		p := newPlain(t, Options{Pool: small}, NoOffloads)
		if n, err := p.Tx([]pool.Buffer{job(r, false, false, false, 0, 10000, 1000).bufferOf(t, large)}); n != 1 || err != nil {
			t.Errorf("Tx: %d, %v", n, err)
		}
		p.account(1)
		if s := p.Stats(); s.TxSegments != 9 || s.TxPackets != 3 || s.TxDrops[stats.ReasonNoBuffer] != 7 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("segments of more than a buffer", func(t *testing.T) {
		small := newPool(t, pool.Config{})
		for _, with := range []*pool.Pool{nil, large} {
			p := newPlain(t, Options{Pool: small, Large: with}, NoOffloads)
			if n, err := p.Tx([]pool.Buffer{job(r, false, false, false, 0, 4*8948+100, 8948).bufferOf(t, large)}); n != 1 || err != nil {
				t.Errorf("Tx: %d, %v", n, err)
			}
			p.account(1)
			s, want := p.Stats(), uint64(0)
			if with != nil {
				want = 5
			} else if s.TxDrops[stats.ReasonNoBuffer] != 4 { // the last one is short
				t.Errorf("%+v", s)
			} else {
				want = 1
			}
			if s.TxSegments != 4 || s.TxPackets != want {
				t.Errorf("%+v, want %d sent", s, want)
			}
		}
	})
}

// A frame that is being cut when there is no more room stays its caller's, and goes on when it comes again; or it is
// forgotten.
func TestFinisherGoesOn(t *testing.T) {
	r := testkit.Rand(t)
	small, large := newPool(t, pool.Config{}), newPool(t, pool.Config{BufferSize: LargeBufferSize, Count: 8})
	w := job(r, false, false, false, 0, 60000, 500) // 120 segments: more than the stock holds
	p := newPlain(t, Options{Pool: small}, NoOffloads)
	tx := func(b pool.Buffer, room, want int, fails error) {
		t.Helper()
		left := room
		p.room = func(n int) int { n = min(n, left); left -= n; return n }
		p.err = fails
		if n, err := p.Tx([]pool.Buffer{b}); n != want || err != fails {
			t.Fatalf("Tx with room for %d: %d, %v; want %d, %v", room, n, err, want, fails)
		}
	}
	b := w.bufferOf(t, large)
	for _, room := range []int{0, 7, 100} {
		tx(b, room, 0, nil)
		p.account(0)
	}
	tx(b, 1, 0, errors.New("on fire"))
	p.account(0)
	tx(b, 12, 1, nil)
	p.account(1)
	if len(p.sent) != len(w.want) {
		t.Fatalf("%d frames were sent, want %d", len(p.sent), len(w.want))
	}
	for i, f := range p.sent {
		if !bytes.Equal(f, w.want[i]) {
			t.Fatalf("frame %d is another", i)
		}
	}

	b = w.bufferOf(t, large)
	tx(b, 10, 0, nil)
	b.Release() // its owner has changed his mind
	p.sent = nil
	b = w.bufferOf(t, large)
	tx(b, 120, 1, nil)
	if len(p.sent) != 120 || !bytes.Equal(p.sent[0], w.want[0]) {
		t.Error("a frame after one that was given up is not cut from its beginning")
	}
	p.account(2)

	b = w.bufferOf(t, large)
	tx(b, 10, 0, nil)
	if err := p.Close(); err != nil { // the pools tell if segments are left
		t.Error(err)
	}
	if n, err := p.Tx([]pool.Buffer{b}); n != 0 || err != ErrClosed {
		t.Errorf("Tx after Close: %d, %v", n, err)
	}
	b.Release()
	in := newPlain(t, Options{Pool: small, Direction: In}, NoOffloads)
	if n, err := in.Tx(nil); n != 0 || err != ErrDirection {
		t.Errorf("Tx of a port that only receives: %d, %v", n, err)
	}
}

// Finishing allocates nothing.
func TestFinisherNoAllocations(t *testing.T) {
	r := testkit.Rand(t)
	small, err := pool.New(pool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large, err := pool.New(pool.Config{BufferSize: LargeBufferSize, Count: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	p := newPlain(t, Options{Pool: small}, NoOffloads)
	p.send0()
	cut, sum := job(r, false, false, false, 0, 60000, 1448).bufferOf(t, large), job(r, true, false, false, 0, 500, 0)
	defer cut.Release()
	var bufs [2]pool.Buffer
	if n := testing.AllocsPerRun(100, func() {
		cut.Retain(1)
		bufs[0], bufs[1] = cut, sum.bufferOf(t, small)
		if n, err := p.Tx(bufs[:]); n != 2 || err != nil {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	p.Close()
}

// send0 replaces send by one that remembers nothing.
func (p *plain) send0() {
	p.Finisher.Init(&p.Base, p.takes, func(bufs []pool.Buffer) (int, error) {
		p.Sent(bufs)
		return len(bufs), nil
	})
}
