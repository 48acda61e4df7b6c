package unixsock

import (
	"io/fs"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// bindMode binds a socket such that its file has the mode at once, or less if the umask says so: Linux takes the
// socket's own for it, of which fchmod before bind makes what it should be.
func bindMode(num int, to unix.Sockaddr, mode fs.FileMode) error {
	if err := unix.Fchmod(num, uint32(mode)); err != nil {
		return err
	}
	return unix.Bind(num, to)
}

// disconnect undoes connect of a datagram socket, so that it receives from everybody again.
func disconnect(num int) {
	to := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, _ = unix.Syscall(unix.SYS_CONNECT, uintptr(num), uintptr(unsafe.Pointer(&to)), unsafe.Sizeof(to))
}

// queueLength finds how many datagrams a socket holds.
func queueLength() (port.Finding, bool) {
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	if err != nil {
		return port.Finding{}, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return shortQueue(n), err == nil
}
