// PortConfig: what a port of a switch may do.

package vswitch

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/port"
)

// PortConfig says what a port of a switch may do. The zero PortConfig lets it send and receive all.
type PortConfig struct {
	// Direction is what the port is used for: port.In if it only receives, port.Out if it only sends. Default port.Both.
	Direction port.Direction

	// OnFull says what becomes of frames that come in by the port when the ring of the port where they go is full. By default they are
	// dropped, so that a port that is stuck keeps nobody from reaching the others; but a port that only receives, and can be held back (a
	// file, a generator), waits.
	OnFull port.OnFull

	// VLAN is the one whose frames go without a tag on this port, 1 to MaxVLAN, and Trunk are those whose frames go with a tag. A port with a VLAN
	// alone is an access port, and frames that come in by it with a tag are dropped, as are those of VLANs that the port is not in. A port
	// with neither carries all VLANs, tags as they are; its frames without a tag are in a network of their own, VLAN 0.
	VLAN  uint16
	Trunk []uint16

	// Isolated ports don't reach each other, but only ports that are not isolated.
	Isolated bool

	// MACs are the only source addresses that frames that come in by the port may have; empty for any. They are entered in the table for good, in
	// VLAN, so that no other port can take them over.
	MACs []packet.MAC

	// MaxAddresses is how many addresses are learned behind the port, 0 for as many as there is room for. Frames from others pass, but
	// what is for them goes to all ports.
	MaxAddresses int

	// FloodRate is how many frames a second, 0 for any number, the port may send to all ports: those to groups and to unknown addresses. A tenth
	// of it, but at least 64, may come at once.
	FloodRate int

	// Mirror makes the port a mirror of those with these names: what they receive and send, it sends too. It takes no part
	// in the network otherwise, and what comes in by it is not received.
	Mirror []string

	// Ended, if not nil, is called once when nothing more will come by the port: with nil at its end (io.EOF), or with the error of a port that
	// takes no part any more. The port stays in the list until Remove. It is called by one of the port's workers, which Remove and Run wait
	// for: so it must not call them, nor wait for who does; it has returned before they do.
	Ended func(err error)
}

// rules are a PortConfig, checked and ready to be asked.
type rules struct {
	vlans    vlans
	isolated bool
	macs     []packet.MAC
}

// ErrPortConfig is wrapped by the error about a PortConfig.
var ErrPortConfig = errors.New("bad PortConfig")

// rules checks c, and fills in its defaults.
func (c *PortConfig) rules() (r rules, err error) {
	if r.vlans, err = newVLANs(c.VLAN, c.Trunk); err != nil {
		return r, fmt.Errorf("%w: %w", ErrPortConfig, err)
	}
	for _, m := range c.MACs {
		if !m.IsUnicast() {
			return r, fmt.Errorf("%w: MACs has %v, which is no station's address", ErrPortConfig, m)
		}
	}
	if c.MaxAddresses < 0 || c.MaxAddresses > fdbMaxSize || c.FloodRate < 0 {
		return r, fmt.Errorf("%w: MaxAddresses is %d, want 0 to %d, and FloodRate %d, want 0 or more", ErrPortConfig, c.MaxAddresses, fdbMaxSize, c.FloodRate)
	}
	switch {
	case c.Direction == 0:
		c.Direction = port.Both
	case c.Direction > port.Both:
		return r, fmt.Errorf("%w: Direction is %v, want port.In, port.Out or port.Both", ErrPortConfig, c.Direction)
	}
	if c.OnFull > port.OnFullDrop {
		return r, fmt.Errorf("%w: OnFull is %d, want port.OnFullDefault, port.OnFullWait or port.OnFullDrop", ErrPortConfig, c.OnFull)
	}
	if len(c.Mirror) > 0 && c.Direction&port.Out == 0 {
		return r, fmt.Errorf("%w: a mirror sends, and Direction is %v", ErrPortConfig, c.Direction)
	}
	r.isolated, r.macs = c.Isolated, slices.Clone(c.MACs)
	return r, nil
}

// mayBe reports whether frames from an address may come in.
func (r *rules) mayBe(src packet.MAC) bool { return len(r.macs) == 0 || slices.Contains(r.macs, src) }

// limiter lets a number of frames pass in a second: a bucket of tokens. Its zero value lets all pass. It is for one goroutine.
type limiter struct {
	rate, most float64 // tokens a second; and at once
	tokens     float64
	at         time.Time // as of when
}

func newLimiter(rate int) limiter {
	most := max(float64(rate)/10, 64)
	return limiter{rate: float64(rate), most: most, tokens: most, at: time.Now()}
}

// allow takes a token, if there is one.
func (l *limiter) allow() bool {
	if l.rate == 0 {
		return true
	}
	now := time.Now()
	l.tokens = min(l.tokens+now.Sub(l.at).Seconds()*l.rate, l.most)
	l.at = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}
