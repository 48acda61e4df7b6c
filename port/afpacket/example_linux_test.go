package afpacket_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/afpacket"
)

func Example() {
	frames, err := pool.New(pool.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer frames.Close()
	large, err := pool.New(pool.Config{BufferSize: port.LargeBufferSize, Count: 512})
	if err != nil {
		log.Fatal(err)
	}
	defer large.Close()

	k, _ := port.Lookup("afpacket")
	fmt.Println(k.Example, "is", k.Summary)

	// Linux has no interface with so long a name; with one that is there, this opens it, as root.
	p, err := port.Open("afpacket:sixteen-letters-,fanout=7", port.Options{Pool: frames, Large: large})
	if errors.Is(err, afpacket.ErrInterface) {
		fmt.Println("no such interface")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	// Output:
	// afpacket:eth0 is a network interface, shared with the host, by a packet socket
	// no such interface
}
