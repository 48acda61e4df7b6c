//go:build unix

// decoder: frames out of a stream of bytes.

package unixsock

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// prefixSize is the size of a frame's length in front of it, in bytes; it is big-endian.
	prefixSize = 4
	// readSize is how much is read at a time, at most: a frame of any length, and a burst of usual ones.
	readSize = 128 << 10
)

// errFraming is wrapped by the errors about lengths that no frame has.
var errFraming = errors.New("the stream is out of step")

// decoder finds frames in a stream. What was read is in buf[from:to]. Its size is fixed: nothing that the other end says
// makes it larger.
type decoder struct {
	buf      []byte
	from, to int
}

// room returns where to read to: never nothing, if peek has returned no frame.
func (d *decoder) room() []byte {
	if d.buf == nil {
		d.buf = make([]byte, readSize)
	}
	if d.from > 0 { // less than a frame, once a read
		d.to = copy(d.buf, d.buf[d.from:d.to])
		d.from = 0
	}
	return d.buf[d.to:]
}

// add says that n bytes were read.
func (d *decoder) add(n int) { d.to += n }

// peek returns the next frame, valid until room is called, or nil if not all of it is there. The error wraps errFraming, and comes again
// and again.
func (d *decoder) peek() ([]byte, error) {
	have := d.buf[d.from:d.to]
	if len(have) < prefixSize {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(have)
	if n == 0 || n > MaxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes was announced, and 1 to %d is what there can be; does the other end speak frames with a length of 4 bytes in front?", errFraming, n, MaxFrame)
	}
	have = have[prefixSize:]
	if uint32(len(have)) < n {
		return nil, nil
	}
	return have[:n:n], nil
}

// skip takes out a frame of n bytes.
func (d *decoder) skip(n int) { d.from += prefixSize + n }

// rest returns how many bytes there are of a frame that peek doesn't have.
func (d *decoder) rest() int { return d.to - d.from }
