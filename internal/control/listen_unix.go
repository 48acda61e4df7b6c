//go:build unix

package control

import (
	"errors"
	"net"
	"syscall"
)

// listenPrivately makes a socket whose file has the mode 0600 from the first moment on.
func listenPrivately(path string) (*net.UnixListener, error) {
	defer syscall.Umask(syscall.Umask(0o177))
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// refused reports whether an error says that nobody listens.
func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
