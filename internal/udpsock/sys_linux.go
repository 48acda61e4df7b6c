// What Linux has: runs of datagrams that pass as one, don't-fragment, buffers beyond the limit for root.

package udpsock

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mostSegments is how many datagrams UDP_SEGMENT takes as one (UDP_MAX_SEGMENTS; it is 128 from Linux 6.9 on).
const mostSegments = 64

// putLen has nothing to do: a sockaddr of Linux has no length.
func putLen(*unix.RawSockaddrAny, int) {}

// deafen lets the socket receive nothing: all that comes is thrown away, by a filter.
func deafen(num int) error {
	no := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	return unix.SetsockoptSockFprog(num, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &no})
}

func undeafen(num int) error {
	return unix.SetsockoptInt(num, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
}

func fragment(num int, sixth, on bool) error {
	how := unix.IP_PMTUDISC_DO
	if on {
		how = unix.IP_PMTUDISC_WANT
	}
	if sixth {
		return unix.SetsockoptInt(num, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, how)
	}
	return unix.SetsockoptInt(num, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, how)
}

func bindToDevice(num int, device string) error { return unix.BindToDevice(num, device) }

// force sets a buffer's size whatever the system's limit is, which takes CAP_NET_ADMIN.
func force(num, option, size int) error {
	forced := unix.SO_SNDBUFFORCE
	if option == unix.SO_RCVBUF {
		forced = unix.SO_RCVBUFFORCE
	}
	return unix.SetsockoptInt(num, unix.SOL_SOCKET, forced, size)
}

// granted is the size of a buffer of which the system says n: Linux doubles it for what it needs itself.
func granted(n int) int { return n / 2 }

func pathMTU(num int, sixth bool) (int, error) {
	if sixth {
		return unix.GetsockoptInt(num, unix.IPPROTO_IPV6, unix.IPV6_MTU)
	}
	return unix.GetsockoptInt(num, unix.IPPROTO_IP, unix.IP_MTU)
}

func drops(num int) (uint32, bool) {
	var info [unix.SK_MEMINFO_VARS]uint32
	n := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(num), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&n)), 0)
	return info[unix.SK_MEMINFO_DROPS], errno == 0 && n > 4*unix.SK_MEMINFO_DROPS
}

// AcceptNoChecksum lets an IPv6 socket receive datagrams without a checksum, as RFC 6935 allows for tunnels.
func (s *Socket) AcceptNoChecksum() error {
	return unix.SetsockoptInt(s.Num(), unix.IPPROTO_UDP, unix.UDP_NO_CHECK6_RX, 1)
}

// canSegment says if the kernel has no UDP_SEGMENT (it has from 4.18 on).
func canSegment(num int) error {
	return unix.SetsockoptInt(num, unix.IPPROTO_UDP, unix.UDP_SEGMENT, 0)
}

// gather makes the kernel hand over runs as they came (from 5.0 on).
func gather(num int) error {
	return unix.SetsockoptInt(num, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
}

// segmentSpace and gatherSpace are the lengths of the control messages.
var segmentSpace, gatherSpace = unix.CmsgSpace(2), unix.CmsgSpace(4)

// putSegment writes the control message that says how long the datagrams of a run are.
func putSegment(control []byte, size int) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(size))
}

// segmentOf returns how long the datagrams of a run are that came with control, or 0 if it is a single one.
func segmentOf(control []byte) int {
	if len(control) < unix.CmsgLen(4) {
		return 0
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	if h.Level != unix.IPPROTO_UDP || h.Type != unix.UDP_GRO {
		return 0
	}
	return int(binary.NativeEndian.Uint32(control[unix.CmsgLen(0):]))
}
