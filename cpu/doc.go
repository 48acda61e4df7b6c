// Package cpu holds what the other packages must know about the processor:
// how far apart data of different cores has to lie, how to wait without
// hammering a cache line, how to ask for a line ahead of time, and the powers
// of two that make an index out of a counter.
//
// It depends on nothing but the standard library and does the same on every
// platform; where a processor has no such instruction, the call is a cheap
// stand-in and its doc says so.
package cpu
