// FlowHash: one number for all frames of a flow.
//
// The mixing step is the folded multiplication of wyhash by Wang Yi (public
// domain, github.com/wangyi-fudan/wyhash): multiply two 64-bit words to 128 bits and
// xor the halves. The constants are fractional parts of square roots of primes, as
// in SHA-512: nothing up the sleeve.

package packet

import "math/bits"

const (
	hashA = 0x6a09e667f3bcc908 // of 2
	hashB = 0xbb67ae8584caa73b // of 3
	hashC = 0x3c6ef372fe94f82b // of 5
	hashD = 0xa54ff53a5f1d36f1 // of 7
)

// FlowHash is a number that all frames of one flow share and that is spread evenly
// over 32 bits for different ones; every bit is as good as any other. What counts:
//
//   - TCP, UDP, SCTP: addresses, protocol, ports.
//   - Other IP, and headers that were cut off before the ports: addresses, protocol.
//   - Fragments, the first one too: addresses and protocol, so that all of a
//     datagram hash alike. Of IPv6 fragments only the addresses, since what the
//     protocol is stands in the first alone. Note that a flow whose datagrams are
//     fragmented now and then gets two numbers.
//   - Anything else: MAC addresses and EtherType.
//   - Less than an Ethernet header: 0.
//
// VLAN tags, flow label and TOS don't count. The two directions of a flow differ;
// see SymmetricFlowHash.
//
// The result is the same on every architecture and in every process, and stays so
// within a major version of this module. It is no defence against senders that choose
// addresses to make hashes collide.
func FlowHash(frame []byte) uint32 {
	var h Headers
	h.Parse(frame)
	return h.hash(frame, hashA, false)
}

// SymmetricFlowHash is FlowHash with a number that both directions of a flow share:
// source and destination may change places. Its numbers are not those of FlowHash.
func SymmetricFlowHash(frame []byte) uint32 {
	var h Headers
	h.Parse(frame)
	return h.hash(frame, hashD, true)
}

// FlowHash is what the function FlowHash gives for the frame that h was parsed
// from, without parsing it again. After ParseIP, a packet that is not IP gives 0.
// With another frame the result means nothing.
func (h *Headers) FlowHash(frame []byte) uint32 { return h.hash(frame, hashA, false) }

// SymmetricFlowHash is what the function SymmetricFlowHash gives for the frame that
// h was parsed from, without parsing it again. After ParseIP, a packet that is not
// IP gives 0. With another frame the result means nothing.
func (h *Headers) SymmetricFlowHash(frame []byte) uint32 { return h.hash(frame, hashD, true) }

// hash collects what counts and mixes it. Source and destination are 128-bit
// addresses and ports, in plain variables so that they stay in registers.
func (h *Headers) hash(frame []byte, seed uint64, symmetric bool) uint32 {
	var srcHi, srcLo, dstHi, dstLo uint64
	srcPort, dstPort := uint64(h.SrcPort), uint64(h.DstPort)
	if h.IsFragment() {
		srcPort, dstPort = 0, 0
	}
	// proto is below 1<<19: what kind of addresses these are, so that kinds never
	// meet, above 16 bits of protocol or type.
	var proto uint64
	b := frame[min(int(h.L3), len(frame)):]
	switch {
	case h.IPVersion == 4 && len(b) >= IPv4Len:
		srcLo, dstLo = uint64(be.Uint32(b[12:])), uint64(be.Uint32(b[16:]))
		proto = 4<<16 | uint64(h.Protocol)
		if h.IsFragment() {
			proto = 4<<16 | uint64(b[9]) // not what follows an AH: only the first knows that
		}
	case h.IPVersion == 6 && len(b) >= IPv6Len:
		srcHi, srcLo = be.Uint64(b[8:]), be.Uint64(b[16:])
		dstHi, dstLo = be.Uint64(b[24:]), be.Uint64(b[32:])
		proto = 6<<16 | uint64(h.Protocol)
		if h.IsFragment() {
			// The first fragment alone knows what follows the extension headers,
			// and RFC 8200 lets the others name another one.
			proto = 6<<16 | uint64(ProtoFragment)
		}
	case h.L3 >= EthernetLen && len(frame) >= EthernetLen:
		dstLo, srcLo = be.Uint64(frame)>>16, be.Uint64(frame[6:])>>16
		proto = 2<<16 | uint64(h.EtherType)
	default:
		return 0
	}
	// Both directions become the one whose source is the lower endpoint.
	if symmetric && (dstHi < srcHi || dstHi == srcHi &&
		(dstLo < srcLo || dstLo == srcLo && dstPort < srcPort)) {
		srcHi, srcLo, srcPort, dstHi, dstLo, dstPort = dstHi, dstLo, dstPort, srcHi, srcLo, srcPort
	}
	x := mix(srcLo^hashA, dstLo^hashB)
	if srcHi|dstHi != 0 {
		x ^= mix(srcHi^hashC, dstHi^hashD)
	}
	x = mix(x^seed, (proto<<32|srcPort<<16|dstPort)^hashC)
	x = mix(x^hashB, hashD) // or flows that differ in a port alone crowd
	return uint32(x ^ x>>32)
}

// mix is the folded multiplication.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
