// Package capfile reads and writes capture files: pcap (microseconds and
// nanoseconds, either byte order) and pcapng.
//
// The [Parser] does no I/O. It is handed the bytes that are there and answers
// with a frame, with [ErrShort] or with a [FormatError]; so a port that must
// not block can feed it from a pipe as well as from a file. A frame's bytes are
// not copied: [Record.Data] points into what was handed in. The [Reader] puts an
// io.Reader and a buffer under it and undoes gzip. The [Writer] buffers, and
// knows at any time how many whole frames the file below it holds, so that a
// file on a full disk can be cut back to the last whole one.
//
// # What a hostile file can do
//
// Neither crash it nor make it loop, and memory is bounded by constants:
//
//   - a frame is at most [MaxFrame] bytes long;
//   - a block that has to be seen whole (section header, interface description,
//     packet) at most [MaxBlock]; so [Parser.Need] never asks for more and the
//     Reader's buffer never grows;
//   - any other block is passed over piecewise and may be 4 GiB long;
//   - a file has at most [MaxInterfaces] interfaces, whose names and
//     descriptions are kept up to [MaxString] bytes: 8 MiB in all;
//   - kinds of blocks and options without a name here are told apart up to 64,
//     and counted together beyond.
//
// Next makes progress on each call, or reports ErrShort or an error. Nothing is
// allocated per frame.
//
// # What is not carried
//
// A frame keeps its bytes, its original length, its time and its interface. What
// a pcapng file says beyond that (comments, flags, name resolution, secrets, …)
// is counted by name: [Parser.NotCarried].
//
// # Choices
//
// Where the formats or their writers leave room:
//
//   - Captured length above the original length: tolerated, as tcpdump does; both
//     are given as they are. So is a captured length above the file's snaplen.
//   - A fraction of a second of a whole second or more in a classic file is added up.
//   - A time outside of what int64 nanoseconds hold (1677 to 2262) is set to the
//     nearest end and counted ([Parser.Saturated]): one odd timestamp does not
//     cost the rest of the file. A time finer than a nanosecond is cut and counted.
//   - Classic files must be of version 2.4, the only one written since 1998.
//   - A section's length is not used: the blocks' own lengths chain the file, and
//     live captures write -1.
//   - if_fcslen is in bits according to the specification and in bytes in some
//     files: values below 8 are taken as bytes.
package capfile
