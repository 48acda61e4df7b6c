// Reason: why a frame was dropped.

package stats

import (
	"errors"
	"fmt"
)

// Reason says why a frame was dropped. Its name (String) is stable and is what
// JSON, text output and metrics show; its number may change between
// versions, so it is not to be stored. The zero Reason is ReasonUnspecified.
type Reason uint8

// The reasons. Each says when it counts, and what helps.
const (
	// ReasonUnspecified counts a drop whose reason is not among the others, for
	// instance a Reason out of range, so that no drop goes uncounted. It should
	// be zero: report it.
	ReasonUnspecified Reason = iota

	// ReasonNoBuffer: the pool had no buffer left to receive or copy the frame
	// into. Give the pool more buffers, or look for who holds them.
	ReasonNoBuffer

	// ReasonRingFull: a ring on the frame's way was full, the kernel's or a
	// NIC's included, because who empties it was too slow. Make
	// the ring deeper against bursts; against lasting overload add workers or
	// hold the source back.
	ReasonRingFull

	// ReasonTooLong: the frame is longer than the MTU or the limit of where it had to
	// go. Raise the MTU there, or lower it at the sender.
	ReasonTooLong

	// ReasonTooShort: the frame is shorter than the headers it must have. Look at the
	// sender.
	ReasonTooShort

	// ReasonMalformed: the frame contradicts itself, for instance a length field
	// that exceeds the frame or a bad checksum. Look at the sender and the link.
	ReasonMalformed

	// ReasonTruncated: the source delivered a part of the frame only. Raise the
	// capture's snap length or the receiving buffer's size.
	ReasonTruncated

	// ReasonLinkType: the frame is not Ethernet where Ethernet is needed, or another
	// mismatch of link layers. Put the two ports of one link type together.
	ReasonLinkType

	// ReasonLinkDown: the port's link was down or had no peer. Bring it up.
	ReasonLinkDown

	// ReasonWouldBlock: the socket stayed full (EAGAIN) for longer than the port
	// waits. Enlarge the socket's buffer, or see why the peer does not read.
	ReasonWouldBlock

	// ReasonNoSpace: the kernel kept saying ENOBUFS for longer than the port
	// retries. Enlarge the device's transmit queue, or send less.
	ReasonNoSpace

	// ReasonIOError: the system refused the frame with any other error. The port's own
	// error says which.
	ReasonIOError

	// ReasonClosed: the port was closed while the frame was queued for it. Drain
	// before you close, if those frames matter.
	ReasonClosed

	// ReasonLoss: a test port dropped the frame on purpose. Nothing to do.
	ReasonLoss

	// ReasonFiltered: the frame was not meant to go on: its destination is where it came
	// from, it is another network's, or the only port left to flood to is its
	// own. Usual in small numbers.
	ReasonFiltered

	// ReasonUnknownDestination: nobody knows the frame's destination, and flooding was
	// off or limited. Allow flooding, or enter the address.
	ReasonUnknownDestination

	// ReasonPolicy: a rule of the operator's forbids the frame. Change the rule if it was
	// not meant.
	ReasonPolicy

	numReasons
)

// NumReasons is the number of reasons: a valid Reason is below it.
const NumReasons = int(numReasons)

// reasonNames has no keys on purpose: with every name at its place and the check
// below, a reason without a name does not compile.
var reasonNames = [...]string{
	"unspecified",
	"no_buffer",
	"ring_full",
	"too_long",
	"too_short",
	"malformed",
	"truncated",
	"link_type",
	"link_down",
	"would_block",
	"no_space",
	"io_error",
	"closed",
	"loss",
	"filtered",
	"unknown_destination",
	"policy",
}

var _ [NumReasons]string = reasonNames // as many names as reasons

// ErrUnknownReason is wrapped by the error for a name or a number that is no reason.
var ErrUnknownReason = errors.New("stats: unknown drop reason")

// String returns the reason's stable name, such as "no_buffer", or
// "reason(200)" for a number that is no reason.
func (r Reason) String() string {
	if r >= numReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return reasonNames[r]
}

// ParseReason returns the reason with that name, exactly as String gives it. For
// any other name the error wraps ErrUnknownReason.
func ParseReason(name string) (Reason, error) {
	for i, n := range reasonNames {
		if n == name {
			return Reason(i), nil
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrUnknownReason, name)
}

// MarshalText returns the reason's name. For a number that is no reason the error wraps
// ErrUnknownReason.
func (r Reason) MarshalText() ([]byte, error) {
	if r >= numReasons {
		return nil, fmt.Errorf("%w: number %d", ErrUnknownReason, uint8(r))
	}
	return []byte(reasonNames[r]), nil
}

// UnmarshalText is ParseReason; on an error r stays as it was.
func (r *Reason) UnmarshalText(text []byte) error {
	parsed, err := ParseReason(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}
