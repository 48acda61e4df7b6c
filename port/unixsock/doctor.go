//go:build unix

// What the port needs of the system.

package unixsock

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

func doctor() []port.Finding {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	socket := port.Finding{What: "Unix sockets", Err: err}
	if err != nil {
		socket.Mend = "allow the program to make sockets: a sandbox or seccomp forbids it"
		return []port.Finding{socket}
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	found := []port.Finding{socket}
	if f, ok := queueLength(); ok {
		found = append(found, f)
	}
	return found
}

// wantedQueue is how many datagrams a socket should hold: a burst.
const wantedQueue = 64

// shortQueue makes a finding of how many datagrams a socket holds.
func shortQueue(has int) port.Finding {
	f := port.Finding{What: "bursts of datagrams", Optional: true}
	if has < wantedQueue {
		f.Err = fmt.Errorf("a datagram socket holds %d frames", has)
		f.Mend = fmt.Sprintf("sudo sysctl -w net.unix.max_dgram_qlen=%d; sockets made before keep what they have, and streams need it not", 8*wantedQueue)
	}
	return f
}
