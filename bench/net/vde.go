//go:build linux

// Virtual Distributed Ethernet: a switch that its users reach by a Unix socket, and a process for each tap.

package main

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

func vde() system {
	return system{
		name: "vde-tap", kind: tap, programs: []string{"vde_switch", "vde_plug2tap"}, from: "apt-get install vde2",
		start: func(h *hosts) {
			sock, stdin := filepath.Join(h.dir, "switch"), filepath.Join(h.dir, "stdin")
			if err := unix.Mkfifo(stdin, 0o600); err != nil {
				h.t.Fatalf("%s: %v", stdin, err)
			}
			// It ends with its stdin unless it is a daemon, whose process would not be ours: so it reads one that has no end.
			h.run("sh", "-c", `exec vde_switch --sock "$1" <>"$2"`, "sh", sock, stdin)
			h.awaitFile(filepath.Join(sock, "ctl"))
			a, b := tap.ends()
			for _, name := range []string{a, b} {
				h.run("vde_plug2tap", "--sock", sock, name)
			}
		},
	}
}
