// Package peers builds and runs the programs that the benchmark compares Ringway with: queues, pools
// and packet buffers of libraries in C, C++ and Rust, as Debian packages them.
//
// There is one program for each library. It is started once and then serves any number of runs,
// blocked in a read in between. It takes requests on its standard input and answers on its standard
// output, a line each:
//
//	list            the works it has, a line "WORK IMPL" each, then "end"
//	run WORK IMPL N "ok NAME=VALUE ..", or "err TEXT"
//
// N is how many items, buffers, frames or round trips a run has. Figures are in nanoseconds: ns is
// of one of those, counted from when all threads have started to when the last item was consumed;
// p50, p99 and p999 are percentiles of a round trip (work pingpong) or of a single push or pop,
// including its wait for room or items. Every run checks what came through.
//
// Thread i of a run is pinned to the i-th CPU, in turns, of those that the process may use.
package peers

import "embed"

//go:embed cxx dpdk crossbeam
var sources embed.FS

// The libraries, and how a program is made of each.
var libraries = []library{
	{"atomic_queue", "libatomic-queue-dev g++",
		cxx{source: "cxx/atomic_queue.cc", header: "atomic_queue/atomic_queue.h"}},
	{"boost", "libboost-dev g++",
		cxx{source: "cxx/boost.cc", header: "boost/lockfree/queue.hpp"}},
	{"concurrentqueue", "libconcurrentqueue-dev g++",
		cxx{source: "cxx/concurrentqueue.cc", header: "concurrentqueue/concurrentqueue.h"}},
	{"crossbeam", "librust-crossbeam-queue-dev rustc",
		rust{source: "crossbeam/crossbeam.rs"}},
	{"dpdk", "libdpdk-dev dpdk-dev g++ pkg-config",
		cxx{source: "dpdk/dpdk.cc", pkgConfig: "libdpdk"}},
	{"readerwriterqueue", "libreaderwriterqueue-dev g++",
		cxx{source: "cxx/readerwriterqueue.cc", header: "readerwriterqueue/readerwriterqueue.h"}},
	{"tbb", "libtbb-dev g++ pkg-config",
		cxx{source: "cxx/tbb.cc", pkgConfig: "tbb"}},
}
