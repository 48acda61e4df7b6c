// Checks of receiving.

package porttest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

var rxChecks = []check{
	{"rx/frames", receives, rxFrames},
	{"rx/kept", receives, rxKept},
	{"rx/end", receives, rxEnd},
	{"rx/idle", receives, rxIdle},
	{"rx/no_buffers", receives, rxNoBuffers},
	{"rx/close", receives, rxClose},
	{"rx/closed", receives, rxClosed},
	{"rx/not_sending", receives, rxNotSending},
}

// rxFrames: all frames come, in order, in bursts of any size, and are counted.
func rxFrames(c *checker) {
	frames := c.frames(300)
	s := c.open(how{dir: port.In, frames: frames})
	expected := s.Frames
	if s.Feed != nil {
		more := c.frames(300)
		expected = slices.Concat(expected, more)
		c.spawn(func() { s.Feed(more) })
	}
	for _, none := range [][]pool.Buffer{nil, {}} {
		if n, err := s.port.Rx(none); n != 0 || err != nil && (err != io.EOF || len(expected) > 0) {
			c.Errorf("Rx into no buffers, with frames to come, returned %d, %v", n, err)
		}
	}
	got, _ := s.receive(len(expected), nil)
	c.compare("received", got, want(expected))
	st := s.port.Stats()
	if st.RxPackets < uint64(len(got)) || st.RxBytes < size(got) || c.kind.Ignore == nil && (st.RxPackets != uint64(len(got)) || st.RxBytes != size(got)) {
		c.Errorf("Stats has %d packets and %d bytes received, Rx returned %d and %d", st.RxPackets, st.RxBytes, len(got), size(got))
	}
	if st.TxPackets+st.TxBytes+st.TxDropped() > 0 {
		c.Errorf("Stats has %d packets sent and %d dropped, and none was", st.TxPackets, st.TxDropped())
	}
	if !c.kind.Lossy && st.RxDropped() > 0 {
		c.Errorf("Stats has %v dropped on the way in, and %d of %d frames came", st.RxDrops, len(got), len(expected))
	}
	s.finish()
	if after := s.port.Stats(); after.RxPackets != st.RxPackets || after.RxBytes != st.RxBytes {
		c.Errorf("Stats has %d packets and %d bytes received after Close, before it %d and %d", after.RxPackets, after.RxBytes, st.RxPackets, st.RxBytes)
	}
}

// rxKept: buffers that were received are the receiver's until it gives them back, to write to as well.
func rxKept(c *checker) {
	s := c.open(how{dir: port.In, frames: c.frames(200)})
	var kept []pool.Buffer
	got, _ := s.receive(len(s.Frames), func(bufs []pool.Buffer) { kept = append(kept, bufs...) })
	c.compare("received", got, want(s.Frames))
	seen := map[[2]any]int{}
	for i, b := range kept {
		id := [2]any{b.Pool(), b.Index()}
		if first, twice := seen[id]; twice && !b.Shared() {
			c.Fatalf("frames %d and %d are the same buffer: %v", first, i, b)
		}
		seen[id] = i
	}
	for i, b := range kept {
		if difference(b.Bytes(), got[i]) != "the same" {
			c.Errorf("frame %d has changed while later ones were received: %s", i, difference(b.Bytes(), got[i]))
			break
		}
		if !b.Shared() {
			clear(b.Bytes())
		}
	}
	for _, b := range kept {
		if !b.Shared() && slices.ContainsFunc(b.Bytes(), func(x byte) bool { return x != 0 }) {
			c.Errorf("%v was written to by somebody else", b)
			break
		}
	}
	s.close() // before they are given back
	s.release(kept)
	s.finish()
}

// rxEnd: io.EOF comes after the last frame, again and again, and WaitRx does not sleep over it.
func rxEnd(c *checker) {
	s := c.open(how{dir: port.In, frames: c.frames(100)})
	switch {
	case s.End != nil:
		s.End()
	case !s.Ends:
		s.finish()
		c.skipf("the source has no end")
	}
	got, ended := s.receive(len(s.Frames)+1, nil)
	c.compare("received", got, want(s.Frames))
	if !ended {
		c.Errorf("more than the %d frames came, and no io.EOF", len(s.Frames))
	}
	bufs := make([]pool.Buffer, 4)
	for range 3 {
		if err := s.port.WaitRx(context.Background()); err != nil {
			c.Errorf("WaitRx at the end returned %v, want nil: Rx has io.EOF to return", err)
		}
		if n, err := s.port.Rx(bufs); n != 0 || err != io.EOF {
			c.Errorf("Rx at the end returned %d, %v, want 0 and io.EOF", n, err)
		}
	}
	s.finish()
}

// idle opens a port for receiving that has nothing to receive, or skips the check.
func (c *checker) idle(h how) *session {
	h.dir, h.idle = port.In, true
	s := c.open(h)
	if s.Feed == nil && !s.Idles {
		s.finish()
		c.skipf("the source always has frames, or is at its end")
	}
	bufs := make([]pool.Buffer, 8)
	for {
		n, err := s.port.Rx(bufs)
		if err != nil {
			c.Fatalf("Rx of an idle port returned %v", err)
		}
		if n == 0 {
			return s
		}
		for _, b := range bufs[:n] {
			if c.kind.Ignore == nil || !c.kind.Ignore(b.Bytes()) {
				c.Errorf("Rx of an idle port returned a frame (%s)", head(b.Bytes()))
			}
			b.Release()
		}
	}
}

// waitIdle calls wait, which is WaitRx or like it, until it returns an error or the port has a frame.
func (s *session) waitIdle(ctx context.Context, wait func(context.Context) error) error {
	bufs := make([]pool.Buffer, 1)
	for {
		if err := wait(ctx); err != nil {
			return err
		}
		n, err := s.port.Rx(bufs)
		if err != nil {
			return err
		}
		ignored := n > 0 && s.c.kind.Ignore != nil && s.c.kind.Ignore(bufs[0].Bytes())
		if n > 0 {
			bufs[0].Release()
			if !ignored {
				return nil
			}
		}
		if ctx.Err() != nil { // early for no reason, or for what is ignored
			return ctx.Err()
		}
		runtime.Gosched()
	}
}

// rxIdle: WaitRx sleeps until there is a frame, its context is done, or the port is closed.
func rxIdle(c *checker) {
	s := c.idle(how{})
	s.idles("WaitRx", s.port.WaitRx)
}

// idles is what an idle port's wait has to do.
func (s *session) idles(what string, wait func(context.Context) error) {
	c := s.c
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.waitIdle(done, wait); err != context.Canceled {
		c.Errorf("%s with a context that is done returned %v, want context.Canceled", what, err)
	}
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	if err := s.waitIdle(short, wait); err != context.DeadlineExceeded {
		c.Errorf("%s with a deadline returned %v, want context.DeadlineExceeded", what, err)
	}
	cancel()
	later, cancel := context.WithCancel(context.Background())
	asleep := c.spawn(func() {
		if err := s.waitIdle(later, wait); err != context.Canceled {
			c.Errorf("%s whose context was cancelled returned %v, want context.Canceled", what, err)
		}
	})
	time.Sleep(5 * time.Millisecond) // most likely it sleeps then; if not, that is right too
	cancel()
	<-asleep

	if s.Feed != nil && !c.kind.Lossy {
		frames := c.frames(1)
		asleep := c.spawn(func() {
			if err := s.waitIdle(context.Background(), wait); err != nil {
				c.Errorf("%s for a frame returned %v", what, err)
			}
		})
		time.Sleep(5 * time.Millisecond)
		s.Feed(frames)
		<-asleep
	}

	asleep = c.spawn(func() {
		if err := s.waitIdle(context.Background(), wait); !errors.Is(err, port.ErrClosed) {
			c.Errorf("%s of a port that is closed meanwhile returned %v, want port.ErrClosed", what, err)
		}
	})
	time.Sleep(5 * time.Millisecond)
	s.close()
	<-asleep
	s.finish()
}

// rxNoBuffers: with the pool exhausted, and its share of the heap too, Rx doesn't block and doesn't fail; what isn't live waits,
// what is live is dropped and counted.
func rxNoBuffers(c *checker) {
	s, taken := c.exhausted()
	bufs := make([]pool.Buffer, 16)
	var got [][]byte
	take := func(n int) {
		for _, b := range bufs[:n] {
			if c.kind.Ignore == nil || !c.kind.Ignore(b.Bytes()) {
				got = append(got, slices.Clone(b.Bytes()))
			}
			b.Release()
		}
	}
	for range 20 {
		n, err := s.port.Rx(bufs)
		take(n)
		if err == io.EOF && len(got) == len(s.Frames) {
			break // buffers of its own
		}
		if err != nil {
			c.Fatalf("Rx without buffers returned %v", err)
		}
	}
	// Asleep for a buffer or for a frame, or awake for what it dropped: it has to wake up for its context.
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	if err := s.port.WaitRx(short); err != nil && err != context.DeadlineExceeded {
		c.Errorf("WaitRx without buffers, with a deadline, returned %v", err)
	}
	cancel()
	// And for the buffers.
	live := s.port.Info().Live
	if !live && len(got) < len(s.Frames) {
		asleep := c.spawn(func() {
			if err := s.port.WaitRx(context.Background()); err != nil {
				c.Errorf("WaitRx without buffers returned %v", err)
			}
		})
		time.Sleep(5 * time.Millisecond)
		s.pool.PutBurst(taken)
		<-asleep
		rest, _ := s.receive(len(s.Frames)-len(got), nil)
		got = append(got, rest...)
		c.compare("received after there were no buffers", got, want(s.Frames))
		if d := s.port.Stats().RxDropped(); d > 0 && !c.kind.Lossy {
			c.Errorf("%v were dropped for want of buffers by a port that is not live", s.port.Stats().RxDrops)
		}
	} else {
		s.pool.PutBurst(taken)
		for live && !c.kind.Lossy && uint64(len(got))+s.port.Stats().RxDropped() < uint64(len(s.Frames)) {
			n, err := s.port.Rx(bufs)
			take(n)
			if err != nil {
				c.Fatalf("Rx after there were no buffers: %v; %d of %d frames came, %v were dropped", err, len(got), len(s.Frames), s.port.Stats().RxDrops)
			}
			runtime.Gosched()
		}
	}
	s.finish()

	// Asleep for a buffer, or for a frame once it has dropped all of them, it has to wake up for Close.
	s, taken = c.exhausted()
	asleep := c.spawn(func() {
		for {
			n, err := s.port.Rx(bufs)
			s.release(bufs[:n])
			if err == io.EOF {
				return // buffers of its own
			}
			if err == nil && n == 0 {
				err = s.port.WaitRx(context.Background())
			}
			if err != nil {
				c.closed("Rx or WaitRx without buffers at or", err)
				return
			}
			runtime.Gosched()
		}
	})
	time.Sleep(5 * time.Millisecond)
	s.close()
	<-asleep
	s.pool.PutBurst(taken)
	s.finish()
}

// exhausted opens a port that has frames to receive, and takes all buffers of its pool.
func (c *checker) exhausted() (s *session, taken []pool.Buffer) {
	c.Helper()
	s = c.open(how{dir: port.In, frames: c.frames(100), pool: scarce})
	return s, s.exhaust()
}

// scarce is a pool that is soon exhausted.
var scarce = pool.Config{Count: 512, HeapBuffers: 64}

// exhaust takes all buffers of the port's pool.
func (s *session) exhaust() (taken []pool.Buffer) {
	taken = make([]pool.Buffer, s.pool.Count())
	taken = taken[:s.pool.GetBurst(taken)]
	for {
		b, err := s.pool.Wrap(make([]byte, 60))
		if err != nil {
			return taken
		}
		taken = append(taken, b)
	}
}

// closeTwice closes the port from two goroutines, and once more.
func (s *session) closeTwice() {
	other := s.c.spawn(s.close)
	s.close()
	<-other
	s.close()
}

// rxClose: Close from other goroutines in the middle of Rx and WaitRx.
func rxClose(c *checker) {
	for range 25 {
		s := c.open(how{dir: port.In, frames: c.frames(20)})
		pause := time.Duration(c.random.IntN(300)) * time.Microsecond
		reader := c.spawn(func() {
			bufs := make([]pool.Buffer, 4)
			for {
				n, err := s.port.Rx(bufs)
				s.release(bufs[:n])
				if err == nil && n == 0 {
					err = s.port.WaitRx(context.Background())
				}
				if err != nil && err != io.EOF {
					c.closed("Rx or WaitRx at or", err)
					return
				}
			}
		})
		time.Sleep(pause)
		s.closeTwice()
		<-reader
		s.finish()
	}
}

// rxClosed: what the calls return after Close.
func rxClosed(c *checker) {
	s := c.open(how{dir: port.In, frames: c.frames(20)})
	s.receive(min(5, len(s.Frames)), nil)
	s.closeTwice()
	bufs := make([]pool.Buffer, 4)
	for range 2 {
		n, err := s.port.Rx(bufs)
		c.closed("Rx", err)
		if n != 0 {
			c.Errorf("Rx after Close returned %d frames", n)
		}
		c.closed("WaitRx", s.port.WaitRx(context.Background()))
	}
	s.finish()
}

// rxNotSending: a port that was opened for receiving takes nothing.
func rxNotSending(c *checker) {
	s := c.open(how{dir: port.In, frames: c.frames(1)})
	bufs := []pool.Buffer{s.buffer(c.frame(0, 60)), s.buffer(c.frame(1, 60))}
	if n, err := s.port.Tx(bufs); n != 0 || !errors.Is(err, port.ErrDirection) {
		c.Errorf("Tx of a port that was opened for receiving returned %d, %v, want 0 and port.ErrDirection", n, err)
	}
	if err := s.port.WaitTx(context.Background()); err != nil && !errors.Is(err, port.ErrDirection) {
		c.Errorf("WaitTx of a port that was opened for receiving returned %v", err)
	}
	s.close()
	n, err := s.port.Tx(bufs)
	c.closed("Tx", err)
	if n != 0 {
		c.Errorf("Tx after Close took %d frames", n)
	}
	c.closed("WaitTx", s.port.WaitTx(context.Background()))
	s.release(bufs)
	s.finish()
}
