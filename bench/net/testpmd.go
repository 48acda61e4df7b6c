//go:build linux

// DPDK's testpmd.

package main

import "fmt"

// testpmd has a driver for interfaces of the kernel's, and neither huge pages nor hardware. It moves frames from
// each of its two ports to the other, unread, in one thread that never sleeps; the other thread only waits for its end.
func testpmd(driver string, k kind) system {
	return system{
		name: "testpmd-" + driver, kind: k, polls: true, programs: []string{"dpdk-testpmd"}, from: "apt-get install dpdk",
		start: func(h *hosts) {
			a, b := k.ends()
			h.run("dpdk-testpmd",
				"--no-huge", "-m", "512", "--no-pci", "--no-telemetry", "--file-prefix", h.r.Name(),
				"--vdev", fmt.Sprintf("net_%s0,iface=%s", driver, a),
				"--vdev", fmt.Sprintf("net_%s1,iface=%s", driver, b),
				"--", "--forward-mode=io", "--auto-start",
				"--total-num-mbufs=65536", // as many as fit into the 512 MiB
				"--stats-period=1000000")  // without it, it reads stdin and ends with it
		},
	}
}
