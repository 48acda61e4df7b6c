// Package mmsg sends and receives many datagrams with one system call, where there is one (Linux: recvmmsg and
// sendmmsg), and one by one elsewhere. A datagram's bytes are in pieces of memory that its caller has.
package mmsg
