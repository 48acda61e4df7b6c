// Package vswitch carries frames between ports.
//
// Forward joins two ports: what comes in by one goes out by the other, one way or
// both. Each way has two workers, a receiver and a sender, and an SPSC ring between them, so
// that a slow side never holds up more than it must:
//
//	in.Rx ──▶ receiver ──▶ ring ──▶ sender ──▶ out.Tx
//
// Frames that find the ring empty are sent by the receiver itself, for whom the sender need not be woken; but for full bursts of a
// file or a generator, beside which the sender works.
//
// If the ring is full, a source that can be held back (a file, a generator) waits, and a
// live one has its frames dropped and counted: port.OnFull changes that.
//
// Every frame is accounted for. At any moment
//
//	received + extra segments = sent + dropped, by reason + in flight
//
// summed over the ports (extra segments are those, beyond the first, into which a large frame was cut for a port that takes
// none), up to the bursts that are being counted just then; in flight
// is counted by itself, and is zero once Run has returned.
package vswitch
