package port_test

import (
	"context"
	"fmt"
	"io"

	"github.com/ringway-net/ringway/pool"
	"github.com/ringway-net/ringway/port"
	_ "github.com/ringway-net/ringway/port/gen"
	_ "github.com/ringway-net/ringway/port/null"
)

// All that it takes to move frames from one port to another. (vswitch does it with a worker for each
// port.)
func Example() {
	p, err := pool.New(pool.Config{})
	if err != nil {
		panic(err)
	}
	in, err := port.Open("gen:size=100,count=1000", port.Options{Pool: p, Direction: port.In})
	if err != nil {
		panic(err)
	}
	out, err := port.Open("null:name=sink", port.Options{Pool: p, Direction: port.Out})
	if err != nil {
		panic(err)
	}
	if err := move(context.Background(), in, out); err != nil {
		panic(err)
	}
	in.Close()
	out.Close()
	fmt.Println(in.Stats().RxPackets, "frames from", in.Info().Name)
	fmt.Println(out.Stats().TxPackets, "frames of", out.Stats().TxBytes, "bytes to", out.Info().Name)
	fmt.Println(p.Close())
	// Output:
	// 1000 frames from gen:size=100,count=1000
	// 1000 frames of 100000 bytes to sink
	// <nil>
}

func move(ctx context.Context, in, out port.Port) error {
	var bufs [64]pool.Buffer
	for {
		n, err := in.Rx(bufs[:])
		for sent := 0; sent < n; {
			k, err := out.Tx(bufs[sent:n])
			sent += k // these are out's now, and the others still ours
			if err == nil && k == 0 {
				err = out.WaitTx(ctx)
			}
			if err != nil {
				pool.ReleaseBurst(bufs[sent:n])
				return err
			}
		}
		if err == nil && n == 0 {
			err = in.WaitRx(ctx)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// An error says what would have been right.
func ExampleParse() {
	_, err := port.Parse("gen:size=64,speed=1Gbit/s")
	fmt.Println(err)
	// Output:
	// bad port string "gen:size=64,speed=1Gbit/s": kind gen has no key "speed"; it has size, rate, count, seed, flows, vlan, ip, src, dst, name, onfull
}

func ExampleParseRate() {
	for _, text := range []string{"10kpps", "1.5Gbit/s"} {
		r, err := port.ParseRate(text)
		fmt.Println(r.PPS, "frames or", r.BPS, "bits a second", err)
	}
	// Output:
	// 10000 frames or 0 bits a second <nil>
	// 0 frames or 1.5e+09 bits a second <nil>
}
