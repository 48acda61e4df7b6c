package guest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ringway-net/ringway/internal/netlab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A guest boots, runs what it is told, tells how that ended, is killed, and boots again.
func TestGuest(t *testing.T) {
	if testing.Short() {
		t.Skip("boots a virtual machine twice")
	}
	lab := netlab.New(t)
	n := lab.Namespace("n")
	n.IP("tuntap", "add", "tap0", "mode", "tap")
	n.IP("link", "set", "tap0", "mtu", "9000")
	n.IP("link", "set", "tap0", "up")
	n.Addr("tap0", "10.0.0.1/24", "fd00::1/64")
	c := Config{Netdev: "tap,ifname=tap0,script=no,downscript=no", MAC: "02:00:00:00:00:22", Addrs: []string{"10.0.0.2/24", "fd00::2/64"}, MTU: 9000}
	for range 2 {
		begin := time.Now()
		g := Start(t, n, c)
		t.Logf("up in %v", time.Since(begin).Round(time.Millisecond))
		if out := g.Run("ip addr show eth0"); !strings.Contains(out, "10.0.0.2/24") || !strings.Contains(out, "mtu 9000") || !strings.Contains(out, c.MAC) {
			t.Errorf("%s", out)
		}
		if out, code, err := g.Try("printf 'no end'; echo wrong >&2; exit 3"); code != 3 || err != nil || out != "no endwrong\n" {
			t.Errorf("%q, exit code %d, %v", out, code, err)
		}
		if out := g.Run("printf half"); out != "half" {
			t.Errorf("%q", out)
		}
		if !g.WaitPing("10.0.0.1", 5*time.Second) || !n.WaitPing("fd00::2", 5*time.Second) {
			t.Errorf("no ping comes through")
		}
		if n := g.Ping("10.0.0.1", 3, 8900); n != 3 {
			t.Errorf("of 3 pings %d came back", n)
		}
		if n := g.Ping("10.0.0.9", 1, 56); n != 0 {
			t.Errorf("%d answers of nobody", n)
		}
		if _, _, err := g.Try("echo\necho"); err == nil {
			t.Error("two lines were taken for one")
		}
		g.Begin("sleep 1; echo slept")
		if out := g.Finish(); out != "slept\n" {
			t.Errorf("%q", out)
		}
		g.Kill()
		if _, _, err := g.Try("echo"); err == nil {
			t.Errorf("a guest that was killed goes on")
		}
	}
}

// The newest kernel is the one with the highest number, and modules come after what they need.
func TestKernel(t *testing.T) {
	names := []string{"vmlinuz-6.1.0-10-cloud", "vmlinuz-6.12.3", "vmlinuz-6.1.0-9-cloud"}
	slices.SortFunc(names, byVersion)
	if want := []string{"vmlinuz-6.1.0-9-cloud", "vmlinuz-6.1.0-10-cloud", "vmlinuz-6.12.3"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	k := kernel{modules: t.TempDir()}
	if err := os.WriteFile(filepath.Join(k.modules, "modules.dep"), []byte("a/virtio-net.ko: a/failover.ko a/virtio.ko a/ring.ko\na/virtio_pci.ko: a/virtio.ko a/ring.ko\na/ring.ko:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := k.files("virtio_pci", "virtio_net", "built_in")
	for i := range got {
		got[i] = filepath.Base(got[i])
	}
	if want := []string{"ring.ko", "virtio.ko", "virtio_pci.ko", "failover.ko", "virtio-net.ko"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
