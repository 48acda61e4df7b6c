package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ringway-net/ringway/pool"
)

func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := p.Get()
	if err != nil { // pool.ErrExhausted: all are out
		fmt.Println(err)
		return
	}
	tail, _ := b.AppendUnzeroed(b.Tailroom()) // as a read from a socket would
	_ = b.SetLen(copy(tail, "payload"))
	header, _ := b.Prepend(4) // in the headroom: nothing is moved
	copy(header, "hdr:")
	fmt.Printf("%s\n", b.Bytes())
	b.Release()
	fmt.Println(p.Close())
	// Output:
	// hdr:payload
	// <nil>
}

// A worker has a Cache of its own and moves buffers in bursts.
func ExampleCache() {
	p, _ := pool.New(pool.Config{Count: 1024})
	defer p.Close()
	c := p.NewCache()
	defer c.Close()

	burst := make([]pool.Buffer, 64)
	n := c.GetBurst(burst)
	fmt.Println(n, "buffers for one atomic operation")
	c.PutBurst(burst[:n])
	// Output: 64 buffers for one atomic operation
}

// A frame that goes out of three ports is copied for none of them.
func ExampleBuffer_Retain() {
	p, _ := pool.New(pool.Config{})
	defer p.Close()
	frame, _ := p.CopyIn([]byte("broadcast"))
	ports := []string{"a", "b", "c"}
	frame.Retain(len(ports) - 1) // one owner is there already
	for _, port := range ports {
		fmt.Printf("%s sends %s\n", port, frame.Bytes())
		frame.Release() // the last one gives it back
	}
	fmt.Println(p.Stats().InUse, "in use")
	// Output:
	// a sends broadcast
	// b sends broadcast
	// c sends broadcast
	// 0 in use
}

// CopyIn finds room for a frame of any size; what is not in the pool is counted.
func ExamplePool_CopyIn() {
	p, _ := pool.New(pool.Config{})
	defer p.Close()
	small, _ := p.CopyIn(make([]byte, 60))
	jumbo, _ := p.CopyIn(make([]byte, 9000))
	fmt.Println(small.Len(), jumbo.Len(), "heap:", p.Stats().HeapFallbacks)
	p.PutBurst([]pool.Buffer{small, jumbo})
	// Output: 60 9000 heap: 1
}

// Wrap makes a buffer of bytes that are there already.
func ExamplePool_Wrap() {
	p, _ := pool.New(pool.Config{})
	defer p.Close()
	mine := []byte("a frame")
	b, _ := p.Wrap(mine)
	b.Bytes()[0] = 'A'
	fmt.Println(string(mine))
	b.Release()
	// Output: A frame
}

// GetContext waits for a buffer that somebody gives back.
func ExamplePool_GetContext() {
	p, _ := pool.New(pool.Config{Count: 1})
	defer p.Close()
	b, _ := p.Get()
	go b.Release()
	again, err := p.GetContext(context.Background())
	fmt.Println(again.Len(), err)

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = p.GetContext(ctx)
	fmt.Println(err)
	again.Release()
	// Output:
	// 0 <nil>
	// context deadline exceeded
}

// With Track, Close says where the buffers that are missing were taken.
func ExamplePool_Close() {
	p, _ := pool.New(pool.Config{Name: "frames", Track: 1})
	b, _ := p.Get()
	err := p.Close()
	var leak *pool.LeakError
	if errors.As(err, &leak) {
		fmt.Println(leak.Buffers, "out of", leak.Pool)
		fmt.Println("taken in this file:", strings.Contains(leak.Where[0], "example_test.go:"))
	}
	b.Release() // the memory was there until now
	fmt.Println(p.Close())
	// Output:
	// 1 out of frames
	// taken in this file: true
	// <nil>
}
