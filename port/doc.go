// Package port is how frames come in and go out: the interface that every kind of
// port has, the strings that name one, and what all kinds share.
//
// A Port moves bursts of pool.Buffers. Rx and Tx never block; WaitRx and
// WaitTx sleep until it is worth calling them again. A port is named by one string, the
// same on the command line, in a config file and here:
//
//	kind:target,key=value,…
//
// A name without a kind is a capture file, and "-" a capture on stdin or stdout. The kinds
// are packages of their own, below this one; importing port/all brings every kind that works
// on the platform into Open's reach.
//
// A kind implements Port, with Base in it and what else is here for kinds: Finisher, Landing. Beside that it is a Queuer if its Tx queues
// frames, and a Sleeper, by Slumber, if frames come to it by a descriptor. The suite of port/porttest checks it all.
package port
