// Classic pcap: a file header of 24 bytes, then a header of 16 bytes and the
// bytes of each frame.
//
//	file:   magic u32, major u16, minor u16, thiszone i32, sigfigs u32, snaplen u32, linktype u32
//	frame:  seconds u32, fraction u32, captured length u32, original length u32

package capfile

const (
	pcapHeaderLen = 24
	pcapRecordLen = 16
)

// pcapHeader takes the file header; the byte order is known.
func (p *Parser) pcapHeader(data []byte) (int, error) {
	if len(data) < pcapHeaderLen {
		return 0, p.short(pcapHeaderLen)
	}
	if major, minor := p.u16(data[4:]), p.u16(data[6:]); major != 2 || minor != 4 {
		return 0, p.fail(0, "convert it with: editcap -F pcap in out",
			"pcap version %d.%d is not supported, only 2.4 is", major, minor)
	}
	if p.u32(data[8:]) != 0 {
		p.tally.thiszone++
	}
	if p.u32(data[12:]) != 0 {
		p.tally.sigfigs++
	}
	it := Interface{SnapLen: p.u32(data[16:]), LinkType: p.u32(data[20:]), Resolution: Micro}
	if p.u32(data) == magicNano {
		p.nano = true
		it.Resolution = Nano
	}
	p.ifaces = []Interface{it}
	p.format = FormatPcap
	p.off = pcapHeaderLen
	return pcapHeaderLen, nil
}

// nextPcap decodes a frame.
func (p *Parser) nextPcap(data []byte, rec *Record) (int, error) {
	if len(data) < pcapRecordLen {
		return 0, p.short(pcapRecordLen)
	}
	caplen := p.u32(data[8:])
	if caplen > MaxFrame {
		return 0, p.tooLong(caplen)
	}
	n := pcapRecordLen + int(caplen)
	if n > len(data) {
		return 0, p.short(n)
	}
	// Neither sum nor product overflows: 2^32 seconds are 4.3e18 ns.
	frac := int64(p.u32(data[4:]))
	if !p.nano {
		frac *= 1000
	}
	rec.Data = data[pcapRecordLen:n:n]
	rec.TimeNS = int64(p.u32(data))*nsPerSec + frac
	rec.Offset = p.off
	rec.Interface = 0
	rec.OrigLen = p.u32(data[12:])
	rec.HasTime = true
	p.off += int64(n)
	p.frames++
	return n, nil
}
