// UMEM: the region as AF_XDP takes it, and buffers that are lent to a device.

package pool

import "fmt"

// UMEM returns the region as XDP_UMEM_REG wants it: its memory, which begins at a page, the size of
// a chunk, which is one slot, and how many bytes of headroom each chunk has, those 256 not counted that the kernel
// keeps for itself behind them. All sizes are in bytes. Slot i is chunk i. ok is false without
// Config.UMEM. The memory stays mapped as long as a buffer of the region is out, which a lent one is.
func (p *Pool) UMEM() (mem []byte, chunk, headroom int, ok bool) {
	p.made()
	if !p.config.UMEM {
		return nil, 0, 0, false
	}
	return p.region.mem, int(p.stride), int(p.headroom), true
}

// Lend counts bs as lent to a device, and puts into addrs, which is as long as bs or longer, where their
// frames begin, in bytes from the start of the region: what the device is told. Handles and shares stay the
// caller's, who releases none of them before TakeBack; the device may write to those that it is to receive into, which
// must not be shared. A shared buffer may be lent to several devices to send it, and is counted for each.
// It panics if one of bs is not live, of another pool, or on the heap; none is counted then.
func (p *Pool) Lend(bs []Buffer, addrs []uint64) {
	for i, b := range bs {
		addrs[i] = p.address(b)
	}
	p.lent.Add(int64(len(bs)))
}

// TakeBack counts bs, which were lent, as not lent any more. It panics if one of them is not live, of another
// pool, or on the heap, or if they are more than are lent; none is counted then.
func (p *Pool) TakeBack(bs []Buffer) {
	for _, b := range bs {
		p.address(b)
	}
	if left := p.lent.Add(-int64(len(bs))); left < 0 {
		p.lent.Add(int64(len(bs)))
		bs[0].misuse(fmt.Sprintf("%d buffers taken back from a device, and %d were lent", len(bs), left+int64(len(bs))))
	}
}

// SetFrame makes the n bytes from addr on, counted from the start of the region, the frame: what a device has
// written. They hold whatever was there. It panics if they are not all in b's slot, or if the buffer is shared and they are
// not a part of its frame.
func (b *Buffer) SetFrame(addr uint64, n int) {
	p, s := b.live()
	begin, size := p.address(*b), uint64(p.room)
	slot := begin - uint64(b.off&offMask)
	if n < 0 || addr < slot || addr-slot > size || uint64(n) > size-(addr-slot) {
		b.misuse(fmt.Sprintf("SetFrame(%d, %d): the slot is %d bytes from %d on", addr, n, size, slot))
	}
	if s.shared() && (addr < begin || addr+uint64(n) > begin+uint64(b.n)) {
		b.misuse(fmt.Sprintf("SetFrame(%d, %d) on a shared buffer, whose frame is %d bytes from %d on", addr, n, b.n, begin))
	}
	b.off = b.off&^offMask | uint32(addr-slot)
	b.n = uint32(n)
}

// address returns where the frame of b begins, in bytes from the start of the region.
func (p *Pool) address(b Buffer) uint64 {
	if q, _ := b.live(); q != p {
		b.misuse(fmt.Sprintf("buffer lent by or taken back to pool %q, which it is not from", p.config.Name))
	}
	i := b.slot & slotMask
	if i >= p.count {
		b.misuse("a buffer on the heap is in no region that a device could know")
	}
	return uint64(i)*uint64(p.stride) + uint64(b.off&offMask)
}
