//go:build unix && !linux

// What is in the netpoller elsewhere: a copy of the descriptor for each side.

package fd

import "golang.org/x/sys/unix"

func (s *side) watched() (int, error) {
	return unix.FcntlInt(uintptr(s.num), unix.F_DUPFD_CLOEXEC, 0)
}

func (s *side) listen() error { return nil }

func (s *side) heard() {}

// writes reports whether one waits for what is in the netpoller by writing.
func (s *side) writes() bool { return s.events == unix.POLLOUT }

// ready reports whether there is something to do now.
func (s *side) ready() bool {
	p := [1]unix.PollFd{{Fd: int32(s.num), Events: s.events}}
	n, err := unix.Poll(p[:], 0)
	return err != nil || n > 0
}
