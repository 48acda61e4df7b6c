// A port in a switch, and its receiver.

package vswitch

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/ringway-net/ringway/internal/atomic"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/stats"
)

// member is a port in a switch.
type member struct {
	receiver
	sw     *Switch
	name   string
	number uint16 // its place in the table and in a view
	config PortConfig
	rules  rules
	wait   bool // hold it back when a ring is full, instead of dropping
	outlet *outlet

	// For whoever has the receiver's turn.
	checked bool // that the port is one for Ethernet, as soon as it knows
	floods  limiter
	to      [edits][]*member // where a flooded frame goes, by what becomes of its tag
	// Handles of a burst that others have too, on their way to those who want them changed, to a port, and to a mirror. They are here
	// since what is given to a Port escapes.
	changed, shared, mirrored [burst]pool.Buffer

	// What it has done, of which the receiver is the only writer: drops of frames between Rx and an outlet, and how many frames more came to be than were
	// received, since they went to several ports.
	drops    *stats.Counters
	filtered *stats.Shard
	replicas atomic.Uint64
	held     atomic.Int64 // frames that are out of Rx and not yet on their way

	// hard ends the sender at once.
	hard               context.Context
	stopHard           context.CancelFunc
	receiving, sending chan struct{} // closed when they have ended; nil if they have not begun

	err     error // why the port takes no part any more; guarded by the switch's mu
	endOnce sync.Once
}

func (m *member) isMirror() bool { return len(m.config.Mirror) > 0 }
func (m *member) receives() bool { return m.config.Direction&port.In != 0 && !m.isMirror() }
func (m *member) sends() bool    { return m.config.Direction&port.Out != 0 }

// start starts the workers. It is called once, or not at all.
func (m *member) start() {
	m.receiving, m.sending = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(m.receiving)
		defer m.filtered.Close()
		if m.receives() {
			switch err := m.run(m.soft); err {
			case nil:
			case io.EOF:
				m.ended(nil)
			default:
				m.sw.failed(m, err)
			}
		}
	}()
	go func() {
		defer close(m.sending)
		if err := m.outlet.run(m.hard); err != nil {
			m.sw.failed(m, err)
		}
	}()
}

// ended tells the port's owner, once.
func (m *member) ended(err error) {
	if m.config.Ended != nil {
		m.endOnce.Do(func() { m.config.Ended(err) })
	}
}

// move moves a burst from the port to where it goes.
func (m *member) move() (n int, err error) {
	n, err = m.port.Rx(m.bufs[:])
	if n == 0 {
		return 0, err
	}
	if !m.checked {
		if err := ethernet(m.port.Info()); err != nil {
			m.filter(stats.ReasonLinkType, m.bufs[:n])
			return n, err
		}
		m.checked = true
	}
	m.held.Store(int64(n))
	m.dispatch(m.hard, m.bufs[:n])
	m.held.Store(0)
	return n, err
}

// ethernet is an error if a port is known to be of another kind of network.
func ethernet(i port.Info) error {
	if i.LinkType != 0 && i.LinkType != port.LinkTypeEthernet {
		return fmt.Errorf("%w: its frames are of link type %d, and a switch wants Ethernet (%d)", ErrLinkType, i.LinkType, port.LinkTypeEthernet)
	}
	return nil
}

// end ends the workers: the receiver, and then the sender, once it has sent what was on its way, or hard is done.
func (m *member) end() {
	m.rouse()
	if m.receiving != nil {
		<-m.receiving
	}
	m.outlet.ring.Close()
	if m.sending != nil {
		<-m.sending
	}
}
