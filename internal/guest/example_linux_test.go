package guest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ringway-net/ringway/internal/guest"
	"github.com/ringway-net/ringway/internal/netlab"
)

// A guest on a tap. It takes root and QEMU, so here it is a test's function that nobody calls.
func Example() {
	c := guest.Config{Netdev: "tap,ifname=vm0,script=no,downscript=no", Addrs: []string{"10.0.0.2/24"}}
	_ = func(t *testing.T) {
		host := netlab.New(t).Namespace("host")
		host.IP("tuntap", "add", "vm0", "mode", "tap")
		host.IP("link", "set", "vm0", "up")
		host.Addr("vm0", "10.0.0.1/24")
		g := guest.Start(t, host, c)
		if !strings.Contains(g.Run("ip addr"), "10.0.0.2") || g.Ping("10.0.0.1", 3, 56) != 3 {
			t.Error("the guest does not reach its host")
		}
	}
	kind, _, _ := strings.Cut(c.Netdev, ",")
	fmt.Println(kind, c.Addrs)
	// Output: tap [10.0.0.2/24]
}
