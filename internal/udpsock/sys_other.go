//go:build unix && !linux

// Systems without Linux's specialities: one datagram is one datagram.

package udpsock

import (
	"errors"

	"golang.org/x/sys/unix"
)

const mostSegments = 1

func putLen(raw *unix.RawSockaddrAny, n int) { raw.Addr.Len = uint8(n) }

// deafen makes the buffer small, so that not much waits there for undeafen to throw away.
func deafen(num int) error {
	return unix.SetsockoptInt(num, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10)
}

// undeafen throws away what came before the socket was connected.
func undeafen(num int) error {
	var b [1]byte
	for range 1000 {
		if _, _, err := unix.Recvfrom(num, b[:], unix.MSG_DONTWAIT); errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return nil
}

func fragment(int, bool, bool) error { return nil }

func bindToDevice(int, string) error { return errors.ErrUnsupported }

func force(int, int, int) error { return errors.ErrUnsupported }

func granted(n int) int { return n }

func pathMTU(int, bool) (int, error) { return 0, errors.ErrUnsupported }

func drops(int) (uint32, bool) { return 0, false }

// AcceptNoChecksum does nothing: only Linux can be asked for it.
func (s *Socket) AcceptNoChecksum() error { return nil }

func canSegment(int) error { return errors.ErrUnsupported }

func gather(int) error { return errors.ErrUnsupported }

var segmentSpace, gatherSpace = 0, 0

func putSegment([]byte, int) {}

func segmentOf([]byte) int { return 0 }
