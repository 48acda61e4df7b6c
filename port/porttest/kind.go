// Kind: what a kind tells the suite about itself.

package porttest

import (
	"math/rand/v2"
	"time"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// TB is the part of testing.TB that the suite and its kinds need.
type TB interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	// Errorf may be called from any goroutine, Fatalf from that of the check alone.
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// Kind describes a kind of port to the suite. Name, Does and Open are required.
type Kind struct {
	// Name is the name of the kind, as Info has it.
	Name string
	// Does is what ports of the kind can be opened for, and what is to be checked.
	Does port.Direction

	// Open opens a port as e wants it, and the other end of it. It calls t.Fatalf if it can't.
	Open func(t TB, e Env) *Link

	// String returns a port string without keys behind the target, that can be opened in direction d. It is
	// called anew for each port. Nil for ports without strings.
	String func(t TB, d port.Direction) string

	// UMEM says that the port's pool has to be made with pool.Config.UMEM.
	UMEM bool

	// Frame makes a frame of size bytes, number i of its check. Nil makes
	// Ethernet frames with EtherType 0x88b5 (IEEE 802, for local experiments) and random bytes.
	Frame func(r *rand.Rand, i, size int) []byte
	// MaxSize is the longest of those frames, in bytes. Default 1514, or the MTU if that is less.
	MaxSize int

	// Lossy is for ports that may lose frames on the way, not counted anywhere; what arrives
	// is checked then.
	Lossy bool
	// Unordered is for ports that don't keep the order of frames.
	Unordered bool
	// Ignore reports whether a frame that comes out at either end is not one of the suite's,
	// but another's: the kernel's own, say.
	Ignore func(frame []byte) bool

	// Patience is how long a check may take. Default a minute.
	Patience time.Duration
}

// Env is what a port is to be opened with.
type Env struct {
	// Options has all fields. Its Direction is one that Kind.Does has, or port.Both.
	Options port.Options
	// Other is a pool for what the other end needs, beside Options.Pool, which some checks exhaust.
	Other *pool.Pool
	// Frames are to be received by the port, first of all. A generator has frames of its own, as
	// many as these: see Link.Frames.
	Frames [][]byte
	// Idle says that the port should have nothing to receive after Frames for hours, and not come to its end
	// either.
	Idle bool
}

// Link is an open port and the other end of it. Functions that do not apply are nil.
type Link struct {
	Port port.Port

	// Frames are what the port will receive, if other than Env.Frames.
	Frames [][]byte
	// Ends says that io.EOF comes after these frames by itself. It is ignored if Env.Idle was
	// obeyed.
	Ends bool
	// Idles says that Env.Idle was obeyed. A port that has Feed need not say so.
	Idles bool
	// Feed makes frames come in. The port need not receive them before it returns.
	Feed func(frames [][]byte)
	// End makes an end of what comes in: io.EOF after what there is.
	End func()

	// Sent returns what has come out at the other end since it was last called, and waits a while for n frames
	// if they aren't there yet. Nil if nobody can tell.
	Sent func(n int) [][]byte
	// AfterClose says that Sent may be called after the port's Close only, and once.
	AfterClose bool
	// Fills is an upper bound of the number of frames after which Tx takes no more, as long as
	// Sent is not called. 0 for ports that always take frames.
	Fills int

	// Done ends the other end. It is called after the port's Close.
	Done func()
}

// Feed, End and Sent are each called from one goroutine at a time; Feed and Sent also at the same time.
