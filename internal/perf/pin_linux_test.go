package perf

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A pinned thread may use one core, and all of them again afterwards.
func TestPin(t *testing.T) {
	if len(cores) == 0 {
		t.Fatal("no cores")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now := func() (set unix.CPUSet) {
		if err := unix.SchedGetaffinity(0, &set); err != nil {
			t.Fatal(err)
		}
		return set
	}
	for i, core := range cores {
		undo := pin(i)
		if set := now(); set.Count() != 1 || !set.IsSet(core) {
			t.Errorf("pinned to core %d: %v", core, set)
		}
		undo()
		if now() != mask {
			t.Errorf("after that: %v, want %v", now(), mask)
		}
	}
	if !strings.Contains(Pinning(), "pinned thread") {
		t.Error(Pinning())
	}
}
