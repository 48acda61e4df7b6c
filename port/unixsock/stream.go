//go:build unix

// A stream port: dialed or accepted.

package unixsock

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/internal/mmsg"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// gathered is how many frames are written at a time, at most.
const gathered = 64

var _ port.Sleeper = (*stream)(nil)

// stream is one end of a connection.
type stream struct {
	port.Base
	port.Finisher
	port.Slumber
	config   Config
	mode     string // for Info
	warnings []string
	fd       *fd.FD

	// Rx's and WaitRx's.
	landing port.Landing
	decoder decoder
	end     error // what Rx returns once it is set and the frames before it are received

	// Tx's and WaitTx's.
	waiter
	batch    *mmsg.Batch // one message: the pieces of all frames that go out together
	prefixes [gathered][prefixSize]byte
	left     error // what Tx returns from now on
	// cut is the frame of which the socket has taken a part, if any: written bytes, cutPrefix included. It is still the
	// caller's, who comes with it again, and we have a share in it, since what has begun has to be ended; ours alone is it
	// once it would have been dropped, had it not begun.
	cut       pool.Buffer
	cutPrefix [prefixSize]byte
	written   int
	ours      atomic.Bool
}

// newStream makes the port of a connected socket. Its Base is to be initialised, then start called.
func newStream(f *fd.FD, c Config, mode string, warnings []string) *stream {
	return &stream{config: c, mode: "stream, " + mode, warnings: warnings, fd: f}
}

func (s *stream) start() {
	s.landing.Init(&s.Base)
	s.Bound = s.config.Retry
	s.batch = mmsg.New(1, 2*(gathered+1), 0, false)
	s.Finisher.Init(&s.Base, port.NoOffloads, s.send)
	s.Slumber.Init(&s.Base, s.fd, s.sleepy, s.waitBuffer)
}

// Rx receives what has been read, or can be read at once.
func (s *stream) Rx(bufs []pool.Buffer) (n int, err error) {
	if !s.Enter() {
		return 0, port.ErrClosed
	}
	defer s.Leave()
	if s.Base.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	if len(bufs) == 0 {
		return 0, nil
	}
	// One read a call: where there is more, the caller comes again.
	for read := false; ; read = true {
		var more bool
		n, more = s.decode(bufs)
		if n > 0 {
			s.Received(bufs[:n])
			return n, nil
		}
		if !more || s.end != nil || read {
			s.RxShard.Publish()
			return 0, s.end
		}
		if !s.read() {
			return 0, s.end
		}
	}
}

// decode receives frames that have been read. more is true if it wants more bytes rather than more buffers.
func (s *stream) decode(bufs []pool.Buffer) (n int, more bool) {
	for n < len(bufs) {
		frame, err := s.decoder.peek()
		if err != nil {
			s.fail(err)
			return n, false
		}
		if frame == nil {
			return n, true
		}
		if s.landing.Ready(1) == 0 {
			return n, false
		}
		first, rest := s.landing.Place(0)
		switch {
		case len(frame) < MinFrame:
			s.RxShard.DropRx(stats.ReasonTooShort, 1)
		case len(frame) > len(first)+len(rest):
			s.RxShard.DropRx(stats.ReasonTruncated, 1)
		default:
			copy(rest, frame[copy(first, frame):])
			bufs[n], _ = s.landing.Take(0, len(frame))
			n++
		}
		s.decoder.skip(len(frame))
	}
	return n, false
}

// read reads once, and reports whether something came.
func (s *stream) read() bool {
	for {
		n, err := unix.Read(s.fd.Num(), s.decoder.room())
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false
		case err == nil && n > 0:
			s.decoder.add(n)
			return true
		case err == nil, gone(err):
			if s.decoder.rest() > 0 {
				s.RxShard.DropRx(stats.ReasonTruncated, 1)
				s.RxShard.Publish()
			}
			s.end = io.EOF
		default:
			s.fail(fmt.Errorf("reading: %w", err))
		}
		return false
	}
}

// fail ends the connection for both sides.
func (s *stream) fail(err error) {
	if s.end != nil {
		return
	}
	s.end = fmt.Errorf("%s: %w", s.config.Name, err)
	s.RxShard.ErrorRx(1)
	s.RxShard.Publish()
	_ = unix.Shutdown(s.fd.Num(), unix.SHUT_RDWR)
}

// sleepy reports whether Rx needs more bytes to go on, and nothing else.
func (s *stream) sleepy() bool {
	frame, err := s.decoder.peek()
	return s.end == nil && frame == nil && err == nil && s.landing.Ready(1) > 0
}

// waitBuffer sleeps until there is a buffer, which is all that Rx may lack if not bytes.
func (s *stream) waitBuffer(ctx context.Context) error {
	if s.end != nil || s.landing.Ready(1) > 0 {
		return ctx.Err()
	}
	return s.landing.Wait(ctx)
}

// send writes bufs, each behind its length, as many at a time as fit into a call.
func (s *stream) send(bufs []pool.Buffer) (n int, err error) {
	if s.left != nil {
		return 0, s.left
	}
	for n < len(bufs) || !s.cut.IsZero() {
		pieces := s.gatherCut()
		again := 0 // 1 if bufs[n] is the frame that was cut
		if pieces > 0 && n < len(bufs) && bufs[n] == s.cut {
			again = 1
		}
		k := again
		var reason stats.Reason
		for fits := true; k-again < gathered && n+k < len(bufs); k++ {
			frame := bufs[n+k]
			if reason, fits = fit(frame.Len(), s.config.MTU); !fits {
				break
			}
			prefix := &s.prefixes[k-again]
			binary.BigEndian.PutUint32(prefix[:], uint32(frame.Len()))
			s.batch.Set(0, pieces, prefix[:])
			s.batch.Set(0, pieces+1, frame.Bytes())
			pieces += 2
		}
		if pieces == 0 {
			s.Dropped(reason, bufs[n:n+1])
			n++
			continue
		}
		if _, err := s.batch.Send(s.fd.Num(), 0, 1); err != nil {
			reason, full := isFull(err)
			switch {
			case full && s.Full():
				if again > 0 {
					s.ours.Store(true)
					bufs[n].Release()
				}
				s.Dropped(reason, bufs[n+again:])
				return len(bufs), nil
			case full:
				return n, nil
			}
			s.leave(err)
			return n, s.left
		}
		s.Room()
		n += s.wrote(s.batch.Bytes(0), bufs[n:n+k], again)
	}
	return n, nil
}

// gatherCut makes what is left of the frame that was cut the first pieces of what is written, and returns how
// many that is.
func (s *stream) gatherCut() (pieces int) {
	if s.cut.IsZero() {
		return 0
	}
	frame := s.cut.Bytes()
	if s.written < prefixSize {
		s.batch.Set(0, 0, s.cutPrefix[s.written:])
		s.batch.Set(0, 1, frame)
		return 2
	}
	s.batch.Set(0, 0, frame[s.written-prefixSize:])
	return 1
}

// wrote settles that so many bytes were written of the cut frame and of bufs, of which the first again are that frame, and returns how
// many of bufs are done with.
func (s *stream) wrote(bytes int, bufs []pool.Buffer, again int) (n int) {
	if !s.cut.IsZero() {
		left := prefixSize + s.cut.Len() - s.written
		if bytes < left {
			s.written += bytes
			return 0
		}
		bytes -= left
		s.ended()
		n = again
	}
	for n < len(bufs) && bytes >= prefixSize+bufs[n].Len() {
		bytes -= prefixSize + bufs[n].Len()
		n++
	}
	s.Sent(bufs[:n])
	if bytes > 0 {
		s.cut, s.written = bufs[n], bytes
		s.cut.Retain(1)
		binary.BigEndian.PutUint32(s.cutPrefix[:], uint32(s.cut.Len()))
	}
	return n
}

// ended gives up our share in the frame that was cut, all of which is written.
func (s *stream) ended() {
	if s.ours.Load() {
		s.Sent([]pool.Buffer{s.cut})
	} else {
		s.cut.Release()
	}
	s.cut = pool.Buffer{}
	s.ours.Store(false)
}

// leave notes that nothing can be written any more.
func (s *stream) leave(err error) {
	if gone(err) {
		s.left = fmt.Errorf("%s: the peer has closed the connection: %w", s.config.Name, err)
	} else {
		s.left = fmt.Errorf("%s: writing: %w", s.config.Name, err)
	}
	s.TxShard.ErrorTx(1)
	s.dropCut(stats.ReasonLinkDown)
	s.TxShard.Publish()
}

// dropCut gives up the frame that was cut, which will never be whole.
func (s *stream) dropCut(r stats.Reason) {
	switch {
	case s.cut.IsZero():
		return
	case s.ours.Load():
		s.Dropped(r, []pool.Buffer{s.cut})
	default:
		s.cut.Release()
	}
	s.cut = pool.Buffer{}
	s.ours.Store(false)
}

// WaitTx sleeps until there is room, or for so long that Tx drops what it gets.
func (s *stream) WaitTx(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	if s.Base.Options.Direction&port.Out == 0 {
		return nil
	}
	return s.wait(ctx, &s.Base, s.fd)
}

// Queued returns how many frames have been taken and not wholly been sent: one at most.
func (s *stream) Queued() int {
	if s.ours.Load() {
		return 1
	}
	return 0
}

// Drain sleeps until there are none.
func (s *stream) Drain(ctx context.Context) error {
	for {
		if _, err := s.Tx(nil); err != nil || s.Queued() == 0 {
			return err
		}
		if err := s.waitWrite(ctx); err != nil {
			return err
		}
	}
}

// waitWrite sleeps until there is room for what can't be dropped: the rest of a frame.
func (s *stream) waitWrite(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	return s.Awake(s.fd.WaitWrite(ctx))
}

// Info describes the port.
func (s *stream) Info() port.Info {
	i := info(&s.config, s.warnings)
	i.Mode = s.mode
	return i
}

// Close closes the connection.
func (s *stream) Close() error {
	return s.Shut(s.fd.Wake, func() error {
		if !s.cut.IsZero() {
			_, _ = s.send(nil) // there may be room meanwhile
			s.dropCut(stats.ReasonClosed)
		}
		s.landing.Close()
		return s.fd.Close()
	})
}
