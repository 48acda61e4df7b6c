// How a pool is made: the configuration, its defaults and its limits.

package pool

import (
	"errors"
	"fmt"
	"math"
)

const (
	// DefaultCount is the number of buffers of a pool that doesn't say.
	DefaultCount = 8192
	// DefaultBufferSize is the room for a frame in bytes, behind the headroom.
	DefaultBufferSize = 2048
	// DefaultHeadroom is the room in bytes in front of a frame: enough for the headers
	// of a VXLAN tunnel over IPv6 with a VLAN tag (74 bytes) and then some.
	DefaultHeadroom = 128
	// DefaultHeapBuffers is how many buffers may be on the Go heap at a time.
	DefaultHeapBuffers = 1024

	// MaxPacketSize is the size of the largest IP packet, in bytes.
	MaxPacketSize = 65535
	// MaxFrame is the largest frame in bytes for which a buffer is made on the heap, the size
	// to which capture tools bound a packet. Larger ones are ErrTooLarge, unless they fit
	// the pool's own BufferSize.
	MaxFrame = 262144

	// None, as a Headroom or HeapBuffers, says none instead of the default.
	None = -1

	maxPools      = 255         // 8 bits of a handle; the first value is no pool's
	maxSlots      = 1<<24 - 1   // 24 bits of a handle, less one for "none" in a list
	maxBufferSize = 1<<24 - 128 // offsets in a handle have 24 bits
	maxHeadroom   = 1 << 16
	umemKernel    = 256 // bytes of each chunk that AF_XDP keeps for itself (XDP_PACKET_HEADROOM)
)

// Config says what a pool is made of. The zero Config is a good one: a field that is
// zero has its default. Sizes are in bytes.
type Config struct {
	// Name is used in errors and reports. Default "pool".
	Name string

	// Count is the number of buffers in the region, 1 to 16777215 less HeapBuffers.
	// Default DefaultCount.
	Count int

	// BufferSize is the room for a frame behind the headroom, 1 to 16777088 less Headroom.
	// Default DefaultBufferSize.
	BufferSize int

	// Headroom is the room in front of a frame that comes from Get, up to 65536,
	// or None. Default DefaultHeadroom.
	Headroom int

	// HeapBuffers bounds how many buffers may be on the Go heap at the same time: those of
	// CopyIn when the region is exhausted or the frame is larger than
	// BufferSize, and those of Wrap. Up to 8388607, or None, which forbids them. Default
	// DefaultHeapBuffers.
	HeapBuffers int

	// HugePages asks for huge pages. If there are none, the pool is made with
	// normal ones and Stats.Memory says why.
	HugePages bool

	// Prefault touches the whole region in New, so that no page fault comes later.
	Prefault bool

	// UMEM shapes the region so that AF_XDP takes it as it is: page-aligned, and
	// Headroom + BufferSize, the chunk, is 2048 or 4096. BufferSize is 2048 -
	// Headroom by default then. The kernel keeps 256 bytes of each chunk for itself,
	// behind the headroom, so BufferSize is more than that.
	UMEM bool

	// Track records the call stacks and the time at which a buffer is taken and given
	// back, of one in Track: 1 for all of them, 100 for a sample that
	// production can afford, 0 for none. Panics about misuse and leak reports name
	// those places, and Stats knows the oldest buffer that is out.
	Track int
}

// ErrConfig is wrapped by the error that New returns for a bad Config.
var ErrConfig = errors.New("bad configuration")

func bad(field string, value any, want string) error {
	return fmt.Errorf("pool: %w: Config.%s is %v, want %s", ErrConfig, field, value, want)
}

// withDefaults returns c with its defaults filled in, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		c.Name = "pool"
	}
	if c.Count == 0 {
		c.Count = DefaultCount
	}
	switch {
	case c.Headroom == 0:
		c.Headroom = DefaultHeadroom
	case c.Headroom == None:
		c.Headroom = 0
	case c.Headroom < 0 || c.Headroom > maxHeadroom:
		return c, bad("Headroom", c.Headroom, fmt.Sprintf("1 to %d, or None", maxHeadroom))
	}
	if c.BufferSize == 0 {
		c.BufferSize = DefaultBufferSize
		if c.UMEM {
			if limit := DefaultBufferSize - umemKernel; c.Headroom >= limit {
				return c, bad("Headroom", c.Headroom, fmt.Sprintf("less than %d with UMEM, or a BufferSize beside it", limit))
			}
			c.BufferSize -= c.Headroom
		}
	}
	switch {
	case c.HeapBuffers == 0:
		c.HeapBuffers = DefaultHeapBuffers
	case c.HeapBuffers == None:
		c.HeapBuffers = 0
	case c.HeapBuffers < 0 || c.HeapBuffers > maxSlots/2:
		return c, bad("HeapBuffers", c.HeapBuffers, fmt.Sprintf("1 to %d, or None", maxSlots/2))
	}
	if c.Count < 1 || c.Count > maxSlots-c.HeapBuffers {
		return c, bad("Count", c.Count, fmt.Sprintf("1 to %d", maxSlots-c.HeapBuffers))
	}
	if c.BufferSize < 1 || c.BufferSize > maxBufferSize-c.Headroom {
		return c, bad("BufferSize", c.BufferSize, fmt.Sprintf("1 to %d", maxBufferSize-c.Headroom))
	}
	if chunk := c.Headroom + c.BufferSize; c.UMEM && chunk != 2048 && chunk != 4096 {
		return c, bad("Headroom + BufferSize", chunk, "2048 or 4096 with UMEM")
	}
	if c.UMEM && c.BufferSize <= umemKernel {
		return c, bad("BufferSize", c.BufferSize, fmt.Sprintf("more than %d with UMEM, which the kernel keeps of each chunk", umemKernel))
	}
	if c.Track < 0 {
		return c, bad("Track", c.Track, "0 for none, or one in how many")
	}
	if int64(c.Count)*int64(c.stride()) > math.MaxInt {
		return c, bad("Count", c.Count, fmt.Sprintf("less: %d buffers of %d bytes do not fit the address space", c.Count, c.stride()))
	}
	return c, nil
}

// stride is the distance of two slots in the region: whole lines, so that two buffers never
// share one.
func (c Config) stride() int {
	const line = 64
	return (c.Headroom + c.BufferSize + line - 1) / line * line
}
