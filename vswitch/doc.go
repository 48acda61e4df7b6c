// Package vswitch carries frames between ports.
//
// Switch is a learning Ethernet switch for any number of ports, which come and go while it runs. It notes behind which port each source
// address was seen, in each VLAN; a frame goes out by the port of its destination, or by all others if that is unknown or a group:
//
//	                            ┌──▶ ring ──▶ sender ──▶ b.Tx
//	a.Rx ──▶ receiver ──▶ table ┤
//	                            └──▶ ring ──▶ sender ──▶ c.Tx
//
// Each port has two workers. Its receiver looks where a burst goes, and puts it into the rings of the ports out, many receivers into
// one ring; its sender empties the ring. What goes out by several ports is shared, not copied. A port that is stuck
// fills its own ring, where frames for it are dropped and counted, and stalls nobody. PortConfig says what a port may do: its VLANs, the
// addresses that it may have, how much it may flood, whom it mirrors.
//
// Forward joins two ports without looking at frames: what comes in by one goes out by the other, one way or
// both. Each way has two workers, a receiver and a sender, and an SPSC ring between them, so
// that a slow side never holds up more than it must:
//
//	in.Rx ──▶ receiver ──▶ ring ──▶ sender ──▶ out.Tx
//
// If the ring is full, a source that can be held back (a file, a generator) waits, and a
// live one has its frames dropped and counted: port.OnFull changes that.
//
// In both, frames that find the ring empty are sent by the receiver itself, for whom the sender need not be woken; but for full bursts
// of a file or a generator, beside which the sender works.
//
// A receiver that has moved a few frames looks for more before it sleeps, at its own port and at those that it has just sent to, if their
// receivers sleep (port.Sleeper). A question and its answer pass by one goroutine that was woken once, or not at all; and nobody is awake
// where nothing is going on.
//
// Every frame is accounted for. At any moment
//
//	received + replicas + extra segments = sent + dropped, by reason + in flight
//
// summed over the ports (replicas are the frames beyond the first that a Switch makes of one that goes to several ports, extra segments
// those, beyond the first, into which a large frame was cut for a port that takes
// none), up to the bursts that are being counted just then; in flight
// is counted by itself, and is zero once Run has returned.
package vswitch
