//go:build unix

// A datagram port that dials.

package unixsock

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

const (
	// lookEvery is how often is looked whether a peer is still there that one doesn't hear of.
	lookEvery = 2 * time.Second
	// dialEvery is how often a peer that isn't there is dialed, at most.
	dialEvery = 100 * time.Millisecond
)

var _ port.Sleeper = (*dgram)(nil)

// dgram is a datagram socket that dials a path.
type dgram struct {
	port.Base
	port.Finisher
	port.Slumber
	config   Config
	warnings []string
	fd       *fd.FD
	file     *file
	in       receiver
	sleep    lookout
	out      sender

	// mu guards the connection. The socket is connected, so that poll tells of room in the other end's, and so that
	// others can't send to it.
	mu     sync.Mutex
	to     *unix.SockaddrUnix
	peer   fs.FileInfo // the file at that path when it was connected, nil for abstract sockets
	dialed time.Time
	down   error // why it is not connected
}

// lookout is how a port sleeps that looks after its peer at times, since one that is not the one any more to which the socket is connected
// can't send to it. It belongs to whoever waits: Rx does not use it.
type lookout struct {
	*fd.FD
	next time.Time // when it looks
}

// WaitRead sleeps until a frame is there, or it is time to look.
func (l *lookout) WaitRead(ctx context.Context) error { return l.WaitReadUntil(ctx, l.next) }

// due reports whether it is.
func (l *lookout) due() bool { return !time.Now().Before(l.next) }

func dialDatagram(num int, to *unix.SockaddrUnix, o port.Options, c Config, warnings []string) (_ port.Port, err error) {
	s := &dgram{config: c, warnings: warnings, to: to}
	if c.Local != "" {
		s.file, err = bind(num, Datagram, c.Local, c.Mode)
	} else {
		s.file, err = bindTemporary(num, Datagram)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(num))
	}
	if s.fd, err = fd.New(num, c.Name); err != nil {
		return nil, errors.Join(err, s.file.remove())
	}
	s.Base.Init(o)
	s.in.init(&s.Base, false)
	s.out.init(&s.Base, s.fd, &c, nil, 0)
	s.Finisher.Init(&s.Base, port.NoOffloads, s.send)
	s.sleep = lookout{s.fd, time.Now().Add(lookEvery)}
	s.Slumber.Init(&s.Base, &s.sleep, s.sleepy, s.look)
	s.down = errors.New("not yet")
	s.dial()
	if s.down != nil {
		s.warnings = append(s.warnings, fmt.Sprintf("nobody is at %s yet (%v); until then, frames are dropped as link_down", to.Name, s.down))
	}
	return s, nil
}

// dial connects the socket to whoever is at the path now, be that the one to which it is already or not.
func (s *dgram) dial() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialed = time.Now()
	var peer fs.FileInfo
	if !abstract(s.to.Name) {
		peer, _ = os.Stat(s.to.Name)
	}
	if err := unix.Connect(s.fd.Num(), s.to); err != nil {
		// No connection at all: with one to somebody who is gone, his successor couldn't send to us.
		disconnect(s.fd.Num())
		s.down = err
		return
	}
	again := s.down == nil && (peer == nil || s.peer != nil && same(peer, s.peer))
	s.down, s.peer = nil, peer
	if s.config.Hello != "" && !again {
		// The first datagram of a connection finds room, or the peer is as deaf to what comes after it.
		_ = unix.Sendto(s.fd.Num(), []byte(s.config.Hello), 0, nil)
	}
}

// connected reports whether there is a peer, for which it looks if there was none for a while.
func (s *dgram) connected() bool {
	s.mu.Lock()
	up, wait := s.down == nil, dialEvery-time.Since(s.dialed)
	s.mu.Unlock()
	if !up && wait <= 0 {
		s.dial()
		s.mu.Lock()
		up = s.down == nil
		s.mu.Unlock()
	}
	return up
}

// Rx receives what there is.
func (s *dgram) Rx(bufs []pool.Buffer) (n int, err error) {
	if !s.Enter() {
		return 0, port.ErrClosed
	}
	defer s.Leave()
	if s.Base.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	got, err := s.in.recv(s.fd, len(bufs))
	if err != nil {
		s.RxShard.ErrorRx(1)
		s.RxShard.Publish()
		return 0, fmt.Errorf("%s: %w", s.config.Name, err)
	}
	for i := range got {
		if b, ok := s.in.take(i, s.RxShard); ok {
			bufs[n] = b
			n++
		}
	}
	if got > 0 {
		s.Received(bufs[:n])
	}
	return n, nil
}

// sleepy reports whether there is a buffer, and no need to look after the peer.
func (s *dgram) sleepy() bool { return s.in.landing.Ready(1) > 0 && !s.sleep.due() }

// look looks after the peer if it is time to, and sleeps until there is a buffer.
func (s *dgram) look(ctx context.Context) error {
	if s.sleep.due() {
		s.dial()
		s.sleep.next = time.Now().Add(lookEvery)
	}
	if s.in.landing.Ready(1) > 0 {
		return ctx.Err()
	}
	return s.in.landing.Wait(ctx)
}

func (s *dgram) send(bufs []pool.Buffer) (n int, err error) {
	if len(bufs) == 0 {
		return 0, nil
	}
	for retried := false; ; retried = true {
		if !s.connected() {
			break
		}
		k, left := s.out.transmit(bufs[n:])
		n += k
		if left == nil {
			return n, nil
		}
		s.mu.Lock()
		s.down = left
		s.mu.Unlock()
		if retried && k == 0 {
			break
		}
		s.dial() // at once: it may have been replaced
	}
	s.Dropped(stats.ReasonLinkDown, bufs[n:])
	return len(bufs), nil
}

// WaitTx sleeps until there is room, or for so long that Tx drops what it gets.
func (s *dgram) WaitTx(ctx context.Context) error {
	if !s.Enter() {
		return port.ErrClosed
	}
	defer s.Leave()
	if s.Base.Options.Direction&port.Out == 0 {
		return nil
	}
	return s.out.wait(ctx, &s.Base, s.fd)
}

// Info describes the port.
func (s *dgram) Info() port.Info {
	i := info(&s.config, s.warnings)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down != nil {
		i.Mode = fmt.Sprintf("datagrams; nobody is at %s: %v", s.to.Name, s.down)
	} else {
		i.Mode = "datagrams, connected to " + s.to.Name
	}
	return i
}

// info is what is the same for all ports here.
func info(c *Config, warnings []string) port.Info {
	return port.Info{
		Name:     c.Name,
		Kind:     "unix",
		Live:     true,
		LinkType: port.LinkTypeEthernet,
		MTU:      c.MTU,
		Warnings: warnings,
	}
}

// Close closes the port.
func (s *dgram) Close() error {
	return s.Shut(s.fd.Wake, func() error {
		s.in.landing.Close()
		return errors.Join(s.fd.Close(), s.file.remove())
	})
}
