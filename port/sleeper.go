// Sleeper: a port whose receiver sleeps apart, so that somebody else can look for frames meanwhile.

package port

import (
	"context"
	"sync/atomic"
)

// Sleeper is a Port beside whose sleeping receiver another goroutine may call Rx: who is awake anyway looks for frames there too, which
// are on their way sooner so than once the receiver was woken. Still one goroutine at a time calls Rx and what else is the receiver's, and
// the two see to that, by a lock say which the receiver gives back before it calls SleepRx.
//
// Who has called Rx so calls MuteRx with false in the end, before somebody else is to rely on SleepRx again: Rx may have left something
// behind that no frame will tell of, or have taken the last buffer.
type Sleeper interface {
	Port
	// SleepyRx reports whether SleepRx will do in place of WaitRx: Rx has nothing to say, lacks nothing, and only the network can
	// change that. It belongs to the caller of Rx.
	SleepyRx() bool
	// SleepRx, after a SleepyRx that was true, is a WaitRx that uses nothing that Rx does: Rx and MuteRx may be called meanwhile. What Rx takes then may end
	// it all the same.
	SleepRx(ctx context.Context) error
	// MuteRx with true lets frames that come no longer end a SleepRx that sleeps, which spares the system waking it; its context and Close
	// still do. With false they do again, at once if one is there, or if SleepyRx would not be true. The next SleepRx is not muted. It
	// belongs to the caller of Rx. Where the system has no way to, it mutes nothing.
	MuteRx(on bool)
}

// Slumber is how a port sleeps whose frames come by a descriptor. A kind embeds it beside Base, calls its Init after Base's, and so gets
// WaitRx and what makes it a Sleeper.
type Slumber struct {
	base   *Base
	from   descriptor
	sleepy func() bool
	other  func(context.Context) error
	muted  bool
	// asleep is from SleepyRx until SleepRx has returned, and slept from then until Rx has asked.
	asleep, slept atomic.Bool
}

// descriptor is what internal/fd has on systems with descriptors.
type descriptor interface {
	WaitRead(ctx context.Context) error
	Mute(on bool)
	Nudge()
}

// Init prepares s for a port that is b's, and sleeps until from can be read. sleepy reports whether that is enough, and other sleeps if it
// is not; both belong to the caller of Rx, are called inside of Enter and Leave, and for ports that receive only.
func (s *Slumber) Init(b *Base, from descriptor, sleepy func() bool, other func(context.Context) error) {
	s.base, s.from, s.sleepy, s.other = b, from, sleepy, other
}

// enter is Enter for a port that receives.
func (s *Slumber) enter() bool { return s.base.Options.Direction&In != 0 && s.base.Enter() }

// SleepyRx is the port's SleepyRx.
func (s *Slumber) SleepyRx() bool {
	if !s.enter() {
		return false
	}
	defer s.base.Leave()
	sleepy := s.sleepy()
	if sleepy {
		s.asleep.Store(true)
	}
	return sleepy
}

// SleepRx is the port's SleepRx.
func (s *Slumber) SleepRx(ctx context.Context) error {
	err := s.base.Wait(ctx, In, s.from.WaitRead)
	s.slept.Store(true)
	s.asleep.Store(false)
	return err
}

// MuteRx is the port's MuteRx.
func (s *Slumber) MuteRx(on bool) {
	if !s.enter() {
		return
	}
	defer s.base.Leave()
	switch {
	case on:
		s.from.Mute(true)
	case !s.asleep.Load(): // who is awake will look, and the descriptor is not listened to for nothing
	case !s.sleepy():
		s.from.Nudge()
	case s.muted:
		s.from.Mute(false)
	}
	s.muted = on
}

// WaitRx is the port's WaitRx.
func (s *Slumber) WaitRx(ctx context.Context) error {
	if s.SleepyRx() {
		return s.SleepRx(ctx)
	}
	err := s.base.Wait(ctx, In, s.other)
	s.slept.Store(true)
	return err
}

// Slept reports whether the receiver has slept since Slept was last called: if it has been woken by something, and that was no
// frame, it is for Rx to find out what. It is for Rx.
func (s *Slumber) Slept() bool {
	return s.slept.Load() && s.slept.Swap(false)
}
