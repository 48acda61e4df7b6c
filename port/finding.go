// Finding: what a kind of port needs of the system, for ringway doctor.

package port

// Finding is one thing that ports of a kind need of the system, and whether it is there.
type Finding struct {
	// What it is: "packet sockets", "/dev/net/tun".
	What string
	// Err says what is wrong with it; nil if nothing is.
	Err error
	// Optional is true if ports work without it, less well.
	Optional bool
	// Mend is the command, or the advice, that helps. "" if nothing is wrong.
	Mend string
}
