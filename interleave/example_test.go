package interleave_test

import (
	"fmt"

	"github.com/ringway-net/ringway/interleave"
)

// Two threads count, each by a Load and a Store: one of the counts can get lost.
func Example() {
	_, err := interleave.Check(interleave.Options{}, func(r *interleave.Run) {
		var count interleave.Uint32
		for _, name := range []string{"one", "two"} {
			r.Go(name, func() { count.Store(count.Load() + 1) })
		}
		r.After(func() {
			if n := count.Load(); n != 2 {
				r.Errorf("counted %d of 2", n)
			}
		})
	})
	failure := err.(*interleave.Failure)
	fmt.Println(failure.What)
	fmt.Println("schedule:", failure.Schedule)
	// Output:
	// counted 1 of 2
	// schedule: - 0 1*2 0
}

// With Add there is nothing to lose, in either order of the two.
func ExampleCheck() {
	result, err := interleave.Check(interleave.Options{}, func(r *interleave.Run) {
		var count interleave.Uint32
		for _, name := range []string{"one", "two"} {
			r.Go(name, func() { count.Add(1) })
		}
		r.After(func() {
			if n := count.Load(); n != 2 {
				r.Errorf("counted %d of 2", n)
			}
		})
	})
	fmt.Println(result.Schedules, "schedules:", err)
	// Output: 2 schedules: <nil>
}
