// VLAN: one 802.1Q or 802.1ad tag as a value.

package packet

// VLAN is one tag: the TPID that announces it (EtherTypeVLAN, EtherTypeQinQ or
// EtherTypeQinQ91) and the tag control information (IEEE 802.1Q, 9.6). The
// zero value is no tag.
type VLAN struct {
	TPID uint16
	TCI  uint16
}

// NewVLAN is a customer tag (TPID 0x8100) of the given VLAN and priority. Of id
// the lower 12 bits are used, of priority the lower 3.
func NewVLAN(id uint16, priority uint8) VLAN {
	return VLAN{TPID: EtherTypeVLAN, TCI: uint16(priority&7)<<13 | id&0x0fff}
}

// ID is the VLAN identifier, 0..4095. 0 is a priority tag, which names no VLAN;
// 4095 is reserved.
func (v VLAN) ID() uint16 { return v.TCI & 0x0fff }

// Priority is the priority code point, 0..7.
func (v VLAN) Priority() uint8 { return uint8(v.TCI >> 13) }

// DropEligible says whether the tag lets a congested bridge prefer this frame
// for dropping.
func (v VLAN) DropEligible() bool { return v.TCI&0x1000 != 0 }

// IsTPID says whether an EtherType announces a VLAN tag.
func IsTPID(etherType uint16) bool {
	return etherType == EtherTypeVLAN || etherType == EtherTypeQinQ || etherType == EtherTypeQinQ91
}
