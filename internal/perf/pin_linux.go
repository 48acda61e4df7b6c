// Pinning on Linux.

package perf

import "golang.org/x/sys/unix"

// mask is the cores that the process may use, as it was started, and cores is the same as a list.
var mask, cores = affinity()

func affinity() (mask unix.CPUSet, cores []int) {
	if unix.SchedGetaffinity(0, &mask) != nil {
		return mask, nil
	}
	for i := 0; len(cores) < mask.Count(); i++ {
		if mask.IsSet(i) {
			cores = append(cores, i)
		}
	}
	return mask, cores
}

// setCore moves the calling thread to the i-th core and returns what gives it all cores back. If the
// system does not let it, it stays where it is: the figure is rougher then, not wrong.
func setCore(i int) (restore func()) {
	var one unix.CPUSet
	one.Set(cores[i])
	if unix.SchedSetaffinity(0, &one) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetaffinity(0, &mask) }
}
