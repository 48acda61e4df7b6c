// The port for writing, and its way into a regular file.

package pcap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// writer is a capture that is written.
type writer struct {
	port.Base
	name   string // the port's
	out    output
	stream *stream // for all but regular files
	flush  time.Duration

	// mu guards what follows, out and the sender's counters and cache, which Tx, the timer, the
	// stream's goroutine and Close use in turn.
	mu     sync.Mutex
	enc    *encoder
	err    error // given on each call from now on
	closed bool  // Close has begun: nothing is taken any more

	// timer flushes a regular file; armed says that it will.
	timer *time.Timer
	armed bool
}

func newWriter(s *port.Spec, o port.Options, c layout, name string, w io.Writer, owned bool) (*writer, error) {
	p := &writer{name: s.Name, out: output{file: name, w: w, owned: owned}, flush: c.flush}
	p.Init(o)
	var err error
	if p.enc, err = newEncoder(c, &p.Base, &p.out); err != nil {
		p.Shut(nil, nil)
		p.out.close()
		return nil, err
	}
	return p, nil
}

func newFileWriter(s *port.Spec, o port.Options, c layout, name string, f regular, info os.FileInfo, owned bool) (port.Port, error) {
	if c.flush < 0 {
		c.flush = fileFlush
	}
	p, err := newWriter(s, o, c, name, f, owned)
	if err != nil {
		return nil, err
	}
	p.timer = time.AfterFunc(time.Hour, p.tick)
	p.timer.Stop()
	if info != nil {
		setBusy(p, info, s.Name, "writes")
	}
	return p, nil
}

// Tx takes frames: see port.Port. Writing to a regular file counts as not blocking.
func (p *writer) Tx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	defer p.Leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return 0, port.ErrClosed
	case p.err != nil:
		return 0, p.err
	case p.stream != nil:
		return p.stream.queue(bufs), nil
	}
	n, err := p.enc.encode(bufs, nil)
	p.Free(bufs[:n])
	p.enc.settle()
	if err == nil && p.flush == 0 {
		err = p.flushNow()
	}
	if err != nil {
		p.fail(err)
	} else if !p.armed && p.enc.pending() > 0 {
		p.armed = true
		p.timer.Reset(p.flush)
	}
	p.TxShard.Publish()
	return n, p.err
}

// flushNow writes out what is in the buffer. mu is held.
func (p *writer) flushNow() error {
	err := p.enc.codec.Flush()
	p.enc.settle()
	return err
}

// tick flushes what has been in the buffer long enough.
func (p *writer) tick() {
	if !p.Enter() {
		return
	}
	defer p.Leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	if p.closed || p.err != nil {
		return
	}
	if err := p.flushNow(); err != nil {
		p.fail(err)
	}
	p.TxShard.Publish()
}

// fail notes why nothing more can be written. Of what was taken, that which the system has
// not is dropped, and a regular file is cut to whole frames. mu is held.
func (p *writer) fail(err error) {
	p.TxShard.ErrorTx(1)
	if _, ok := err.(*refusal); ok {
		p.err = err // what is pending can be written all the same
		return
	}
	codec := p.enc.codec
	e := &WriteError{File: p.out.file, Offset: p.out.accepted.Load(), Frames: codec.Frames(), Err: err}
	if p.stream == nil {
		e.CutErr = p.out.cut(e.Offset - codec.WholeBytes())
		e.Cut = e.CutErr == nil
	}
	p.err = e
	why := stats.ReasonIOError
	if errors.Is(err, errUnread) {
		why = stats.ReasonWouldBlock
	}
	p.enc.abandon(why)
}

// Rx returns port.ErrDirection.
func (p *writer) Rx([]pool.Buffer) (int, error) { return 0, notThisWay(&p.Base) }

// WaitRx returns port.ErrDirection.
func (p *writer) WaitRx(context.Context) error { return notThisWay(&p.Base) }

// WaitTx sleeps until there is room: see port.Port. A regular file always has it.
func (p *writer) WaitTx(ctx context.Context) error {
	if !p.Enter() {
		return port.ErrClosed
	}
	defer p.Leave()
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.stream != nil {
		return p.stream.waitRoom(ctx)
	}
	return nil
}

// Queued returns how many frames Tx has taken that are neither sent nor dropped yet. It
// is 0 after Close.
func (p *writer) Queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.enc.pending()
	if p.stream != nil {
		n += p.stream.waiting()
	}
	return n
}

// Drain sleeps until all that Tx has taken is with the system, however long a stream's reader takes;
// Close gives up on one that stands still. The error is ctx.Err(), ErrClosed, or what is wrong
// with the port.
func (p *writer) Drain(ctx context.Context) error {
	if !p.Enter() {
		return port.ErrClosed
	}
	defer p.Leave()
	if p.stream != nil {
		return p.stream.drain(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return port.ErrClosed
	}
	if p.err == nil {
		if err := p.flushNow(); err != nil {
			p.fail(err)
		}
		p.TxShard.Publish()
	}
	return p.err
}

// Info tells what is being written: see port.Info.
func (p *writer) Info() port.Info {
	p.mu.Lock()
	defer p.mu.Unlock()
	info := port.Info{
		Name:        p.name,
		Kind:        "pcap",
		LinkType:    p.enc.link16(),
		AnyLinkType: true,
		MTU:         MaxFrame,
		Mode:        fmt.Sprintf("writes a file: %v, little-endian", p.enc.format),
	}
	if p.stream != nil {
		info.Mode = fmt.Sprintf("writes a stream: %v, little-endian", p.enc.format)
	}
	p.enc.notes(&info)
	return info
}

// Close writes out what was taken and ends the port: see port.Port. A stream is waited for as long
// as it takes something every five seconds; what it has not taken then is dropped and
// counted, and the error says so.
func (p *writer) Close() error {
	// Its own Enter keeps counters and caches alive until everything is accounted for.
	if !p.Enter() {
		return nil
	}
	defer p.Leave()
	p.Shut(nil, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	if p.stream != nil {
		p.stream.finish()
	} else {
		p.timer.Stop()
		p.finish()
	}
	p.TxShard.Publish()
	setIdle(p)
	if err := p.out.close(); err != nil && p.err == nil && !p.out.gone {
		p.err = fmt.Errorf("%s: closing it: %w; what was written last may be missing", oneLine(p.out.file), err)
	}
	return p.err
}

// finish completes the capture and writes it out. mu is held.
func (p *writer) finish() {
	var no *refusal
	if p.err != nil && !errors.As(p.err, &no) {
		return
	}
	err := p.enc.complete()
	if err == nil {
		err = p.flushNow()
	}
	if err != nil && !p.out.gone {
		p.fail(err)
	}
}
