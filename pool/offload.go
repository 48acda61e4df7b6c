// Offload: what is left to do on a frame before it is fit for a wire.

package pool

// GSO says what a frame that is larger than any wire takes is to be cut into. The name is Linux's:
// generic segmentation offload.
type GSO uint8

const (
	GSONone GSO = iota // it is not to be cut
	GSOTCP4            // TCP segments over IPv4
	GSOTCP6            // TCP segments over IPv6
	GSOUDP             // UDP datagrams, over IPv4 or IPv6 (UDP_SEGMENT, USO)
)

// Offload is work on a frame that its sender has left to whoever sends it on: what Linux's virtio_net_hdr
// and network cards know. The zero Offload is none.
type Offload struct {
	// NeedsChecksum says that the 16 bits at ChecksumStart + ChecksumOffset hold the sum of the
	// pseudo header, to which all from ChecksumStart on has to be added.
	NeedsChecksum bool
	// ChecksumValid says that the checksum needs not be verified: somebody has, or it never left
	// the machine.
	ChecksumValid bool
	// NetworkFrame says that the frame begins with its IP header, as those of a tun device do.
	NetworkFrame bool
	// ECN says that the TCP sender has reduced its window: of the segments, the first alone says so (CWR).
	ECN bool
	// Tunnel says that what is to be cut is in a tunnel, such as VXLAN: ChecksumStart is that of the inner transport header, and the
	// headers in front of it are of several layers.
	Tunnel bool
	// GSO says what to cut the frame into, and SegmentSize how many bytes of payload go into each
	// segment: 1 to 65535 if there is something to cut.
	GSO         GSO
	SegmentSize uint16
	// ChecksumStart is where the transport header begins, in bytes from the frame's first one, and
	// ChecksumOffset where in it the checksum is.
	ChecksumStart  uint32
	ChecksumOffset uint16
}

// Unfinished reports whether there is something to do.
func (o Offload) Unfinished() bool { return o.NeedsChecksum || o.GSO != GSONone }

// Offload returns what SetOffload has set, and false if nothing has since the buffer was taken. It is as right
// after Prepend and TrimFront as before.
func (b Buffer) Offload() (Offload, bool) {
	p, _ := b.live()
	if b.off&hintOffload == 0 {
		return Offload{}, false
	}
	o := p.offload[b.slot&slotMask]
	if off := b.off & offMask; o.ChecksumStart >= off {
		o.ChecksumStart -= off
	} else { // the header has been trimmed away, and whoever did it has to know
		o.NeedsChecksum, o.ChecksumStart = false, 0
	}
	return o, true
}

// HasOffload reports whether Offload has something to tell. It looks at nothing but the handle.
func (b Buffer) HasOffload() bool { return b.off&hintOffload != 0 }

// SetOffload attaches o to the frame, in place of what was there. It panics if the buffer is shared, or if
// ChecksumStart is beyond the frame. Handles that were copied from b before do not know of it.
func (b *Buffer) SetOffload(o Offload) {
	p, s := b.live()
	if s.shared() {
		b.misuse("SetOffload on a shared buffer")
	}
	if o.ChecksumStart > b.n {
		b.misuse("SetOffload with a ChecksumStart beyond the frame")
	}
	o.ChecksumStart += b.off & offMask // from the slot's start: Prepend and TrimFront leave it right
	p.offload[b.slot&slotMask] = o
	b.off |= hintOffload
}

// ClearOffload says of the frame that nothing is left to do. Other owners of a shared buffer keep what they know.
func (b *Buffer) ClearOffload() {
	p, s := b.live()
	if b.off&hintOffload != 0 && !s.shared() {
		p.offload[b.slot&slotMask] = Offload{} // for copies of the handle
	}
	b.off &^= hintOffload
}
