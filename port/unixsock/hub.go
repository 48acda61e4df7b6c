//go:build unix

// hub: one datagram socket, and its clients.

package unixsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

const (
	// maxClients is how many clients a datagram socket has at a time, at most: so many that nobody misses more, and
	// few enough that who makes up addresses doesn't take the memory.
	maxClients = 256
	// rushEvery is how often new clients make the hub look after the old ones, at most.
	rushEvery = 100 * time.Millisecond
)

// greeting is a first datagram that is no frame.
var greeting = []byte("VFKT")

// hub is a Listener of datagrams. A goroutine of its own, run, receives, and puts the frames of each client into a
// ring, from which the client's port takes them. It lives until the listener and all ports are closed.
type hub struct {
	port.Base // of the goroutine, and for frames that are no client's; and of Accept
	config    Config
	info      port.Info
	fd        *fd.FD
	file      *file
	whole     *port.Base // of which clients are parts, or nil

	// run's.
	in     receiver
	frames []pool.Buffer // of one client, on their way to its ring

	stop context.CancelFunc // ends run
	done chan struct{}      // closed when it has ended

	closing sync.Once
	closed  chan struct{} // no more Accept
	arrived chan *client  // to be accepted: as many as there can be

	mu        sync.Mutex
	listening bool
	users     int                // the listener and the ports that are open
	clients   map[string]*client // by address, "" for those without
	rushed    time.Time          // when a new client last made the hub look after others
	err       error              // why it has ended by itself
}

func newHub(f *fd.FD, file *file, o port.Options, c Config, i port.Info, whole *port.Base) *hub {
	h := &hub{
		config: c, info: i, fd: f, file: file, whole: whole,
		done: make(chan struct{}), closed: make(chan struct{}), arrived: make(chan *client, maxClients),
		listening: true, users: 1, clients: map[string]*client{},
	}
	h.Init(o)
	h.in.init(&h.Base, true)
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	go h.run(ctx)
	return h
}

// run receives until ctx is done.
func (h *hub) run(ctx context.Context) {
	defer close(h.done)
	var look time.Time
	for ctx.Err() == nil {
		if h.in.landing.Ready(1) == 0 {
			_ = h.in.landing.Wait(ctx) // the clients are held back meanwhile
			continue
		}
		got, err := h.in.recv(h.fd, port.LandingPlaces)
		if err != nil {
			h.fail(err)
			return
		}
		if got > 0 {
			h.deliver(got)
		}
		if now := time.Now(); now.After(look) {
			h.lookAfter(now)
			look = now.Add(lookEvery)
		}
		if got == 0 {
			_ = h.fd.WaitReadUntil(ctx, look)
		}
	}
}

// deliver puts the datagrams that were received into the rings of their clients.
func (h *hub) deliver(got int) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	var last *client
	for i := range got {
		name, n := h.in.batch.Name(i)
		c := last
		if c == nil || !c.is(name, n) {
			c = h.client(name, n, now)
		}
		if c != last {
			h.flush(last)
			last = c
		}
		if c == nil {
			h.RxShard.DropRx(stats.ReasonFiltered, 1)
			continue
		}
		c.heard = now
		if h.in.batch.Bytes(i) == len(greeting) {
			if first, _ := h.in.landing.Place(i); bytes.Equal(first[:len(greeting)], greeting) {
				continue
			}
		}
		if b, ok := h.in.take(i, c.shard); ok {
			h.frames = append(h.frames, b)
		}
	}
	h.flush(last)
	h.RxShard.Publish()
}

// flush puts the frames that are c's into its ring.
func (h *hub) flush(c *client) {
	if c == nil {
		return
	}
	n := c.in.PushBurst(h.frames)
	if n < len(h.frames) {
		c.shard.DropRx(stats.ReasonRingFull, uint64(len(h.frames)-n))
		h.RxCache.PutBurst(h.frames[n:])
	}
	h.frames = h.frames[:0]
	c.shard.Publish()
}

// client returns the client of that address, a new one if there is none yet, or nil if it may not be.
func (h *hub) client(name *unix.RawSockaddrAny, n int, now time.Time) *client {
	key := rawBytes(name, n)
	if c, ok := h.clients[string(key)]; ok {
		return c
	}
	path := rawPath(name, n)
	if !abstract(path) && !filepath.IsAbs(path) { // none, or relative to a directory that only the client knows
		path, key = "", nil
		if c, ok := h.clients[""]; ok {
			return c
		}
	}
	if now.Sub(h.rushed) >= rushEvery { // is it there instead of another one?
		h.rushed = now
		h.look(now, 0)
	}
	if !h.listening || len(h.clients) == maxClients || len(h.arrived) == maxClients {
		return nil
	}
	c, err := newClient(h, path, key, now)
	if err != nil {
		return nil
	}
	h.clients[string(key)] = c
	h.users++
	h.arrived <- c // has room
	return c
}

// rawBytes returns an address of n bytes as the system has written it.
func rawBytes(name *unix.RawSockaddrAny, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(name)), unsafe.Sizeof(*name))[:min(n, int(unsafe.Sizeof(*name)))]
}

// lookAfter finds out which clients have gone.
func (h *hub) lookAfter(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.look(now, lookEvery)
}

// look is lookAfter for clients that were silent for so long, with h.mu held.
func (h *hub) look(now time.Time, silent time.Duration) {
	for _, c := range h.clients {
		quiet := now.Sub(c.heard)
		switch idle := h.config.Idle; {
		case idle > 0 && quiet >= idle:
			h.drop(c, fmt.Errorf("it has been silent for %v", quiet.Round(time.Millisecond)))
		case c.path != "" && quiet >= silent:
			if err := probe(&unix.SockaddrUnix{Name: c.path}, Datagram); errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
				h.drop(c, err)
			}
		}
	}
}

// left ends a client that has gone, and why is how one knows.
func (h *hub) left(c *client, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(c, why)
}

// drop is left with h.mu held: nothing is put into c's ring after it. That may be so already.
func (h *hub) drop(c *client, why error) {
	if c.ended {
		return
	}
	c.ended = true
	err := fmt.Errorf("%s: the peer has gone: %w", c.config.Name, why)
	c.gone.Store(&err)
	delete(h.clients, string(c.key))
	c.in.Close()
	c.shard.Close()
}

// fail ends all clients and Accept, since nothing can be received any more.
func (h *hub) fail(err error) {
	h.mu.Lock()
	h.err = fmt.Errorf("%s: %w", h.config.Name, err)
	for _, c := range h.clients {
		h.drop(c, h.err)
	}
	h.mu.Unlock()
	h.closing.Do(func() { close(h.closed) })
}

// release gives up one of the users' shares: after the last one, the socket is closed.
func (h *hub) release() error {
	h.mu.Lock()
	h.users--
	users := h.users
	h.mu.Unlock()
	if users > 0 {
		return nil
	}
	h.stop()
	<-h.done
	return h.Shut(h.fd.Wake, func() error {
		h.in.landing.Close()
		return errors.Join(h.file.remove(), h.fd.Close())
	})
}

// Accept waits for the next client.
func (h *hub) Accept(ctx context.Context) (port.Port, error) {
	select {
	case <-h.closed:
		return nil, h.ended()
	default:
	}
	select {
	case c := <-h.arrived:
		return c, nil
	case <-h.closed:
		return nil, h.ended()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hub) ended() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listening && h.err != nil {
		return h.err
	}
	return port.ErrClosed
}

// Info describes the listener.
func (h *hub) Info() port.Info {
	i := h.info
	if n := h.Stats().RxDropped(); n > 0 {
		i.Notes = []string{fmt.Sprintf("%d frames came from more than %d clients, or after the listener was closed, and were dropped", n, maxClients)}
	}
	return i
}

// Close ends Accept. Clients that were not accepted are dropped, and so is what others send from now on.
func (h *hub) Close() error {
	h.mu.Lock()
	listening := h.listening
	h.listening = false
	h.mu.Unlock()
	if !listening {
		return nil
	}
	h.closing.Do(func() { close(h.closed) })
	var err error
	for {
		select {
		case c := <-h.arrived:
			err = errors.Join(err, c.Close())
			continue
		default:
		}
		return errors.Join(err, h.release())
	}
}
