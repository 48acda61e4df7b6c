package vxlan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/joined"
	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/netlab"
	"github.com/ringway-net/ringway/internal/testkit"
)

// TestOpenVSwitch: the peer is Open vSwitch in user space (datapath_type=netdev), which takes VXLAN apart by itself.
func TestOpenVSwitch(t *testing.T) {
	testkit.Watchdog(t)
	for _, program := range []string{"ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-appctl"} {
		need.Program(t, program)
	}
	lab := netlab.New(t)
	o, s := lab.Namespace("o"), newSite(lab, 2, 1450)
	lab.Veth(o, "u0", s.r, "u0", 1500)
	a := lab.Host(1, o, "a0", 1450)
	s.r.Addr("u0", "10.9.0.2/24")
	// Open vSwitch in user space sees frames as they come, and knows nothing of offloads.
	for _, cable := range []struct {
		n      *netlab.Namespace
		ifname string
	}{{o, "u0"}, {s.r, "u0"}, {o, "a0"}, {a, "eth0"}} {
		cable.n.NoOffloads(cable.ifname)
	}

	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	socket := "unix:" + in("db.sock")
	t.Setenv("OVS_RUNDIR", dir)
	t.Setenv("OVS_LOGDIR", dir)
	t.Setenv("OVS_DBDIR", dir)
	schema := "/usr/share/openvswitch/vswitch.ovsschema"
	if _, err := os.Stat(schema); err != nil {
		need.Missing(t, err.Error())
	}
	o.Run("ovsdb-tool", "create", in("conf.db"), schema)
	db := o.Start("ovsdb-server", "--remote=p"+socket, "--pidfile="+in("db.pid"), "--unixctl="+in("db.ctl"), "--no-chdir", in("conf.db"))
	await(t, db, in("db.sock"))
	vsctl := func(args ...string) {
		o.Run("ovs-vsctl", append([]string{"--db=" + socket, "--timeout=10"}, args...)...)
	}
	vsctl("--no-wait", "init")
	daemon := o.Start("ovs-vswitchd", "--pidfile="+in("vswitchd.pid"), "--unixctl="+in("vswitchd.ctl"), "--no-chdir", socket)
	await(t, daemon, in("vswitchd.ctl"))
	// The underlay is a bridge of its own, whose address is the tunnel's.
	vsctl("add-br", "under", "--", "set", "bridge", "under", "datapath_type=netdev", "--", "add-port", "under", "u0")
	o.Addr("under", "10.9.0.1/24")
	o.IP("link", "set", "under", "up")
	vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev",
		"--", "add-port", "br0", "a0",
		"--", "add-port", "br0", "vx", "--", "set", "interface", "vx", "type=vxlan", "options:remote_ip=10.9.0.2", "options:key=7")

	ports := joined.Between(t, s.r, "afpacket:e0", "vxlan:10.9.0.1,vni=7").Ports
	if !s.b.WaitPing("10.0.0.1", 10*time.Second) {
		t.Fatalf("no answer through Open vSwitch\n%s", daemon.Output())
	}
	for _, size := range []int{1, 1400, 4000} {
		if r := s.b.Ping("10.0.0.1", netlab.PingOptions{Size: size, Count: 20}); r.Received != r.Sent {
			t.Errorf("pings of %d bytes: %+v", size, r)
		}
	}
	for _, opt := range []netlab.TCPOptions{{}, {Reverse: true}} {
		r, err := netlab.TCP(a, s.b, "10.0.0.1", time.Second, opt)
		if err != nil {
			t.Errorf("TCP %+v: %v", opt, err)
		}
		t.Logf("TCP %+v: %.2f Gbit/s", opt, r.BitsPerSecond/1e9)
	}
	if d := ports[1].Stats().RxDropped(); d > 0 {
		t.Errorf("%d dropped: %v", d, ports[1].Stats().RxDrops)
	}
	for _, p := range []*netlab.Process{daemon, db} {
		_ = p.Stop()
	}
}

// await waits until a program has made a file.
func await(t *testing.T, p *netlab.Process, file string) {
	t.Helper()
	for range 500 {
		if _, err := os.Stat(file); err == nil {
			return
		}
		select {
		case <-p.Done():
			t.Fatalf("it has ended: %s", strings.TrimSpace(p.Output()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not appear: %s", file, p.Output())
}
