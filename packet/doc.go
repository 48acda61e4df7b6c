// Package packet reads and writes the headers of frames in place: Ethernet with
// VLAN tags, IPv4 and IPv6 with extension headers, TCP, UDP, ICMP, the ports of SCTP.
// It allocates nothing, keeps nothing, and no input makes it panic.
//
// There are two ways to look at a frame. Parse walks all headers once and gives
// a small value, Headers, with what a switch, filter or probe wants to know
// first: where each layer starts, VLAN tags, protocol, ports, TCP flags, whether
// it is a fragment, and where and why decoding ended if it ended early:
//
//	var h packet.Headers // one for all frames: its memory is used again
//	h.Parse(frame)
//	if h.Status == packet.OK && h.Protocol == packet.ProtoTCP {
//		payload := frame[h.Payload:h.End]
//	}
//
// The views (Ethernet, IPv4, IPv6, TCP, UDP, ICMP and others) are byte slices with
// methods, one for each field. Reading a field that lies beyond the end gives
// zero; Valid says whether the header is there in full. A view is a conversion:
//
//	ttl := packet.IPv4(frame[h.L3:]).TTL()
//
// FlowHash and SymmetricFlowHash give all frames of a flow the same number, to
// spread flows over queues or workers. Sum, Checksum and UpdateChecksum are the
// Internet checksum; PutUDP writes a whole UDP frame into a buffer.
//
// What a sender left to hardware can be done in software: Segmenter cuts a large TCP
// or UDP frame into those that a network takes, FinishChecksum completes a checksum
// of which only the pseudo header was summed, and PartialChecksum recognises one.
//
// Everything here works on network byte order with explicit loads, so results
// are the same on every architecture.
package packet
