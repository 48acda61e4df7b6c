//go:build unix

// Tuning: what the Config of every kind of port over UDP has, and its port strings.

package udpsock

import (
	"fmt"

	"github.com/ringway-net/ringway/port"
)

// Tuning is how the sockets of a port are used. The zero Tuning has defaults.
type Tuning struct {
	// SendBuf and RecvBuf are the sizes of the sockets' buffers, in bytes, 4 KiB to 1 GiB. Default DefaultBuffer.
	SendBuf, RecvBuf int
	// Runs says whether runs of datagrams pass through the kernel as one: Auto (the default), On (an error if it can't) or Off.
	Runs string
}

// What Tuning.Runs may be.
const (
	Auto = "auto"
	On   = "on"
	Off  = "off"
)

const (
	leastBuf = 4 << 10
	mostBuf  = 1 << 30
)

// WithDefaults returns t with its defaults filled in, or what bad says of the field that is wrong.
func (t Tuning) WithDefaults(bad func(field string, value any, want string) error) (Tuning, error) {
	for _, b := range []struct {
		field string
		size  *int
	}{{"SendBuf", &t.SendBuf}, {"RecvBuf", &t.RecvBuf}} {
		if *b.size == 0 {
			*b.size = DefaultBuffer
		}
		if *b.size < leastBuf || *b.size > mostBuf {
			return t, bad(b.field, *b.size, fmt.Sprintf("%d to %d", leastBuf, mostBuf))
		}
	}
	if t.Runs == "" {
		t.Runs = Auto
	}
	if t.Runs != Auto && t.Runs != On && t.Runs != Off {
		return t, bad("Runs", t.Runs, "auto, on or off")
	}
	return t, nil
}

// RunsKey is the key that stands for Tuning.Runs in a port string. Those for the buffers are sndbuf and rcvbuf.
var RunsKey = port.Key{Name: "gso", Default: Auto, Help: "on, off or auto: runs of equally long datagrams pass through the kernel as one, sent and received"}

// TuningOf returns what a port string says.
func TuningOf(s *port.Spec) (t Tuning, err error) {
	number := s.Ints(&err)
	t.SendBuf = int(number("sndbuf", DefaultBuffer, leastBuf, mostBuf))
	t.RecvBuf = int(number("rcvbuf", DefaultBuffer, leastBuf, mostBuf))
	if err != nil {
		return t, err
	}
	t.Runs, err = s.OneOf("gso", Auto, On, Off)
	return t, err
}
