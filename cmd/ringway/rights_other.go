//go:build !linux

package main

import "errors"

// hasCapability is for Linux alone; no kind of port elsewhere wants a capability.
func hasCapability(string) (bool, error) { return false, errors.ErrUnsupported }
