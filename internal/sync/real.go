//go:build !interleave

// Package sync has the locks and the one way to sleep that Ringway's own algorithms use: those of the
// standard library, and under the build tag interleave those that the explorer of
// schedules controls.
package sync

import "sync"

type (
	// Mutex is sync's.
	Mutex = sync.Mutex
	// Once is sync's.
	Once = sync.Once
	// Pool is sync's.
	Pool = sync.Pool
)

// Token is something that one goroutine gives and another one takes, once each: a channel of
// capacity 1.
type Token struct{ there chan struct{} }

// NewToken returns a Token that is not there yet.
func NewToken() Token { return Token{make(chan struct{}, 1)} }

// Give makes the token be there, which it must not be already.
func (k *Token) Give() { k.there <- struct{}{} }

// Take waits for the token and takes it, or until done is closed: it returns false then.
func (k *Token) Take(done <-chan struct{}) bool {
	select {
	case <-k.there:
		return true
	case <-done:
		return false
	}
}

// Len returns 1 if the token is there and 0 if not.
func (k *Token) Len() int { return len(k.there) }

// bodies uses the methods that the compiler can inline, as in package atomic.
func bodies(m *Mutex, o *Once) {
	m.Unlock()
	m.Lock()
	m.TryLock()
	o.Do(nil)
}

var _ = bodies
