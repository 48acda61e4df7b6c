// Sleeper: a port whose receiver sleeps apart, so that somebody else can look for frames meanwhile.

package port

import "context"

// Sleeper is a Port beside whose sleeping receiver another goroutine may call Rx: who is awake anyway looks for frames there too, which
// are on their way sooner so than once the receiver was woken. Still one goroutine at a time calls Rx and what else is the receiver's, and
// the two see to that, by a lock say which the receiver gives back before it calls SleepRx.
type Sleeper interface {
	Port
	// SleepyRx reports whether SleepRx will do in place of WaitRx: Rx has nothing to say, lacks nothing, and only the network can
	// change that. It belongs to the caller of Rx.
	SleepyRx() bool
	// SleepRx is a WaitRx that uses nothing that Rx does: Rx and MuteRx may be called meanwhile. What Rx takes then may end
	// it all the same.
	SleepRx(ctx context.Context) error
	// MuteRx with true lets frames that come no longer end a SleepRx, which spares the system waking it; with false they do again, at once
	// if one is there. It belongs to the caller of Rx.
	MuteRx(on bool)
}

// Slumber is how a port sleeps whose frames come by a descriptor: what a kind embeds to be a Sleeper, beside a SleepyRx of its
// own.
type Slumber struct {
	base *Base
	from descriptor
}

// descriptor is what internal/fd has on systems with descriptors.
type descriptor interface {
	WaitRead(ctx context.Context) error
	Mute(on bool)
}

// Init prepares s for a port that is b's, and sleeps until from can be read.
func (s *Slumber) Init(b *Base, from descriptor) { s.base, s.from = b, from }

// SleepRx sleeps until there is something to read.
func (s *Slumber) SleepRx(ctx context.Context) error { return s.base.Wait(ctx, In, s.from.WaitRead) }

// MuteRx does not let it be woken, or does again.
func (s *Slumber) MuteRx(on bool) {
	if s.base.Enter() {
		s.from.Mute(on)
		s.base.Leave()
	}
}
