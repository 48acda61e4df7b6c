package vswitch

import "golang.org/x/sys/unix"

// yield lets other threads have the processor that wait for it, and comes back at once if there are none. Those that a look is about, the
// stations, are threads of other programs as a rule, of which Go's scheduler knows nothing.
func yield() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
