// Package null is the port "null:", which swallows frames: Tx counts them and gives them back,
// and Rx has none, ever. It is the other end of a measurement, and of a count of
// what a source has.
package null
