// Pinning: a side of a run that has a core for itself stays on it, so that the figure is not that of
// the system's moving it about.

package perf

import (
	"fmt"
	"runtime"
)

// Pinning says how the sides of a run are spread over cores, for reports.
func Pinning() string {
	if len(cores) == 0 {
		return "threads are not pinned: this system has no call for it"
	}
	return fmt.Sprintf("works of up to %d goroutines have a pinned thread for each, on cores %v; others run as the scheduler likes", len(cores), cores)
}

// pin locks the calling goroutine to its thread and the thread to the i-th core that the process may use, and
// returns what undoes both.
func pin(i int) (undo func()) {
	runtime.LockOSThread()
	restore := setCore(i)
	return func() {
		restore()
		runtime.UnlockOSThread()
	}
}
