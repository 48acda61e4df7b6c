// Package fd puts descriptors that don't block into Go's netpoller: who waits for one costs no CPU and no thread.
package fd
