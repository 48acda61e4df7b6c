//go:build unix

// Dial.

package unixsock

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/port"
)

// Dial opens a port to the socket at path. Nobody need be there yet for datagrams. The error wraps ErrConfig and names the field,
// or says what is wrong with the path or with the world.
func Dial(path string, o port.Options, c Config) (port.Port, error) {
	c, err := c.withDefaults(path)
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	to, err := address(path)
	if err != nil {
		return nil, err
	}
	num, err := newSocket(c.Type)
	if err != nil {
		return nil, err
	}
	warnings := setBuffers(num, &c)
	if c.Type == Stream {
		return dialStream(num, to, o, c, warnings)
	}
	return dialDatagram(num, to, o, c, warnings)
}

// patienceOfDial is how long a listener may let us wait, who has as many clients waiting as it wants.
const patienceOfDial = time.Second

func dialStream(num int, to *unix.SockaddrUnix, o port.Options, c Config, warnings []string) (port.Port, error) {
	err := unix.SetNonblock(num, true)
	for begin := time.Now(); err == nil; time.Sleep(5 * time.Millisecond) {
		if err = unix.Connect(num, to); err == nil {
			break
		}
		if (err == unix.EAGAIN || err == unix.EINTR) && time.Since(begin) < patienceOfDial {
			err = nil
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connecting to %s: %w%s", to.Name, err, hint(err)), unix.Close(num))
	}
	f, err := fd.New(num, c.Name)
	if err != nil {
		return nil, err
	}
	s := newStream(f, c, "connected to "+to.Name, warnings)
	s.Base.Init(o)
	s.start()
	return s, nil
}

// hint says what to do about an error of connect.
func hint(err error) string {
	switch {
	case errors.Is(err, unix.ENOENT):
		return "; start who listens there first, or listen yourself (role=listen)"
	case errors.Is(err, unix.ECONNREFUSED):
		return "; the program that listened there has ended"
	case errors.Is(err, unix.EAGAIN):
		return "; who listens there does not accept"
	case errors.Is(err, unix.EPROTOTYPE):
		return "; it is of the other type: try type=stream or type=dgram"
	case errors.Is(err, unix.EACCES):
		return "; the socket's file or a directory above it is not for this user"
	}
	return ""
}
