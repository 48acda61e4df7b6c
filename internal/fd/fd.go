//go:build unix

// FD: a descriptor, and those who wait for it.

package fd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// FD is a descriptor for which one can wait in the netpoller. One goroutine at a time waits for reading and one for writing; Wake
// is for any. Who uses Num makes sure that Close is not called meanwhile.
type FD struct {
	num     int
	in, out side
}

// New makes an FD of descriptor num, which it makes non-blocking and owns from then on; if it fails, num is closed. What
// can't be waited for, such as a regular file, is an error. name is for messages.
func New(num int, name string) (*FD, error) {
	f := &FD{num: num}
	f.in.init(num, unix.POLLIN)
	f.out.init(num, unix.POLLOUT)
	err := unix.SetNonblock(num, true)
	if err == nil {
		err = f.in.open() // and out when it is first waited for: many never are
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.in.close(), unix.Close(num))
	}
	return f, nil
}

// Num returns the number, for system calls.
func (f *FD) Num() int { return f.num }

// WaitRead sleeps until there is something to read, an error to fetch, or Wake is called; the error is
// ctx.Err() once ctx is done.
func (f *FD) WaitRead(ctx context.Context) error { return f.in.sleep(ctx, time.Time{}) }

// WaitWrite sleeps until something can be written, as WaitRead does for reading.
func (f *FD) WaitWrite(ctx context.Context) error { return f.out.sleep(ctx, time.Time{}) }

// WaitReadUntil is WaitRead that returns nil at that time at the latest.
func (f *FD) WaitReadUntil(ctx context.Context, t time.Time) error { return f.in.sleep(ctx, t) }

// WaitWriteUntil is WaitWrite that returns nil at that time at the latest.
func (f *FD) WaitWriteUntil(ctx context.Context, t time.Time) error { return f.out.sleep(ctx, t) }

// Writable reports whether something can be written now, or there is an error to fetch.
func (f *FD) Writable() bool { return f.out.ready() }

// Mute with true lets what can be read no longer end a WaitRead that sleeps; with false it does again, at once if there is something. The
// next WaitRead is not muted. It may be called beside one, by one goroutine at a time, and not after Close. Where there is no way to, it
// does nothing.
func (f *FD) Mute(on bool) {
	if on {
		f.in.heard()
	} else if f.in.listen() != nil {
		f.in.nudge() // who can't be told looks for himself
	}
}

// Nudge ends a WaitRead that sleeps, muted or not, or else the next one. It is for any goroutine.
func (f *FD) Nudge() { f.in.nudge() }

// Wake ends all waits, those to come too.
func (f *FD) Wake() {
	f.in.wake()
	f.out.wake()
}

// Close closes the descriptor.
func (f *FD) Close() error {
	f.Wake()
	return errors.Join(f.in.close(), f.out.close(), unix.Close(f.num))
}

// side is one direction of an FD.
type side struct {
	num    int
	events int16
	look   func(uintptr) bool // made once, since it would be allocated at each wait
	looked bool

	// file is what is in the netpoller for the side, and watch its number: see watched.
	file        *os.File
	watch       int
	wait        func(func(uintptr) bool) error
	setDeadline func(time.Time) error

	// mu guards the four, woken and nudged, and that the deadline is the past if one of them is set, or if the context is done that is
	// watched.
	mu     sync.Mutex
	woken  bool
	nudged bool // and no wait has ended of it

	// For whoever waits: done is the channel of the context whose end is watched, which costs
	// something and so lasts for the next wait too; unwatch ends that, and ended is closed when the watcher has run.
	done    <-chan struct{}
	unwatch func() bool
	ended   chan struct{}
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

func (s *side) init(num int, events int16) {
	s.num, s.events = num, events
	s.look = func(uintptr) bool {
		// The netpoller tells of changes, and the last one may have come before it was asked.
		if s.looked {
			s.heard()
			return true
		}
		s.looked = true
		return s.ready() || s.listen() != nil
	}
}

// open puts the side into the netpoller, if it is not there yet.
func (s *side) open() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return nil
	}
	num, err := s.watched()
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(num, true); err != nil { // which makes it one for the netpoller
		return errors.Join(err, unix.Close(num))
	}
	file := os.NewFile(uintptr(num), "")
	raw, err := file.SyscallConn()
	if err == nil {
		err = file.SetDeadline(time.Time{}) // is it there?
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s.file, s.watch = file, num
	s.wait, s.setDeadline = raw.Read, file.SetReadDeadline
	if s.writes() {
		s.wait, s.setDeadline = raw.Write, file.SetWriteDeadline
	}
	if s.woken || s.nudged {
		s.deadline(past)
	}
	return nil
}

func (s *side) close() error {
	s.forget()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// deadline sets the time at which waits end. The caller holds mu.
func (s *side) deadline(t time.Time) {
	if s.file != nil {
		_ = s.setDeadline(t)
	}
}

// sleep waits until t, or without a limit if t is zero.
func (s *side) sleep(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	s.observe(ctx)
	if !t.IsZero() {
		s.limit(ctx, t)
		defer s.limit(ctx, time.Time{})
	}
	s.looked = false
	err := s.wait(s.look)
	if err := ctx.Err(); err != nil {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.heed(ctx)
		return nil // by wake or nudge, or it is time
	}
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// observe makes the end of ctx end the wait.
func (s *side) observe(ctx context.Context) {
	done := ctx.Done()
	if done == s.done {
		return
	}
	s.forget()
	if done == nil {
		return
	}
	ended := make(chan struct{})
	s.done, s.ended = done, ended
	s.unwatch = context.AfterFunc(ctx, func() {
		s.mu.Lock()
		s.deadline(past)
		s.mu.Unlock()
		close(ended)
	})
}

// limit makes t the deadline, unless it is over.
func (s *side) limit(ctx context.Context, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.woken && !s.nudged && ctx.Err() == nil {
		s.deadline(t)
	}
}

// heed makes a nudge have ended this wait and no other.
func (s *side) heed(ctx context.Context) {
	s.mu.Lock()
	s.nudged = false
	s.mu.Unlock()
	s.limit(ctx, time.Time{})
}

// forget ends the watch.
func (s *side) forget() {
	if s.unwatch != nil && !s.unwatch() {
		<-s.ended // and the deadline is over
		s.mu.Lock()
		if !s.woken && !s.nudged {
			s.deadline(time.Time{})
		}
		s.mu.Unlock()
	}
	s.done, s.unwatch, s.ended = nil, nil, nil
}

func (s *side) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.woken = true
	s.deadline(past)
}

func (s *side) nudge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nudged = true
	s.deadline(past)
}
