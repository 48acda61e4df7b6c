// What a capture holds: formats, interfaces and frames.

package capfile

import "strconv"

// Format is a kind of capture file.
type Format uint8

const (
	// FormatPcap is the classic format, with microseconds or nanoseconds.
	FormatPcap Format = iota + 1
	// FormatPcapNG is the block format that Wireshark writes.
	FormatPcapNG
)

// String returns "pcap", "pcapng", or "unknown" for the zero value.
func (f Format) String() string {
	switch f {
	case FormatPcap:
		return "pcap"
	case FormatPcapNG:
		return "pcapng"
	}
	return "unknown"
}

// Record is one frame of a capture.
type Record struct {
	// Data is what was captured of the frame. It points into the bytes that were
	// handed to Parser.Next, with its capacity cut to its length.
	Data []byte
	// TimeNS is when it was captured, in nanoseconds since 1970; 0 if !HasTime.
	TimeNS int64
	// Offset is where the frame's record or block begins in the stream.
	Offset int64
	// Interface is the index of its interface in Parser.Interfaces.
	Interface int
	// OrigLen is how long the frame was on the wire, as the file says. It may be
	// less than len(Data): some writers leave it out.
	OrigLen uint32
	// HasTime is false for the frames of Simple Packet Blocks.
	HasTime bool
}

// LinkTypeEthernet is the link type (LINKTYPE_ of tcpdump.org) of Ethernet.
const LinkTypeEthernet = 1

// Interface is where frames were captured. A classic file has one, without a name.
type Interface struct {
	Name        string
	Description string
	// LinkType is laid out as the last field of a classic header is: the link
	// type in the low 16 bits and, if bit 26 is set, the length of the frame
	// check sequence at the end of each frame, in 16-bit words, in the top four.
	// The if_fcslen option of pcapng is translated from and to it.
	LinkType uint32
	// SnapLen is the longest capture of a frame that the file announces; 0 is no
	// limit. Frames are not held to it.
	SnapLen uint32
	// Resolution is the unit of the timestamps in the file. Record.TimeNS is in
	// nanoseconds whatever it is.
	Resolution Resolution
	// TSOffset is added to the timestamps in the file (if_tsoffset), in seconds.
	// Record.TimeNS has it added already.
	TSOffset int64
}

// Link returns the link type without the frame check sequence's bits.
func (i Interface) Link() uint16 { return uint16(i.LinkType) }

// FCSLen returns how many bytes of each frame are the frame check sequence at
// its end, and whether the file says so.
func (i Interface) FCSLen() (n int, known bool) {
	if i.LinkType&fcsPresent == 0 {
		return 0, false
	}
	return int(i.LinkType>>28) * 2, true
}

// fcsPresent is the bit of LinkType that says that its top four count.
const fcsPresent = 1 << 26

// Resolution is the unit of timestamps as pcapng's if_tsresol has it: n for
// 10^-n seconds, or 0x80|n for 2^-n.
type Resolution uint8

const (
	// Micro is the resolution of classic files and the default of pcapng.
	Micro Resolution = 6
	// Nano is the resolution of nanosecond pcap files.
	Nano Resolution = 9
)

// Exponent returns n of 10^-n or 2^-n seconds.
func (r Resolution) Exponent() int { return int(r &^ 0x80) }

// Binary reports whether the unit is a power of two.
func (r Resolution) Binary() bool { return r&0x80 != 0 }

// String returns the unit, such as "10^-6 s".
func (r Resolution) String() string {
	base := "10^-"
	if r.Binary() {
		base = "2^-"
	}
	return base + strconv.Itoa(r.Exponent()) + " s"
}
