//go:build unix && !linux

package unixsock

import (
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// bindMode binds a socket such that its file has the mode at once. The umask is the one way to that here, and it is
// the whole process's: a file that another goroutine makes in the same microseconds has fewer permissions than it should, never more. The
// caller sees to it that no two are here at a time.
func bindMode(num int, to unix.Sockaddr, mode fs.FileMode) error {
	before := unix.Umask(int(fs.ModePerm &^ mode))
	defer unix.Umask(before)
	return unix.Bind(num, to)
}

// disconnect is for a datagram socket whose peer has gone: the system has done it.
func disconnect(int) {}

// queueLength finds nothing: buffers are counted in bytes here.
func queueLength() (port.Finding, bool) { return port.Finding{}, false }
