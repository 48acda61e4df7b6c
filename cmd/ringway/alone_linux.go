package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// alone calls f in a network namespace of its own, where nothing that it tries meets what is there; in the one that we
// are in if we may not make one.
func alone(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and it is not unlocked: the thread ends with the goroutine, and the namespace with it
		_ = unix.Unshare(unix.CLONE_NEWNET)
		f()
	}()
	<-done
}
