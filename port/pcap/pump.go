// The source that may keep its reader waiting (a pipe, a FIFO, a terminal, any io.Reader): a goroutine
// reads and decodes it, in batches.

package pcap

import (
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/port"
)

const (
	batches     = 3           // one being filled, one being emptied, one between
	batchFrames = 1024        // in one at most
	batchBytes  = 256 << 10   // of frames in one at most; holds the longest frame
	stopTime    = time.Second // what ends a read does so at once, or not at all
)

// batch is decoded frames on their way from the pump to Rx.
type batch struct {
	recs   []capfile.Record
	data   []byte // the frames' bytes
	ifaces []capfile.Interface
	err    error // what comes after them, for the last batch
}

func (b *batch) fits(rec *capfile.Record) bool {
	return len(b.recs) < cap(b.recs) && len(rec.Data) <= cap(b.data)-len(b.data)
}

func (b *batch) add(rec *capfile.Record) {
	at := len(b.data)
	b.data = append(b.data, rec.Data...)
	b.recs = append(b.recs, *rec)
	b.recs[len(b.recs)-1].Data = b.data[at:len(b.data):len(b.data)]
}

// pump is the goroutine and what it shares with Rx.
type pump struct {
	file string // for errors
	path string // of a FIFO that is still to be opened
	own  bool   // opened here, so closed here

	full chan *batch // has room for all
	free chan *batch
	stop chan struct{}
	done chan struct{} // closed by the goroutine when it ends

	// mu is held by the goroutine but while it waits.
	mu  sync.Mutex
	in  input
	rd  *capfile.Reader
	cur *batch // being filled

	// For the caller of Rx.
	take   *batch // being emptied
	at     int    // the next frame in it
	ifaces []capfile.Interface
	ended  error
}

// newPumpReader reads src, or the FIFO of that name if src is nil.
func newPumpReader(s *port.Spec, o port.Options, name string, src io.Reader, own bool) port.Port {
	p := &pump{
		file: name,
		own:  own,
		in:   input{r: src},
		full: make(chan *batch, batches),
		free: make(chan *batch, batches),
		stop: make(chan struct{}),
		done: make(chan struct{}),
	}
	if src == nil {
		p.path = name
	}
	for range batches {
		p.free <- &batch{recs: make([]capfile.Record, 0, batchFrames), data: make([]byte, 0, batchBytes)}
	}
	p.cur = <-p.free
	r := newReader(s, o, name)
	r.src = p
	go p.run()
	return r
}

func (p *pump) run() {
	defer close(p.done)
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.pump()
	if p.own {
		p.closeInput()
	}
	p.cur.err = err
	p.pass()
}

// pump decodes frames to the end and returns what that is.
func (p *pump) pump() error {
	if p.in.r == nil {
		if err := p.openPath(); err != nil {
			return err
		}
	}
	rd, err := capfile.NewReader(pumped{p}, p.file)
	if err != nil {
		return readError(err)
	}
	p.rd = rd
	var rec capfile.Record
	for {
		if err := rd.Next(&rec); err != nil {
			return readError(err)
		}
		if !p.cur.fits(&rec) && !p.hand() {
			return errStopped
		}
		p.cur.add(&rec)
	}
}

func (p *pump) openPath() error {
	p.mu.Unlock()
	f, err := openFIFO(p.path, os.O_RDONLY, p.stop)
	p.mu.Lock()
	if err == errStopped {
		return err
	}
	if err != nil {
		return explain(p.file, err, "read")
	}
	p.in.r = f
	if p.stopped() { // before close could see the file
		return errStopped
	}
	return nil
}

func (p *pump) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// pumped is the pump's input as its codec sees it: before a read that may wait, what was decoded is
// handed over.
type pumped struct{ p *pump }

func (r pumped) Read(b []byte) (int, error) {
	p := r.p
	if len(p.cur.recs) > 0 && !p.hand() {
		return 0, errStopped
	}
	if p.stopped() {
		return 0, errStopped
	}
	src := p.in.r
	p.mu.Unlock()
	n, err := src.Read(b)
	p.mu.Lock()
	p.in.note(b[:n])
	return n, bare(err)
}

// pass gives the current batch to Rx.
func (p *pump) pass() {
	if p.rd != nil {
		p.cur.ifaces = p.rd.Interfaces()
	}
	select {
	case p.full <- p.cur: // has room for all
	default: // but not for the one that takes their place when the port is being closed
	}
}

// hand gives the current batch to Rx and gets an empty one. It reports false if the port is
// being closed.
func (p *pump) hand() bool {
	p.pass()
	p.mu.Unlock()
	defer p.mu.Lock()
	select {
	case p.cur = <-p.free:
		return true
	case <-p.stop:
		p.cur = &batch{}
		return false
	}
}

func (p *pump) next(rec *capfile.Record) error {
	for p.take == nil || p.at == len(p.take.recs) {
		if !p.put() {
			return p.ended
		}
		select {
		case b := <-p.full:
			p.got(b)
		default:
			return errNothing
		}
	}
	*rec = p.take.recs[p.at]
	p.at++
	return nil
}

// put gives an emptied batch back, and reports false if it was the last.
func (p *pump) put() bool {
	if p.ended != nil {
		return false
	}
	if b := p.take; b != nil {
		if b.err != nil {
			p.ended = b.err
			return false
		}
		b.recs, b.data = b.recs[:0], b.data[:0]
		p.free <- b // has room for all
		p.take = nil
	}
	return true
}

func (p *pump) got(b *batch) {
	p.take, p.at, p.ifaces = b, 0, b.ifaces
}

func (p *pump) wait(ctx context.Context, shut <-chan struct{}) error {
	if p.take != nil {
		return nil
	}
	select {
	case b := <-p.full:
		p.got(b)
		return nil
	case <-shut:
		return port.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pump) interfaces() []capfile.Interface { return p.ifaces }

func (p *pump) describe(info *port.Info) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info.Mode = "reads a stream"
	if p.rd != nil {
		info.Mode += ": " + p.in.form(p.rd.Parser().Format())
		notes(info, p.rd.Parser())
	}
	info.Done = p.in.n
}

// close makes the goroutine end. It waits for that if it can wake it from a read: a file of a
// poller's kind it can, a terminal it can't, and leaves the goroutine to the next byte.
func (p *pump) close() {
	close(p.stop)
	p.mu.Lock()
	src := p.in.r
	p.mu.Unlock()
	var restore func()
	switch f := src.(type) {
	case nil:
	case readDeadliner:
		if f.SetReadDeadline(longAgo) == nil {
			restore = func() { f.SetReadDeadline(time.Time{}) }
		} else if p.own {
			p.closeInput()
		}
	case io.Closer:
		// Nothing else ends a read of an io.PipeReader, say.
		select {
		case <-p.done:
		default:
			f.Close()
		}
	}
	select {
	case <-p.done:
		if restore != nil && !p.own {
			restore() // for whoever reads on
		}
	case <-time.After(stopTime):
	}
}

func (p *pump) closeInput() {
	if c, ok := p.in.r.(io.Closer); ok {
		c.Close()
	}
}
