package ring_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ringway-net/ringway/ring"
)

// Two goroutines, an end for each. The producer waits while the ring is full, the consumer while it is
// empty, and Close ends it.
func ExampleNewSPSC() {
	p, c, err := ring.NewSPSC[string](1000)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		defer p.Close()
		for _, v := range []string{"one", "two", "three"} {
			if p.Push(context.Background(), v) != nil {
				return // the consumer has closed its end
			}
		}
	}()
	for v := range c.All() {
		fmt.Println(v)
	}
	// Output:
	// one
	// two
	// three
}

// Bursts: as many as fit, published once.
func ExampleProducer_PushBurst() {
	p, c, _ := ring.NewSPSC[int](5)
	fmt.Println(p.PushBurst([]int{1, 2, 3, 4, 5, 6, 7}))
	dst := make([]int, 3)
	n := c.PopBurst(dst)
	fmt.Println(n, dst[:n], c.Len())
	// Output:
	// 5
	// 3 [1 2 3] 2
}

// In place: the producer writes into the ring's own slots, and the consumer reads them there. Both get
// two parts, the second for what goes around the end of the ring's memory.
func ExampleProducer_Reserve() {
	p, c, _ := ring.NewSPSC[[4]byte](8)

	a, b := p.Reserve(3)
	n := 0
	for _, part := range [][][4]byte{a, b} {
		for i := range part {
			copy(part[i][:], fmt.Sprintf("pkt%d", n))
			n++
		}
	}
	p.Commit(n)

	a, b = c.Peek(8)
	for _, part := range [][][4]byte{a, b} {
		for i := range part {
			fmt.Printf("%s\n", part[i])
		}
	}
	c.Advance(len(a) + len(b))
	// Output:
	// pkt0
	// pkt1
	// pkt2
}

// Several workers share one queue. Each item goes to one of them, and all of them end when the ring
// is closed and drained.
func ExampleNewMPMC() {
	jobs, err := ring.NewMPMC[int](64)
	if err != nil {
		fmt.Println(err)
		return
	}
	var sum atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for job := range jobs.All() {
				sum.Add(int64(job))
			}
		})
	}
	for job := range 1000 {
		if err := jobs.Push(context.Background(), job); err != nil {
			fmt.Println(err)
		}
	}
	jobs.Close()
	workers.Wait()
	fmt.Println(sum.Load())
	// Output: 499500
}

// A telemetry queue that never stops whoever is measured: when the reader is late, the oldest samples
// go, and are counted.
func ExampleMPMC_PushEvict() {
	samples, _ := ring.NewMPMC[int](3)
	lost := 0
	for sample := range 10 {
		samples.PushEvict(sample, func(int) { lost++ })
	}
	samples.Close()
	for sample := range samples.All() {
		fmt.Println(sample)
	}
	fmt.Println("lost", lost)
	// Output:
	// 7
	// 8
	// 9
	// lost 7
}

// All ends when the ring is closed and drained; whoever leaves the loop earlier finds the rest still there.
func ExampleConsumer_All() {
	p, c, _ := ring.NewSPSC[int](8)
	p.PushBulk([]int{1, 2, 3, 4})
	p.Close()
	for v := range c.All() {
		if v == 3 {
			break
		}
		fmt.Println(v)
	}
	fmt.Println("left:", c.Len())
	// Output:
	// 1
	// 2
	// left: 1
}

// A ring for requests and answers, where each one is waited for: an end that waits looks again without a pause.
func ExamplePatience() {
	requests, server, _ := ring.NewSPSC[int](16, ring.Patience(0))
	client, answers, _ := ring.NewSPSC[int](16, ring.Patience(0))
	go func() {
		for n := range server.All() {
			client.TryPush(n * n)
		}
	}()
	for n := range 3 {
		requests.TryPush(n)
		v, _ := answers.Pop(context.Background())
		fmt.Println(v)
	}
	requests.Close()
	// Output:
	// 0
	// 1
	// 4
}
