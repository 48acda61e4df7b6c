//go:build linux

// CPU time of processes.

package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns the CPU time that all threads of a process have used, in user and in kernel mode, those that have ended too. It is the
// kernel's clock of the process, in nanoseconds, where /proc/PID/stat has hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(cpuClock(pid), &now); err != nil {
		return 0, fmt.Errorf("clock of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// cpuClock is what clock_getcpuclockid(3) makes of a process: its id, inverted, above three bits that ask for the scheduler's count
// (2) of a process (no 4).
func cpuClock(pid int) int32 { return int32(^pid<<3 | 2) }
