//go:build unix

// What ports over UDP need of the system, and what makes them quicker.

package udpsock

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

// Doctor tries it.
func Doctor() []port.Finding {
	num, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	socket := port.Finding{What: "UDP sockets", Err: err}
	if err != nil {
		socket.Mend = "allow the program to use the network: a sandbox or seccomp forbids it"
		return []port.Finding{socket}
	}
	defer unix.Close(num)
	buffer := port.Finding{What: fmt.Sprintf("socket buffers of %d bytes", DefaultBuffer), Optional: true}
	if got := setBuffer(num, unix.SO_RCVBUF, DefaultBuffer); got < DefaultBuffer {
		buffer.Err = fmt.Errorf("the system allows %d", got)
		buffer.Mend = fmt.Sprintf("sudo sysctl -w net.core.rmem_max=%d net.core.wmem_max=%[1]d", DefaultBuffer)
		if runtime.GOOS != "linux" {
			buffer.Mend = fmt.Sprintf("sudo sysctl -w kern.ipc.maxsockbuf=%d", 2*DefaultBuffer)
		}
	}
	found := []port.Finding{socket, buffer}
	for _, f := range []struct {
		what, since string
		try         func(int) error
	}{
		{"runs sent as one (UDP_SEGMENT)", "4.18", canSegment},
		{"runs received as one (UDP_GRO)", "5.0", gather},
	} {
		found = append(found, port.Finding{What: f.what, Optional: true, Err: f.try(num)})
		if last := &found[len(found)-1]; last.Err != nil {
			last.Mend = "Linux " + f.since + " or later; without it a datagram is a pass through the kernel each"
		}
	}
	return found
}
