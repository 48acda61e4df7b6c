//go:build !linux

package main

// alone calls f.
func alone(f func()) { f() }
