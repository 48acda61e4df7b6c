//go:build unix

// The VXLAN header: RFC 7348, section 5.

package vxlan

import (
	"encoding/binary"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/stats"
)

const (
	headerLen = 8
	flagVNI   = 0x08 // I: the network number is valid
	mostVNI   = 1<<24 - 1
)

// header returns the header of network vni.
func header(vni uint32) []byte {
	h := make([]byte, headerLen)
	h[0] = flagVNI
	binary.BigEndian.PutUint32(h[4:], vni<<8)
	return h
}

// check reports whether a datagram has a frame of network vni in it, and if not, why it is to be dropped.
func check(datagram []byte, vni uint32) (why stats.Reason, ok bool) {
	switch {
	case len(datagram) < headerLen:
		return stats.ReasonTooShort, false
	case datagram[0]&flagVNI == 0:
		return stats.ReasonMalformed, false
	case binary.BigEndian.Uint32(datagram[4:])>>8 != vni:
		return stats.ReasonFiltered, false
	case len(datagram) < headerLen+packet.EthernetLen:
		return stats.ReasonTooShort, false
	}
	return 0, true
}
