//go:build linux

package tap_test

import (
	"fmt"

	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/tap"
)

// A device needs root, and so does Open: port.Open("tap:tap0,mtu=9000", …). What it would make of a string can be known
// before.
func Example() {
	s, err := port.Parse("tun:vpn0,addr=10.0.0.1/24,mtu=1420")
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Kind, s.Target, s.String("mtu", ""))
	_, err = port.Parse("tap:tap0,speed=10G")
	fmt.Println(err)
	// Output:
	// tun vpn0 1420
	// bad port string "tap:tap0,speed=10G": kind tap has no key "speed"; it has mac, queues, vnet, mtu, up, addr, txqlen, persist, name, onfull
}
