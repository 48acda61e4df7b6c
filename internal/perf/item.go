// Items: what goes through queues, and how a number gets into one and out again.

package perf

import "unsafe"

// Pair is an item of 16 bytes, as a handle of a packet buffer is; the compiler keeps it in registers,
// which it does with no array.
type Pair struct{ First, Last uint64 }

// Item is what goes through queues: 8 to 128 bytes that tell a number.
type Item interface {
	uint64 | Pair | [4]uint64 | [8]uint64 | [16]uint64
}

// ends returns the first and the last word of an item, which are one if it has 8 bytes. It is safe, since
// all of Item's types consist of words.
func ends[T Item](v *T) (first, last *uint64) {
	first = (*uint64)(unsafe.Pointer(v))
	return first, (*uint64)(unsafe.Add(unsafe.Pointer(v), unsafe.Sizeof(*v)-8))
}

// Write makes *v tell the number n, at both its ends.
func Write[T Item](v *T, n uint64) {
	first, last := ends(v)
	*first = n
	if unsafe.Sizeof(*v) > 8 {
		*last = n
	}
}

// Read returns the number that *v tells, or another one if its ends do not agree.
func Read[T Item](v *T) uint64 {
	first, last := ends(v)
	if unsafe.Sizeof(*v) > 8 {
		return *first + (*first ^ *last)
	}
	return *first
}

// writeAll makes the items tell the numbers from first on. It is as quick as a core stores one word a cycle: to write
// several at a time gains nothing.
func writeAll[T Item](vs []T, first int) {
	for i := range vs {
		Write(&vs[i], uint64(first+i))
	}
}

// addUp returns the sum of the numbers. It is made in four parts, of two items each, since each addition to a single one
// waits for the last; compilers of C and C++ do the like, and more, by themselves. Eight at a time have one check of bounds.
func addUp[T Item](vs []T) (sum uint64) {
	var a, b, c, d uint64
	for len(vs) >= 8 {
		v := (*[8]T)(vs)
		a += Read(&v[0]) + Read(&v[1])
		b += Read(&v[2]) + Read(&v[3])
		c += Read(&v[4]) + Read(&v[5])
		d += Read(&v[6]) + Read(&v[7])
		vs = vs[8:]
	}
	for i := range vs {
		sum += Read(&vs[i])
	}
	return sum + a + b + c + d
}
