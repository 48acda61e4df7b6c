//go:build linux

// The XDP program: it parses a frame once, notes what it has found on its stack, and looks at that for
// each term of the filter. What matches goes to the socket of its queue, everything else to the kernel.

package afxdp

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Where the program notes what it has found, as offsets from its frame pointer. All have 32 bits, but for the
// addresses, which are in network order.
const (
	slotType     = -4
	slotVLAN     = -8
	slotProtocol = -12
	slotSource   = -16 // port
	slotDest     = -20 // port
	slotFamily   = -24 // of the addresses: 4, 6 or absent
	slotFrom     = -48 // address
	slotTo       = -64 // address
)

const (
	xdpPass       = 2 // XDP_PASS in linux/bpf.h
	maxExtensions = 4 // IPv6 extension headers that the program walks over
)

// spec returns the program for a filter. frags says that it can do with frames in several pieces.
func spec(f *Filter, sockets *ebpf.Map, frags bool) *ebpf.ProgramSpec {
	s := &ebpf.ProgramSpec{Name: "ringway", Type: ebpf.XDP, License: "MIT", Instructions: instructions(f, sockets.FD())}
	if frags {
		s.Flags = unix.BPF_F_XDP_HAS_FRAGS
	}
	return s
}

// instructions returns the program. R6 is the context, R7 the part of the frame that comes next, R8 its end.
func instructions(f *Filter, sockets int) asm.Instructions {
	c := coder{}
	c.add(asm.Mov.Reg(asm.R6, asm.R1))
	if f != nil && len(f.any) > 0 {
		c.parse()
		for _, group := range f.any {
			c.group(group)
		}
		c.label("pass")
		c.add(asm.Mov.Imm(asm.R0, xdpPass), asm.Return())
	}
	c.label("take")
	c.add(
		asm.LoadMem(asm.R2, asm.R6, 16, asm.Word), // rx_queue_index of struct xdp_md
		asm.LoadMapPtr(asm.R1, sockets),
		asm.Mov.Imm(asm.R3, xdpPass), // if the queue has no socket
		asm.FnRedirectMap.Call(),
		asm.Return(),
	)
	return c.code
}

// coder collects instructions.
type coder struct {
	code asm.Instructions
	next string // the label of the instruction that comes next
	made int    // labels
}

func (c *coder) add(all ...asm.Instruction) {
	for _, i := range all {
		if c.next != "" {
			i, c.next = i.WithSymbol(c.next), ""
		}
		c.code = append(c.code, i)
	}
}

// label names the instruction that comes next. If it has a name already, that one becomes a jump.
func (c *coder) label(name string) {
	if c.next != "" {
		c.add(asm.Ja.Label(name))
	}
	c.next = name
}

func (c *coder) newLabel() string {
	c.made++
	return fmt.Sprint("l", c.made)
}

// has goes on if there are n more bytes, and otherwise to a label.
func (c *coder) has(n int32, otherwise string) {
	c.add(
		asm.Mov.Reg(asm.R2, asm.R7),
		asm.Add.Imm(asm.R2, n),
		asm.JGT.Reg(asm.R2, asm.R8, otherwise),
	)
}

// load loads a number of the frame, in network order, into r.
func (c *coder) load(r asm.Register, at int16, size asm.Size) {
	c.add(asm.LoadMem(r, asm.R7, at, size))
	if size != asm.Byte {
		c.add(asm.HostTo(asm.BE, r, size))
	}
}

func (c *coder) note(slot int16, r asm.Register) {
	c.add(asm.StoreMem(asm.RFP, slot, r, asm.Word))
}

// copyAddress notes n bytes of the frame as they are.
func (c *coder) copyAddress(slot, at int16, n int) {
	size := asm.DWord
	if n == 4 {
		size = asm.Word
	}
	for i := 0; i < n; i += size.Sizeof() {
		c.add(
			asm.LoadMem(asm.R4, asm.R7, at+int16(i), size),
			asm.StoreMem(asm.RFP, slot+int16(i), asm.R4, size),
		)
	}
}

// parse notes what the frame has.
func (c *coder) parse() {
	c.add(asm.Mov.Imm32(asm.R2, -1))
	for _, slot := range []int16{slotType, slotVLAN, slotProtocol, slotSource, slotDest, slotFamily} {
		c.note(slot, asm.R2)
	}
	c.add(asm.Mov.Imm(asm.R2, 0))
	for slot := int16(slotTo); slot < slotFrom+16; slot += 8 {
		c.add(asm.StoreMem(asm.RFP, slot, asm.R2, asm.DWord))
	}
	c.add(
		asm.LoadMem(asm.R7, asm.R6, 0, asm.Word), // data
		asm.LoadMem(asm.R8, asm.R6, 4, asm.Word), // data_end
	)
	c.has(14, "pass")
	c.load(asm.R3, 12, asm.Half)
	c.add(asm.Add.Imm(asm.R7, 14))

	for tag := range 2 {
		is := c.newLabel()
		for _, tpid := range []int32{0x8100, 0x88a8, 0x9100} {
			c.add(asm.JEq.Imm(asm.R3, tpid, is))
		}
		c.add(asm.Ja.Label("untagged"))
		c.label(is)
		c.has(4, "untagged")
		if tag == 0 {
			c.load(asm.R4, 0, asm.Half)
			c.add(asm.And.Imm(asm.R4, 0xfff))
			c.note(slotVLAN, asm.R4)
		}
		c.load(asm.R3, 2, asm.Half)
		c.add(asm.Add.Imm(asm.R7, 4))
	}
	c.label("untagged")
	c.note(slotType, asm.R3)
	c.add(
		asm.JEq.Imm(asm.R3, 0x0800, "ip"),
		asm.JEq.Imm(asm.R3, 0x86dd, "ip6"),
		asm.JNE.Imm(asm.R3, 0x0806, "parsed"),
	)

	// ARP for IPv4 over Ethernet.
	c.has(28, "parsed")
	c.load(asm.R4, 0, asm.Word)
	c.add(asm.JNE.Imm32(asm.R4, 0x00010800, "parsed"))
	c.load(asm.R4, 4, asm.Half)
	c.add(asm.JNE.Imm(asm.R4, 0x0604, "parsed"))
	c.copyAddress(slotFrom, 14, 4)
	c.copyAddress(slotTo, 24, 4)
	c.add(asm.Mov.Imm(asm.R4, 4))
	c.note(slotFamily, asm.R4)
	c.add(asm.Ja.Label("parsed"))

	c.label("ip")
	c.has(20, "parsed")
	c.load(asm.R4, 0, asm.Byte)
	c.add(
		asm.Mov.Reg(asm.R5, asm.R4),
		asm.RSh.Imm(asm.R5, 4),
		asm.JNE.Imm(asm.R5, 4, "parsed"),
	)
	c.note(slotFamily, asm.R5)
	c.load(asm.R3, 9, asm.Byte)
	c.note(slotProtocol, asm.R3)
	c.add(asm.Mov.Reg(asm.R9, asm.R4))
	c.copyAddress(slotFrom, 12, 4)
	c.copyAddress(slotTo, 16, 4)
	c.load(asm.R4, 6, asm.Half)
	c.add(
		asm.And.Imm(asm.R4, 0x1fff), // of a later fragment
		asm.JNE.Imm(asm.R4, 0, "parsed"),
		asm.And.Imm(asm.R9, 0xf),
		asm.LSh.Imm(asm.R9, 2),
		asm.JLT.Imm(asm.R9, 20, "parsed"),
		asm.Add.Reg(asm.R7, asm.R9),
		asm.Ja.Label("transport"),
	)

	c.label("ip6")
	c.has(40, "parsed")
	c.load(asm.R3, 6, asm.Byte)
	c.copyAddress(slotFrom, 8, 16)
	c.copyAddress(slotTo, 24, 16)
	c.add(asm.Mov.Imm(asm.R4, 6))
	c.note(slotFamily, asm.R4)
	c.add(asm.Add.Imm(asm.R7, 40))
	for range maxExtensions {
		options, fragment, next := c.newLabel(), c.newLabel(), c.newLabel()
		for _, header := range []int32{0, 43, 60} { // hop by hop, routing, destination
			c.add(asm.JEq.Imm(asm.R3, header, options))
		}
		c.add(asm.JEq.Imm(asm.R3, 44, fragment), asm.Ja.Label("extended"))
		c.label(options)
		c.has(8, "extended")
		c.load(asm.R3, 0, asm.Byte)
		c.load(asm.R9, 1, asm.Byte)
		c.add(
			asm.Add.Imm(asm.R9, 1),
			asm.LSh.Imm(asm.R9, 3),
			asm.Add.Reg(asm.R7, asm.R9),
			asm.Ja.Label(next),
		)
		c.label(fragment)
		c.has(8, "extended")
		c.load(asm.R3, 0, asm.Byte)
		c.load(asm.R4, 2, asm.Half)
		c.add(
			asm.Add.Imm(asm.R7, 8),
			asm.RSh.Imm(asm.R4, 3),
		)
		c.note(slotProtocol, asm.R3)
		c.add(asm.JNE.Imm(asm.R4, 0, "parsed"))
		c.label(next)
	}
	c.label("extended")
	c.note(slotProtocol, asm.R3)

	c.label("transport")
	c.add(
		asm.JEq.Imm(asm.R3, 6, "ports"),
		asm.JEq.Imm(asm.R3, 17, "ports"),
		asm.JNE.Imm(asm.R3, 132, "parsed"),
	)
	c.label("ports")
	c.has(4, "parsed")
	c.load(asm.R4, 0, asm.Half)
	c.note(slotSource, asm.R4)
	c.load(asm.R4, 2, asm.Half)
	c.note(slotDest, asm.R4)
	c.label("parsed")
}

// group goes to "take" if all terms hold, and on otherwise.
func (c *coder) group(all []term) {
	otherwise := c.newLabel()
	for _, t := range all {
		holds := c.newLabel()
		for _, test := range t {
			c.test(test, holds)
		}
		c.add(asm.Ja.Label(otherwise))
		c.label(holds)
	}
	c.add(asm.Ja.Label("take"))
	c.label(otherwise)
}

// test goes to a label if t holds, and on otherwise.
func (c *coder) test(t test, holds string) {
	switch t.field {
	case fieldType:
		c.within(slotType, t, holds)
	case fieldVLAN:
		c.within(slotVLAN, t, holds)
	case fieldProtocol:
		c.within(slotProtocol, t, holds)
	case fieldPort:
		c.within(slotSource, t, holds)
		c.within(slotDest, t, holds)
	case fieldHost:
		c.host(t, holds)
	}
}

func (c *coder) within(slot int16, t test, holds string) {
	c.add(asm.LoadMem(asm.R2, asm.RFP, slot, asm.Word))
	if t.low == t.high {
		c.add(asm.JEq.Imm32(asm.R2, int32(t.low), holds))
		return
	}
	below := c.newLabel()
	c.add(
		asm.JLT.Imm32(asm.R2, int32(t.low), below),
		asm.JLE.Imm32(asm.R2, int32(t.high), holds),
	)
	c.label(below)
}

func (c *coder) host(t test, holds string) {
	otherwise := c.newLabel()
	family := int32(6)
	if t.prefix.Addr().Is4() {
		family = 4
	}
	c.add(
		asm.LoadMem(asm.R2, asm.RFP, slotFamily, asm.Word),
		asm.JNE.Imm32(asm.R2, family, otherwise),
	)
	for _, slot := range []int16{slotFrom, slotTo} {
		other := c.newLabel()
		if family == 4 {
			address := t.prefix.Addr().As4()
			c.add(
				asm.LoadMem(asm.R2, asm.RFP, slot, asm.Word),
				asm.And.Imm32(asm.R2, int32(binary.NativeEndian.Uint32(mask(t.prefix.Bits(), 4)))),
				asm.JEq.Imm32(asm.R2, int32(binary.NativeEndian.Uint32(address[:])), holds),
			)
		} else {
			address, mask := t.prefix.Addr().As16(), mask(t.prefix.Bits(), 16)
			for half := range 2 {
				at := 8 * half
				c.add(
					asm.LoadMem(asm.R2, asm.RFP, slot+int16(at), asm.DWord),
					asm.LoadImm(asm.R3, int64(binary.NativeEndian.Uint64(mask[at:])), asm.DWord),
					asm.And.Reg(asm.R2, asm.R3),
					asm.LoadImm(asm.R3, int64(binary.NativeEndian.Uint64(address[at:])), asm.DWord),
					asm.JNE.Reg(asm.R2, asm.R3, other),
				)
			}
			c.add(asm.Ja.Label(holds))
		}
		c.label(other)
	}
	c.label(otherwise)
}

// mask returns n bytes of which the first bits are set.
func mask(bits, n int) []byte {
	m := make([]byte, n)
	for i := range bits {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}
