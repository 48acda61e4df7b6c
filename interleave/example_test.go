package interleave_test

import (
	"fmt"

	"github.com/ringway-net/ringway/interleave"
)

// A counter that is read and written in two operations: the explorer finds the schedule in which one of
// two increments is lost.
func Example() {
	_, err := interleave.Check(interleave.Options{}, func(r *interleave.Run) {
		var counter interleave.Int64
		for range 2 {
			r.Go("adder", func() {
				counter.Store(counter.Load() + 1)
			})
		}
		r.After(func() {
			if n := counter.Load(); n != 2 {
				r.Errorf("the counter is %d, want 2", n)
			}
		})
	})
	fmt.Println(err.(*interleave.Failure).What)
	// Output: the counter is 1, want 2
}

// A flag publishes a message. Two schedules matter, and neither goes wrong: the reader finds the flag set at
// once, or looks before and spins until it changes.
func ExampleCheck() {
	result, err := interleave.Check(interleave.Options{}, func(r *interleave.Run) {
		var ready interleave.Bool
		var message string
		r.Go("writer", func() {
			message = "hello"
			interleave.Write(&message)
			ready.Store(true)
		})
		r.Go("reader", func() {
			for !ready.Load() {
				interleave.Yield()
			}
			interleave.Read(&message)
			if message != "hello" {
				r.Errorf("read %q", message)
			}
		})
	})
	fmt.Println(result.Schedules, err)
	// Output: 2 <nil>
}
