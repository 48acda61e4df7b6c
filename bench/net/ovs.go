//go:build linux

// Open vSwitch in user space.

package main

import (
	"os"
	"path/filepath"
)

// ovsSchema is that of its database, where Debian has it.
const ovsSchema = "/usr/share/openvswitch/vswitch.ovsschema"

// openVSwitch has ports of one of its types, and a database server and a daemon of its own, whose files are in the turn's directory. With
// no flow and no controller it is a switch that learns. Ports of type afxdp belong to a thread that never sleeps, the others to the
// daemon's main thread, which does.
func openVSwitch(port string, k kind) system {
	return system{
		name: "ovs-" + port, kind: k, polls: k == xdp,
		programs: []string{"ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl"}, from: "apt-get install openvswitch-switch",
		lacks: func() string {
			if _, err := os.Stat(ovsSchema); err != nil {
				return err.Error() + ": apt-get install openvswitch-common"
			}
			return ""
		},
		start: func(h *hosts) {
			in := func(name string) string { return filepath.Join(h.dir, name) }
			run := func(program string, args ...string) {
				h.run("env", append([]string{"OVS_RUNDIR=" + h.dir, "OVS_LOGDIR=" + h.dir, "OVS_DBDIR=" + h.dir, program, "--no-chdir"}, args...)...)
			}
			db := "unix:" + in("db.sock")
			vsctl := func(args ...string) { h.r.Run("ovs-vsctl", append([]string{"--db=" + db, "--timeout=10"}, args...)...) }
			h.r.Run("ovsdb-tool", "create", in("conf.db"), ovsSchema)
			run("ovsdb-server", "--remote=p"+db, "--unixctl="+in("db.ctl"), in("conf.db"))
			h.awaitFile(in("db.sock"))
			vsctl("--no-wait", "init")
			run("ovs-vswitchd", "--unixctl="+in("vswitchd.ctl"), db)
			h.awaitFile(in("vswitchd.ctl"))
			a, b := k.ends()
			vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
				"--", "add-port", "br0", a, "--", "set", "interface", a, "type="+port,
				"--", "add-port", "br0", b, "--", "set", "interface", b, "type="+port)
		},
	}
}
