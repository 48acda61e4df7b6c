//go:build unix

// Batch: a number of datagrams, and the memory of each.

package mmsg

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Batch is a number of messages on their way from or to a socket. It belongs to one goroutine at a time. The memory
// that Set names must stay where it is until the call of Recv or Send has returned: a Go heap's does, and a mapping does
// while it is mapped.
type Batch struct {
	pieces  int
	hdrs    []header
	iovs    []unix.Iovec
	names   []unix.RawSockaddrAny
	control []byte
	space   int // of control, for each message
}

// New makes a Batch of n messages, each of up to pieces pieces of memory and with space bytes of control messages; with
// names if the sockets are not connected.
func New(n, pieces, space int, names bool) *Batch {
	b := &Batch{
		pieces:  pieces,
		hdrs:    make([]header, n),
		iovs:    make([]unix.Iovec, n*pieces),
		control: make([]byte, n*space),
		space:   space,
	}
	if names {
		b.names = make([]unix.RawSockaddrAny, n)
	}
	for i := range b.hdrs {
		b.Reset(i)
	}
	return b
}

// Len returns how many messages there can be.
func (b *Batch) Len() int { return len(b.hdrs) }

// Reset makes message i one without memory, name and control.
func (b *Batch) Reset(i int) {
	h := &b.hdrs[i].Msghdr
	*h = unix.Msghdr{Iov: &b.iovs[i*b.pieces]}
	for k := range b.pieces {
		b.iovs[i*b.pieces+k] = unix.Iovec{}
	}
	h.SetIovlen(0)
}

// Set makes mem piece k of message i, which has k+1 pieces then. Pieces are set in order.
func (b *Batch) Set(i, k int, mem []byte) {
	v := &b.iovs[i*b.pieces+k]
	v.Base = unsafe.SliceData(mem)
	v.SetLen(len(mem))
	b.hdrs[i].SetIovlen(k + 1)
}

// Put makes mem piece k of all that the batch has, counted over its messages, and is for pieces that Join makes messages of.
func (b *Batch) Put(k int, mem []byte) {
	v := &b.iovs[k]
	v.Base = unsafe.SliceData(mem)
	v.SetLen(len(mem))
}

// Join makes pieces k to k+n-1 of all that the batch has, as Put counts them, message i. Two messages may share pieces.
func (b *Batch) Join(i, k, n int) {
	h := &b.hdrs[i].Msghdr
	h.Iov = &b.iovs[k]
	h.SetIovlen(n)
}

// receive prepares message i for being received: its name and control are written by the system.
func (b *Batch) receive(i int) {
	h := &b.hdrs[i].Msghdr
	if b.names != nil {
		h.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		h.Namelen = unix.SizeofSockaddrAny
	}
	if b.space > 0 {
		h.Control = &b.control[i*b.space]
		h.SetControllen(b.space)
	}
	h.Flags = 0
}

// Bytes returns how many bytes message i had, of those for which there was memory. With more, Truncated is true.
func (b *Batch) Bytes(i int) int { return b.hdrs[i].bytes() }

// Truncated reports whether message i was longer than its memory, or its control messages.
func (b *Batch) Truncated(i int) bool { return b.hdrs[i].Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 }

// Control returns the control messages that came with message i.
func (b *Batch) Control(i int) []byte {
	return b.control[i*b.space:][:b.hdrs[i].Controllen]
}

// SetControl returns n bytes for the control messages that go with message i, to be written by the caller; 0 is none.
func (b *Batch) SetControl(i, n int) []byte {
	h := &b.hdrs[i].Msghdr
	h.Control = nil
	h.SetControllen(n)
	if n == 0 {
		return nil
	}
	h.Control = &b.control[i*b.space]
	return b.control[i*b.space:][:n]
}

// Name returns the address that message i came from, as the system writes it, and its length in bytes.
func (b *Batch) Name(i int) (*unix.RawSockaddrAny, int) {
	return &b.names[i], int(b.hdrs[i].Namelen)
}

// SetName makes name, whose length is n bytes, the address to which message i goes. It is not copied.
func (b *Batch) SetName(i int, name *unix.RawSockaddrAny, n int) {
	b.hdrs[i].Name = (*byte)(unsafe.Pointer(name))
	b.hdrs[i].Namelen = uint32(n)
}

// WouldBlock reports whether err says that there is nothing to receive, or no room to send.
func WouldBlock(err error) bool {
	return errors.Is(err, unix.EAGAIN)
}
