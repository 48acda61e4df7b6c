//go:build linux

// The ring (TPACKET_V2) into which the kernel writes small frames, without a system call for any of them.
//
// A frame that is longer than a slot is not lost: with PACKET_COPY_THRESH it waits in the socket's queue as if there was no
// ring, and its slot says so.
//
// The edges, with the kernel: it writes a slot and then its status, which is loaded before the slot is read (K1); the slot is
// read before the status is stored, which the kernel looks at before it writes the slot again (K2).

package afpacket

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/internal/vnet"
	"github.com/ringway-net/ringway/packet"
)

const (
	// slotHead is more than what the kernel puts in front of a frame in its slot.
	slotHead = 128
	// blockSize is how much of a ring is in one piece of the kernel's memory.
	blockSize = 1 << 16
)

// ring is the slots, of which next is the one that the kernel fills next, or has.
type ring struct {
	mem   []byte
	size  int // of a slot; a power of two
	count int
	next  int
}

// newRing makes the socket have a ring of at least count slots for frames of up to frame bytes.
func newRing(num, count, frame int) (r ring, err error) {
	r.size = 1 << bits.Len(uint(max(frame+slotHead, os.Getpagesize()/2)-1))
	r.size = min(r.size, blockSize)
	r.count = (count*r.size + blockSize - 1) / blockSize * (blockSize / r.size)
	for _, o := range []struct {
		what        string
		name, value int
	}{
		{"PACKET_VERSION", unix.PACKET_VERSION, unix.TPACKET_V2},
		{"PACKET_COPY_THRESH", unix.PACKET_COPY_THRESH, 1},
	} {
		if err := unix.SetsockoptInt(num, unix.SOL_PACKET, o.name, o.value); err != nil {
			return r, fmt.Errorf("packet socket: %s: %w", o.what, err)
		}
	}
	req := unix.TpacketReq{Block_size: blockSize, Block_nr: uint32(r.count * r.size / blockSize), Frame_size: uint32(r.size), Frame_nr: uint32(r.count)}
	if err := unix.SetsockoptTpacketReq(num, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return r, fmt.Errorf("packet socket: a ring of %d slots of %d bytes: %w", r.count, r.size, err)
	}
	r.mem, err = unix.Mmap(num, 0, r.count*r.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return r, fmt.Errorf("packet socket: mapping its ring: %w", err)
	}
	return r, nil
}

// slot is a slot of the ring: a header, and the frame somewhere behind it.
type slot []byte

func (r *ring) slot(i int) slot { return r.mem[i*r.size:][:r.size] }

func (s slot) header() *unix.Tpacket2Hdr {
	return (*unix.Tpacket2Hdr)(unsafe.Pointer(unsafe.SliceData(s)))
}

// status returns what the kernel says about the slot: TP_STATUS_KERNEL as long as it has it.
func (s slot) status() uint32 { return atomic.LoadUint32(&s.header().Status) } // K1

// ready returns the next slot, if it has been filled.
func (r *ring) ready() (s slot, status uint32) {
	s = r.slot(r.next)
	return s, s.status()
}

// give gives n slots back to the kernel, the next ones.
func (r *ring) give(n int) {
	for range n {
		atomic.StoreUint32(&r.slot(r.next).header().Status, unix.TP_STATUS_KERNEL) // K2
		if r.next++; r.next == r.count {
			r.next = 0
		}
	}
}

// large returns how many slots, up to n, stand for frames in the socket's queue, from the next one on.
func (r *ring) large(n int) (k int) {
	for i := r.next; k < n && r.slot(i).status()&unix.TP_STATUS_COPY != 0; k++ {
		if i++; i == r.count {
			i = 0
		}
	}
	return k
}

// frame returns the frame in the slot and the header in front of it. Whole is false if some of it is missing.
func (s slot) frame() (head, frame []byte, whole bool) {
	h := s.header()
	at, n := int(h.Mac), int(h.Snaplen)
	if at < vnet.Len || at+n > len(s) {
		return nil, nil, false
	}
	return s[at-vnet.Len : at], s[at : at+n], h.Snaplen == h.Len
}

// tag returns the VLAN tag that the kernel has taken out of the frame, if there was one.
func (s slot) tag(status uint32) (tag [packet.VLANLen]byte, ok bool) {
	if status&unix.TP_STATUS_VLAN_VALID == 0 {
		return tag, false
	}
	h := s.header()
	id := packet.EtherTypeVLAN
	if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		id = h.Vlan_tpid
	}
	binary.BigEndian.PutUint16(tag[:], id)
	binary.BigEndian.PutUint16(tag[2:], h.Vlan_tci)
	return tag, true
}

// close unmaps the ring. The kernel lets go of it when the socket is closed.
func (r *ring) close() error {
	if r.mem == nil {
		return nil
	}
	err := unix.Munmap(r.mem)
	r.mem = nil
	return err
}
