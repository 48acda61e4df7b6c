//go:build linux

package afxdp_test

import (
	"errors"
	"fmt"
	"log"

	"golang.org/x/sys/unix"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afxdp"
)

// A port for one address: frames of everybody else stay with the kernel. There is no such interface here, and the
// error says so.
func Example() {
	p, err := pool.New(pool.Config{UMEM: true})
	if err != nil {
		log.Fatal(err)
	}
	_, err = port.Open("afxdp:nosuch0,filter=arp|host=10.0.0.7", port.Options{Pool: p})
	fmt.Println(errors.Is(err, unix.ENODEV))
	if err := p.Close(); err != nil {
		log.Fatal(err)
	}
	// Output: true
}

func ExampleParseFilter() {
	f, err := afxdp.ParseFilter("arp|ip+host=10.0.0.0/8+port=53;8000-8099")
	fmt.Println(f, err)
	_, err = afxdp.ParseFilter("ip+prot=17")
	fmt.Println(err)
	// Output:
	// arp|ip+host=10.0.0.0/8+port=53;8000-8099 <nil>
	// bad filter "ip+prot=17": term "prot=17": unknown; there are arp, ethertype=, host=, icmp, icmp6, ip, ip6, port=, proto=, tcp, udp, vlan, vlan=
}
