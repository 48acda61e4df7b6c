// The bounds that keep a hostile or damaged file harmless.

package capfile

const (
	// MaxFrame is the longest frame that is read or written: what tcpdump and
	// Wireshark call the maximum snapshot length.
	MaxFrame = 262144

	// MaxBlock is the longest pcapng block of those that must be seen whole:
	// section headers, interface descriptions and packets. It leaves a frame of
	// MaxFrame 768 KiB of options. No call of Parser.Next needs more bytes at once.
	MaxBlock = 1 << 20

	// MaxInterfaces is how many interfaces a file may describe, over all its
	// sections, and how many a Writer takes.
	MaxInterfaces = 4096

	// MaxString is the longest interface name or description, in bytes. A longer
	// one in a file is counted as not carried; a Writer refuses it.
	MaxString = 1024

	// maxUnnamed is how many kinds of unnamed blocks and options are told apart.
	maxUnnamed = 64
)
