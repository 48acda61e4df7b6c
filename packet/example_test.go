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
