// Package unixsock is the port "unix:PATH": frames over a Unix socket, as virtual machine monitors and user-space
// networks speak it (QEMU, vfkit, libkrun, gvproxy, passt). It is there on Linux, macOS and FreeBSD.
//
//	unix:/run/net.sock                      dials a datagram socket: one frame a datagram
//	unix:/run/net.sock,role=listen          is dialed, and serves one client after the other
//	unix:/tmp/passt.socket,type=stream      a stream: each frame behind its length, 4 bytes, big-endian
//	unix:/run/qemu.sock,local=/run/us.sock  both ends have a path of their own: QEMU's -netdev dgram
//	unix:/run/gvproxy.sock,hello=VFKT       says what gvproxy -listen-vfkit waits for
//
// Dial and Serve make these ports in Go. Listen (port.Listener) makes a port of each client: of a stream one per
// connection, of datagrams one per address that sends.
//
// # When peers come and go
//
// A datagram port that dials is open whether or not anybody is at PATH. While nobody is, frames are dropped as link_down; it
// connects as soon as there is somebody, and again when he is replaced by another process, within 2 seconds or with the
// next frame. A stream that dials needs a listener when it is opened, and ends with it: io.EOF from Rx, an error from Tx.
//
// A client of a listener has left when its connection ends, or when its datagram socket is closed, its path removed, or it was silent for the
// time that idle= says: its port ends with io.EOF. Whether a silent one is still there is looked after every 2 seconds, and when another
// one comes. A port that serves (role=listen) serves who came first until he leaves, then the next, whose frames wait meanwhile
// or are dropped as ring_full; without any client it drops what it is to send as link_down. Senders whose sockets have no address, or a relative
// one, are together one client of a listener, which can't be answered (link_down). A datagram "VFKT" is a greeting and no frame.
//
// # When a socket is full
//
// A socket that is full (EAGAIN, and ENOBUFS on macOS and FreeBSD) is tried again for the time that retry= says. From then on frames are dropped,
// as would_block or no_space, until there is room again. Neither is an error of the port. On Linux a datagram socket takes net.unix.max_dgram_qlen
// frames (10, by default) from senders to which it isn't connected: raise it (sysctl) where bursts are to be longer. Clients of one datagram listener share
// its send buffer: one that reads nothing for long can use it up for the others. Streams, or a path for each client, don't have that.
//
// The other way, a peer is held back while the port has no buffers; the port's Live is true all the same, so that who forwards from it drops where the way is full
// unless told otherwise (onfull=wait).
//
// # Frames
//
// They are Ethernet frames, of 14 bytes to mtu=, whose default is 65553: 65535 bytes of IP packet and a header with a tag. Others aren't sent, and dropped as
// too_short or too_long: peers end a connection over them. What is received may be up to port.LargeBufferSize long, if Options.Large has
// buffers for it; what has no room in a buffer is dropped as truncated. A stream that announces a frame of no bytes, or of
// more than that, is ended with an error. Frames leave finished: checksums complete, segments cut.
//
// # Files
//
// A socket's file has the mode 0600, or mode=, from its first moment. A file that is there already is replaced if it is a socket at which nobody listens, and
// otherwise left alone, which is an error. It is removed at Close, if it is still the same. "unix:@name" is Linux's abstract
// socket, which has no file and no permissions: everybody in the network namespace may connect. A datagram port that dials without local= makes
// a socket file for itself in the directory for temporary files.
package unixsock
