// Package ring has bounded queues of fixed capacity: SPSC, for one producer and
// one consumer, and MPMC, for any number of both.
//
// The words are those of the field: a bulk is all or nothing, a burst is as
// many as fit. Capacities are exact: a ring made for 1000 items takes 1000, and
// one for a single item works.
//
// Every item travels by value, through memory that was allocated once. No
// operation takes a lock on the way of an item; a lock is taken only to put a
// goroutine to sleep in a call that says it waits (Push, Pop, ReserveWait,
// PeekWait) or to wake it again. A goroutine asleep costs no CPU. A nil context is a
// nil dereference where a call has to wait, and not looked at where it has not.
//
// What a waiting end of an SPSC ring does between its looks is a choice between latency and throughput: see Patience.
//
// A call that returns false or less than it was asked for says: the ring is
// full (or empty), or what is there is hidden behind another goroutine's operation
// that has begun and not ended. It never says so because it lost a race.
//
// What is promised of progress: SPSC is wait-free at both ends, except that waking a
// sleeper takes a lock for a few instructions. MPMC never waits for another goroutine but
// for that lock; it is not lock-free in the strict sense, see there.
//
// Misuse of an end is a bug in the program. Taking or giving more than there is panics, with the call and
// the numbers; two goroutines at one end are a race, which a build with -race reports. The table in
// docs/ownership.md has all of it.
//
// Both algorithms rest on sync/atomic alone. The order in which memory becomes
// visible is written down at both ends of each edge, as P1, C1 and so on.
package ring
