//go:build unix

// Listeners: Listen, and that of streams.

package unixsock

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/fd"
	"github.com/ringway-net/ringway/port"
)

// Listen makes the socket at path, and a port of each client. Ports have the Options o, and c's name with the number of the
// client, or its path, behind a #. The error wraps ErrConfig and names the field, or says what is wrong with the path or with the
// world.
func Listen(path string, o port.Options, c Config) (port.Listener, error) {
	return listen(path, o, c, nil)
}

// listen is Listen; whole, if not nil, is the port of which those of clients are parts.
func listen(path string, o port.Options, c Config, whole *port.Base) (port.Listener, error) {
	c, err := c.withDefaults(path)
	if err == nil {
		err = c.forListening()
	}
	if err != nil {
		return nil, err
	}
	if o.Pool == nil {
		return nil, port.ErrNoPool
	}
	num, err := newSocket(c.Type)
	if err != nil {
		return nil, err
	}
	warnings := setBuffers(num, &c)
	f, err := bind(num, c.Type, path, c.Mode)
	if err != nil {
		return nil, errors.Join(err, unix.Close(num))
	}
	if c.Type == Stream {
		if err := unix.Listen(num, 128); err != nil {
			return nil, errors.Join(fmt.Errorf("listening at %s: %w", path, err), unix.Close(num), f.remove())
		}
	}
	d, err := fd.New(num, c.Name)
	if err != nil {
		return nil, errors.Join(err, f.remove())
	}
	i := info(&c, warnings)
	i.Mode = "listens at " + path
	if c.Type == Stream {
		l := &streams{config: c, info: i, fd: d, file: f, whole: whole}
		l.Init(o)
		return l, nil
	}
	return newHub(d, f, o, c, i, whole), nil
}

// initPart prepares b as a port of its own, or as a part of whole.
func initPart(b, whole *port.Base, o port.Options) {
	if whole != nil {
		b.InitPart(whole)
	} else {
		b.Init(o)
	}
}

// streams makes a port of each connection.
type streams struct {
	port.Base // for Enter, Leave and Shut
	config    Config
	info      port.Info
	fd        *fd.FD
	file      *file
	whole     *port.Base
	clients   atomic.Int64
}

func (l *streams) Accept(ctx context.Context) (port.Port, error) {
	if !l.Enter() {
		return nil, port.ErrClosed
	}
	defer l.Leave()
	for {
		num, err := accept(l.fd.Num())
		switch {
		case err == nil:
			return l.open(num)
		case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR): // he has left already
			continue
		case !errors.Is(err, unix.EAGAIN):
			return nil, fmt.Errorf("%s: accepting a connection: %w", l.config.Name, err)
		}
		if err := l.Awake(l.fd.WaitRead(ctx)); err != nil {
			return nil, err
		}
	}
}

// accept accepts a connection that programs started by this one don't get.
func accept(num int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	got, _, err := unix.Accept(num)
	if err == nil {
		unix.CloseOnExec(got)
	}
	return got, err
}

// open makes the port of a connection.
func (l *streams) open(num int) (port.Port, error) {
	c := l.config
	c.Name = fmt.Sprintf("%s#%d", c.Name, l.clients.Add(1))
	warnings := setBuffers(num, &c)
	f, err := fd.New(num, c.Name)
	if err != nil {
		return nil, err
	}
	s := newStream(f, c, "accepted", warnings)
	initPart(&s.Base, l.whole, l.Options)
	s.start()
	return s, nil
}

func (l *streams) Info() port.Info { return l.info }

func (l *streams) Close() error {
	return l.Shut(l.fd.Wake, func() error {
		return errors.Join(l.file.remove(), l.fd.Close())
	})
}
