//go:build linux

// scratch: what goes to the kernel beside a frame.

package tap

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxHeader is how long a virtio_net_hdr can be: behind its first 10 bytes may be some that are for features to which we
// never agree.
const maxHeader = 64

// scratch is the memory for the system calls of one direction: a frame's header, and where its pieces are.
type scratch struct {
	header [maxHeader]byte
	beyond [1]byte // what a frame that is too long for its place goes on with
	pieces [4]unix.Iovec
	n      int
}

func (s *scratch) add(mem []byte) {
	if len(mem) > 0 {
		s.pieces[s.n].Base = unsafe.SliceData(mem)
		s.pieces[s.n].SetLen(len(mem))
		s.n++
	}
}

// call is readv or writev of what was added, and forgets it. It returns the number of bytes.
func (s *scratch) call(which uintptr, num int) (int, unix.Errno) {
	for {
		n, _, errno := unix.Syscall(which, uintptr(num), uintptr(unsafe.Pointer(&s.pieces)), uintptr(s.n))
		if errno == unix.EINTR {
			continue
		}
		runtime.KeepAlive(s)
		s.n = 0
		return int(n), errno
	}
}
