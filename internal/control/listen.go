// The socket.

package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
)

// ErrInUse says that somebody listens at a path already.
var ErrInUse = errors.New("another program listens there: choose another path, or end that program")

// making makes sure that of several sockets of this program one at a time is made.
var making sync.Mutex

// Listen makes a Unix socket at path that only its owner may open, and that is removed when the listener is closed. A socket that is there is
// replaced if nobody listens any more; otherwise the error wraps ErrInUse. Nothing else is replaced.
func Listen(path string) (net.Listener, error) {
	making.Lock()
	defer making.Unlock()
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l, err := listenPrivately(path)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by then the path may be another's
	info, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{Listener: l, path: path, info: info}, nil
}

// removeStale removes a socket to which nobody listens.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return errors.New("there is something that is no socket: choose another path, or remove it")
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(ErrInUse, c.Close())
	}
	if !refused(err) {
		return fmt.Errorf("is it in use? %w", err)
	}
	return os.Remove(path)
}

// listener removes its file.
type listener struct {
	net.Listener
	path string
	info fs.FileInfo
	once sync.Once
}

// Close closes the listener and removes the file, unless it is another's by now.
func (l *listener) Close() (err error) {
	l.once.Do(func() {
		now, statErr := os.Lstat(l.path)
		if statErr == nil && os.SameFile(now, l.info) && now.ModTime().Equal(l.info.ModTime()) {
			err = os.Remove(l.path)
		}
		err = errors.Join(err, l.Listener.Close())
	})
	return err
}
