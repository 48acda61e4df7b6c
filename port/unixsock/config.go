//go:build unix

// Config: in Go, and as keys of a port string.

package unixsock

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// Type is a type of socket.
type Type int

const (
	// Datagram sockets carry one frame a datagram.
	Datagram Type = iota
	// Stream sockets carry each frame behind its length: 4 bytes, big-endian.
	Stream
)

// String returns "dgram" or "stream".
func (t Type) String() string {
	switch t {
	case Datagram:
		return "dgram"
	case Stream:
		return "stream"
	}
	return fmt.Sprintf("type %d", int(t))
}

func (t Type) system() int {
	if t == Stream {
		return unix.SOCK_STREAM
	}
	return unix.SOCK_DGRAM
}

// Config says how a port is to be. The zero Config is right for most.
type Config struct {
	// Name is what the port is called. Default "unix:" and the path.
	Name string
	// Type is the socket's type. Default Datagram.
	Type Type
	// Local is the path of a dialing datagram port itself. Default one in the directory for temporary files.
	Local string
	// Hello, if not empty, is the datagram that a dialing datagram port sends first of all, at each connection.
	Hello string
	// MTU is the longest frame that is sent, in bytes, MinFrame to MaxFrame. Default DefaultMTU.
	MTU int
	// SendBuffer and ReceiveBuffer are the sizes of the socket's buffers in bytes. Default 1 MiB and 4 MiB; of the default, what the
	// system grants is taken, and with others that is less, Info warns.
	SendBuffer, ReceiveBuffer int
	// Mode is the mode of the socket's file, permissions alone. Default 0600.
	Mode fs.FileMode
	// Idle is how long a datagram client of Listen or Serve may be silent before it counts as gone. 0 is for ever:
	// those that are gone in truth are noticed anyhow.
	Idle time.Duration
	// Retry is how long a socket that is full is tried again before frames are dropped. Default DefaultRetry; negative: not at all.
	Retry time.Duration
}

const (
	// MinFrame is the shortest frame that is sent, in bytes: an Ethernet header.
	MinFrame = 14
	// MaxFrame is the longest one that is sent and received, in bytes.
	MaxFrame = port.LargeBufferSize
	// DefaultMTU is 64 KiB of IP packet, less a byte, behind an Ethernet header with a VLAN tag.
	DefaultMTU = 65535 + 18
	// DefaultRetry is long enough for a peer that was not scheduled, and short enough for one that has stopped.
	DefaultRetry = 100 * time.Millisecond

	// The sizes that gvproxy sets. macOS's own for datagrams are 2 and 4 KiB: a frame or two.
	defaultSendBuffer    = 1 << 20
	defaultReceiveBuffer = 4 << 20
	maxBuffer            = 1 << 30

	defaultMode = 0o600
)

// ErrConfig is wrapped by the errors about a Config.
var ErrConfig = errors.New("bad configuration")

func bad(field string, value any, want string) error {
	return fmt.Errorf("unixsock: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

// withDefaults returns c with its defaults filled in, for a socket at path, or what is wrong with it.
func (c Config) withDefaults(path string) (Config, error) {
	if c.Name == "" {
		c.Name = "unix:" + path
	}
	if c.MTU == 0 {
		c.MTU = DefaultMTU
	}
	if c.Mode == 0 {
		c.Mode = defaultMode
	}
	if c.Retry == 0 {
		c.Retry = DefaultRetry
	}
	switch {
	case c.Type != Datagram && c.Type != Stream:
		return c, bad("Type", c.Type, "Datagram or Stream")
	case c.MTU < MinFrame || c.MTU > MaxFrame:
		return c, bad("MTU", c.MTU, fmt.Sprintf("%d to %d", MinFrame, MaxFrame))
	case c.SendBuffer < 0 || c.SendBuffer > maxBuffer:
		return c, bad("SendBuffer", c.SendBuffer, fmt.Sprintf("0 to %d", maxBuffer))
	case c.ReceiveBuffer < 0 || c.ReceiveBuffer > maxBuffer:
		return c, bad("ReceiveBuffer", c.ReceiveBuffer, fmt.Sprintf("0 to %d", maxBuffer))
	case c.Mode&^fs.ModePerm != 0:
		return c, bad("Mode", c.Mode, "permissions alone, such as 0600")
	case c.Idle < 0:
		return c, bad("Idle", c.Idle, "0 or more")
	case c.Type == Stream && c.Local != "":
		return c, bad("Local", c.Local, "none for a stream")
	case c.Type == Stream && c.Hello != "":
		return c, bad("Hello", c.Hello, "none for a stream")
	case c.Type == Stream && c.Idle != 0:
		return c, bad("Idle", c.Idle, "none for a stream, whose clients say when they leave")
	}
	return c, nil
}

// forListening checks what is for ports that dial.
func (c Config) forListening() error {
	switch {
	case c.Local != "":
		return bad("Local", c.Local, "none for a socket that listens: its path is its own")
	case c.Hello != "":
		return bad("Hello", c.Hello, "none for a socket that listens")
	}
	return nil
}

func init() {
	port.Register(port.Kind{
		Name:    "unix",
		Summary: "a Unix socket to a virtual machine or user-space network (QEMU, vfkit, gvproxy, passt)",
		Target:  "PATH",
		Example: "unix:/run/vm0.sock,role=listen",
		Does:    port.Both,
		Keys: []port.Key{
			{Name: "type", Default: "dgram", Help: "dgram: one frame a datagram; stream: each frame behind its length"},
			{Name: "role", Default: "dial", Help: "dial: connect to the socket; listen: make it, and serve who connects"},
			{Name: "local", Help: "path of the dialing datagram port itself, where the peer has to know it"},
			{Name: "hello", Help: "datagram to send first, such as VFKT for gvproxy"},
			{Name: "mtu", Default: fmt.Sprint(DefaultMTU), Help: "longest frame that is sent, in bytes"},
			{Name: "mode", Default: "0600", Help: "permissions of the socket's file, octal"},
			{Name: "idle", Default: "0s", Help: "how long a datagram client may be silent before it counts as gone; 0s for ever"},
			{Name: "retry", Default: DefaultRetry.String(), Help: "how long a full socket is tried again before frames are dropped"},
			{Name: "sndbuf", Default: fmt.Sprint(defaultSendBuffer), Help: "size of the socket's send buffer in bytes"},
			{Name: "rcvbuf", Default: fmt.Sprint(defaultReceiveBuffer), Help: "size of the socket's receive buffer in bytes"},
		},
		Open:   openSpec,
		Doctor: doctor,
		Listen: listenSpec,
	})
}

func openSpec(s *port.Spec, o port.Options) (port.Port, error) {
	c, listens, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	open := Dial
	if listens {
		open = Serve
	}
	p, err := open(s.Target, o, c)
	if err != nil {
		return nil, s.OpenError(err, ErrConfig, errPath)
	}
	return p, nil
}

func listenSpec(s *port.Spec, o port.Options) (port.Listener, error) {
	c, listens, err := fromSpec(s)
	if err != nil {
		return nil, err
	}
	if !listens {
		return nil, s.Errorf("it dials: only with role=listen there are clients to make ports of")
	}
	l, err := Listen(s.Target, o, c)
	if err != nil {
		return nil, s.OpenError(err, ErrConfig, errPath)
	}
	return l, nil
}

func fromSpec(s *port.Spec) (c Config, listens bool, err error) {
	c.Name, c.Local, c.Hello = s.Name, s.String("local", ""), s.String("hello", "")
	kind, err := s.OneOf("type", "dgram", "stream")
	if err != nil {
		return c, false, err
	}
	if kind == "stream" {
		c.Type = Stream
	}
	role, err := s.OneOf("role", "dial", "listen")
	if err != nil {
		return c, false, err
	}
	listens = role == "listen"
	for _, key := range []string{"local", "hello"} {
		if s.Has(key) && (listens || c.Type == Stream) {
			return c, false, s.Errorf("key %s is for a datagram port that dials (type=dgram, role=dial)", key)
		}
		if s.Has(key) && s.String(key, "") == "" {
			return c, false, s.Errorf("key %s is empty", key)
		}
	}
	if s.Has("idle") && (!listens || c.Type == Stream) {
		return c, false, s.Errorf("key idle is for datagram clients (type=dgram, role=listen)")
	}
	mode, err := strconv.ParseUint(s.String("mode", "0600"), 8, 32)
	if err != nil || mode == 0 || mode > 0o777 {
		return c, false, s.Errorf("key mode is %q, want octal permissions such as 0600 or 660", s.String("mode", ""))
	}
	c.Mode = fs.FileMode(mode)
	number := s.Ints(&err)
	duration := func(key string, def time.Duration) (d time.Duration) {
		if err == nil {
			d, err = s.Duration(key, def)
		}
		return d
	}
	c.MTU = int(number("mtu", DefaultMTU, MinFrame, MaxFrame))
	c.SendBuffer = int(number("sndbuf", 0, 1, maxBuffer))
	c.ReceiveBuffer = int(number("rcvbuf", 0, 1, maxBuffer))
	c.Idle = duration("idle", 0)
	if c.Retry = duration("retry", DefaultRetry); c.Retry == 0 {
		c.Retry = math.MinInt64
	}
	return c, listens, err
}
