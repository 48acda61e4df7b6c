// Package need says what a test can't do without: a program, root, a feature of the kernel. Where it is missing the
// test is skipped, and prints why; with RINGWAY_CI=1 in the environment, where everything must be there, it fails.
package need

import (
	"fmt"
	"os"
	"os/exec"
)

// T is what this package uses of a test.
type T interface {
	Helper()
	Name() string
	Fatal(args ...any)
	Skip(args ...any)
}

// packages are Debian's packages of programs that have another name.
var packages = map[string]string{
	"bridge":             "iproute2",
	"busybox":            "busybox-static",
	"capinfos":           "wireshark-common",
	"dpdk-testpmd":       "dpdk",
	"editcap":            "wireshark-common",
	"ip":                 "iproute2",
	"mergecap":           "wireshark-common",
	"ovs-appctl":         "openvswitch-switch",
	"ovs-vsctl":          "openvswitch-switch",
	"ovs-vswitchd":       "openvswitch-switch",
	"ovsdb-server":       "openvswitch-switch",
	"ovsdb-tool":         "openvswitch-common",
	"ping":               "iputils-ping",
	"qemu-system-x86_64": "qemu-system-x86",
	"tc":                 "iproute2",
	"unshare":            "util-linux",
}

// Program returns the path of a program, which the test can't do without. It is called from the test's
// goroutine.
func Program(t T, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		from, ok := packages[name]
		if !ok {
			from = name
		}
		Missing(t, name+" is not installed: apt-get install "+from)
	}
	return path
}

// Root says that the test can't do without being root.
func Root(t T) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "it must be run as root")
	}
}

// Missing skips the test, or fails it with RINGWAY_CI=1, for want of what why names. It does not return. It is called
// from the test's goroutine.
func Missing(t T, why string) {
	t.Helper()
	if os.Getenv("RINGWAY_CI") == "1" {
		t.Fatal(why + " (with RINGWAY_CI=1 nothing may be missing)")
	}
	fmt.Printf("SKIP %s: %s\n", t.Name(), why)
	t.Skip(why)
}
