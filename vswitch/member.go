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
	sw     *Switch
	name   string
	number uint16 // its place in the table and in a view
	port   port.Port
	config PortConfig
	rules  rules
	wait   bool // hold it back when a ring is full, instead of dropping
	outlet *outlet

	// For the receiver alone.
	floods limiter
	look   looker
	to     [edits][]*member // where a flooded frame goes, by what becomes of its tag
	// Handles of a burst that others have too, on their way to those who want them changed, to a port, and to a mirror. They are here
	// since what is given to a Port escapes.
	changed, shared, mirrored [burst]pool.Buffer

	// What it has done, of which the receiver is the only writer: drops of frames between Rx and an outlet, and how many frames more came to be than were
	// received, since they went to several ports.
	drops    *stats.Counters
	filtered *stats.Shard
	replicas atomic.Uint64
	held     atomic.Int64 // frames that are out of Rx and not yet on their way

	// soft ends the receiver, and hard the sender at once.
	soft, hard         context.Context
	stopSoft, stopHard context.CancelFunc
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
			switch err := m.receive(); err {
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

// receive moves frames from the port to where they go, until soft is done, or an error, such as io.EOF.
func (m *member) receive() error {
	var bufs [burst]pool.Buffer
	checked := false
	for m.soft.Err() == nil {
		n, err := m.port.Rx(bufs[:])
		if n > 0 {
			if !checked {
				if err := ethernet(m.port.Info()); err != nil {
					m.filter(stats.ReasonLinkType, bufs[:n])
					return err
				}
				checked = true
			}
			m.held.Store(int64(n))
			m.dispatch(m.hard, bufs[:n])
			m.held.Store(0)
		}
		if err != nil {
			return err
		}
		if m.look.again(n) {
			continue
		}
		if err := m.port.WaitRx(m.soft); err != nil && m.soft.Err() == nil {
			return err
		}
		m.look.woken()
	}
	return nil
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
	m.stopSoft()
	if m.receiving != nil {
		<-m.receiving
	}
	m.outlet.ring.Close()
	if m.sending != nil {
		<-m.sending
	}
}
