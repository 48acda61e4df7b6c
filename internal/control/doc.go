// Package control is how a running switch is spoken to: over a Unix socket, a request in each line and an answer in each line, both JSON
// objects.
//
//	{"op":"add","port":"tap:tap0,vlan=10"}   →   {"added":"tap:tap0"}
//	{"op":"remove","name":"tap:tap1"}        →   {"error":"no such port: \"tap:tap1\""}
//
// Listen makes the socket, which only its owner may open, and Serve answers who connects. A Server knows the switch by an
// interface, so it needs no network to be tested. A client that is slow, silent, or sends nonsense harms nobody but itself:
// lines, clients and times are bounded.
package control
