//go:build unix

// The port of a datagram client.

package unixsock

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
	"github.com/ringway-net/ringway/stats"
)

// client is the port of one address that sends to a hub.
type client struct {
	port.Base
	port.Finisher
	config Config
	hub    *hub
	path   string // "" if it can't be answered
	key    []byte // its address as the system writes it
	frames *ring.Consumer[pool.Buffer]
	out    sender

	// The hub's, with its lock held.
	in    *ring.Producer[pool.Buffer]
	shard *stats.Shard
	heard time.Time // when it last sent something
	ended bool

	gone atomic.Pointer[error] // why it is not there any more
}

// newClient makes the port of the client at path, whose address is key.
func newClient(h *hub, path string, key []byte, now time.Time) (*client, error) {
	c := &client{config: h.config, hub: h, path: path, key: bytes.Clone(key), heard: now}
	if c.config.Name += "#" + path; path == "" {
		c.config.Name += "unnamed"
	}
	var err error
	if c.in, c.frames, err = ring.NewSPSC[pool.Buffer](ring.DefaultCapacity); err != nil {
		return nil, err
	}
	initPart(&c.Base, h.whole, h.Options)
	c.shard = c.NewShard()
	var to *unix.RawSockaddrAny
	if path != "" {
		to = new(unix.RawSockaddrAny)
		copy(rawBytes(to, len(key)), key)
	}
	c.out.init(&c.Base, h.fd, &c.config, to, len(key))
	c.Finisher.Init(&c.Base, port.NoOffloads, c.send)
	return c, nil
}

// is reports whether that is the client's address.
func (c *client) is(name *unix.RawSockaddrAny, n int) bool {
	return bytes.Equal(c.key, rawBytes(name, n))
}

// Rx receives what the hub has put into the ring.
func (c *client) Rx(bufs []pool.Buffer) (int, error) {
	if !c.Enter() {
		return 0, port.ErrClosed
	}
	defer c.Leave()
	if c.Base.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	ended := c.gone.Load() != nil // before the ring is looked at: what comes after this is in it
	n := c.frames.PopBurst(bufs)
	if n == 0 && ended && c.frames.Len() == 0 {
		return 0, io.EOF
	}
	c.Received(bufs[:n])
	return n, nil
}

// WaitRx sleeps until there is something in the ring, or the client has gone.
func (c *client) WaitRx(ctx context.Context) error {
	if !c.Enter() {
		return port.ErrClosed
	}
	defer c.Leave()
	if c.Base.Options.Direction&port.In == 0 {
		return nil // Rx has an error to return
	}
	_, _, err := c.frames.PeekWait(ctx, 1)
	if errors.Is(err, ring.ErrClosed) {
		err = nil
	}
	return c.Awake(err)
}

func (c *client) send(bufs []pool.Buffer) (int, error) {
	if c.path == "" {
		c.Dropped(stats.ReasonLinkDown, bufs)
		return len(bufs), nil
	}
	n := 0
	if c.gone.Load() == nil {
		var left error
		if n, left = c.out.transmit(bufs); left != nil {
			c.hub.left(c, left)
			c.TxShard.ErrorTx(1)
			c.TxShard.Publish()
		}
	}
	if why := c.gone.Load(); why != nil {
		return n, *why
	}
	return n, nil
}

// WaitTx sleeps until there is room, or for so long that Tx drops what it gets.
func (c *client) WaitTx(ctx context.Context) error {
	if !c.Enter() {
		return port.ErrClosed
	}
	defer c.Leave()
	if c.Base.Options.Direction&port.Out == 0 || c.gone.Load() != nil {
		return nil
	}
	return c.out.wait(ctx, &c.Base, nil) // several clients can't wait for one socket
}

// Info describes the port.
func (c *client) Info() port.Info {
	i := info(&c.config, nil)
	i.Mode = "datagrams of " + c.path
	if c.path == "" {
		i.Mode = "datagrams of sockets without an address, which can't be answered"
	}
	return i
}

// Close closes the port. If the client sends again it is a new one.
func (c *client) Close() error {
	return c.Shut(c.frames.Close, func() error {
		c.hub.left(c, port.ErrClosed) // nothing is pushed after that
		var bufs [ring.DefaultBurst]pool.Buffer
		for n := c.frames.PopBurst(bufs[:]); n > 0; n = c.frames.PopBurst(bufs[:]) {
			c.RxShard.DropRx(stats.ReasonClosed, uint64(n))
			c.Free(bufs[:n])
		}
		return c.hub.release()
	})
}
