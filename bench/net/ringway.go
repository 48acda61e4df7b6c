//go:build linux

// Ringway.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const builds = "bench/net/run builds it"

// forward is the forwarder between two ports of a kind.
func forward(ringway, port string, k kind) system {
	return system{
		name: "ringway-" + port, kind: k, ours: true, programs: []string{ringway}, from: builds,
		start: func(h *hosts) {
			a, b := k.ends()
			h.run(ringway, "forward", "--quiet", "--both", port+":"+a, port+":"+b)
		},
	}
}

// tunnel is two forwarders: from the one host's cable into one end of a tunnel, and out of the other to the other host's. {dir} in an end is a
// directory for its files.
func tunnel(ringway, name, near, far string) system {
	return system{
		name: "ringway-" + name, kind: pipe, ours: true, programs: []string{ringway}, from: builds,
		start: func(h *hosts) {
			near, far := strings.ReplaceAll(near, "{dir}", h.dir), strings.ReplaceAll(far, "{dir}", h.dir)
			h.run(ringway, "forward", "--quiet", "--both", "afpacket:a0", near)
			if path, ok := strings.CutPrefix(near, "unix:"); ok { // which has to listen before the other one dials
				path, _, _ = strings.Cut(path, ",")
				h.await("socket", func() bool { _, err := os.Stat(path); return err == nil })
			}
			h.run(ringway, "forward", "--quiet", "--both", far, "afpacket:b0")
		},
	}
}

// spinFlag has the switch look for frames for so long before it sleeps that it polls, as long as anything is going on.
const spinFlag = "--look-again=1s"

// ringwaySwitch is the switch with two ports of a kind. It is not measured where the program has no such command, or flag.
func ringwaySwitch(ringway, port string, k kind, spins bool) system {
	s := system{name: "ringway-switch-" + port, kind: k, ours: true, spins: spins, programs: []string{ringway}, from: builds}
	command := []string{"switch"}
	if spins {
		s.name += "-spin"
		command = append(command, spinFlag)
	}
	s.lacks = func() string {
		if err := exec.Command(ringway, append(slices.Clone(command), "--help")...).Run(); err != nil {
			return fmt.Sprintf("%s has no %s", ringway, strings.Join(command, " "))
		}
		return ""
	}
	s.start = func(h *hosts) {
		a, b := k.ends()
		h.run(ringway, append(slices.Clone(command), port+":"+a, port+":"+b)...)
	}
	return s
}
