package vswitch_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/gen"
	"github.com/ringway-net/ringway/port/mem"
	_ "github.com/ringway-net/ringway/port/null"
	"github.com/ringway-net/ringway/vswitch"
)

// A thousand synthetic frames go from a generator to nowhere.
func ExampleForward() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		log.Fatal(err)
	}
	in, err := port.Open("gen:size=imix,count=1000", port.Options{Pool: p, Direction: port.In})
	if err != nil {
		log.Fatal(err)
	}
	out, err := port.Open("null:", port.Options{Pool: p, Direction: port.Out})
	if err != nil {
		log.Fatal(err)
	}
	f, err := vswitch.NewForward(vswitch.ForwardConfig{In: in, Out: out})
	if err != nil {
		log.Fatal(err)
	}
	if err := f.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	s := f.Stats()
	fmt.Println(s.Received(), "=", s.Sent(), "+", s.Dropped(), "+", s.InFlight)
	in.Close()
	out.Close()
	fmt.Println(p.Close())
	// Output:
	// 1000 = 1000 + 0 + 0
	// <nil>
}

// A switch joins two programs, or two parts of one: here a mem port for each, whose far ends are the two.
func ExampleSwitch() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		log.Fatal(err)
	}
	sw, err := vswitch.New(vswitch.Config{})
	if err != nil {
		log.Fatal(err)
	}
	var hosts [2]port.Port
	for i, name := range []string{"left", "right"} {
		near, far, err := mem.Pair(port.Options{Pool: p}, port.Options{Pool: p}, mem.Config{}, mem.Config{})
		if err != nil {
			log.Fatal(err)
		}
		defer near.Close()
		defer far.Close()
		if err := sw.Add(name, near, vswitch.PortConfig{}); err != nil {
			log.Fatal(err)
		}
		hosts[i] = far
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- sw.Run(ctx) }()

	// Left asks all who is there, and right answers left alone: its address is known by now.
	left, right, all := "\x02\x00\x00\x00\x00\x01", "\x02\x00\x00\x00\x00\x02", "\xff\xff\xff\xff\xff\xff"
	say := func(from port.Port, frame string) {
		b, err := p.CopyIn([]byte(frame))
		if err != nil {
			log.Fatal(err)
		}
		if _, err := from.Tx([]pool.Buffer{b}); err != nil {
			log.Fatal(err)
		}
	}
	hear := func(at port.Port) string {
		var bufs [1]pool.Buffer
		for {
			if n, err := at.Rx(bufs[:]); err != nil {
				log.Fatal(err)
			} else if n == 1 {
				defer bufs[0].Release()
				return string(bufs[0].Bytes()[14:])
			}
			if err := at.WaitRx(ctx); err != nil {
				log.Fatal(err)
			}
		}
	}
	say(hosts[0], all+left+"\x88\xb5Who is there?")
	fmt.Println(hear(hosts[1]))
	say(hosts[1], left+right+"\x88\xb5Right.")
	fmt.Println(hear(hosts[0]))

	stop()
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
	for _, a := range sw.Addresses() {
		fmt.Println(a.MAC, "is behind", a.Port)
	}
	s := sw.Stats()
	fmt.Println(s.Received(), "+", s.Replicas(), "=", s.Sent(), "+", s.Dropped(), "+", s.InFlight())
	// Output:
	// Who is there?
	// Right.
	// 02:00:00:00:00:01 is behind left
	// 02:00:00:00:00:02 is behind right
	// 2 + 0 = 2 + 0 + 0
}
