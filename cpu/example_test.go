package cpu_test

import (
	"fmt"
	"sync/atomic"

	"github.com/ringway-net/ringway/cpu"
)

// Two counters that two cores write: each on lines of its own.
func ExamplePadded() {
	var counters [2]cpu.Padded[atomic.Uint64]
	counters[0].Value.Add(1)
	counters[1].Value.Add(2)
	fmt.Println(counters[0].Value.Load(), counters[1].Value.Load())
	// Output: 1 2
}

func ExampleNextPowerOfTwo() {
	fmt.Println(cpu.NextPowerOfTwo(1000), cpu.IsPowerOfTwo(1000))
	// Output: 1024 false
}
