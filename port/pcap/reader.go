// The port for reading: from records of a source to buffers with their Meta.

package pcap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/ringway-net/ringway/internal/capfile"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// source is where frames come from: a file that is read on the spot, or the pump. Its methods are
// for the caller of Rx, describe and close excepted.
type source interface {
	// next decodes the next frame; rec.Data is valid until the next call. The error is errNothing
	// if a wait may bring one, io.EOF at the end, or what is wrong.
	next(rec *capfile.Record) error
	// wait sleeps until next has something else to say than errNothing.
	wait(ctx context.Context, shut <-chan struct{}) error
	// interfaces are those that the file has described up to the frame that next gave last, or more.
	interfaces() []capfile.Interface
	// describe fills in Mode, Notes, Done and Total.
	describe(*port.Info)
	// close ends the source, and is called when nobody is in next or wait.
	close()
}

// errNothing says that there is no frame at the moment.
var errNothing = errors.New("pcap: nothing now")

// reader is a capture that is read.
type reader struct {
	port.Base
	name string // the port's
	file string // for errors
	src  source

	// mu is held while frames are taken from the source. Info takes it too.
	mu     sync.Mutex
	ids    []uint32 // the number in Options.Interfaces of each of the source's interfaces
	noTime uint64   // frames without a time
	noOrig uint64   // frames that say that they had no byte on the wire, and have some

	// A frame that the pool had no buffer for is held in rec, until Rx finds one, or WaitRx
	// does and leaves it in ready. For the caller of Rx alone.
	rec   capfile.Record
	held  bool
	ready pool.Buffer
	err   error // given on each call from now on

	closing context.Context // done when the port is being closed
	cancel  context.CancelFunc
}

func newReader(s *port.Spec, o port.Options, file string) *reader {
	r := &reader{name: s.Name, file: file}
	r.Init(o)
	r.closing, r.cancel = context.WithCancel(context.Background())
	return r
}

// Rx receives frames: see port.Port. Reading a regular file counts as not blocking. Frames that came before
// a fault are given without it; the next call gives it.
func (r *reader) Rx(bufs []pool.Buffer) (int, error) {
	if !r.Enter() {
		return 0, port.ErrClosed
	}
	defer r.Leave()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.fill(bufs)
	if n > 0 {
		r.Received(bufs[:n])
		return n, nil
	}
	return 0, r.err
}

// fill receives frames until bufs is full, there is no buffer or no frame, or an error is set.
func (r *reader) fill(bufs []pool.Buffer) (n int) {
	if len(bufs) > 0 && !r.ready.IsZero() {
		bufs[0], r.ready = r.ready, pool.Buffer{}
		n = 1
	}
	for n < len(bufs) && r.err == nil {
		if !r.held {
			if err := r.src.next(&r.rec); err != nil {
				if err != errNothing {
					r.end(err)
				}
				break
			}
		}
		b, err := r.RxCache.CopyIn(r.rec.Data)
		if err != nil {
			r.held = true
			if err != pool.ErrExhausted {
				r.end(fmt.Errorf("%s: frame of %d bytes: %w", oneLine(r.file), len(r.rec.Data), err))
			}
			break
		}
		r.held = false
		if !r.label(&b) {
			r.RxCache.Put(b)
			break
		}
		bufs[n] = b
		n++
	}
	return n
}

// label gives b the Meta of the frame in rec. It reports false if that is not possible, and
// err says why.
func (r *reader) label(b *pool.Buffer) bool {
	if r.rec.Interface >= len(r.ids) && !r.learn() {
		return false
	}
	if r.rec.OrigLen == 0 && len(r.rec.Data) > 0 {
		r.noOrig++
	}
	if !r.rec.HasTime {
		r.noTime++
	}
	b.SetMeta(pool.Meta{Time: r.rec.TimeNS, OrigLen: r.rec.OrigLen, Interface: r.ids[r.rec.Interface]})
	return true
}

// learn adds the interfaces that the source has described since to the table. It reports
// false if it is full, and sets err.
func (r *reader) learn() bool {
	for _, it := range r.src.interfaces()[len(r.ids):] {
		n, err := r.Options.Interfaces.Add(port.Interface{
			Source:      r.name,
			Name:        it.Name,
			Description: it.Description,
			LinkType:    it.LinkType,
			SnapLen:     it.SnapLen,
			Resolution:  uint8(it.Resolution),
			TSOffset:    it.TSOffset,
		})
		if err != nil {
			r.fail(fmt.Errorf("%s: interface %d: %w; read fewer captures in one run", oneLine(r.file), len(r.ids), err))
			return false
		}
		r.ids = append(r.ids, n)
	}
	return true
}

// end notes why there are no more frames. The interfaces that were described after the last
// frame become known.
func (r *reader) end(err error) {
	if len(r.src.interfaces()) > len(r.ids) && !r.learn() && err == io.EOF {
		return
	}
	if err == io.EOF {
		r.err = err
		return
	}
	r.fail(err)
}

func (r *reader) fail(err error) {
	r.err = err
	r.RxShard.ErrorRx(1)
	r.RxShard.Publish()
}

// Tx returns port.ErrDirection.
func (r *reader) Tx([]pool.Buffer) (int, error) { return 0, notThisWay(&r.Base) }

// WaitTx returns port.ErrDirection.
func (r *reader) WaitTx(context.Context) error { return notThisWay(&r.Base) }

// notThisWay is the error of the calls that are for the other direction.
func notThisWay(b *port.Base) error {
	if !b.Enter() {
		return port.ErrClosed
	}
	b.Leave()
	return port.ErrDirection
}

// WaitRx sleeps until there is a frame and a buffer for it, or an error: see port.Port.
func (r *reader) WaitRx(ctx context.Context) error {
	if !r.Enter() {
		return port.ErrClosed
	}
	defer r.Leave()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.err != nil || !r.ready.IsZero():
		return nil
	case r.held:
		return r.waitBuffer(ctx)
	}
	return r.src.wait(ctx, r.Shutting())
}

// waitBuffer waits until the pool has a buffer for the frame held.
func (r *reader) waitBuffer(ctx context.Context) error {
	if r.neverFits() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.end(fmt.Errorf("%s: frame of %d bytes, but the pool's buffers have %d and it may have none on the heap: %w",
			oneLine(r.file), len(r.rec.Data), r.Options.Pool.BufferSize(), pool.ErrTooLarge))
		return nil
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.closing, cancel)()
	b, err := r.Options.Pool.CopyInContext(waiting, r.rec.Data)
	switch {
	case err == nil:
	case r.closing.Err() != nil:
		return port.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return nil // Rx will meet it
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
	if r.label(&b) {
		r.ready = b
	} else {
		b.Release()
	}
	return nil
}

// neverFits reports whether the frame held is too long for the pool's buffers, and the pool has no
// heap buffers that will ever be free. The pool doesn't tell how many it may have; but when it refuses
// although none is out, it has none, unless another goroutine is between taking and giving back each
// time that this one looks.
func (r *reader) neverFits() bool {
	p := r.Options.Pool
	if len(r.rec.Data) <= p.BufferSize() {
		return false
	}
	for range 8 {
		b, err := p.CopyIn(r.rec.Data)
		if err == nil {
			b.Release()
		}
		if err != pool.ErrExhausted || p.Stats().HeapInUse != 0 {
			return false
		}
	}
	return true
}

// Info tells what is being read: see port.Info.
func (r *reader) Info() port.Info {
	info := port.Info{Name: r.name, Kind: "pcap", AnyLinkType: true, MTU: MaxFrame}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.src.describe(&info)
	if r.noTime > 0 {
		info.Notes = append(info.Notes, fmt.Sprintf("%s came without a time (Simple Packet Blocks) and got that of 1970-01-01 00:00:00", count(r.noTime, "frame")))
	}
	if r.noOrig > 0 {
		info.Notes = append(info.Notes, fmt.Sprintf("%s had an original length of 0 and got the captured one", count(r.noOrig, "frame")))
	}
	var other []string
	for i, id := range r.ids {
		it, _ := r.Options.Interfaces.Get(id)
		if i == 0 {
			info.LinkType = it.Link()
		}
		if link := fmt.Sprint(it.Link()); it.Link() != port.LinkTypeEthernet && !slices.Contains(other, link) {
			other = append(other, link)
		}
	}
	if len(other) > 0 {
		info.Notes = append(info.Notes, fmt.Sprintf("frames of link type %s, which is not Ethernet (1), were passed on as they are", strings.Join(other, " and ")))
	}
	return info
}

// Close ends the port: see port.Port.
func (r *reader) Close() error {
	return r.Shut(r.cancel, func() error {
		if !r.ready.IsZero() {
			r.RxCache.Put(r.ready)
		}
		r.src.close()
		setIdle(r)
		return nil
	})
}

// count returns a number with its noun.
func count(n uint64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
