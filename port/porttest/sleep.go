// Checks of a port.Sleeper: a receiver that sleeps, and others who look meanwhile.

package porttest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

var sleepChecks = []check{
	{"sleep/wait", receives, sleepWait},
	{"sleep/muted", receives, sleepMuted},
	{"sleep/left", receives, sleepLeft},
	{"sleep/no_buffers", receives, sleepNoBuffers},
	{"sleep/beside", receives, sleepBeside},
	{"sleep/closed", receives, sleepClosed},
}

// mutes says that the system has a way to mute a descriptor.
const mutes = runtime.GOOS == "linux"

// sleeper returns the port as a port.Sleeper, or skips the check.
func (s *session) sleeper() *sleeper {
	p, ok := s.Port.(port.Sleeper)
	if !ok {
		s.finish()
		s.c.skipf("the port is no port.Sleeper")
	}
	return &sleeper{s.port, p}
}

// fed is an idle session whose port is a port.Sleeper to which frames can be made to come, none of which get lost; or skips the check.
func (c *checker) fed(h how) (*session, *sleeper) {
	s := c.idle(h)
	p := s.sleeper()
	if s.Feed == nil || c.kind.Lossy {
		s.finish()
		c.skipf("frames can't be made to come, or not for sure")
	}
	return s, p
}

// until calls SleepRx until it fails.
func (p *sleeper) until(ctx context.Context) (err error) {
	for err == nil {
		err = p.SleepRx(ctx)
		runtime.Gosched()
	}
	return err
}

// drowse waits until the port is sleepy, if it ever is: it may have something to do now and then.
func (p *sleeper) drowse() {
	for i := 0; i < 1000 && !p.SleepyRx(); i++ {
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		_ = p.t.WaitRx(short)
		cancel()
	}
}

// asleep calls SleepRx once in a goroutine, which most likely sleeps when it returns.
func (c *checker) asleep(p *sleeper, pause time.Duration) <-chan struct{} {
	p.drowse()
	ended := c.spawn(func() {
		if err := p.SleepRx(context.Background()); err != nil {
			c.Errorf("SleepRx returned %v", err)
		}
	})
	time.Sleep(pause)
	return ended
}

// goesOn reports whether what ends with ended has not, though others had the processor again and again.
func goesOn(ended <-chan struct{}) bool {
	for range 20 {
		time.Sleep(time.Millisecond)
		select {
		case <-ended:
			return false
		default:
		}
	}
	return true
}

// sleepWait: SleepRx does what WaitRx does, where SleepyRx says that it will do.
func sleepWait(c *checker) {
	s := c.idle(how{})
	p := s.sleeper()
	if s.Feed != nil && !c.kind.Lossy { // with a frame there, it does not sleep over it
		s.Feed(c.frames(1))
		if err := s.waitIdle(context.Background(), p.SleepRx); err != nil {
			c.Errorf("SleepRx with a frame there returned %v", err)
		}
	}
	slept := 0
	s.idles("SleepRx", func(ctx context.Context) error {
		if p.SleepyRx() {
			slept++
			return p.SleepRx(ctx)
		}
		return s.port.WaitRx(ctx)
	})
	if slept == 0 {
		c.Errorf("SleepyRx is never true")
	}
}

// sleepMuted: a SleepRx that is muted ends for its context and for Close, but not for frames before it is muted no more.
func sleepMuted(c *checker) {
	s := c.idle(how{})
	p := s.sleeper()
	ctx, cancel := context.WithCancel(context.Background())
	asleep := c.spawn(func() {
		if err := p.until(ctx); err != context.Canceled {
			c.Errorf("a muted SleepRx whose context was cancelled returned %v, want context.Canceled", err)
		}
	})
	time.Sleep(5 * time.Millisecond)
	p.MuteRx(true)
	cancel()
	<-asleep
	p.MuteRx(false)

	// Whether one was asleep when it was muted, or was told of the frame before, can't be told: so try again.
	if s.Feed != nil && !c.kind.Lossy {
		muted := !mutes
		for i := 1; i <= 3 || !muted && i <= 20; i++ {
			ended := c.asleep(p, time.Duration(i)*time.Millisecond)
			p.MuteRx(true)
			s.Feed(c.frames(1))
			muted = goesOn(ended) || muted
			p.MuteRx(false)
			<-ended
			s.receive(1, nil)
		}
		if !muted {
			c.Errorf("a frame has ended each SleepRx, though they were muted")
		}
	}

	asleep = c.spawn(func() {
		if err := p.until(context.Background()); !errors.Is(err, port.ErrClosed) {
			c.Errorf("a muted SleepRx of a port that is closed meanwhile returned %v, want port.ErrClosed", err)
		}
	})
	time.Sleep(5 * time.Millisecond)
	p.MuteRx(true)
	s.close()
	<-asleep
	s.finish()
}

// sleepLeft: who has looked, and has not taken all that came, wakes the one who sleeps.
func sleepLeft(c *checker) {
	s, p := c.fed(how{})
	for range 3 {
		frames := make([][]byte, 64) // of one size: systems make one of those
		size := 60 + c.random.IntN(200)
		for i := range frames {
			frames[i] = c.frame(i, size)
		}
		ended := c.asleep(p, 2*time.Millisecond)
		p.MuteRx(true)
		s.Feed(frames)
		time.Sleep(5 * time.Millisecond) // most likely all of them are there then
		first := s.some()
		p.MuteRx(false)
		<-ended
		rest, _ := s.receive(len(frames)-len(first), nil)
		c.compare("received by two", slices.Concat(first, rest), want(frames))
	}
	s.finish()
}

// some calls Rx for one frame until it comes. Who sleeps in WaitRx meanwhile is another.
func (s *session) some() (frames [][]byte) {
	bufs := make([]pool.Buffer, 1)
	for len(frames) == 0 {
		n, err := s.port.Rx(bufs)
		if err != nil {
			s.c.Fatalf("Rx beside SleepRx: %v", err)
		}
		frames = s.copies(bufs[:n])
		runtime.Gosched()
	}
	return frames
}

// copies gives bufs back, and returns copies of their frames, without those that are to be ignored.
func (s *session) copies(bufs []pool.Buffer) (frames [][]byte) {
	for _, b := range bufs {
		if s.c.kind.Ignore == nil || !s.c.kind.Ignore(b.Bytes()) {
			frames = append(frames, slices.Clone(b.Bytes()))
		}
		b.Release()
	}
	return frames
}

// sleepNoBuffers: who has looked, and has taken the last buffer, wakes the one who sleeps if no frame would any more.
func sleepNoBuffers(c *checker) {
	s, p := c.fed(how{pool: scarce})
	ctx, cancel := context.WithCancel(context.Background())
	var asleep <-chan struct{}
	for early := true; early; { // it may return for no reason
		p.drowse()
		asleep = c.spawn(func() {
			if err := p.SleepRx(ctx); err != nil && err != context.Canceled {
				c.Errorf("SleepRx returned %v", err)
			}
		})
		early = !goesOn(asleep)
	}
	taken := s.exhaust()
	p.MuteRx(true)
	frames := c.frames(400)
	feeding := c.spawn(func() { s.Feed(frames) })
	bufs := make([]pool.Buffer, 64)
	for nothing := 0; nothing < 10; {
		n, err := s.port.Rx(bufs)
		if err != nil {
			c.Fatalf("Rx beside SleepRx, without buffers: %v", err)
		}
		taken = append(taken, bufs[:n]...)
		if n == 0 {
			nothing++
			time.Sleep(time.Millisecond)
		}
	}
	sleepy := p.SleepyRx()
	p.MuteRx(false)
	if sleepy { // buffers of its own, and nothing lacks
		cancel()
	}
	<-asleep
	cancel()
	s.release(taken)
	s.takeRest(feeding)
	s.finish()
}

// takeRest receives, and gives back, until Feed has returned, which it may not before all is received.
func (s *session) takeRest(feeding <-chan struct{}) {
	bufs := make([]pool.Buffer, 64)
	for over := false; !over; {
		select {
		case <-feeding:
			over = true
		case <-time.After(time.Millisecond):
		}
		n, err := s.port.Rx(bufs)
		if err != nil {
			s.c.Errorf("Rx after a SleepRx: %v", err)
		}
		s.release(bufs[:n])
	}
}

// sleepBeside: one who sleeps in between and one who looks now and then get all frames together, in order, each once; and what comes when
// the other one has stopped to look wakes the one who sleeps.
func sleepBeside(c *checker) {
	s, p := c.fed(how{})
	var mu sync.Mutex // held by who receives
	var got [][]byte
	var came atomic.Int64
	rx := func(bufs []pool.Buffer) (int, error) {
		n, err := s.port.Rx(bufs)
		got = append(got, s.copies(bufs[:n])...)
		came.Store(int64(len(got)))
		return n, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	receiver := c.spawn(func() {
		bufs := make([]pool.Buffer, 16)
		receive := func() (sleepy bool, err error) {
			mu.Lock()
			defer mu.Unlock()
			n, err := rx(bufs)
			if n > 0 || err != nil {
				return false, err
			}
			if p.SleepyRx() {
				return true, nil
			}
			return false, s.port.WaitRx(ctx)
		}
		for {
			sleepy, err := receive()
			if sleepy {
				err = p.SleepRx(ctx)
			}
			if err == context.Canceled {
				return
			}
			if err != nil {
				c.Errorf("who sleeps gets %v", err)
				return
			}
		}
	})
	look := func(bufs []pool.Buffer) {
		if !mu.TryLock() {
			return
		}
		defer mu.Unlock()
		if c.random.IntN(4) > 0 {
			p.MuteRx(true)
		}
		if _, err := rx(bufs); err != nil && err != io.EOF {
			c.Fatalf("who looks gets %v", err)
		}
		if c.random.IntN(3) == 0 {
			p.MuteRx(false)
		}
	}
	bufs := make([]pool.Buffer, 64)
	var frames [][]byte
	for range 30 {
		some := c.frames(1 + c.random.IntN(40))
		frames = append(frames, some...)
		feeding := c.spawn(func() { s.Feed(some) })
		for range c.random.IntN(60) {
			look(bufs[:c.burst()])
			time.Sleep(time.Duration(c.random.IntN(3)) * 10 * time.Microsecond)
		}
		<-feeding
		mu.Lock()
		p.MuteRx(false)
		mu.Unlock()
		for came.Load() < int64(len(frames)) && !c.Failed() {
			time.Sleep(100 * time.Microsecond)
		}
	}
	cancel()
	<-receiver
	c.compare("received by two", got, want(frames))
	s.finish()
}

// sleepClosed: a port that was closed, or that only sends, is not sleepy, and lets itself be muted without a word.
func sleepClosed(c *checker) {
	for _, d := range c.kind.directions() {
		s := c.open(how{dir: d})
		p := s.sleeper()
		mute := func() {
			p.MuteRx(true)
			p.MuteRx(true)
			p.MuteRx(false)
			p.MuteRx(false)
		}
		mute()
		if d&port.In == 0 {
			if p.SleepyRx() {
				c.Errorf("SleepyRx of a port that was opened for sending is true")
			}
			if err := p.SleepRx(context.Background()); err != nil && !errors.Is(err, port.ErrDirection) {
				c.Errorf("SleepRx of a port that was opened for sending returned %v", err)
			}
		}
		s.close()
		mute()
		if p.SleepyRx() {
			c.Errorf("SleepyRx after Close is true")
		}
		c.closed("SleepRx", p.SleepRx(context.Background()))
		s.finish()
	}
	// Beside Close, too.
	for range 10 {
		s := c.open(how{dir: port.In, idle: true})
		p := s.sleeper()
		asleep := c.spawn(func() { c.closed("SleepRx at or", p.until(context.Background())) })
		closing := c.spawn(s.close)
		for i := range c.random.IntN(40) {
			p.MuteRx(i%2 == 0)
		}
		<-closing
		<-asleep
		s.finish()
	}
}
