// Sum: the checksum by which a run knows that every number came through, once and unharmed.

package perf

import (
	"fmt"
	"math/bits"
	"unsafe"
)

// Sum is a checksum of numbers in any order: of them and of their squares, so that one lost and
// another doubled do not make up for each other. It is a value, since what has its address taken
// does not stay in registers.
type Sum struct{ numbers, squares uint64 }

// Plus returns the checksum with one more number in it.
func (s Sum) Plus(v uint64) Sum { return Sum{s.numbers + v, s.squares + v*v} }

// And returns the checksum of what two consumers had.
func (s Sum) And(t Sum) Sum { return Sum{s.numbers + t.numbers, s.squares + t.squares} }

// SumTo returns the checksum of the numbers from 0 to n-1.
func SumTo(n int) Sum {
	if n == 0 {
		return Sum{}
	}
	u := uint64(n)
	numbers := u * (u - 1) / 2
	// The squares come to numbers*(2n-1)/3, whose product has more than 64 bits.
	hi, lo := bits.Mul64(numbers, 2*u-1)
	squares, _ := bits.Div64(hi%3, lo, 3)
	return Sum{numbers, squares}
}

// Check returns an error if s is not the checksum of the numbers from 0 to n-1.
func (s Sum) Check(n int) error {
	if want := SumTo(n); s != want {
		return fmt.Errorf("the payload is wrong: of %d items the checksum is %x, want %x", n, s, want)
	}
	return nil
}

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

// SumOf returns the checksum of items. It is made in four parts, since each addition to a single one waits for
// the last: with bursts of 64 that is a tenth of an SPSC ring's time. Compilers of C do the like by themselves.
func SumOf[T Item](vs []T) Sum {
	var a, b, c, d Sum
	for ; len(vs) >= 4; vs = vs[4:] {
		a = a.Plus(Read(&vs[0]))
		b = b.Plus(Read(&vs[1]))
		c = c.Plus(Read(&vs[2]))
		d = d.Plus(Read(&vs[3]))
	}
	for i := range vs {
		a = a.Plus(Read(&vs[i]))
	}
	return a.And(b).And(c).And(d)
}
