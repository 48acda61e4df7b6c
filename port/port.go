// The interface of a port.

package port

import (
	"context"
	"errors"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/stats"
)

// Port is one attachment to a network, a file or another program: frames in bursts,
// in and out.
//
// At most one goroutine calls Rx and WaitRx at a time, and at most one Tx and WaitTx. Stats,
// Info and Close are for any goroutine at any time.
type Port interface {
	// Rx receives up to len(bufs) frames into bufs and returns how many. The caller owns
	// them. It never blocks: 0 and no error means that there is nothing now, or no buffer
	// to put it into. The error is io.EOF when there will never be more, ErrClosed after
	// Close, and otherwise what is wrong with the port; frames that came with it count.
	Rx(bufs []pool.Buffer) (n int, err error)

	// Tx takes ownership of bufs[:n]: each of these frames was sent, or queued to be, or
	// dropped for a reason that it counted. A frame that can never be sent is dropped so.
	// It never blocks: fewer than len(bufs) and no error means that the port takes no more
	// now. An error concerns the port, never a frame.
	Tx(bufs []pool.Buffer) (n int, err error)

	// WaitRx sleeps until Rx has something to say: frames, io.EOF or an error. It may
	// return early for no reason. The error is ctx.Err() once ctx is done, or ErrClosed.
	WaitRx(ctx context.Context) error

	// WaitTx sleeps until Tx can take a frame or has an error to return, as WaitRx does.
	WaitTx(ctx context.Context) error

	// Stats returns what the port has received, sent and dropped since it was opened.
	Stats() stats.Snapshot

	// Info tells what the port is and can do. It may change while the port runs.
	Info() Info

	// Close ends the port: waiting calls return, later calls get ErrClosed. What Tx has
	// taken and queued is sent first if that needs no waiting for others (a file is written
	// out), and otherwise counted as dropped; the error says what could not be. Resources are
	// given back when the last call inside has returned. Closing again returns nil.
	Close() error
}

// Queuer is a Port whose Tx queues frames that are sent later, so that they are neither sent
// nor dropped for a while.
type Queuer interface {
	Port
	// Queued returns how many frames that is. It is 0 after Close. Any goroutine may ask.
	Queued() int
	// Drain sleeps until there are none. The error is ctx.Err() once ctx is done, or what is
	// wrong with the port. It is for whoever calls Tx.
	Drain(ctx context.Context) error
}

// Listener makes a Port of each client that comes.
type Listener interface {
	// Accept sleeps until the next client is there, and returns its port: open until it is closed, and at io.EOF
	// when the client has gone. The error is ctx.Err() once ctx is done, ErrClosed after Close, or what is
	// wrong with the listener. One goroutine calls it at a time.
	Accept(ctx context.Context) (Port, error)
	// Info describes the listener; MTU and Offloads are those of its ports.
	Info() Info
	// Close ends Accept, and leaves ports open. Closing again returns nil.
	Close() error
}

// Info is what a port says about itself.
type Info struct {
	Name string // as it was opened, or the name= key
	Kind string // "pcap", "gen" …

	// Live is true for a source that can't be held back: what it has no room for is lost. A
	// file or a generator waits instead.
	Live bool

	// LinkType is the link type (LINKTYPE_ of tcpdump.org) of frames received, as far as it
	// is known: 1, Ethernet, for most. 0 is not known yet.
	LinkType uint16
	// AnyLinkType is true for a port that takes frames of any link type.
	AnyLinkType bool

	// MTU is the longest frame in bytes, its link header included, that Tx can send.
	MTU int

	// Offloads are what Tx leaves to others. What isn't among them, the port does itself, in software.
	Offloads Offloads

	// Mode tells how the port works here, and why not in a better way.
	Mode string

	// Warnings are what its user should know at once. One sentence each.
	Warnings []string

	// Notes are what its user should know at the end: what of the source was not carried,
	// say. One sentence each.
	Notes []string

	// Done and Total are how far a source of known size is, in bytes. Total is 0 for others.
	Done, Total int64
}

// LinkTypeEthernet is the link type of Ethernet frames.
const LinkTypeEthernet = 1

var (
	// ErrClosed is returned by a port that was closed.
	ErrClosed = errors.New("port is closed")
	// ErrDirection is returned by Rx of a port that only sends, and by Tx of one that
	// only receives.
	ErrDirection = errors.New("port does not work in this direction")
	// ErrNoPool says that Options has no Pool.
	ErrNoPool = errors.New("no pool to open a port with")
)
