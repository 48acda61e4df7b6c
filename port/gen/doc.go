// Package gen is the port "gen:", a source of synthetic frames: Ethernet, IPv4 or
// IPv6, UDP, all checksums right, at a rate or as fast as they are taken.
//
//	gen:                                   60-byte frames, as fast as they are taken
//	gen:size=1514,rate=10kpps,count=1000   a thousand of them, ten thousand a second
//	gen:size=imix,rate=1Gbit/s             the mix of sizes that equipment is tested with
//	gen:size=60x7+590x4+1514x1             the same, written out
//	gen:flows=1000,vlan=7,ip=6             IPv6 in VLAN 7, a thousand 5-tuples
//
// Sizes are those of frames in buffers: Ethernet header to the end of the payload, without
// the 4 bytes of the frame check sequence that a network adds. A mix lists sizes with
// weights, joined by +. Each frame's size is drawn at random with these weights; imix is
// 60x7+590x4+1514x1 (64, 594 and 1518 bytes with the check sequence), or with the
// shortest possible frame (74 bytes with IPv6, 78 with a VLAN tag too) in place of 60 bytes.
//
// Frames of all flows come in turn: frame n has flow n modulo flows. A flow is one source
// port of 49152 to 65535, and from the 16385th flow on also a source address of its own. Addresses
// are of the blocks for benchmarks: 198.18.0.0/15 (RFC 2544) and 2001:2::/48 (RFC 5180).
//
// The payload begins with Magic and the frame's number from 0, eight bytes with the
// most significant first, by which a receiver finds losses and reordering: see
// Sequence. Bytes from the seed follow. A frame depends on its number, on the seed and on the other
// keys alone: the same string gives the same frames in the same order, however they are
// taken.
//
// With a rate, frame n is due at a time that is computed from the first frame's, so what timers
// are late by does not add up; frames that are due when Rx is called come at once. A
// source that was not asked for more than a second goes on from there, instead of
// making up for it. Without a rate, or when the pool has no buffers, it is held back:
// nothing is dropped.
//
// Frames longer than the pool's buffers go by way of the heap, one allocation each, and are
// counted as such in the pool's Stats.
package gen
