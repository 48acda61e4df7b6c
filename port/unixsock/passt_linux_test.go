package unixsock

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ringway-net/ringway/internal/need"
	"github.com/ringway-net/ringway/internal/testkit"
	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
)

// TestPasst: passt answers an ARP request for its gateway, over its stream; and a burst of them, one by one.
func TestPasst(t *testing.T) {
	testkit.Watchdog(t)
	// passt gives up its privileges, and has to get at the socket's directory then.
	path := filepath.Join("/tmp", filepath.Base(tempDir(t))+".passt")
	gateway, guest := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	t.Cleanup(func() { _ = os.Remove(path) })
	need.Root(t) // for a network namespace
	need.Program(t, "passt")
	program(t, "unshare", "-n", "sh", "-c", "ip link add d0 type veth peer name d1 && ip link set d1 up && ip addr add 192.0.2.2/24 dev d0 && ip link set d0 up && ip route add default via 192.0.2.1 && "+
		"exec passt -f -4 -s "+path+" -a 192.0.2.2 -n 24 -g 192.0.2.1 -t none -u none -D none -S none")
	p := newPool(t)
	var c port.Port
	eventually(t, "passt listens", func() (ok bool) {
		opened, err := port.Open("unix:"+path+",type=stream", port.Options{Pool: p})
		if ok = err == nil; ok {
			c = closeLater(t, opened)
		}
		return ok
	})
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 0xa}
	ask := make([]byte, 60)
	copy(ask, []byte{255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 0xa, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 0xa})
	copy(ask[28:], guest.AsSlice())
	copy(ask[38:], gateway.AsSlice())
	const n = 20
	bufs := make([]pool.Buffer, n)
	for i := range bufs {
		var err error
		if bufs[i], err = p.CopyIn(ask); err != nil {
			t.Fatal(err)
		}
	}
	sendAll(t, c, bufs)
	time.AfterFunc(20*time.Second, func() { _ = c.Close() }) // no answer is no reason to wait for ever
	for _, f := range receive(t, c, n) {
		if len(f) < 42 || !bytes.Equal(f[:6], mac) || !bytes.Equal(f[12:14], []byte{8, 6}) || f[21] != 2 || !bytes.Equal(f[28:32], gateway.AsSlice()) || !bytes.Equal(f[38:42], guest.AsSlice()) {
			t.Errorf("%x is no answer to an ARP request", f)
		}
	}
}
