// Package udpsock is what ports over UDP share: sockets opened as such a port needs them, frames sent as datagrams and
// received out of datagrams, many with one system call. On Linux, runs of datagrams of equal length pass through the
// kernel as one (UDP_SEGMENT on the way out, UDP_GRO on the way in). It is empty on systems that are no Unix.
package udpsock
