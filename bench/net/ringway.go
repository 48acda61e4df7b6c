//go:build linux

// Ringway.

package main

import (
	"fmt"
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

// spin makes the switch look for frames for a while before it sleeps: quick answers, for CPU time.
const spin = "--spin"

// ringwaySwitch is the switch with two ports of a kind. It is not measured where the program has no such command, or flag.
func ringwaySwitch(ringway, port string, k kind, flags ...string) system {
	command := append([]string{"switch"}, flags...)
	name := "ringway-switch-" + port
	for _, f := range flags {
		name += strings.TrimPrefix(f, "-") // one dash stays
	}
	return system{
		name: name, kind: k, ours: true, spins: slices.Contains(flags, spin), programs: []string{ringway}, from: builds,
		lacks: func() string {
			if err := exec.Command(ringway, append(slices.Clone(command), "--help")...).Run(); err != nil {
				return fmt.Sprintf("%s has no %s", ringway, strings.Join(command, " "))
			}
			return ""
		},
		start: func(h *hosts) {
			a, b := k.ends()
			h.run(ringway, append(slices.Clone(command), port+":"+a, port+":"+b)...)
		},
	}
}
