// Checks of sending.

package porttest

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

var txChecks = []check{
	{"tx/frames", sends, txFrames},
	{"tx/odd_sizes", sends, txOddSizes},
	{"tx/shared", sends, txShared},
	{"tx/full", sends, txFull},
	{"tx/close", sends, txClose},
	{"tx/closed", sends, txClosed},
	{"tx/not_receiving", sends, txNotReceiving},
}

// counted checks that the port has counted the frames that it took: n of them, with bytes in all
// if none was dropped.
func (s *session) counted(n int, bytes uint64) {
	s.c.Helper()
	st := s.port.Stats()
	if st.TxPackets+st.TxDropped() != uint64(n) {
		s.c.Errorf("Tx took %d frames, and Stats has %d sent and %d dropped %v", n, st.TxPackets, st.TxDropped(), st.TxDrops)
	}
	if st.TxDropped() == 0 && st.TxBytes != bytes {
		s.c.Errorf("Tx took %d bytes, and Stats has %d sent", bytes, st.TxBytes)
	}
	if st.RxPackets+st.RxBytes+st.RxDropped() > 0 && s.c.kind.Ignore == nil {
		s.c.Errorf("Stats has %d packets received and %d dropped on the way in, and none was", st.RxPackets, st.RxDropped())
	}
}

// txFrames: all frames go out, in order, in bursts of any size and from buffers of all sorts, and
// are counted.
func txFrames(c *checker) {
	s := c.open(how{dir: port.Out})
	for _, none := range [][]pool.Buffer{nil, {}} {
		if n, err := s.port.Tx(none); n != 0 || err != nil {
			c.Errorf("Tx of no buffers returned %d, %v", n, err)
		}
	}
	frames := c.frames(600)
	var bufs []pool.Buffer
	for _, f := range frames {
		bufs = append(bufs, s.buffer(f))
	}
	out := s.send(bufs)
	if s.Sent != nil {
		c.compare("sent", s.sent(out, len(frames)), want(frames))
	}
	s.drain()
	s.counted(len(frames), size(frames))
	if d := s.port.Stats().TxDropped(); d > 0 && !c.kind.Lossy {
		c.Errorf("%v of %d frames were dropped", s.port.Stats().TxDrops, len(frames))
	}
	s.finish()
	s.counted(len(frames), size(frames))
}

// txOddSizes: frames of any length are taken; those that can't be sent are dropped and counted, and
// the ones around them are sent.
func txOddSizes(c *checker) {
	s := c.open(how{dir: port.Out})
	mtu := s.port.Info().MTU
	if mtu <= 0 || mtu > pool.MaxFrame {
		c.Fatalf("Info.MTU is %d, want 1 to pool.MaxFrame", mtu)
	}
	sizes := []int{0, 1, 13, 14, 59, 60, mtu, mtu + 1, 65535, pool.MaxFrame}
	var bufs []pool.Buffer
	var all []wanted
	tooLong, total := 0, 0
	add := func(frame []byte, optional bool) {
		b, err := s.pool.Wrap(slices.Clone(frame))
		if err != nil {
			c.Fatalf("%v", err)
		}
		bufs = append(bufs, b)
		total += len(frame)
		all = append(all, wanted{frame, optional})
	}
	for round := range 3 { // alone, and next to each other
		for i, size := range sizes {
			if size > pool.MaxFrame {
				continue
			}
			if round == 0 || i == 0 {
				add(c.frame(len(all), 100), false)
			}
			f := make([]byte, size)
			if size >= 60 {
				f = c.frame(len(all), size)
			}
			if size <= mtu {
				add(f, size < 60 || size > c.kind.MaxSize && size != mtu)
				continue
			}
			tooLong++
			total += len(f)
			b, err := s.pool.Wrap(f)
			if err != nil {
				c.Fatalf("%v", err)
			}
			bufs = append(bufs, b)
		}
	}
	add(c.frame(len(all), 100), false)
	n := len(bufs)
	out := s.send(bufs)
	least := 0
	for _, w := range all {
		if !w.optional {
			least++
		}
	}
	if s.Sent != nil {
		c.compare("sent", s.sent(out, least), all)
	}
	s.drain()
	s.counted(n, uint64(total))
	if d := s.port.Stats().TxDrops[stats.ReasonTooLong]; d < uint64(tooLong) {
		c.Errorf("%d frames were longer than the MTU of %d, and %d dropped as too_long: %v", tooLong, mtu, d, s.port.Stats().TxDrops)
	}
	s.finish()
}

// txShared: buffers that others have shares in go out unchanged and stay unchanged, and the port gives its
// share back once.
func txShared(c *checker) {
	frames := c.frames(40)
	s := c.open(how{dir: port.Out})
	var bufs, ours []pool.Buffer
	var expected [][]byte
	for i, f := range frames {
		b := s.buffer(f)
		b.Retain(2)
		ours = append(ours, b, b)
		bufs = append(bufs, b)
		expected = append(expected, f)
		if i%4 == 0 { // the same one twice, next to itself
			b.Retain(1)
			bufs = append(bufs, b)
			expected = append(expected, f)
		}
		if i%4 == 1 { // and a part of it
			b.Retain(1)
			if err := b.TrimBack(len(f) - 60); err != nil {
				c.Fatalf("%v", err)
			}
			bufs = append(bufs, b)
			expected = append(expected, f[:60])
		}
	}
	out := s.send(bufs)
	unchanged := func(when string) {
		c.Helper()
		for i, b := range ours {
			if err := alive(b); err != nil {
				c.Fatalf("a buffer of which the suite has a share is dead %s: %v", when, err)
			}
			if d := difference(b.Bytes(), frames[i*len(frames)/len(ours)]); d != "the same" {
				c.Fatalf("a buffer of which the suite has a share was written to %s: %s", when, d)
			}
		}
	}
	unchanged("after Tx")
	if s.Sent != nil {
		c.compare("sent", s.sent(out, len(expected)), want(expected))
	}
	s.drain()
	s.counted(len(expected), size(expected))
	unchanged("after it was sent")
	s.close()
	unchanged("after Close")
	s.release(ours)
	s.finish()
}

// fill sends until the port takes no more, and returns how many it took.
func (s *session) fill() (n int) {
	s.c.Helper()
	for {
		bufs := []pool.Buffer{s.buffer(s.c.frame(n, 60)), s.buffer(s.c.frame(n+1, 60)), s.buffer(s.c.frame(n+2, 60))}
		k, err := s.port.Tx(bufs)
		s.release(bufs[k:])
		n += k
		if err != nil {
			s.c.Fatalf("Tx into a way that is filled up returned %v after %d frames", err, n)
		}
		if k < len(bufs) {
			return n
		}
		if n > s.Fills+len(bufs) {
			s.c.Fatalf("Tx took %d frames, and nobody took any out; Link.Fills says that it takes %d at most", n, s.Fills)
		}
	}
}

// txFull: a port that takes no more does not block, and WaitTx sleeps until there is room, its context is done,
// or the port is closed.
func txFull(c *checker) {
	s := c.open(how{dir: port.Out, pool: pool.Config{Count: 16384}})
	if s.Fills == 0 {
		s.finish()
		c.skipf("the port always takes frames")
	}
	n := s.fill()
	n += s.fill() // once more: nothing, or very little

	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.port.WaitTx(done); err != context.Canceled && err != nil {
		c.Errorf("WaitTx with a context that is done returned %v, want context.Canceled", err)
	}
	// It may return early; but not again and again, and sleep never.
	later, cancel := context.WithCancel(context.Background())
	asleep := c.spawn(func() {
		var err error
		for err == nil {
			err = s.port.WaitTx(later)
			runtime.Gosched()
		}
		if err != context.Canceled {
			c.Errorf("WaitTx of a full port whose context was cancelled returned %v, want context.Canceled", err)
		}
	})
	time.Sleep(5 * time.Millisecond)
	cancel()
	<-asleep

	if s.Sent != nil && !s.AfterClose {
		one := s.buffer(c.frame(0, 60))
		asleep := c.spawn(func() {
			for {
				if err := s.port.WaitTx(context.Background()); err != nil {
					c.Errorf("WaitTx for room returned %v", err)
					return
				}
				k, err := s.port.Tx([]pool.Buffer{one})
				n += k
				if k == 1 {
					return
				}
				if err != nil {
					c.Errorf("Tx after WaitTx returned %v", err)
					return
				}
			}
		})
		time.Sleep(5 * time.Millisecond)
		if out := s.Sent(1); len(out) == 0 {
			c.Errorf("nothing came out of a full port")
		}
		<-asleep
		n += s.fill()
	}
	asleep = c.spawn(func() {
		var err error
		for err == nil {
			err = s.port.WaitTx(context.Background())
			runtime.Gosched()
		}
		c.closed("WaitTx of a full port at or", err)
	})
	time.Sleep(5 * time.Millisecond)
	s.close()
	<-asleep
	s.counted(n, uint64(60*n))
	s.finish()
}

// txClose: Close from other goroutines in the middle of Tx and WaitTx.
func txClose(c *checker) {
	for range 25 {
		s := c.open(how{dir: port.Out})
		pause := time.Duration(c.random.IntN(300)) * time.Microsecond
		frame := c.frame(0, 64)
		taken := 0
		writer := c.spawn(func() {
			bufs := make([]pool.Buffer, 4)
			for {
				for i := range bufs {
					b, err := s.pool.CopyIn(frame)
					if err != nil { // all of them queued: wait for room, which never comes
						s.release(bufs[:i])
						c.closed("WaitTx at or", s.untilClosed())
						return
					}
					bufs[i] = b
				}
				n, err := s.port.Tx(bufs)
				taken += n
				s.release(bufs[n:])
				if err == nil && n == 0 {
					err = s.port.WaitTx(context.Background())
				}
				if err != nil {
					c.closed("Tx or WaitTx at or", err)
					return
				}
			}
		})
		time.Sleep(pause)
		s.closeTwice()
		<-writer
		s.counted(taken, uint64(taken*len(frame)))
		s.finish()
	}
}

// untilClosed calls WaitTx until it fails.
func (s *session) untilClosed() (err error) {
	for err == nil {
		err = s.port.WaitTx(context.Background())
		runtime.Gosched()
	}
	return err
}

// txClosed: what the calls return after Close, and that frames stay the caller's.
func txClosed(c *checker) {
	s := c.open(how{dir: port.Out})
	s.send([]pool.Buffer{s.buffer(c.frame(0, 60))})
	s.closeTwice()
	bufs := []pool.Buffer{s.buffer(c.frame(1, 60)), s.buffer(c.frame(2, 60))}
	for range 2 {
		n, err := s.port.Tx(bufs)
		c.closed("Tx", err)
		if n != 0 {
			c.Fatalf("Tx after Close took %d frames", n)
		}
		c.closed("WaitTx", s.port.WaitTx(context.Background()))
	}
	s.release(bufs)
	s.counted(1, 60)
	s.finish()
}

// txNotReceiving: a port that was opened for sending receives nothing.
func txNotReceiving(c *checker) {
	s := c.open(how{dir: port.Out})
	bufs := make([]pool.Buffer, 4)
	if n, err := s.port.Rx(bufs); n != 0 || !errors.Is(err, port.ErrDirection) {
		c.Errorf("Rx of a port that was opened for sending returned %d, %v, want 0 and port.ErrDirection", n, err)
	}
	if err := s.port.WaitRx(context.Background()); err != nil && !errors.Is(err, port.ErrDirection) {
		c.Errorf("WaitRx of a port that was opened for sending returned %v", err)
	}
	s.close()
	_, err := s.port.Rx(bufs)
	c.closed("Rx", err)
	c.closed("WaitRx", s.port.WaitRx(context.Background()))
	s.finish()
}
