// Package afpacket is the port to a network interface by way of Linux's packet sockets (AF_PACKET): any interface, without
// a driver's help and without taking it away from the host.
//
//	afpacket:eth0
//	afpacket:eth0,fanout=7,rcvbuf=16M
//
// Frames come and go in bursts: those up to the MTU come by a ring that the kernel fills, larger ones by recvmmsg, and sendmmsg sends
// both straight out of the pool's buffers. With each goes a virtio_net_hdr, so that large segments and unfinished checksums, which is
// what a veth or a virtual machine's interface has nearly all of the time, stay as they are and are told.
//
// What the interface receives is received, whoever it is for (promiscuous), and what the host or this port sends by it is
// not. The host gets what comes in as well: give the interface no address, or it answers too.
//
// A tag of IEEE 802.1Q may come on top of the interface's MTU. For two tags, or one of 802.1ad, the interface's MTU has to be larger
// than that of the packets: the kernel refuses others, which is counted (too_long).
//
// It needs root, or CAP_NET_RAW, and CAP_NET_ADMIN for socket buffers beyond the system's limits. Linux 4.20 or later.
package afpacket
