//go:build unix

// The port.

package vxlan

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"github.com/ringway-net/ringway/internal/udpsock"
	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// Open opens a port. The error wraps ErrConfig and names the field, or is port.ErrNoPool, or says what the system refused and
// what helps.
func Open(o port.Options, c Config) (port.Port, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	p := &vxlan{config: c}
	p.Base.Init(o)
	p.Finisher.Init(&p.Base, port.NoOffloads, p.sender.Send)
	if err := p.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", c.Name, err), p.Close())
	}
	return p, nil
}

var _ port.Sleeper = (*vxlan)(nil)

type vxlan struct {
	port.Base
	port.Finisher
	port.Slumber
	config Config
	info   port.Info

	// known has the addresses behind peers, and is nil if there is nothing to know.
	known *table

	// For the caller of Rx. lastHost and lastPeer are those of the last datagram.
	in       *udpsock.Socket // nil if nothing is received
	receiver udpsock.Receiver
	peers    map[udpsock.Host]int
	lastHost udpsock.Host
	lastPeer int
	segment  int // the longest IP packet that is not suspected of being several in one

	// For the caller of Tx.
	out    []*udpsock.Socket
	sender udpsock.Sender

	mu sync.Mutex // for in.Lost
}

// open opens the sockets, and prepares what uses them.
func (p *vxlan) open() error {
	c := &p.config
	path, warnings := underlay(c)
	longest := min(path-udpsock.Overhead(c.Peers[0]), udpsock.MaxPayload)
	most := longest
	if c.Runs == Off {
		most = 0
	}
	mtu := longest - headerLen
	p.segment = min(mtu-packet.EthernetLen, 1500)
	if c.MTU > 0 {
		if c.MTU > mtu {
			warnings = append(warnings, fmt.Sprintf("mtu=%d is more than the underlay takes: frames longer than %d bytes will be dropped", c.MTU, mtu))
		}
		mtu = c.MTU
		p.segment = mtu - packet.EthernetLen
	}
	if mtu < 1514 {
		warnings = append(warnings, fmt.Sprintf("the underlay takes IP packets of %d bytes, and so frames of %d: set the MTU of what is attached to %d, or raise that of the underlay to %d",
			path, mtu, mtu-packet.EthernetLen, path+1514-mtu))
	}
	p.info = port.Info{Name: c.Name, Kind: "vxlan", Live: true, LinkType: port.LinkTypeEthernet, MTU: mtu, Warnings: warnings}

	p.peers = map[udpsock.Host]int{}
	var names []udpsock.Name
	for i, a := range c.Peers {
		p.peers[udpsock.HostOf(a)] = i
		name, err := udpsock.NewName(netip.AddrPortFrom(a, c.Port))
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	p.lastPeer = -1
	if len(c.Peers) > 1 && !c.NoLearning {
		p.known = newTable(c.Age)
	}
	var err, noRecv, noSend error
	if p.Options.Direction&port.In != 0 {
		if p.in, err = openReceiver(c); err != nil {
			return err
		}
		noRecv = p.receiver.Init(&p.Base, p.in, true, most > 0)
	}
	p.Slumber.Init(&p.Base, p.in, p.receiver.Sleepy, p.receiver.Wait)
	if p.Options.Direction&port.Out != 0 {
		if p.out, err = openSenders(c); err != nil {
			return err
		}
		if len(names) == 1 {
			names = nil // they are connected
		}
		noSend = p.sender.Init(&p.Base, p.out, names, header(c.VNI), p.route, most)
	}
	if err := errors.Join(noSend, noRecv); err != nil && c.Runs == On {
		return fmt.Errorf("runs of datagrams (gso=on): %w", err)
	}
	return nil
}

// Rx receives what peers have sent.
func (p *vxlan) Rx(bufs []pool.Buffer) (int, error) {
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
	if got == 0 {
		return 0, err
	}
	var seen int64
	if p.known != nil {
		seen = now()
		p.known.mu.Lock()
		defer p.known.mu.Unlock()
	}
	n := 0
	for i, b := range bufs[:got] {
		peer, why := p.accept(b.Bytes(), p.receiver.From(i))
		if peer < 0 {
			p.receiver.Drop(why)
			b.Release()
			continue
		}
		_ = b.TrimFront(headerLen) // accept has seen that it is there
		frame := b.Bytes()
		if p.known != nil {
			p.known.learn(mac(frame[6:]), peer, seen)
		}
		p.recognise(&b, frame)
		bufs[n] = b
		n++
	}
	p.Received(bufs[:n])
	return n, err
}

// accept returns the number of the peer that a datagram is from, or -1 and why it is to be dropped.
func (p *vxlan) accept(datagram []byte, from udpsock.Host) (peer int, why stats.Reason) {
	if from != p.lastHost || p.lastPeer < 0 {
		peer, ok := p.peers[from]
		if !ok {
			return -1, stats.ReasonFiltered
		}
		p.lastHost, p.lastPeer = from, peer
	}
	if why, ok := check(datagram, p.config.VNI); !ok {
		return -1, why
	}
	return p.lastPeer, 0
}

// recognise marks a frame on which a kernel has left something to do. It does so for peers on the same machine, to
// which it is no loss: a checksum that is not made, and TCP segments that travel as one. A datagram has no word
// for either.
func (p *vxlan) recognise(b *pool.Buffer, frame []byte) {
	var h packet.Headers
	h.Parse(frame)
	start, offset, ok := h.PartialChecksum(frame)
	if !ok {
		return
	}
	left := pool.Offload{NeedsChecksum: true, ChecksumStart: uint32(start), ChecksumOffset: uint16(offset)}
	headers := int(h.Payload - h.L3)
	if h.Protocol == packet.ProtoTCP && int(h.End-h.L3) > p.segment && headers < p.segment {
		left.GSO, left.SegmentSize = pool.GSOTCP4, uint16(p.segment-headers)
		if h.IPVersion == 6 {
			left.GSO = pool.GSOTCP6
		}
	}
	if b.Shared() { // a part of a run: a shared buffer can't be marked
		if left.GSO == pool.GSONone {
			_ = packet.FinishChecksum(frame, start, offset) // nobody else has this part, so it may be written to
			return
		}
		if b.Writable() != nil {
			return // and it goes on as it is, too long for most
		}
	}
	b.SetOffload(left)
}

// route says where frames go.
func (p *vxlan) route(bufs []pool.Buffer, ways []udpsock.Way) {
	var at int64
	if p.known != nil {
		at = now()
		p.known.mu.Lock()
		defer p.known.mu.Unlock()
	}
	for i, b := range bufs {
		frame := b.Bytes()
		switch {
		case len(frame) < packet.EthernetLen:
			ways[i] = udpsock.Way{Drop: stats.ReasonTooShort}
			continue
		case len(frame) > p.info.MTU:
			ways[i] = udpsock.Way{Drop: stats.ReasonTooLong}
			continue
		}
		ways[i] = udpsock.Way{
			Socket: int(uint64(packet.FlowHash(frame)) * uint64(len(p.out)) >> 32),
			Peer:   p.peer(frame, at),
		}
	}
}

// peer returns which peer a frame goes to.
func (p *vxlan) peer(frame []byte, now int64) int {
	if len(p.config.Peers) == 1 {
		return 0
	}
	if to := mac(frame); p.known != nil && !group(to) {
		if peer, ok := p.known.peer(to, now); ok {
			return peer
		}
	}
	return udpsock.AllPeers
}

// WaitTx sleeps until there is room.
func (p *vxlan) WaitTx(ctx context.Context) error { return p.Wait(ctx, port.Out, p.sender.Wait) }

// Stats returns the counters, with what the socket had no room for as ring_full.
func (p *vxlan) Stats() stats.Snapshot {
	s := p.Base.Stats()
	if p.in != nil {
		p.mu.Lock()
		s.RxDrops[stats.ReasonRingFull] += p.in.Lost()
		p.mu.Unlock()
	}
	return s
}

// Info describes the port.
func (p *vxlan) Info() port.Info {
	i := p.info
	peers := "1 peer"
	if n := len(p.config.Peers); n > 1 {
		peers = fmt.Sprintf("%d peers", n)
		if p.known == nil {
			peers += ", all of which get all"
		}
	}
	mode := []string{fmt.Sprintf("network %d, UDP port %d, %s", p.config.VNI, p.config.Port, peers)}
	if p.out != nil {
		mode = append(mode, fmt.Sprintf("%d source ports", len(p.out)), p.sender.Mode())
	}
	if p.in != nil {
		mode = append(mode, p.receiver.Mode())
	}
	i.Mode = strings.Join(mode, ", ")
	i.Notes = p.sender.Notes()
	return i
}

// Close closes the sockets.
func (p *vxlan) Close() error {
	wake := func() {
		for _, s := range p.out {
			s.Wake()
		}
		if p.in != nil {
			p.in.Wake()
		}
	}
	return p.Shut(wake, func() error {
		p.receiver.Close()
		err := closeAll(p.out)
		if p.in == nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return errors.Join(err, p.in.Close())
	})
}
