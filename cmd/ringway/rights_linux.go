package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// capabilityBits are the capabilities that kinds of ports name.
var capabilityBits = map[string]int{
	"cap_net_admin": unix.CAP_NET_ADMIN,
	"cap_net_raw":   unix.CAP_NET_RAW,
	"cap_ipc_lock":  unix.CAP_IPC_LOCK,
	"cap_bpf":       unix.CAP_BPF,
}

// hasCapability reports whether the program has a capability now.
func hasCapability(name string) (bool, error) {
	bit, known := capabilityBits[name]
	if !known {
		return false, fmt.Errorf("capability %s is not known here", name)
	}
	var data [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &data[0]); err != nil {
		return false, err
	}
	return data[bit/32].Effective>>(bit%32)&1 != 0, nil
}
