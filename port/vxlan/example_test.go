//go:build linux

package vxlan_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/vxlan"
)

// Two machines, which here are two addresses of one, attached to network 7.
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		log.Fatal(err)
	}
	open := func(name string) port.Port {
		o, err := port.Open(name, port.Options{Pool: p})
		if err != nil {
			log.Fatal(err)
		}
		return o
	}
	one := open("vxlan:127.0.0.6,vni=7,port=14789,local=127.0.0.5")
	two := open("vxlan:127.0.0.5,vni=7,port=14789,local=127.0.0.6")
	b, err := p.CopyIn([]byte("\xff\xff\xff\xff\xff\xff\x02\x00\x00\x00\x00\x01\x88\xb5hello"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := one.Tx([]pool.Buffer{b}); err != nil {
		log.Fatal(err)
	}
	bufs := make([]pool.Buffer, 64)
	for n := 0; n == 0; {
		if err := two.WaitRx(context.Background()); err != nil {
			log.Fatal(err)
		}
		if n, err = two.Rx(bufs); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%s\n", bufs[0].Bytes()[14:])
	bufs[0].Release()
	fmt.Println(one.Close(), two.Close(), p.Close())
	// Output:
	// hello
	// <nil> <nil> <nil>
}
