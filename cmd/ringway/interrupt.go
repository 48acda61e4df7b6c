// Interrupts of a job.

package main

import "os"

// watch lets the first interrupt stop a job in order, and the second abort it. ended is closed
// by the caller when there is nothing to interrupt any more.
func watch(interrupts <-chan os.Signal, stop, abort func()) (interrupted func() bool, ended chan struct{}) {
	ended = make(chan struct{})
	first := make(chan struct{})
	go func() {
		select {
		case <-interrupts:
		case <-ended:
			return
		}
		close(first)
		stop()
		select {
		case <-interrupts:
		case <-ended:
			return
		}
		abort()
	}()
	return func() bool {
		select {
		case <-first:
			return true
		default:
			return false
		}
	}, ended
}
