//go:build unix

package udp_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/udp"
)

// A frame goes to a program that is no Ringway, and back.
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		log.Fatal(err)
	}
	peer, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	u, err := udp.Open(port.Options{Pool: p}, udp.Config{
		Local:  netip.MustParseAddrPort("127.0.0.1:0"),
		Remote: peer.LocalAddr().(*net.UDPAddr).AddrPort(),
	})
	if err != nil {
		log.Fatal(err)
	}
	b, err := p.CopyIn([]byte("a frame, as it is"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := u.Tx([]pool.Buffer{b}); err != nil {
		log.Fatal(err)
	}
	datagram := make([]byte, 100)
	n, from, err := peer.ReadFromUDPAddrPort(datagram)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := peer.WriteToUDPAddrPort(datagram[:n], from); err != nil {
		log.Fatal(err)
	}
	bufs := make([]pool.Buffer, 64)
	for n = 0; n == 0; {
		if err := u.WaitRx(context.Background()); err != nil {
			log.Fatal(err)
		}
		if n, err = u.Rx(bufs); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%s\n", bufs[0].Bytes())
	bufs[0].Release()
	fmt.Println(u.Close(), peer.Close(), p.Close())
	// Output:
	// a frame, as it is
	// <nil> <nil> <nil>
}
