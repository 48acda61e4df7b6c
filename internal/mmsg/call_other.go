//go:build unix && !linux

package mmsg

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is a message and how many bytes it had.
type header struct {
	unix.Msghdr
	n int
}

func (h *header) bytes() int { return h.n }

// Recv receives up to n messages from socket num, which does not block, into messages 0 to n-1, and returns how many. With
// one or more there is no error; an error is a unix.Errno.
func (b *Batch) Recv(num, n int) (int, error) {
	for i := range n {
		b.receive(i)
		if err := b.call(unix.SYS_RECVMSG, num, i); err != nil {
			if i > 0 {
				err = nil
			}
			return i, err
		}
	}
	return n, nil
}

// Send sends messages from to to-1 by socket num, which does not block, and returns how many it has taken. With
// one or more there is no error, though one may have ended the batch: the next call will have it.
func (b *Batch) Send(num, from, to int) (int, error) {
	for i := from; i < to; i++ {
		if err := b.call(unix.SYS_SENDMSG, num, i); err != nil {
			if i > from {
				err = nil
			}
			return i - from, err
		}
	}
	return to - from, nil
}

func (b *Batch) call(which uintptr, num, i int) error {
	for {
		n, _, errno := unix.Syscall(which, uintptr(num), uintptr(unsafe.Pointer(&b.hdrs[i].Msghdr)), unix.MSG_DONTWAIT)
		runtime.KeepAlive(b)
		switch errno {
		case 0:
			b.hdrs[i].n = int(n)
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}
