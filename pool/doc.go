// Package pool hands out packet buffers from memory that was allocated once,
// outside of the Go heap, and takes them back from any goroutine.
//
// A Buffer is a handle, a value of 16 bytes without a pointer, as a slice is a handle to
// an array: copy it, keep it in a ring, send it through a channel. It has one owner
// at a time, who gives it back with Release (or PutBurst, or a Cache's Put). Retain
// makes more owners; the last Release counts.
//
//	p, err := pool.New(pool.Config{})         // 8192 buffers of 2048 bytes
//	b, err := p.Get()                         // ErrExhausted when all are out
//	data, err := b.AppendUnzeroed(b.Tailroom())
//	n := copy(data, frame)                    // or a read from a socket
//	b.SetLen(n)
//	...
//	b.Release()
//
// A worker that moves many buffers has a Cache: its private stock, exchanged with
// the pool 64 at a time.
//
// Misuse of a handle is a bug in the program and panics, in every build: using or
// releasing it after it was given back, giving it to another pool, writing to a buffer that
// is shared. What can and can't be caught is said in docs/ownership.md.
//
// How it works: slots are numbered; each has a generation, odd while it is out,
// which a handle must match. Free slots lie in the Depot, in magazines of 64
// (Bonwick and Adams, "Magazines and Vmem", USENIX 2001) on stacks with tagged heads
// (Treiber 1986; the tag is IBM's against ABA), and slots that were never used
// behind a counter, so that memory is touched only once it is needed.
package pool
