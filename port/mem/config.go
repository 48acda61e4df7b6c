// Config: what one end does, in Go and as keys of a port string.

package mem

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/ring"
)

// Config says what one end is like. The zero Config is a perfect link.
type Config struct {
	// Name is what the port is called. Default "mem:".
	Name string
	// Capacity is how many frames that this end sent can be on their way. Default
	// ring.DefaultCapacity.
	Capacity int
	// Loss is the probability that a frame is dropped on the way out, 0 to 1.
	Loss float64
	// Seed is what lost frames are drawn with: the same seed loses the same ones.
	Seed uint64
	// Delay is how long frames travel, all of them equally.
	Delay time.Duration
	// MTU is the longest frame that can be sent, in bytes. Default pool.MaxFrame.
	MTU int
	// RxErrAt and TxErrAt make Rx and Tx fail once, when all frames before that number, which
	// counts from 1, have been received or taken; 0 is never. RxErr and TxErr
	// are the errors then, ErrInjected by default.
	RxErrAt, TxErrAt uint64
	RxErr, TxErr     error
	// Live makes Info say that the port is live, though it isn't: for tests of those who ask.
	Live bool
}

var (
	// ErrConfig is wrapped by the errors about a Config.
	ErrConfig = errors.New("bad configuration")
	// ErrInjected is the error that RxErrAt and TxErrAt cause, if no other is given.
	ErrInjected = errors.New("injected error")
)

func bad(field string, value any, want string) error {
	return fmt.Errorf("mem: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

// withDefaults returns c with its defaults filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		c.Name = "mem:"
	}
	if c.Capacity == 0 {
		c.Capacity = ring.DefaultCapacity
	}
	if c.MTU == 0 {
		c.MTU = pool.MaxFrame
	}
	if c.RxErr == nil {
		c.RxErr = ErrInjected
	}
	if c.TxErr == nil {
		c.TxErr = ErrInjected
	}
	switch {
	case c.Capacity < 1 || c.Capacity > maxCapacity:
		return c, bad("Capacity", c.Capacity, fmt.Sprintf("1 to %d", maxCapacity))
	case !(c.Loss >= 0 && c.Loss <= 1):
		return c, bad("Loss", c.Loss, "0 to 1")
	case c.Delay < 0:
		return c, bad("Delay", c.Delay, "0 or more")
	case c.MTU < 1 || c.MTU > pool.MaxFrame:
		return c, bad("MTU", c.MTU, fmt.Sprintf("1 to %d", pool.MaxFrame))
	}
	return c, nil
}

// maxCapacity is what a port string may ask for: 16 MiB of handles.
const maxCapacity = 1 << 20

func init() {
	port.Register(port.Kind{
		Name:    "mem",
		Summary: "joins two ports of one program; can lose, delay and fail",
		Target:  "NAME",
		Example: "mem:wire,loss=1%,delay=20ms",
		Does:    port.Both,
		Keys: []port.Key{
			{Name: "capacity", Default: fmt.Sprint(ring.DefaultCapacity), Help: "frames sent by this end that can be on their way"},
			{Name: "loss", Default: "0", Help: "share of the frames sent by this end that are dropped, such as 0.01 or 1%"},
			{Name: "seed", Default: "1", Help: "what lost frames are drawn with; 0 to 2^63-1"},
			{Name: "delay", Default: "0s", Help: "how long frames sent by this end travel, such as 20ms"},
			{Name: "mtu", Default: fmt.Sprint(pool.MaxFrame), Help: "longest frame that this end can send, in bytes"},
			{Name: "rxerr", Help: "number of the frame instead of which Rx fails once, from 1 up; the frame comes after it"},
			{Name: "txerr", Help: "number of the frame at which Tx fails once, from 1 up"},
		},
		Open: openSpec,
	})
}

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	if s.Target == "" {
		return nil, s.Errorf("mem needs a name, as in mem:wire")
	}
	c, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	p, err := Open(s.Target, o, c)
	if err != nil {
		return nil, s.Errorf("%w", err)
	}
	return p, nil
}

func fromSpec(s *port.Spec) (c Config, err error) {
	c.Name = s.Name
	number := s.Ints(&err)
	c.Capacity = int(number("capacity", ring.DefaultCapacity, 1, maxCapacity))
	c.Seed = uint64(number("seed", 1, 0, math.MaxInt64))
	c.MTU = int(number("mtu", pool.MaxFrame, 1, pool.MaxFrame))
	c.RxErrAt = uint64(number("rxerr", 0, 1, math.MaxInt64))
	c.TxErrAt = uint64(number("txerr", 0, 1, math.MaxInt64))
	if err != nil {
		return c, err
	}
	if c.Loss, err = s.Probability("loss"); err != nil {
		return c, err
	}
	c.Delay, err = s.Duration("delay", 0)
	return c, err
}
