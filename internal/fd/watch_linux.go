// What is in the netpoller on Linux: an epoll instance for each side, which listens to the descriptor only while somebody
// waits. The netpoller itself would listen to both directions all the time, so that each datagram that is received while nobody sleeps,
// and each that has been sent, would wake a thread for nothing: a quarter of the time of a busy socket.

package fd

import (
	"errors"

	"golang.org/x/sys/unix"
)

// watched makes the epoll instance, which listens to nothing yet.
func (s *side) watched() (int, error) {
	num, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, err
	}
	if err := unix.EpollCtl(num, unix.EPOLL_CTL_ADD, s.num, &unix.EpollEvent{Events: unix.EPOLLONESHOT}); err != nil {
		return 0, errors.Join(err, unix.Close(num))
	}
	return num, nil
}

// listen makes the epoll instance tell once that the side is ready, at once if it is.
func (s *side) listen() error {
	return unix.EpollCtl(s.watch, unix.EPOLL_CTL_MOD, s.num, &unix.EpollEvent{Events: uint32(s.events) | unix.EPOLLONESHOT})
}

// heard takes out of the epoll instance what it has told. It listens to nothing then.
func (s *side) heard() {
	var e [1]unix.EpollEvent
	_, _ = unix.EpollWait(s.watch, e[:], 0)
}

// writes reports whether one waits for what is in the netpoller by writing: an epoll instance is always read.
func (s *side) writes() bool { return false }
