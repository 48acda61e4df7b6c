package vswitch_test

import (
	"context"
	"fmt"
	"log"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/gen"
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
