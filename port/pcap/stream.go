// The way into all that may keep a writer waiting: a queue, and a goroutine that encodes and writes.

package pcap

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

const (
	// queueSize is how many frames wait for the goroutine at most.
	queueSize = 512
	// patience is how long Close waits for a reader that takes nothing.
	patience = 5 * time.Second
)

// stream is the part of a writer that only streams have. p.mu guards it.
type stream struct {
	p    *writer
	path string // of a FIFO that is still to be opened

	// What waits, and when it came.
	bufs []pool.Buffer
	at   []int64
	// What the goroutine is at: buffers not given back yet, the first of which may be encoded already.
	work   []pool.Buffer
	workAt []int64
	from   uint64    // the encoder's count of frames when it began with work
	since  time.Time // when the first frame of those in the codec's buffer came, or before
	hurry  bool      // somebody drains: nothing stays in the buffer any more

	kick chan struct{} // to the goroutine: something was queued
	room chan struct{} // to WaitTx: something was taken off the queue, or there is an error
	idle chan struct{} // to Drain: all is written, or there is an error
	stop chan struct{} // closed to end waiting for a FIFO's reader
	end  chan struct{} // closed by the goroutine when it ends

	patience time.Duration
}

// newStreamWriter writes to w, or to the FIFO of that name if w is nil.
func newStreamWriter(s *port.Spec, o port.Options, c layout, name string, w io.Writer, owned bool) (port.Port, error) {
	c.flush = max(0, c.flush)
	p, err := newWriter(s, o, c, name, w, owned)
	if err != nil {
		return nil, err
	}
	p.out.unlocked = &p.mu
	p.stream = &stream{
		p:        p,
		bufs:     make([]pool.Buffer, 0, queueSize),
		at:       make([]int64, 0, queueSize),
		work:     make([]pool.Buffer, 0, queueSize),
		workAt:   make([]int64, 0, queueSize),
		kick:     make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		idle:     make(chan struct{}, 1),
		stop:     make(chan struct{}),
		end:      make(chan struct{}),
		patience: patience,
	}
	if w == nil {
		p.stream.path = name
	}
	go p.stream.run()
	return p, nil
}

// notify leaves a token in c, which has room for one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// queue takes what there is room for.
func (s *stream) queue(bufs []pool.Buffer) int {
	n := min(len(bufs), queueSize-len(s.bufs))
	if n == 0 {
		return 0
	}
	now := time.Now().UnixNano()
	s.bufs = append(s.bufs, bufs[:n]...)
	for range n {
		s.at = append(s.at, now)
	}
	notify(s.kick)
	return n
}

// waiting is how many frames were taken and are not with the encoder.
func (s *stream) waiting() int { return len(s.bufs) + s.unencoded() }

func (s *stream) waitRoom(ctx context.Context) error {
	for {
		s.p.mu.Lock()
		ready := s.p.err != nil || len(s.bufs) < queueSize
		s.p.mu.Unlock()
		if ready {
			return nil
		}
		select {
		case <-s.room:
		case <-s.p.Shutting():
			return port.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *stream) drain(ctx context.Context) error {
	for {
		s.p.mu.Lock()
		err, left := s.p.err, s.waiting()+s.p.enc.pending()
		s.hurry = true
		s.p.mu.Unlock()
		if err != nil || left == 0 {
			return err
		}
		notify(s.kick)
		select {
		case <-s.idle:
		case <-s.p.Shutting():
			return port.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// run is the goroutine. It holds mu but while it waits or writes, and touches nothing any more once
// out.gone is set.
func (s *stream) run() {
	defer close(s.end)
	p := s.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out.w == nil && !s.openPath() {
		return
	}
	for p.err == nil && (!p.closed || len(s.bufs) > 0) {
		step := s.pause
		if len(s.bufs) > 0 {
			step = s.encode
		}
		if !step() {
			return
		}
	}
	p.finish()
	if !p.out.gone {
		s.settle()
	}
}

// openPath opens the FIFO, as soon as somebody reads it.
func (s *stream) openPath() bool {
	p := s.p
	p.mu.Unlock()
	f, err := openFIFO(s.path, os.O_WRONLY, s.stop)
	p.mu.Lock()
	if p.out.gone {
		if f != nil {
			f.Close()
		}
		return false
	}
	if err == errStopped {
		err = errUnread
	}
	if err != nil {
		s.check(cause(err))
		s.settle()
		return false
	}
	p.out.w = f
	return true
}

// encode writes what is queued. It reports false if the port was given up meanwhile.
func (s *stream) encode() bool {
	p := s.p
	if p.enc.pending() == 0 {
		s.since = time.Now()
	}
	s.work, s.bufs = s.bufs, s.work
	s.workAt, s.at = s.at, s.workAt[:0]
	s.from = p.enc.took
	notify(s.room)
	_, err := p.enc.encode(s.work, s.workAt)
	if p.out.gone {
		return false
	}
	s.check(err)
	p.enc.settle()
	s.putBack(stats.ReasonIOError)
	s.settle() // nothing may be left to be written, if all was dropped
	return true
}

// pause is for when nothing is queued: it writes out what is in the buffer, when that is due, or waits.
// It reports false if the port was given up meanwhile.
func (s *stream) pause() bool {
	p := s.p
	var due <-chan time.Time
	if p.enc.pending() > 0 {
		left := p.flush - time.Since(s.since)
		if p.flush == 0 || s.hurry || left <= 0 {
			err := p.flushNow()
			if p.out.gone {
				return false
			}
			s.check(err)
			s.settle()
			return true
		}
		t := time.NewTimer(left)
		defer t.Stop()
		due = t.C
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case <-s.kick:
	case <-due:
	}
	return true
}

// check notes an error of encode or flushNow, and drops what was queued then.
func (s *stream) check(err error) {
	if err == nil {
		return
	}
	s.p.fail(err)
	var no *refusal
	why := stats.ReasonIOError
	if errors.As(err, &no) {
		why = no.reason
	} else if errors.Is(err, errUnread) {
		why = stats.ReasonWouldBlock
	}
	s.drop(why)
}

// drop gives back what was queued and not encoded.
func (s *stream) drop(why stats.Reason) {
	s.putBack(why)
	s.p.Dropped(why, s.bufs)
	s.bufs, s.at = s.bufs[:0], s.at[:0]
}

// putBack gives the buffers of work back; those that were not encoded count as dropped.
func (s *stream) putBack(why stats.Reason) {
	s.p.TxShard.DropTx(why, uint64(s.unencoded()))
	s.p.Free(s.work)
	s.work = s.work[:0]
	s.from = s.p.enc.took
}

// unencoded is how many frames of work are not encoded yet.
func (s *stream) unencoded() int { return len(s.work) - int(s.p.enc.took-s.from) }

// finish is Close for a stream: mu is held, and closed is set.
func (s *stream) finish() {
	p := s.p
	notify(s.kick)
	p.mu.Unlock()
	stuck := s.stuck()
	p.mu.Lock()
	if !stuck {
		return
	}
	p.out.unread = true
	close(s.stop)
	if p.out.w == nil || p.out.interrupt() {
		p.mu.Unlock()
		select {
		case <-s.end:
		case <-time.After(stopTime):
		}
		p.mu.Lock()
		if p.out.w != nil {
			p.out.resume()
		}
	}
	select {
	case <-s.end:
	default:
		// The goroutine is in a call of the system's that can't be ended, and is left there.
		p.out.gone = true
		s.check(errUnread)
	}
}

// stuck waits for the goroutine to end, and reports true if the reader took nothing for as long as
// patience says.
func (s *stream) stuck() bool {
	t := time.NewTimer(s.patience)
	defer t.Stop()
	for seen := s.p.out.accepted.Load(); ; {
		select {
		case <-s.end:
			return false
		case <-t.C:
		}
		now := s.p.out.accepted.Load()
		if now == seen {
			return true
		}
		seen = now
		t.Reset(s.patience)
	}
}

// settle publishes, and says to those who wait that something has changed.
func (s *stream) settle() {
	s.p.TxShard.Publish()
	notify(s.room)
	notify(s.idle)
}
