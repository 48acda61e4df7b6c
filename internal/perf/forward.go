// The work of a whole program: frames are made, forwarded by a switch's workers, and swallowed.

package perf

import (
	"context"
	"fmt"
	"time"

	"github.com/ringway-net/ringway/port"
	"github.com/ringway-net/ringway/port/gen"
	"github.com/ringway-net/ringway/port/null"
	"github.com/ringway-net/ringway/vswitch"
)

func forwardWorks() []Work {
	return []Work{{"forward/gen-null", Ours, forwardGenNull}}
}

func forwardGenNull(n int) (f Figures, err error) {
	p := openPool()
	defer func() { // after the ports
		if e := p.Close(); err == nil {
			err = e
		}
	}()
	in, err := gen.Open(gen.Config{}, port.Options{Pool: p, Direction: port.In})
	if err != nil {
		return nil, err
	}
	defer in.Close()
	out, err := null.Open(port.Options{Pool: p, Direction: port.Out})
	if err != nil {
		return nil, err
	}
	defer out.Close()
	forward, err := vswitch.NewForward(vswitch.ForwardConfig{In: in, Out: out, Count: uint64(n)})
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := forward.Run(context.Background()); err != nil {
		return nil, err
	}
	took := time.Since(start)
	if sent := out.Stats().TxPackets; sent != uint64(n) {
		return nil, fmt.Errorf("%d frames came out, want %d", sent, n)
	}
	return perItem(took, n), nil
}
