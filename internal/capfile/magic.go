// The first bytes of a file: what it is, and what to do if it is something else.

package capfile

import (
	"bytes"
	"encoding/binary"
)

const (
	magicLen = 4

	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d
	magicModified = 0xa1b2cd34 // Kuznetzov's: 24-byte frame headers
)

// start looks at the magic number and, for a classic file, takes its header. It
// returns how many bytes of data that was.
func (p *Parser) start(data []byte) (int, error) {
	if len(data) < magicLen {
		return 0, p.short(magicLen)
	}
	le, be := binary.LittleEndian.Uint32(data), binary.BigEndian.Uint32(data)
	switch {
	case le == blockSHB: // reads the same in both orders
		p.format = FormatPcapNG
		return 0, nil
	case le == magicMicro || le == magicNano:
	case be == magicMicro || be == magicNano:
		p.big = true
	case le == magicModified || be == magicModified:
		return 0, p.fail(0, "convert it with: editcap -F pcap in out",
			"a modified pcap file (magic number a1b2cd34, longer frame headers) is not supported")
	default:
		return 0, p.foreign(data)
	}
	return p.pcapHeader(data)
}

// foreign is the error for a file that is no capture, or another kind of one.
func (p *Parser) foreign(data []byte) error {
	const convert = "convert it with: editcap -F pcap in out"
	for _, f := range [...]struct{ magic, what, remedy string }{
		{"\x1f\x8b", "gzip", "unpack it: gzip -dc in"},
		{"\x28\xb5\x2f\xfd", "zstd", "unpack it: zstd -dc in"},
		{"\xfd7zX", "xz", "unpack it: xz -dc in"},
		{"BZh", "bzip2", "unpack it: bzip2 -dc in"},
		{"\x04\x22\x4d\x18", "lz4", "unpack it: lz4 -dc in"},
		{"PK\x03\x04", "zip", "unpack it"},
		{"snoo", "snoop", convert},
		{"RTSS", "Microsoft Network Monitor", convert},
		{"GMBU", "Microsoft Network Monitor", convert},
		{"XCP\x00", "NetXRay", convert},
		{"TRSN", "Sniffer", convert},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return p.fail(0, f.remedy, "a %s file, neither pcap nor pcapng", f.what)
		}
	}
	return p.fail(0, "if it is a capture of another kind, "+convert,
		"neither pcap nor pcapng: the file begins with % x", data[:magicLen])
}
