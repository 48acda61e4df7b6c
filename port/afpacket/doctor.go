//go:build linux

// What packet sockets need of the system.

package afpacket

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/port"
)

const needsRaw = "run it as root, or: sudo setcap cap_net_raw,cap_net_admin+ep $(command -v ringway)"

func doctor() []port.Finding {
	num, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	socket := port.Finding{What: "packet sockets (AF_PACKET)", Err: err}
	switch {
	case errors.Is(err, unix.EPERM):
		socket.Mend = needsRaw
	case errors.Is(err, unix.EAFNOSUPPORT):
		socket.Mend = "sudo modprobe af_packet, or a kernel with CONFIG_PACKET"
	case err != nil:
		socket.Mend = "see the error; a container may forbid it by seccomp"
	}
	if err != nil {
		return []port.Finding{socket}
	}
	defer unix.Close(num)
	found := []port.Finding{socket}
	option := func(what string, level, option, value int, optional bool, mend string) {
		f := port.Finding{What: what, Optional: optional}
		if err := unix.SetsockoptInt(num, level, option, value); err != nil {
			f.Err, f.Mend = err, mend
		}
		found = append(found, f)
	}
	option("offloads beside frames (PACKET_VNET_HDR)", unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1, false, "Linux 2.6.27 or later")
	option("own frames not echoed (PACKET_IGNORE_OUTGOING)", unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1, false, "Linux 4.20 or later")
	option("large socket buffers (SO_RCVBUFFORCE)", unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, DefaultSocketBuffer/2, true,
		fmt.Sprintf("sudo sysctl -w net.core.rmem_max=%d net.core.wmem_max=%d, or CAP_NET_ADMIN: %s", DefaultSocketBuffer/2, DefaultSocketBuffer/2, needsRaw))
	return found
}
