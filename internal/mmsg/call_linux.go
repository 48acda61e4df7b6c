package mmsg

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// header is struct mmsghdr.
type header struct {
	unix.Msghdr
	n uint32
}

func (h *header) bytes() int { return int(h.n) }

// Recv receives up to n messages from socket num, which does not block, into messages 0 to n-1, and returns how many. With
// one or more there is no error; an error is a unix.Errno.
func (b *Batch) Recv(num, n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	for i := range b.hdrs[:n] {
		b.receive(i)
	}
	return b.call(unix.SYS_RECVMMSG, num, 0, n, false)
}

// Send sends messages from to to-1 by socket num, which does not block, and returns how many it has taken. With
// one or more there is no error, though one may have ended the batch: the next call will have it.
func (b *Batch) Send(num, from, to int) (int, error) {
	if from == to {
		return 0, nil
	}
	return b.call(unix.SYS_SENDMMSG, num, from, to-from, b.short(from, to))
}

// quick is so many bytes that sending them is over before Go's scheduler would do something about it (20 µs at the
// earliest). A burst of small frames takes longer, up to 0.2 ms, but to hand the processor to another thread and to take it back costs a
// seventh of what there is.
const quick = 128 << 10

// short reports whether messages from to to-1 have so few bytes that the scheduler need not be told.
func (b *Batch) short(from, to int) bool {
	bytes := 0
	for i := from; i < to; i++ {
		h := &b.hdrs[i].Msghdr
		for _, v := range unsafe.Slice(h.Iov, h.Iovlen) {
			bytes += int(v.Len)
		}
	}
	return bytes <= quick
}

func (b *Batch) call(which uintptr, num, from, n int, short bool) (int, error) {
	for {
		var got uintptr
		var errno syscall.Errno
		if short {
			got, _, errno = unix.RawSyscall6(which, uintptr(num), uintptr(unsafe.Pointer(&b.hdrs[from])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		} else {
			got, _, errno = unix.Syscall6(which, uintptr(num), uintptr(unsafe.Pointer(&b.hdrs[from])), uintptr(n), unix.MSG_DONTWAIT, 0, 0)
		}
		runtime.KeepAlive(b)
		switch errno {
		case 0:
			return int(got), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}
