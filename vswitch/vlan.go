// VLANs: which of them a port carries, and with what tag (IEEE 802.1Q).

package vswitch

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ringway-net/ringway/packet"
	"github.com/ringway-net/ringway/pool"
)

// MaxVLAN is the highest number of a VLAN; 4095 is reserved.
const MaxVLAN = 4094

// ErrVLAN is wrapped by the error about a number that is no VLAN's.
var ErrVLAN = errors.New("VLAN number out of range")

// vlans is what a port has to do with VLANs. Inside the switch each frame is in one, and those without tag that come in by a port
// that knows of none are in number 0.
type vlans struct {
	all    bool        // carries every VLAN, tags as they are
	native uint16      // the VLAN of frames without tag, or 0
	trunk  *[64]uint64 // a bit for each that is carried with a tag, or nil
}

// newVLANs returns those of a port with that native VLAN, or 0, and that trunk, which may be empty.
func newVLANs(native uint16, trunk []uint16) (v vlans, err error) {
	for _, id := range trunk {
		if id == 0 || id > MaxVLAN {
			return v, fmt.Errorf("%w: %d, want 1 to %d", ErrVLAN, id, MaxVLAN)
		}
		if v.trunk == nil {
			v.trunk = new([64]uint64)
		}
		v.trunk[id>>6] |= 1 << (id & 63)
	}
	if native > MaxVLAN {
		return v, fmt.Errorf("%w: %d, want 1 to %d, or 0 for none", ErrVLAN, native, MaxVLAN)
	}
	v.native = native
	v.all = native == 0 && v.trunk == nil
	return v, nil
}

func (v *vlans) trunked(id uint16) bool { return v.trunk != nil && v.trunk[id>>6]>>(id&63)&1 != 0 }

// tag is the one that a frame has: its VLAN, which is 0 for a priority tag, or noTag.
type tag uint16

const noTag tag = 1 << 15

// tagOf returns the tag of a frame that is at least a header long. A service tag (802.1ad) is none: it is carried as any other type.
func tagOf(frame []byte) tag {
	const at = packet.EthernetLen - 2
	if binary.BigEndian.Uint16(frame[at:]) == packet.EtherTypeVLAN && len(frame) >= packet.EthernetLen+packet.VLANLen {
		return tag(binary.BigEndian.Uint16(frame[at+2:]) & 0x0fff)
	}
	return noTag
}

// enter returns the VLAN that a frame with tag t is in which comes in by the port, if it may.
func (v *vlans) enter(t tag) (id uint16, ok bool) {
	switch {
	case t == noTag || t == 0:
		return v.native, v.all || v.native != 0
	case v.all:
		return uint16(t), t <= MaxVLAN
	default:
		return uint16(t), v.trunked(uint16(t))
	}
}

// leave reports whether frames of a VLAN go out by the port, and what becomes of tag t of one that does.
func (v *vlans) leave(id uint16, t tag) (e edit, ok bool) {
	switch {
	case v.all && id == 0, v.all && t == tag(id):
		return keep, true // a priority tag too
	case v.all, v.trunked(id) && id != v.native:
		switch t {
		case tag(id):
			return keep, true
		case noTag:
			return put, true
		}
		return set, true
	case id != 0 && id == v.native:
		if t == noTag {
			return keep, true
		}
		return take, true
	}
	return keep, false
}

// edit is what is done to a frame's tag.
type edit uint8

const (
	keep  edit = iota
	put        // a tag where there is none
	set        // another VLAN into a priority tag
	take       // it away
	edits      // how many there are
)

// apply does e to b, of VLAN id. If others share b, it becomes a copy. The error is pool's: no buffer for a copy, or no headroom for
// the tag.
func (e edit) apply(b *pool.Buffer, id uint16) error {
	if e == keep {
		return nil
	}
	if err := b.Writable(); err != nil {
		return err
	}
	const addresses = packet.EthernetLen - 2
	switch e {
	case put:
		if _, err := b.Prepend(packet.VLANLen); err != nil {
			return err
		}
		frame := b.Bytes()
		copy(frame, frame[packet.VLANLen:][:addresses])
		binary.BigEndian.PutUint16(frame[addresses:], packet.EtherTypeVLAN)
		binary.BigEndian.PutUint16(frame[addresses+2:], id)
	case set:
		tci := b.Bytes()[addresses+2:]
		binary.BigEndian.PutUint16(tci, binary.BigEndian.Uint16(tci)&0xf000|id)
	case take:
		frame := b.Bytes()
		copy(frame[packet.VLANLen:], frame[:addresses])
		return b.TrimFront(packet.VLANLen)
	}
	return nil
}
