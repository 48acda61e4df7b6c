// Vector clocks: what happened before what.

package interleave

// MaxThreads is how many threads a program can have, timers among them.
const MaxThreads = 8

// clock says of each thread how many of its events happened before.
type clock [MaxThreads]uint32

func (c *clock) join(d *clock) {
	for i, n := range d {
		c[i] = max(c[i], n)
	}
}

// mask is a set of threads.
type mask uint16

func (m mask) has(t int8) bool { return m&(1<<t) != 0 }
func (m *mask) add(t int8)     { *m |= 1 << t }
