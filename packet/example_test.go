package packet_test

import (
	"fmt"
	"net/netip"

	"github.com/ringway-net/ringway/packet"
)

// frame is what a port might have received.
func frame(src, dst string) []byte {
	buf := make([]byte, 256)
	n, err := packet.PutUDP(buf, &packet.UDPSpec{
		DstMAC: packet.MAC{2, 0, 0, 0, 0, 1},
		SrcMAC: packet.MAC{2, 0, 0, 0, 0, 2},
		VLANs:  [2]packet.VLAN{packet.NewVLAN(100, 3)},
		Src:    netip.MustParseAddrPort(src),
		Dst:    netip.MustParseAddrPort(dst),
	}, []byte("hello"))
	if err != nil {
		panic(err)
	}
	return buf[:n]
}

func ExampleParse() {
	f := frame("10.0.0.1:5353", "10.0.0.2:53")
	h := packet.Parse(f)
	if h.Status != packet.OK {
		fmt.Println(h.Status, "at", h.Layer)
		return
	}
	fmt.Println("vlan", h.VLANs[0].ID(), "priority", h.VLANs[0].Priority())
	fmt.Println(h.Src(f), h.SrcPort, "to", h.Dst(f), h.DstPort)
	fmt.Println("TTL", packet.IPv4(f[h.L3:]).TTL())
	fmt.Printf("%s\n", f[h.Payload:h.End])
	// Output:
	// vlan 100 priority 3
	// 10.0.0.1 5353 to 10.0.0.2 53
	// TTL 64
	// hello
}

func ExampleSymmetricFlowHash() {
	request := frame("[fd00::1]:40000", "[fd00::2]:53")
	answer := frame("[fd00::2]:53", "[fd00::1]:40000")

	// One of four workers sees both directions of the flow. The multiplication takes
	// the hash to 0..3 without a division.
	worker := func(f []byte) uint64 { return uint64(packet.SymmetricFlowHash(f)) * 4 >> 32 }
	fmt.Println(worker(request) == worker(answer))
	// Output: true
}

func ExampleUpdateChecksum() {
	f := frame("10.0.0.1:1", "10.0.0.2:2")
	h := packet.Parse(f)
	ip := packet.IPv4(f[h.L3:])

	// A router takes one off the TTL, which shares a 16-bit word with the protocol.
	old := uint16(ip[8])<<8 | uint16(ip[9])
	sum := packet.UpdateChecksum(ip.Checksum(), old, old-1<<8)
	ip[8]--
	ip[10], ip[11] = byte(sum>>8), byte(sum)
	fmt.Println(ip.TTL(), ip.ChecksumOK())
	// Output: 63 true
}

func ExampleSegmenter() {
	// A large datagram, as from a virtio device: 25 bytes, to be sent by tens.
	buf := make([]byte, 256)
	n, err := packet.PutUDP(buf, &packet.UDPSpec{
		Src: netip.MustParseAddrPort("10.0.0.1:1000"),
		Dst: netip.MustParseAddrPort("10.0.0.2:53"),
	}, []byte("one datagram or three now"))
	if err != nil {
		panic(err)
	}

	var s packet.Segmenter // one for all frames
	if err := s.Reset(buf[:n], packet.EthernetLen, packet.SegmentUDP, 10); err != nil {
		fmt.Println(err)
		return
	}
	dst := make([]byte, s.MaxLen())
	for i := range s.Count() {
		f := dst[:s.Put(dst, i)]
		h := packet.Parse(f)
		ip := packet.IPv4(f[h.L3:])
		fmt.Printf("ID %d, %d bytes: %q %v\n", ip.ID(), ip.TotalLen(), f[h.Payload:h.End], ip.ChecksumOK())
	}
	// Output:
	// ID 0, 38 bytes: "one datagr" true
	// ID 1, 38 bytes: "am or thre" true
	// ID 2, 33 bytes: "e now" true
}

func ExamplePartialChecksum() {
	f := frame("10.0.0.1:1000", "10.0.0.2:53")
	h := packet.Parse(f)
	udp := f[h.L4:h.End]
	right := packet.UDP(udp).Checksum()

	// A sender that leaves the checksum to hardware has written the sum of the pseudo header.
	sum := packet.IPv4(f[h.L3:]).PseudoSum(packet.ProtoUDP, uint32(len(udp)))
	udp[6], udp[7] = byte(sum>>8), byte(sum)

	if start, offset, ok := h.PartialChecksum(f); ok {
		if err := packet.FinishChecksum(f, start, offset); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(packet.UDP(udp).Checksum() == right)
	// Output: true
}
