//go:build unix

// The port.

package udp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

var _ port.Sleeper = (*Port)(nil)

// Port is a UDP socket as a port.
type Port struct {
	port.Base
	port.Finisher
	port.Slumber
	config   Config
	socket   *udpsock.Socket
	sender   udpsock.Sender
	receiver udpsock.Receiver
	info     port.Info

	mu sync.Mutex // for socket.Lost
}

// Open opens a port. The error wraps ErrConfig and names the field, or is port.ErrNoPool, or says what the system refused and
// what helps.
func Open(o port.Options, c Config) (*Port, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	socket, path, err := open(&c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	p := &Port{config: c, socket: socket}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, port.NoOffloads, p.sender.Send)
	p.Slumber.Init(&p.Base, socket, p.receiver.Sleepy, p.receiver.Wait)
	most := path
	if c.Runs == Off {
		most = 0
	}
	noSend := p.sender.Init(&p.Base, []*udpsock.Socket{socket}, nil, nil, p.route, most)
	noRecv := p.receiver.Init(&p.Base, socket, false, c.Runs != Off)
	if err := errors.Join(noSend, noRecv); err != nil && c.Runs == On {
		return nil, errors.Join(fmt.Errorf("%s: runs of datagrams (gso=on): %w", c.Name, err), p.Close())
	}
	p.info = port.Info{
		Name: c.Name, Kind: "udp", Live: true, LinkType: c.LinkType, AnyLinkType: true, MTU: c.MTU,
	}
	if c.MTU < 1514 {
		p.info.Warnings = append(p.info.Warnings, fmt.Sprintf("the path to %v takes frames of %d bytes in one piece, and an Ethernet frame of the usual MTU has 1514: "+
			"lower the MTU of what is behind, to %d, or let IP fragment with mtu=1514", c.Remote, c.MTU, c.MTU-14))
	}
	return p, nil
}

// open opens the socket, and settles the MTU. path is the longest datagram that the path takes in one piece.
func open(c *Config) (socket *udpsock.Socket, path int, err error) {
	config := udpsock.Config{Local: c.Local, Remote: c.Remote, SendBuf: c.SendBuf, RecvBuf: c.RecvBuf}
	for {
		if socket, err = udpsock.Open(config); err != nil {
			return nil, 0, help(err, c)
		}
		mtu, err := socket.PathMTU()
		if err != nil {
			return nil, 0, errors.Join(fmt.Errorf("the MTU of the path: %w", err), socket.Close())
		}
		path = min(mtu-udpsock.Overhead(c.Remote.Addr()), udpsock.MaxPayload)
		if c.MTU == 0 {
			c.MTU = path
		}
		if c.MTU <= path || config.Fragment {
			return socket, path, nil
		}
		if err := socket.Close(); err != nil {
			return nil, 0, err
		}
		config.Fragment = true
	}
}

// help says what to do about an error of the system's.
func help(err error, c *Config) error {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return fmt.Errorf("%w: another program has the port (ss -ulnp shows which); take another one, or none, for one that is free", err)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return fmt.Errorf("%w: no interface has the address; ip addr shows them", err)
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH):
		return fmt.Errorf("%w: ip route get %v shows what is missing", err, c.Remote.Addr())
	case errors.Is(err, unix.EACCES) && c.Local.Port() > 0 && c.Local.Port() < 1024:
		return fmt.Errorf("%w: ports below 1024 are root's", err)
	}
	return err
}

// Local returns the address and port that frames are sent from and received at.
func (p *Port) Local() netip.AddrPort { return p.socket.Local }

// route keeps back what can't be sent.
func (p *Port) route(bufs []pool.Buffer, ways []udpsock.Way) {
	for i, b := range bufs {
		ways[i] = udpsock.Way{}
		switch n := b.Len(); {
		case n > p.config.MTU:
			ways[i].Drop = stats.ReasonTooLong
		case n == 0:
			ways[i].Drop = stats.ReasonTooShort
		}
	}
}

// Rx receives what the other end has sent.
func (p *Port) Rx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	got, err := p.receiver.Receive(bufs)
	if err != nil {
		err = fmt.Errorf("%s: %w", p.config.Name, err)
	}
	n := 0
	for _, b := range bufs[:got] {
		if b.Len() == 0 {
			p.receiver.Drop(stats.ReasonTooShort)
			b.Release()
			continue
		}
		bufs[n] = b
		n++
	}
	if got > 0 {
		p.Received(bufs[:n])
	}
	return n, err
}

// WaitTx sleeps until there is room.
func (p *Port) WaitTx(ctx context.Context) error { return p.Wait(ctx, port.Out, p.sender.Wait) }

// Stats returns the counters, with what the socket had no room for as ring_full.
func (p *Port) Stats() stats.Snapshot {
	s := p.Base.Stats()
	if p.Options.Direction&port.In != 0 {
		p.mu.Lock()
		s.RxDrops[stats.ReasonRingFull] += p.socket.Lost()
		p.mu.Unlock()
	}
	return s
}

// Info describes the port.
func (p *Port) Info() port.Info {
	i := p.info
	i.Mode = strings.Join([]string{fmt.Sprintf("from %v", p.socket.Local), p.sender.Mode(), p.receiver.Mode()}, ", ")
	i.Notes = p.sender.Notes()
	return i
}

// Close closes the socket.
func (p *Port) Close() error {
	return p.Shut(p.socket.Wake, func() error {
		p.receiver.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.socket.Close()
	})
}
