// Package netlab is a laboratory of network namespaces for tests: hosts, cables between them, and the usual tools to
// load and to look at them.
//
//	lab := netlab.New(t)
//	a, b := lab.Namespace("a"), lab.Namespace("b")
//	lab.Veth(a, "eth0", b, "eth0", 1500)
//	a.Addr("eth0", "10.0.0.1/24")
//	b.Addr("eth0", "10.0.0.2/24")
//	r, err := netlab.TCP(b, a, "10.0.0.2", time.Second, netlab.TCPOptions{})
//
// All of it is gone when the test ends, however it ends: processes by their own pid first, then the namespaces
// with all that is in them. What a test leaves that was killed, the next one removes. Nothing outside of the namespaces is
// touched.
//
// It needs root, and iproute2; a test without them is skipped (package need). It is for Linux alone: on other systems
// the package is empty. Methods that take no error end the test (Fatalf) if they can't do what they are for, and so are
// called from its goroutine, as T's own; those that return an error tell of something that the network did.
package netlab
