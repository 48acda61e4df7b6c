package machine

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// canPin reports whether this process may choose the CPUs of a thread: it asks for those that it has.
func canPin() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set unix.CPUSet
	return unix.SchedGetaffinity(0, &set) == nil && unix.SchedSetaffinity(0, &set) == nil
}
