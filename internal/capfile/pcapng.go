// pcapng: blocks of type u32, length u32, body, length u32 again; the length
// counts all of it and is a multiple of four.

package capfile

import "encoding/binary"

const (
	blockHeaderLen = 8
	blockMinLen    = 12

	blockSHB = 0x0a0d0d0a
	blockIDB = 1
	blockPB  = 2
	blockSPB = 3
	blockEPB = 6

	byteOrderMagic = 0x1a2b3c4d

	// The shortest of each, trailing length included. PB and EPB are alike.
	shbMinLen    = 28
	idbMinLen    = 20
	packetMinLen = 32
	spbMinLen    = 16

	packetHeaderLen = 28
	spbHeaderLen    = 12

	damaged = "the file is damaged here"
)

// nextNG takes blocks until one of them is a frame.
func (p *Parser) nextNG(data []byte, rec *Record) (used int, err error) {
	for {
		b := data[used:]
		if p.skip != 0 {
			n, err := p.skipBlock(b)
			used += n
			if err != nil {
				return used, err
			}
			continue
		}
		if len(b) < blockHeaderLen {
			return used, p.short(blockHeaderLen)
		}
		typ, n := p.u32(b), p.u32(b[4:])
		if typ == blockSHB {
			n, err := p.sectionHeader(b)
			if err != nil {
				return used, err
			}
			used += n
			continue
		}
		if n < blockMinLen || n&3 != 0 {
			return used, p.badLength(typ, n, blockMinLen)
		}
		switch typ {
		case blockEPB, blockPB:
			if err := p.packet(b, typ, n, rec); err != nil {
				return used, err
			}
			return used + int(n), nil
		case blockSPB:
			if err := p.simplePacket(b, n, rec); err != nil {
				return used, err
			}
			return used + int(n), nil
		case blockIDB:
			if err := p.interfaceDescription(b, n); err != nil {
				return used, err
			}
			used += int(n)
		default:
			p.skip, p.skipLen, p.skipTyp, p.skipOff = n-blockHeaderLen, n, typ, p.off
			p.off += blockHeaderLen
			used += blockHeaderLen
		}
	}
}

// packet decodes an Enhanced Packet Block or its obsolete forerunner:
//
//	EPB:  interface u32,             time high u32, time low u32, captured u32, original u32
//	PB:   interface u16, drops u16,  …
//
// then the frame, padded to four bytes, and options. n is checked for alignment.
func (p *Parser) packet(b []byte, typ, n uint32, rec *Record) error {
	if n < packetMinLen {
		return p.badLength(typ, n, packetMinLen)
	}
	if len(b) < packetHeaderLen {
		return p.short(packetHeaderLen)
	}
	caplen := p.u32(b[20:])
	if caplen > MaxFrame {
		return p.tooLong(caplen)
	}
	if n > MaxBlock {
		return p.bigBlock(typ, n)
	}
	if caplen > n-packetMinLen {
		return p.fail(p.off, damaged, "captured length %d does not fit into the block's %d bytes", caplen, n)
	}
	if int(n) > len(b) {
		return p.short(int(n))
	}
	if last := p.u32(b[n-4:]); last != n {
		return p.badTrailer(p.off, typ, n, last)
	}
	id, own := p.u32(b[8:]), ownerEPB
	if typ == blockPB {
		id, own = uint32(p.u16(b[8:])), ownerPB
	}
	if uint64(id) >= uint64(len(p.ifaces)-p.base) {
		return p.fail(p.off, damaged, "interface %d, but the section has described %d", id, len(p.ifaces)-p.base)
	}
	i := p.base + int(id)
	end := packetHeaderLen + int(caplen)
	if opts := b[(end+3)&^3 : n-4]; len(opts) != 0 {
		if err := p.packetOptions(opts, own, p.off+int64(n)-4-int64(len(opts))); err != nil {
			return err
		}
	}
	if typ == blockPB {
		if d := p.u16(b[10:]); d != 0 && d != 0xffff {
			p.tally.pbDrops++
		}
	}
	ns, sub, sat := p.clocks[i].ns(uint64(p.u32(b[12:]))<<32 | uint64(p.u32(b[16:])))
	if sub {
		p.subNS++
	}
	if sat {
		p.sat++
	}
	rec.Data = b[packetHeaderLen:end:end]
	rec.TimeNS = ns
	rec.Offset = p.off
	rec.Interface = i
	rec.OrigLen = p.u32(b[24:])
	rec.HasTime = true
	p.off += int64(n)
	p.frames++
	return nil
}

// simplePacket decodes a Simple Packet Block: original u32 and the frame. It is
// of the section's first interface, whose snaplen says how much was captured.
func (p *Parser) simplePacket(b []byte, n uint32, rec *Record) error {
	if n < spbMinLen {
		return p.badLength(blockSPB, n, spbMinLen)
	}
	if len(b) < spbHeaderLen {
		return p.short(spbHeaderLen)
	}
	if len(p.ifaces) == p.base {
		return p.fail(p.off, damaged, "a Simple Packet Block in a section that has described no interface")
	}
	orig := p.u32(b[8:])
	caplen := orig
	if snap := p.ifaces[p.base].SnapLen; snap != 0 && caplen > snap {
		caplen = snap
	}
	if caplen > MaxFrame {
		return p.tooLong(caplen)
	}
	if n > MaxBlock {
		return p.bigBlock(blockSPB, n)
	}
	if caplen > n-spbMinLen {
		return p.fail(p.off, damaged, "captured length %d does not fit into the block's %d bytes", caplen, n)
	}
	if int(n) > len(b) {
		return p.short(int(n))
	}
	if last := p.u32(b[n-4:]); last != n {
		return p.badTrailer(p.off, blockSPB, n, last)
	}
	end := spbHeaderLen + int(caplen)
	if (end+3)&^3 != int(n)-4 {
		p.tally.spbTrailing++
	}
	*rec = Record{Data: b[spbHeaderLen:end:end], Offset: p.off, Interface: p.base, OrigLen: orig}
	p.off += int64(n)
	p.frames++
	return nil
}

// sectionHeader takes a Section Header Block, whose length can only be read
// after the byte order magic behind it:
//
//	magic u32, major u16, minor u16, section length i64, options
func (p *Parser) sectionHeader(b []byte) (int, error) {
	if len(b) < blockMinLen {
		return 0, p.short(blockMinLen)
	}
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(b[8:]):
		p.big = false
	case binary.BigEndian.Uint32(b[8:]):
		p.big = true
	default:
		return 0, p.fail(p.off, damaged, "byte order magic of the section header is % x", b[8:12])
	}
	n := p.u32(b[4:])
	if n < shbMinLen || n&3 != 0 {
		return 0, p.badLength(blockSHB, n, shbMinLen)
	}
	if n > MaxBlock {
		return 0, p.bigBlock(blockSHB, n)
	}
	if int(n) > len(b) {
		return 0, p.short(int(n))
	}
	if last := p.u32(b[n-4:]); last != n {
		return 0, p.badTrailer(p.off, blockSHB, n, last)
	}
	// 1.2 was written by some and is to be read as 1.0.
	if major, minor := p.u16(b[12:]), p.u16(b[14:]); major != 1 || minor != 0 && minor != 2 {
		return 0, p.fail(p.off, "convert it with: editcap in out",
			"pcapng version %d.%d is not supported, only 1.0 is", major, minor)
	}
	for opts, off := b[24:n-4], p.off+24; ; {
		o, err := p.option(&opts, &off)
		if err != nil {
			return 0, err
		}
		if o.code == 0 {
			break
		}
		p.tally.option(ownerSHB, o.code)
	}
	p.base = len(p.ifaces)
	p.off += int64(n)
	return int(n), nil
}

// interfaceDescription takes an Interface Description Block:
//
//	link type u16, reserved u16, snaplen u32, options
func (p *Parser) interfaceDescription(b []byte, n uint32) error {
	if n < idbMinLen {
		return p.badLength(blockIDB, n, idbMinLen)
	}
	if n > MaxBlock {
		return p.bigBlock(blockIDB, n)
	}
	if int(n) > len(b) {
		return p.short(int(n))
	}
	if last := p.u32(b[n-4:]); last != n {
		return p.badTrailer(p.off, blockIDB, n, last)
	}
	if len(p.ifaces) >= MaxInterfaces {
		return p.fail(p.off, "append fewer captures to one file", "more than %d interfaces", MaxInterfaces)
	}
	it := Interface{LinkType: uint32(p.u16(b[8:])), SnapLen: p.u32(b[12:]), Resolution: Micro}
	if err := p.interfaceOptions(b[16:n-4], p.off+16, &it); err != nil {
		return err
	}
	p.ifaces = append(p.ifaces, it)
	p.clocks = append(p.clocks, newClock(it.Resolution, it.TSOffset))
	p.off += int64(n)
	return nil
}

// skipBlock passes over what is there of the block begun, and counts it once it
// is whole.
func (p *Parser) skipBlock(b []byte) (int, error) {
	const trailer = 4
	body := p.skip - trailer
	if uint64(body) > uint64(len(b)) {
		p.skip -= uint32(len(b))
		p.off += int64(len(b))
		return len(b), p.short(1)
	}
	n := int(body)
	p.skip = trailer
	p.off += int64(n)
	if len(b)-n < trailer {
		return n, p.short(trailer)
	}
	if last := p.u32(b[n:]); last != p.skipLen {
		return n, p.badTrailer(p.skipOff, p.skipTyp, p.skipLen, last)
	}
	p.skip = 0
	p.off += trailer
	p.tally.block(p.skipTyp)
	return n + trailer, nil
}

func (p *Parser) badLength(typ, n, least uint32) error {
	return p.fail(p.off, damaged, "%s: block length %d, which must be at least %d and a multiple of 4",
		blockName(typ), n, least)
}

func (p *Parser) bigBlock(typ, n uint32) error {
	return p.fail(p.off, "a block as long as that is mostly options: editcap -F pcap in out drops them",
		"%s: block length %d is over the limit of %d", blockName(typ), n, MaxBlock)
}

func (p *Parser) badTrailer(off int64, typ, n, last uint32) error {
	return p.fail(off, damaged, "%s: block length %d at its start, %d at its end", blockName(typ), n, last)
}
