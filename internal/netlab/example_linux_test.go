package netlab_test

import (
	"fmt"
	"testing"

	"github.com/ringway-net/ringway/internal/netlab"
)

// Two hosts and a cable. It takes root, so here it is a test's function that nobody calls.
func Example() {
	_ = func(t *testing.T) {
		lab := netlab.New(t)
		a, b := lab.Namespace("a"), lab.Namespace("b")
		lab.Veth(a, "eth0", b, "eth0", 1500)
		a.Addr("eth0", "10.0.0.1/24")
		b.Addr("eth0", "10.0.0.2/24")
		if r := a.Ping("10.0.0.2", netlab.PingOptions{Count: 10}); r.Loss() > 0 {
			t.Errorf("lost: %+v", r)
		}
	}
	// What came back is plain data.
	r := netlab.PingResult{Sent: 10, Received: 9}
	fmt.Printf("%.0f %% lost\n", 100*r.Loss())
	// Output: 10 % lost
}
