//go:build linux

// Hosts: what is at the ends of what a test is about.

package netlab

import "fmt"

// Host makes host i, 1 to 254: a namespace whose eth0 has the addresses that Number gives, and is joined by a cable to an
// interface of another namespace, where what is tested is at work.
func (l *Lab) Host(i int, to *Namespace, ifname string, mtu int) *Namespace {
	l.t.Helper()
	n := l.Namespace(fmt.Sprint("host", i))
	l.Veth(n, "eth0", to, ifname, mtu)
	n.Number("eth0", i)
	return n
}

// Number gives an interface the addresses of host i: 10.0.0.i/24 and fd00::i/64.
func (n *Namespace) Number(ifname string, i int) {
	n.t.Helper()
	n.Addr(ifname, fmt.Sprintf("10.0.0.%d/24", i), fmt.Sprintf("fd00::%d/64", i))
}
