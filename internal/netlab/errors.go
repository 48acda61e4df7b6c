//go:build linux

package netlab

import "errors"

var (
	errNoCounters = errors.New("no counters of one interface")
	errEnded      = errors.New("the program has ended")
)
