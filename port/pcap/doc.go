// Package pcap is the kind of port that reads and writes capture files: pcap and
// pcapng, from and to files, pipes, FIFOs and the standard streams. Importing it brings the
// kind "pcap" into the reach of port.Open.
//
//	pcap:in.pcapng          reads or writes it, as port.Options.Direction says
//	in.pcap.gz              a name without a kind is a capture; gzip is undone
//	-                       standard input, or standard output
//	in.pcap,loop=3          reads it three times
//	out.pcap,snaplen=96     writes at most 96 bytes of each frame
//
// # Reading
//
// A regular file is read in Rx itself, a MiB at a time. What can make a
// read wait (a pipe, a FIFO, a terminal) is read by a goroutine, the pump, which decodes frames
// into batches; Rx copies from those, and WaitRx sleeps until one comes. The pump hands a
// batch over before each read that may wait, so nothing is held up behind a slow source.
//
// Every frame has a pool.Meta: its time, its original length and its interface, a number in
// port.Options.Interfaces, to which the port adds each interface that the file describes. A frame for
// which the pool has no buffer stays where it is until there is one; none is lost.
// After a fault in the file Rx returns the frames before it, and then what is wrong.
//
// # Writing
//
// Frames are encoded into a buffer of 512 KiB. Into a regular file, Tx writes it out when it is full
// and a timer when it is older than the key flush says. Anything else may keep its writer waiting, so
// there Tx only queues the frames, up to 512, and a goroutine encodes and writes.
//
// A frame on which something is left to do (pool.Offload) is written as it would have been on a wire: with complete checksums,
// and a large one as its segments.
//
// A frame counts as sent when the system has accepted all of its bytes. Until then it is
// queued, and if it can't be written it is dropped with a reason:
//
//	frames taken by Tx + segments = sent + dropped + queued, and queued is 0 after Close
//
// A regular file that could not be written to the end (the disk is full) is cut back to the last
// whole frame, and the error says how many those are.
//
// Interfaces of the source are described in a pcapng file in the source's order, so that a copy
// has their numbers, names, link types and resolutions. A classic file has one link type: that of its
// first frame.
package pcap
