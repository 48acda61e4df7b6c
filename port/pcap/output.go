// What is below the codec when a capture is written: the file or the stream, and the account of its bytes.

package pcap

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pieceSize is how much is written to a stream at a time: as much as a pipe holds, so that a
// reader that is slow, but reads, is seen to.
const pieceSize = 64 << 10

// regular is what is needed of a regular file: *os.File, or a test's.
type regular interface {
	io.WriteSeeker
	io.Closer
	Truncate(size int64) error
}

// output is where the codec writes to.
type output struct {
	file  string // for errors
	w     io.Writer
	owned bool // opened here, so closed here

	// accepted is how many bytes the system has taken.
	accepted atomic.Int64

	// unlocked is unlocked while a write may wait, nil for a regular file. It guards unread, which
	// says that Close has ended a write that waited too long, and gone, which says that it could not, and
	// that who comes back from there must touch nothing of the port any more.
	unlocked *sync.Mutex
	unread   bool
	gone     bool
}

// Write writes all of b, or returns how much it has and why no more.
func (o *output) Write(b []byte) (n int, err error) {
	if o.unlocked == nil {
		n, err = o.w.Write(b)
		n = max(0, min(n, len(b)))
		o.accepted.Add(int64(n))
		return n, bare(err)
	}
	for n < len(b) && err == nil {
		piece := b[n:min(len(b), n+pieceSize)]
		o.unlocked.Unlock()
		var k int
		k, err = o.w.Write(piece)
		o.unlocked.Lock()
		k = max(0, min(k, len(piece)))
		n += k
		o.accepted.Add(int64(k))
		switch {
		case o.gone:
			return n, errStopped
		case o.unread && err != nil:
			return n, errUnread
		case k < len(piece) && err == nil:
			err = io.ErrShortWrite
		}
	}
	return n, bare(err)
}

// cut takes the last excess bytes off a regular file.
func (o *output) cut(excess int64) error {
	f, ok := o.w.(regular)
	if !ok {
		return os.ErrInvalid
	}
	// Where the file ends, which is not what was accepted if somebody wrote to it before.
	end, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return cause(err)
	}
	return bare(f.Truncate(end - excess))
}

// interrupt makes a write that waits return, and reports whether it can. It ends a stream that has no
// deadlines by closing it, but not a file that is not the port's: whoever opened it may need it.
func (o *output) interrupt() bool {
	if f, ok := o.w.(writeDeadliner); ok && f.SetWriteDeadline(longAgo) == nil {
		return true
	}
	c, closer := o.w.(io.Closer)
	if _, file := o.w.(*os.File); file || !closer {
		return false
	}
	c.Close()
	return true
}

// resume undoes interrupt, for whoever goes on with a stream that isn't the port's.
func (o *output) resume() {
	if f, ok := o.w.(writeDeadliner); ok && !o.owned {
		f.SetWriteDeadline(time.Time{})
	}
}

// close closes what was opened here. Some file systems report only then that the disk is full.
func (o *output) close() error {
	if c, ok := o.w.(io.Closer); ok && o.owned {
		return bare(c.Close())
	}
	return nil
}
