//go:build linux

// The VLAN tag that the kernel takes out of a frame and tells beside it.

package afpacket

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
)

// auxSpace is the room for the control message with struct tpacket_auxdata.
var auxSpace = unix.CmsgSpace(int(unsafe.Sizeof(auxdata{})))

// auxdata is struct tpacket_auxdata.
type auxdata struct {
	status          uint32
	len, snaplen    uint32
	mac, net        uint16
	vlanTCI, vlanID uint16 // the tag's two fields: what it says, and its type
}

// vlanTag returns the tag that is told by a frame's control messages, the type in front, if there is one.
func vlanTag(control []byte) (tag [packet.VLANLen]byte, ok bool) {
	if len(control) < auxSpace {
		return tag, false
	}
	h := (*unix.Cmsghdr)(unsafe.Pointer(unsafe.SliceData(control)))
	if h.Level != unix.SOL_PACKET || h.Type != unix.PACKET_AUXDATA {
		return tag, false
	}
	a := (*auxdata)(unsafe.Pointer(&control[unix.CmsgLen(0)]))
	if a.status&unix.TP_STATUS_VLAN_VALID == 0 {
		return tag, false
	}
	id := packet.EtherTypeVLAN
	if a.status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		id = a.vlanID
	}
	binary.BigEndian.PutUint16(tag[:], id)
	binary.BigEndian.PutUint16(tag[2:], a.vlanTCI)
	return tag, true
}

// putTag puts a tag behind the addresses of a frame that has them, if there is room in front of it.
func putTag(b *pool.Buffer, tag [packet.VLANLen]byte) bool {
	const addresses = 12
	if _, err := b.Prepend(len(tag)); err != nil {
		return false
	}
	frame := b.Bytes()
	copy(frame, frame[len(tag):len(tag)+addresses])
	copy(frame[addresses:], tag[:])
	return true
}
