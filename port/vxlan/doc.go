// Package vxlan is the port "vxlan:PEER[,PEER…],vni=N": an Ethernet network over UDP, as RFC 7348 has it. Its peers are
// other Ringways, the Linux kernel's vxlan device, Open vSwitch, or any fabric that speaks VXLAN: this is how a network outgrows one
// machine.
//
//	vxlan:192.0.2.7,vni=7
//	vxlan:192.0.2.7,192.0.2.8,192.0.2.9,vni=7,local=192.0.2.1
//
// The port is one attachment to a network that its peers are all attached to. What it is given to send goes to the peer
// behind which the destination's address was seen last, and to all of them if that is unknown, or a broadcast or
// multicast: each gets a copy, and all copies together count as one frame sent, if one of them was. What comes from a peer is received, and never
// sent on to another peer by the port (split horizon): each of the attached machines has all the others as peers.
// Addresses are learnt from what comes in, forgotten after a while (age), and follow a machine that moves; the
// table has room for 16384, and the oldest makes room if need be. With one peer there is nothing to learn.
//
// Received are datagrams at port 4789 (key port) from the peers' addresses, from whatever port of theirs. Dropped are, and counted:
// what strangers send, and other networks' frames (filtered), what has no header or no Ethernet frame (too_short), and a header without a
// valid network number (malformed). Reserved bits are not looked at, as the RFC wants it. Datagrams without a checksum
// are welcome, over IPv6 too (RFC 6935; Linux only): the frame inside has its own. Sent ones have one.
//
// Sent are datagrams from 16 ports (key sport): the same one for all frames of a flow, so that networks with
// several ways spread flows over them and keep the order in each. Peers are all IPv4 or all IPv6; names are looked up once.
//
// A frame may be as long as the underlay takes without fragments: its MTU less 36 bytes for IPv4 (56 for IPv6), so with 1500 an
// inner MTU of 1450 (1430), which what is attached has to be set to. Longer ones are dropped as too_long. Offloads are done in
// software: frames are sent finished. In the other direction a kernel on the same machine may hand over
// frames whose checksum was left undone, and large ones that were not cut yet: the former are recognised by their
// checksum, the latter by their length, and both are marked, for the next port to finish or pass on. How long the segments of a large
// one are to be can't be told from it: as long as its network takes, 1500 bytes of IP packet at most, or as the key mtu says.
//
// On Linux, runs of frames of equal length go to the kernel as one (UDP_SEGMENT), and come so (UDP_GRO) if there is a pool of large
// buffers: frames of such a run share a buffer. A run that the
// socket's buffer had no room for counts as one frame dropped (ring_full): the system does not tell how many it was.
package vxlan
