// Package udp is the port "udp:LOCAL>REMOTE": each frame is the payload of a UDP datagram, as it is, without a header of
// its own. It makes a tunnel between two Ringways, and is a plain way to hand frames to other programs and back in tests.
//
//	udp:0.0.0.0:7000>192.0.2.1:7000
//	udp:>[2001:db8::1]:7000          // a local port that is free
//
// Only datagrams from REMOTE are received. There is no encryption, and no handshake: until the other end is there, its
// host tells so (ICMP), and the frame that meets this news is dropped as link_down; those before it were sent. Loss and reordering are those of
// the network between.
//
// Frames of any link type pass. Those received are said to be Ethernet, or IP packets with link=raw: that is for a tun port
// at the other side of the forwarder.
//
// A frame may be as long as the path's MTU, less 28 bytes of headers (48 with IPv6), and datagrams are sent with
// don't-fragment (on Linux). The key mtu sets another limit; if that is more than the path takes, IP cuts up what is longer,
// which is slow, and loses a frame with each of its pieces. A frame that is too long is dropped as too_long. An empty frame, or an empty datagram,
// is dropped as too_short. Offloads are done in software: what is sent is finished.
//
// On Linux, runs of frames of equal length are sent as one (UDP_SEGMENT), and received so (UDP_GRO) if there is a pool of large
// buffers. Frames of such a run share a buffer. A run that the
// socket's buffer had no room for counts as one frame dropped (ring_full): the system does not tell how many it was.
package udp
