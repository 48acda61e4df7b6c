// Package netif is what ports at network interfaces share.
package netif

import (
	"encoding/binary"
	"net"
	"strings"
)

// NetworkOrder returns v as the kernel wants it in a uint16 that is in network order, such as the protocol of a packet socket.
func NetworkOrder(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

// Names returns the names of the interfaces that there are here, for an error that one is not among them: "lo, eth0". If there
// are none, or the system doesn't say, which is the error then, it is "none".
func Names() (string, error) {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		return "none", err
	}
	names := make([]string, len(all))
	for i, one := range all {
		names[i] = one.Name
	}
	return strings.Join(names, ", "), nil
}
