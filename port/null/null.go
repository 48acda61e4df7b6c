// The port.

package null

import (
	"context"
	"io"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

func init() {
	port.Register(port.Kind{
		Name:    "null",
		Summary: "swallows and counts what is sent to it, and has nothing to receive",
		Example: "null:",
		Does:    port.Both,
		Open: func(s *port.Spec, o port.Options) (port.Port, error) {
			p := open(o)
			p.name = s.Name
			return p, nil
		},
	})
}

// Open opens a null port. The error says that o has no Pool.
func Open(o port.Options) (port.Port, error) {
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	return open(o), nil
}

type null struct {
	port.Base
	name string
}

func open(o port.Options) *null {
	p := &null{name: "null:"}
	p.Init(o)
	return p
}

// Rx is at its end from the beginning.
func (p *null) Rx([]pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	p.Leave()
	if p.Options.Direction&port.In == 0 {
		return 0, port.ErrDirection
	}
	return 0, io.EOF
}

// Tx takes all of bufs.
func (p *null) Tx(bufs []pool.Buffer) (int, error) {
	if !p.Enter() {
		return 0, port.ErrClosed
	}
	defer p.Leave()
	if p.Options.Direction&port.Out == 0 {
		return 0, port.ErrDirection
	}
	p.Sent(bufs)
	return len(bufs), nil
}

// WaitRx returns at once: Rx has its end to report.
func (p *null) WaitRx(context.Context) error { return p.ready() }

// WaitTx returns at once: there is always room.
func (p *null) WaitTx(context.Context) error { return p.ready() }

func (p *null) ready() error {
	if !p.Enter() {
		return port.ErrClosed
	}
	p.Leave()
	return nil
}

// Info says what there is to say about nothing.
func (p *null) Info() port.Info {
	return port.Info{
		Name:        p.name,
		Kind:        "null",
		AnyLinkType: true,
		Offloads:    port.AllOffloads,
		MTU:         pool.MaxFrame,
		Mode:        "swallows everything",
	}
}

func (p *null) Close() error { return p.Shut(nil, nil) }
