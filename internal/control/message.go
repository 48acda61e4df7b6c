// What requests and answers look like. The names in the JSON are stable; new ones may be added.

package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ringway-net/ringway/stats"
)

// MaxRequest is how long the line of a request may be, in bytes with its end.
const MaxRequest = 64 << 10

// The operations.
const (
	OpPorts  = "ports"  // list the ports
	OpStats  = "stats"  // the account of the whole switch
	OpTable  = "table"  // list the addresses
	OpAdd    = "add"    // add the port that Request.Port says
	OpRemove = "remove" // remove the port called Request.Name
	OpFlush  = "flush"  // forget all addresses that were learned
)

var ops = []string{OpPorts, OpStats, OpTable, OpAdd, OpRemove, OpFlush}

// Request is what a client asks for.
type Request struct {
	Op   string `json:"op"`
	Port string `json:"port,omitempty"` // OpAdd: a port string
	Name string `json:"name,omitempty"` // OpRemove: a port's name
}

// ErrRequest is wrapped by the errors about a request that is none.
var ErrRequest = errors.New("bad request")

// ParseRequest reads the line of a request. Fields that there are not, or that the operation does not have, are errors: they were meant
// to do something. The error wraps ErrRequest.
func ParseRequest(line []byte) (r Request, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Request{}, fmt.Errorf("%w: want an object such as {\"op\":\"ports\"}: %w", ErrRequest, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Request{}, fmt.Errorf("%w: there is more behind the object: one to a line", ErrRequest)
	}
	if !slices.Contains(ops, r.Op) {
		return Request{}, fmt.Errorf("%w: op is %q, want one of %s", ErrRequest, r.Op, strings.Join(ops, ", "))
	}
	for _, f := range []struct{ op, name, value string }{{OpAdd, "port", r.Port}, {OpRemove, "name", r.Name}} {
		switch {
		case r.Op == f.op && f.value == "":
			return Request{}, fmt.Errorf("%w: op %s needs a %q", ErrRequest, r.Op, f.name)
		case r.Op != f.op && f.value != "":
			return Request{}, fmt.Errorf("%w: op %s has no %q", ErrRequest, r.Op, f.name)
		}
	}
	return r, nil
}

// Answer is what a client gets: one of the fields.
type Answer struct {
	Error     string    `json:"error,omitempty"`
	Ports     []Port    `json:"ports,omitzero"`
	Stats     *Stats    `json:"stats,omitempty"`
	Addresses []Address `json:"addresses,omitzero"`
	Added     string    `json:"added,omitempty"`
	Removed   string    `json:"removed,omitempty"`
	Flushed   *int      `json:"flushed,omitempty"` // how many addresses
}

// Port is a port of a switch, and what it has done.
type Port struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Port     string `json:"port"`     // the port string
	Settings string `json:"settings"` // in words; "" if there are none
	State    string `json:"state"`    // StateUp, StateListens or StateFailed
	Error    string `json:"error,omitempty"`
	Mode     string `json:"mode,omitempty"` // how the port works here

	Addresses int         `json:"addresses"` // known behind it
	RxPackets uint64      `json:"rx_packets"`
	RxBytes   uint64      `json:"rx_bytes"`
	TxPackets uint64      `json:"tx_packets"`
	TxBytes   uint64      `json:"tx_bytes"`
	Segments  uint64      `json:"tx_segments"` // beyond the first of each large frame that was cut
	Replicas  uint64      `json:"replicas"`    // more frames to send than came in by it
	InFlight  int         `json:"in_flight"`
	Drops     stats.Drops `json:"drops"`
}

// The states of a port.
const (
	StateUp      = "up"
	StateListens = "listens" // it makes a port of each client
	StateFailed  = "failed"  // it takes no part any more
	StateRemoved = "removed" // the sum of those that were
)

// Stats is the account of a switch: Received + Replicas + Segments = Sent + Dropped + InFlight.
type Stats struct {
	Received  uint64  `json:"received"`
	Replicas  uint64  `json:"replicas"`
	Segments  uint64  `json:"segments"`
	Sent      uint64  `json:"sent"`
	Dropped   uint64  `json:"dropped"`
	InFlight  int     `json:"in_flight"`
	DurationS float64 `json:"duration_s"` // since the start
	Table     Table   `json:"table"`
	Pool      Pool    `json:"pool"`
}

// Balance reports whether the account balances. While frames move it may be out by those that are just being counted.
func (s *Stats) Balance() bool {
	return s.Received+s.Replicas+s.Segments == s.Sent+s.Dropped+uint64(s.InFlight)
}

// Table is what has become of addresses.
type Table struct {
	Addresses int    `json:"addresses"`
	Room      int    `json:"room"`
	Learned   uint64 `json:"learned"`
	Moved     uint64 `json:"moved"`
	Aged      uint64 `json:"aged"`
	Evicted   uint64 `json:"evicted"`
	Removed   uint64 `json:"removed"`
	OverLimit uint64 `json:"over_limit"`
	Full      uint64 `json:"full"`
	Elsewhere uint64 `json:"elsewhere"`
	Busy      uint64 `json:"busy"`
}

// Pool is what a pool of buffers is doing.
type Pool struct {
	Capacity      int    `json:"capacity"`
	InUse         int    `json:"in_use"`
	HighWater     int    `json:"high_water"`
	HeapFallbacks uint64 `json:"heap_fallbacks"`
}

// Address is an address that a switch knows.
type Address struct {
	MAC    string `json:"mac"`
	VLAN   uint16 `json:"vlan"`
	Port   string `json:"port"` // its name
	Static bool   `json:"static"`
	AgeS   int    `json:"age_s"`
}
