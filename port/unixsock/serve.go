//go:build unix

// Serve: a listener as one port.

package unixsock

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// Serve makes the socket at path, and opens a port to whoever comes: to one client at a time, the one that came first, and to the
// next when that has gone. While there is none, what is sent is dropped as link_down. The error is like Listen's.
func Serve(path string, o port.Options, c Config) (port.Port, error) {
	s := &server{arrived: make(chan struct{}, 1), done: make(chan struct{})}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	s.Init(o)
	l, err := listen(path, o, c, &s.Base)
	if err != nil {
		return nil, errors.Join(err, s.Shut(nil, nil))
	}
	s.listener = l
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.accept(ctx)
	return s, nil
}

// server is a port that passes calls on to that of its client. A goroutine of its own, accept, accepts clients and closes their ports.
type server struct {
	port.Base
	listener port.Listener
	client   atomic.Pointer[served] // or nil
	arrived  chan struct{}          // has an item when there is a client of whom WaitRx may not know
	stop     context.CancelFunc
	done     chan struct{}          // closed when accept has ended
	note     atomic.Pointer[string] // of the last client that didn't speak as it should
}

// served is a client, and gone has an item when it has gone.
type served struct {
	port port.Port
	gone chan struct{}
}

func (s *server) accept(ctx context.Context) {
	defer close(s.done)
	for ctx.Err() == nil {
		p, err := s.listener.Accept(ctx)
		if err != nil {
			// Closed; or for want of descriptors or the like, which may pass.
			select {
			case <-ctx.Done():
			case <-time.After(dialEvery):
			}
			continue
		}
		c := &served{p, make(chan struct{}, 1)}
		s.client.Store(c)
		notify(s.arrived)
		select {
		case <-c.gone:
		case <-ctx.Done():
		}
		s.client.Store(nil)
		_ = p.Close()
	}
}

// notify puts an item into a channel that has room for one, unless there is one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Rx receives from the client.
func (s *server) Rx(bufs []pool.Buffer) (int, error) {
	if !s.Enter() {
		return 0, port.ErrClosed
	}
	defer s.Leave()
	if s.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	c := s.client.Load()
	if c == nil {
		return 0, nil
	}
	n, err := c.port.Rx(bufs)
	if err != nil {
		s.lose(c, err)
	}
	return n, nil
}

// lose ends a client.
func (s *server) lose(c *served, err error) {
	if errors.Is(err, errFraming) {
		note := err.Error()
		s.note.Store(&note)
	}
	s.client.CompareAndSwap(c, nil)
	notify(c.gone)
}

// Tx sends to the client, if there is one.
func (s *server) Tx(bufs []pool.Buffer) (int, error) {
	if !s.Enter() {
		return 0, port.ErrClosed
	}
	defer s.Leave()
	if s.Options.Direction&port.Out == 0 {
		return 0, port.ErrDirection
	}
	n := 0
	if c := s.client.Load(); c != nil {
		var err error
		if n, err = c.port.Tx(bufs); err == nil {
			return n, nil
		}
		s.lose(c, err)
	}
	s.Dropped(stats.ReasonLinkDown, bufs[n:])
	return len(bufs), nil
}

// WaitRx sleeps until there is a client and Rx may have something of it.
func (s *server) WaitRx(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	if s.Options.Direction&port.In == 0 {
		return nil // Rx has an error to return
	}
	c := s.client.Load()
	if c == nil {
		select {
		case <-s.arrived:
			return nil
		case <-s.Shutting():
			return port.ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := c.port.WaitRx(ctx)
	if errors.Is(err, port.ErrClosed) {
		err = nil
	}
	return s.Awake(err)
}

// WaitTx sleeps until the client's port takes frames; without a client, Tx takes all.
func (s *server) WaitTx(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	c := s.client.Load()
	if c == nil || s.Options.Direction&port.Out == 0 {
		return nil
	}
	err := c.port.WaitTx(ctx)
	if errors.Is(err, port.ErrClosed) {
		err = nil
	}
	return s.Awake(err)
}

// Queued returns how many frames have been taken and not been sent.
func (s *server) Queued() int {
	if c := s.client.Load(); c != nil {
		return queued(c.port)
	}
	return 0
}

// Drain sleeps until there are none.
func (s *server) Drain(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	c := s.client.Load()
	if c == nil {
		return nil
	}
	if err := drain(ctx, c.port); err != nil && ctx.Err() != nil {
		return err
	}
	return s.Awake(nil) // what a client that has gone had queued is dropped
}

// queued and drain are Queued and Drain of a port, if it has them.
func queued(p port.Port) int {
	if q, ok := p.(port.Queuer); ok {
		return q.Queued()
	}
	return 0
}

func drain(ctx context.Context, p port.Port) error {
	if q, ok := p.(port.Queuer); ok {
		return q.Drain(ctx)
	}
	return nil
}

// Info describes the port.
func (s *server) Info() port.Info {
	i := s.listener.Info()
	if c := s.client.Load(); c != nil {
		i.Mode += ", serves " + c.port.Info().Mode
	} else {
		i.Mode += ", nobody is there"
	}
	if note := s.note.Load(); note != nil {
		i.Notes = append(i.Notes, *note)
	}
	return i
}

// Close closes the port and its client's.
func (s *server) Close() error {
	return s.Shut(func() {
		s.stop()
		<-s.done
	}, s.listener.Close)
}
