// What is in the netpoller on Linux: an epoll instance for each side, in which the descriptor is only while somebody waits. In the
// netpoller itself it would be all the time, for both directions: each datagram that is received while nobody sleeps, and each that has
// been sent, would wake a thread for nothing, a quarter of the time of a busy socket. In an epoll instance that it never leaves it wakes
// nobody, but whoever sends to it has to find that out for each frame: a tenth of the time of a sender of small ones.

package fd

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watched makes the epoll instance, with nothing in it.
func (s *side) watched() (int, error) {
	num, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, err
	}
	s.watch = num
	if err := s.listen(); err != nil { // for instance since there is nothing to wait for in a regular file
		return 0, errors.Join(err, unix.Close(num))
	}
	s.heard()
	return num, nil
}

// listen makes the epoll instance tell that the side is ready, once for each time that it is asked, and at once if it is.
func (s *side) listen() error {
	event := unix.EpollEvent{Events: uint32(s.events) | unix.EPOLLONESHOT}
	err := unix.EpollCtl(s.watch, unix.EPOLL_CTL_ADD, s.num, &event)
	if errors.Is(err, unix.EEXIST) { // the last wait was ended by something else
		err = unix.EpollCtl(s.watch, unix.EPOLL_CTL_MOD, s.num, &event)
	}
	return err
}

// heard takes the side out of the epoll instance, with what has been told.
func (s *side) heard() { _ = unix.EpollCtl(s.watch, unix.EPOLL_CTL_DEL, s.num, nil) }

// writes reports whether one waits for what is in the netpoller by writing: an epoll instance is always read.
func (s *side) writes() bool { return false }

// ready reports whether there is something to do now. It never sleeps, and so the scheduler is not told of the call: that would wake its
// watchman each time.
func (s *side) ready() bool {
	p := [1]unix.PollFd{{Fd: int32(s.num), Events: s.events}}
	var now unix.Timespec
	n, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno != 0 || n > 0
}
