// Package mem is the port "mem:NAME": two ends in one process, and what one end sends
// the other receives. The first Open of a name makes one end, the second the other; Pair
// makes both. It joins two parts of a program, and in tests it plays a network that loses
// frames, delays them or fails.
//
// Frames pass as they are, by handle, without a copy: the receiver gets the very
// buffers that were sent, of whatever pool, and shared ones still shared. Frames of any link type and
// length pass.
//
// Between the ends there is a ring for each direction. When it is full Tx takes
// fewer frames, so a mem port holds its sender back and loses nothing, unless told
// to; Live is false for that reason. Settings of an end concern what it sends, except RxErrAt.
//
// Until the second end is there, Tx takes nothing. When an end is closed, the other
// one receives what is still on its way and then io.EOF, and what it sends is dropped as
// link_down. What the closed end had not received is dropped there as closed: at any time
// and whoever closes when, the frames that one end has sent are those that the other has
// received or dropped, and those in the ring. The name is free again once both ends, or the only one,
// are closed.
package mem
